/* SPDX-License-Identifier: Apache-2.0 */
/*
 * byte_range - the part of a file that a Range header asks for (RFC 9110 section 14). One range
 * only: a header that asks for several, or that cannot be read, is as if there were none.
 *
 * Pure; any thread.
 */
#pragma once

#include <stdint.h>

#include "base/str.h"

enum byte_range {
    BYTE_RANGE_WHOLE,         /* send everything, 200 */
    BYTE_RANGE_PART,          /* send *ret_count bytes from *ret_first on, 206 */
    BYTE_RANGE_UNSATISFIABLE, /* 416 */
};

/** range: the header's value, none when absent. Sets first and count for a part only. */
enum byte_range
byte_range_read(struct str range, int64_t size_bytes, int64_t *ret_first, int64_t *ret_count);
