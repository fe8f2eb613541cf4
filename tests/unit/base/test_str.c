/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of base/str: comparing, cutting, numbers and UTF-8. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"

static void none_is_not_the_empty_string(void **state)
{
    (void)state;
    assert_true(str_equal(STR_NONE, STR_NONE));
    assert_true(str_equal(STR(""), STR("")));
    assert_false(str_equal(STR_NONE, STR("")));
    assert_false(str_equal_nocase(STR_NONE, STR("")));
    assert_false(str_equal_secret(STR_NONE, STR("")));
    assert_null(str_from(NULL).ptr);
    assert_false(str_is(STR_NONE, ""));
    assert_true(str_is(str_from(""), ""));
}

static void equality_looks_at_every_byte(void **state)
{
    (void)state;
    assert_true(str_equal(STR("a\0b"), STR("a\0b")));
    assert_false(str_equal(STR("a\0b"), STR("a\0c")));
    assert_false(str_equal(STR("ab"), STR("abc")));
    assert_false(str_is(STR("a\0b"), "a"));
    assert_true(str_equal_secret(STR("key1"), STR("key1")));
    assert_false(str_equal_secret(STR("key1"), STR("key2")));
    assert_false(str_equal_secret(STR("key"), STR("key1")));
}

static void case_is_ignored_in_ascii_only(void **state)
{
    (void)state;
    assert_true(str_equal_nocase(STR("Content-TYPE"), STR("content-type")));
    assert_false(str_equal_nocase(STR("@"), STR("`")));
    assert_false(str_equal_nocase(STR("["), STR("{")));
    assert_false(str_equal_nocase(STR("\xC3\x89"), STR("\xC3\xA9")));
}

static void starts_and_ends_compare_the_edges(void **state)
{
    (void)state;
    assert_true(str_starts(STR("call_logged"), STR("call_")));
    assert_false(str_starts(STR("call"), STR("call_")));
    assert_false(str_starts(STR("xcall"), STR("call")));
    assert_true(str_starts(STR_NONE, STR("")));
    assert_false(str_starts(STR_NONE, STR("a")));
    assert_true(str_ends(STR("a.json"), STR(".json")));
    assert_false(str_ends(STR("json"), STR(".json")));
    assert_false(str_ends(STR(".jsonx"), STR(".json")));
    assert_true(str_ends(STR_NONE, STR("")));
}

static void a_character_is_found_from_an_offset(void **state)
{
    (void)state;
    assert_int_equal(str_find_char(STR("a,b,c"), ',', 0), 1);
    assert_int_equal(str_find_char(STR("a,b,c"), ',', 2), 3);
    assert_int_equal(str_find_char(STR("a,b,c"), ',', 4), -1);
    assert_int_equal(str_find_char(STR("abc"), ',', SIZE_MAX), -1);
    assert_int_equal(str_find_char(STR_NONE, ',', 0), -1);
}

static void a_slice_stays_inside(void **state)
{
    (void)state;
    assert_true(str_is(str_slice(STR("hello"), 1, 3), "ell"));
    assert_true(str_is(str_slice(STR("hello"), 3, SIZE_MAX), "lo"));
    assert_true(str_is(str_slice(STR("hello"), 5, 1), ""));
    assert_true(str_is(str_slice(STR("hello"), SIZE_MAX, SIZE_MAX), ""));
    assert_null(str_slice(STR_NONE, 0, 1).ptr);
}

static void trimming_takes_blanks_at_both_ends(void **state)
{
    (void)state;
    assert_true(str_is(str_trim(STR(" \t a b\t ")), "a b"));
    assert_true(str_is(str_trim(STR("\nx\n")), "\nx\n"));
    assert_true(str_is(str_trim(STR(" \t ")), ""));
    assert_null(str_trim(STR_NONE).ptr);
}

static void splitting_gives_every_part_once(void **state)
{
    struct str rest = STR("a,,b,");

    (void)state;
    assert_true(str_is(str_split(&rest, ','), "a"));
    assert_true(str_is(str_split(&rest, ','), ""));
    assert_true(str_is(str_split(&rest, ','), "b"));
    assert_non_null(rest.ptr);
    assert_true(str_is(str_split(&rest, ','), ""));
    assert_null(rest.ptr);
    assert_null(str_split(&rest, ',').ptr);
}

