/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_inbox - operations on inboxes, the built-in test receivers. An inbox keeps its newest 100
 * requests for 24 hours; one made by a visitor (no org) goes 24 hours after it was made.
 */
#pragma once

#include "store/store.h"

enum {
    INBOX_REQUESTS_MAX = 100,
    INBOX_BODY_MAX_BYTES = 1024 * 1024,
    INBOX_OF_VISITOR_BODY_MAX_BYTES = 64 * 1024, /* anybody may make one: disks have an end */
    INBOX_DELAY_MAX_MS = 30000,
    INBOXES_PER_ORG_MAX = 100,
    INBOXES_OF_VISITORS_MAX = 1000,
};
#define INBOX_KEEP_MS (INT64_C(24) * 3600 * 1000)

struct inbox {
    struct str id;     /* "in_" and 26 unguessable characters */
    struct str org_id; /* none: a visitor's */
    struct str secret; /* none: signatures are not judged */
    int64_t status;    /* what it answers; 200 */
    int64_t delay_ms;  /* before it answers */
    int64_t created_at_ms;
};

/** ERR_LIMIT when there are too many. */
struct inbox_create {
    struct store_op op;
    struct inbox inbox; /* in: all but id and created_at; out: as it is */
};
MUST_CHECK enum err store_inbox_create(struct store *store, struct inbox_create *op);

/** A visitor's inbox is found by its id alone; an org's only with that org_id, unless any_org.
 *  ERR_NOT_FOUND, so for the others. */
struct inbox_get {
    struct store_op op;
    struct str org_id;
    bool any_org; /* for a request to /in/{id} */
    struct str id;
    struct inbox inbox; /* out */
};
MUST_CHECK enum err store_inbox_get(struct store *store, struct inbox_get *op);

struct inbox_list {
    struct store_op op;
    struct str org_id;
    struct page page;
    struct inbox *inboxes; /* out */
    size_t count;          /* out */
};
MUST_CHECK enum err store_inbox_list(struct store *store, struct inbox_list *op);

struct inbox_delete {
    struct store_op op;
    struct str org_id;
    struct str id;
};
/** With what it kept. ERR_NOT_FOUND, so for another org's. */
MUST_CHECK enum err store_inbox_delete(struct store *store, struct inbox_delete *op);

#define INBOX_REQUEST_ID_PREFIX "req_"

enum signature_judgement { SIGNATURE_UNJUDGED = -1, SIGNATURE_WRONG = 0, SIGNATURE_HOLDS = 1 };

struct inbox_request {
    int64_t id; /* "req_" and its digits; its time is when it came */
    struct str method;
    struct str headers; /* "Name: value\n" lines */
    struct str body;
    enum signature_judgement signature;
};

/** Keeps a request that came; drops the oldest above INBOX_REQUESTS_MAX. ERR_NOT_FOUND. */
struct inbox_receive {
    struct store_op op;
    struct str inbox_id;
    struct inbox_request request; /* in: all but id; out: id */
};
MUST_CHECK enum err store_inbox_receive(struct store *store, struct inbox_receive *op);

struct inbox_request_list {
    struct store_op op;
    struct str org_id;
    struct str inbox_id;
    struct page page;
    struct inbox_request *requests; /* out, newest first */
    size_t count;                   /* out */
};
MUST_CHECK enum err store_inbox_request_list(struct store *store, struct inbox_request_list *op);
