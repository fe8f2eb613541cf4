/* SPDX-License-Identifier: Apache-2.0 */
/* Contract tests of results: the attempt, the next state, and the endpoint's health. */
#include "contract.h"

static struct endpoint *get_endpoint(struct contract *c, int64_t id)
{
    struct endpoint_get get = {.org_id = STR("org_a"), .id = id};

    assert_int_equal(RUN(c, store_endpoint_get, &get), ERR_NONE);
    return get.endpoint;
}

static struct delivery *take_new(struct contract *c, int64_t *ret_id)
{
    (void)contract_make_call(c, "org_a", "+919876543210");
    struct delivery *delivery = contract_take(c);
    *ret_id = delivery->id;
    return delivery;
}

static void a_2xx_delivers(void **state)
{
    struct contract *c = *state;
    int64_t id;

    contract_make_org(c, "org_a");
    (void)contract_make_endpoint(c, "org_a");
    struct delivery *delivery = take_new(c, &id);
    c->note_count = 0;
    contract_answer(c, delivery, 204);
    struct delivery_row row = contract_get_delivery(c, id).delivery;
    assert_int_equal(row.state, DELIVERY_DELIVERED);
    assert_int_equal(row.attempt_count, 1);
    assert_int_equal(row.finished_at_ms, CONTRACT_START_MS);
    assert_int_equal(row.due_at_ms, 0);
    assert_int_equal(metrics_get(&c->metrics, METRIC_DELIVERIES_DELIVERED), 1);
    assert_int_equal(metrics_get(&c->metrics, METRIC_DELIVERIES_IN_MEMORY), 0);
    assert_int_equal(c->note_count, 1);
    assert_int_equal(c->notes[0].kind, NOTE_ATTEMPT);
    assert_int_equal(c->notes[0].delivery_id, id);
    assert_int_equal(c->notes[0].number, 1);
    assert_int_equal(c->notes[0].status, 204);
    assert_int_equal(c->notes[0].state, DELIVERY_DELIVERED);
    assert_string_equal(c->notes[0].org_id, "org_a");
}

static void each_wait_of_the_schedule_is_kept_and_after_the_last_it_has_failed(void **state)
{
    struct contract *c = *state;
    struct endpoint *endpoint = endpoint_new();
    int64_t id;

    endpoint->retry_schedule = (struct retry_schedule){3, {5000, 60000, 3600000}};
    contract_make_org(c, "org_a");
    (void)contract_create_endpoint(c, "org_a", endpoint);
    contract_return(c, take_new(c, &id), 0);
    contract_reopen(c);
    for (int i = 0; i < 4; i++) {
        struct delivery *delivery = contract_take(c);

        assert_int_equal(delivery->attempt_count, i);
        contract_answer(c, delivery, 302);
        struct delivery_row row = contract_get_delivery(c, id).delivery;
        assert_int_equal(row.state, i < 3 ? DELIVERY_RETRYING : DELIVERY_FAILED);
        if (i == 3)
            break;
        contract_advance(c, row.due_at_ms - c->clock.now_ms - 1);
        assert_int_equal(c->handed_count, 0); /* I4 */
        contract_advance(c, 1);
    }
    struct delivery_get get = contract_get_delivery(c, id);
    assert_int_equal(get.attempt_count, 4);
    assert_int_equal(get.attempts[3].started_at_ms, CONTRACT_START_MS + 3665000);
    assert_int_equal(get.delivery.finished_at_ms, CONTRACT_START_MS + 3665000);
    assert_int_equal(metrics_get(&c->metrics, METRIC_DELIVERIES_FAILED), 1);
    contract_advance(c, 10 * HOUR_MS);
    assert_int_equal(c->handed_count, 0);
}

static void a_410_fails_the_delivery_and_disables_the_endpoint_as_gone(void **state)
{
    struct contract *c = *state;
    int64_t first, second, third;

    contract_make_org(c, "org_a");
    int64_t id = contract_make_endpoint(c, "org_a");
    struct delivery *gone = take_new(c, &first);
    struct delivery *too = take_new(c, &second);
    struct delivery *returned = take_new(c, &third);
    c->note_count = 0;
    contract_answer(c, gone, 410);
    struct endpoint *endpoint = get_endpoint(c, id);
    assert_false(endpoint->enabled);
    assert_int_equal(endpoint->disabled_reason, DISABLED_GONE);
    assert_int_equal(endpoint->disabled_at_ms, CONTRACT_START_MS);
    endpoint_unref(endpoint);
    contract_answer(c, too, 410); /* disables it no second time */
    contract_return(c, returned, 0);
    size_t disabled = 0;
    for (size_t i = 0; i < c->note_count; i++)
        disabled += c->notes[i].kind == NOTE_ENDPOINT ? 1 : 0;
    assert_int_equal(disabled, 1);
    assert_int_equal(contract_get_delivery(c, first).delivery.state, DELIVERY_FAILED);
    assert_int_equal(contract_get_delivery(c, third).delivery.state, DELIVERY_HELD);
    (void)contract_make_call(c, "org_a", "+919876543210");
    assert_int_equal(c->handed_count, 0);
    assert_int_equal(contract_count_deliveries(c, "org_a", -1), 3);
    contract_enable(c, id, true);
    contract_settle(c);
    struct delivery *held = contract_take(c);
    assert_int_equal(held->id, third);
    contract_answer(c, held, 200);
}

