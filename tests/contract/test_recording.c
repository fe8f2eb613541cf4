/* SPDX-License-Identifier: Apache-2.0 */
/* Contract tests of a call's recording: its changes, and the events that they make. */
#include "contract.h"

static struct recording_set change(int64_t call_id, enum recording_change change)
{
    return (struct recording_set){
            .org_id = STR("org_a"),
            .call_id = call_id,
            .change = change,
            .recording = {.file = STR("1-a.mp3"),
                    .url = STR("https://example.com/a.mp3"),
                    .content_type = STR("audio/mpeg"),
                    .size_bytes = 10,
                    .sha256 = STR("aa")},
    };
}

static size_t updates(struct contract *c)
{
    return contract_count_events(c, "org_a", EVENT_RECORDING_UPDATED);
}

static void each_change_makes_one_event_and_the_same_again_none(void **state)
{
    static const struct {
        enum recording_change change;
        enum file_status status;
        enum file_status becomes;
        const char *file, *url, *fetch_url;
        int64_t generation;
    } cases[] = {
            {RECORDING_STATUS, FILE_UPLOADING, FILE_UPLOADING, NULL, NULL, NULL, 0},
            {RECORDING_FETCH, 0, FILE_UPLOADING, NULL, NULL, "https://example.com/a.mp3", 0},
            {RECORDING_FILE, 0, FILE_COMPLETED, "1-a.mp3", NULL, NULL, 0},
            {RECORDING_URL, 0, FILE_COMPLETED, NULL, "https://example.com/a.mp3", NULL, 1},
            {RECORDING_FILE, 0, FILE_COMPLETED, "1-a.mp3", NULL, NULL, 1},
            {RECORDING_DELETE, 0, FILE_DELETED, NULL, NULL, NULL, 2},
            {RECORDING_STATUS, FILE_PENDING, FILE_PENDING, NULL, NULL, NULL, 2},
            {RECORDING_STATUS, FILE_ABSENT, FILE_ABSENT, NULL, NULL, NULL, 2},
            {RECORDING_STATUS, FILE_FAILED, FILE_FAILED, NULL, NULL, NULL, 2},
    };
    struct contract *c = *state;

    contract_make_org(c, "org_a");
    (void)contract_make_endpoint(c, "org_a");
    int64_t id = contract_make_call(c, "org_a", "+919876543210");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct recording_set set = change(id, cases[i].change);
        struct recording_set again = set;
        struct recording_get get = {.org_id = STR("org_a"), .call_id = id};

        set.status = again.status = cases[i].status;
        assert_int_equal(RUN(c, store_recording_set, &set), ERR_NONE);
        assert_true(set.event_id > 0);
        assert_int_equal(set.delivery_count, 1);
        assert_int_equal(updates(c), i + 1);
        assert_int_equal(RUN(c, store_recording_get, &get), ERR_NONE);
        assert_int_equal(get.file_status, cases[i].becomes);
        assert_true(str_equal(get.recording.file, str_from(cases[i].file)));
        assert_true(str_equal(get.recording.url, str_from(cases[i].url)));
        assert_true(str_equal(get.recording.fetch_url, str_from(cases[i].fetch_url)));
        assert_int_equal(get.recording.generation, cases[i].generation);
        assert_int_equal(get.recording.size_bytes, cases[i].file != NULL ? 10 : 0);
        assert_int_equal(RUN(c, store_recording_set, &again), ERR_NONE);
        assert_int_equal(again.event_id, 0);
        assert_null(again.old_file.ptr);
        assert_int_equal(updates(c), i + 1);
    }
}

static void a_file_that_is_replaced_or_deleted_is_told(void **state)
{
    struct contract *c = *state;

    contract_make_org(c, "org_a");
    int64_t id = contract_make_call(c, "org_a", "+919876543210");
    struct recording_set set = change(id, RECORDING_FILE);
    assert_int_equal(RUN(c, store_recording_set, &set), ERR_NONE);
    assert_null(set.old_file.ptr);
    struct str link = set.view.recording_url;
    assert_true(str_starts(link, STR("http://127.0.0.1:8080/recordings/")));
    struct recording_set newer = change(id, RECORDING_FILE);
    newer.recording.file = STR("1-b.mp3");
    newer.recording.sha256 = STR("bb");
    assert_int_equal(RUN(c, store_recording_set, &newer), ERR_NONE);
    assert_true(str_is(newer.old_file, "1-a.mp3"));
    assert_true(str_equal(newer.view.recording_url, link)); /* whoever has it hears the newer one */
    struct recording_set delete = change(id, RECORDING_DELETE);
    assert_int_equal(RUN(c, store_recording_set, &delete), ERR_NONE);
    assert_true(str_is(delete.old_file, "1-b.mp3"));
    assert_null(delete.view.recording_url.ptr);
    assert_int_equal(RUN(c, store_recording_set, &set), ERR_NONE);
    assert_false(str_equal(set.view.recording_url, link)); /* a dead link stays dead */
}

static void a_recording_that_ends_without_audio_skips_the_analysis_with_its_event(void **state)
{
    static const enum file_status ends[] = {FILE_NONE, FILE_FAILED, FILE_ABSENT};
    struct contract *c = *state;

    contract_make_org(c, "org_a");
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        int64_t id = contract_make_call(c, "org_a", "+919876543210");
        struct call_get get = {.org_id = STR("org_a"), .id = id};

        (void)contract_set_file_status(c, id, ends[i]);
        assert_int_equal(RUN(c, store_call_get, &get), ERR_NONE);
        assert_int_equal(get.view.call.analysis_status, ANALYSIS_SKIPPED);
        assert_true(str_is(get.view.call.analysis_reason, "no_recording"));
        assert_int_equal(get.event_count, 3);
        assert_int_equal(get.events[1].kind, EVENT_RECORDING_UPDATED);
        assert_int_equal(get.events[2].kind, EVENT_AI_ANALYSIS);
        (void)contract_set_file_status(c, id, FILE_DELETED); /* nothing more to skip */
        assert_int_equal(contract_count_events(c, "org_a", EVENT_AI_ANALYSIS), i + 1);
    }
}

