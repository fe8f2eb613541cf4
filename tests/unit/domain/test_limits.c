/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of domain/limits. */
#include "assert_str.h"
#include "domain/limits.h"

/* len times "a" in ret_text, which has room for it. */
static struct str repeat(char *ret_text, size_t len)
{
    memset(ret_text, 'a', len);
    return (struct str){ret_text, len};
}

static void ids_are_1_to_64_of_a_few_characters(void **state)
{
    static const char *const good[] = {"a", "emp_7721", "A-Z.0_9", "."};
    static const char *const bad[] = {NULL, "", "a b", "a/b", "\xC3\xA4", "a\n", "a:b"};
    char text[LIMIT_CLIENT_ID_BYTES + 1];
    struct error why = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        assert_int_equal(limits_check_id(str_from(good[i]), NULL), ERR_NONE);
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(limits_check_id(str_from(bad[i]), NULL), ERR_INVALID);
    assert_int_equal(limits_check_id(repeat(text, LIMIT_CLIENT_ID_BYTES), NULL), ERR_NONE);
    assert_int_equal(limits_check_id(repeat(text, LIMIT_CLIENT_ID_BYTES + 1), &why), ERR_INVALID);
    assert_string_equal(why.text, "must be 1 to 64 characters of A-Z a-z 0-9 _ . -");
}

static void texts_have_no_control_characters(void **state)
{
    static const struct {
        const char *text;
        enum err one_line;
        enum err multiline;
    } rows[] = {
            {"J\xC3\xBCrgen \xE2\x82\xAC \xF0\x9F\x93\x9E", ERR_NONE, ERR_NONE},
            {"non\xC2\xA0"
             "breaking",
                    ERR_NONE,
                    ERR_NONE},
            {"two\nlines", ERR_INVALID, ERR_NONE},
            {"a\ttab", ERR_INVALID, ERR_NONE},
            {"a\rreturn", ERR_INVALID, ERR_INVALID},
            {"\x1B[31m", ERR_INVALID, ERR_INVALID},
            {"\x7F", ERR_INVALID, ERR_INVALID},
            {"\xC2\x9B"
             "31m",
                    ERR_INVALID,
                    ERR_INVALID},
            {"", ERR_INVALID, ERR_INVALID},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str text = str_from(rows[i].text);

        assert_int_equal(limits_check_text(text, 100, false, NULL), rows[i].one_line);
        assert_int_equal(limits_check_text(text, 100, true, NULL), rows[i].multiline);
    }
}

static void texts_have_a_length(void **state)
{
    struct error why = {0};

    (void)state;
    assert_int_equal(limits_check_text(STR("12345"), 5, false, NULL), ERR_NONE);
    assert_int_equal(limits_check_text(STR("123456"), 5, false, &why), ERR_INVALID);
    assert_string_equal(why.text, "must be 1 to 5 bytes");
    assert_int_equal(limits_check_text(STR_NONE, 5, false, NULL), ERR_INVALID);
    assert_int_equal(limits_check_text(STR("a\0b"), 5, true, &why), ERR_INVALID);
    assert_string_equal(why.text, "must have no control characters but newline and tab");
}

static void emails_have_one_at_between_something(void **state)
{
    static const char *const good[] = {"a@b", "john.doe+tag@example.com", "j\xC3\xBC@example.com"};
    static const char *const bad[] = {NULL, "", "a", "@b", "a@", "a@b@c", "a b@c", "a@b\n", "@"};
    char text[LIMIT_EMAIL_BYTES + 1];
    struct str longest = repeat(text, LIMIT_EMAIL_BYTES);

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        assert_int_equal(limits_check_email(str_from(good[i]), NULL), ERR_NONE);
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(limits_check_email(str_from(bad[i]), NULL), ERR_INVALID);
    text[1] = '@';
    assert_int_equal(limits_check_email(longest, NULL), ERR_NONE);
    text[LIMIT_EMAIL_BYTES] = 'a';
    longest.len++;
    assert_int_equal(limits_check_email(longest, NULL), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(ids_are_1_to_64_of_a_few_characters),
            cmocka_unit_test(texts_have_no_control_characters),
            cmocka_unit_test(texts_have_a_length),
            cmocka_unit_test(emails_have_one_at_between_something),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
