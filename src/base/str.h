/* SPDX-License-Identifier: Apache-2.0 */
/*
 * str - bytes that somebody else owns: a pointer and a length, not ended by NUL.
 *
 * A plain value, passed and returned by copy. {NULL, 0} means "there is none" (JSON null, SQL
 * NULL); a non-NULL ptr with len 0 is the empty string. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
    const char *ptr;
    size_t len;
};

/** A str of a string literal. */
#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
/** No string at all. */
#define STR_NONE ((struct str){NULL, 0})
/** Two arguments for printf's "%.*s". */
#define STR_ARG(s) (int)(s).len, ((s).ptr != NULL ? (s).ptr : "")

/** Borrows a NUL-ended text; NULL gives STR_NONE. */
struct str str_from(const char *text);
/** True when both are none, or both have the same bytes. */
bool str_equal(struct str a, struct str b);
/** True when s has exactly the bytes of text. */
bool str_is(struct str s, const char *text);
/** ASCII case is ignored. */
bool str_equal_nocase(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
/** Offset of the first c at or after from, or -1. */
ptrdiff_t str_find_char(struct str s, char c, size_t from);
/** The bytes [from, from+len), clipped to s. */
struct str str_slice(struct str s, size_t from, size_t len);
/** Without spaces and tabs at both ends. */
struct str str_trim(struct str s);
/** Cuts the part before the first sep off *rest and returns it; the whole rest when there is no
 *  sep, and then *rest becomes none. */
struct str str_split(struct str *rest, char sep);
/** Reads a decimal integer, "-" allowed, no spaces, nothing behind it, no overflow. False and
 *  *ret_value untouched otherwise. */
bool str_to_i64(struct str s, int64_t *ret_value);
/** True when the bytes are well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool str_is_utf8(struct str s);
/** Bytes of the well-formed UTF-8 character that starts at that offset; 0 when there is none. */
size_t str_utf8_len(struct str s, size_t at);
/** Compares in constant time for equal lengths (secrets, signatures). */
bool str_equal_secret(struct str a, struct str b);