/* Attempts of one delivery fail, hour by hour, as many times. */
static void fail_hourly(struct contract *c, int attempts)
{
    for (int i = 0; i < attempts; i++) {
        contract_answer(c, contract_take(c), 500);
        contract_advance(c, HOUR_MS);
    }
}

static int64_t make_endpoint_that_fails(struct contract *c, size_t waits, int64_t wait_ms)
{
    struct endpoint *endpoint = endpoint_new();

    endpoint->event_mask = 1U << EVENT_CALL_LOGGED;
    endpoint->retry_schedule.wait_count = waits;
    for (size_t i = 0; i < waits; i++)
        endpoint->retry_schedule.wait_ms[i] = wait_ms;
    contract_make_org(c, "org_a");
    int64_t id = contract_create_endpoint(c, "org_a", endpoint);
    (void)contract_make_call(c, "org_a", "+919876543210");
    return id;
}

static enum disabled_reason reason_of(struct contract *c, int64_t id)
{
    struct endpoint *endpoint = get_endpoint(c, id);
    enum disabled_reason reason = endpoint->disabled_reason;

    endpoint_unref(endpoint);
    return reason;
}

static void five_days_of_failures_disable_the_endpoint_across_a_restart(void **state)
{
    struct contract *c = *state;
    int64_t id = make_endpoint_that_fails(c, 20, HOUR_MS);

    fail_hourly(c, 20);
    contract_reopen(c);
    contract_advance(c, 5 * DAY_MS - 20 * HOUR_MS - 1);
    assert_int_equal(reason_of(c, id), DISABLED_NOT);
    (void)contract_make_call(c, "org_a", "+919876543210");
    contract_answer(c, contract_take(c), 500); /* a millisecond early */
    assert_int_equal(reason_of(c, id), DISABLED_NOT);
    contract_advance(c, 1);
    contract_answer(c, contract_take(c), 500);
    assert_int_equal(reason_of(c, id), DISABLED_FAILING);
    contract_advance(c, DAY_MS);
    assert_int_equal(c->handed_count, 0);
    assert_int_equal(contract_count_deliveries(c, "org_a", DELIVERY_HELD), 1);
}

static void few_failures_in_five_days_disable_nothing(void **state)
{
    struct contract *c = *state;
    int64_t id = make_endpoint_that_fails(c, 20, HOUR_MS);

    fail_hourly(c, 18);
    contract_advance(c, 6 * DAY_MS);
    contract_answer(c, contract_take(c), 500); /* the 19th */
    assert_int_equal(reason_of(c, id), DISABLED_NOT);
    contract_advance(c, HOUR_MS);
    contract_answer(c, contract_take(c), 500);
    assert_int_equal(reason_of(c, id), DISABLED_FAILING);
}

static void a_success_and_a_person_who_enables_it_reset_the_health(void **state)
{
    struct contract *c = *state;
    int64_t id = make_endpoint_that_fails(c, 20, HOUR_MS);

    fail_hourly(c, 19);
    struct endpoint *endpoint = get_endpoint(c, id);
    assert_int_equal(endpoint->failing_count, 19);
    assert_int_equal(endpoint->failing_since_ms, CONTRACT_START_MS);
    endpoint_unref(endpoint);
    contract_answer(c, contract_take(c), 200);
    endpoint = get_endpoint(c, id);
    assert_int_equal(endpoint->failing_count, 0);
    assert_int_equal(endpoint->failing_since_ms, 0);
    endpoint_unref(endpoint);
    contract_advance(c, 6 * DAY_MS);
    (void)contract_make_call(c, "org_a", "+919876543210");
    contract_answer(c, contract_take(c), 500);
    assert_int_equal(reason_of(c, id), DISABLED_NOT);
    contract_enable(c, id, false);
    contract_enable(c, id, true);
    endpoint = get_endpoint(c, id);
    assert_int_equal(endpoint->failing_count, 0);
    endpoint_unref(endpoint);
}

