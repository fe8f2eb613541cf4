/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rate_limit - at most so many starts a second, spread evenly: the generic cell rate algorithm
 * (ITU-T I.371) with a burst of a tenth of a second's starts, at least one. One thread.
 */
#pragma once

#include <stdint.h>

/** {0} is a valid one: no limit. */
struct rate_limit {
    int64_t per_second; /* 0: no limit */
    int64_t next_at_us; /* theoretical arrival time of the next start */
};

/** What was started already goes on counting. */
void rate_limit_set(struct rate_limit *rate, int64_t per_second);
/** 0 and counts a start when one may start now; else the wait in ms, at least 1. */
int64_t rate_limit_take(struct rate_limit *rate, int64_t now_ms);
/** From when on nothing that was started counts any more. */
int64_t rate_limit_idle_at_ms(const struct rate_limit *rate);
