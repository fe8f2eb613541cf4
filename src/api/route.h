/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route - the table of all routes: what the API can do, in one place. doc/openapi.yaml is held
 * against it by a test.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct request;

enum route_auth {
    AUTH_NONE,     /* anybody */
    AUTH_OPTIONAL, /* a token counts if there is one; a wrong one is 401 */
    AUTH_TOKEN,    /* a token of an org with the route's scope, or the admin with X-CallSync-Org */
    AUTH_ADMIN,    /* the admin token */
};

enum route_body {
    BODY_NONE,          /* a body is refused, but an empty one or {} */
    BODY_JSON,          /* application/json, an object; 415 for another type */
    BODY_JSON_OPTIONAL, /* may be absent */
    BODY_STREAM,        /* the handler's begin takes it (recordings) */
    BODY_RAW,           /* any bytes up to max_body_bytes are collected (inboxes) */
};

struct route {
    const char *method;  /* "GET"; "*": any (inboxes) */
    const char *pattern; /* "/v1/calls/{call_id}/recording"; "/recordings/{name}" */
    enum route_auth auth;
    unsigned scope; /* bits, any of which is enough */
    enum route_body body;
    size_t max_body_bytes; /* 0: LIMIT_JSON_BODY_BYTES */
    bool one_op; /* the handler ends in one request_submit(): its idempotency is the store's */
    void (*handle)(struct request *request); /* everything is there */
    void (*begin)(struct request *request);  /* BODY_STREAM: decides on x->on_body; else NULL */
};

/** The whole table. */
const struct route *route_all(size_t *ret_count);

/** Finds the route; NULL with *ret_path_known when only the method is wrong, and then *ret_allow
 *  (at least 128 bytes) lists the methods. Parameters are borrowed from path, still escaped. */
const struct route *route_find(struct str method,
        struct str path,
        struct str *ret_params,
        bool *ret_path_known,
        char *ret_allow,
        size_t allow_size);
