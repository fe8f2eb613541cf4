/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of domain/analysis: what is taken, the fault of each mistake, and what is written. */
#include "assert_str.h"
#include "base/cleanup.h"
#include "domain/analysis.h"
#include "domain/faults.h"

/* A result that was put, with the memory that it borrows. */
struct fixture {
    struct arena arena;
    struct faults faults;
    struct json *json;
    struct analysis analysis;
};

static void fixture_init(struct fixture *fixture, struct str text)
{
    struct error why = {0};

    *fixture = (struct fixture){0};
    faults_init(&fixture->faults, &fixture->arena);
    if (json_parse(text, &fixture->json, &why) != ERR_NONE)
        fail_msg("%s", why.text);
    analysis_read(fixture->json, &fixture->faults, &fixture->analysis);
}

static void fixture_done(struct fixture *fixture)
{
    json_free(fixture->json);
    arena_done(&fixture->arena);
}

#define DONE "{\"status\":\"completed\","

static void each_member_may_have_any_value_in_its_range(void **state)
{
    static const char *const good[] = {
            "{\"status\":\"processing\"}",
            "{\"status\":\"completed\"}",
            "{\"status\":\"failed\"}",
            "{\"status\":\"failed\",\"reason\":\"no_speech\",\"error\":\"nothing was said\"}",
            "{\"status\":\"skipped\",\"reason\":null}",
            DONE "\"reason\":null,\"version\":1,\"language\":\"en\",\"error\":null}",
            DONE "\"version\":null,\"completed_at\":null,\"engine\":null,\"language\":null}",
            DONE "\"sentiment\":null,\"topics\":null,\"action_items\":null,\"score\":null,"
                 "\"talk\":null,\"transcript\":null,\"summary\":null}",
            DONE "\"summary\":\"\"}",
            DONE "\"completed_at\":\"2026-04-28T14:01:02+02:00\"}",
            DONE "\"sentiment\":{}}",
            DONE "\"sentiment\":{\"label\":\"mixed\",\"score\":-1,\"caller\":1,\"staff\":null}}",
            DONE "\"sentiment\":{\"label\":null,\"score\":-0.999}}",
            DONE "\"topics\":[\"a\",\"b\"],\"action_items\":[]}",
            DONE "\"action_items\":[{\"text\":\"t\"}]}",
            DONE "\"action_items\":[{\"owner\":\"caller\",\"text\":\"t\",\"due\":\"2026-04-29\"}]}",
            DONE "\"action_items\":[{\"owner\":null,\"text\":\"t\","
                 "\"due\":\"2026-04-29T10:00:00+05:30\"}]}",
            DONE "\"score\":{\"value\":0,\"max\":0}}",
            DONE "\"score\":{\"value\":4.5,\"max\":4.5}}",
            DONE "\"talk\":{\"staff_seconds\":86400,\"caller_seconds\":0.1,"
                 "\"silence_seconds\":null,\"staff_ratio\":1}}",
            DONE "\"transcript\":{\"text\":\"\",\"segments\":[]}}",
            DONE "\"transcript\":{\"text\":null,\"segments\":null}}",
            DONE "\"transcript\":{\"segments\":[{\"speaker\":\"unknown\",\"start\":1.5,"
                 "\"end\":1.5,\"text\":\"\"},{\"text\":\"x\"}]}}",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        CLEANUP(fixture_done) struct fixture f;

        fixture_init(&f, str_from(good[i]));
        if (f.faults.count > 0)
            fail_msg("%s: %.*s", good[i], STR_ARG(f.faults.items[0].message));
        assert_ptr_equal(f.analysis.result, f.json);
    }
}

