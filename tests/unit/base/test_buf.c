/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of base/buf: growing, the cap, and the failure that sticks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

static void an_empty_buffer_is_the_empty_string(void **state)
{
    struct buf buf = {0};

    (void)state;
    assert_true(str_is(buf_str(&buf), ""));
    assert_int_equal(buf_err(&buf), ERR_NONE);
    assert_non_null(buf_reserve(&buf, 0));
    buf_done(&buf);
    buf_done(&buf);
}

static void appends_follow_each_other(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 0);
    buf_add_text(&buf, "a=");
    buf_add_i64(&buf, INT64_MIN);
    buf_add_char(&buf, ' ');
    buf_add_i64(&buf, INT64_MAX);
    buf_add_str(&buf, STR(" \0."));
    buf_add_str(&buf, STR_NONE);
    buf_add(&buf, NULL, 0);
    buf_add_i64(&buf, 0);
    buf_addf(&buf, " %s-%03d", "x", 7);
    assert_true(
            str_equal(buf_str(&buf), STR("a=-9223372036854775808 9223372036854775807 \0.0 x-007")));
    buf_done(&buf);
}

static void many_appends_keep_every_byte(void **state)
{
    struct buf buf = {0};

    (void)state;
    for (size_t i = 0; i < 100000; i++)
        buf_add_char(&buf, (char)('a' + i % 26));
    assert_int_equal(buf.len, 100000);
    for (size_t i = 0; i < buf.len; i++)
        assert_int_equal(buf.ptr[i], 'a' + i % 26);
    buf_done(&buf);
}

static void a_format_longer_than_a_small_one_works(void **state)
{
    static const size_t lens[] = {255, 256, 257, 5000};

    (void)state;
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        struct buf buf = {0};

        buf_addf(&buf, "%0*d", (int)lens[i], 7);
        assert_int_equal(buf.len, lens[i]);
        assert_int_equal(buf.ptr[lens[i] - 1], '7');
        buf_done(&buf);
    }
}

static void the_cap_is_reached_but_not_passed(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 5);
    buf_add_text(&buf, "abc");
    buf_add_text(&buf, "de");
    assert_int_equal(buf_err(&buf), ERR_NONE);
    buf_add_char(&buf, 'f');
    assert_int_equal(buf_err(&buf), ERR_LIMIT);
    assert_true(str_is(buf_str(&buf), "abcde"));
    buf_done(&buf);
}

static void the_first_failure_sticks_until_cleared(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 4);
    buf_add_text(&buf, "ab");
    buf_addf(&buf, "%d", 12345);
    buf_add_char(&buf, 'c');
    assert_int_equal(buf_err(&buf), ERR_LIMIT);
    assert_true(str_is(buf_str(&buf), "ab"));
    assert_null(buf_reserve(&buf, 1));
    buf_clear(&buf);
    assert_int_equal(buf_err(&buf), ERR_NONE);
    buf_add_text(&buf, "abcd");
    assert_true(str_is(buf_str(&buf), "abcd"));
    buf_done(&buf);
}

static void without_a_cap_it_ends_at_64_mib(void **state)
{
    struct buf buf = {0};

    (void)state;
    assert_null(buf_reserve(&buf, 64u * 1024 * 1024 + 1));
    assert_int_equal(buf_err(&buf), ERR_LIMIT);
    buf_clear(&buf);
    assert_null(buf_reserve(&buf, SIZE_MAX));
    buf_done(&buf);
}

static void reserved_room_can_be_filled_by_hand(void **state)
{
    struct buf buf = {0};
    char *to;

    (void)state;
    buf_add_text(&buf, "x");
    to = buf_reserve(&buf, 1000);
    memset(to, 'y', 1000);
    buf.len += 1000;
    assert_int_equal(buf.len, 1001);
    assert_int_equal(buf.ptr[0], 'x');
    buf_done(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(an_empty_buffer_is_the_empty_string),
            cmocka_unit_test(appends_follow_each_other),
            cmocka_unit_test(many_appends_keep_every_byte),
            cmocka_unit_test(a_format_longer_than_a_small_one_works),
            cmocka_unit_test(the_cap_is_reached_but_not_passed),
            cmocka_unit_test(the_first_failure_sticks_until_cleared),
            cmocka_unit_test(without_a_cap_it_ends_at_64_mib),
            cmocka_unit_test(reserved_room_can_be_filled_by_hand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
