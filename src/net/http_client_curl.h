/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_client_curl - the http_client over libcurl's multi interface and epoll.
 *
 * Never follows redirects, uses no proxy, sends no Expect, keeps connections alive, verifies TLS,
 * speaks HTTP/2 over TLS where the peer does, never decodes bodies. Every address that a host
 * resolves to is given to the target check, and the address that was checked is the one that is
 * connected to (RESOLVE pins it; the socket callback checks again).
 */
#pragma once

#include <sys/socket.h>

#include "net/http_client.h"
#include "net/resolver.h"

/** ERR_NONE when the address may be connected to; else ERR_DENIED and why. Called on the client's
 *  thread and on the resolver's: must be safe on any. */
typedef enum err http_target_check(void *ctx, const struct sockaddr *address, struct error *why);

struct http_client_curl_config {
    http_target_check *check; /* never NULL */
    void *check_ctx;
    struct resolver *resolver; /* borrowed; shared by clients */
    const char *user_agent;
    size_t max_connections; /* kept-alive connections at most */
};

/** The caller owns *ret_client. ERR_UNAVAILABLE when libcurl or epoll cannot be set up. */
MUST_CHECK enum err http_client_curl_open(const struct http_client_curl_config *config,
        struct http_client **ret_client,
        struct error *why);