static const struct {
    const char *json;
    const char *field;
    const char *message;
} MISTAKES[] = {
        {"[]", "", "must be an object"},
        {"{}", "status", "is required"},
        {"{\"status\":null}", "status", "must be a string"},
        {"{\"status\":\"pending\"}",
                "status",
                "must be one of processing, completed, failed, skipped"},
        {"{\"status\":\"done\"}",
                "status",
                "must be one of processing, completed, failed, skipped"},
        {DONE "\"reason\":\"x\"}", "reason", "must be left out unless status is failed or skipped"},
        {"{\"status\":\"failed\",\"reason\":\"\"}",
                "reason",
                "must be a string of 1 to 256 bytes, or null"},
        {DONE "\"sumary\":\"x\"}", "sumary", "unknown member"},
        {DONE "\"version\":0}", "version", "must be a whole number from 1 to 2147483647, or null"},
        {DONE "\"version\":\"1\"}",
                "version",
                "must be a whole number from 1 to 2147483647, or null"},
        {DONE "\"language\":\"\"}", "language", "must be a string of 1 to 16 bytes, or null"},
        {DONE "\"language\":\"12345678901234567\"}",
                "language",
                "must be a string of 1 to 16 bytes, or null"},
        {DONE "\"completed_at\":\"yesterday\"}",
                "completed_at",
                "must be an RFC 3339 time such as \"2026-04-28T11:58:13Z\", or null"},
        {DONE "\"engine\":7}", "engine", "must be a string of 1 to 256 bytes, or null"},
        {DONE "\"summary\":[]}", "summary", "must be a string, or null"},
        {DONE "\"error\":{}}", "error", "must be a string, or null"},
        {DONE "\"sentiment\":\"positive\"}", "sentiment", "must be an object, or null"},
        {DONE "\"sentiment\":{\"label\":\"good\"}}",
                "sentiment.label",
                "must be one of positive, neutral, negative, mixed, or null"},
        {DONE "\"sentiment\":{\"score\":1.01}}",
                "sentiment.score",
                "must be a number from -1 to 1"},
        {DONE "\"sentiment\":{\"caller\":-2}}",
                "sentiment.caller",
                "must be a number from -1 to 1"},
        {DONE "\"sentiment\":{\"staff\":\"0\"}}", "sentiment.staff", "must be a number, or null"},
        {DONE "\"sentiment\":{\"mood\":1}}", "sentiment.mood", "unknown member"},
        {DONE "\"topics\":{}}", "topics", "must be an array, or null"},
        {DONE "\"topics\":[\"a\",\"\"]}", "topics[1]", "must be a string of 1 to 256 bytes"},
        {DONE "\"topics\":[null]}", "topics[0]", "must be a string of 1 to 256 bytes"},
        {DONE "\"action_items\":[\"call back\"]}", "action_items[0]", "must be an object"},
        {DONE "\"action_items\":[{}]}", "action_items[0].text", "is required"},
        {DONE "\"action_items\":[{\"text\":\"t\",\"owner\":\"boss\"}]}",
                "action_items[0].owner",
                "must be one of staff, caller, or null"},
        {DONE "\"action_items\":[{\"text\":\"t\",\"done\":true}]}",
                "action_items[0].done",
                "unknown member"},
        {DONE "\"score\":{\"max\":10}}", "score.value", "is required"},
        {DONE "\"score\":{\"value\":1,\"max\":null}}", "score.max", "must be a number"},
        {DONE "\"score\":{\"value\":11,\"max\":10}}", "score.value", "must be at most max"},
        {DONE "\"score\":{\"value\":-1,\"max\":10}}",
                "score.value",
                "must be a number from 0 to 1000000"},
        {DONE "\"score\":{\"value\":1,\"max\":2,\"min\":0}}", "score.min", "unknown member"},
        {DONE "\"talk\":{\"staff_ratio\":1.1}}",
                "talk.staff_ratio",
                "must be a number from 0 to 1"},
        {DONE "\"talk\":{\"caller_seconds\":86400.5}}",
                "talk.caller_seconds",
                "must be a number from 0 to 86400"},
        {DONE "\"talk\":{\"words\":5}}", "talk.words", "unknown member"},
        {DONE "\"transcript\":\"hello\"}", "transcript", "must be an object, or null"},
        {DONE "\"transcript\":{\"text\":5}}", "transcript.text", "must be a string, or null"},
        {DONE "\"transcript\":{\"words\":[]}}", "transcript.words", "unknown member"},
        {DONE "\"transcript\":{\"segments\":[5]}}", "transcript.segments[0]", "must be an object"},
        {DONE "\"transcript\":{\"segments\":[{\"text\":\"a\"},{\"text\":\"b\",\"start\":-1}]}}",
                "transcript.segments[1].start",
                "must be a number from 0 to 86400"},
        {DONE "\"transcript\":{\"segments\":[{\"text\":\"a\",\"start\":2,\"end\":1}]}}",
                "transcript.segments[0].start",
                "must be at most end"},
        {DONE "\"transcript\":{\"segments\":[{\"text\":\"a\",\"speaker\":\"robot\"}]}}",
                "transcript.segments[0].speaker",
                "must be one of staff, caller, unknown, or null"},
        {DONE "\"transcript\":{\"segments\":[{}]}}", "transcript.segments[0].text", "is required"},
        {DONE "\"transcript\":{\"segments\":[{\"text\":\"a\",\"confidence\":1}]}}",
                "transcript.segments[0].confidence",
                "unknown member"},
};

