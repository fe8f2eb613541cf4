/* SPDX-License-Identifier: Apache-2.0 */
/* Contract tests of hand-over and claims: windows, memory, and the order of events. */
#include "contract.h"
#include "store/gate.h"

/* A new gate's window. */
enum { WINDOW = 16 };

static int64_t make_endpoint(struct contract *c, enum endpoint_ordering ordering)
{
    struct endpoint *endpoint = endpoint_new();

    endpoint->ordering = ordering;
    return contract_create_endpoint(c, "org_a", endpoint);
}

static void make_calls(struct contract *c, int calls)
{
    for (int i = 0; i < calls; i++)
        (void)contract_make_call(c, "org_a", "+919876543210");
}

/* Takes the oldest handed over, which must be of this event kind. */
static struct delivery *take_kind(struct contract *c, enum event_kind kind)
{
    struct delivery *delivery = contract_take(c);

    assert_int_equal(delivery->kind, kind);
    return delivery;
}

static void what_has_no_room_waits_and_is_claimed_later(void **state)
{
    struct contract *c = *state;
    int64_t last = 0;

    contract_make_org(c, "org_a");
    (void)make_endpoint(c, ORDERING_CALL);
    make_calls(c, 40);
    assert_int_equal(c->handed_count, WINDOW);
    assert_int_equal(contract_count_deliveries(c, "org_a", DELIVERY_WAITING), 40 - WINDOW);
    for (int i = 0; i < 40; i++) {
        struct delivery *delivery = contract_take(c);

        assert_true(delivery->event_id > last);
        last = delivery->event_id;
        contract_answer(c, delivery, 200);
    }
    assert_int_equal(contract_count_deliveries(c, "org_a", DELIVERY_DELIVERED), 40);
}

static void memory_that_is_full_still_has_room_for_an_endpoint_with_nothing_in_it(void **state)
{
    struct contract *c = *state;

    c->config.memory_max = 4;
    contract_reopen(c);
    contract_make_org(c, "org_a");
    contract_make_org(c, "org_b");
    (void)make_endpoint(c, ORDERING_NONE);
    (void)contract_make_endpoint(c, "org_b");
    make_calls(c, 30);
    assert_int_equal(c->handed_count, 4);
    (void)contract_make_call(c, "org_b", "+919876543210");
    (void)contract_make_call(c, "org_b", "+919876543210");
    assert_int_equal(c->handed_count, 5);
    contract_reopen(c); /* all waits now: claims have no more room than hand-overs had */
    assert_in_range(c->handed_count, 4, 5);
    contract_answer_all(c);
    assert_int_equal(contract_count_deliveries(c, "org_a", DELIVERY_DELIVERED), 30);
    assert_int_equal(contract_count_deliveries(c, "org_b", DELIVERY_DELIVERED), 2);
}

static void a_later_event_of_the_call_waits_until_the_earlier_is_finished(void **state)
{
    static const int ends[] = {200, 410, 0};
    struct contract *c = *state;
    struct endpoint *endpoint = endpoint_new();

    endpoint->retry_schedule.wait_count = 0;
    contract_make_org(c, "org_a");
    int64_t id = contract_create_endpoint(c, "org_a", endpoint);
    for (size_t i = 0; i < 3; i++) {
        int64_t call = contract_make_call(c, "org_a", "+919876543210");
        struct delivery *first = contract_take(c);

        (void)contract_set_file_status(c, call, FILE_UPLOADING);
        (void)contract_set_file_status(c, call, FILE_PENDING);
        assert_int_equal(c->handed_count, 0);
        make_calls(c, 1); /* another call is not held up */
        contract_answer(c, take_kind(c, EVENT_CALL_LOGGED), 200);
        contract_answer(c, first, ends[i]);
        contract_enable(c, id, true);
        contract_settle(c);
        struct delivery *second = take_kind(c, EVENT_RECORDING_UPDATED);
        assert_false(second->out_of_order);
        assert_int_equal(c->handed_count, 0);
        contract_answer(c, second, 200);
        contract_answer(c, take_kind(c, EVENT_RECORDING_UPDATED), 200);
    }
    assert_int_equal(contract_number(c, "SELECT count(*) FROM delivery WHERE state < 4"), 0);
}

