/* SPDX-License-Identifier: Apache-2.0 */
/* phone - which phone numbers we take, and a hint for those that we do not. */
#include "domain/phone.h"

enum {
    E164_DIGITS_MIN = 7,
    E164_DIGITS_MAX = 15,
    SHORT_CODE_DIGITS_MIN = 3,
    SHORT_CODE_DIGITS_MAX = 8,
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The first byte that is no digit, from `from` on; the length when there is none. */
static size_t skip_digits(struct str phone, size_t from)
{
    while (from < phone.len && is_digit(phone.ptr[from]))
        from++;
    return from;
}

static enum err refuse_character(char c, struct error *why)
{
    if (c == ' ' || c == '-' || c == '(' || c == ')' || c == '.' || c == '/' || c == '\t')
        return error_set(why,
                ERR_INVALID,
                "must have no spaces or punctuation; write it like +919876543210");
    if (c == '+')
        return error_set(why, ERR_INVALID, "must have one \"+\", at its start");
    return error_set(why, ERR_INVALID, "must be digits after an optional \"+\"");
}

static enum err check_international(struct str phone, struct error *why)
{
    size_t digits = phone.len - 1;

    if (digits >= 1 && phone.ptr[1] == '0')
        return error_set(why,
                ERR_INVALID,
                "must have a country code after \"+\", which never begins with 0");
    if (digits < E164_DIGITS_MIN || digits > E164_DIGITS_MAX)
        return error_set(why,
                ERR_INVALID,
                "must have %d to %d digits after \"+\"",
                E164_DIGITS_MIN,
                E164_DIGITS_MAX);
    return ERR_NONE;
}

static enum err check_short_code(struct str phone, struct error *why)
{
    if (phone.len >= SHORT_CODE_DIGITS_MIN && phone.len <= SHORT_CODE_DIGITS_MAX)
        return ERR_NONE;
    if (str_starts(phone, STR("00")))
        return error_set(
                why, ERR_INVALID, "must begin with \"+\" and the country code, not \"00\"");
    if (phone.len > SHORT_CODE_DIGITS_MAX)
        return error_set(why,
                ERR_INVALID,
                "must begin with \"+\" and the country code (only short codes of %d to %d digits "
                "go without)",
                SHORT_CODE_DIGITS_MIN,
                SHORT_CODE_DIGITS_MAX);
    return error_set(why,
            ERR_INVALID,
            "must be E.164 such as +919876543210, or a short code of %d to %d digits",
            SHORT_CODE_DIGITS_MIN,
            SHORT_CODE_DIGITS_MAX);
}

enum err phone_check(struct str phone, struct error *why)
{
    bool has_plus = phone.len > 0 && phone.ptr[0] == '+';
    size_t end = skip_digits(phone, has_plus ? 1 : 0);

    if (end < phone.len)
        return refuse_character(phone.ptr[end], why);
    return has_plus ? check_international(phone, why) : check_short_code(phone, why);
}
