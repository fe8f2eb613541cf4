/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handover - how deliveries come into memory: new ones at once where there is room, stored ones by
 * a claim when they are due. Here order per call is kept (I9): two unfinished events of one call
 * are never in memory together for an endpoint that wants order.
 *
 * Store's writing thread only.
 */
#pragma once

#include "base/blob.h"
#include "store/gate.h"
#include "store/store_work.h"

/** Most rows that one claim takes. */
enum { CLAIM_MAX = 256 };

/** Stores a new delivery of the event for the gate's endpoint, and hands it over if it may.
 *  *body_ref is made from event->body at the first hand-over; the caller unrefs. */
MUST_CHECK enum err handover_new(struct store_work *work,
        struct gate *gate,
        const struct event *event,
        struct blob **body_ref,
        struct error *why);

/** Claims due deliveries of the gate for which there is room, and sets when its next one is due. */
MUST_CHECK enum err handover_claim(struct store_work *work, struct gate *gate, struct error *why);

/** Sets the gate's next due moment from the database. */
MUST_CHECK enum err handover_look(struct store_work *work, struct gate *gate, struct error *why);

/** An event of the call is finished at this endpoint: the next one of the call no longer waits. */
MUST_CHECK enum err
handover_release(struct store_work *work, struct gate *gate, int64_t call_id, struct error *why);

/** Starts a finished delivery anew: waiting, due now, at the beginning of its retry schedule.
 *  ERR_CONFLICT while an attempt of it that was cancelled is under way. */
MUST_CHECK enum err handover_requeue(struct store_work *work,
        struct gate *gate,
        int64_t delivery_id,
        struct error *why);