static void audio_that_comes_after_all_makes_the_analysis_pending_again(void **state)
{
    struct contract *c = *state;

    contract_make_org(c, "org_a");
    int64_t id = contract_make_call(c, "org_a", "+919876543210");
    (void)contract_set_file_status(c, id, FILE_FAILED);
    struct recording_set set = change(id, RECORDING_FILE);
    assert_int_equal(RUN(c, store_recording_set, &set), ERR_NONE);
    assert_int_equal(set.view.call.analysis_status, ANALYSIS_PENDING);
    assert_null(set.view.call.analysis_reason.ptr);
    assert_int_equal(set.view.call.analysis_due_at_ms, CONTRACT_START_MS + CALL_WATCHDOG_MS);
}

static void a_download_that_was_overtaken_is_refused(void **state)
{
    struct contract *c = *state;

    contract_make_org(c, "org_a");
    int64_t id = contract_make_call(c, "org_a", "+919876543210");
    struct recording_set fetch = change(id, RECORDING_FETCH);
    assert_int_equal(RUN(c, store_recording_set, &fetch), ERR_NONE);
    struct recording_set fetched = change(id, RECORDING_FILE);
    fetched.org_id = STR_NONE; /* the store's own job */
    fetched.only_fetch_url = STR("https://example.com/other.mp3");
    assert_int_equal(RUN(c, store_recording_set, &fetched), ERR_CONFLICT);
    fetched.only_fetch_url = STR("https://example.com/a.mp3");
    assert_int_equal(RUN(c, store_recording_set, &fetched), ERR_NONE);
    assert_int_equal(fetched.view.call.file_status, FILE_COMPLETED);
    assert_int_equal(RUN(c, store_recording_set, &fetched), ERR_CONFLICT);
    assert_int_equal(updates(c), 2);
}

static void downloads_are_listed_in_pieces_until_they_end(void **state)
{
    struct contract *c = *state;
    struct fetch_list list = {.limit = 2};

    contract_make_org(c, "org_a");
    for (int i = 0; i < 3; i++) {
        int64_t id = contract_make_call(c, "org_a", "+919876543210");
        struct recording_set fetch = change(id, RECORDING_FETCH);

        assert_int_equal(RUN(c, store_recording_set, &fetch), ERR_NONE);
    }
    contract_reopen(c);
    assert_int_equal(RUN(c, store_fetch_list, &list), ERR_NONE);
    assert_int_equal(list.count, 2);
    assert_true(str_is(list.jobs[0].url, "https://example.com/a.mp3"));
    assert_true(str_is(list.jobs[0].org_id, "org_a"));
    list.after_call_id = list.jobs[1].call_id;
    assert_int_equal(RUN(c, store_fetch_list, &list), ERR_NONE);
    assert_int_equal(list.count, 1);
    (void)contract_set_file_status(c, list.jobs[0].call_id, FILE_FAILED);
    assert_int_equal(RUN(c, store_fetch_list, &list), ERR_NONE);
    assert_int_equal(list.count, 0);
}

static void a_file_is_used_while_its_call_has_it(void **state)
{
    struct contract *c = *state;

    contract_make_org(c, "org_a");
    int64_t id = contract_make_call(c, "org_a", "+919876543210");
    struct recording_set set = change(id, RECORDING_FILE);
    assert_int_equal(RUN(c, store_recording_set, &set), ERR_NONE);
    struct recording_file_used used = {.call_id = id, .file = STR("1-a.mp3")};
    assert_int_equal(RUN(c, store_recording_file_used, &used), ERR_NONE);
    assert_true(used.used);
    used.file = STR("1-b.mp3");
    assert_int_equal(RUN(c, store_recording_file_used, &used), ERR_NONE);
    assert_false(used.used);
    used.call_id = 99;
    assert_int_equal(RUN(c, store_recording_file_used, &used), ERR_NONE);
    assert_false(used.used);
}

static void another_orgs_recording_is_not_there(void **state)
{
    struct contract *c = *state;

    contract_make_org(c, "org_a");
    int64_t id = contract_make_call(c, "org_a", "+919876543210");
    struct recording_set set = change(id, RECORDING_FILE);
    struct recording_get get = {.org_id = STR("org_b"), .call_id = id};
    set.org_id = STR("org_b");
    assert_int_equal(RUN(c, store_recording_set, &set), ERR_NOT_FOUND);
    assert_int_equal(RUN(c, store_recording_get, &get), ERR_NOT_FOUND);
    get.org_id = STR_NONE; /* a signed link stands in */
    assert_int_equal(RUN(c, store_recording_get, &get), ERR_NONE);
    assert_int_equal(updates(c), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
            CONTRACT_TEST(each_change_makes_one_event_and_the_same_again_none),
            CONTRACT_TEST(a_file_that_is_replaced_or_deleted_is_told),
            CONTRACT_TEST(a_recording_that_ends_without_audio_skips_the_analysis_with_its_event),
            CONTRACT_TEST(audio_that_comes_after_all_makes_the_analysis_pending_again),
            CONTRACT_TEST(a_download_that_was_overtaken_is_refused),
            CONTRACT_TEST(downloads_are_listed_in_pieces_until_they_end),
            CONTRACT_TEST(a_file_is_used_while_its_call_has_it),
            CONTRACT_TEST(another_orgs_recording_is_not_there),
    };

    return CONTRACT_MAIN(argc, argv, tests);
}
