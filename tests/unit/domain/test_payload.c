/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unit tests of domain/payload. The worked payloads in tests/data/payloads are read into the
 * structs, written again, and must come out byte for byte, with the signature listed for them.
 */
#include <stdlib.h>

#include "assert_str.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/rfc3339.h"
#include "domain/analysis.h"
#include "domain/faults.h"
#include "domain/payload.h"
#include "domain/signature.h"

static void read_file(const char *name, struct buf *ret_bytes)
{
    char path[512];
    FILE *file;
    int c;

    (void)snprintf(path, sizeof(path), "%s/payloads/%s", TEST_DATA, name);
    file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("cannot read %s", path);
    while ((c = fgetc(file)) != EOF)
        buf_add_char(ret_bytes, (char)c);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(buf_err(ret_bytes), ERR_NONE);
}

static struct str text_of(const struct json *json, const char *name)
{
    return json_str(json_member(json, name));
}

static int64_t moment_of(const struct json *json, const char *name)
{
    int64_t at_ms = 0;

    assert_true(rfc3339_parse(text_of(json, name), &at_ms));
    return at_ms;
}

/* A payload and what it points to. */
struct worked {
    struct payload payload;
    struct call call;
    struct contact contact;
    struct staff staff;
    struct arena arena;
    struct buf labels;
    struct buf analysis;
    struct json *json;
};

static void worked_done(struct worked *worked)
{
    json_free(worked->json);
    buf_done(&worked->labels);
    buf_done(&worked->analysis);
    arena_done(&worked->arena);
}

static void read_call(const struct json *data, struct call *ret_call)
{
    const struct json *details = json_member(data, "call_details");
    const struct json *caller = json_member(data, "caller");
    const struct json *analysis = json_member(data, "ai_analysis");

    ret_call->id = json_i64(json_member(details, "call_id"));
    assert_true(call_type_parse(text_of(details, "type"), &ret_call->type));
    assert_true(str_to_i64(text_of(details, "duration_total"), &ret_call->duration_s));
    assert_true(file_status_parse(text_of(details, "file_status"), &ret_call->file_status));
    ret_call->reviewed = json_bool(json_member(details, "reviewed"));
    ret_call->started_at_ms = moment_of(details, "started_at");
    ret_call->phone = text_of(caller, "phone");
    ret_call->name = text_of(caller, "name");
    assert_true(analysis_status_parse(text_of(analysis, "status"), &ret_call->analysis_status));
    ret_call->analysis_reason = text_of(analysis, "reason");
}

static void read_contact(const struct json *identity, struct worked *worked)
{
    json_add_value(&worked->labels, json_member(identity, "labels"));
    worked->contact = (struct contact){
            .id = text_of(identity, "id"),
            .name = text_of(identity, "name"),
            .phone = text_of(identity, "phone"),
            .email = text_of(identity, "email"),
            .note = text_of(identity, "note"),
            .labels = buf_str(&worked->labels),
    };
}

static void read_staff(const struct json *staff, struct staff *ret_staff)
{
    *ret_staff = (struct staff){
            .id = text_of(staff, "id"),
            .name = text_of(staff, "name"),
            .phone = text_of(staff, "phone"),
            .email = text_of(staff, "email"),
    };
}

/* The whole result of the event ai_analysis, read and written as one that a client puts; none when
 * there is only its status. */
static struct str rewrite_analysis(const struct json *json, struct worked *worked)
{
    struct faults faults;
    struct analysis analysis = {0};

    if (json_member(json, "version") == NULL)
        return STR_NONE;
    faults_init(&faults, &worked->arena);
    analysis_read(json, &faults, &analysis);
    if (faults.count > 0)
        print_error(
                "%.*s %.*s\n", STR_ARG(faults.items[0].field), STR_ARG(faults.items[0].message));
    assert_int_equal(faults.count, 0);
    analysis_write(&worked->analysis, &analysis, json_i64(json_member(json, "version")), 0);
    return buf_str(&worked->analysis);
}

