/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_exchange - one request to our server and its reply, seen by the code that answers it.
 *
 * It knows no sockets: http_server.h drives it from libmicrohttpd, a test drives it from memory.
 *
 *   head is there -> handler->begin     decides: reply at once, or how the body is taken
 *   body          -> collected into x->body (body_max_bytes), or piece by piece to on_body
 *   all is there  -> handler->complete  replies, or http_exchange_suspend() and starts an operation
 *   operation ends, any thread -> http_exchange_resume() -> on_resume(x) on the server's thread,
 *                                  which replies, or suspends again
 *   reply is sent, or the peer is gone -> handler->end(x), exactly once
 *
 * Everything but http_exchange_resume() happens on one server thread at a time. While suspended
 * the exchange is the operation's: it may read and write it, nobody else does.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

struct http_exchange;

struct http_handler {
    void (*begin)(void *ctx, struct http_exchange *x);
    void (*complete)(void *ctx, struct http_exchange *x);
    void (*end)(void *ctx, struct http_exchange *x);
    void *ctx;
    /** Answers a request that is so broken (400) that begin is not to see it; begin and end do not
     *  run for it then. NULL: an empty reply. */
    void (*refuse)(void *ctx, struct http_exchange *x, unsigned status, const char *detail);
};

enum { HTTP_REPLY_HEADERS_MAX = 12 };

enum http_reply_kind {
    HTTP_REPLY_NONE,   /* not answered yet */
    HTTP_REPLY_BYTES,  /* body */
    HTTP_REPLY_FILE,   /* size_bytes of fd from offset_bytes; fd is closed by the server */
    HTTP_REPLY_STREAM, /* read() until it ends */
};

struct http_reply_header {
    const char *name;
    struct str value; /* NUL-ended, in the arena or static */
};

struct http_reply {
    enum http_reply_kind kind;
    unsigned status;
    const char *content_type; /* NULL: no body */
    struct http_reply_header headers[HTTP_REPLY_HEADERS_MAX];
    size_t header_count;
    struct str body; /* in the arena, static, or in body_buf */
    int fd;
    int64_t offset_bytes;
    int64_t size_bytes;
    /** Stream: writes up to max bytes; 0: nothing now, resume() when there is; -1: the end. */
    ptrdiff_t (*read)(struct http_exchange *x, char *ret_bytes, size_t max);
};

/** What drives the exchange: the server or a test. */
struct http_exchange_ops {
    struct str (*header)(const struct http_exchange *x, const char *name);
    struct str (*query)(const struct http_exchange *x, const char *name);
    /** Calls visit for each query parameter or header until it returns false. */
    void (*each_query)(const struct http_exchange *x,
            bool (*visit)(void *ctx, struct str name, struct str value),
            void *ctx);
    void (*each_header)(const struct http_exchange *x,
            bool (*visit)(void *ctx, struct str name, struct str value),
            void *ctx);
    void (*suspend)(struct http_exchange *x);
    void (*resume)(struct http_exchange *x);
};

struct http_exchange {
    const struct http_exchange_ops *ops;
    void *driver; /* the driver's */

    struct arena arena;     /* the request's; freed after end */
    struct str method;      /* "GET"; as it came */
    struct str path;        /* as it came, without the query; percent-escapes not decoded */
    int64_t content_length; /* -1: not given (chunked or none) */
    struct str peer;        /* "192.0.2.1" */

    /* set by begin */
    size_t body_max_bytes; /* collect at most; more is answered 413 by the server (0: no body is
                              taken, any is 413) */
    /** Not NULL: gets the body instead. ERR_NONE goes on; anything else stops reading, and the
     *  handler has replied. */
    enum err (*on_body)(struct http_exchange *x, struct str piece);
    /** The server's own refusals after begin (413 above the limit) go through this, so that they
     *  look like all others. Set by begin; NULL: an empty reply. */
    void (*on_refuse)(struct http_exchange *x, unsigned status, const char *detail);

    struct buf body; /* what was collected; valid from complete on */
    void (*on_resume)(struct http_exchange *x);
    void *owner; /* the handler's */

    struct http_reply reply;
    struct buf reply_buf; /* a place for the reply's body; freed after end */
};

/** The first header of that name (any case), or none. */
struct str http_exchange_header(const struct http_exchange *x, const char *name);
/** The first query parameter of that name, percent-decoded; none when absent. */
struct str http_exchange_query(const struct http_exchange *x, const char *name);

/** Answers with these bytes (kept by the caller until end, e.g. in x->arena or x->reply_buf). */
void http_exchange_reply(struct http_exchange *x,
        unsigned status,
        const char *content_type,
        struct str body);
/** Adds a header to the reply; at most HTTP_REPLY_HEADERS_MAX (asserted). */
void http_exchange_add_header(struct http_exchange *x, const char *name, struct str value);
/** Answers with a part of an open file, which the exchange now owns. */
void http_exchange_reply_file(struct http_exchange *x,
        unsigned status,
        const char *content_type,
        int fd,
        int64_t offset_bytes,
        int64_t size_bytes);
/** Answers with a stream. */
void http_exchange_reply_stream(struct http_exchange *x,
        unsigned status,
        const char *content_type,
        ptrdiff_t (*read)(struct http_exchange *x, char *ret_bytes, size_t max));
/** Takes the exchange off its thread until http_exchange_resume(). Call it BEFORE starting the
 *  operation that will resume. */
void http_exchange_suspend(struct http_exchange *x, void (*on_resume)(struct http_exchange *x));
/** Any thread, exactly once a suspend (for a stream: any number of times, but never at or after
 *  end: a sender that lives on its own must be cut off under a lock that end takes too). */
void http_exchange_resume(struct http_exchange *x);
