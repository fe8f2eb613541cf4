/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of gates: windows, memory, due moments, and what a failed transaction takes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "domain/endpoint.h"
#include "store/gate.h"

#define NOW_MS INT64_C(1000000)

enum { WINDOW = 16 }; /* of a new gate */

static struct gate *put(struct gates *gates, int64_t id, const char *org_id)
{
    struct endpoint *endpoint = endpoint_new();

    endpoint->id = id;
    endpoint->org_id = arena_str(&endpoint->arena, str_from(org_id));
    return gates_put(gates, endpoint);
}

/* Replaces the snapshot by one with other settings. */
static void change(struct gates *gates,
        struct gate *gate,
        enum endpoint_ordering ordering,
        int64_t max_in_flight,
        int64_t rate_limit)
{
    struct endpoint *endpoint = endpoint_copy(gate->endpoint);

    endpoint->ordering = ordering;
    endpoint->max_in_flight = max_in_flight;
    endpoint->rate_limit = rate_limit;
    (void)gates_put(gates, endpoint);
}

static void enter(struct gates *gates, struct gate *gate, size_t deliveries)
{
    for (size_t i = 0; i < deliveries; i++)
        gate_enter(gates, gate);
    gates_commit(gates, NOW_MS);
}

static void leave(struct gates *gates, struct gate *gate, bool succeeded)
{
    gate_leave(gates, gate, true, succeeded);
    gates_commit(gates, NOW_MS);
}

static void due_at(struct gates *gates, struct gate *gate, int64_t at_ms)
{
    gate_due(gates, gate, at_ms);
    gates_commit(gates, NOW_MS);
}

static void gates_are_found_by_id_and_by_org(void **state)
{
    struct gates gates;

    gates_init(&gates, 100);
    struct gate *first = put(&gates, 1, "org_a");
    struct gate *second = put(&gates, 2, "org_a");
    (void)put(&gates, 3, "org_b");
    assert_ptr_equal(gates_find(&gates, 2), second);
    assert_ptr_equal(put(&gates, 2, "org_a"), second); /* a newer snapshot */
    assert_null(gates_find(&gates, 4));
    assert_ptr_equal(gates_of_org(&gates, STR("org_a")), first);
    assert_ptr_equal(first->next, second);
    assert_int_equal(gates_count_of_org(&gates, STR("org_a")), 2);
    gates_remove(&gates, 1);
    gates_remove(&gates, 1);
    assert_ptr_equal(gates_of_org(&gates, STR("org_a")), second);
    gates_remove(&gates, 2);
    assert_null(gates_of_org(&gates, STR("org_a")));
    assert_int_equal(gates_count_of_org(&gates, STR("org_a")), 0);
    gates_done(&gates);
    (void)state;
}

static void a_window_grows_with_each_success_and_halves_with_each_failure(void **state)
{
    struct gates gates;

    gates_init(&gates, 10000);
    struct gate *gate = put(&gates, 1, "org_a");
    assert_int_equal(gate_room(&gates, gate, NOW_MS), WINDOW);
    enter(&gates, gate, 10);
    assert_int_equal(gate_room(&gates, gate, NOW_MS), WINDOW - 10);
    for (int i = 0; i < 8; i++)
        leave(&gates, gate, true);
    assert_int_equal(gate->state.window, WINDOW + 8);
    leave(&gates, gate, false);
    assert_int_equal(gate->state.window, (WINDOW + 8) / 2);
    leave(&gates, gate, false);
    assert_int_equal(gate->state.window, ENDPOINT_IN_FLIGHT_DEFAULT); /* what it takes at once */
    enter(&gates, gate, 1);
    gate_leave(&gates, gate, false, false); /* returned: says nothing of the endpoint */
    gates_commit(&gates, NOW_MS);
    assert_int_equal(gate->state.window, ENDPOINT_IN_FLIGHT_DEFAULT);
    assert_int_equal(gates.in_memory, 0);
    gates_done(&gates);
    (void)state;
}