static void an_earlier_event_that_is_retrying_holds_a_later_one_for_15_minutes_at_most(void **state)
{
    struct contract *c = *state;

    contract_make_org(c, "org_a");
    (void)make_endpoint(c, ORDERING_CALL);
    int64_t call = contract_make_call(c, "org_a", "+919876543210");
    contract_answer(c, contract_take(c), 500);
    (void)contract_set_file_status(c, call, FILE_UPLOADING);
    contract_advance(c, 5000);
    contract_answer(c, take_kind(c, EVENT_CALL_LOGGED), 500);
    contract_advance(c, 5 * 60 * 1000);
    contract_answer(c, take_kind(c, EVENT_CALL_LOGGED), 500); /* the next wait is 30 minutes */
    contract_advance(c, DELIVERY_ORDER_HOLD_MS - 5 * 60 * 1000 - 5000 - 1);
    assert_int_equal(c->handed_count, 0);
    contract_advance(c, 1);
    struct delivery *late = take_kind(c, EVENT_RECORDING_UPDATED);
    assert_true(late->out_of_order);
    contract_answer(c, late, 200);
    contract_advance(c, HOUR_MS);
    contract_answer(c, take_kind(c, EVENT_CALL_LOGGED), 200);
}

static void a_later_event_whose_time_is_up_goes_soon_after_the_attempt_under_way(void **state)
{
    struct contract *c = *state;
    struct endpoint *endpoint = endpoint_new();

    endpoint->retry_schedule = (struct retry_schedule){2, {DELIVERY_ORDER_HOLD_MS, DAY_MS}};
    contract_make_org(c, "org_a");
    (void)contract_create_endpoint(c, "org_a", endpoint);
    int64_t call = contract_make_call(c, "org_a", "+919876543210");
    contract_answer(c, contract_take(c), 500);
    (void)contract_set_file_status(c, call, FILE_UPLOADING);
    contract_advance(c, DELIVERY_ORDER_HOLD_MS); /* both are due: the earlier one goes */
    struct delivery *first = take_kind(c, EVENT_CALL_LOGGED);
    assert_int_equal(c->handed_count, 0);
    contract_answer(c, first, 500);
    contract_advance(c, 60 * 1000);
    struct delivery *late = take_kind(c, EVENT_RECORDING_UPDATED);
    assert_true(late->out_of_order);
    contract_answer(c, late, 200);
}

static void events_without_order_all_go_at_once(void **state)
{
    struct contract *c = *state;

    contract_make_org(c, "org_a");
    (void)make_endpoint(c, ORDERING_NONE);
    int64_t call = contract_make_call(c, "org_a", "+919876543210");
    (void)contract_set_file_status(c, call, FILE_UPLOADING);
    (void)contract_set_file_status(c, call, FILE_PENDING);
    assert_int_equal(c->handed_count, 3);
}

static void strict_order_sends_one_after_the_other_whatever_call_they_are_of(void **state)
{
    struct contract *c = *state;

    contract_make_org(c, "org_a");
    (void)make_endpoint(c, ORDERING_ENDPOINT);
    make_calls(c, 3);
    assert_int_equal(c->handed_count, 1);
    struct delivery *first = contract_take(c);
    int64_t first_event = first->event_id;
    contract_answer(c, first, 500);
    contract_advance(c, 4999);
    make_calls(c, 1);
    assert_int_equal(c->handed_count, 0); /* a retrying one stays at the head */
    contract_advance(c, 1);
    first = contract_take(c);
    assert_int_equal(first->event_id, first_event);
    contract_answer(c, first, 200);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(c->handed_count, 1);
        struct delivery *next = contract_take(c);
        assert_true(next->event_id > first_event);
        first_event = next->event_id;
        contract_answer(c, next, 200);
    }
    assert_int_equal(c->handed_count, 0);
}