static void each_mistake_is_named_with_its_path_and_rule(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(MISTAKES); i++) {
        CLEANUP(fixture_done) struct fixture f;

        fixture_init(&f, str_from(MISTAKES[i].json));
        if (f.faults.count != 1)
            fail_msg("%s: %zu faults", MISTAKES[i].json, f.faults.count);
        assert_str(f.faults.items[0].field, MISTAKES[i].field);
        assert_str(f.faults.items[0].message, MISTAKES[i].message);
        assert_null(f.analysis.result);
        assert_null(f.faults.prefix.ptr);
    }
}

static void a_due_moment_is_a_real_day_or_time(void **state)
{
    static const char *const bad[] = {"tomorrow",
            "",
            "2026-02-30",
            "2026-4-29",
            "29-04-2026",
            "2026-04-29 ",
            "2026-04-29T10:00",
            "20260429",
            "2026-13-01"};

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        CLEANUP(buf_done) struct buf text = {0};
        CLEANUP(fixture_done) struct fixture f;

        buf_addf(&text, DONE "\"action_items\":[{\"text\":\"t\",\"due\":\"%s\"}]}", bad[i]);
        fixture_init(&f, buf_str(&text));
        assert_int_equal(f.faults.count, 1);
        assert_str(f.faults.items[0].field, "action_items[0].due");
        assert_str(f.faults.items[0].message,
                "must be a date such as \"2026-04-29\", an RFC 3339 time, or null");
    }
}

static void all_faults_come_at_once_behind_the_outer_prefix(void **state)
{
    CLEANUP(fixture_done) struct fixture f;

    (void)state;
    fixture_init(&f, STR("{}"));
    json_free(f.json);
    f.json = NULL;
    faults_init(&f.faults, &f.arena);
    f.faults.prefix = STR("analyses[2].");
    assert_int_equal(
            json_parse(STR("{\"status\":\"x\",\"score\":{\"value\":2},\"zz\":1}"), &f.json, NULL),
            ERR_NONE);
    analysis_read(f.json, &f.faults, &f.analysis);
    assert_int_equal(f.faults.count, 3);
    assert_str(f.faults.items[0].field, "analyses[2].zz");
    assert_str(f.faults.items[1].field, "analyses[2].status");
    assert_str(f.faults.items[2].field, "analyses[2].score.max");
    assert_str(f.faults.prefix, "analyses[2].");
}

/* before, count times item with commas between, after. */
static void
add_many(struct buf *buf, const char *before, const char *item, int count, const char *after)
{
    buf_add_text(buf, before);
    for (int i = 0; i < count; i++) {
        buf_add_text(buf, i > 0 ? "," : "");
        buf_add_text(buf, item);
    }
    buf_add_text(buf, after);
}

