/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of visitor_limit - budgets of each visitor and of all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "api/visitor_limit.h"
#include "base/cleanup.h"

DEFINE_CLEANUP(struct visitor_limit, visitor_limit_free)

enum { NOW_MS = 1000000, MINUTE_MS = 60000 };

static int take_many(struct visitor_limit *limit, const char *peer, int64_t now_ms)
{
    int count = 0;

    while (visitor_limit_take(limit, str_from(peer), now_ms) == 0)
        count++;
    return count;
}

static void test_each_visitor_has_a_budget_of_its_own(void **state)
{
    CLEANUP_PTR(visitor_limit_free) struct visitor_limit *limit = visitor_limit_new(10, 1000);

    (void)state;
    assert_int_equal(take_many(limit, "192.0.2.1", NOW_MS), 10);
    assert_int_equal(take_many(limit, "192.0.2.2", NOW_MS), 10);
}

static void test_the_budget_fills_evenly(void **state)
{
    CLEANUP_PTR(visitor_limit_free) struct visitor_limit *limit = visitor_limit_new(10, 1000);

    (void)state;
    assert_int_equal(take_many(limit, "192.0.2.1", NOW_MS), 10);
    assert_int_equal(visitor_limit_take(limit, STR("192.0.2.1"), NOW_MS), 6000);
    assert_int_equal(visitor_limit_take(limit, STR("192.0.2.1"), NOW_MS + 5999), 1);
    assert_int_equal(take_many(limit, "192.0.2.1", NOW_MS + 6000), 1);
    assert_int_equal(take_many(limit, "192.0.2.1", NOW_MS + 10 * MINUTE_MS), 10);
}

static void test_all_together_have_a_budget_too(void **state)
{
    CLEANUP_PTR(visitor_limit_free) struct visitor_limit *limit = visitor_limit_new(10, 100);
    int count = 0;

    (void)state;
    for (int i = 0; i < 50; i++) {
        char peer[32];

        (void)snprintf(peer, sizeof(peer), "192.0.2.%d", i);
        count += take_many(limit, peer, NOW_MS);
    }
    assert_int_equal(count, 100);
    assert_int_equal(visitor_limit_take(limit, STR("198.51.100.1"), NOW_MS), 600);
    /* What was refused did not count. */
    assert_int_equal(take_many(limit, "198.51.100.1", NOW_MS + MINUTE_MS), 10);
}

static void test_a_network_of_ipv6_is_one_visitor(void **state)
{
    CLEANUP_PTR(visitor_limit_free) struct visitor_limit *limit = visitor_limit_new(1, 1000);

    (void)state;
    assert_int_equal(visitor_limit_take(limit, STR("2001:db8:1:2::1"), NOW_MS), 0);
    assert_true(visitor_limit_take(limit, STR("2001:db8:1:2:ffff::9"), NOW_MS) > 0);
    assert_int_equal(visitor_limit_take(limit, STR("2001:db8:1:3::1"), NOW_MS), 0);
}

static void test_a_flood_of_visitors_frees_nobody_from_the_limit(void **state)
{
    CLEANUP_PTR(visitor_limit_free) struct visitor_limit *limit = visitor_limit_new(1, 1000);
    int allowed = 0;

    (void)state;
    assert_int_equal(visitor_limit_take(limit, STR("192.0.2.1"), NOW_MS), 0);
    for (int i = 0; i < 20000; i++) {
        char peer[32];

        (void)snprintf(peer, sizeof(peer), "10.%d.%d.1", i / 250, i % 250);
        allowed += visitor_limit_take(limit, str_from(peer), NOW_MS) == 0;
    }
    assert_int_equal(allowed, 999);
    assert_true(visitor_limit_take(limit, STR("192.0.2.1"), NOW_MS) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_each_visitor_has_a_budget_of_its_own),
            cmocka_unit_test(test_the_budget_fills_evenly),
            cmocka_unit_test(test_all_together_have_a_budget_too),
            cmocka_unit_test(test_a_network_of_ipv6_is_one_visitor),
            cmocka_unit_test(test_a_flood_of_visitors_frees_nobody_from_the_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
