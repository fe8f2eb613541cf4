/* SPDX-License-Identifier: Apache-2.0 */
/*
 * latency - how long attempts took, as counts in buckets that grow by half: enough for percentiles
 * within a fifth, small enough to store for every endpoint and five minutes.
 *
 * Pure; any thread.
 */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

enum { LATENCY_BUCKETS = 32 };

/** {0} is empty. Bucket i holds durations up to latency_bound_us(i); the last holds all above. */
struct latency {
    int64_t count[LATENCY_BUCKETS];
};

/** 500 us times 1.5 to the i. */
int64_t latency_bound_us(int i);
void latency_add(struct latency *latency, int64_t duration_us);
void latency_merge(struct latency *into, const struct latency *from);
/** The duration, in us, that a share (0 .. 1) of all stayed within: the bucket's upper bound;
 *  0 when empty. */
int64_t latency_percentile_us(const struct latency *latency, double share);
/** Writes "i:count,i:count" of the buckets that are not 0; "" when empty. */
void latency_write(struct buf *buf, const struct latency *latency);
/** ERR_CORRUPT for anything that latency_write does not write. */
MUST_CHECK enum err latency_parse(struct str text, struct latency *ret_latency);
