/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deliver - sends what the store hands over, and gives back what became of it.
 *
 *   store thread -- delivery_sink --> mailbox --> deliver thread (n of them, an http_client each)
 *        lane (one an endpoint): queue, in flight, rate, hold
 *        start: sign, send        done: classify, decide -> store_delivery_result()
 *
 * An endpoint belongs to one deliver thread (a hash of its id modulo n), so its lane is plain single-threaded
 * state: in-flight and rate limits are exact (I6). Order per call (I9) is the store's: it never has
 * two unfinished events of a call in memory for one endpoint. What a lane may not start soon
 * (endpoint disabled, held by Retry-After) it gives back to the store at once, so that memory holds
 * only what can be sent.
 */
#pragma once

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "domain/address_rule.h"
#include "net/http_client.h"
#include "store/store.h"

struct deliver;

struct deliver_config {
    unsigned threads; /* 1 .. 64 */
    const struct clock *clock;
    const struct log *log;
    struct metrics *metrics;
    const char *own_origin; /* "http://127.0.0.1:8080": its /in/... may always be a target */
    uint64_t seed;          /* of the jitter */
    /** Makes the client of each thread; the deliver object frees it. */
    enum err (*open_client)(void *ctx, struct http_client **ret_client, struct error *why);
    void *open_client_ctx;
};

/** Builds it, without threads. */
MUST_CHECK enum err
deliver_new(const struct deliver_config *config, struct deliver **ret_deliver, struct error *why);
/** What to give to store_open(). Lives as long as deliver. */
const struct delivery_sink *deliver_sink(struct deliver *deliver);
/** Starts the threads; results go to store. */
MUST_CHECK enum err deliver_start(struct deliver *deliver, struct store *store, struct error *why);
/** Starts nothing more, waits until what is in flight has ended, grace_ms at most (then it is
 *  interrupted), gives everything back to the store, ends the threads. */
void deliver_stop(struct deliver *deliver, int64_t grace_ms);
void deliver_free(struct deliver *deliver); /* NULL is fine */

/* For simulations: one thread (config.threads 1), the caller's. */
void deliver_use_store(struct deliver *deliver, struct store *store);
/** One turn without waiting; false when there was nothing to do. */
bool deliver_turn(struct deliver *deliver);
/** The next moment at which deliver_turn() has something to do by itself; INT64_MAX: none. */
int64_t deliver_next_due_ms(const struct deliver *deliver);

/**
 * A request sent once, at somebody's wish, and told about at once: an endpoint's test, the
 * playground. Nothing is stored. The caller's memory; stays put until done has run.
 */
struct probe {
    struct mail mail; /* deliver's */

    /* in, borrowed until done */
    struct endpoint *endpoint; /* URL, secrets, headers, timeout; need not be stored */
    struct str body;
    struct str payload_id; /* "wh_test_…" */
    enum event_kind kind;
    void (*done)(struct probe *probe); /* on a deliver thread; must not block */
    void *owner;

    /* out; free with probe_done() */
    struct attempt_outcome outcome;
    struct http_times times;
    int64_t started_at_ms;
    struct buf detail;
    struct buf request_headers; /* "Name: value\n" lines as sent */
    struct buf response_headers;
    struct buf response_body;
    bool body_cut;
};

/** ERR_BUSY when too many probes are under way, ERR_CANCELLED when stopping: done does not run. Any
 *  thread. */
MUST_CHECK enum err deliver_probe(struct deliver *deliver, struct probe *probe);
void probe_done(struct probe *probe);
