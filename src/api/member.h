/* SPDX-License-Identifier: Apache-2.0 */
/*
 * member - writing the members of an answer's JSON objects, each in one call.
 *
 *     buf_add_char(buf, '{');
 *     member_id(buf, "id", ENDPOINT_ID_PREFIX, id);
 *     member_time(buf, "created_at", created_at_ms);
 *     buf_add_char(buf, '}');
 *
 * A comma goes before every member but the first of its object. Pure; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/** The name, quoted, with its colon: the value is the caller's next append. */
void member_name(struct buf *buf, const char *name);
/** A string; none is null. */
void member_str(struct buf *buf, const char *name, struct str value);
void member_i64(struct buf *buf, const char *name, int64_t value);
/** A number; null for 0, which stands for "none". */
void member_i64_or_null(struct buf *buf, const char *name, int64_t value);
void member_bool(struct buf *buf, const char *name, bool value);
/** RFC 3339 with milliseconds; null for 0. */
void member_time(struct buf *buf, const char *name, int64_t at_ms);
/** An id of ours with its prefix; null for 0. */
void member_id(struct buf *buf, const char *name, const char *prefix, int64_t id);
/** A duration in milliseconds, with up to three decimals. */
void member_ms(struct buf *buf, const char *name, int64_t duration_us);
/** JSON text as it is; none is null. */
void member_raw(struct buf *buf, const char *name, struct str json);

/** An object of "Name: value\n" lines, such as {"Date":"…"}; values of a repeated name are joined by
 *  ", ". Lines after the 256th are left out. null when text is none. */
void member_headers(struct buf *buf, const char *name, struct str text);
/** Bytes from outside: text where they are UTF-8; else base64, and then name_encoding "base64"
 *  follows. was_cut: half a character at the end is left out. */
void member_body(struct buf *buf, const char *name, struct str body, bool was_cut);

/** Starts {"data":[ of a list; member_next() goes before each item. */
void member_list_begin(struct buf *buf);
/** A comma, but before the first item. */
void member_next(struct buf *buf);
/** Ends the list with next_cursor: none at the last page. */
void member_list_end(struct buf *buf, struct str next_cursor);
