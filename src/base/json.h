/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json - reading with jansson, strictly; writing by appending to a buffer.
 *
 * Reading refuses: anything after the value, duplicate members, invalid UTF-8, U+0000, lone
 * surrogates, depth over 32, objects of more than 1024 members, integers over 64 bits, numbers
 * that a double cannot hold. A document is one object owned by
 * the caller; strings and values borrowed from it live as long as it does. One thread a document.
 *
 * Writing gives the bytes that JSON.stringify gives: no spaces, "/" not escaped, raw UTF-8, the
 * shortest number that reads back the same.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/str.h"

struct json; /* a value; jansson's json_t */

enum json_type {
    JSON_NULL_TYPE,
    JSON_BOOL_TYPE,
    JSON_INTEGER_TYPE, /* written without fraction or exponent, fits 64 bits */
    JSON_REAL_TYPE,
    JSON_STRING_TYPE,
    JSON_ARRAY_TYPE,
    JSON_OBJECT_TYPE,
};

/** Parses a whole text of any type of value. ERR_INVALID with line, column and reason in *why.
 *  The caller owns *ret_json. */
MUST_CHECK enum err json_parse(struct str text, struct json **ret_json, struct error *why);
void json_free(struct json *json); /* NULL is fine */
DEFINE_CLEANUP(struct json, json_free)

enum json_type json_type(const struct json *json);
const char *json_type_name(const struct json *json); /* "null", "boolean", "number", "string" ... */

/* The readers below take NULL for a missing value, and answer as for a value of another type. */

/** The member, or NULL when json is no object or has none of that name. */
const struct json *json_member(const struct json *json, const char *name);
/** The i-th member of an object in the order of the text; false at the end. Takes O(i) time. */
bool json_member_at(const struct json *json,
        size_t i,
        struct str *ret_name,
        const struct json **ret_value);
/** Members of an object or items of an array; 0 for other types. */
size_t json_count(const struct json *json);
/** NULL when out of range or no array. */
const struct json *json_item(const struct json *json, size_t i);
struct str json_str(const struct json *json); /* STR_NONE unless a string */
bool json_bool(const struct json *json);      /* false unless true */
int64_t json_i64(const struct json *json);    /* 0 unless an integer */
double json_number(const struct json *json);  /* 0 unless a number */

/** Quoted and escaped; none gives null; a byte that is no UTF-8 gives U+FFFD. */
void json_add_string(struct buf *buf, struct str s);
/** As JavaScript's Number::toString; null when it is not finite. */
void json_add_number(struct buf *buf, double number);
void json_add_bool(struct buf *buf, bool value);
/** Writes any value compactly, members in the order of the text. */
void json_add_value(struct buf *buf, const struct json *json);
