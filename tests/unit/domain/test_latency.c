/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of domain/latency: buckets, percentiles, and the stored text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "domain/latency.h"

static void the_percentiles_of_nothing_are_zero(void **state)
{
    struct latency latency = {0};

    (void)state;
    assert_int_equal(latency_percentile_us(&latency, 0.5), 0);
}

static void a_percentile_is_the_upper_bound_of_its_bucket(void **state)
{
    struct latency latency = {0};

    (void)state;
    for (int i = 0; i < 90; i++)
        latency_add(&latency, 400);
    for (int i = 0; i < 10; i++)
        latency_add(&latency, 20000);
    assert_int_equal(latency_percentile_us(&latency, 0.5), 500);
    assert_int_equal(latency_percentile_us(&latency, 0.9), 500);
    assert_true(latency_percentile_us(&latency, 0.95) >= 20000);
    assert_true(latency_percentile_us(&latency, 0.95) <= 30000);
}

static void what_is_longer_than_all_bounds_goes_into_the_last_bucket(void **state)
{
    struct latency latency = {0};

    (void)state;
    latency_add(&latency, INT64_MAX);
    assert_int_equal(latency.count[LATENCY_BUCKETS - 1], 1);
}

static void what_was_written_reads_back(void **state)
{
    struct latency latency = {0};
    struct latency read = {0};
    CLEANUP(buf_done) struct buf text = {0};

    (void)state;
    latency_write(&text, &latency);
    assert_true(str_is(buf_str(&text), ""));
    latency_add(&latency, 1);
    latency_add(&latency, 1);
    latency_add(&latency, 700);
    latency_write(&text, &latency);
    assert_true(str_is(buf_str(&text), "0:2,1:1"));
    assert_int_equal(latency_parse(buf_str(&text), &read), ERR_NONE);
    assert_memory_equal(&read, &latency, sizeof(read));
}

static void a_text_of_somebody_else_is_corrupt(void **state)
{
    static const char *const texts[] = {"x",
            "1",
            "1:",
            "1:0",
            "1:-2",
            "32:1",
            "-1:1",
            "1:1,,",
            "1:1,",
            "1:1,1:1",
            "2:1,1:1",
            "01:1",
            "1:01",
            "0:9223372036854775807"};
    struct latency latency = {.count = {7}};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(latency_parse(str_from(texts[i]), &latency), ERR_CORRUPT);
        assert_int_equal(latency.count[0], 7); /* untouched */
    }
}

static void merging_adds_bucket_by_bucket(void **state)
{
    struct latency a = {.count = {1, 2}};
    struct latency b = {.count = {10, 0, 5}};

    (void)state;
    latency_merge(&a, &b);
    assert_int_equal(a.count[0], 11);
    assert_int_equal(a.count[1], 2);
    assert_int_equal(a.count[2], 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_percentiles_of_nothing_are_zero),
            cmocka_unit_test(a_percentile_is_the_upper_bound_of_its_bucket),
            cmocka_unit_test(what_is_longer_than_all_bounds_goes_into_the_last_bucket),
            cmocka_unit_test(what_was_written_reads_back),
            cmocka_unit_test(a_text_of_somebody_else_is_corrupt),
            cmocka_unit_test(merging_adds_bucket_by_bucket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
