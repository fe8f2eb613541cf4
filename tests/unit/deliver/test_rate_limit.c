/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of deliver/rate_limit: how many starts fit into a second, and the waits between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#include "deliver/rate_limit.h"

enum { SECONDS = 5, SECOND_MS = 1000 };

static const int64_t NOW_MS = INT64_C(1777377493000);

static void no_limit_never_waits(void **state)
{
    struct rate_limit rate = {0};

    (void)state;
    for (int i = 0; i < 100000; i++)
        assert_int_equal(rate_limit_take(&rate, NOW_MS), 0);
    assert_true(rate_limit_idle_at_ms(&rate) <= NOW_MS);
}

/* Starts as much as it may in each millisecond; counts the starts. */
static void start_all(int64_t per_second, int64_t starts[SECONDS * SECOND_MS])
{
    struct rate_limit rate = {0};

    rate_limit_set(&rate, per_second);
    for (int64_t ms = 0; ms < SECONDS * SECOND_MS; ms++)
        while (rate_limit_take(&rate, NOW_MS + ms) == 0)
            starts[ms]++;
}

static void no_second_has_more_starts_than_the_rate_and_its_burst(void **state)
{
    static const int64_t rates[] = {1, 2, 3, 7, 10, 99, 100, 333, 1000, 3000, 10000};

    (void)state;
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        int64_t starts[SECONDS * SECOND_MS] = {0};
        int64_t burst = rates[i] / 10 > 1 ? rates[i] / 10 : 1;
        int64_t sum = 0;

        start_all(rates[i], starts);
        for (int ms = 0; ms < SECONDS * SECOND_MS; ms++) {
            sum += starts[ms] - (ms >= SECOND_MS ? starts[ms - SECOND_MS] : 0);
            assert_true(sum <= rates[i] + burst);
        }
    }
}

static void the_rate_is_reached(void **state)
{
    static const int64_t rates[] = {1, 3, 10, 100, 1000, 10000};

    (void)state;
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        int64_t starts[SECONDS * SECOND_MS] = {0};
        int64_t sum = 0;

        start_all(rates[i], starts);
        for (int ms = 0; ms < SECONDS * SECOND_MS; ms++)
            sum += starts[ms];
        assert_true(sum >= rates[i] * SECONDS);
    }
}

static void a_wait_says_when_the_next_one_may_start(void **state)
{
    struct rate_limit rate = {0};

    (void)state;
    rate_limit_set(&rate, 2);
    assert_int_equal(rate_limit_take(&rate, NOW_MS), 0);
    assert_int_equal(rate_limit_take(&rate, NOW_MS), 500);
    assert_int_equal(rate_limit_take(&rate, NOW_MS + 499), 1);
    assert_int_equal(rate_limit_take(&rate, NOW_MS + 500), 0);
    assert_int_equal(rate_limit_idle_at_ms(&rate), NOW_MS + 1000);
}

static void a_clock_that_is_set_back_delays_by_an_interval_at_most(void **state)
{
    struct rate_limit rate = {0};
    int64_t hour_ago_ms = NOW_MS - INT64_C(3600) * 1000;

    (void)state;
    rate_limit_set(&rate, 10);
    assert_int_equal(rate_limit_take(&rate, NOW_MS), 0);
    assert_true(rate_limit_take(&rate, hour_ago_ms) <= 100);
    assert_int_equal(rate_limit_take(&rate, hour_ago_ms + 100), 0);
}

static void lifting_the_limit_forgets_what_was_started(void **state)
{
    struct rate_limit rate = {0};

    (void)state;
    rate_limit_set(&rate, 1);
    assert_int_equal(rate_limit_take(&rate, NOW_MS), 0);
    assert_true(rate_limit_take(&rate, NOW_MS) > 0);
    rate_limit_set(&rate, 0);
    assert_int_equal(rate_limit_take(&rate, NOW_MS), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(no_limit_never_waits),
            cmocka_unit_test(no_second_has_more_starts_than_the_rate_and_its_burst),
            cmocka_unit_test(the_rate_is_reached),
            cmocka_unit_test(a_wait_says_when_the_next_one_may_start),
            cmocka_unit_test(a_clock_that_is_set_back_delays_by_an_interval_at_most),
            cmocka_unit_test(lifting_the_limit_forgets_what_was_started),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
