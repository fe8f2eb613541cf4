/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolver - host names to addresses, off the caller's thread, with a small cache.
 *
 * getaddrinfo() blocks, so a few threads of its own run it. Good answers are kept for 30 seconds,
 * failures for 2, at most 10,000 names. Literal addresses answer at once.
 *
 * resolver_find() may be called on any thread.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum { RESOLVER_ADDRESSES_MAX = 16, RESOLVER_HOST_SIZE = 256 };

struct resolver_answer {
    enum err err; /* ERR_NONE; ERR_NOT_FOUND: no such name; ERR_UNAVAILABLE: try again later */
    struct sockaddr_storage addresses[RESOLVER_ADDRESSES_MAX]; /* port 0 */
    size_t count;
};

/** Runs on a resolver thread, exactly once. */
typedef void resolver_done(void *ctx, const struct resolver_answer *answer);

struct resolver;

/** getaddrinfo's place; a test puts its own. Blocking; fills *ret_answer. */
typedef void resolver_lookup(const char *host, struct resolver_answer *ret_answer);

/** lookup NULL: getaddrinfo. */
struct resolver *resolver_new(unsigned threads, resolver_lookup *lookup);
/** Waits for lookups under way; done runs for all that were asked. NULL is fine. */
void resolver_free(struct resolver *resolver);

/**
 * True: *ret_answer was filled from the cache (or host is a literal), done will not run.
 * False: done runs later on a resolver thread with the answer. When more than 1,000 names wait,
 * answers true with ERR_BUSY.
 */
bool resolver_find(struct resolver *resolver,
        const char *host,
        struct resolver_answer *ret_answer,
        resolver_done *done,
        void *ctx);