static void worked_init(struct worked *worked, struct str text)
{
    struct payload *payload = &worked->payload;

    *worked = (struct worked){0};
    assert_int_equal(json_parse(text, &worked->json, NULL), ERR_NONE);
    const struct json *data = json_member(worked->json, "data");

    read_call(data, &worked->call);
    worked->call.org_id = text_of(worked->json, "org_id");
    read_contact(json_member(data, "identity"), worked);
    read_staff(json_member(data, "staff"), &worked->staff);
    assert_true(event_kind_parse(text_of(worked->json, "event"), &payload->kind));
    payload->call = &worked->call;
    payload->contact = &worked->contact;
    payload->staff = &worked->staff;
    payload->timestamp_ms = moment_of(worked->json, "timestamp");
    payload->payload_id = text_of(worked->json, "payload_id");
    payload->recording_url = text_of(json_member(data, "call_details"), "recording_url");
    payload->analysis = rewrite_analysis(json_member(data, "ai_analysis"), worked);
}

/* line: type, event, bytes, hex signature with the secret whsec_test; tabs between. */
static void check_worked_payload(struct str line)
{
    struct str rest = line;
    struct str type = str_split(&rest, '\t');
    struct str event = str_split(&rest, '\t');
    int64_t len = 0;
    CLEANUP(buf_done) struct buf text = {0};
    CLEANUP(buf_done) struct buf written = {0};
    CLEANUP(worked_done) struct worked worked;
    char name[128];
    char hex[SHA256_HEX_SIZE];

    assert_true(str_to_i64(str_split(&rest, '\t'), &len));
    (void)snprintf(name, sizeof(name), "%.*s.%.*s.json", STR_ARG(type), STR_ARG(event));
    read_file(name, &text);
    assert_int_equal(text.len, len);
    worked_init(&worked, buf_str(&text));
    payload_write(&written, &worked.payload);
    buf_add_char(&text, '\0');
    assert_buf(written, text.ptr);
    signature_hex(STR("whsec_test"), buf_str(&written), hex);
    assert_str(rest, hex);
}

static void worked_payloads_are_written_byte_for_byte(void **state)
{
    CLEANUP(buf_done) struct buf list = {0};
    struct str rest;
    size_t count = 0;

    (void)state;
    read_file("SIGNATURES.tsv", &list);
    rest = buf_str(&list);
    while (rest.len > 0) {
        check_worked_payload(str_split(&rest, '\n'));
        count++;
    }
    assert_int_equal(count, 16);
}

/* A withheld, unknown caller and nobody assigned. */
static struct call unknown_call(void)
{
    return (struct call){
            .id = 1,
            .org_id = STR("org_1"),
            .type = CALL_MISSED,
            .duration_s = 17,
            .started_at_ms = 1999,
            .analysis_status = ANALYSIS_SKIPPED,
            .analysis_reason = STR("no_recording"),
    };
}

#define DETAILS                                                                                    \
    "{\"call_details\":{\"call_id\":1,\"direction\":\"incoming\",\"type\":\"missed\","             \
    "\"status\":\"missed\",\"duration_total\":\"0\",\"recording_url\":null,"                       \
    "\"file_status\":\"none\",\"reviewed\":false,\"started_at\":\"1970-01-01T00:00:01Z\"},"
#define NOBODY "\"staff\":{\"id\":null,\"name\":null,\"phone\":null,\"email\":null}}"

static void what_is_unknown_is_null(void **state)
{
    CLEANUP(buf_done) struct buf data = {0};
    const struct call call = unknown_call();
    const struct payload payload = {.call = &call};

    (void)state;
    payload_write_data(&data, &payload);
    assert_buf(data,
            DETAILS "\"caller\":{\"phone\":null,\"name\":null},"
                    "\"identity\":{\"id\":null,\"name\":null,\"phone\":null,\"email\":null,"
                    "\"note\":null,\"labels\":[]},"
                    "\"ai_analysis\":{\"status\":\"skipped\",\"reason\":\"no_recording\"}," NOBODY);
}

