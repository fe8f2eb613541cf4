/* SPDX-License-Identifier: Apache-2.0 */
/* byte_range - "bytes=0-99", "bytes=100-", "bytes=-100". */
#include "api/byte_range.h"

/* Digits alone; a number too large for us is larger than any file. */
static bool read_number(struct str text, int64_t *ret_number)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    if (text.len == 0)
        return false;
    if (!str_to_i64(text, ret_number))
        *ret_number = INT64_MAX;
    return true;
}

static enum byte_range
last_bytes(int64_t wanted, int64_t size_bytes, int64_t *ret_first, int64_t *ret_count)
{
    if (wanted == 0 || size_bytes == 0)
        return BYTE_RANGE_UNSATISFIABLE;
    *ret_count = wanted < size_bytes ? wanted : size_bytes;
    *ret_first = size_bytes - *ret_count;
    return BYTE_RANGE_PART;
}

enum byte_range
byte_range_read(struct str range, int64_t size_bytes, int64_t *ret_first, int64_t *ret_count)
{
    struct str rest = str_trim(range);
    struct str unit = str_split(&rest, '=');
    struct str set = str_trim(rest);
    int64_t first = 0;
    int64_t last = INT64_MAX;

    if (!str_equal_nocase(unit, STR("bytes")) || set.ptr == NULL ||
            str_find_char(set, '-', 0) < 0 || str_find_char(set, ',', 0) >= 0)
        return BYTE_RANGE_WHOLE;

    struct str first_text = str_split(&set, '-');

    if (first_text.len == 0)
        return read_number(set, &last) ? last_bytes(last, size_bytes, ret_first, ret_count)
                                       : BYTE_RANGE_WHOLE;
    if (!read_number(first_text, &first) || (set.len > 0 && !read_number(set, &last)) ||
            last < first)
        return BYTE_RANGE_WHOLE;
    if (first >= size_bytes)
        return BYTE_RANGE_UNSATISFIABLE;
    *ret_first = first;
    *ret_count = (last < size_bytes - 1 ? last : size_bytes - 1) - first + 1;
    return BYTE_RANGE_PART;
}
