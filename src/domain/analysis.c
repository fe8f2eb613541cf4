/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analysis - checking a result member by member, and writing it in the contract's order.
 *
 * Reading goes down the object with the faults' prefix at the object it is in, so that the readers
 * name members shortly and the faults get their whole path.
 */
#include "domain/analysis.h"

#include <stdio.h>
#include <string.h>

#include "base/rfc3339.h"
#include "domain/faults.h"

enum { PREFIX_SIZE = 160, VERSION_MAX = INT32_MAX };

/* Where the reading is: an object, and the prefix that leads to it. */
struct place {
    struct faults *faults;
    const struct json *json;
    struct str outer; /* the prefix to go back to */
    char prefix[PREFIX_SIZE];
};

/* Goes into the object `json`, which is `name` (or its item i) of where faults are. */
static void enter(struct place *place,
        struct faults *faults,
        const struct json *json,
        const char *name,
        const size_t *i)
{
    place->faults = faults;
    place->json = json;
    place->outer = faults->prefix;

    int len = i == NULL
                      ? snprintf(place->prefix, PREFIX_SIZE, "%.*s%s.", STR_ARG(place->outer), name)
                      : snprintf(place->prefix,
                                PREFIX_SIZE,
                                "%.*s%s[%zu].",
                                STR_ARG(place->outer),
                                name,
                                *i);
    faults->prefix = str_slice((struct str){place->prefix, PREFIX_SIZE - 1}, 0, (size_t)len);
}

static void leave(struct place *place)
{
    place->faults->prefix = place->outer;
}

/* A text that may be empty, unlike faults_read_str()'s. Returns its length; 0 when there is no
 * text. */
static size_t read_text(struct faults *faults,
        const struct json *json,
        const char *name,
        enum member_rule rule,
        size_t max_bytes)
{
    const struct json *value = NULL;

    if (faults_read_json(faults, json, name, name, rule, JSON_STRING_TYPE, &value) != MEMBER_SET)
        return 0;
    if (json_str(value).len > max_bytes)
        faults_add(faults, name, "must be at most %zu bytes", max_bytes);
    return json_str(value).len;
}

/* True, with *ret_number set, when the member is a number from min to max. */
static bool read_number(struct faults *faults,
        const struct json *json,
        const char *name,
        enum member_rule rule,
        int min,
        int max,
        double *ret_number)
{
    const struct json *value = NULL;

    if (faults_read_json(faults, json, name, name, rule, JSON_REAL_TYPE, &value) != MEMBER_SET)
        return false;

    double number = json_number(value);
    if (number < min || number > max) {
        faults_add(faults, name, "must be a number from %d to %d", min, max);
        return false;
    }
    *ret_number = number;
    return true;
}

/* Numbers of one range that an object may have or not; names ends with NULL. */
static void check_numbers(struct place *place, const char *const *names, int min, int max)
{
    double unused;

    for (; *names != NULL; names++)
        (void)read_number(place->faults, place->json, *names, MEMBER_NULLABLE, min, max, &unused);
}

/* A word that is one of words (ended by NULL), listed as `list` in the fault. */
static void
check_word(struct place *place, const char *name, const char *const *words, const char *list)
{
    const struct json *value = NULL;

    if (faults_read_json(place->faults,
                place->json,
                name,
                name,
                MEMBER_NULLABLE,
                JSON_STRING_TYPE,
                &value) != MEMBER_SET)
        return;
    for (; *words != NULL; words++)
        if (str_is(json_str(value), *words))
            return;
    faults_add(place->faults, name, "must be one of %s, or null", list);
}

/* The array, when it is there and not too long; NULL else. */
static const struct json *
read_array(struct faults *faults, const struct json *json, const char *name, size_t max_count)
{
    const struct json *array = NULL;

    if (faults_read_json(faults, json, name, name, MEMBER_NULLABLE, JSON_ARRAY_TYPE, &array) !=
            MEMBER_SET)
        return NULL;
    if (json_count(array) > max_count) {
        faults_add(faults, name, "must have at most %zu items", max_count);
        return NULL;
    }
    return array;
}

static const struct json *
read_object(struct faults *faults, const struct json *json, const char *name)
{
    const struct json *object = NULL;

    (void)faults_read_json(faults, json, name, name, MEMBER_NULLABLE, JSON_OBJECT_TYPE, &object);
    return object;
}

static void check_sentiment(struct place *place)
{
    static const char *const names[] = {"label", "score", "caller", "staff", NULL};
    static const char *const numbers[] = {"score", "caller", "staff", NULL};
    static const char *const labels[] = {"positive", "neutral", "negative", "mixed", NULL};

    (void)faults_check_members(place->faults, place->json, "", names);
    check_word(place, "label", labels, "positive, neutral, negative, mixed");
    check_numbers(place, numbers, -1, 1);
}

