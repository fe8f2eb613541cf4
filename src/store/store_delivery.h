/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_delivery - deliveries in memory and their results, and operations on stored ones.
 */
#pragma once

#include "base/blob.h"
#include "base/buf.h"
#include "domain/delivery.h"
#include "store/store.h"

/* What became of a handed-over delivery. */
enum delivery_result {
    RESULT_ATTEMPTED, /* an attempt ended: the members below tell */
    RESULT_RETURNED,  /* not started: it waits again, from due_at_ms on */
};

/**
 * A delivery in memory: made by the store when it hands over or claims, owned by the sink until
 * store_delivery_result(), then by the store, which frees it once the result is committed.
 * It is itself the operation that stores its result.
 */
struct delivery {
    struct store_op op; /* first; the store's, but op.mail.next links chains */

    /* set by the store */
    int64_t id;
    int64_t event_id;
    int64_t call_id;
    enum event_kind kind;
    struct endpoint *endpoint; /* a reference; the snapshot at hand-over */
    struct blob *body;         /* a reference */
    int64_t attempt_count; /* attempts that ended before: the next is number attempt_count + 1 */
    int64_t failure_count; /* failed ones in this run of the schedule */
    bool out_of_order;     /* an earlier event of the call is unfinished */

    /* set by the sink with the result */
    enum delivery_result result;
    int64_t due_at_ms;                 /* RESULT_RETURNED: not before */
    struct delivery_decision decision; /* RESULT_ATTEMPTED, all below */
    struct attempt_outcome outcome;
    int64_t started_at_ms;
    int64_t duration_us;
    struct buf detail;           /* for people, why it failed; empty: nothing to say */
    struct buf request_headers;  /* "Name: value\n" lines as sent, own headers' values hidden */
    struct buf response_headers; /* "Name: value\n" lines; empty: none came */
    struct buf response_body;

    enum delivery_state state; /* out, RESULT_ATTEMPTED: as decided, or cancelled meanwhile */

    void *sink_data; /* the sink's */
};

/** Gives a chain (by op.mail.next) of deliveries back with their results. Any thread. */
void store_delivery_result(struct store *store, struct delivery *first);

/* A stored delivery. */
struct delivery_row {
    int64_t id;
    int64_t event_id;
    int64_t endpoint_id;
    int64_t call_id;
    enum event_kind kind;
    enum delivery_state state; /* held when its endpoint is disabled */
    int64_t attempt_count;
    int64_t due_at_ms;       /* of the next attempt, for waiting and retrying; else 0 */
    int64_t finished_at_ms;  /* 0: unfinished */
    struct str endpoint_url; /* none: the endpoint is gone */
};

struct attempt_row {
    int64_t id;
    int64_t number;
    int64_t started_at_ms;
    int64_t duration_us;
    enum attempt_error error;
    struct str detail;
    int64_t status; /* 0: none came */
    struct str request_headers;
    struct str response_headers;
    struct str response_body;
};

struct delivery_list {
    struct store_op op;
    struct str org_id;
    int64_t endpoint_id; /* 0: any */
    int state;           /* enum delivery_state, -1: any */
    int kind;            /* enum event_kind, -1: any */
    int64_t call_id;     /* 0: any */
    int64_t since_ms;    /* made at or after; 0: any */
    int64_t until_ms;    /* made before; 0: any */
    struct page page;
    struct delivery_row *deliveries; /* out */
    size_t count;                    /* out */
};
MUST_CHECK enum err store_delivery_list(struct store *store, struct delivery_list *op);

enum { DELIVERY_ATTEMPTS_MAX = 200 };

/** With its newest DELIVERY_ATTEMPTS_MAX attempts, oldest first, and the event's body.
 *  ERR_NOT_FOUND. */
struct delivery_get {
    struct store_op op;
    struct str org_id;
    int64_t id;
    struct delivery_row delivery; /* out */
    struct str body;              /* out: the event's payload */
    struct attempt_row *attempts; /* out */
    size_t attempt_count;         /* out */
};
MUST_CHECK enum err store_delivery_get(struct store *store, struct delivery_get *op);

/** A finished one starts a new run of its schedule, now; a waiting or retrying one is due now; one
 *  that is being sent stays. ERR_NOT_FOUND; ERR_CONFLICT when its endpoint is disabled or gone. */
struct delivery_retry {
    struct store_op op;
    struct str org_id;
    int64_t id;
    struct delivery_row delivery; /* out */
};
MUST_CHECK enum err store_delivery_retry(struct store *store, struct delivery_retry *op);

/** ERR_NOT_FOUND; ERR_CONFLICT when it is finished. An attempt under way ends and is recorded. */
struct delivery_cancel {
    struct store_op op;
    struct str org_id;
    int64_t id;
    struct delivery_row delivery; /* out */
};
MUST_CHECK enum err store_delivery_cancel(struct store *store, struct delivery_cancel *op);