static void settings_bound_the_window(void **state)
{
    static const struct {
        enum endpoint_ordering ordering;
        int64_t max_in_flight, rate_limit;
        size_t lowest, highest;
    } cases[] = {
            {ORDERING_CALL, 10, 0, 10, GATE_WINDOW_MAX},
            {ORDERING_NONE, 100, 0, 100, GATE_WINDOW_MAX},
            {ORDERING_CALL, 10, 20, 10, 40},
            {ORDERING_CALL, 10, 1, 10, 10},
            {ORDERING_CALL, 1, 10000, 1, GATE_WINDOW_MAX},
            {ORDERING_ENDPOINT, 10, 0, 1, 1},
    };
    struct gates gates;

    gates_init(&gates, 100000);
    struct gate *gate = put(&gates, 1, "org_a");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        change(&gates, gate, cases[i].ordering, cases[i].max_in_flight, cases[i].rate_limit);
        for (int j = 0; j < GATE_WINDOW_MAX; j++) {
            enter(&gates, gate, 1);
            leave(&gates, gate, true);
        }
        assert_int_equal(gate->state.window, cases[i].highest);
        for (int j = 0; j < WINDOW; j++) {
            enter(&gates, gate, 1);
            leave(&gates, gate, false);
        }
        assert_int_equal(gate->state.window, cases[i].lowest);
    }
    gates_done(&gates);
    (void)state;
}

static void full_memory_starves_no_endpoint_that_has_nothing_in_it(void **state)
{
    struct gates gates;

    gates_init(&gates, 6);
    struct gate *full = put(&gates, 1, "org_a");
    struct gate *empty = put(&gates, 2, "org_a");
    assert_int_equal(gate_room(&gates, full, NOW_MS), 6); /* not the whole window */
    enter(&gates, full, 4);
    assert_int_equal(gate_room(&gates, full, NOW_MS), 2);
    assert_int_equal(gate_room(&gates, empty, NOW_MS), 2);
    enter(&gates, full, 2);
    assert_int_equal(gate_room(&gates, full, NOW_MS), 0);
    assert_false(gate_may_hand_over(&gates, full, NOW_MS));
    assert_int_equal(gate_room(&gates, empty, NOW_MS), 1);
    assert_true(gate_may_hand_over(&gates, empty, NOW_MS));
    due_at(&gates, full, NOW_MS);
    assert_null(gates_first_due(&gates, NOW_MS));
    due_at(&gates, empty, NOW_MS);
    assert_ptr_equal(gates_first_due(&gates, NOW_MS), empty);
    enter(&gates, empty, 1);
    assert_int_equal(gate_room(&gates, empty, NOW_MS), 0);
    assert_null(gates_first_due(&gates, NOW_MS));
    leave(&gates, empty, true); /* it has nothing again, and more than one is stored */
    assert_ptr_equal(gates_first_due(&gates, NOW_MS), empty);
    leave(&gates, full, true);
    leave(&gates, full, true);
    assert_ptr_not_equal(gates_first_due(&gates, NOW_MS), NULL);
    gates_done(&gates);
    (void)state;
}

static void a_new_delivery_goes_behind_stored_ones_that_are_due(void **state)
{
    struct gates gates;

    gates_init(&gates, 100);
    struct gate *gate = put(&gates, 1, "org_a");
    assert_true(gate_may_hand_over(&gates, gate, NOW_MS));
    due_at(&gates, gate, NOW_MS + 1);
    assert_true(gate_may_hand_over(&gates, gate, NOW_MS));
    assert_false(gate_may_hand_over(&gates, gate, NOW_MS + 1));
    change(&gates, gate, ORDERING_ENDPOINT, 10, 0); /* strict: behind all stored ones */
    assert_false(gate_may_hand_over(&gates, gate, NOW_MS));
    gates_done(&gates);
    (void)state;
}

