/* SPDX-License-Identifier: Apache-2.0 */
/* Contract tests of endpoints: settings, secrets, deletion, recovery and counts. */
#include "contract.h"

static struct endpoint *full_endpoint(void)
{
    struct endpoint *endpoint = endpoint_new();

    endpoint->url = STR("https://example.com/hook?a=1");
    endpoint->description = STR("the CRM");
    endpoint->event_mask = 1U << EVENT_CALL_LOGGED | 1U << EVENT_AI_ANALYSIS;
    endpoint->type_mask = 1U << CALL_MISSED;
    endpoint->headers[0] = (struct header){STR("X-Key"), STR("a: b")};
    endpoint->headers[1] = (struct header){STR("X-Other"), STR("c")};
    endpoint->header_count = 2;
    endpoint->timeout_ms = 3000;
    endpoint->retry_schedule = (struct retry_schedule){2, {1000, 60000}};
    endpoint->max_in_flight = 3;
    endpoint->rate_limit = 7;
    endpoint->ordering = ORDERING_NONE;
    endpoint->secret = STR("a secret of 25 characters");
    return endpoint;
}

static void assert_same_settings(const struct endpoint *a, const struct endpoint *b)
{
    assert_true(str_equal(a->url, b->url));
    assert_true(str_equal(a->description, b->description));
    assert_int_equal(a->event_mask, b->event_mask);
    assert_int_equal(a->type_mask, b->type_mask);
    assert_int_equal(a->enabled, b->enabled);
    assert_int_equal(a->header_count, b->header_count);
    for (size_t i = 0; i < a->header_count; i++) {
        assert_true(str_equal(a->headers[i].name, b->headers[i].name));
        assert_true(str_equal(a->headers[i].value, b->headers[i].value));
    }
    assert_int_equal(a->timeout_ms, b->timeout_ms);
    assert_int_equal(a->retry_schedule.wait_count, b->retry_schedule.wait_count);
    assert_memory_equal(a->retry_schedule.wait_ms,
            b->retry_schedule.wait_ms,
            sizeof(a->retry_schedule.wait_ms));
    assert_int_equal(a->max_in_flight, b->max_in_flight);
    assert_int_equal(a->rate_limit, b->rate_limit);
    assert_int_equal(a->ordering, b->ordering);
}

/* The caller unrefs. */
static struct endpoint *get_endpoint(struct contract *c, int64_t id)
{
    struct endpoint_get get = {.org_id = STR("org_a"), .id = id};

    assert_int_equal(RUN(c, store_endpoint_get, &get), ERR_NONE);
    return get.endpoint;
}

static void an_endpoint_comes_back_as_it_was_created(void **state)
{
    struct contract *c = *state;
    struct endpoint *wanted = full_endpoint();

    contract_make_org(c, "org_a");
    int64_t id = contract_create_endpoint(c, "org_a", endpoint_ref(wanted));
    contract_reopen(c);
    struct endpoint *got = get_endpoint(c, id);
    assert_same_settings(got, wanted);
    assert_true(str_equal(got->secret, wanted->secret));
    assert_null(got->secret_old.ptr);
    assert_int_equal(got->created_at_ms, CONTRACT_START_MS);
    assert_int_equal(got->enabled_at_ms, CONTRACT_START_MS);
    assert_int_equal(got->disabled_at_ms, 0);
    assert_int_equal(got->disabled_reason, DISABLED_NOT);
    endpoint_unref(got);
    endpoint_unref(wanted);
    struct endpoint_get foreign = {.org_id = STR("org_b"), .id = id};
    assert_int_equal(RUN(c, store_endpoint_get, &foreign), ERR_NOT_FOUND);
}

