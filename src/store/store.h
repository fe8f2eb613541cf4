/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store - everything that lasts: one thread that writes, others that read, and the queue before them.
 *
 *   any thread --- store_submit(op) ---> mailbox ---> store thread
 *        takes all that waits, runs each op between SAVEPOINT and RELEASE, claims due deliveries,
 *        commits once, then: hands deliveries over, publishes notes, calls every op's done()
 *
 * An operation (struct store_op, first member of the structs in store_<noun>.h) has in fields, out
 * fields, and done. It is the caller's memory and stays put until done has run. done runs exactly
 * once, on a store thread, after the commit, and must not block. An op whose commit failed tells
 * ERR_UNAVAILABLE and has changed nothing (I1).
 *
 * The hot path never reads back: a new delivery for which there is room in memory is inserted as
 * `sending` and handed to the sink with its body after the commit; without room it is inserted as
 * `waiting` and claimed later (gate.h). Results come back as ops that are never refused, and that
 * are kept and run again when a commit fails.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "base/metrics.h"
#include "domain/delivery.h"
#include "domain/endpoint.h"
#include "domain/event.h"
#include "domain/secret.h"

struct db;
struct store;
struct store_op;
struct store_work;
struct idempotency;
struct delivery; /* store_delivery.h */

/** Runs inside the transaction on a store thread: straight-line blocking SQL (store_work.h). */
typedef enum err store_run(struct store_work *work, struct store_op *op, struct error *why);
typedef void store_done(struct store_op *op);

/** What every operation begins with. store_<noun>_<verb>() fills all but the marked fields. */
struct store_op {
    struct mail mail; /* first; the store's */
    store_run *run;
    bool reads;  /* changes nothing: runs on a reading thread */
    bool alone;  /* changes what other ops see in memory (endpoints): a transaction of its own */
    bool always; /* never refused, run again after a failed commit: results of deliveries */

    /* the caller's */
    struct arena *arena;             /* where out strings go */
    struct idempotency *idempotency; /* NULL: none (store_idempotency.h) */
    store_done *done;
    void *owner;

    /* out, valid in done */
    enum err err;
    struct error why; /* when err is not ERR_NONE */
};

/** Where handed-over deliveries go: the deliver threads, or a test. Called on the store thread. */
struct delivery_sink {
    /** A chain (by op.mail.next) of deliveries for any endpoints; the sink owns them until it gives
     *  each back with store_delivery_result(). */
    void (*deliver)(void *ctx, struct delivery *first);
    /** The endpoint has new settings, is disabled, or (deleted) is gone. The sink keeps its own
     *  reference if it wants the snapshot; queued deliveries of a disabled or deleted one are to be
     *  given back unsent. */
    void (*endpoint_changed)(void *ctx, struct endpoint *endpoint, bool deleted);
    /** A person cancelled this delivery, which was handed over: if it is still queued it is to be
     *  given back unsent; under way, it ends as it ends. */
    void (*cancelled)(void *ctx, int64_t endpoint_id, int64_t delivery_id);
    void *ctx;
};

/* What happened, for those who watch (GET /v1/stream). */
enum note_kind { NOTE_EVENT, NOTE_ATTEMPT, NOTE_ENDPOINT, NOTE_INBOX };

enum { NOTE_ORG_SIZE = 65, NOTE_TEXT_SIZE = 64 };

struct note {
    enum note_kind kind;
    char org_id[NOTE_ORG_SIZE];
    int64_t at_ms;
    /* event: event_id, call_id, event_kind, call_type
     * attempt: event_id, call_id, event_kind, delivery_id, endpoint_id, number, state, error, status,
     *          duration_us
     * endpoint: endpoint_id, text = "created", "updated", "disabled", "enabled", "deleted"
     * inbox: text = the inbox' id, delivery_id = the request's id */
    int64_t event_id;
    int64_t call_id;
    int64_t delivery_id;
    int64_t endpoint_id;
    int64_t number;
    int64_t status;
    int64_t duration_us;
    enum event_kind event_kind;
    enum call_type call_type;
    enum delivery_state state;
    enum attempt_error error;
    char text[NOTE_TEXT_SIZE];
};

/** Gets the notes of a committed transaction, in order. Called on the store thread; copies what it
 *  keeps, does not block. */
struct note_listener {
    void (*publish)(void *ctx, const struct note *notes, size_t count);
    void *ctx;
};

struct store_config {
    const char *path;        /* the SQLite file */
    const char *public_url;  /* for recording links; no slash at its end */
    const uint8_t *seal_key; /* SECRET_KEY_BYTES; borrowed */
    const uint8_t *link_key; /* SECRET_KEY_BYTES; borrowed */
    const struct clock *clock;
    const struct log *log;
    struct metrics *metrics;
    const struct delivery_sink *sink;     /* borrowed */
    const struct note_listener *listener; /* borrowed; NULL: nobody watches */
    int64_t retention_days;
    size_t queue_max;  /* waiting ops at most; more are ERR_BUSY; 0: 8192 */
    size_t memory_max; /* deliveries in memory at most; 0: 16384 */
    unsigned readers;  /* reading threads; 0: 1 */
    /** Removes a recording's file that nothing references any more; NULL: nobody does. Called on the
     *  store thread, must not block. */
    void (*remove_file)(void *ctx, struct str file);
    void *remove_file_ctx;
    /** Test seam: wraps each connection as it is opened (db_fault.h); NULL: none. Takes db. */
    struct db *(*wrap)(void *ctx, struct db *take_db);
    void *wrap_ctx;
};

/**
 * Opens the database, migrates it, takes back what was `sending` when the last run ended, and reads
 * the endpoints. No thread runs yet. ERR_BUSY: another process serves this folder. ERR_INVALID: the
 * database is of a newer version. ERR_CORRUPT, ERR_UNAVAILABLE as db_sqlite_open().
 */
MUST_CHECK enum err
store_open(const struct store_config *config, struct store **ret_store, struct error *why);
/** Starts the threads. The sink may be called from now on. */
MUST_CHECK enum err store_start(struct store *store, struct error *why);
/** Refuses new ops but results, runs what waits, and stops handing over. The sink then gives back
 *  what it still has; store_stop() takes these results in. */
void store_drain(struct store *store);
/** Runs what waits and ends the threads. */
void store_stop(struct store *store);
/** Closes the database. NULL is fine. */
void store_close(struct store *store);

/** Queues the op. On ERR_BUSY (queue full) or ERR_CANCELLED (draining) done does not run and the
 *  op is the caller's again. Any thread. */
MUST_CHECK enum err store_submit(struct store *store, struct store_op *op);

/** True while the last commit worked: for /readyz. Any thread. */
bool store_is_healthy(const struct store *store);

/* For simulations, without threads: the caller's thread is the store thread. */

/** Runs all that waits and all that is due now; false when there was nothing to do. */
bool store_turn(struct store *store);
/** The next moment at which store_turn() has something to do by itself; INT64_MAX: none. */
int64_t store_next_due_ms(const struct store *store);

/** One page of a list. Lists go from new to old. */
struct page {
    int64_t limit;     /* 1 .. LIMIT_PAGE_MAX */
    struct str cursor; /* none: from the newest; ERR_INVALID, field "cursor", for a wrong one */
    struct str next_cursor; /* out: none at the end; safe in a URL */
};
