/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endpoint_json - an endpoint as JSON: what a client sends to make or change one, and what it gets.
 */
#pragma once

#include "domain/endpoint.h"
#include "domain/faults.h"
#include "store/store_endpoint.h"

/* What a client said. */
struct endpoint_draft {
    struct endpoint *endpoint; /* the values; a reference, its strings borrowed from the document */
    unsigned fields;           /* bits of enum endpoint_field: what was said */
    struct str url;            /* none: not said; the caller checks it */
};

/** Reads the body of a creation, or of a change (every member optional, no secret). Adds every fault
 *  but the url's own. The caller owns ret_draft->endpoint, whatever was wrong. */
void endpoint_json_read(struct faults *faults,
        struct arena *arena,
        const struct json *json,
        bool create,
        int64_t now_ms,
        struct endpoint_draft *ret_draft);

enum endpoint_shown {
    ENDPOINT_SHOW_SECRET = 1,  /* the secret too */
    ENDPOINT_SHOW_HEADERS = 2, /* the values of its own headers, which often are credentials */
};

/** Appends the endpoint. shown: bits of enum endpoint_shown. Pure. */
void endpoint_json_write(struct buf *buf,
        const struct endpoint *endpoint,
        unsigned shown,
        int64_t now_ms);