static void nothing_goes_to_an_endpoint_that_is_held_disabled_or_changing(void **state)
{
    struct gates gates;

    gates_init(&gates, 100);
    struct gate *gate = put(&gates, 1, "org_a");
    due_at(&gates, gate, NOW_MS);
    gate->state.hold_until_ms = NOW_MS + 5;
    gate_schedule(&gates, gate, NOW_MS);
    assert_int_equal(gates_next_due_ms(&gates), NOW_MS + 5);
    assert_int_equal(gate_room(&gates, gate, NOW_MS + 4), 0);
    assert_int_equal(gate_room(&gates, gate, NOW_MS + 5), WINDOW);
    gate->state.changing = true;
    assert_int_equal(gate_room(&gates, gate, NOW_MS + 5), 0);
    struct endpoint *disabled = endpoint_copy(gate->endpoint);
    disabled->enabled = false;
    (void)gates_put(&gates, disabled);
    gate_schedule(&gates, gate, NOW_MS);
    assert_int_equal(gate_room(&gates, gate, NOW_MS + 5), 0);
    assert_int_equal(gates_next_due_ms(&gates), INT64_MAX);
    gates_done(&gates);
    (void)state;
}

static void closed_gates_let_nothing_through(void **state)
{
    struct gates gates;

    gates_init(&gates, 100);
    struct gate *gate = put(&gates, 1, "org_a");
    due_at(&gates, gate, NOW_MS);
    gates.closed = true;
    assert_false(gate_may_hand_over(&gates, gate, NOW_MS));
    assert_int_equal(gate_room(&gates, gate, NOW_MS), 0);
    assert_int_equal(gates_next_due_ms(&gates), INT64_MAX);
    gates_done(&gates);
    (void)state;
}

static void a_claim_waits_until_a_quarter_of_the_window_is_free(void **state)
{
    struct gates gates;

    gates_init(&gates, 100);
    struct gate *gate = put(&gates, 1, "org_a");
    enter(&gates, gate, WINDOW);
    due_at(&gates, gate, NOW_MS);
    for (int i = 0; i < WINDOW / 4; i++) {
        assert_null(gates_first_due(&gates, NOW_MS));
        gate_leave(&gates, gate, false, false);
        gates_commit(&gates, NOW_MS);
    }
    assert_null(gates_first_due(&gates, NOW_MS));
    gate_leave(&gates, gate, false, false);
    gates_commit(&gates, NOW_MS);
    assert_ptr_equal(gates_first_due(&gates, NOW_MS), gate);
    gates_done(&gates);
    (void)state;
}

static void who_has_waited_longest_is_first_and_goes_behind_the_others_after_its_turn(void **state)
{
    enum { GATES = 5 };
    struct gates gates;
    struct gate *all[GATES];

    gates_init(&gates, 100);
    for (int i = 0; i < GATES; i++) {
        all[i] = put(&gates, i + 1, "org_a");
        gate_due(&gates, all[i], NOW_MS + i);
    }
    gates_commit(&gates, NOW_MS);
    assert_null(gates_first_due(&gates, NOW_MS - 1));
    assert_int_equal(gates_next_due_ms(&gates), NOW_MS);
    /* However deep their backlogs (each is due since long), nobody is passed over. */
    for (int turn = 0; turn < 3 * GATES; turn++) {
        int64_t now_ms = NOW_MS + GATES + turn;
        struct gate *first = gates_first_due(&gates, now_ms);

        assert_ptr_equal(first, all[turn % GATES]);
        gates_touch(&gates, first);
        heap_remove(&gates.due, &first->due);
        gates_commit(&gates, now_ms);
    }
    gates_done(&gates);
    (void)state;
}

