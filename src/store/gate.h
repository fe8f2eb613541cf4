/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate - what the store knows in memory of each endpoint: its newest snapshot, how many of its
 * deliveries are in memory, when its next stored one is due, its health and its counts.
 *
 * A gate decides whether a new delivery may be handed over at once (I2, I9) and how many stored
 * ones may be claimed. The window, how many may be in memory, grows by one with each success and
 * halves with each failure: a fast endpoint keeps its deliver thread busy across the time that a
 * commit takes, one that hangs holds little memory.
 *
 * All that a transaction changes lies in struct gate_state: gates_rollback() puts it back when the
 * commit fails. Store's writing thread only.
 */
#pragma once

#include <uthash.h>

#include "base/heap.h"
#include "domain/latency.h"
#include "store/store.h"
#include "store/store_endpoint.h"

enum { GATE_WINDOW_MAX = 2048 };

struct gate_state {
    size_t in_memory;
    size_t window;
    int64_t next_due_ms; /* no stored delivery is due before; INT64_MAX: none is stored */
    bool may_block;      /* stored deliveries may wait for an earlier one of their call */
    bool disabling;      /* this transaction disables it */
    bool changing;       /* this transaction changes it: claims wait for the new snapshot */
    int64_t hold_until_ms;
    int64_t failing_since_ms;
    int64_t failing_count;
    struct endpoint_bucket stat; /* not yet in endpoint_stat */
};

struct gate {
    int64_t endpoint_id; /* the hash key */
    UT_hash_handle hh;
    struct endpoint *endpoint;
    struct gate *prev, *next; /* of the same org */
    struct heap_item due;     /* when to claim; in the heap while a claim would be allowed */
    struct gate_state state;
    struct gate_state saved; /* as it was when the transaction began */
    struct gate *next_touched;
    bool touched;
};

/* The gates of one org. */
struct gate_org {
    char id[NOTE_ORG_SIZE]; /* the hash key */
    UT_hash_handle hh;
    struct gate *first;
    size_t count;
};

/* A delivery that was cancelled while it is in memory. Until it is back it cannot start anew, or two
 * attempts of it would be under way at once. */
struct gate_cancelled {
    int64_t delivery_id; /* the hash key */
    UT_hash_handle hh;
};

struct gates {
    struct gate *by_id;
    struct gate_org *by_org;
    struct heap due;
    struct gate_cancelled *cancelled;
    struct gate *touched;
    size_t in_memory;
    size_t in_memory_saved;
    size_t memory_max;
    bool stat_dirty; /* counts wait to be written */
    bool closed;     /* draining: hand nothing over, claim nothing */
};

/** No gates; memory_max deliveries in memory at most. */
void gates_init(struct gates *gates, size_t memory_max);
/** Frees all gates and drops their snapshots. */
void gates_done(struct gates *gates);
/** NULL when there is none. */
struct gate *gates_find(struct gates *gates, int64_t endpoint_id);
/** The first gate of the org (then ->next), or NULL. */
struct gate *gates_of_org(struct gates *gates, struct str org_id);
size_t gates_count_of_org(struct gates *gates, struct str org_id);
/** Adds or replaces the endpoint's snapshot (the reference is taken). */
struct gate *gates_put(struct gates *gates, struct endpoint *take_endpoint);
void gates_remove(struct gates *gates, int64_t endpoint_id);

/** To be called before state is changed in a transaction. */
void gates_touch(struct gates *gates, struct gate *gate);
/** The transaction's end: keeps or takes back all changes of states, and reschedules. */
void gates_commit(struct gates *gates, int64_t now_ms);
void gates_rollback(struct gates *gates, int64_t now_ms);

/** True when a new delivery may go straight to memory. */
bool gate_may_hand_over(const struct gates *gates, const struct gate *gate, int64_t now_ms);
/** How many stored deliveries may be claimed now; 0: none. */
size_t gate_room(const struct gates *gates, const struct gate *gate, int64_t now_ms);
/** One more in memory; touches. */
void gate_enter(struct gates *gates, struct gate *gate);
/** One less; succeeded moves the window (attempted false: it does not). Touches. */
void gate_leave(struct gates *gates, struct gate *gate, bool attempted, bool succeeded);
/** A stored delivery is due then; touches. */
void gate_due(struct gates *gates, struct gate *gate, int64_t due_at_ms);
/** Puts the gate in, or takes it out of, the heap of those that may claim. */
void gate_schedule(struct gates *gates, struct gate *gate, int64_t now_ms);
/** The next moment at which a gate may claim; INT64_MAX: none. */
int64_t gates_next_due_ms(const struct gates *gates);
/** The gate that may claim now, or NULL. */
struct gate *gates_first_due(struct gates *gates, int64_t now_ms);

/** The delivery, which is in memory, was cancelled. Kept although the transaction fails: it then
 *  means nothing. */
void gates_put_cancelled(struct gates *gates, int64_t delivery_id);
/** The delivery is back from memory. */
void gates_drop_cancelled(struct gates *gates, int64_t delivery_id);
bool gates_has_cancelled(const struct gates *gates, int64_t delivery_id);