static void check_score(struct place *place)
{
    static const char *const names[] = {"value", "max", NULL};
    double value;
    double max;

    (void)faults_check_members(place->faults, place->json, "", names);
    bool has_value = read_number(
            place->faults, place->json, "value", MEMBER_REQUIRED, 0, ANALYSIS_SCORE_MAX, &value);
    bool has_max = read_number(
            place->faults, place->json, "max", MEMBER_REQUIRED, 0, ANALYSIS_SCORE_MAX, &max);
    if (has_value && has_max && value > max)
        faults_add(place->faults, "value", "must be at most max");
}

static void check_talk(struct place *place)
{
    static const char *const names[] = {
            "staff_seconds", "caller_seconds", "silence_seconds", "staff_ratio", NULL};
    static const char *const seconds[] = {
            "staff_seconds", "caller_seconds", "silence_seconds", NULL};
    static const char *const ratios[] = {"staff_ratio", NULL};

    (void)faults_check_members(place->faults, place->json, "", names);
    check_numbers(place, seconds, 0, CALL_DURATION_MAX_S);
    check_numbers(place, ratios, 0, 1);
}

/* Returns the length of its text. */
static size_t check_segment(struct place *place)
{
    static const char *const names[] = {"speaker", "start", "end", "text", NULL};
    static const char *const speakers[] = {"staff", "caller", "unknown", NULL};
    double start;
    double end;

    if (!faults_check_members(place->faults, place->json, "", names))
        return 0;
    check_word(place, "speaker", speakers, "staff, caller, unknown");
    bool has_start = read_number(
            place->faults, place->json, "start", MEMBER_NULLABLE, 0, CALL_DURATION_MAX_S, &start);
    bool has_end = read_number(
            place->faults, place->json, "end", MEMBER_NULLABLE, 0, CALL_DURATION_MAX_S, &end);
    if (has_start && has_end && start > end)
        faults_add(place->faults, "start", "must be at most end");
    return read_text(
            place->faults, place->json, "text", MEMBER_REQUIRED, ANALYSIS_TRANSCRIPT_MAX_BYTES);
}

static void check_transcript(struct place *place)
{
    static const char *const names[] = {"text", "segments", NULL};
    struct faults *faults = place->faults;
    size_t text_bytes = 0;

    (void)faults_check_members(faults, place->json, "", names);
    (void)read_text(faults, place->json, "text", MEMBER_NULLABLE, ANALYSIS_TRANSCRIPT_MAX_BYTES);

    const struct json *segments =
            read_array(faults, place->json, "segments", ANALYSIS_SEGMENTS_MAX);
    for (size_t i = 0; i < json_count(segments); i++) {
        struct place segment;

        enter(&segment, faults, json_item(segments, i), "segments", &i);
        text_bytes += check_segment(&segment);
        leave(&segment);
    }
    if (text_bytes > ANALYSIS_TRANSCRIPT_MAX_BYTES)
        faults_add(faults,
                "segments",
                "must have texts of at most %d bytes together",
                ANALYSIS_TRANSCRIPT_MAX_BYTES);
}

/* A day such as 2026-04-29, or a moment. */
static bool is_due(struct str text)
{
    static const char midnight[] = "T00:00:00Z";
    char moment[10 + sizeof(midnight)];
    int64_t unused;

    if (text.len != 10)
        return rfc3339_parse(text, &unused);
    memcpy(moment, text.ptr, 10);
    memcpy(moment + 10, midnight, sizeof(midnight));
    return rfc3339_parse((struct str){moment, sizeof(moment) - 1}, &unused);
}

static void check_action(struct place *place)
{
    static const char *const names[] = {"owner", "text", "due", NULL};
    static const char *const owners[] = {"staff", "caller", NULL};
    const struct json *due = NULL;
    struct str text;

    if (!faults_check_members(place->faults, place->json, "", names))
        return;
    check_word(place, "owner", owners, "staff, caller");
    (void)faults_read_str(place->faults,
            place->json,
            "text",
            "text",
            MEMBER_REQUIRED,
            ANALYSIS_ACTION_MAX_BYTES,
            &text);

    enum member_state state = faults_read_json(
            place->faults, place->json, "due", "due", MEMBER_NULLABLE, JSON_STRING_TYPE, &due);
    if (state == MEMBER_SET && !is_due(json_str(due)))
        faults_add(place->faults,
                "due",
                "must be a date such as \"2026-04-29\", an RFC 3339 time, or null");
}

