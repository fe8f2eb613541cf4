/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rfc3339 - moments as text: "2026-04-28T11:58:13.000Z" (RFC 3339), UTC on output.
 *
 * Moments are milliseconds since 1970, years 1970 to 9999. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

enum { RFC3339_SIZE = 32 };

void rfc3339_add_ms(struct buf *buf, int64_t at_ms); /* 2026-04-28T11:58:13.000Z */
void rfc3339_add_seconds(struct buf *buf,
        int64_t at_ms); /* 2026-04-28T11:58:13Z, cut, not rounded */
/** Reads date-time with "Z" or a numeric offset, any fraction (cut to ms), a leap second as the
 *  second before. False, untouched, for anything else or before 1970. */
bool rfc3339_parse(struct str text, int64_t *ret_at_ms);
/** Reads an HTTP-date (RFC 9110 section 5.6.7, all three forms; a year of two digits is 1970 to
 *  2069). False, untouched, for anything else or before 1970. */
bool http_date_parse(struct str text, int64_t *ret_at_ms);
