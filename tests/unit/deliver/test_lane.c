/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of deliver/lane: what may start when, which snapshot counts, what is given back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "deliver/lane.h"

enum { DELIVERIES = 8 };

static const int64_t NOW_MS = INT64_C(1777377493000);

/* A lane with deliveries to push, each with a reference to the first snapshot. */
struct fixture {
    struct endpoint *endpoint;
    struct lane *lane;
    struct delivery deliveries[DELIVERIES];
};

static struct endpoint *new_endpoint(int64_t updated_at_ms)
{
    struct endpoint *endpoint = endpoint_new();

    endpoint->id = 77;
    endpoint->max_in_flight = 2;
    endpoint->updated_at_ms = updated_at_ms;
    return endpoint;
}

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.endpoint = new_endpoint(NOW_MS)};
    fixture.lane = lane_new(fixture.endpoint);
    for (int i = 0; i < DELIVERIES; i++) {
        fixture.deliveries[i].id = i;
        fixture.deliveries[i].endpoint = endpoint_ref(fixture.endpoint);
    }
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    (void)lane_take_all(fixture->lane);
    while (fixture->lane->in_flight > 0)
        lane_ended(fixture->lane);
    lane_free(fixture->lane);
    for (int i = 0; i < DELIVERIES; i++)
        endpoint_unref(fixture->deliveries[i].endpoint);
    endpoint_unref(fixture->endpoint);
    return 0;
}

static void push(struct fixture *fixture, int count)
{
    for (int i = 0; i < count; i++)
        lane_push(fixture->lane, &fixture->deliveries[i]);
}

/* The id of the delivery that may start; -1: none. */
static int64_t take(struct fixture *fixture, int64_t now_ms)
{
    int64_t look_at_ms;
    struct delivery *delivery = lane_take(fixture->lane, now_ms, &look_at_ms);

    return delivery != NULL ? delivery->id : -1;
}

/* When the lane wants to be asked again; nothing may start now. */
static int64_t look_at(struct fixture *fixture, int64_t now_ms)
{
    int64_t look_at_ms = -1;

    assert_null(lane_take(fixture->lane, now_ms, &look_at_ms));
    return look_at_ms;
}

/* The lane gets new settings. */
static void change(struct fixture *fixture, struct endpoint *take_endpoint, bool deleted)
{
    lane_set_endpoint(fixture->lane, take_endpoint, deleted);
    endpoint_unref(take_endpoint);
}

static bool is_shut(const struct fixture *fixture)
{
    int64_t due_at_ms;

    return lane_is_shut(fixture->lane, NOW_MS, &due_at_ms);
}

static void no_more_than_max_in_flight_start(void **state)
{
    struct fixture *fixture = *state;

    push(fixture, 4);
    assert_int_equal(take(fixture, NOW_MS), 0);
    assert_int_equal(take(fixture, NOW_MS), 1);
    assert_int_equal(look_at(fixture, NOW_MS), INT64_MAX);
    lane_ended(fixture->lane);
    assert_int_equal(take(fixture, NOW_MS), 2);
    assert_int_equal(take(fixture, NOW_MS), -1);
}

static void with_strict_order_one_starts_at_a_time(void **state)
{
    struct fixture *fixture = *state;

    fixture->endpoint->ordering = ORDERING_ENDPOINT;
    push(fixture, 3);
    assert_int_equal(take(fixture, NOW_MS), 0);
    assert_int_equal(take(fixture, NOW_MS), -1);
    lane_ended(fixture->lane);
    assert_int_equal(take(fixture, NOW_MS), 1);
}

static void nothing_starts_during_a_hold(void **state)
{
    struct fixture *fixture = *state;

    push(fixture, 2);
    lane_hold(fixture->lane, NOW_MS + 700);
    lane_hold(fixture->lane, NOW_MS + 300); /* a shorter one does not shorten it */
    assert_int_equal(look_at(fixture, NOW_MS), NOW_MS + 700);
    assert_int_equal(look_at(fixture, NOW_MS + 699), NOW_MS + 700);
    assert_int_equal(take(fixture, NOW_MS + 700), 0);
}

static void a_rate_spreads_the_starts(void **state)
{
    struct fixture *fixture = *state;
    struct endpoint *limited = new_endpoint(NOW_MS + 1);

    limited->rate_limit = 4;
    limited->max_in_flight = 100;
    change(fixture, limited, false);
    push(fixture, 3);
    assert_int_equal(take(fixture, NOW_MS), 0);
    assert_int_equal(look_at(fixture, NOW_MS), NOW_MS + 250);
    assert_int_equal(take(fixture, NOW_MS + 250), 1);
    assert_int_equal(lane_idle_at_ms(fixture->lane), INT64_MAX);
}

static void a_delivery_starts_with_the_newest_settings(void **state)
{
    struct fixture *fixture = *state;
    struct endpoint *newer = new_endpoint(NOW_MS + 5);

    push(fixture, 1);
    change(fixture, newer, false);
    assert_int_equal(take(fixture, NOW_MS), 0);
    assert_ptr_equal(fixture->deliveries[0].endpoint, newer);
}

static void a_delivery_brings_newer_settings(void **state)
{
    struct fixture *fixture = *state;
    struct endpoint *newer = new_endpoint(NOW_MS + 5);

    newer->enabled = false;
    endpoint_unref(fixture->deliveries[0].endpoint);
    fixture->deliveries[0].endpoint = newer;
    push(fixture, 1);
    assert_true(is_shut(fixture));
}