static void check_actions(struct faults *faults, const struct json *json)
{
    const struct json *actions = read_array(faults, json, "action_items", ANALYSIS_ACTIONS_MAX);

    for (size_t i = 0; i < json_count(actions); i++) {
        struct place action;

        enter(&action, faults, json_item(actions, i), "action_items", &i);
        check_action(&action);
        leave(&action);
    }
}

static void check_topics(struct faults *faults, const struct json *json)
{
    const struct json *topics = read_array(faults, json, "topics", ANALYSIS_TOPICS_MAX);

    for (size_t i = 0; i < json_count(topics); i++) {
        const struct json *topic = json_item(topics, i);
        size_t len = json_str(topic).len;

        if (json_type(topic) == JSON_STRING_TYPE && len >= 1 && len <= ANALYSIS_TOPIC_MAX_BYTES)
            continue;
        char field[32];
        (void)snprintf(field, sizeof(field), "topics[%zu]", i);
        faults_add(faults, field, "must be a string of 1 to %d bytes", ANALYSIS_TOPIC_MAX_BYTES);
    }
}

/* The members that are objects of their own, each with its check. */
static void check_objects(struct faults *faults, const struct json *json)
{
    static const struct {
        const char *name;
        void (*check)(struct place *place);
    } objects[] = {
            {"sentiment", check_sentiment},
            {"score", check_score},
            {"talk", check_talk},
            {"transcript", check_transcript},
    };

    for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
        const struct json *object = read_object(faults, json, objects[i].name);
        struct place place;

        if (object == NULL)
            continue;
        enter(&place, faults, object, objects[i].name, NULL);
        objects[i].check(&place);
        leave(&place);
    }
}

static void read_status(struct faults *faults, const struct json *json, struct analysis *analysis)
{
    const struct json *word = NULL;
    bool has_status =
            faults_read_json(
                    faults, json, "status", "status", MEMBER_REQUIRED, JSON_STRING_TYPE, &word) ==
            MEMBER_SET;
    bool is_known = has_status && analysis_status_parse(json_str(word), &analysis->status) &&
                    analysis->status != ANALYSIS_PENDING;

    if (has_status && !is_known)
        faults_add(faults, "status", "must be one of processing, completed, failed, skipped");
    enum member_state reason = faults_read_str(faults,
            json,
            "reason",
            "reason",
            MEMBER_NULLABLE,
            ANALYSIS_REASON_MAX_BYTES,
            &analysis->reason);
    if (reason == MEMBER_SET && is_known && analysis->status != ANALYSIS_FAILED &&
            analysis->status != ANALYSIS_SKIPPED)
        faults_add(faults, "reason", "must be left out unless status is failed or skipped");
}

void analysis_read(const struct json *json, struct faults *faults, struct analysis *ret_analysis)
{
    static const char *const names[] = {"status",
            "reason",
            "version",
            "language",
            "completed_at",
            "engine",
            "summary",
            "sentiment",
            "topics",
            "action_items",
            "score",
            "talk",
            "transcript",
            "error",
            NULL};
    struct analysis analysis = {.result = json};
    size_t faults_before = faults->count;
    int64_t number;
    struct str text;

    if (!faults_check_members(faults, json, "", names))
        return;
    read_status(faults, json, &analysis);
    (void)faults_read_i64(
            faults, json, "version", "version", MEMBER_NULLABLE, 1, VERSION_MAX, &number);
    (void)faults_read_str(faults,
            json,
            "language",
            "language",
            MEMBER_NULLABLE,
            ANALYSIS_LANGUAGE_MAX_BYTES,
            &text);
    (void)faults_read_time(faults, json, "completed_at", "completed_at", MEMBER_NULLABLE, &number);
    (void)faults_read_str(
            faults, json, "engine", "engine", MEMBER_NULLABLE, ANALYSIS_ENGINE_MAX_BYTES, &text);
    (void)read_text(faults, json, "summary", MEMBER_NULLABLE, ANALYSIS_SUMMARY_MAX_BYTES);
    check_topics(faults, json);
    check_actions(faults, json);
    check_objects(faults, json);
    (void)read_text(faults, json, "error", MEMBER_NULLABLE, ANALYSIS_ERROR_MAX_BYTES);
    if (faults->count == faults_before)
        *ret_analysis = analysis;
}

/* Appends the named members of the object (names ends with NULL), without the braces; absent ones
 * are null. json may be NULL. */
