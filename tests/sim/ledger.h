/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger - what was promised and what happened in the simulated world, and whether that agrees with
 * the invariants of doc/invariants.md.
 *
 * It learns from outside: what the store published after a commit, what it told the sink, what the
 * receivers got; and it reads the database over a connection of its own. The first thing that is
 * wrong fails the test, with the seed.
 */
#pragma once

#include "domain/delivery.h"
#include "receiver.h"
#include "store/db.h"
#include "store/store.h"

/* One delivery, as it was seen. */
struct ledger_delivery;
/* One event, and who has to get it. */
struct ledger_event;

/* An endpoint; it has the receiver's number. */
struct ledger_endpoint {
    struct endpoint *snapshot; /* the newest that the sink was told of; NULL: never made */
    bool deleted;
    int64_t changed_in_turn;
    int64_t in_flight;
    int64_t hold_until_ms;           /* as of the answers that came */
    int64_t committed_hold_until_ms; /* as of those that were stored */
    bool was_recovered;              /* it may have events that it did not want when they came */
};

struct ledger {
    uint64_t seed;
    const struct clock *clock;
    const char *path; /* of the database */
    struct db *db;    /* NULL: closed */
    int64_t turn;
    struct ledger_endpoint endpoints[RECEIVERS_MAX];
    struct ledger_delivery *deliveries;
    struct ledger_event *events;
    int64_t restarted_at_ms;

    /* sums, to see that a run was worth something */
    int64_t start_count;
    int64_t delivered_count;
    int64_t failed_attempt_count;
    int64_t out_of_order_count;
    int64_t repeat_count;
};

void ledger_done(struct ledger *ledger);
/** Fails the test, with seed and moment. */
_Noreturn void ledger_fail(const struct ledger *ledger, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

/** A turn of the store begins. */
void ledger_turn(struct ledger *ledger);
void ledger_endpoint_changed(struct ledger *ledger, struct endpoint *endpoint, bool deleted);
void ledger_note(struct ledger *ledger, const struct note *note);
/** An operation was answered well, which made this event (0: none). */
void ledger_answered(struct ledger *ledger, int64_t event_id);
/** A person sent it again, cancelled it, or had it recovered: it may start at once. What is
 *  meant is the delivery, all of the event, or all of the endpoint; the others are 0. */
void ledger_forget_waits(struct ledger *ledger,
        int64_t delivery_id,
        int64_t event_id,
        int64_t endpoint_id);
/** The program ended, with or without a proper stop: what was not stored may come again. */
void ledger_restarted(struct ledger *ledger);
/** The database is open, or is to be closed. */
void ledger_open(struct ledger *ledger);
void ledger_close(struct ledger *ledger);

/* The receivers' watcher; ctx is the ledger. */
void ledger_started(void *ctx, const struct flight *flight);
void ledger_ended(void *ctx, const struct flight *flight);

/** Reads one number from the database; parameters $1 and $2. */
int64_t ledger_read(const struct ledger *ledger, const char *sql, int64_t p1, int64_t p2);
int64_t ledger_unfinished(const struct ledger *ledger);
/** All receivers are well and nothing is left to do: everything that was promised must have
 *  happened. */
void ledger_check_end(struct ledger *ledger);
