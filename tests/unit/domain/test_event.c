/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of domain/event. */
#include "assert_str.h"
#include "domain/event.h"

static const char *const KINDS[] = {"call_logged",
        "recording_updated",
        "ai_analysis",
        "caller_updated"};

static void kinds_are_written_and_read_as_words(void **state)
{
    (void)state;
    for (int i = 0; i < EVENT_KIND_COUNT; i++) {
        enum event_kind kind = EVENT_CALL_LOGGED;

        assert_str(event_kind_name((enum event_kind)i), KINDS[i]);
        assert_true(event_kind_parse(str_from(KINDS[i]), &kind));
        assert_int_equal(kind, i);
    }
}

static void other_words_are_refused_and_change_nothing(void **state)
{
    static const char *const bad[] = {NULL, "", "call", "CALL_LOGGED", "call_logged "};

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        enum event_kind kind = EVENT_CALLER_UPDATED;

        assert_false(event_kind_parse(str_from(bad[i]), &kind));
        assert_int_equal(kind, EVENT_CALLER_UPDATED);
    }
}

static void an_empty_filter_wants_everything(void **state)
{
    (void)state;
    for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
        for (int type = 0; type < CALL_TYPE_COUNT; type++)
            assert_true(event_filter_wants(0, 0, (enum event_kind)kind, (enum call_type)type));
}

static void a_filter_wants_an_event_that_both_masks_have(void **state)
{
    const unsigned events = 1U << EVENT_AI_ANALYSIS;
    const unsigned types = 1U << CALL_MISSED;

    (void)state;
    assert_true(event_filter_wants(events, types, EVENT_AI_ANALYSIS, CALL_MISSED));
    assert_false(event_filter_wants(events, types, EVENT_AI_ANALYSIS, CALL_INCOMING));
    assert_false(event_filter_wants(events, types, EVENT_CALL_LOGGED, CALL_MISSED));
    assert_true(event_filter_wants(events, 0, EVENT_AI_ANALYSIS, CALL_INCOMING));
    assert_true(event_filter_wants(0, types, EVENT_CALL_LOGGED, CALL_MISSED));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(kinds_are_written_and_read_as_words),
            cmocka_unit_test(other_words_are_refused_and_change_nothing),
            cmocka_unit_test(an_empty_filter_wants_everything),
            cmocka_unit_test(a_filter_wants_an_event_that_both_masks_have),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
