/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of base/error: what is written, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/str.h"

static void a_failure_fills_code_and_text(void **state)
{
    struct error why = {.field = "old"};

    (void)state;
    assert_int_equal(error_set(&why, ERR_LIMIT, "more than %d things", 3), ERR_LIMIT);
    assert_int_equal(why.code, ERR_LIMIT);
    assert_string_equal(why.text, "more than 3 things");
    assert_string_equal(why.field, "");
}

static void a_field_can_be_named(void **state)
{
    struct error why = {0};

    (void)state;
    assert_int_equal(
            error_set_field(&why, ERR_INVALID, "staff.phone", "is no number"), ERR_INVALID);
    assert_string_equal(why.field, "staff.phone");
    assert_string_equal(why.text, "is no number");
}

static void nobody_needs_to_want_the_reason(void **state)
{
    (void)state;
    assert_int_equal(error_set(NULL, ERR_BUSY, "x"), ERR_BUSY);
    assert_int_equal(error_set_field(NULL, ERR_DENIED, "f", "x"), ERR_DENIED);
}

static void an_error_can_be_wrapped_in_itself(void **state)
{
    struct error why = {0};

    (void)state;
    error_set_field(&why, ERR_INVALID, "port", "too large");
    error_set_field(&why, ERR_UNAVAILABLE, why.field, "cannot start: %s", why.text);
    assert_string_equal(why.text, "cannot start: too large");
    assert_string_equal(why.field, "port");
}

static void the_text_is_one_line(void **state)
{
    struct error why = {0};

    (void)state;
    error_set_field(&why, ERR_INVALID, "a\nb", "one\r\ntwo\x1b[31m\x7f");
    assert_string_equal(why.text, "one  two [31m ");
    assert_string_equal(why.field, "a b");
}

static void the_text_is_utf8(void **state)
{
    struct error why = {0};

    (void)state;
    error_set(&why, ERR_INVALID, "near '\xC3' and \x80\xED\xA0\x80.");
    assert_string_equal(why.text, "near '?' and ????.");
    error_set(&why, ERR_INVALID, "\xFF");
    assert_true(str_is_utf8(str_from(why.text)));
}

static void a_long_text_is_cut_between_characters(void **state)
{
    static const struct {
        const char *character;
        size_t expected_len; /* the most whole characters behind one "x" in 239 bytes */
    } rows[] = {
            {"y", 239},
            {"\xC3\xA9", 239},         /* U+00E9 */
            {"\xE2\x82\xAC", 238},     /* U+20AC */
            {"\xF0\x9F\x93\x9E", 237}, /* U+1F4DE */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char long_text[1024] = "x";
        struct error why = {0};

        while (strlen(long_text) < 500)
            strcat(long_text, rows[i].character);
        error_set(&why, ERR_INVALID, "%s", long_text);
        assert_int_equal(strlen(why.text), rows[i].expected_len);
        assert_true(str_is_utf8(str_from(why.text)));
        assert_memory_equal(why.text, long_text, strlen(why.text));
    }
}

static void every_error_has_a_word_of_its_own(void **state)
{
    (void)state;
    assert_string_equal(err_name(ERR_NONE), "none");
    assert_string_equal(err_name(ERR_NOT_FOUND), "not_found");
    for (int a = ERR_NONE; a <= ERR_CORRUPT; a++) {
        assert_string_not_equal(err_name((enum err)a), "unknown");
        for (int b = ERR_NONE; b < a; b++)
            assert_string_not_equal(err_name((enum err)a), err_name((enum err)b));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_failure_fills_code_and_text),
            cmocka_unit_test(a_field_can_be_named),
            cmocka_unit_test(nobody_needs_to_want_the_reason),
            cmocka_unit_test(an_error_can_be_wrapped_in_itself),
            cmocka_unit_test(the_text_is_one_line),
            cmocka_unit_test(the_text_is_utf8),
            cmocka_unit_test(a_long_text_is_cut_between_characters),
            cmocka_unit_test(every_error_has_a_word_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