static void each_field_of_a_patch_changes_nothing_else(void **state)
{
    static const unsigned fields[] = {ENDPOINT_URL,
            ENDPOINT_DESCRIPTION,
            ENDPOINT_EVENTS,
            ENDPOINT_TYPES,
            ENDPOINT_ENABLED,
            ENDPOINT_HEADERS,
            ENDPOINT_TIMEOUT,
            ENDPOINT_RETRY_SCHEDULE,
            ENDPOINT_MAX_IN_FLIGHT,
            ENDPOINT_RATE_LIMIT,
            ENDPOINT_ORDERING};
    struct contract *c = *state;
    struct endpoint *is = endpoint_new(); /* what it should be by now */

    is->url = STR("http://127.0.0.1:9/hook");
    contract_make_org(c, "org_a");
    int64_t id = contract_make_endpoint(c, "org_a");
    contract_advance(c, 1000);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        struct endpoint *to = full_endpoint();

        to->enabled = false;
        switch (fields[i]) {
        case ENDPOINT_URL: is->url = to->url; break;
        case ENDPOINT_DESCRIPTION: is->description = to->description; break;
        case ENDPOINT_EVENTS: is->event_mask = to->event_mask; break;
        case ENDPOINT_TYPES: is->type_mask = to->type_mask; break;
        case ENDPOINT_ENABLED: is->enabled = false; break;
        case ENDPOINT_HEADERS:
            is->header_count = to->header_count;
            memcpy(is->headers, to->headers, sizeof(is->headers));
            break;
        case ENDPOINT_TIMEOUT: is->timeout_ms = to->timeout_ms; break;
        case ENDPOINT_RETRY_SCHEDULE: is->retry_schedule = to->retry_schedule; break;
        case ENDPOINT_MAX_IN_FLIGHT: is->max_in_flight = to->max_in_flight; break;
        case ENDPOINT_RATE_LIMIT: is->rate_limit = to->rate_limit; break;
        case ENDPOINT_ORDERING: is->ordering = to->ordering; break;
        default: break;
        }
        assert_int_equal(contract_patch_endpoint(c, id, fields[i], to), ERR_NONE);
        struct endpoint *got = get_endpoint(c, id);
        assert_same_settings(got, is);
        assert_true(str_is(got->secret, "whsec_test"));
        assert_int_equal(got->created_at_ms, CONTRACT_START_MS);
        assert_int_equal(got->updated_at_ms, CONTRACT_START_MS + 1000);
        endpoint_unref(got);
    }
    assert_int_equal(
            contract_patch_endpoint(c, 12345, ENDPOINT_URL, full_endpoint()), ERR_NOT_FOUND);
    endpoint_unref(is);
}

static void enabling_and_disabling_are_dated_and_told(void **state)
{
    struct contract *c = *state;

    contract_make_org(c, "org_a");
    int64_t id = contract_make_endpoint(c, "org_a");
    contract_advance(c, 1000);
    c->note_count = 0;
    contract_enable(c, id, false);
    contract_enable(c, id, false);
    struct endpoint *got = get_endpoint(c, id);
    assert_int_equal(got->disabled_reason, DISABLED_MANUAL);
    assert_int_equal(got->disabled_at_ms, CONTRACT_START_MS + 1000);
    endpoint_unref(got);
    contract_advance(c, 1000);
    contract_enable(c, id, true);
    got = get_endpoint(c, id);
    assert_int_equal(got->disabled_reason, DISABLED_NOT);
    assert_int_equal(got->disabled_at_ms, 0);
    assert_int_equal(got->enabled_at_ms, CONTRACT_START_MS + 2000);
    endpoint_unref(got);
    assert_int_equal(c->note_count, 3);
    assert_string_equal(c->notes[0].text, "disabled");
    assert_string_equal(c->notes[1].text, "updated");
    assert_string_equal(c->notes[2].text, "enabled");
    assert_string_equal(c->notes[2].org_id, "org_a");
    assert_int_equal(c->changed_endpoints, 4);
}

static void an_org_has_a_thousand_endpoints_at_most(void **state)
{
    struct contract *c = *state;
    struct endpoint *one_more = full_endpoint();
    struct endpoint_write write = {.create = true, .org_id = STR("org_a"), .endpoint = one_more};

    contract_make_org(c, "org_a");
    contract_make_org(c, "org_b");
    for (int i = 0; i < ENDPOINTS_PER_ORG_MAX; i++)
        (void)contract_make_endpoint(c, "org_a");
    assert_int_equal(RUN(c, store_endpoint_write, &write), ERR_LIMIT);
    assert_null(write.result);
    (void)contract_make_endpoint(c, "org_b");
    endpoint_unref(one_more);
    assert_int_equal(contract_number(c, "SELECT count(*) FROM endpoint"), 1001);
}

static void a_list_has_pages_of_the_orgs_endpoints_newest_first(void **state)
{
    struct contract *c = *state;
    struct endpoint_list list = {.org_id = STR("org_a"), .page = {.limit = 2}};
    int64_t ids[3];

    contract_make_org(c, "org_a");
    contract_make_org(c, "org_b");
    for (size_t i = 0; i < 3; i++)
        ids[i] = contract_make_endpoint(c, "org_a");
    (void)contract_make_endpoint(c, "org_b");
    for (size_t at = 3; at > 0; list.page.cursor = list.page.next_cursor) {
        assert_int_equal(RUN(c, store_endpoint_list, &list), ERR_NONE);
        assert_true(list.count > 0);
        for (size_t i = 0; i < list.count; i++) {
            assert_int_equal(list.endpoints[i]->id, ids[--at]);
            endpoint_unref(list.endpoints[i]);
        }
    }
    assert_null(list.page.next_cursor.ptr);
}

