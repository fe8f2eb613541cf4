/* SPDX-License-Identifier: Apache-2.0 */
/*
 * id - the ids that we make: a 63-bit number that sorts by time, shown as prefix and text.
 *
 *     bit 62 .. 21  milliseconds since 1970 (until the year 2109)
 *     bit 20 .. 15  the node that made it, 0 .. 63
 *     bit 14 ..  0  a counter within the millisecond
 *
 * In the database an id is the number (a small, append-only key); outside it is the prefix, "_",
 * and 13 digits of Crockford's base 32, which sort as text as the numbers do: "dlv_1H8KX2Z3M0V4E".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { ID_DIGITS = 13, ID_TEXT_SIZE = 32 }; /* longest prefix "wh_test_", digits, NUL */

/** Makes ids; one a thread that makes them. */
struct id_source {
    int64_t last;
    unsigned node; /* 0 .. 63 */
};

/** The next id: of this millisecond, but always above the last one even if the clock went back. */
int64_t id_next(struct id_source *source, int64_t now_ms);
/** Milliseconds since 1970 that the id was made at. */
int64_t id_at_ms(int64_t id);
/** The lowest id that could be made at that moment: for "since" and "until". */
int64_t id_floor(int64_t at_ms);
/** Writes prefix, digits and NUL ("dlv_" + 13 digits) and returns what was written. prefix holds
 *  its underscore and is at most 12 bytes. */
struct str id_format(char ret_text[ID_TEXT_SIZE], const char *prefix, int64_t id);
/** Reads what id_format wrote; digits in either case. False, *ret_id untouched, on anything else. */
bool id_parse(struct str text, const char *prefix, int64_t *ret_id);
