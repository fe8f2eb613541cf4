/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rig - the API with a real store and a recordings' folder of the test's own, asked from memory.
 *
 *     rig_header(rig, "Idempotency-Key", "k1");            of the next request alone
 *     assert_int_equal(rig_ask(rig, "POST", "/v1/calls", "{...}"), 201);
 *     assert_true(str_is(rig_str(rig, "errors[0].field"), "phone"));
 *
 * An org "org_a" is there; requests carry its token, with all scopes, unless rig->token says
 * otherwise. Deliveries that the store hands over are kept unsent.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/api.h"
#include "base/clock.h"
#include "base/json.h"
#include "support/http_exchange_fake.h"
#include "support/temp_folder.h"

#define RIG_ADMIN_TOKEN "admin-token-of-the-test"
#define RIG_START_MS    INT64_C(1777377493000) /* 2026-04-28T11:58:13Z */

enum { RIG_HEADERS_MAX = 8, RIG_TOKEN_SIZE = 64 };

struct rig {
    struct temp_folder folder;
    struct clock_virtual clock;
    struct metrics metrics;
    struct address_rule rule;
    struct resolver *resolver;
    struct delivery_sink sink;
    struct delivery *handed; /* by op.mail.next; the store thread's while it runs */
    struct api *api;
    struct store *store;
    struct recordings *recordings;
    int64_t fail_at; /* of the database's calls; 0: none */
    int64_t calls;
    char org_token[RIG_TOKEN_SIZE];
    const char *token;        /* of the next requests; NULL: none */
    const char *content_type; /* of bodies; NULL: none is sent */
    struct {
        const char *name;
        const char *value;
    } headers[RIG_HEADERS_MAX]; /* of the next request */
    size_t header_count;
    size_t chunk_bytes; /* not 0: the next body comes without a length, in such pieces */

    struct http_exchange_fake *fake; /* the last request */
    struct json *json;               /* its answer; NULL: no JSON */
};

int rig_set_up(void **state);
int rig_tear_down(void **state);

/** Adds a header to the next request; both texts stay the caller's. */
void rig_header(struct rig *rig, const char *name, const char *value);
/** Sends a request and returns the status. body NULL: none. */
unsigned rig_ask(struct rig *rig, const char *method, const char *target, const char *body);
/** The same with any bytes. */
unsigned rig_ask_bytes(struct rig *rig, const char *method, const char *target, struct str body);
struct str rig_body(struct rig *rig);
struct str rig_reply_header(struct rig *rig, const char *name);
/** A value of the answer, such as "data[0].id"; NULL when it is not there. */
const struct json *rig_value(struct rig *rig, const char *path);
struct str rig_str(struct rig *rig, const char *path);
int64_t rig_i64(struct rig *rig, const char *path);
/** Makes an org with the admin's token, and gives its token. */
void rig_make_org(struct rig *rig, const char *id, char ret_token[RIG_TOKEN_SIZE]);
/** A token of org_a with these scopes, such as "[\"read\"]". */
void rig_make_token(struct rig *rig, const char *scopes, char ret_token[RIG_TOKEN_SIZE]);
/** Logs an answered call and gives its id. */
int64_t rig_make_call(struct rig *rig);
/** Text of the rig's, for a request's target. */
const char *rig_textf(struct rig *rig, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

/** The answer is 422 and blames this field first. */
void rig_assert_fault(struct rig *rig, unsigned status, const char *field);
/** What the answer says at path. */
void rig_assert_str(struct rig *rig, const char *path, const char *expected);

#define RIG_TEST(name) cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)