/* True when a file of the database holds the bytes. */
static bool stored_plainly(struct contract *c, const char *text)
{
    static const char *const files[] = {"callsync.db", "callsync.db-wal"};
    bool found = false;

    for (size_t i = 0; i < 2; i++) {
        FILE *file = fopen(temp_folder_path(&c->folder, files[i]), "rb");
        struct buf bytes = {0};
        size_t len = 1;

        while (file != NULL && len > 0) {
            char *to = buf_reserve(&bytes, 65536);

            assert_non_null(to);
            len = fread(to, 1, 65536, file);
            bytes.len += len;
        }
        found = found || (bytes.len > 0 && memmem(bytes.ptr, bytes.len, text, strlen(text)));
        if (file != NULL)
            assert_int_equal(fclose(file), 0);
        buf_done(&bytes);
    }
    return found;
}

static void secrets_are_sealed_in_the_database(void **state)
{
    struct contract *c = *state;
    struct endpoint_rotate rotate = {
            .org_id = STR("org_a"), .secret = STR("another secret of mine"), .overlap_s = 60};

    contract_make_org(c, "org_a");
    rotate.id = contract_create_endpoint(c, "org_a", full_endpoint());
    assert_int_equal(RUN(c, store_endpoint_rotate, &rotate), ERR_NONE);
    endpoint_unref(rotate.endpoint);
    assert_true(stored_plainly(c, "https://example.com/hook?a=1")); /* the search can find */
    assert_false(stored_plainly(c, "a secret of 25 characters"));
    assert_false(stored_plainly(c, "another secret of mine"));
}

static enum err rotate_to(struct contract *c, int64_t id, const char *secret, int64_t overlap_s)
{
    struct endpoint_rotate rotate = {
            .org_id = STR("org_a"), .id = id, .secret = str_from(secret), .overlap_s = overlap_s};
    enum err err = RUN(c, store_endpoint_rotate, &rotate);

    endpoint_unref(rotate.endpoint);
    return err;
}

static void assert_secrets(struct contract *c,
        int64_t id,
        const char *secret,
        const char *old,
        int64_t until_ms)
{
    struct endpoint *got = get_endpoint(c, id);

    assert_true(str_is(got->secret, secret));
    assert_true(str_equal(got->secret_old, str_from(old)));
    assert_int_equal(got->secret_old_until_ms, until_ms);
    endpoint_unref(got);
}

static void a_rotation_overlaps_and_no_second_one_begins_meanwhile(void **state)
{
    struct contract *c = *state;

    contract_make_org(c, "org_a");
    int64_t id = contract_make_endpoint(c, "org_a");
    assert_int_equal(rotate_to(c, id, "secret_2", 60), ERR_NONE);
    contract_reopen(c);
    assert_secrets(c, id, "secret_2", "whsec_test", CONTRACT_START_MS + 60000);
    assert_int_equal(rotate_to(c, id, "secret_3", 60), ERR_CONFLICT);
    assert_secrets(c, id, "secret_2", "whsec_test", CONTRACT_START_MS + 60000);
    assert_int_equal(rotate_to(c, id, "secret_3", 0), ERR_NONE);
    assert_secrets(c, id, "secret_3", NULL, 0);
    assert_int_equal(rotate_to(c, id, "secret_4", 60), ERR_NONE);
    contract_advance(c, 60000);
    assert_int_equal(rotate_to(c, id, "secret_5", 60), ERR_NONE);
    assert_secrets(c, id, "secret_5", "secret_4", CONTRACT_START_MS + 120000);
    assert_int_equal(rotate_to(c, 12345, "secret_6", 0), ERR_NOT_FOUND);
}