static void lists_have_a_length(void **state)
{
    static const struct {
        const char *before;
        const char *item;
        const char *after;
        int max_count;
        const char *field;
        const char *message;
    } rows[] = {
            {DONE "\"topics\":[", "\"t\"", "]}", 64, "topics", "must have at most 64 items"},
            {DONE "\"action_items\":[",
                    "{\"text\":\"t\"}",
                    "]}",
                    64,
                    "action_items",
                    "must have at most 64 items"},
            {DONE "\"transcript\":{\"segments\":[",
                    "{\"text\":\"t\"}",
                    "]}}",
                    10000,
                    "transcript.segments",
                    "must have at most 10000 items"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (int extra = 0; extra <= 1; extra++) {
            CLEANUP(buf_done) struct buf text = {0};
            CLEANUP(fixture_done) struct fixture f;

            add_many(&text, rows[i].before, rows[i].item, rows[i].max_count + extra, rows[i].after);
            fixture_init(&f, buf_str(&text));
            assert_int_equal(f.faults.count, extra);
            if (extra == 1) {
                assert_str(f.faults.items[0].field, rows[i].field);
                assert_str(f.faults.items[0].message, rows[i].message);
            }
        }
    }
}

static void texts_have_a_length(void **state)
{
    static const struct {
        const char *before;
        const char *after;
        size_t max_bytes;
        const char *field;
    } rows[] = {
            {DONE "\"summary\":\"", "\"}", ANALYSIS_SUMMARY_MAX_BYTES, "summary"},
            {DONE "\"error\":\"", "\"}", ANALYSIS_ERROR_MAX_BYTES, "error"},
            {DONE "\"engine\":\"", "\"}", ANALYSIS_ENGINE_MAX_BYTES, "engine"},
            {DONE "\"topics\":[\"", "\"]}", ANALYSIS_TOPIC_MAX_BYTES, "topics[0]"},
            {DONE "\"action_items\":[{\"text\":\"",
                    "\"}]}",
                    ANALYSIS_ACTION_MAX_BYTES,
                    "action_items[0].text"},
            {DONE "\"transcript\":{\"text\":\"",
                    "\"}}",
                    ANALYSIS_TRANSCRIPT_MAX_BYTES,
                    "transcript.text"},
            {DONE "\"transcript\":{\"segments\":[{\"text\":\"a\"},{\"text\":\"",
                    "\"}]}}",
                    ANALYSIS_TRANSCRIPT_MAX_BYTES - 1,
                    "transcript.segments"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t extra = 0; extra <= 1; extra++) {
            size_t len = rows[i].max_bytes + extra;
            CLEANUP(buf_done) struct buf text = {0};
            CLEANUP(fixture_done) struct fixture f;

            buf_add_text(&text, rows[i].before);
            memset(buf_reserve(&text, len), 'x', len);
            text.len += len;
            buf_add_text(&text, rows[i].after);
            fixture_init(&f, buf_str(&text));
            assert_int_equal(f.faults.count, extra);
            if (extra == 1)
                assert_str(f.faults.items[0].field, rows[i].field);
        }
    }
}

static void assert_written(const char *json, const char *wanted)
{
    CLEANUP(fixture_done) struct fixture f;
    CLEANUP(buf_done) struct buf written = {0};

    fixture_init(&f, str_from(json));
    assert_int_equal(f.faults.count, 0);
    analysis_write(&written, &f.analysis, 2, 1999);
    assert_buf(written, wanted);
}

#define NOTHING                                                                                    \
    "\"engine\":null,\"summary\":null,\"sentiment\":null,\"topics\":[],\"action_items\":[],"       \
    "\"score\":null,\"talk\":null,\"transcript\":null,"

static void what_was_not_given_is_null_or_an_empty_list(void **state)
{
    (void)state;
    assert_written("{\"status\":\"completed\"}",
            "{\"status\":\"completed\",\"version\":2,\"language\":null,"
            "\"completed_at\":\"1970-01-01T00:00:01Z\"," NOTHING "\"error\":null}");
    assert_written("{\"status\":\"completed\",\"topics\":null,\"action_items\":null}",
            "{\"status\":\"completed\",\"version\":2,\"language\":null,"
            "\"completed_at\":\"1970-01-01T00:00:01Z\"," NOTHING "\"error\":null}");
    assert_written("{\"status\":\"completed\",\"sentiment\":{},\"talk\":{},\"transcript\":{}}",
            "{\"status\":\"completed\",\"version\":2,\"language\":null,"
            "\"completed_at\":\"1970-01-01T00:00:01Z\",\"engine\":null,\"summary\":null,"
            "\"sentiment\":{\"label\":null,\"score\":null,\"caller\":null,\"staff\":null},"
            "\"topics\":[],\"action_items\":[],\"score\":null,"
            "\"talk\":{\"staff_seconds\":null,\"caller_seconds\":null,\"silence_seconds\":null,"
            "\"staff_ratio\":null},\"transcript\":{\"text\":null,\"segments\":[]},"
            "\"error\":null}");
}

static void failed_and_skipped_results_are_whole_with_their_reason(void **state)
{
    (void)state;
    assert_written("{\"error\":\"too loud\",\"reason\":\"noise\",\"status\":\"failed\"}",
            "{\"status\":\"failed\",\"reason\":\"noise\",\"version\":2,\"language\":null,"
            "\"completed_at\":\"1970-01-01T00:00:01Z\"," NOTHING "\"error\":\"too loud\"}");
    assert_written("{\"status\":\"skipped\"}",
            "{\"status\":\"skipped\",\"reason\":null,\"version\":2,\"language\":null,"
            "\"completed_at\":\"1970-01-01T00:00:01Z\"," NOTHING "\"error\":null}");
}

static void a_result_in_the_making_is_not_completed_yet(void **state)
{
    (void)state;
    assert_written("{\"status\":\"processing\",\"language\":\"en\"}",
            "{\"status\":\"processing\",\"version\":2,\"language\":\"en\","
            "\"completed_at\":null," NOTHING "\"error\":null}");
}

static void the_version_is_ours_and_the_given_moment_is_utc(void **state)
{
    (void)state;
    assert_written("{\"status\":\"completed\",\"version\":9,"
                   "\"completed_at\":\"2026-04-28T14:01:02.345+02:00\"}",
            "{\"status\":\"completed\",\"version\":2,\"language\":null,"
            "\"completed_at\":\"2026-04-28T12:01:02Z\"," NOTHING "\"error\":null}");
}

static void members_are_written_in_the_contracts_order(void **state)
{
    (void)state;
    assert_written("{\"transcript\":{\"segments\":[{\"text\":\"b\",\"end\":2.50,\"start\":1.0,"
                   "\"speaker\":\"caller\"},{\"text\":\"c\"}],\"text\":\"a/\\u20ac\"},"
                   "\"score\":{\"max\":1e2,\"value\":86},"
                   "\"action_items\":[{\"due\":\"2026-04-29\",\"text\":\"t\"}],"
                   "\"topics\":[\"x\",\"y\"],\"sentiment\":{\"staff\":0.1,\"label\":\"mixed\"},"
                   "\"summary\":\"s\",\"engine\":\"e\",\"status\":\"completed\"}",
            "{\"status\":\"completed\",\"version\":2,\"language\":null,"
            "\"completed_at\":\"1970-01-01T00:00:01Z\",\"engine\":\"e\",\"summary\":\"s\","
            "\"sentiment\":{\"label\":\"mixed\",\"score\":null,\"caller\":null,\"staff\":0.1},"
            "\"topics\":[\"x\",\"y\"],"
            "\"action_items\":[{\"owner\":null,\"text\":\"t\",\"due\":\"2026-04-29\"}],"
            "\"score\":{\"value\":86,\"max\":100},\"talk\":null,"
            "\"transcript\":{\"text\":\"a/\xE2\x82\xAC\",\"segments\":["
            "{\"speaker\":\"caller\",\"start\":1,\"end\":2.5,\"text\":\"b\"},"
            "{\"speaker\":null,\"start\":null,\"end\":null,\"text\":\"c\"}]},\"error\":null}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(each_member_may_have_any_value_in_its_range),
            cmocka_unit_test(each_mistake_is_named_with_its_path_and_rule),
            cmocka_unit_test(a_due_moment_is_a_real_day_or_time),
            cmocka_unit_test(all_faults_come_at_once_behind_the_outer_prefix),
            cmocka_unit_test(lists_have_a_length),
            cmocka_unit_test(texts_have_a_length),
            cmocka_unit_test(what_was_not_given_is_null_or_an_empty_list),
            cmocka_unit_test(failed_and_skipped_results_are_whole_with_their_reason),
            cmocka_unit_test(a_result_in_the_making_is_not_completed_yet),
            cmocka_unit_test(the_version_is_ours_and_the_given_moment_is_utc),
            cmocka_unit_test(members_are_written_in_the_contracts_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
