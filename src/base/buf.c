/* SPDX-License-Identifier: Apache-2.0 */
/* buf - bytes that grow at the end by doubling, never past the cap. */
#include "base/buf.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEFAULT_MAX_BYTES = 64 * 1024 * 1024, FIRST_BYTES = 64 };

void buf_init(struct buf *buf, size_t max_bytes)
{
    *buf = (struct buf){.max_bytes = max_bytes};
}

void buf_done(struct buf *buf)
{
    free(buf->ptr);
    buf_init(buf, buf->max_bytes);
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->err = ERR_NONE;
}

static size_t cap(const struct buf *buf)
{
    return buf->max_bytes > 0 ? buf->max_bytes : DEFAULT_MAX_BYTES;
}

/* Doubling keeps a row of appends linear; the cap bounds the memory, too. */
static size_t next_size(const struct buf *buf, size_t needed)
{
    size_t doubled = buf->size < cap(buf) / 2 ? buf->size * 2 : cap(buf);
    size_t size = doubled > needed ? doubled : needed;

    return size > FIRST_BYTES ? size : FIRST_BYTES;
}

char *buf_reserve(struct buf *buf, size_t extra)
{
    if (buf->err != ERR_NONE)
        return NULL;
    if (buf->len > cap(buf) || extra > cap(buf) - buf->len) {
        buf->err = ERR_LIMIT;
        return NULL;
    }
    if (buf->ptr == NULL || extra > buf->size - buf->len) {
        size_t size = next_size(buf, buf->len + extra);
        char *ptr = realloc(buf->ptr, size);

        if (ptr == NULL) {
            buf->err = ERR_LIMIT;
            return NULL;
        }
        buf->ptr = ptr;
        buf->size = size;
    }
    return buf->ptr + buf->len;
}

void buf_add(struct buf *buf, const void *bytes, size_t len)
{
    char *to;

    if (len == 0)
        return;
    to = buf_reserve(buf, len);
    if (to != NULL) {
        memcpy(to, bytes, len);
        buf->len += len;
    }
}

void buf_add_str(struct buf *buf, struct str s)
{
    buf_add(buf, s.ptr, s.len);
}

void buf_add_text(struct buf *buf, const char *text)
{
    buf_add(buf, text, strlen(text));
}

void buf_add_char(struct buf *buf, char c)
{
    buf_add(buf, &c, 1);
}

void buf_add_i64(struct buf *buf, int64_t value)
{
    char digits[24];
    size_t at = sizeof(digits);
    /* Negated as unsigned, because -INT64_MIN does not exist. */
    uint64_t left = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (value < 0)
        digits[--at] = '-';
    buf_add(buf, digits + at, sizeof(digits) - at);
}

void buf_addf(struct buf *buf, const char *format, ...)
{
    char small[256];
    char *large = NULL;
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(small, sizeof(small), format, args);
    va_end(args);
    if (len >= (int)sizeof(small)) {
        va_start(args, format);
        len = vasprintf(&large, format, args);
        va_end(args);
    }
    if (len < 0) {
        buf->err = buf->err != ERR_NONE ? buf->err : ERR_LIMIT;
        return;
    }
    buf_add(buf, large != NULL ? large : small, (size_t)len);
    free(large);
}

struct str buf_str(const struct buf *buf)
{
    return buf->ptr != NULL ? (struct str){buf->ptr, buf->len} : STR("");
}

enum err buf_err(const struct buf *buf)
{
    return buf->err;
}
