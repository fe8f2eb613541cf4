/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of timers - firing in time, once, and all of them at the end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "api/timers.h"

struct probe_timer {
    struct timer timer; /* first */
    int fired;
    struct timers *timers; /* not NULL: set again when it fires */
    bool was_added;
};

static void fire(struct timer *timer)
{
    struct probe_timer *probe = (struct probe_timer *)timer;

    probe->fired++;
    if (probe->timers != NULL)
        probe->was_added = timers_add(probe->timers, timer, 0);
}

static void test_fires_once_when_the_moment_has_come(void **state)
{
    struct timers *timers = timers_new();
    struct probe_timer early = {.timer.fire = fire};
    struct probe_timer late = {.timer.fire = fire};

    (void)state;
    assert_true(timers_add(timers, &late.timer, 200));
    assert_true(timers_add(timers, &early.timer, 100));
    timers_tick(timers, 99);
    assert_int_equal(early.fired, 0);
    timers_tick(timers, 100);
    assert_int_equal(early.fired, 1);
    assert_int_equal(late.fired, 0);
    timers_tick(timers, 1000);
    timers_tick(timers, 1000);
    assert_int_equal(early.fired, 1);
    assert_int_equal(late.fired, 1);
    timers_free(timers);
}

static void test_draining_fires_all_and_takes_no_more(void **state)
{
    struct timers *timers = timers_new();
    struct probe_timer one = {.timer.fire = fire, .timers = timers, .was_added = true};

    (void)state;
    assert_true(timers_add(timers, &one.timer, INT64_MAX));
    timers_drain(timers);
    assert_int_equal(one.fired, 1);
    assert_false(one.was_added);
    timers_free(timers);
}

static void test_takes_no_more_than_its_maximum(void **state)
{
    static struct probe_timer many[TIMERS_MAX + 1];
    struct timers *timers = timers_new();

    (void)state;
    for (int i = 0; i <= TIMERS_MAX; i++)
        many[i].timer.fire = fire;
    for (int i = 0; i < TIMERS_MAX; i++)
        assert_true(timers_add(timers, &many[i].timer, i));
    assert_false(timers_add(timers, &many[TIMERS_MAX].timer, 1));
    timers_tick(timers, 0);
    assert_true(timers_add(timers, &many[TIMERS_MAX].timer, 1));
    timers_drain(timers);
    for (int i = 0; i <= TIMERS_MAX; i++)
        assert_int_equal(many[i].fired, 1);
    timers_free(timers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_fires_once_when_the_moment_has_come),
            cmocka_unit_test(test_draining_fires_all_and_takes_no_more),
            cmocka_unit_test(test_takes_no_more_than_its_maximum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