static void deleting_cancels_what_is_unfinished_and_keeps_the_rest(void **state)
{
    struct contract *c = *state;
    struct endpoint_delete delete = {.org_id = STR("org_b")};

    contract_make_org(c, "org_a");
    delete.id = contract_make_endpoint(c, "org_a");
    (void)contract_make_call(c, "org_a", "+919876543210");
    contract_answer(c, contract_take(c), 200);
    (void)contract_make_call(c, "org_a", "+919876543210");
    contract_answer(c, contract_take(c), 500);
    (void)contract_make_call(c, "org_a", "+919876543210"); /* in memory */
    assert_int_equal(RUN(c, store_endpoint_delete, &delete), ERR_NOT_FOUND);
    delete.org_id = STR("org_a");
    assert_int_equal(RUN(c, store_endpoint_delete, &delete), ERR_NONE);
    contract_answer(c, contract_take(c), 200); /* it was under way */
    contract_advance(c, DAY_MS);
    assert_int_equal(c->handed_count, 0);
    assert_int_equal(contract_count_deliveries(c, "org_a", DELIVERY_CANCELLED), 2);
    assert_int_equal(contract_count_deliveries(c, "org_a", DELIVERY_DELIVERED), 1);
    assert_int_equal(contract_number(c, "SELECT count(*) FROM endpoint_stat"), 0);
    assert_int_equal(contract_number(c, "SELECT count(*) FROM attempt"), 3);
    (void)contract_make_call(c, "org_a", "+919876543210");
    assert_int_equal(c->handed_count, 0);
    assert_int_equal(metrics_get(&c->metrics, METRIC_DELIVERIES_IN_MEMORY), 0);
}

/* An endpoint without retries: one event before it was there, then hourly one that failed, one while
 * it was disabled, one delivered, one failed. */
static int64_t make_endpoint_to_recover(struct contract *c)
{
    struct endpoint *endpoint = endpoint_new();

    endpoint->retry_schedule.wait_count = 0;
    contract_make_org(c, "org_a");
    (void)contract_make_call(c, "org_a", "+919876543210");
    int64_t id = contract_create_endpoint(c, "org_a", endpoint);
    for (int i = 1; i <= 4; i++) {
        contract_advance(c, HOUR_MS);
        contract_enable(c, id, i != 2);
        (void)contract_make_call(c, "org_a", "+919876543210");
        if (i != 2)
            contract_answer(c, contract_take(c), i == 3 ? 200 : 500);
    }
    contract_advance(c, HOUR_MS);
    return id;
}

