/* SPDX-License-Identifier: Apache-2.0 */
/* store_endpoint - operations on endpoints. See store.h for how an operation runs. */
#pragma once

#include "domain/endpoint.h"
#include "domain/latency.h"
#include "store/store.h"

enum endpoint_field {
    ENDPOINT_URL = 1 << 0,
    ENDPOINT_DESCRIPTION = 1 << 1,
    ENDPOINT_EVENTS = 1 << 2,
    ENDPOINT_TYPES = 1 << 3,
    ENDPOINT_ENABLED = 1 << 4,
    ENDPOINT_HEADERS = 1 << 5,
    ENDPOINT_TIMEOUT = 1 << 6,
    ENDPOINT_RETRY_SCHEDULE = 1 << 7,
    ENDPOINT_MAX_IN_FLIGHT = 1 << 8,
    ENDPOINT_RATE_LIMIT = 1 << 9,
    ENDPOINT_ORDERING = 1 << 10,
};

enum { ENDPOINTS_PER_ORG_MAX = 1000 };

/** Creates it (create: all of endpoint counts, id is made) or changes the given fields.
 *  ERR_LIMIT above ENDPOINTS_PER_ORG_MAX; ERR_NOT_FOUND. */
struct endpoint_write {
    struct store_op op;
    bool create;
    int64_t id; /* for a change */
    struct str org_id;
    unsigned fields;                 /* bits of enum endpoint_field, for a change */
    const struct endpoint *endpoint; /* in: the values; secret only for create */
    struct endpoint *result;         /* out: NULL, or a reference to unref, whatever op.err is */
};
MUST_CHECK enum err store_endpoint_write(struct store *store, struct endpoint_write *op);

/** ERR_NOT_FOUND. */
struct endpoint_get {
    struct store_op op;
    struct str org_id;
    int64_t id;
    struct endpoint *endpoint; /* out: a reference for the caller to unref */
};
MUST_CHECK enum err store_endpoint_get(struct store *store, struct endpoint_get *op);

struct endpoint_list {
    struct store_op op;
    struct str org_id;
    struct page page;
    struct endpoint **endpoints; /* out: the array in the arena, a reference each to unref */
    size_t count;                /* out */
};
MUST_CHECK enum err store_endpoint_list(struct store *store, struct endpoint_list *op);

/** Its unfinished deliveries are cancelled. ERR_NOT_FOUND. */
struct endpoint_delete {
    struct store_op op;
    struct str org_id;
    int64_t id;
};
MUST_CHECK enum err store_endpoint_delete(struct store *store, struct endpoint_delete *op);

/** A new secret; the old one signs too until the overlap ends. ERR_NOT_FOUND; ERR_CONFLICT while an
 *  overlap is under way, unless overlap_s is 0 (the new one alone counts at once). */
struct endpoint_rotate {
    struct store_op op;
    struct str org_id;
    int64_t id;
    struct str secret; /* the new one, checked */
    int64_t overlap_s;
    struct endpoint *endpoint; /* out: NULL, or a reference to unref, whatever op.err is */
};
MUST_CHECK enum err store_endpoint_rotate(struct store *store, struct endpoint_rotate *op);

enum recover_what { RECOVER_FAILED = 1, RECOVER_MISSED = 2, RECOVER_ALL = 3 };

/** Makes failed deliveries waiting again, makes deliveries for missed events, or both, of events
 *  from since to until. Stored before it answers, so that a restart goes on with it.
 *  ERR_NOT_FOUND; ERR_CONFLICT when the endpoint is disabled. */
struct endpoint_recover {
    struct store_op op;
    struct str org_id;
    int64_t id;
    int64_t since_ms;
    int64_t until_ms; /* 0: now */
    enum recover_what what;
    int64_t delivery_count; /* out */
};
MUST_CHECK enum err store_endpoint_recover(struct store *store, struct endpoint_recover *op);

enum { STAT_BUCKET_MS = 5 * 60 * 1000, STAT_BUCKETS_MAX = 64 };

struct endpoint_bucket {
    int64_t at_ms; /* its beginning */
    int64_t delivered;
    int64_t failed;
    struct latency latency;
};

/** ERR_NOT_FOUND. The window is cut into bucket_count equal pieces that end with now's. */
struct endpoint_stats {
    struct store_op op;
    struct str org_id;
    int64_t id;
    int64_t window_ms;               /* a multiple of bucket_count * STAT_BUCKET_MS */
    int64_t bucket_count;            /* 1 .. STAT_BUCKETS_MAX */
    struct endpoint_bucket *buckets; /* out, oldest first */
    int64_t waiting;                 /* out: unfinished deliveries */
    int64_t last_success_at_ms;      /* out: 0 never (within retention) */
    int64_t last_failure_at_ms;      /* out */
};
MUST_CHECK enum err store_endpoint_stats(struct store *store, struct endpoint_stats *op);
