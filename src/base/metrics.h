/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics - counters that every part adds to and /metrics shows, in Prometheus' text format.
 *
 * One object, built by server.c and handed to each part. Adding is one relaxed atomic; any thread.
 * To add a metric: a name in the enum and a row in the table of metrics.c.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "base/buf.h"

enum metric {
    METRIC_HTTP_REQUESTS, /* requests answered by the API */
    METRIC_HTTP_ERRORS,   /* of these with 5xx */
    METRIC_CALLS_LOGGED,
    METRIC_EVENTS,
    METRIC_DELIVERIES,           /* made */
    METRIC_DELIVERIES_DELIVERED, /* ended so */
    METRIC_DELIVERIES_FAILED,
    METRIC_ATTEMPTS, /* ended */
    METRIC_ATTEMPTS_FAILED,
    METRIC_ATTEMPT_US, /* sum of durations, microseconds */
    METRIC_STORE_COMMITS,
    METRIC_STORE_OPS, /* operations committed */
    METRIC_STORE_FAILED_COMMITS,
    METRIC_STORE_COMMIT_US,      /* sum of durations, microseconds */
    METRIC_STORE_BUSY,           /* operations refused because the queue was full */
    METRIC_DELIVERIES_IN_MEMORY, /* gauge: handed over, not yet back */
    METRIC_ATTEMPTS_IN_FLIGHT,   /* gauge */
    METRIC_STREAMS_OPEN,         /* gauge */
    METRIC_COUNT,
};

struct metrics {
    _Atomic int64_t values[METRIC_COUNT];
};

static inline void metrics_add(struct metrics *metrics, enum metric metric, int64_t n)
{
    atomic_fetch_add_explicit(&metrics->values[metric], n, memory_order_relaxed);
}

/** For gauges that one thread alone sets. */
static inline void metrics_set(struct metrics *metrics, enum metric metric, int64_t value)
{
    atomic_store_explicit(&metrics->values[metric], value, memory_order_relaxed);
}

/** What has been counted so far. */
int64_t metrics_get(const struct metrics *metrics, enum metric metric);
/** Appends every metric with HELP and TYPE lines. */
void metrics_write(struct buf *buf, const struct metrics *metrics);