static void a_delivery_does_not_bring_older_settings_back(void **state)
{
    struct fixture *fixture = *state;
    struct endpoint *newer = new_endpoint(NOW_MS + 5);

    newer->enabled = false;
    change(fixture, newer, false);
    push(fixture, 1);
    assert_true(is_shut(fixture));
}

static void a_lane_is_shut_when_disabled_deleted_or_held_for_long(void **state)
{
    struct fixture *fixture = *state;
    int64_t due_at_ms = -1;

    assert_false(is_shut(fixture));
    lane_hold(fixture->lane, NOW_MS + LANE_HOLD_MAX_MS);
    assert_false(is_shut(fixture));
    lane_hold(fixture->lane, NOW_MS + LANE_HOLD_MAX_MS + 1);
    assert_true(lane_is_shut(fixture->lane, NOW_MS, &due_at_ms));
    assert_int_equal(due_at_ms, NOW_MS + LANE_HOLD_MAX_MS + 1);

    change(fixture, new_endpoint(NOW_MS + 1), true);
    assert_true(lane_is_shut(fixture->lane, NOW_MS + 5000, &due_at_ms));
    assert_int_equal(due_at_ms, NOW_MS + 5000);
}

static void a_hold_of_the_snapshot_counts(void **state)
{
    struct fixture *fixture = *state;
    struct endpoint *held = new_endpoint(NOW_MS + 1);

    held->hold_until_ms = NOW_MS + 60000;
    change(fixture, held, false);
    assert_true(is_shut(fixture));
}

static void enabling_ends_a_hold(void **state)
{
    struct fixture *fixture = *state;
    struct endpoint *enabled = new_endpoint(NOW_MS + 1);

    lane_hold(fixture->lane, NOW_MS + 60000);
    change(fixture, new_endpoint(NOW_MS + 1), false); /* other settings do not */
    assert_true(is_shut(fixture));
    enabled->enabled_at_ms = NOW_MS + 1;
    change(fixture, enabled, false);
    assert_false(is_shut(fixture));
}

static void the_queue_is_given_back_in_its_order(void **state)
{
    struct fixture *fixture = *state;

    push(fixture, 4);
    assert_int_equal(take(fixture, NOW_MS), 0);
    struct mail *mail = &lane_take_all(fixture->lane)->op.mail;
    for (int id = 1; id < 4; id++, mail = mail->next)
        assert_int_equal(((struct delivery *)mail)->id, id);
    assert_null(mail);
    assert_null(lane_take_all(fixture->lane));
    assert_int_equal(take(fixture, NOW_MS), -1);
}

static void a_cancelled_one_leaves_the_queue_and_the_others_keep_their_order(void **state)
{
    static const struct {
        int64_t gone;
        int64_t first, last;
    } table[] = {{0, 1, 2}, {1, 0, 2}, {2, 0, 1}};
    struct fixture *fixture = *state;
    struct lane *lane = fixture->lane;

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        push(fixture, 3);
        assert_ptr_equal(lane_remove(lane, table[i].gone), &fixture->deliveries[table[i].gone]);
        assert_null(lane_remove(lane, table[i].gone));
        assert_int_equal(lane->queued, 2);
        assert_int_equal(lane->first->id, table[i].first);
        assert_int_equal(lane->last->id, table[i].last);
        assert_ptr_equal(lane->first->op.mail.next, &lane->last->op.mail);
        assert_null(lane->last->op.mail.next);
        (void)lane_take_all(lane);
    }
}

static void the_only_one_that_is_cancelled_leaves_an_empty_queue(void **state)
{
    struct fixture *fixture = *state;

    push(fixture, 1);
    assert_non_null(lane_remove(fixture->lane, 0));
    assert_null(fixture->lane->first);
    assert_null(fixture->lane->last);
    push(fixture, 1);
    assert_int_equal(take(fixture, NOW_MS), 0);
}

static void a_lane_is_idle_when_it_would_make_no_difference(void **state)
{
    struct fixture *fixture = *state;

    assert_true(lane_idle_at_ms(fixture->lane) <= NOW_MS);
    push(fixture, 1);
    assert_int_equal(lane_idle_at_ms(fixture->lane), INT64_MAX);
    assert_int_equal(take(fixture, NOW_MS), 0);
    assert_int_equal(lane_idle_at_ms(fixture->lane), INT64_MAX);
    lane_ended(fixture->lane);
    assert_true(lane_idle_at_ms(fixture->lane) <= NOW_MS);
    lane_hold(fixture->lane, NOW_MS + 900);
    assert_int_equal(lane_idle_at_ms(fixture->lane), NOW_MS + 900);
    change(fixture, new_endpoint(NOW_MS + 1), true);
    assert_true(lane_idle_at_ms(fixture->lane) <= NOW_MS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
            TEST(no_more_than_max_in_flight_start),
            TEST(with_strict_order_one_starts_at_a_time),
            TEST(nothing_starts_during_a_hold),
            TEST(a_rate_spreads_the_starts),
            TEST(a_delivery_starts_with_the_newest_settings),
            TEST(a_delivery_brings_newer_settings),
            TEST(a_delivery_does_not_bring_older_settings_back),
            TEST(a_lane_is_shut_when_disabled_deleted_or_held_for_long),
            TEST(a_hold_of_the_snapshot_counts),
            TEST(enabling_ends_a_hold),
            TEST(the_queue_is_given_back_in_its_order),
            TEST(a_cancelled_one_leaves_the_queue_and_the_others_keep_their_order),
            TEST(the_only_one_that_is_cancelled_leaves_an_empty_queue),
            TEST(a_lane_is_idle_when_it_would_make_no_difference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
