/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lane - one endpoint on its deliver thread: what waits in memory, what is in flight, what may
 * start when. Plain state without I/O; the clock comes in as a parameter. One thread.
 *
 * Which snapshot counts: the store hands over and tells of changes in one order, so whatever comes
 * later carries the newer snapshot. A lane therefore takes over each snapshot that comes with a
 * delivery and is not older than its own, and a lane that is gone need not be remembered: the next
 * delivery brings the news itself.
 */
#pragma once

#include <uthash.h>

#include "base/heap.h"
#include "deliver/rate_limit.h"
#include "store/store_delivery.h"

enum { LANE_HOLD_MAX_MS = 1000 }; /* a longer hold is waited for in the store, not in memory */

struct lane {
    int64_t endpoint_id; /* the hash key */
    UT_hash_handle hh;
    struct endpoint *endpoint; /* newest snapshot; a reference */
    struct delivery *first;    /* waiting here, linked by op.mail.next */
    struct delivery *last;
    size_t queued;
    size_t in_flight;
    struct rate_limit rate;
    int64_t hold_until_ms; /* Retry-After; nothing starts before */
    bool deleted;

    /* the thread's */
    struct heap_item due;    /* when to look again */
    struct lane *next_ready; /* in its list of lanes to look at now */
    bool is_ready;           /* it is in that list */
};

/** An empty lane, which takes a reference of the snapshot. */
struct lane *lane_new(struct endpoint *endpoint);
/** Must be empty. NULL is fine. */
void lane_free(struct lane *lane);
/** The delivery joins the queue; its snapshot counts from now on if it is not older. */
void lane_push(struct lane *lane, struct delivery *delivery);
/** Takes the next delivery that may start now, or NULL; it then has the lane's newest snapshot.
 *  *ret_look_at_ms: when to ask again by time (INT64_MAX: only after a result or a push). Counts it
 *  as in flight. */
struct delivery *lane_take(struct lane *lane, int64_t now_ms, int64_t *ret_look_at_ms);
/** An attempt ended. */
void lane_ended(struct lane *lane);
/** Nothing starts before; an earlier moment than the one that is set changes nothing. */
void lane_hold(struct lane *lane, int64_t until_ms);
/** New settings (a reference is taken): rate and limits count from now on. */
void lane_set_endpoint(struct lane *lane, struct endpoint *endpoint, bool deleted);
/** True when nothing that waits here may start soon: disabled, deleted, or a long hold. Then
 *  *ret_due_at_ms says from when on it may be handed over again. */
bool lane_is_shut(const struct lane *lane, int64_t now_ms, int64_t *ret_due_at_ms);
/** Takes this one out of the queue; NULL when it is not in it (any more). */
struct delivery *lane_remove(struct lane *lane, int64_t delivery_id);
/** Takes the whole queue out, for giving it back; NULL when empty. */
struct delivery *lane_take_all(struct lane *lane);
/** From when on the lane may be freed and made anew without a difference; INT64_MAX: not by time
 *  alone, something waits or is in flight. */
int64_t lane_idle_at_ms(const struct lane *lane);
