/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker - one deliver thread: its mail, its lanes, its sender, and the turns that move them.
 *
 *   turn:  take mail without waiting -> lanes; start what may start; give back what is shut;
 *          run the HTTP client until something ends, mail comes or a lane is due; give results
 *          back, all in one chain
 *
 * Only lanes that changed are looked at (the ready list) and those that are due (the heap): a turn
 * costs nothing for the others. A lane that is idle is freed.
 */
#pragma once

#include <stdatomic.h>

#include "deliver/deliver.h"

struct worker;

/** index: which of the threads it is. *probe_count, shared, is lowered as each probe ends. */
MUST_CHECK enum err worker_new(const struct deliver_config *config,
        unsigned index,
        atomic_uint *probe_count,
        struct worker **ret_worker,
        struct error *why);
/** Interrupts what is in flight and gives everything back, unless it was stopped before. NULL is
 *  fine. */
void worker_free(struct worker *worker);
/** Before the first turn. */
void worker_use_store(struct worker *worker, struct store *store);

/* Any thread. */
/** A chain of deliveries; given back when the worker has ended. */
void worker_deliver(struct worker *worker, struct delivery *first);
void worker_endpoint_changed(struct worker *worker, struct endpoint *endpoint, bool deleted);
void worker_cancelled(struct worker *worker, int64_t endpoint_id, int64_t delivery_id);
/** ERR_CANCELLED when stopping: done does not run. */
MUST_CHECK enum err worker_probe(struct worker *worker, struct probe *probe);

/** Starts its thread. ERR_UNAVAILABLE. */
MUST_CHECK enum err worker_start(struct worker *worker, struct error *why);
/** Asks the worker to end by itself when nothing is in flight, or to interrupt that once mono_us is
 *  stop_at_us. */
void worker_ask_stop(struct worker *worker, int64_t stop_at_us);
/** Waits until it has ended; without a thread it ends here. */
void worker_join(struct worker *worker);

/* Without a thread: the caller's. */
/** One turn without waiting; false when there was nothing to do. */
bool worker_turn(struct worker *worker);
/** INT64_MAX: only mail or the client will bring something. */
int64_t worker_next_due_ms(const struct worker *worker);
