/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_target - what a client remembers of a URL that it sends to again and again: its parts, and
 * the addresses that were last handed to the connecting library for its host.
 *
 * A table holds the targets by URL and forgets the oldest unused ones above its cap. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "net/resolver.h"
#include "net/url.h"

enum { HTTP_TARGETS_MAX = 2048, HTTP_TARGET_URL_MAX_BYTES = 16 * 1024 };

struct http_target {
    struct url url;
    bool is_literal;                /* the host is an address */
    struct resolver_answer *pinned; /* NULL: never; only the first count addresses are there */
    uint64_t pin_version;           /* raised by each new answer */
    uint64_t settled_version;       /* this answer is known to have reached the library ... */
    uint64_t settled_epoch;         /* ... in this epoch of its cache */
};

struct http_target_table;

/** An empty table. */
struct http_target_table *http_target_table_new(void);
/** No target may be in use. NULL is fine. */
void http_target_table_free(struct http_target_table *table);
/** Finds or reads it, and counts one use more, until http_target_release(). ERR_INVALID with the
 *  reason when it is no URL. */
MUST_CHECK enum err http_target_use(struct http_target_table *table,
        const char *url,
        struct http_target **ret_target,
        struct error *why);
void http_target_release(struct http_target *target); /* NULL is fine */
/** Takes the answer down; pin_version rises when it differs from the last one in any address. */
void http_target_set_answer(struct http_target *target, const struct resolver_answer *answer);
