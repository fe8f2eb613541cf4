/* SPDX-License-Identifier: Apache-2.0 */
/* Contract tests of analyses: each result raises the version and makes an event. */
#include "base/json.h"
#include "contract.h"
#include "domain/faults.h"

/* Puts what the text says. */
static struct analysis_put put(struct contract *c, int64_t call_id, const char *text)
{
    struct faults faults;
    struct analysis analysis;
    struct json *json = NULL;

    faults_init(&faults, &c->arena);
    assert_int_equal(json_parse(str_from(text), &json, NULL), ERR_NONE);
    analysis_read(json, &faults, &analysis);
    assert_int_equal(faults.count, 0);
    struct analysis_put op = {.org_id = STR("org_a"), .call_id = call_id, .analysis = &analysis};
    assert_int_equal(RUN(c, store_analysis_put, &op), ERR_NONE);
    json_free(json);
    op.analysis = NULL;
    return op;
}

static struct call_view view_of(struct contract *c, int64_t call_id)
{
    struct call_get get = {.org_id = STR("org_a"), .id = call_id};

    assert_int_equal(RUN(c, store_call_get, &get), ERR_NONE);
    return get.view;
}

static size_t results(struct contract *c)
{
    return contract_count_events(c, "org_a", EVENT_AI_ANALYSIS);
}

static bool has(struct str text, const char *part)
{
    return memmem(text.ptr, text.len, part, strlen(part)) != NULL;
}

static void each_result_raises_the_version_and_makes_an_event(void **state)
{
    static const struct {
        const char *text, *part;
        enum analysis_status status;
    } cases[] = {
            {"{\"status\":\"completed\",\"summary\":\"Hello\"}",
                    "{\"status\":\"completed\",\"version\":1,",
                    ANALYSIS_COMPLETED},
            {"{\"status\":\"failed\",\"reason\":\"noise\"}",
                    "\"reason\":\"noise\",\"version\":2,",
                    ANALYSIS_FAILED},
            {"{\"status\":\"skipped\",\"reason\":\"too_short\"}",
                    "\"reason\":\"too_short\",\"version\":3,",
                    ANALYSIS_SKIPPED},
            {"{\"status\":\"completed\"}", "\"version\":4,", ANALYSIS_COMPLETED},
    };
    struct contract *c = *state;

    contract_make_org(c, "org_a");
    (void)contract_make_endpoint(c, "org_a");
    int64_t id = contract_make_call(c, "org_a", "+919876543210");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct analysis_put op = put(c, id, cases[i].text);
        struct event_get event = {.org_id = STR("org_a"), .id = op.event_id};

        assert_int_equal(op.delivery_count, 1);
        assert_int_equal(results(c), i + 1);
        contract_reopen(c);
        struct call_view view = view_of(c, id);
        assert_int_equal(view.call.analysis_status, cases[i].status);
        assert_int_equal(view.call.analysis_version, i + 1);
        assert_int_equal(view.call.analysis_due_at_ms, 0);
        assert_true(has(view.analysis_result, cases[i].part));
        assert_int_equal(RUN(c, store_event_get, &event), ERR_NONE);
        assert_true(has(event.event.body, cases[i].part));
    }
}

static void processing_makes_no_event_and_keeps_the_last_result(void **state)
{
    struct contract *c = *state;

    contract_make_org(c, "org_a");
    int64_t id = contract_make_call(c, "org_a", "+919876543210");
    struct analysis_put op = put(c, id, "{\"status\":\"processing\"}");
    assert_int_equal(op.event_id, 0);
    assert_int_equal(op.view.call.analysis_status, ANALYSIS_PROCESSING);
    assert_int_equal(op.view.call.analysis_version, 0);
    assert_int_equal(op.view.call.analysis_due_at_ms, CONTRACT_START_MS + CALL_WATCHDOG_MS);
    (void)put(c, id, "{\"status\":\"completed\",\"summary\":\"Hello\"}");
    op = put(c, id, "{\"status\":\"processing\"}");
    assert_int_equal(op.view.call.analysis_version, 1);
    assert_true(has(view_of(c, id).analysis_result, "\"Hello\""));
    assert_int_equal(results(c), 1);
}

static void other_events_show_the_status_alone(void **state)
{
    struct contract *c = *state;

    contract_make_org(c, "org_a");
    int64_t id = contract_make_call(c, "org_a", "+919876543210");
    (void)put(c, id, "{\"status\":\"completed\",\"summary\":\"Hello\"}");
    struct event_get event = {
            .org_id = STR("org_a"), .id = contract_set_file_status(c, id, FILE_UPLOADING)};
    assert_int_equal(RUN(c, store_event_get, &event), ERR_NONE);
    assert_true(has(event.event.body, "\"ai_analysis\":{\"status\":\"completed\"},"));
}

static void an_unknown_call_has_no_analysis(void **state)
{
    struct contract *c = *state;
    const struct analysis analysis = {.status = ANALYSIS_SKIPPED};

    contract_make_org(c, "org_a");
    struct analysis_put op = {
            .org_id = STR("org_b"),
            .call_id = contract_make_call(c, "org_a", "+919876543210"),
            .analysis = &analysis,
    };
    assert_int_equal(RUN(c, store_analysis_put, &op), ERR_NOT_FOUND);
    op.org_id = STR("org_a");
    op.call_id = 99;
    assert_int_equal(RUN(c, store_analysis_put, &op), ERR_NOT_FOUND);
    assert_int_equal(results(c), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
            CONTRACT_TEST(each_result_raises_the_version_and_makes_an_event),
            CONTRACT_TEST(processing_makes_no_event_and_keeps_the_last_result),
            CONTRACT_TEST(other_events_show_the_status_alone),
            CONTRACT_TEST(an_unknown_call_has_no_analysis),
    };

    return CONTRACT_MAIN(argc, argv, tests);
}
