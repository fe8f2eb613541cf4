/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world - a store on the test's thread and on virtual time, of whose database calls one can be made
 * to fail, and receivers that answer at once.
 *
 * What a receiver answers stands in its endpoint's URL:
 *
 *     /ok       200
 *     /flaky    503 with "Retry-After: 30" to the first attempt of each delivery, then 200
 *     /dead     500
 *     /gone     410
 *
 * What was answered with ERR_NONE is noted (world_expect_*), and world_check() looks whether it is
 * there, once, and whether all of it ended.
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
#include "base/codec.h"
#include "base/metrics.h"
#include "store/store.h"
#include "support/temp_folder.h"

#define WORLD_ORG     STR("org_sweep")
#define WORLD_HOUR_MS (INT64_C(3600) * 1000)
#define WORLD_DAY_MS  (24 * WORLD_HOUR_MS)

enum { WORLD_EVENTS_MAX = 32, WORLD_CALLS_MAX = 16, WORLD_RECEIVERS = 4 };

enum world_receiver { WORLD_OK, WORLD_FLAKY, WORLD_DEAD, WORLD_STRICT };

/* An event that was answered with ERR_NONE. */
struct expected_event {
    int64_t id;
    int64_t delivery_count;
};

struct world {
    struct temp_folder folder;
    struct clock_virtual clock;
    struct metrics metrics;
    struct arena arena; /* of ops: lives as long as the world */
    uint8_t seal_key[SECRET_KEY_BYTES];
    uint8_t link_key[SECRET_KEY_BYTES];
    struct delivery_sink sink;
    struct store_config config;
    struct store *store; /* NULL: closed */
    struct db *outside;  /* a look at its database from outside; NULL: not needed yet */
    int64_t fail_at;     /* the database call that fails; 0: none */
    int64_t calls;       /* made so far */
    bool crashed;
    size_t done_count;     /* ops */
    int64_t attempt_count; /* that receivers answered */

    struct expected_event events[WORLD_EVENTS_MAX];
    size_t event_count;
    int64_t call_ids[WORLD_CALLS_MAX];
    size_t call_count;
    int64_t endpoint_ids[WORLD_RECEIVERS];

    /* What steps of a scenario tell later ones. */
    int64_t other_id;
    struct str text;
};

/** A closed world in a folder of its own; it begins with the database and the endpoints of another
 *  one that is closed, if any. */
void world_init(struct world *world, const struct world *begin_with);
void world_done(struct world *world);
/** Opens the store. */
enum err world_open(struct world *world);
/** Closes it as a crash would: what is in memory is lost. */
void world_crash(struct world *world);

/** Submits the op, turns until it is done, and gives its error. */
#define WORLD_RUN(world, verb, noun)                                                               \
    (world_prepare((world), &(noun)->op),                                                          \
            world_finish((world), &(noun)->op, verb((world)->store, (noun))))
void world_prepare(struct world *world, struct store_op *op);
enum err world_finish(struct world *world, struct store_op *op, enum err submitted);

/** Turns until nothing is left to be done within a second, which may pass. */
void world_settle(struct world *world);
/** Lets that much time pass, from one due delivery to the next; housekeeping sleeps meanwhile. */
void world_pass(struct world *world, int64_t ms);
/** Lets time pass until every delivery has ended. */
void world_end_deliveries(struct world *world);

void world_expect_call(struct world *world, int64_t call_id);
void world_expect_event(struct world *world, int64_t event_id, int64_t delivery_count);

/** The first column of the first row; no row: -1. */
int64_t world_number(struct world *world, const char *sql);
/** SHA-256 of every row of every table; of nothing when there is no database yet. */
void world_digest(struct world *world, uint8_t ret_digest[SHA256_BYTES]);

/** I1, I2, I3, I8 for all that was expected; every delivery has ended. */
void world_check(struct world *world);

/** Fails the test and tells which database call had failed. */
#define WORLD_CHECK(world, condition)                                                              \
    world_check_that((world), (condition), #condition, __FILE__, __LINE__)
void world_check_that(const struct world *world,
        bool holds,
        const char *what,
        const char *file,
        int line);
