/* SPDX-License-Identifier: Apache-2.0 */
/* endpoint_json - reading and writing an endpoint's members. */
#include "api/endpoint_json.h"

#include "api/field.h"
#include "api/member.h"
#include "api/word.h"
#include "base/json.h"
#include "domain/limits.h"
#include "domain/secret.h"

/* As the kept request headers of an attempt show them. */
#define HIDDEN STR("***")

/* The document under way, and where what it says goes. */
struct reading {
    struct faults *faults;
    struct arena *arena;
    const struct json *json;
    struct endpoint *endpoint;
    unsigned fields;
};

/* An array of words without duplicates, as bits. parse gives a word's number, or -1. */
static bool read_mask(struct reading *reading,
        const char *name,
        int (*parse)(struct str word),
        const char *words,
        unsigned *ret_mask)
{
    const struct json *array = NULL;
    unsigned mask = 0;

    if (faults_read_json(reading->faults,
                reading->json,
                name,
                name,
                MEMBER_OPTIONAL,
                JSON_ARRAY_TYPE,
                &array) != MEMBER_SET)
        return false;
    for (size_t i = 0; i < json_count(array) && i < FAULTS_MAX; i++) {
        int number = parse(json_str(json_item(array, i)));
        const char *field = arena_strf(reading->arena, "%s[%zu]", name, i).ptr;

        if (number < 0)
            faults_add(reading->faults, field, "must be one of %s", words);
        else if ((mask & 1U << number) != 0)
            faults_add(reading->faults, field, "is given twice");
        else
            mask |= 1U << number;
    }
    *ret_mask = mask;
    return true;
}

static int parse_event(struct str word)
{
    enum event_kind kind;

    return event_kind_parse(word, &kind) ? (int)kind : -1;
}

static int parse_type(struct str word)
{
    enum call_type type;

    return call_type_parse(word, &type) ? (int)type : -1;
}

static void read_filter(struct reading *reading)
{
    struct endpoint *endpoint = reading->endpoint;

    if (read_mask(reading, "events", parse_event, WORD_EVENTS, &endpoint->event_mask))
        reading->fields |= ENDPOINT_EVENTS;
    if (read_mask(reading, "types", parse_type, WORD_TYPES, &endpoint->type_mask))
        reading->fields |= ENDPOINT_TYPES;
}

static void read_description(struct reading *reading)
{
    const struct field field = {reading->faults, reading->json, ""};

    if (field_note(&field,
                "description",
                MEMBER_NULLABLE,
                ENDPOINT_DESCRIPTION_MAX_BYTES,
                &reading->endpoint->description) != MEMBER_ABSENT)
        reading->fields |= ENDPOINT_DESCRIPTION;
}

static bool has_header(const struct endpoint *endpoint, struct str name)
{
    for (size_t i = 0; i < endpoint->header_count; i++)
        if (str_equal_nocase(endpoint->headers[i].name, name))
            return true;
    return false;
}

static void read_header(struct reading *reading, struct str name, const struct json *value)
{
    struct endpoint *endpoint = reading->endpoint;
    const char *field = arena_strf(reading->arena, "headers.%.*s", STR_ARG(name)).ptr;
    struct error why;

    if (json_type(value) != JSON_STRING_TYPE)
        faults_add(reading->faults, field, "must be a string");
    else if (endpoint_check_header(name, json_str(value), &why) != ERR_NONE)
        faults_add(reading->faults, field, "%s", why.text);
    else if (has_header(endpoint, name))
        faults_add(reading->faults, field, "is given twice");
    else
        endpoint->headers[endpoint->header_count++] = (struct header){name, json_str(value)};
}

static void read_headers(struct reading *reading)
{
    const struct json *headers = NULL;
    const struct json *value;
    struct str name;

    if (faults_read_json(reading->faults,
                reading->json,
                "headers",
                "headers",
                MEMBER_OPTIONAL,
                JSON_OBJECT_TYPE,
                &headers) != MEMBER_SET)
        return;
    reading->fields |= ENDPOINT_HEADERS;
    if (json_count(headers) > ENDPOINT_HEADERS_MAX) {
        faults_add(reading->faults, "headers", "must be at most %d", ENDPOINT_HEADERS_MAX);
        return;
    }
    for (size_t i = 0; json_member_at(headers, i, &name, &value); i++)
        read_header(reading, name, value);
}

