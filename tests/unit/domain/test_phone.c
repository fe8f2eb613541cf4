/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of domain/phone. */
#include "assert_str.h"
#include "domain/phone.h"

static void e164_numbers_and_short_codes_are_taken(void **state)
{
    static const char *const good[] = {
            "+919876543210", "+1234567", "+123456789012345", "112", "12345678", "000"};

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        assert_int_equal(phone_check(str_from(good[i]), NULL), ERR_NONE);
}

static void each_mistake_gets_its_hint(void **state)
{
    static const char *const punctuation =
            "must have no spaces or punctuation; write it like +919876543210";
    static const struct {
        const char *phone;
        const char *hint;
    } bad[] = {
            {"", "must be E.164 such as +919876543210, or a short code of 3 to 8 digits"},
            {"12", "must be E.164 such as +919876543210, or a short code of 3 to 8 digits"},
            {"00919876543210", "must begin with \"+\" and the country code, not \"00\""},
            {"9876543210",
                    "must begin with \"+\" and the country code (only short codes of 3 to 8 digits "
                    "go without)"},
            {"+", "must have 7 to 15 digits after \"+\""},
            {"+123456", "must have 7 to 15 digits after \"+\""},
            {"+1234567890123456", "must have 7 to 15 digits after \"+\""},
            {"+0919876543", "must have a country code after \"+\", which never begins with 0"},
            {"+91 98765 43210", punctuation},
            {"+91-9876543210", punctuation},
            {"(080) 123", punctuation},
            {"080.123", punctuation},
            {"++919876543210", "must have one \"+\", at its start"},
            {"91+9876543210", "must have one \"+\", at its start"},
            {"+1800FLOWERS", "must be digits after an optional \"+\""},
            {"withheld", "must be digits after an optional \"+\""},
            {"+91987654321\xD9\xA0", "must be digits after an optional \"+\""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct error why = {0};

        assert_int_equal(phone_check(str_from(bad[i].phone), &why), ERR_INVALID);
        assert_string_equal(why.text, bad[i].hint);
    }
}

static void a_number_with_a_nul_inside_is_refused(void **state)
{
    (void)state;
    assert_int_equal(phone_check(STR("+9198765\0"
                                     "43210"),
                             NULL),
            ERR_INVALID);
    assert_int_equal(phone_check(STR_NONE, NULL), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(e164_numbers_and_short_codes_are_taken),
            cmocka_unit_test(each_mistake_gets_its_hint),
            cmocka_unit_test(a_number_with_a_nul_inside_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
