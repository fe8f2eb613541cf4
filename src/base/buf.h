/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf - bytes that grow at the end, with a cap.
 *
 * The first failure sticks: once an append would pass the cap, the buffer stays as it was, later
 * appends do nothing, and buf_err() says ERR_LIMIT. So a row of appends is checked once, at the
 * end. One owner, one thread at a time.
 */
#pragma once

#include "base/error.h"
#include "base/str.h"

struct buf {
    char *ptr; /* owned; NULL while empty */
    size_t len;
    size_t size;      /* bytes allocated */
    size_t max_bytes; /* the cap on len; 0: 64 MiB */
    enum err err;
};

/** An empty buffer with this cap; {0} is a valid empty buffer too. */
void buf_init(struct buf *buf, size_t max_bytes);
/** Frees the bytes; fine on a zeroed or done buffer. */
void buf_done(struct buf *buf);
/** Forgets the bytes and the failure, keeps the memory. */
void buf_clear(struct buf *buf);
/** Makes room for extra more bytes and returns where they go, or NULL after a failure. The caller
 *  then raises len itself. */
char *buf_reserve(struct buf *buf, size_t extra);
void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_add_str(struct buf *buf, struct str s);
void buf_add_text(struct buf *buf, const char *text);
void buf_add_char(struct buf *buf, char c);
void buf_add_i64(struct buf *buf, int64_t value);
void buf_addf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** What is in it, borrowed until the next append. Never none: "" when empty. */
struct str buf_str(const struct buf *buf);
MUST_CHECK enum err buf_err(const struct buf *buf);
