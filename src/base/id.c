/* SPDX-License-Identifier: Apache-2.0 */
/* id - composing ids of time, node and counter, and their text form. */
#include "base/id.h"

#include <assert.h>
#include <string.h>

enum { COUNTER_BITS = 15, NODE_BITS = 6, TIME_SHIFT = COUNTER_BITS + NODE_BITS };

#define COUNTER_MAX ((INT64_C(1) << COUNTER_BITS) - 1)
#define NODE_MAX    ((INT64_C(1) << NODE_BITS) - 1)
#define TIME_MAX_MS ((INT64_C(1) << (63 - TIME_SHIFT)) - 1)

enum { DIGIT_BITS = 5, PREFIX_MAX = 12 };
static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static int64_t node_of(int64_t id)
{
    return (id >> COUNTER_BITS) & NODE_MAX;
}

static int64_t first_of(int64_t at_ms, unsigned node)
{
    assert(at_ms <= TIME_MAX_MS && node <= NODE_MAX);
    return (at_ms > 0 ? at_ms << TIME_SHIFT : 0) | (int64_t)node << COUNTER_BITS;
}

int64_t id_next(struct id_source *source, int64_t now_ms)
{
    int64_t last = source->last;
    int64_t id = first_of(now_ms, source->node);

    if (id <= last) {
        /* Same millisecond, or the clock went back: count on, and into the next when it is full. */
        bool has_room = node_of(last) == source->node && (last & COUNTER_MAX) < COUNTER_MAX;

        id = has_room ? last + 1 : first_of(id_at_ms(last) + 1, source->node);
    }
    source->last = id;
    return id;
}

int64_t id_at_ms(int64_t id)
{
    return id >> TIME_SHIFT;
}

int64_t id_floor(int64_t at_ms)
{
    return at_ms > TIME_MAX_MS ? INT64_MAX : first_of(at_ms, 0);
}

struct str id_format(char ret_text[ID_TEXT_SIZE], const char *prefix, int64_t id)
{
    size_t len = strlen(prefix);
    uint64_t left = (uint64_t)id;

    assert(len <= PREFIX_MAX);
    memcpy(ret_text, prefix, len);
    for (size_t i = ID_DIGITS; i > 0; i--) {
        ret_text[len + i - 1] = digits[left & 31];
        left >>= DIGIT_BITS;
    }
    ret_text[len + ID_DIGITS] = '\0';
    return (struct str){ret_text, len + ID_DIGITS};
}

static int digit_value(char c)
{
    const char *found;

    if (c >= 'a' && c <= 'z')
        c = (char)(c - 'a' + 'A');
    found = memchr(digits, c, sizeof(digits) - 1);
    return found != NULL ? (int)(found - digits) : -1;
}

bool id_parse(struct str text, const char *prefix, int64_t *ret_id)
{
    size_t prefix_len = strlen(prefix);
    int64_t id = 0;

    if (text.len != prefix_len + ID_DIGITS || memcmp(text.ptr, prefix, prefix_len) != 0)
        return false;
    for (size_t i = prefix_len; i < text.len; i++) {
        int value = digit_value(text.ptr[i]);

        if (value < 0 || id > INT64_MAX >> DIGIT_BITS)
            return false;
        id = id << DIGIT_BITS | value;
    }
    *ret_id = id;
    return true;
}
