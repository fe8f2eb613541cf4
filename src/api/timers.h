/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timers - what is to happen later: the delayed answers of inboxes.
 *
 * A timer is the caller's memory, embedded in what it is for, and stays put until it has fired. It
 * fires exactly once, on the thread that calls timers_tick() or timers_drain(), with no lock held.
 * Moments are of the clock that never jumps. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/heap.h"

enum { TIMERS_MAX = 1000 };

struct timer {
    struct heap_item due; /* first */
    void (*fire)(struct timer *timer);
};

struct timers;

/** Without any timer. */
struct timers *timers_new(void);
/** None may be pending: drain first. NULL is fine. */
void timers_free(struct timers *timers);
/** Fires at at_ms or soon after. False, and it will not fire, when TIMERS_MAX are pending or
 *  timers_drain() has run. */
bool timers_add(struct timers *timers, struct timer *timer, int64_t at_ms);
/** Fires what is due. */
void timers_tick(struct timers *timers, int64_t now_ms);
/** Fires everything now, and refuses what comes later. */
void timers_drain(struct timers *timers);
