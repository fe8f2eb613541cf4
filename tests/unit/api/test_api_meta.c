/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of api_meta and api_analysis. */
#include "rig.h"

static void what_the_server_says_of_itself_needs_no_token(void **state)
{
    static const struct {
        const char *target;
        const char *type;
    } cases[] = {
            {"/", "text/plain; charset=utf-8"},
            {"/healthz", "application/json"},
            {"/readyz", "application/json"},
            {"/metrics", "text/plain; version=0.0.4; charset=utf-8"},
            {"/openapi.json", "application/json"},
            {"/docs", "text/html; charset=utf-8"},
    };
    struct rig *rig = *state;

    rig->token = NULL;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(rig_ask(rig, "GET", cases[i].target, NULL), 200);
        assert_true(str_is(rig_reply_header(rig, "Content-Type"), cases[i].type));
        assert_true(rig_body(rig).len > 0);
    }
}

static void the_page_of_the_description_allows_nothing_from_elsewhere(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_ask(rig, "GET", "/docs", NULL), 200);

    struct str policy = rig_reply_header(rig, "Content-Security-Policy");
    struct str page = rig_body(rig);

    assert_true(str_starts(policy, STR("default-src 'none'")));
    assert_null(memmem(page.ptr, page.len, "<script", 7));
}

static void the_counters_are_shown_for_prometheus(void **state)
{
    struct rig *rig = *state;

    (void)rig_make_call(rig);
    assert_int_equal(rig_ask(rig, "GET", "/metrics", NULL), 200);
    assert_non_null(
            memmem(rig_body(rig).ptr, rig_body(rig).len, "\ncallsync_calls_logged_total 1\n", 31));
}

static void a_put_analysis_is_shown_whole_with_its_version(void **state)
{
    struct rig *rig = *state;
    const char *target = rig_textf(rig, "/v1/calls/%d/analysis", (int)rig_make_call(rig));
    const char *body = "{\"status\":\"completed\",\"summary\":\"Fine\",\"topics\":[\"price\"]}";

    assert_int_equal(rig_ask(rig, "PUT", target, body), 200);
    assert_true(str_starts(rig_str(rig, "payload_id"), STR("wh_")));
    rig_assert_str(rig, "analysis.summary", "Fine");
    assert_int_equal(rig_i64(rig, "analysis.version"), 1);
    assert_int_equal(rig_ask(rig, "PUT", target, body), 200);
    assert_int_equal(rig_i64(rig, "analysis.version"), 2);
    assert_int_equal(rig_ask(rig, "PUT", target, "{\"status\":\"processing\"}"), 200);
    assert_int_equal(json_type(rig_value(rig, "payload_id")), JSON_NULL_TYPE);
}

static void a_wrong_analysis_is_422_with_all_faults(void **state)
{
    struct rig *rig = *state;
    const char *target = rig_textf(rig, "/v1/calls/%d/analysis", (int)rig_make_call(rig));

    assert_int_equal(rig_ask(rig,
                             "PUT",
                             target,
                             "{\"status\":\"x\",\"sentiment\":{\"score\":2},\"colour\":1}"),
            422);
    assert_int_equal(json_count(rig_value(rig, "errors")), 3);
    assert_int_equal(
            rig_ask(rig, "PUT", "/v1/calls/999999/analysis", "{\"status\":\"completed\"}"), 404);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            RIG_TEST(what_the_server_says_of_itself_needs_no_token),
            RIG_TEST(the_page_of_the_description_allows_nothing_from_elsewhere),
            RIG_TEST(the_counters_are_shown_for_prometheus),
            RIG_TEST(a_put_analysis_is_shown_whole_with_its_version),
            RIG_TEST(a_wrong_analysis_is_422_with_all_faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
