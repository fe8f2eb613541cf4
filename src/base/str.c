/* SPDX-License-Identifier: Apache-2.0 */
/* str - borrowed bytes: comparing, cutting, reading numbers, checking UTF-8. */
#include "base/str.h"

#include <string.h>

#include <openssl/crypto.h>

struct str str_from(const char *text)
{
    return text != NULL ? (struct str){text, strlen(text)} : STR_NONE;
}

/* None is no bytes, but not the same as the empty string. */
static bool same_shape(struct str a, struct str b)
{
    return a.len == b.len && (a.ptr == NULL) == (b.ptr == NULL);
}

bool str_equal(struct str a, struct str b)
{
    return same_shape(a, b) && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool str_is(struct str s, const char *text)
{
    return str_equal(s, str_from(text));
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool str_equal_nocase(struct str a, struct str b)
{
    if (!same_shape(a, b))
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
            return false;
    return true;
}

bool str_starts(struct str s, struct str prefix)
{
    return prefix.len == 0 || (s.len >= prefix.len && memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

bool str_ends(struct str s, struct str suffix)
{
    return suffix.len == 0 ||
           (s.len >= suffix.len && memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

ptrdiff_t str_find_char(struct str s, char c, size_t from)
{
    const char *found;

    if (from >= s.len)
        return -1;
    found = memchr(s.ptr + from, c, s.len - from);
    return found != NULL ? found - s.ptr : -1;
}

struct str str_slice(struct str s, size_t from, size_t len)
{
    if (s.ptr == NULL)
        return STR_NONE;
    from = from < s.len ? from : s.len;
    len = len < s.len - from ? len : s.len - from;
    return (struct str){s.ptr + from, len};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct str str_trim(struct str s)
{
    while (s.len > 0 && is_blank(s.ptr[s.len - 1]))
        s.len--;
    while (s.len > 0 && is_blank(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    return s;
}

struct str str_split(struct str *rest, char sep)
{
    struct str all = *rest;
    ptrdiff_t at = str_find_char(all, sep, 0);

    if (at < 0) {
        *rest = STR_NONE;
        return all;
    }
    *rest = str_slice(all, (size_t)at + 1, all.len);
    return str_slice(all, 0, (size_t)at);
}

bool str_to_i64(struct str s, int64_t *ret_value)
{
    bool negative = s.len > 0 && s.ptr[0] == '-';
    int64_t value = 0;

    if (s.len == (negative ? 1u : 0u))
        return false;
    for (size_t i = negative ? 1 : 0; i < s.len; i++) {
        int digit = s.ptr[i] - '0';

        if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
                __builtin_add_overflow(value, negative ? -digit : digit, &value))
            return false;
    }
    *ret_value = value;
    return true;
}

/* The first byte decides the length and what the second byte may be (Unicode table 3-7). */
struct utf8_lead {
    size_t len; /* 0: no character starts with this byte */
    unsigned char second_min;
    unsigned char second_max;
};

static struct utf8_lead utf8_lead(unsigned char first)
{
    if (first < 0x80)
        return (struct utf8_lead){1, 0, 0};
    if (first >= 0xC2 && first <= 0xDF)
        return (struct utf8_lead){2, 0x80, 0xBF};
    if (first >= 0xE0 && first <= 0xEF) {
        /* E0 would be overlong below A0, ED would be a surrogate above 9F. */
        return (struct utf8_lead){3, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF};
    }
    if (first >= 0xF0 && first <= 0xF4) {
        /* F0 would be overlong below 90, F4 is above U+10FFFF from 90 on. */
        return (struct utf8_lead){4, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF};
    }
    return (struct utf8_lead){0, 0, 0};
}

size_t str_utf8_len(struct str s, size_t at)
{
    const unsigned char *p;
    struct utf8_lead lead;

    if (at >= s.len)
        return 0;
    p = (const unsigned char *)s.ptr + at;
    lead = utf8_lead(p[0]);
    if (lead.len <= 1)
        return lead.len;
    if (lead.len > s.len - at || p[1] < lead.second_min || p[1] > lead.second_max)
        return 0;
    for (size_t i = 2; i < lead.len; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    return lead.len;
}

bool str_is_utf8(struct str s)
{
    for (size_t at = 0; at < s.len;) {
        size_t len = str_utf8_len(s, at);

        if (len == 0)
            return false;
        at += len;
    }
    return true;
}

bool str_equal_secret(struct str a, struct str b)
{
    return same_shape(a, b) && (a.len == 0 || CRYPTO_memcmp(a.ptr, b.ptr, a.len) == 0);
}
