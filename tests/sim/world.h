/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world - a whole CallSync on virtual time: the real store on a real database, the real delivery,
 * simulated receivers, and a ledger that watches.
 *
 * One thread. Time moves only in world_run(), from one due moment to the next, so that a week passes
 * as fast as there is something to do. The same seed gives the same world.
 */
#pragma once

#include "base/metrics.h"
#include "deliver/deliver.h"
#include "domain/secret.h"
#include "ledger.h"
#include "store/store_work.h"
#include "support/temp_folder.h"

#define WORLD_ORG STR("org_sim")

struct world {
    struct clock_virtual clock;
    struct rand rand;
    struct metrics metrics;
    struct log log; /* silent */
    uint8_t seal_key[SECRET_KEY_BYTES];
    uint8_t link_key[SECRET_KEY_BYTES];
    struct temp_folder folder;
    const char *path; /* of the database, in the folder */
    struct receivers receivers;
    struct ledger ledger;
    struct delivery_sink sink; /* tells the ledger, then goes on to deliver */
    struct note_listener listener;
    struct deliver *deliver;
    struct store *store;
    int64_t fault_calls; /* database calls so far */
    int64_t fault_at;    /* this one fails; 0: none */
    int64_t crash_in;    /* turns until the program dies; 0: it lives on */
    int64_t crash_count;
};

/** Starts a world in a folder of its own. */
struct world *world_new(uint64_t seed);
void world_free(struct world *world);
int64_t world_now_ms(const struct world *world);
/** A number from .. to, both included. */
int64_t world_pick(struct world *world, int64_t from, int64_t to);
/** True so many times out of a hundred. */
bool world_chance(struct world *world, int64_t percent);
/** Does all that is to be done now. */
void world_settle(struct world *world);
/** Lets time pass until something is due, until_ms at most, and does not do it yet. */
void world_skip_to_due(struct world *world, int64_t until_ms);
/** Lets time pass until then, or, with until_done, until no delivery is unfinished and nothing is in
 *  flight. */
void world_run(struct world *world, int64_t until_ms, bool until_done);
/** Ends the program as kill -9 does, or properly, and starts it again. */
void world_crash(struct world *world);
void world_restart(struct world *world);