static void an_unknown_callers_identity_has_the_callers_phone(void **state)
{
    CLEANUP(buf_done) struct buf data = {0};
    struct call call = unknown_call();
    const struct payload payload = {.call = &call};

    (void)state;
    call.phone = STR("112");
    call.name = STR("Ann \"A/B\" \xE2\x82\xAC\n");
    payload_write_data(&data, &payload);
    assert_buf(data,
            DETAILS "\"caller\":{\"phone\":\"112\",\"name\":\"Ann \\\"A/B\\\" \xE2\x82\xAC\\n\"},"
                    "\"identity\":{\"id\":null,\"name\":null,\"phone\":\"112\",\"email\":null,"
                    "\"note\":null,\"labels\":[]},"
                    "\"ai_analysis\":{\"status\":\"skipped\",\"reason\":\"no_recording\"}," NOBODY);
}

static void the_analysis_has_a_reason_only_when_it_was_not_made(void **state)
{
    static const struct {
        enum analysis_status status;
        struct str reason;
        const char *written;
    } rows[] = {
            {ANALYSIS_PENDING, {"x", 1}, "\"ai_analysis\":{\"status\":\"pending\"},"},
            {ANALYSIS_PROCESSING, {"x", 1}, "\"ai_analysis\":{\"status\":\"processing\"},"},
            {ANALYSIS_COMPLETED, {"x", 1}, "\"ai_analysis\":{\"status\":\"completed\"},"},
            {ANALYSIS_FAILED,
                    {"x", 1},
                    "\"ai_analysis\":{\"status\":\"failed\",\"reason\":\"x\"},"},
            {ANALYSIS_SKIPPED,
                    {NULL, 0},
                    "\"ai_analysis\":{\"status\":\"skipped\",\"reason\":null},"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(buf_done) struct buf data = {0};
        struct call call = unknown_call();
        const struct payload payload = {.kind = EVENT_AI_ANALYSIS, .call = &call};

        call.analysis_status = rows[i].status;
        call.analysis_reason = rows[i].reason;
        payload_write_data(&data, &payload);
        buf_add_char(&data, '\0');
        assert_non_null(strstr(data.ptr, rows[i].written));
    }
}

static void only_the_event_ai_analysis_carries_the_result(void **state)
{
    (void)state;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
        CLEANUP(buf_done) struct buf data = {0};
        struct call call = unknown_call();
        const struct payload payload = {
                .kind = (enum event_kind)kind, .call = &call, .analysis = STR("{\"whole\":1}")};

        payload_write_data(&data, &payload);
        buf_add_char(&data, '\0');
        assert_int_equal(strstr(data.ptr, "\"ai_analysis\":{\"whole\":1},") != NULL,
                kind == EVENT_AI_ANALYSIS);
    }
}

static void a_body_above_the_cap_is_an_error_and_no_overflow(void **state)
{
    CLEANUP(buf_done) struct buf body = {0};
    const struct call call = unknown_call();
    const struct payload payload = {.call = &call, .payload_id = STR("wh_1")};

    (void)state;
    buf_init(&body, 100);
    payload_write(&body, &payload);
    assert_int_equal(buf_err(&body), ERR_LIMIT);
    assert_true(body.len <= 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(worked_payloads_are_written_byte_for_byte),
            cmocka_unit_test(what_is_unknown_is_null),
            cmocka_unit_test(an_unknown_callers_identity_has_the_callers_phone),
            cmocka_unit_test(the_analysis_has_a_reason_only_when_it_was_not_made),
            cmocka_unit_test(only_the_event_ai_analysis_carries_the_result),
            cmocka_unit_test(a_body_above_the_cap_is_an_error_and_no_overflow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