static void add_members(struct buf *buf, const struct json *json, const char *const *names)
{
    for (size_t i = 0; names[i] != NULL; i++) {
        const struct json *value = json_member(json, names[i]);

        buf_addf(buf, "%s\"%s\":", i > 0 ? "," : "", names[i]);
        if (value != NULL)
            json_add_value(buf, value);
        else
            buf_add_text(buf, "null");
    }
}

/* Appends an object of exactly these members; null when it is not there. */
static void add_object(struct buf *buf, const struct json *json, const char *const *names)
{
    if (json == NULL || json_type(json) != JSON_OBJECT_TYPE) {
        buf_add_text(buf, "null");
        return;
    }
    buf_add_char(buf, '{');
    add_members(buf, json, names);
    buf_add_char(buf, '}');
}

/* Appends an array of such objects; [] when it is not there. */
static void add_objects(struct buf *buf, const struct json *array, const char *const *names)
{
    buf_add_char(buf, '[');
    for (size_t i = 0; i < json_count(array); i++) {
        if (i > 0)
            buf_add_char(buf, ',');
        add_object(buf, json_item(array, i), names);
    }
    buf_add_char(buf, ']');
}

static void add_transcript(struct buf *buf, const struct json *transcript)
{
    static const char *const text[] = {"text", NULL};
    static const char *const segment[] = {"speaker", "start", "end", "text", NULL};

    if (transcript == NULL || json_type(transcript) != JSON_OBJECT_TYPE) {
        buf_add_text(buf, "null");
        return;
    }
    buf_add_char(buf, '{');
    add_members(buf, transcript, text);
    buf_add_text(buf, ",\"segments\":");
    add_objects(buf, json_member(transcript, "segments"), segment);
    buf_add_char(buf, '}');
}

static void
add_completed_at(struct buf *buf, const struct analysis *analysis, int64_t completed_at_ms)
{
    const struct json *given = json_member(analysis->result, "completed_at");
    bool has_given = given != NULL && rfc3339_parse(json_str(given), &completed_at_ms);

    if (!has_given && analysis->status == ANALYSIS_PROCESSING) {
        buf_add_text(buf, "null");
        return;
    }
    buf_add_char(buf, '"');
    rfc3339_add_seconds(buf, completed_at_ms);
    buf_add_char(buf, '"');
}

/* status to completed_at: what is ours to set. */
static void
add_head(struct buf *buf, const struct analysis *analysis, int64_t version, int64_t completed_at_ms)
{
    static const char *const language[] = {"language", NULL};

    buf_add_text(buf, "\"status\":");
    json_add_string(buf, analysis_status_name(analysis->status));
    if (analysis->status == ANALYSIS_FAILED || analysis->status == ANALYSIS_SKIPPED) {
        buf_add_text(buf, ",\"reason\":");
        json_add_string(buf, analysis->reason);
    }
    buf_add_text(buf, ",\"version\":");
    buf_add_i64(buf, version);
    buf_add_char(buf, ',');
    add_members(buf, analysis->result, language);
    buf_add_text(buf, ",\"completed_at\":");
    add_completed_at(buf, analysis, completed_at_ms);
}

void analysis_write(struct buf *buf,
        const struct analysis *analysis,
        int64_t version,
        int64_t completed_at_ms)
{
    static const char *const texts[] = {"engine", "summary", NULL};
    static const char *const sentiment[] = {"label", "score", "caller", "staff", NULL};
    static const char *const action[] = {"owner", "text", "due", NULL};
    static const char *const score[] = {"value", "max", NULL};
    static const char *const talk[] = {
            "staff_seconds", "caller_seconds", "silence_seconds", "staff_ratio", NULL};
    static const char *const error[] = {"error", NULL};
    const struct json *result = analysis->result;
    const struct json *topics = json_member(result, "topics");

    buf_add_char(buf, '{');
    add_head(buf, analysis, version, completed_at_ms);
    buf_add_char(buf, ',');
    add_members(buf, result, texts);
    buf_add_text(buf, ",\"sentiment\":");
    add_object(buf, json_member(result, "sentiment"), sentiment);
    buf_add_text(buf, ",\"topics\":");
    if (json_count(topics) > 0)
        json_add_value(buf, topics);
    else
        buf_add_text(buf, "[]");
    buf_add_text(buf, ",\"action_items\":");
    add_objects(buf, json_member(result, "action_items"), action);
    buf_add_text(buf, ",\"score\":");
    add_object(buf, json_member(result, "score"), score);
    buf_add_text(buf, ",\"talk\":");
    add_object(buf, json_member(result, "talk"), talk);
    buf_add_text(buf, ",\"transcript\":");
    add_transcript(buf, json_member(result, "transcript"));
    buf_add_char(buf, ',');
    add_members(buf, result, error);
    buf_add_char(buf, '}');
}
