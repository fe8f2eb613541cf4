/* SPDX-License-Identifier: Apache-2.0 */
/*
 * contract - a store on a database of its own, driven on the test's thread and on virtual time.
 *
 * The suite is the same for each database: its name is the test program's argument. Deliveries that
 * the store hands over are kept until the test answers them.
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

#include "base/arena.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "store/store.h"
#include "store/store_call.h"
#include "store/store_delivery.h"
#include "store/store_endpoint.h"
#include "store/store_event.h"
#include "store/store_idempotency.h"
#include "store/store_inbox.h"
#include "store/store_org.h"
#include "store/store_staff.h"
#include "support/temp_folder.h"

#define CONTRACT_START_MS INT64_C(1777377493000)
#define HOUR_MS           (INT64_C(3600) * 1000)
#define DAY_MS            (24 * HOUR_MS)

enum { CONTRACT_NOTES_MAX = 1024 };

struct contract {
    struct temp_folder folder;
    struct clock_virtual clock;
    struct metrics metrics;
    struct arena arena; /* what ops give lives as long as the test */
    uint8_t seal_key[SECRET_KEY_BYTES];
    uint8_t link_key[SECRET_KEY_BYTES];
    struct delivery_sink sink;
    struct note_listener listener;
    struct store_config config;
    struct store *store;
    size_t done_count;
    struct delivery *handed; /* by op.mail.next, oldest first */
    size_t handed_count;
    size_t changed_endpoints;              /* how often the sink was told of a change of one */
    int64_t cancelled_id;                  /* the last one that the sink was told of */
    struct note notes[CONTRACT_NOTES_MAX]; /* the first ones */
    size_t note_count;
    size_t removed_files; /* asked to be removed */
    int64_t fail_at;      /* of the database's calls; 0: none */
    int64_t calls;
};

int contract_set_up(void **state);
int contract_tear_down(void **state);
/** Closes the store and opens it again, as after a restart. */
void contract_reopen(struct contract *c);
/** Turns until there is nothing to do at this moment. */
void contract_settle(struct contract *c);
void contract_advance(struct contract *c, int64_t ms);
/** Gives all that was handed over back as answered with 200, and takes that in. */
void contract_answer_all(struct contract *c);

/** The oldest delivery that was handed over, now the test's to answer or return; there must be one. */
struct delivery *contract_take(struct contract *c);
/** Gives it back as answered with this status (0: a timeout), decided by its endpoint's schedule. */
void contract_answer(struct contract *c, struct delivery *take_delivery, int64_t status);
/** Gives it back unsent. */
void contract_return(struct contract *c, struct delivery *take_delivery, int64_t due_at_ms);

/** Submits the op, turns until it is done, and gives its error. */
#define RUN(c, verb, noun)                                                                         \
    (contract_prepare((c), &(noun)->op), contract_finish((c), (noun), verb((c)->store, (noun))))
void contract_prepare(struct contract *c, struct store_op *op);
enum err contract_finish(struct contract *c, void *op, enum err submitted);

/* What most tests need first. */
void contract_make_org(struct contract *c, const char *id);
int64_t contract_make_endpoint(struct contract *c, const char *org_id);
/** With these settings; url and secret are filled in when they are none. */
int64_t
contract_create_endpoint(struct contract *c, const char *org_id, struct endpoint *take_endpoint);
/** Changes the fields (bits of enum endpoint_field) of an endpoint of org_a. */
enum err contract_patch_endpoint(struct contract *c,
        int64_t id,
        unsigned fields,
        struct endpoint *take_endpoint);
/** Enables or disables an endpoint of org_a. */
void contract_enable(struct contract *c, int64_t id, bool enabled);
/** Logs an answered call that expects a recording. */
int64_t contract_make_call(struct contract *c, const char *org_id, const char *phone);
/** Events of the org of this kind (-1: any), at most a page. */
size_t contract_count_events(struct contract *c, const char *org_id, int kind);
size_t contract_count_deliveries(struct contract *c, const char *org_id, int state);
/** Sets file_status of a call of org_a: recording_updated, and what follows. Gives its event. */
int64_t contract_set_file_status(struct contract *c, int64_t call_id, enum file_status status);
/** A delivery of org_a with its attempts. */
struct delivery_get contract_get_delivery(struct contract *c, int64_t id);

/** The number that sql gives, read past the store: for what no operation shows. */
int64_t contract_number(struct contract *c, const char *sql);

#define CONTRACT_TEST(name)                                                                        \
    cmocka_unit_test_setup_teardown(name, contract_set_up, contract_tear_down)
/** The body of main(): runs the tests on the database named by the argument. */
#define CONTRACT_MAIN(argc, argv, tests)                                                           \
    (contract_knows((argc), (argv)) ? cmocka_run_group_tests((tests), NULL, NULL) : 2)
bool contract_knows(int argc, char **argv);
