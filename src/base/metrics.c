/* SPDX-License-Identifier: Apache-2.0 */
/* metrics - the table of names and help texts, and how they are written out. */
#include "base/metrics.h"

struct metric_row {
    const char *name;
    const char *type; /* "counter" or "gauge" */
    const char *help;
};

static const struct metric_row rows[METRIC_COUNT] = {
        [METRIC_HTTP_REQUESTS] = {"callsync_http_requests_total",
                "counter",
                "Requests answered by the API."},
        [METRIC_HTTP_ERRORS] = {"callsync_http_errors_total",
                "counter",
                "Requests answered with a 5xx status."},
        [METRIC_CALLS_LOGGED] = {"callsync_calls_logged_total", "counter", "Calls logged."},
        [METRIC_EVENTS] = {"callsync_events_total", "counter", "Events stored."},
        [METRIC_DELIVERIES] = {"callsync_deliveries_total", "counter", "Deliveries made."},
        [METRIC_DELIVERIES_DELIVERED] = {"callsync_deliveries_delivered_total",
                "counter",
                "Deliveries that succeeded."},
        [METRIC_DELIVERIES_FAILED] = {"callsync_deliveries_failed_total",
                "counter",
                "Deliveries given up."},
        [METRIC_ATTEMPTS] = {"callsync_attempts_total", "counter", "Attempts that ended."},
        [METRIC_ATTEMPTS_FAILED] = {"callsync_attempts_failed_total",
                "counter",
                "Attempts that failed."},
        [METRIC_ATTEMPT_US] = {"callsync_attempt_microseconds_total",
                "counter",
                "Time that attempts took, in microseconds."},
        [METRIC_STORE_COMMITS] = {"callsync_store_commits_total",
                "counter",
                "Transactions committed."},
        [METRIC_STORE_OPS] = {"callsync_store_operations_total",
                "counter",
                "Operations in committed transactions."},
        [METRIC_STORE_FAILED_COMMITS] = {"callsync_store_failed_commits_total",
                "counter",
                "Transactions that failed."},
        [METRIC_STORE_COMMIT_US] = {"callsync_store_commit_microseconds_total",
                "counter",
                "Time that commits took, in microseconds."},
        [METRIC_STORE_BUSY] = {"callsync_store_busy_total",
                "counter",
                "Operations refused because the queue was full."},
        [METRIC_DELIVERIES_IN_MEMORY] = {"callsync_deliveries_in_memory",
                "gauge",
                "Deliveries handed over and not yet back."},
        [METRIC_ATTEMPTS_IN_FLIGHT] = {"callsync_attempts_in_flight",
                "gauge",
                "Attempts under way."},
        [METRIC_STREAMS_OPEN] = {"callsync_streams_open", "gauge", "Event streams open."},
};

int64_t metrics_get(const struct metrics *metrics, enum metric metric)
{
    return atomic_load_explicit(&metrics->values[metric], memory_order_relaxed);
}

void metrics_write(struct buf *buf, const struct metrics *metrics)
{
    for (enum metric m = 0; m < METRIC_COUNT; m++) {
        const struct metric_row *row = &rows[m];

        buf_addf(buf, "# HELP %s %s\n", row->name, row->help);
        buf_addf(buf, "# TYPE %s %s\n", row->name, row->type);
        buf_addf(buf, "%s %lld\n", row->name, (long long)metrics_get(metrics, m));
    }
}
