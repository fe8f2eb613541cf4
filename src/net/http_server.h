/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_server - takes in HTTP/1.1 requests with libmicrohttpd and drives http_exchange with them.
 *
 * A few threads with an epoll loop each; the handler runs on its threads and must not block. Bounds: connections,
 * bytes of a request's head (about 16 KiB), idle time, and the time in which a head and a body must have
 * come. Refused with 400: Content-Length together with Transfer-Encoding, two Content-Lengths,
 * NUL in the target, a missing Host in HTTP/1.1.
 */
#pragma once

#include "base/error.h"
#include "net/http_exchange.h"

struct http_server_config {
    struct str listen; /* "127.0.0.1:8080", "[::1]:0" */
    unsigned threads;
    unsigned max_connections;
    unsigned idle_timeout_s;
    /* A head must have come whole within head_timeout_ms (0: 30 s) of connecting, and on a
     * kept-alive connection within idle_timeout_s more of the last reply; a body within
     * body_timeout_ms (0: 60 s) of its head, plus a second for each 64 KiB that is announced or
     * has come. Connections that drip slower are cut. */
    unsigned head_timeout_ms;
    unsigned body_timeout_ms;
    const struct http_handler *handler; /* borrowed until stop */
};

enum { HTTP_LISTEN_SIZE = 64 }; /* of the address as text, with its NUL */

struct http_server;

/** Checks "address:port" alone, for settings. ERR_INVALID with the reason. */
MUST_CHECK enum err http_server_check_listen(struct str listen, struct error *why);
/** Binds the address, so that it is known; who connects waits for http_server_serve(). The handler
 *  of the config is not looked at. ERR_UNAVAILABLE when the address cannot be bound. */
MUST_CHECK enum err http_server_bind(const struct http_server_config *config,
        struct http_server **ret_server,
        struct error *why);
/** Starts what was bound. After ERR_UNAVAILABLE it can only be stopped. */
MUST_CHECK enum err http_server_serve(struct http_server *server,
        const struct http_handler *handler,
        struct error *why);
/** Binds and starts. ERR_UNAVAILABLE when the address cannot be bound. */
MUST_CHECK enum err http_server_start(const struct http_server_config *config,
        struct http_server **ret_server,
        struct error *why);
/** "127.0.0.1:41234": the address really bound. */
const char *http_server_address(const struct http_server *server);
/** Takes no new connections from now on; open exchanges go on. */
void http_server_quiesce(struct http_server *server);
/** Exchanges begun and not ended. Any thread. */
unsigned http_server_active(const struct http_server *server);
/** Stops and frees. Every suspended exchange must have been resumed. NULL is fine. */
void http_server_stop(struct http_server *server);