static void a_cancelled_head_lets_the_next_one_go(void **state)
{
    static const enum endpoint_ordering orderings[] = {ORDERING_ENDPOINT, ORDERING_CALL};
    struct contract *c = *state;

    contract_make_org(c, "org_a");
    for (size_t i = 0; i < 2; i++) {
        struct endpoint_delete delete = {
                .org_id = STR("org_a"), .id = make_endpoint(c, orderings[i])};
        int64_t call = contract_make_call(c, "org_a", "+919876543210");
        struct delivery *head = contract_take(c);
        struct delivery_cancel cancel = {.org_id = STR("org_a"), .id = head->id};

        contract_answer(c, head, 500);
        (void)contract_set_file_status(c, call, FILE_UPLOADING);
        assert_int_equal(c->handed_count, 0);
        assert_int_equal(RUN(c, store_delivery_cancel, &cancel), ERR_NONE);
        contract_settle(c);
        contract_answer(c, take_kind(c, EVENT_RECORDING_UPDATED), 200);
        assert_int_equal(RUN(c, store_endpoint_delete, &delete), ERR_NONE);
    }
}

/* Two events of one call, the first in memory or retrying, the second behind it. */
static int64_t make_two_in_order(struct contract *c, enum endpoint_ordering ordering)
{
    contract_make_org(c, "org_a");
    int64_t id = make_endpoint(c, ordering);
    int64_t call = contract_make_call(c, "org_a", "+919876543210");
    (void)contract_set_file_status(c, call, FILE_UPLOADING);
    assert_int_equal(c->handed_count, 1);
    return id;
}

static void finish_two_in_order(struct contract *c)
{
    struct delivery *first = take_kind(c, EVENT_CALL_LOGGED);

    assert_int_equal(c->handed_count, 0);
    contract_answer(c, first, 200);
    struct delivery *second = take_kind(c, EVENT_RECORDING_UPDATED);
    assert_false(second->out_of_order);
    contract_answer(c, second, 200);
}

static void order_is_kept_across_a_restart(void **state)
{
    struct contract *c = *state;

    (void)make_two_in_order(c, ORDERING_CALL);
    contract_reopen(c);
    finish_two_in_order(c);
}

static void strict_order_is_kept_across_a_restart(void **state)
{
    struct contract *c = *state;

    (void)make_two_in_order(c, ORDERING_ENDPOINT);
    contract_reopen(c);
    finish_two_in_order(c);
}

static void order_is_kept_across_a_long_time_disabled(void **state)
{
    struct contract *c = *state;
    int64_t id = make_two_in_order(c, ORDERING_CALL);

    contract_return(c, contract_take(c), 0);
    contract_settle(c);
    contract_enable(c, id, false);
    while (c->handed != NULL)
        contract_return(c, contract_take(c), 0);
    contract_advance(c, HOUR_MS);
    assert_int_equal(c->handed_count, 0);
    contract_enable(c, id, true);
    contract_settle(c);
    finish_two_in_order(c);
}

static void order_is_kept_when_both_are_replayed(void **state)
{
    struct contract *c = *state;

    contract_make_org(c, "org_a");
    (void)make_endpoint(c, ORDERING_CALL);
    int64_t call = contract_make_call(c, "org_a", "+919876543210");
    struct event_replay later = {
            .org_id = STR("org_a"), .id = contract_set_file_status(c, call, FILE_UPLOADING)};
    struct event_replay earlier = {.org_id = STR("org_a"), .id = c->handed->event_id};
    contract_answer_all(c);
    contract_advance(c, HOUR_MS);
    clock_virtual_set(&c->clock, c->clock.now_ms + 1);
    contract_prepare(c, &later.op);
    contract_prepare(c, &earlier.op);
    assert_int_equal(store_event_replay(c->store, &later), ERR_NONE);
    assert_int_equal(store_event_replay(c->store, &earlier), ERR_NONE);
    contract_settle(c);
    finish_two_in_order(c);
}

static void a_change_of_the_ordering_counts_for_what_waits_already(void **state)
{
    static const enum endpoint_ordering orderings[] = {ORDERING_NONE, ORDERING_ENDPOINT};
    struct contract *c = *state;

    contract_make_org(c, "org_a");
    for (size_t i = 0; i < 2; i++) {
        struct endpoint *patch = endpoint_new();
        struct endpoint_delete delete = {
                .org_id = STR("org_a"), .id = make_endpoint(c, ORDERING_CALL)};
        int64_t call = contract_make_call(c, "org_a", "+919876543210");

        (void)contract_set_file_status(c, call, FILE_UPLOADING);
        patch->ordering = orderings[i];
        assert_int_equal(contract_patch_endpoint(c, delete.id, ENDPOINT_ORDERING, patch), ERR_NONE);
        contract_answer(c, take_kind(c, EVENT_CALL_LOGGED), 200);
        contract_answer(c, take_kind(c, EVENT_RECORDING_UPDATED), 200);
        assert_int_equal(RUN(c, store_endpoint_delete, &delete), ERR_NONE);
    }
}

