/* SPDX-License-Identifier: Apache-2.0 */
/*
 * receiver - the receiving side of the simulated world: an http_client on virtual time.
 *
 * Each receiver ("https://r7.example/" is number 7) has a mood that decides, with seeded chance, how
 * long an answer takes and what it is. Whoever watches is told of each start and of each end, which
 * the plain scripted client of tests/support does not do.
 */
#pragma once

#include <stdbool.h>

#include "base/clock.h"
#include "base/heap.h"
#include "base/rand.h"
#include "net/http_client.h"

enum { RECEIVERS_MAX = 16 };

enum mood {
    MOOD_HEALTHY,
    MOOD_SLOW,
    MOOD_FLAKY,  /* any of the others, request by request */
    MOOD_ERRORS, /* 500, 404, 302 */
    MOOD_SILENT, /* no answer within the timeout */
    MOOD_BUSY,   /* 429 and 503, mostly with Retry-After */
    MOOD_RESETS, /* connections refused, reset, names that do not resolve */
    MOOD_GONE,   /* 410 */
    MOOD_HELD,   /* 503 with Retry-After: 3600 */
};

/* One request under way. */
struct flight {
    struct heap_item end; /* first: when it ends */
    struct http_request *request;
    struct flight *prev, *next;
    size_t receiver;
    int64_t started_at_ms;

    /* how it will end */
    enum http_error error;
    int64_t status;
    int64_t retry_after_s; /* 0: not asked for */
};

struct receivers {
    const struct clock *clock;
    struct rand rand;
    enum mood moods[RECEIVERS_MAX];
    struct http_client *client; /* the one that is open; NULL: none */

    /* The watcher's. */
    void (*started)(void *ctx, const struct flight *flight);
    void (*ended)(void *ctx, const struct flight *flight); /* answered, not cancelled */
    void *ctx;
};

/** For deliver_config.open_client, with the receivers as ctx. */
enum err receivers_open_client(void *ctx, struct http_client **ret_client, struct error *why);
/** When the next request ends; INT64_MAX: none is under way. */
int64_t receivers_next_due_ms(const struct receivers *receivers);
/** The value of a header of the request; none when it is not there. */
struct str receivers_header(const struct http_request *request, const char *name);
/** The number of the receiver that the URL names. */
size_t receivers_number(const char *url);
