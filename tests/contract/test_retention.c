/* SPDX-License-Identifier: Apache-2.0 */
/* Contract tests of retention: what goes with time, and what stays. */
#include "contract.h"

#define KEEP_MS (30 * DAY_MS)

static int64_t count(struct contract *c, const char *table)
{
    return contract_number(c, arena_strf(&c->arena, "SELECT count(*) FROM %s", table).ptr);
}

static void make_delivered_calls(struct contract *c, int calls)
{
    contract_make_org(c, "org_a");
    (void)contract_make_endpoint(c, "org_a");
    for (int i = 0; i < calls; i++)
        (void)contract_make_call(c, "org_a", "+919876543210");
    contract_answer_all(c);
    assert_int_equal(count(c, "delivery"), calls);
    assert_int_equal(count(c, "attempt"), calls);
}

static void what_is_finished_and_old_goes_and_calls_stay(void **state)
{
    struct contract *c = *state;

    make_delivered_calls(c, 3);
    contract_advance(c, KEEP_MS - HOUR_MS);
    contract_answer_all(c); /* of the watchdog's events, meanwhile */
    assert_int_equal(contract_count_events(c, "org_a", EVENT_CALL_LOGGED), 3);
    contract_advance(c, 2 * HOUR_MS);
    assert_int_equal(contract_count_events(c, "org_a", EVENT_CALL_LOGGED), 0);
    assert_int_equal(contract_number(c, "SELECT count(*) FROM delivery WHERE kind = 0"), 0);
    assert_int_equal(contract_number(c,
                             "SELECT count(*) FROM attempt WHERE delivery_id NOT IN"
                             " (SELECT id FROM delivery)"),
            0);
    assert_int_equal(count(c, "call"), 3);
    assert_true(count(c, "event") > 0); /* the watchdog's are younger */
}

static void more_than_a_step_removes_goes_in_steps(void **state)
{
    struct contract *c = *state;

    make_delivered_calls(c, 1200);
    contract_advance(c, DAY_MS);
    contract_answer_all(c);
    contract_advance(c, 2 * DAY_MS);
    contract_answer_all(c);
    contract_advance(c, KEEP_MS + DAY_MS);
    assert_int_equal(count(c, "event"), 0);
    assert_int_equal(count(c, "delivery"), 0);
    assert_int_equal(count(c, "attempt"), 0);
    assert_int_equal(count(c, "call"), 1200);
}

static void an_unfinished_delivery_stays_with_its_event_until_it_is_finished(void **state)
{
    struct contract *c = *state;

    contract_make_org(c, "org_a");
    (void)contract_make_endpoint(c, "org_a");
    (void)contract_make_call(c, "org_a", "+919876543210");
    contract_advance(c, 2 * KEEP_MS);
    assert_int_equal(contract_count_events(c, "org_a", EVENT_CALL_LOGGED), 1);
    contract_answer_all(c);
    contract_advance(c, KEEP_MS - HOUR_MS);
    assert_int_equal(contract_count_events(c, "org_a", EVENT_CALL_LOGGED), 1);
    contract_advance(c, 2 * DAY_MS); /* the walk has begun anew */
    assert_int_equal(contract_count_events(c, "org_a", EVENT_CALL_LOGGED), 0);
    assert_int_equal(count(c, "delivery"), 0);
}

static void an_event_that_nobody_wanted_goes_too(void **state)
{
    struct contract *c = *state;

    contract_make_org(c, "org_a");
    (void)contract_make_call(c, "org_a", "+919876543210");
    contract_advance(c, KEEP_MS + HOUR_MS);
    assert_int_equal(contract_count_events(c, "org_a", EVENT_CALL_LOGGED), 0);
}

static void counts_of_endpoints_are_kept_for_eight_days(void **state)
{
    struct contract *c = *state;

    make_delivered_calls(c, 1);
    contract_advance(c, HOUR_MS);
    assert_int_equal(count(c, "endpoint_stat"), 1);
    contract_advance(c, 8 * DAY_MS - 2 * HOUR_MS);
    assert_int_equal(
            contract_number(c, "SELECT count(*) FROM endpoint_stat WHERE delivered > 0"), 1);
    contract_advance(c, 2 * HOUR_MS);
    assert_int_equal(
            contract_number(c, "SELECT count(*) FROM endpoint_stat WHERE delivered > 0"), 0);
}

static void keys_requests_and_visitors_inboxes_are_kept_for_a_day(void **state)
{
    struct contract *c = *state;
    struct idempotency key = {.org_id = STR("org_a"), .status = 200};
    struct idempotency_mark mark = {.op = {.idempotency = &key}};
    struct inbox_create ours = {.inbox = {.org_id = STR("org_a"), .status = 200}};
    struct inbox_create visitors = {.inbox = {.status = 200}};

    assert_int_equal(RUN(c, store_idempotency_finish, &mark), ERR_NONE);
    assert_int_equal(RUN(c, store_inbox_create, &ours), ERR_NONE);
    assert_int_equal(RUN(c, store_inbox_create, &visitors), ERR_NONE);
    struct inbox_receive receive = {.inbox_id = visitors.inbox.id,
            .request = {.method = STR("POST"), .headers = STR(""), .body = STR("x")}};
    assert_int_equal(RUN(c, store_inbox_receive, &receive), ERR_NONE);
    contract_advance(c, DAY_MS - HOUR_MS);
    assert_int_equal(count(c, "idempotency") + count(c, "inbox") + count(c, "inbox_request"), 4);
    contract_advance(c, 2 * HOUR_MS);
    assert_int_equal(count(c, "idempotency"), 0);
    assert_int_equal(count(c, "inbox_request"), 0);
    assert_int_equal(count(c, "inbox"), 1);
}

static void a_step_that_fails_is_made_up_for(void **state)
{
    struct contract *c = *state;
    struct org_delete delete = {.id = STR("org_a")};

    make_delivered_calls(c, 20);
    assert_int_equal(RUN(c, store_org_delete, &delete), ERR_NONE);
    for (int64_t fail_at = 1; count(c, "purge") > 0; fail_at++) {
        c->calls = 0;
        c->fail_at = fail_at;
        contract_advance(c, HOUR_MS);
        assert_true(fail_at < 1000);
    }
    c->fail_at = 0;
    assert_int_equal(count(c, "call") + count(c, "event") + count(c, "delivery"), 0);
    assert_int_equal(count(c, "attempt"), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
            CONTRACT_TEST(what_is_finished_and_old_goes_and_calls_stay),
            CONTRACT_TEST(more_than_a_step_removes_goes_in_steps),
            CONTRACT_TEST(an_unfinished_delivery_stays_with_its_event_until_it_is_finished),
            CONTRACT_TEST(an_event_that_nobody_wanted_goes_too),
            CONTRACT_TEST(counts_of_endpoints_are_kept_for_eight_days),
            CONTRACT_TEST(keys_requests_and_visitors_inboxes_are_kept_for_a_day),
            CONTRACT_TEST(a_step_that_fails_is_made_up_for),
    };

    return CONTRACT_MAIN(argc, argv, tests);
}