static void recovery_brings_failed_and_missed_ones_of_its_time(void **state)
{
    static const struct {
        enum recover_what what;
        int64_t since_h, until_h;
        int64_t count;
    } cases[] = {
            {RECOVER_FAILED, 0, 0, 2},
            {RECOVER_FAILED, 2, 0, 1},
            {RECOVER_FAILED, 0, 4, 1},
            {RECOVER_MISSED, 0, 0, 2},
            {RECOVER_MISSED, 1, 0, 1},
            {RECOVER_MISSED, 0, 2, 1},
            {RECOVER_ALL, 0, 0, 4},
            {RECOVER_ALL, 1, 3, 2},
            {RECOVER_ALL, 5, 0, 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        void *own = NULL;
        contract_set_up(&own);
        struct contract *c = own;
        struct endpoint_recover recover = {
                .org_id = STR("org_a"),
                .id = make_endpoint_to_recover(c),
                .since_ms = CONTRACT_START_MS + cases[i].since_h * HOUR_MS,
                .until_ms =
                        cases[i].until_h > 0 ? CONTRACT_START_MS + cases[i].until_h * HOUR_MS : 0,
                .what = cases[i].what,
        };

        assert_int_equal(RUN(c, store_endpoint_recover, &recover), ERR_NONE);
        assert_int_equal(recover.delivery_count, cases[i].count);
        contract_settle(c);
        assert_int_equal(c->handed_count, cases[i].count);
        assert_int_equal(RUN(c, store_endpoint_recover, &recover), ERR_NONE);
        assert_int_equal(recover.delivery_count, 0); /* I2 */
        contract_tear_down(&own);
    }
    (void)state;
}

static void a_recovery_survives_a_restart_and_needs_an_enabled_endpoint(void **state)
{
    struct contract *c = *state;
    struct endpoint_recover recover = {.org_id = STR("org_a"), .what = RECOVER_ALL};

    recover.id = make_endpoint_to_recover(c);
    recover.org_id = STR("org_b");
    assert_int_equal(RUN(c, store_endpoint_recover, &recover), ERR_NOT_FOUND);
    recover.org_id = STR("org_a");
    contract_enable(c, recover.id, false);
    assert_int_equal(RUN(c, store_endpoint_recover, &recover), ERR_CONFLICT);
    contract_enable(c, recover.id, true);
    assert_int_equal(RUN(c, store_endpoint_recover, &recover), ERR_NONE);
    contract_reopen(c);
    assert_int_equal(c->handed_count, 4);
    contract_answer_all(c);
    assert_int_equal(contract_count_deliveries(c, "org_a", DELIVERY_DELIVERED), 5);
}

static void counts_fall_into_the_buckets_of_the_window(void **state)
{
    struct contract *c = *state;
    int64_t bucket_ms = STAT_BUCKET_MS;
    int64_t now_bucket = CONTRACT_START_MS + 15 * 60 * 1000;
    struct endpoint_stats stats = {
            .org_id = STR("org_a"), .window_ms = 4 * bucket_ms, .bucket_count = 4};

    contract_make_org(c, "org_a");
    stats.id = contract_make_endpoint(c, "org_a");
    (void)contract_make_call(c, "org_a", "+919876543210");
    (void)contract_make_call(c, "org_a", "+911111111");
    contract_answer(c, contract_take(c), 500);
    contract_answer(c, contract_take(c), 200);
    contract_advance(c, 6000); /* counts are written once in a while; the failed one is due again */
    contract_answer(c, contract_take(c), 500);
    contract_advance(c, 15 * 60 * 1000 - 6000);
    contract_answer(c, contract_take(c), 200);
    contract_advance(c, 1000);
    assert_int_equal(RUN(c, store_endpoint_stats, &stats), ERR_NONE);
    assert_int_equal(stats.buckets[0].at_ms, now_bucket - now_bucket % bucket_ms - 3 * bucket_ms);
    assert_int_equal(stats.buckets[0].delivered, 1);
    assert_int_equal(stats.buckets[0].failed, 2);
    assert_int_equal(latency_percentile_us(&stats.buckets[0].latency, 0.5), 1125);
    assert_int_equal(stats.buckets[1].delivered + stats.buckets[1].failed, 0);
    assert_int_equal(stats.buckets[3].delivered, 1);
    assert_int_equal(stats.waiting, 0);
    assert_int_equal(stats.last_success_at_ms, stats.buckets[3].at_ms);
    assert_int_equal(stats.last_failure_at_ms, stats.buckets[0].at_ms);
    stats.bucket_count = 1;
    assert_int_equal(RUN(c, store_endpoint_stats, &stats), ERR_NONE);
    assert_in_range(stats.buckets[0].delivered, 1, 2);
    stats.org_id = STR("org_b");
    assert_int_equal(RUN(c, store_endpoint_stats, &stats), ERR_NOT_FOUND);
}

static void counts_not_yet_written_survive_a_stop(void **state)
{
    struct contract *c = *state;
    struct endpoint_stats stats = {
            .org_id = STR("org_a"), .window_ms = STAT_BUCKET_MS, .bucket_count = 1};

    contract_make_org(c, "org_a");
    stats.id = contract_make_endpoint(c, "org_a");
    for (int i = 0; i < 3; i++)
        (void)contract_make_call(c, "org_a", "+919876543210");
    contract_answer(c, contract_take(c), 200);
    contract_answer(c, contract_take(c), 200);
    assert_int_equal(store_start(c->store, NULL), ERR_NONE); /* its thread writes them at its end */
    store_stop(c->store);
    contract_reopen(c);
    assert_int_equal(RUN(c, store_endpoint_stats, &stats), ERR_NONE);
    assert_int_equal(stats.buckets[0].delivered, 2);
    assert_int_equal(stats.waiting, 1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
            CONTRACT_TEST(an_endpoint_comes_back_as_it_was_created),
            CONTRACT_TEST(each_field_of_a_patch_changes_nothing_else),
            CONTRACT_TEST(enabling_and_disabling_are_dated_and_told),
            CONTRACT_TEST(an_org_has_a_thousand_endpoints_at_most),
            CONTRACT_TEST(a_list_has_pages_of_the_orgs_endpoints_newest_first),
            CONTRACT_TEST(secrets_are_sealed_in_the_database),
            CONTRACT_TEST(a_rotation_overlaps_and_no_second_one_begins_meanwhile),
            CONTRACT_TEST(deleting_cancels_what_is_unfinished_and_keeps_the_rest),
            CONTRACT_TEST(recovery_brings_failed_and_missed_ones_of_its_time),
            CONTRACT_TEST(a_recovery_survives_a_restart_and_needs_an_enabled_endpoint),
            CONTRACT_TEST(counts_fall_into_the_buckets_of_the_window),
            CONTRACT_TEST(counts_not_yet_written_survive_a_stop),
    };

    return CONTRACT_MAIN(argc, argv, tests);
}
