/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_client - sends HTTP requests and reads bounded answers, many at a time on one thread.
 *
 * An interface with two implementations: http_client_curl.h for the network, and a scripted
 * receiver on virtual time in tests/support. It knows no webhooks.
 *
 * The owner's thread calls everything but http_client_wake(), which any thread may call. A request
 * is the caller's memory and must stay put from http_client_start() until its done() has run; done
 * runs exactly once, inside http_client_run(), never inside http_client_start().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/str.h"

enum http_error {
    HTTP_OK = 0,       /* status, headers and body came whole (the body perhaps cut by us) */
    HTTP_TIMEOUT,      /* timeout_ms passed first, wherever it was */
    HTTP_DNS,          /* the name has no address */
    HTTP_CONNECT,      /* refused or unreachable */
    HTTP_TLS,          /* handshake or certificate */
    HTTP_FORBIDDEN,    /* an address of the host is refused by the target check */
    HTTP_RESET,        /* closed or reset before the answer was whole */
    HTTP_BAD_RESPONSE, /* no HTTP, too many headers, a length that does not fit */
    HTTP_CANCELLED,    /* http_client_cancel() or http_client_free() */
    HTTP_OTHER,        /* anything else: see detail */
};

enum {
    HTTP_HEADERS_MAX_BYTES = 32 * 1024, /* more is HTTP_BAD_RESPONSE */
    HTTP_DETAIL_SIZE = 160,
    HTTP_ADDRESS_SIZE = 64,
};

/** Where the time went; microseconds from the start of the request, 0 when that step was not
 *  reached or not needed (a kept-alive connection has no dns, connect, tls). */
struct http_times {
    int64_t dns_us;
    int64_t connect_us;
    int64_t tls_us;
    int64_t first_byte_us;
    int64_t total_us;
};

struct http_request {
    /* in, all borrowed until done */
    const char *method;              /* "POST", "GET" */
    const char *url;                 /* http or https */
    const char *const *header_lines; /* "Name: value", NUL-ended, no CR or LF */
    size_t header_count;
    struct str body; /* none: no body */
    int64_t timeout_ms;
    size_t keep_bytes; /* keep at most so many bytes of the body */
    size_t read_bytes; /* then stop reading at so many and close; 0: no end (with on_body) */
    bool any_target;   /* skip the target check: a URL of our own server */
    /** Not NULL: gets the body piece by piece instead of response_body; false ends the request
     *  with HTTP_OTHER. Called only for a 2xx answer. */
    bool (*on_body)(struct http_request *request, struct str piece);
    void (*done)(struct http_request *request);
    void *owner; /* the caller's, untouched */

    /* out, valid in done and after */
    enum http_error error;
    int64_t status;                /* 0: none came */
    struct buf response_headers;   /* "Name: value\n" lines of the last header block, any bytes that
                                    are no controls; the caller frees with buf_done */
    struct buf response_body;      /* the first keep_bytes, undecoded; the caller frees */
    bool body_cut;                 /* more came than was kept */
    char detail[HTTP_DETAIL_SIZE]; /* for people, why it failed; "" */
    char address[HTTP_ADDRESS_SIZE]; /* the peer, "203.0.113.7:443"; "" when not connected */
    struct http_times times;

    void *impl; /* the implementation's; NULL before start and after done */
};

struct http_client;

struct http_client_ops {
    void (*start)(struct http_client *client, struct http_request *request);
    void (*cancel)(struct http_client *client, struct http_request *request);
    void (*run)(struct http_client *client, int64_t timeout_ms);
    void (*wake)(struct http_client *client);
    size_t (*active)(const struct http_client *client);
    void (*free)(struct http_client *client);
};

/** First member of each implementation. */
struct http_client {
    const struct http_client_ops *ops;
};

/** Begins the request. Whatever is wrong is told through done. */
static inline void http_client_start(struct http_client *client, struct http_request *request)
{
    client->ops->start(client, request);
}

/** Ends it soon with HTTP_CANCELLED through done, in the next run. */
static inline void http_client_cancel(struct http_client *client, struct http_request *request)
{
    client->ops->cancel(client, request);
}

/** Moves transfers and calls done for those that ended; returns once it did something, was woken,
 *  or timeout_ms passed (0: only what is ready; -1: no limit). */
static inline void http_client_run(struct http_client *client, int64_t timeout_ms)
{
    client->ops->run(client, timeout_ms);
}

/** Makes the current or next run return. Any thread. */
static inline void http_client_wake(struct http_client *client)
{
    client->ops->wake(client);
}

/** Requests started and not done. */
static inline size_t http_client_active(const struct http_client *client)
{
    return client->ops->active(client);
}

/** Ends every active request with HTTP_CANCELLED (done runs here), then frees. NULL is fine. */
static inline void http_client_free(struct http_client *client)
{
    if (client != NULL)
        client->ops->free(client);
}

/** A short stable word: "ok", "timeout", "dns" ... */
const char *http_error_name(enum http_error error);