static void read_retry_schedule(struct reading *reading)
{
    struct retry_schedule *schedule = &reading->endpoint->retry_schedule;
    const struct json *waits = NULL;

    if (faults_read_json(reading->faults,
                reading->json,
                "retry_schedule",
                "retry_schedule",
                MEMBER_OPTIONAL,
                JSON_ARRAY_TYPE,
                &waits) != MEMBER_SET)
        return;
    reading->fields |= ENDPOINT_RETRY_SCHEDULE;
    if (json_count(waits) > RETRY_WAITS_MAX) {
        faults_add(reading->faults, "retry_schedule", "must be at most %d waits", RETRY_WAITS_MAX);
        return;
    }
    schedule->wait_count = json_count(waits);
    for (size_t i = 0; i < schedule->wait_count; i++) {
        const char *field = arena_strf(reading->arena, "retry_schedule[%zu]", i).ptr;
        struct error why;

        if (json_type(json_item(waits, i)) != JSON_STRING_TYPE)
            faults_add(reading->faults, field, "must be a string such as \"5s\"");
        else if (retry_wait_parse(json_str(json_item(waits, i)), &schedule->wait_ms[i], &why) !=
                 ERR_NONE)
            faults_add(reading->faults, field, "%s", why.text);
    }
}

static bool
read_number(struct reading *reading, const char *name, int64_t min, int64_t max, int64_t *ret_value)
{
    return faults_read_i64(reading->faults,
                   reading->json,
                   name,
                   name,
                   MEMBER_OPTIONAL,
                   min,
                   max,
                   ret_value) == MEMBER_SET;
}

static void read_pace(struct reading *reading)
{
    struct endpoint *endpoint = reading->endpoint;
    int64_t timeout_s;

    if (read_number(
                reading, "timeout_s", ENDPOINT_TIMEOUT_MIN_S, ENDPOINT_TIMEOUT_MAX_S, &timeout_s)) {
        endpoint->timeout_ms = timeout_s * 1000;
        reading->fields |= ENDPOINT_TIMEOUT;
    }
    if (read_number(reading, "max_in_flight", 1, ENDPOINT_IN_FLIGHT_MAX, &endpoint->max_in_flight))
        reading->fields |= ENDPOINT_MAX_IN_FLIGHT;

    enum member_state state = faults_read_i64(reading->faults,
            reading->json,
            "rate_limit",
            "rate_limit",
            MEMBER_NULLABLE,
            1,
            ENDPOINT_RATE_MAX,
            &endpoint->rate_limit);
    if (state == MEMBER_NULL)
        endpoint->rate_limit = 0;
    if (state != MEMBER_ABSENT)
        reading->fields |= ENDPOINT_RATE_LIMIT;
}

static void read_ordering(struct reading *reading)
{
    struct str word;

    if (faults_read_str(reading->faults,
                reading->json,
                "ordering",
                "ordering",
                MEMBER_OPTIONAL,
                LIMIT_NAME_BYTES,
                &word) != MEMBER_SET)
        return;
    reading->fields |= ENDPOINT_ORDERING;
    if (!endpoint_ordering_parse(word, &reading->endpoint->ordering))
        faults_add(reading->faults, "ordering", "must be one of call, none, endpoint");
}

static void read_enabled(struct reading *reading, int64_t now_ms)
{
    struct endpoint *endpoint = reading->endpoint;

    if (faults_read_bool(reading->faults,
                reading->json,
                "enabled",
                "enabled",
                MEMBER_OPTIONAL,
                &endpoint->enabled) == MEMBER_SET)
        reading->fields |= ENDPOINT_ENABLED;
    if (endpoint->enabled) {
        endpoint->enabled_at_ms = now_ms;
    } else {
        endpoint->disabled_reason = DISABLED_MANUAL;
        endpoint->disabled_at_ms = now_ms;
    }
}

static void read_secret(struct reading *reading, bool create)
{
    struct endpoint *endpoint = reading->endpoint;
    struct error why;

    if (!create) {
        if (json_member(reading->json, "secret") != NULL)
            faults_add(reading->faults,
                    "secret",
                    "is not changed here: use POST /v1/endpoints/{id}/secret/rotate");
        return;
    }
    if (faults_read_str(reading->faults,
                reading->json,
                "secret",
                "secret",
                MEMBER_OPTIONAL,
                SECRET_MAX_BYTES,
                &endpoint->secret) != MEMBER_SET)
        endpoint->secret = secret_new(reading->arena);
    else if (secret_check(endpoint->secret, &why) != ERR_NONE)
        faults_add(reading->faults, "secret", "%s", why.text);
}

static void read_url(struct reading *reading, bool create)
{
    if (faults_read_str(reading->faults,
                reading->json,
                "url",
                "url",
                create ? MEMBER_REQUIRED : MEMBER_OPTIONAL,
                ENDPOINT_URL_MAX_BYTES,
                &reading->endpoint->url) == MEMBER_SET)
        reading->fields |= ENDPOINT_URL;
}

