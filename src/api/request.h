/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request - one API request on its way from exchange to reply: who asks, path parameters, body,
 * faults, and the operation that it waits for. Lives in the exchange's arena.
 *
 * A handler (api_<resource>.c) is straight-line: read, collect faults, fill an op, submit; and a
 * second function, its answer, that writes the reply from the op.
 */
#pragma once

#include "api/api.h"
#include "base/json.h"
#include "domain/faults.h"
#include "domain/token.h"
#include "store/store_idempotency.h"

struct request;
struct route;

enum { REQUEST_PARAMS_MAX = 2 };

/** The settings that the API was made with. */
const struct api_config *request_config(const struct request *request);

/** Writes the JSON of a well-ended operation: status and body. Pure: it reads op and its owner's
 *  plain data only, because with an Idempotency-Key it runs on the store thread. */
typedef void request_render(struct store_op *op, int64_t *ret_status, struct buf *ret_body);

struct request {
    struct api *api;
    struct api_parts *parts; /* api's */
    struct http_exchange *x;
    struct arena *arena; /* the exchange's */
    const struct route *route;
    struct str params[REQUEST_PARAMS_MAX]; /* of the path, percent-decoded, in its order */

    /* who asks */
    struct str org_id; /* none: the admin without X-CallSync-Org, or nobody */
    unsigned scopes;   /* bits of enum scope; 0: nobody */

    struct json *json;    /* the body when the route takes JSON; freed at the end */
    struct faults faults; /* prefix none */

    /* the operation under way */
    struct store_op *op;
    request_render *render;
    void (*answer)(struct request *request, enum err err); /* NULL: render, or the problem of err */
    struct idempotency idempotency;
    bool has_idempotency;
    /** The op is committed: for what must follow even when the peer is gone by now (caches, files).
     *  On the store thread, before answer; must not block. NULL: nothing follows. */
    void (*stored)(struct request *request);

    void (*end)(struct request *request); /* releases what the handler holds; NULL: nothing */
    void *data;                           /* the handler's */

    /* request.c's and api.c's own */
    void (*then)(struct request *request, enum err err); /* runs when the wait is over */
    enum err wait_err;
    bool query_checked;
    bool key_marked;           /* the Idempotency-Key is marked as running */
    struct request_auth *auth; /* api.c's look-up of the token; NULL: none was needed */
};

/** Queues an op with submit() and suspends. When it ended well, render writes the answer; else the
 *  error becomes a problem (field and text from op->why). With faults collected, answers 422 at once
 *  instead. submit is a store_<noun>_<verb>, cast by REQUEST_SUBMIT. */
typedef enum err request_submit_fn(struct store *store, struct store_op *op);
void request_submit(struct request *request,
        struct store_op *op,
        request_submit_fn *submit,
        request_render *render);
/** A store_<noun>_<verb>() as request_submit_fn: its op begins with the struct store_op. */
#define REQUEST_SUBMIT(function) ((request_submit_fn *)(function))
/** For operations that are more than rendering: answer runs on the server's thread. With an
 *  Idempotency-Key, request->render must be set before, and answer does not run for a replay. */
void request_submit_then(struct request *request,
        struct store_op *op,
        request_submit_fn *submit,
        void (*answer)(struct request *request, enum err err));
/** What request_submit() answers with: render, or the problem of err. */
void request_answer(struct request *request, enum err err);
/** The answer of a deletion: 204, or the problem of err. */
void request_answer_nothing(struct request *request, enum err err);
/** Suspends for something else than the store; request_resume() from any thread runs answer. */
void request_wait(struct request *request, void (*answer)(struct request *request, enum err err));
void request_resume(struct request *request, enum err err);

/** True (and 422 answered) when faults were collected. Under /v1/ a handler that did not call
 *  request_check_query() takes no query parameters. */
bool request_refuse_faults(struct request *request);
/** True when Content-Type is application/json, in UTF-8. */
bool request_is_json(const struct request *request);
/** Parses text, an object, into request->json; else answers 400 or 422 and returns false. */
bool request_read_json(struct request *request, struct str text);
/** Answers 413. */
void request_refuse_large(struct request *request, size_t limit_bytes);
/** Answers 200 (or status) with JSON that is in the arena or in x->reply_buf. */
void request_reply_json(struct request *request, unsigned status, struct str json);
/** 204 without a body. */
void request_reply_nothing(struct request *request);

/** For the layer's own look-ups before a handler runs (who asks): like request_submit_then(), but
 *  faults, query and Idempotency-Key are left alone. */
void request_look_up(struct request *request,
        struct store_op *op,
        request_submit_fn *submit,
        void (*then)(struct request *request, enum err err));
/** For a POST that is no single operation: looks the Idempotency-Key up, answers again what it
 *  answered first, or marks the key as running and goes on with handle. */
void request_open_key(struct request *request, void (*handle)(struct request *request));
/** Forgets a key that is marked as running, because the request failed; nothing when none is. */
void request_release_key(struct request *request);

/** Query parameters; each adds a fault when it is there and wrong. False: absent. */
bool request_query_i64(struct request *request,
        const char *name,
        int64_t min,
        int64_t max,
        int64_t *ret_value);
bool request_query_time(struct request *request, const char *name, int64_t *ret_at_ms);
bool request_query_str(struct request *request,
        const char *name,
        size_t max_bytes,
        struct str *ret_value);
bool request_query_id(struct request *request,
        const char *name,
        const char *prefix,
        int64_t *ret_id);
/** limit and cursor. */
void request_query_page(struct request *request, struct page *ret_page);
/** Adds a fault for every query parameter that is not in names (NULL-ended). */
void request_check_query(struct request *request, const char *const *names);

/** Reads params[i] as an id with this prefix; answers 404 and returns false when it is none. */
bool request_param_id(struct request *request, int i, const char *prefix, int64_t *ret_id);
/** ... as a call id. */
bool request_param_call_id(struct request *request, int i, int64_t *ret_id);