static void nothing_is_claimed_for_an_endpoint_in_the_transaction_that_disables_it(void **state)
{
    struct contract *c = *state;

    contract_make_org(c, "org_a");
    int64_t id = make_endpoint(c, ORDERING_CALL);
    make_calls(c, 1);
    contract_return(c, contract_take(c), CONTRACT_START_MS + HOUR_MS);
    clock_virtual_set(&c->clock, CONTRACT_START_MS + HOUR_MS);
    contract_enable(c, id, false);
    assert_int_equal(c->handed_count, 0);
    assert_int_equal(contract_count_deliveries(c, "org_a", DELIVERY_HELD), 1);
    contract_enable(c, id, true);
    contract_settle(c);
    assert_int_equal(c->handed_count, 1);
}

static void an_event_of_the_transaction_that_disables_an_endpoint_is_not_for_it(void **state)
{
    struct contract *c = *state;

    contract_make_org(c, "org_a");
    int64_t id = make_endpoint(c, ORDERING_CALL);
    make_calls(c, 1);
    contract_answer_all(c);
    clock_virtual_set(&c->clock, CONTRACT_START_MS + CALL_WATCHDOG_MS + HOUR_MS);
    contract_enable(c, id, false); /* the watchdog ends the recording's wait with it */
    assert_int_equal(contract_count_events(c, "org_a", EVENT_RECORDING_UPDATED), 1);
    assert_int_equal(contract_count_deliveries(c, "org_a", -1), 1);
}

static void an_endpoint_with_many_waiting_delays_no_other(void **state)
{
    struct contract *c = *state;
    struct endpoint *one_event = endpoint_new();
    bool other = false;

    contract_make_org(c, "org_a");
    contract_make_org(c, "org_b");
    (void)make_endpoint(c, ORDERING_NONE);
    make_calls(c, 600);
    int64_t small = contract_create_endpoint(c, "org_b", one_event);
    (void)contract_make_call(c, "org_b", "+919876543210");
    contract_reopen(c); /* all of them wait */
    for (const struct delivery *d = c->handed; d != NULL; d = (struct delivery *)d->op.mail.next)
        other = other || d->endpoint->id == small;
    assert_true(other);
    assert_in_range(c->handed_count, 2, WINDOW + 1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
            CONTRACT_TEST(what_has_no_room_waits_and_is_claimed_later),
            CONTRACT_TEST(memory_that_is_full_still_has_room_for_an_endpoint_with_nothing_in_it),
            CONTRACT_TEST(a_later_event_of_the_call_waits_until_the_earlier_is_finished),
            CONTRACT_TEST(
                    an_earlier_event_that_is_retrying_holds_a_later_one_for_15_minutes_at_most),
            CONTRACT_TEST(a_later_event_whose_time_is_up_goes_soon_after_the_attempt_under_way),
            CONTRACT_TEST(events_without_order_all_go_at_once),
            CONTRACT_TEST(strict_order_sends_one_after_the_other_whatever_call_they_are_of),
            CONTRACT_TEST(a_cancelled_head_lets_the_next_one_go),
            CONTRACT_TEST(order_is_kept_across_a_restart),
            CONTRACT_TEST(strict_order_is_kept_across_a_restart),
            CONTRACT_TEST(order_is_kept_across_a_long_time_disabled),
            CONTRACT_TEST(order_is_kept_when_both_are_replayed),
            CONTRACT_TEST(a_change_of_the_ordering_counts_for_what_waits_already),
            CONTRACT_TEST(nothing_is_claimed_for_an_endpoint_in_the_transaction_that_disables_it),
            CONTRACT_TEST(an_event_of_the_transaction_that_disables_an_endpoint_is_not_for_it),
            CONTRACT_TEST(an_endpoint_with_many_waiting_delays_no_other),
    };

    return CONTRACT_MAIN(argc, argv, tests);
}