void endpoint_json_read(struct faults *faults,
        struct arena *arena,
        const struct json *json,
        bool create,
        int64_t now_ms,
        struct endpoint_draft *ret_draft)
{
    static const char *const names[] = {"url",
            "description",
            "events",
            "types",
            "secret",
            "enabled",
            "headers",
            "timeout_s",
            "retry_schedule",
            "max_in_flight",
            "rate_limit",
            "ordering",
            NULL};
    struct reading reading = {
            .faults = faults, .arena = arena, .json = json, .endpoint = endpoint_new()};

    if (faults_check_members(faults, json, "", names)) {
        read_url(&reading, create);
        read_description(&reading);
        read_filter(&reading);
        read_secret(&reading, create);
        read_enabled(&reading, now_ms);
        read_headers(&reading);
        read_pace(&reading);
        read_retry_schedule(&reading);
        read_ordering(&reading);
    }
    *ret_draft = (struct endpoint_draft){
            .endpoint = reading.endpoint,
            .fields = reading.fields,
            .url = reading.endpoint->url,
    };
}

static void write_filter(struct buf *buf, const struct endpoint *endpoint)
{
    member_name(buf, "events");
    buf_add_char(buf, '[');
    for (int i = 0; i < EVENT_KIND_COUNT; i++) {
        if ((endpoint->event_mask & 1U << i) == 0)
            continue;
        member_next(buf);
        json_add_string(buf, event_kind_name((enum event_kind)i));
    }
    buf_add_char(buf, ']');

    member_name(buf, "types");
    buf_add_char(buf, '[');
    for (int i = 0; i < CALL_TYPE_COUNT; i++) {
        if ((endpoint->type_mask & 1U << i) == 0)
            continue;
        member_next(buf);
        json_add_string(buf, call_type_name((enum call_type)i));
    }
    buf_add_char(buf, ']');
}

static void write_headers(struct buf *buf, const struct endpoint *endpoint, bool show_values)
{
    member_name(buf, "headers");
    buf_add_char(buf, '{');
    for (size_t i = 0; i < endpoint->header_count; i++) {
        member_next(buf);
        json_add_string(buf, endpoint->headers[i].name);
        buf_add_char(buf, ':');
        json_add_string(buf, show_values ? endpoint->headers[i].value : HIDDEN);
    }
    buf_add_char(buf, '}');
}

static void write_rotation(struct buf *buf, const struct endpoint *endpoint, int64_t now_ms)
{
    bool is_under_way = endpoint->secret_old.ptr != NULL && now_ms < endpoint->secret_old_until_ms;

    if (!is_under_way) {
        member_raw(buf, "rotation", STR_NONE);
        return;
    }
    member_name(buf, "rotation");
    buf_add_char(buf, '{');
    member_time(buf, "until", endpoint->secret_old_until_ms);
    buf_add_char(buf, '}');
}

void endpoint_json_write(struct buf *buf,
        const struct endpoint *endpoint,
        unsigned shown,
        int64_t now_ms)
{
    buf_add_char(buf, '{');
    member_id(buf, "id", ENDPOINT_ID_PREFIX, endpoint->id);
    member_str(buf, "url", endpoint->url);
    member_str(buf, "description", endpoint->description);
    write_filter(buf, endpoint);
    member_bool(buf, "enabled", endpoint->enabled);
    member_str(buf, "disabled_reason", disabled_reason_name(endpoint->disabled_reason));
    member_time(buf, "disabled_at", endpoint->disabled_at_ms);
    write_headers(buf, endpoint, (shown & ENDPOINT_SHOW_HEADERS) != 0);
    member_i64(buf, "timeout_s", endpoint->timeout_ms / 1000);
    member_name(buf, "retry_schedule");
    retry_schedule_write_json(buf, &endpoint->retry_schedule);
    member_i64(buf, "max_in_flight", endpoint->max_in_flight);
    member_i64_or_null(buf, "rate_limit", endpoint->rate_limit);
    member_str(buf, "ordering", endpoint_ordering_name(endpoint->ordering));
    write_rotation(buf, endpoint, now_ms);
    member_time(buf, "created_at", endpoint->created_at_ms);
    member_time(buf, "updated_at", endpoint->updated_at_ms);
    if ((shown & ENDPOINT_SHOW_SECRET) != 0)
        member_str(buf, "secret", endpoint->secret);
    buf_add_char(buf, '}');
}