static void numbers_are_read_strictly(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t value;
    } rows[] = {
            {"0", true, 0},
            {"-0", true, 0},
            {"007", true, 7},
            {"-42", true, -42},
            {"9223372036854775807", true, INT64_MAX},
            {"-9223372036854775808", true, INT64_MIN},
            {"9223372036854775808", false, 0},
            {"-9223372036854775809", false, 0},
            {"99999999999999999999", false, 0},
            {"", false, 0},
            {"-", false, 0},
            {"--1", false, 0},
            {"+1", false, 0},
            {" 1", false, 0},
            {"1 ", false, 0},
            {"1.0", false, 0},
            {"0x10", false, 0},
            {"\xD9\xA1", false, 0}, /* a digit, but not an ASCII one */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t value = 77;

        assert_int_equal(str_to_i64(str_from(rows[i].text), &value), rows[i].ok);
        assert_int_equal(value, rows[i].ok ? rows[i].value : 77);
    }
    assert_false(str_to_i64(STR_NONE, &(int64_t){0}));
    assert_false(str_to_i64(STR("1\0"), &(int64_t){0}));
}

static void utf8_is_checked_to_the_letter(void **state)
{
    static const struct {
        const char *text;
        bool ok;
    } rows[] = {
            {"", true},
            {"plain", true},
            {"\x7f", true},
            {"\xC2\x80", true},         /* U+0080 */
            {"\xDF\xBF", true},         /* U+07FF */
            {"\xE0\xA0\x80", true},     /* U+0800 */
            {"\xED\x9F\xBF", true},     /* U+D7FF */
            {"\xEE\x80\x80", true},     /* U+E000 */
            {"\xEF\xBF\xBF", true},     /* U+FFFF */
            {"\xF0\x90\x80\x80", true}, /* U+10000 */
            {"\xF4\x8F\xBF\xBF", true}, /* U+10FFFF */
            {"\x80", false},            /* continuation first */
            {"\xBF", false},
            {"\xC0\x80", false}, /* overlong NUL */
            {"\xC1\xBF", false},
            {"\xE0\x9F\xBF", false}, /* overlong */
            {"\xF0\x8F\xBF\xBF", false},
            {"\xED\xA0\x80", false}, /* surrogates */
            {"\xED\xBF\xBF", false},
            {"\xF4\x90\x80\x80", false}, /* U+110000 */
            {"\xF5\x80\x80\x80", false},
            {"\xFF", false},
            {"\xC3", false}, /* cut */
            {"\xE2\x82", false},
            {"\xF0\x9F\x93", false},
            {"\xE2\x28\xA1", false}, /* broken inside */
            {"\xE2\x82\x28", false},
            {"\xF0\x9F\x28\x9E", false},
            {"\xF0\x9F\x93\x28", false},
            {"a\xC3\xA9\xFFz", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(str_is_utf8(str_from(rows[i].text)), rows[i].ok);
    assert_true(str_is_utf8(STR_NONE));
    assert_true(str_is_utf8(STR("a\0b")));
}

static void the_length_of_a_character_is_told(void **state)
{
    struct str s = STR("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x93\x9E");

    (void)state;
    assert_int_equal(str_utf8_len(s, 0), 1);
    assert_int_equal(str_utf8_len(s, 1), 2);
    assert_int_equal(str_utf8_len(s, 2), 0);
    assert_int_equal(str_utf8_len(s, 3), 3);
    assert_int_equal(str_utf8_len(s, 6), 4);
    assert_int_equal(str_utf8_len(s, s.len), 0);
    assert_int_equal(str_utf8_len(STR_NONE, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(none_is_not_the_empty_string),
            cmocka_unit_test(equality_looks_at_every_byte),
            cmocka_unit_test(case_is_ignored_in_ascii_only),
            cmocka_unit_test(starts_and_ends_compare_the_edges),
            cmocka_unit_test(a_character_is_found_from_an_offset),
            cmocka_unit_test(a_slice_stays_inside),
            cmocka_unit_test(trimming_takes_blanks_at_both_ends),
            cmocka_unit_test(splitting_gives_every_part_once),
            cmocka_unit_test(numbers_are_read_strictly),
            cmocka_unit_test(utf8_is_checked_to_the_letter),
            cmocka_unit_test(the_length_of_a_character_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
