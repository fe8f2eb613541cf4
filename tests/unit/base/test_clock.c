/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of base/clock: real time, and time that a test moves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

static void the_real_clock_runs(void **state)
{
    const struct clock *clock = clock_real();
    int64_t start_us = clock_mono_us(clock);

    (void)state;
    assert_true(clock_wall_ms(clock) > INT64_C(1700000000000));
    assert_true(clock_wall_ms(clock) < INT64_C(4102444800000));
    while (clock_mono_us(clock) == start_us) {
        /* Microseconds pass by themselves. */
    }
    assert_true(clock_mono_us(clock) > start_us);
    assert_ptr_equal(clock_real(), clock);
}

static void the_virtual_clock_stands_still_until_moved(void **state)
{
    struct clock_virtual v;

    (void)state;
    clock_virtual_init(&v, 5000);
    assert_int_equal(clock_wall_ms(&v.clock), 5000);
    assert_int_equal(clock_wall_ms(&v.clock), 5000);
    assert_int_equal(clock_mono_us(&v.clock), 5000000);
    clock_virtual_set(&v, 604805000);
    assert_int_equal(clock_wall_ms(&v.clock), 604805000);
    assert_int_equal(clock_mono_us(&v.clock), INT64_C(604805000000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_real_clock_runs),
            cmocka_unit_test(the_virtual_clock_stands_still_until_moved),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