static void assert_same_state(const struct gate_state *a, const struct gate_state *b)
{
    assert_int_equal(a->in_memory, b->in_memory);
    assert_int_equal(a->window, b->window);
    assert_int_equal(a->next_due_ms, b->next_due_ms);
    assert_int_equal(a->may_block, b->may_block);
    assert_int_equal(a->disabling, b->disabling);
    assert_int_equal(a->changing, b->changing);
    assert_int_equal(a->hold_until_ms, b->hold_until_ms);
    assert_int_equal(a->failing_since_ms, b->failing_since_ms);
    assert_int_equal(a->failing_count, b->failing_count);
    assert_int_equal(a->stat.failed, b->stat.failed);
}

static void a_rollback_puts_states_memory_and_the_heap_back(void **state)
{
    struct gates gates;

    gates_init(&gates, 100);
    struct gate *busy = put(&gates, 1, "org_a");
    struct gate *idle = put(&gates, 2, "org_a");
    enter(&gates, busy, 3);
    due_at(&gates, busy, NOW_MS + 7);
    const struct gate_state before = busy->state;
    const struct gate_state idle_before = idle->state;

    gate_leave(&gates, busy, true, false);
    gate_due(&gates, busy, NOW_MS);
    busy->state.may_block = true;
    busy->state.disabling = true;
    busy->state.changing = true;
    busy->state.failing_count = 9;
    busy->state.failing_since_ms = NOW_MS;
    busy->state.hold_until_ms = NOW_MS;
    busy->state.stat.failed = 4;
    heap_remove(&gates.due, &busy->due); /* as a claim does */
    gate_enter(&gates, idle);
    gate_enter(&gates, idle);
    gate_due(&gates, idle, NOW_MS);
    gates_rollback(&gates, NOW_MS);
    assert_same_state(&busy->state, &before);
    assert_same_state(&idle->state, &idle_before);
    assert_int_equal(gates.in_memory, 3);
    assert_int_equal(gates_next_due_ms(&gates), NOW_MS + 7);
    assert_false(heap_has(&idle->due));

    gate_enter(&gates, idle); /* the next transaction begins anew */
    gates_commit(&gates, NOW_MS);
    gates_rollback(&gates, NOW_MS); /* nothing is open: nothing is taken back */
    assert_int_equal(gates.in_memory, 4);
    assert_int_equal(idle->state.in_memory, 1);
    gates_done(&gates);
    (void)state;
}

static void a_cancelled_delivery_is_remembered_until_it_is_back(void **state)
{
    struct gates gates;

    gates_init(&gates, 100);
    gates_put_cancelled(&gates, 7);
    gates_put_cancelled(&gates, 7);
    gates_put_cancelled(&gates, 8);
    assert_true(gates_has_cancelled(&gates, 7));
    gates_drop_cancelled(&gates, 7);
    gates_drop_cancelled(&gates, 7);
    assert_false(gates_has_cancelled(&gates, 7));
    assert_true(gates_has_cancelled(&gates, 8));
    gates_done(&gates);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(gates_are_found_by_id_and_by_org),
            cmocka_unit_test(a_window_grows_with_each_success_and_halves_with_each_failure),
            cmocka_unit_test(settings_bound_the_window),
            cmocka_unit_test(full_memory_starves_no_endpoint_that_has_nothing_in_it),
            cmocka_unit_test(a_new_delivery_goes_behind_stored_ones_that_are_due),
            cmocka_unit_test(nothing_goes_to_an_endpoint_that_is_held_disabled_or_changing),
            cmocka_unit_test(closed_gates_let_nothing_through),
            cmocka_unit_test(a_claim_waits_until_a_quarter_of_the_window_is_free),
            cmocka_unit_test(
                    who_has_waited_longest_is_first_and_goes_behind_the_others_after_its_turn),
            cmocka_unit_test(a_rollback_puts_states_memory_and_the_heap_back),
            cmocka_unit_test(a_cancelled_delivery_is_remembered_until_it_is_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
