/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api - the HTTP API: takes exchanges from the server, finds the route, authenticates, reads and
 * validates, starts an operation, and writes the answer.
 *
 *   begin     route, method, token -> who asks; how large a body may be
 *   complete  body -> JSON -> faults, all at once -> operation (exchange suspended)
 *   resume    operation's result -> JSON or problem
 */
#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "deliver/deliver.h"
#include "domain/address_rule.h"
#include "media/fetcher.h"
#include "media/recordings.h"
#include "net/http_exchange.h"
#include "net/resolver.h"
#include "store/store.h"

struct api;

struct api_config {
    const struct clock *clock;
    const struct log *log;
    struct metrics *metrics;
    const char *admin_token;
    const char *public_url;          /* no slash at its end */
    const uint8_t *link_key;         /* SECRET_KEY_BYTES: signs recording links */
    const uint8_t *idempotency_key;  /* SECRET_KEY_BYTES */
    const struct address_rule *rule; /* which targets may be named */
    struct resolver *resolver;
    /* Set before the server starts, by api_use(): the store needs the listener first. */
};

/** Builds it, with its caches empty. */
MUST_CHECK enum err
api_new(const struct api_config *config, struct api **ret_api, struct error *why);
/** What to give to store_open(): feeds GET /v1/stream. */
const struct note_listener *api_listener(struct api *api);
/** The parts that exist only once the store is open; all borrowed. */
struct api_parts {
    struct store *store;
    struct deliver *deliver;
    struct recordings *recordings;
    struct fetcher *fetcher;
};
void api_use(struct api *api, const struct api_parts *parts);
/** What to give to http_server_start(). */
const struct http_handler *api_handler(struct api *api);
/** Every 50 ms or so, on one thread: heartbeats of streams, and delayed answers of inboxes, whose
 *  grain this is. */
void api_tick(struct api *api);
/** Ends streams and delayed answers, and refuses new requests with 503: the server is stopping. */
void api_drain(struct api *api);
void api_free(struct api *api); /* NULL is fine */
