/* SPDX-License-Identifier: Apache-2.0 */
/* Contract tests of the watchdog: no recording and no analysis is awaited for ever. */
#include "contract.h"

static struct call_view view_of(struct contract *c, int64_t call_id)
{
    struct call_get get = {.org_id = STR("org_a"), .id = call_id};

    assert_int_equal(RUN(c, store_call_get, &get), ERR_NONE);
    return get.view;
}

static void bring_recording(struct contract *c, int64_t call_id)
{
    struct recording_set set = {
            .org_id = STR("org_a"),
            .call_id = call_id,
            .change = RECORDING_FILE,
            .recording = {.file = STR("1-0.mp3"),
                    .content_type = STR("audio/mpeg"),
                    .size_bytes = 10,
                    .sha256 = STR("00")},
    };

    assert_int_equal(RUN(c, store_recording_set, &set), ERR_NONE);
}

static void a_recording_that_does_not_come_has_failed_after_a_day(void **state)
{
    struct contract *c = *state;

    contract_make_org(c, "org_a");
    int64_t call_id = contract_make_call(c, "org_a", "+919876543210");
    contract_advance(c, CALL_WATCHDOG_MS - 1);
    assert_int_equal(view_of(c, call_id).call.file_status, FILE_PENDING);
    assert_int_equal(contract_count_events(c, "org_a", -1), 1);
    contract_advance(c, HOUR_MS);
    struct call call = view_of(c, call_id).call;
    assert_int_equal(call.file_status, FILE_FAILED);
    assert_int_equal(call.recording.due_at_ms, 0);
    assert_int_equal(call.analysis_status, ANALYSIS_SKIPPED);
    assert_true(str_is(call.analysis_reason, "no_recording"));
    assert_int_equal(contract_count_events(c, "org_a", EVENT_RECORDING_UPDATED), 1);
    assert_int_equal(contract_count_events(c, "org_a", EVENT_AI_ANALYSIS), 1);
    contract_advance(c, 10 * DAY_MS);
    assert_int_equal(contract_count_events(c, "org_a", -1), 3);
}

static void a_download_that_never_ends_has_failed_after_a_day(void **state)
{
    struct contract *c = *state;
    struct fetch_list fetches = {.limit = 10};

    contract_make_org(c, "org_a");
    int64_t call_id = contract_make_call(c, "org_a", "+919876543210");
    struct recording_set set = {
            .org_id = STR("org_a"),
            .call_id = call_id,
            .change = RECORDING_FETCH,
            .recording = {.url = STR("https://example.com/a.mp3"),
                    .fetch_url = STR("https://example.com/a.mp3")},
    };
    assert_int_equal(RUN(c, store_recording_set, &set), ERR_NONE);
    assert_int_equal(RUN(c, store_fetch_list, &fetches), ERR_NONE);
    assert_int_equal(fetches.count, 1);
    contract_advance(c, CALL_WATCHDOG_MS + HOUR_MS);
    assert_int_equal(view_of(c, call_id).call.file_status, FILE_FAILED);
    assert_int_equal(RUN(c, store_fetch_list, &fetches), ERR_NONE);
    assert_int_equal(fetches.count, 0);
}

static void an_analysis_without_a_result_has_failed_a_day_after_the_audio(void **state)
{
    struct contract *c = *state;

    contract_make_org(c, "org_a");
    int64_t call_id = contract_make_call(c, "org_a", "+919876543210");
    contract_advance(c, CALL_WATCHDOG_MS - HOUR_MS);
    bring_recording(c, call_id);
    contract_advance(c, CALL_WATCHDOG_MS - 1);
    assert_int_equal(view_of(c, call_id).call.analysis_status, ANALYSIS_PENDING);
    contract_advance(c, HOUR_MS);
    struct call call = view_of(c, call_id).call;
    assert_int_equal(call.file_status, FILE_COMPLETED);
    assert_int_equal(call.analysis_status, ANALYSIS_FAILED);
    assert_true(str_is(call.analysis_reason, "timeout"));
    assert_int_equal(call.analysis_due_at_ms, 0);
    assert_int_equal(contract_count_events(c, "org_a", EVENT_RECORDING_UPDATED), 1);
    assert_int_equal(contract_count_events(c, "org_a", EVENT_AI_ANALYSIS), 1);
    contract_advance(c, 10 * DAY_MS);
    assert_int_equal(contract_count_events(c, "org_a", -1), 3);
}

static void many_waits_that_end_together_all_end(void **state)
{
    enum { CALLS = 250 };
    struct contract *c = *state;

    contract_make_org(c, "org_a");
    for (int i = 0; i < CALLS; i++)
        (void)contract_make_call(c, "org_a", "+919876543210");
    contract_advance(c, CALL_WATCHDOG_MS + HOUR_MS);
    assert_int_equal(contract_number(c, "SELECT count(*) FROM call WHERE file_status = 4"), CALLS);
    assert_int_equal(contract_number(c, "SELECT count(*) FROM event WHERE kind = 1"), CALLS);
    assert_int_equal(contract_number(c, "SELECT count(*) FROM event WHERE kind = 2"), CALLS);
}

static void a_call_without_a_recording_is_not_waited_for(void **state)
{
    struct contract *c = *state;
    struct call_draft draft = {.type = CALL_MISSED, .phone = STR("+919876543210")};
    struct call_create create = {.org_id = STR("org_a"), .drafts = &draft, .draft_count = 1};

    contract_make_org(c, "org_a");
    assert_int_equal(RUN(c, store_call_create, &create), ERR_NONE);
    contract_advance(c, 3 * CALL_WATCHDOG_MS);
    assert_int_equal(contract_count_events(c, "org_a", -1), 1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
            CONTRACT_TEST(a_recording_that_does_not_come_has_failed_after_a_day),
            CONTRACT_TEST(a_download_that_never_ends_has_failed_after_a_day),
            CONTRACT_TEST(an_analysis_without_a_result_has_failed_a_day_after_the_audio),
            CONTRACT_TEST(many_waits_that_end_together_all_end),
            CONTRACT_TEST(a_call_without_a_recording_is_not_waited_for),
    };

    return CONTRACT_MAIN(argc, argv, tests);
}