static void an_endpoint_that_asks_for_it_is_left_alone_across_a_restart(void **state)
{
    struct contract *c = *state;
    int64_t id;

    contract_make_org(c, "org_a");
    int64_t endpoint_id = contract_make_endpoint(c, "org_a");
    struct delivery *busy = take_new(c, &id);
    busy->outcome.retry_after_ms = HOUR_MS;
    contract_answer(c, busy, 429);
    (void)contract_make_call(c, "org_a", "+911111111"); /* another call waits, too */
    assert_int_equal(c->handed_count, 0);
    contract_reopen(c);
    contract_advance(c, HOUR_MS - 1);
    assert_int_equal(c->handed_count, 0);
    contract_advance(c, 1);
    assert_int_equal(c->handed_count, 2);
    struct delivery *again = contract_take(c);
    again->outcome.retry_after_ms = HOUR_MS;
    contract_answer(c, again, 503);
    contract_enable(c, endpoint_id, false);
    contract_enable(c, endpoint_id, true); /* a person knows better */
    (void)contract_make_call(c, "org_a", "+912222222");
    assert_int_equal(c->handed_count, 2);
}

static void what_was_cancelled_meanwhile_stays_so_and_its_attempt_is_recorded(void **state)
{
    static const int statuses[] = {200, 500, 410};
    struct contract *c = *state;

    contract_make_org(c, "org_a");
    (void)contract_make_endpoint(c, "org_a");
    for (size_t i = 0; i < 3; i++) {
        struct delivery_cancel cancel = {.org_id = STR("org_a")};
        struct delivery *delivery = take_new(c, &cancel.id);

        assert_int_equal(RUN(c, store_delivery_cancel, &cancel), ERR_NONE);
        c->note_count = 0;
        contract_answer(c, delivery, statuses[i]);
        struct delivery_get get = contract_get_delivery(c, cancel.id);
        assert_int_equal(get.delivery.state, DELIVERY_CANCELLED);
        assert_int_equal(get.delivery.attempt_count, 1);
        assert_int_equal(get.attempt_count, 1);
        assert_int_equal(get.attempts[0].status, statuses[i]);
        assert_int_equal(c->notes[0].state, DELIVERY_CANCELLED);
    }
    contract_advance(c, HOUR_MS);
    assert_int_equal(c->handed_count, 0);
    assert_int_equal(metrics_get(&c->metrics, METRIC_DELIVERIES_DELIVERED), 0);
}

static void what_is_returned_waits_again_without_an_attempt(void **state)
{
    struct contract *c = *state;
    int64_t fresh, retrying;

    contract_make_org(c, "org_a");
    (void)contract_make_endpoint(c, "org_a");
    contract_answer(c, take_new(c, &retrying), 500);
    contract_advance(c, 6000);
    struct delivery *again = contract_take(c);
    contract_return(c, take_new(c, &fresh), CONTRACT_START_MS + 9000);
    contract_return(c, again, CONTRACT_START_MS + 9000);
    struct delivery_row row = contract_get_delivery(c, fresh).delivery;
    assert_int_equal(row.state, DELIVERY_WAITING);
    assert_int_equal(row.attempt_count, 0);
    assert_int_equal(row.due_at_ms, CONTRACT_START_MS + 9000);
    row = contract_get_delivery(c, retrying).delivery;
    assert_int_equal(row.state, DELIVERY_RETRYING);
    assert_int_equal(row.attempt_count, 1);
    contract_advance(c, 2999);
    assert_int_equal(c->handed_count, 0);
    contract_advance(c, 1);
    assert_int_equal(c->handed_count, 2);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
            CONTRACT_TEST(a_2xx_delivers),
            CONTRACT_TEST(each_wait_of_the_schedule_is_kept_and_after_the_last_it_has_failed),
            CONTRACT_TEST(a_410_fails_the_delivery_and_disables_the_endpoint_as_gone),
            CONTRACT_TEST(five_days_of_failures_disable_the_endpoint_across_a_restart),
            CONTRACT_TEST(few_failures_in_five_days_disable_nothing),
            CONTRACT_TEST(a_success_and_a_person_who_enables_it_reset_the_health),
            CONTRACT_TEST(an_endpoint_that_asks_for_it_is_left_alone_across_a_restart),
            CONTRACT_TEST(what_was_cancelled_meanwhile_stays_so_and_its_attempt_is_recorded),
            CONTRACT_TEST(what_is_returned_waits_again_without_an_attempt),
    };

    return CONTRACT_MAIN(argc, argv, tests);
}
