/* SPDX-License-Identifier: Apache-2.0 */
/* store_event - operations on events. See store.h for how an operation runs. */
#pragma once

#include "domain/event.h"
#include "store/store.h"

struct event_list {
    struct store_op op;
    struct str org_id;
    int kind;         /* enum event_kind, -1: any */
    int type;         /* enum call_type, -1: any */
    int64_t call_id;  /* 0: any */
    int64_t since_ms; /* 0: any */
    int64_t until_ms; /* 0: any */
    struct page page;
    struct event *events; /* out; with body */
    size_t count;         /* out */
};
MUST_CHECK enum err store_event_list(struct store *store, struct event_list *op);

/* Why an endpoint of the org has no delivery of an event. */
enum no_delivery {
    NO_DELIVERY_NONE,         /* it has one */
    NO_DELIVERY_NOT_SELECTED, /* "not_selected": its events or types leave this one out */
    NO_DELIVERY_LATER,        /* "endpoint_created_later" */
    NO_DELIVERY_DISABLED,     /* "endpoint_disabled": it was disabled then */
};

struct event_endpoint {
    int64_t endpoint_id;
    struct str url; /* none: the endpoint is gone */
    enum no_delivery why_none;
    int64_t delivery_id; /* 0: none, see why_none */
    enum delivery_state state;
    int64_t attempt_count;
    int64_t due_at_ms;
};

/** ERR_NOT_FOUND. */
struct event_get {
    struct store_op op;
    struct str org_id;
    int64_t id;
    struct event event; /* out */
    struct event_endpoint
            *endpoints;    /* out: every endpoint of the org, and deleted ones that had it */
    size_t endpoint_count; /* out */
};
MUST_CHECK enum err store_event_get(struct store *store, struct event_get *op);

/** Sends it again: to one endpoint, or to all that want it. A delivery that is there and finished
 *  starts anew (attempt numbers go on), one that is unfinished is made due now, a missing one is
 *  made. ERR_NOT_FOUND for event or endpoint; ERR_CONFLICT when the endpoint is disabled. */
struct event_replay {
    struct store_op op;
    struct str org_id;
    int64_t id;
    int64_t endpoint_id;    /* 0: all enabled ones that want it */
    int64_t delivery_count; /* out */
};
MUST_CHECK enum err store_event_replay(struct store *store, struct event_replay *op);
