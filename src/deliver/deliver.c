/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deliver - shares the work out: an endpoint always goes to the same worker.
 *
 * worker.c is what a thread does.
 */
#include "deliver/deliver.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "deliver/worker.h"
#include "store/store_delivery.h"

enum { THREADS_MAX = 64, PROBES_MAX = 64 };

struct deliver {
    struct deliver_config config;
    char *own_origin;
    struct delivery_sink sink;
    struct worker *workers[THREADS_MAX];
    unsigned worker_count; /* that were built */
    atomic_uint probe_count;
    atomic_uint next_probe_worker;
    atomic_bool is_stopping;
};

/* Mixed, for ids of quiet times differ in their upper bits alone. */
static unsigned worker_of(const struct deliver *deliver, int64_t endpoint_id)
{
    uint64_t hash = (uint64_t)endpoint_id * UINT64_C(0x9E3779B97F4A7C15);

    return (unsigned)(hash >> 32) % deliver->worker_count;
}

struct chain {
    struct delivery *first;
    struct delivery *last;
};

static void chain_add(struct chain *chain, struct delivery *delivery)
{
    delivery->op.mail.next = NULL;
    if (chain->last != NULL)
        chain->last->op.mail.next = &delivery->op.mail;
    else
        chain->first = delivery;
    chain->last = delivery;
}

static void sink_deliver(void *ctx, struct delivery *first)
{
    struct deliver *deliver = ctx;
    struct chain chains[THREADS_MAX] = {0};

    while (first != NULL) {
        struct delivery *next = (struct delivery *)first->op.mail.next;

        chain_add(&chains[worker_of(deliver, first->endpoint->id)], first);
        first = next;
    }
    for (unsigned i = 0; i < deliver->worker_count; i++)
        if (chains[i].first != NULL)
            worker_deliver(deliver->workers[i], chains[i].first);
}

static void sink_endpoint_changed(void *ctx, struct endpoint *endpoint, bool deleted)
{
    struct deliver *deliver = ctx;

    worker_endpoint_changed(deliver->workers[worker_of(deliver, endpoint->id)], endpoint, deleted);
}

static void sink_cancelled(void *ctx, int64_t endpoint_id, int64_t delivery_id)
{
    struct deliver *deliver = ctx;

    worker_cancelled(deliver->workers[worker_of(deliver, endpoint_id)], endpoint_id, delivery_id);
}

static char *copy_text(const char *text)
{
    size_t len = text != NULL ? strlen(text) : 0;
    char *copy = mem_new(len + 1);

    if (len > 0)
        memcpy(copy, text, len);
    return copy;
}

enum err
deliver_new(const struct deliver_config *config, struct deliver **ret_deliver, struct error *why)
{
    assert(config->threads >= 1 && config->threads <= THREADS_MAX);
    struct deliver *deliver = mem_new(sizeof(*deliver));

    deliver->own_origin = copy_text(config->own_origin);
    deliver->config = *config;
    deliver->config.own_origin = deliver->own_origin;
    deliver->sink =
            (struct delivery_sink){sink_deliver, sink_endpoint_changed, sink_cancelled, deliver};
    atomic_init(&deliver->probe_count, 0);
    atomic_init(&deliver->next_probe_worker, 0);
    atomic_init(&deliver->is_stopping, false);
    for (unsigned i = 0; i < config->threads; i++) {
        enum err err =
                worker_new(&deliver->config, i, &deliver->probe_count, &deliver->workers[i], why);

        if (err != ERR_NONE) {
            deliver_free(deliver);
            return err;
        }
        deliver->worker_count++;
    }
    *ret_deliver = deliver;
    return ERR_NONE;
}

const struct delivery_sink *deliver_sink(struct deliver *deliver)
{
    return &deliver->sink;
}

void deliver_use_store(struct deliver *deliver, struct store *store)
{
    for (unsigned i = 0; i < deliver->worker_count; i++)
        worker_use_store(deliver->workers[i], store);
}

enum err deliver_start(struct deliver *deliver, struct store *store, struct error *why)
{
    deliver_use_store(deliver, store);
    for (unsigned i = 0; i < deliver->worker_count; i++) {
        enum err err = worker_start(deliver->workers[i], why);

        if (err != ERR_NONE) {
            deliver_stop(deliver, 0);
            return err;
        }
    }
    return ERR_NONE;
}

void deliver_stop(struct deliver *deliver, int64_t grace_ms)
{
    int64_t stop_at_us = clock_mono_us(deliver->config.clock) + grace_ms * 1000;

    if (atomic_exchange(&deliver->is_stopping, true))
        return;
    for (unsigned i = 0; i < deliver->worker_count; i++)
        worker_ask_stop(deliver->workers[i], stop_at_us);
    for (unsigned i = 0; i < deliver->worker_count; i++)
        worker_join(deliver->workers[i]);
}

void deliver_free(struct deliver *deliver)
{
    if (deliver == NULL)
        return;
    for (unsigned i = 0; i < deliver->worker_count; i++)
        worker_free(deliver->workers[i]);
    free(deliver->own_origin);
    free(deliver);
}

bool deliver_turn(struct deliver *deliver)
{
    bool did_something = false;

    for (unsigned i = 0; i < deliver->worker_count; i++)
        did_something = worker_turn(deliver->workers[i]) || did_something;
    return did_something;
}

int64_t deliver_next_due_ms(const struct deliver *deliver)
{
    int64_t next_ms = INT64_MAX;

    for (unsigned i = 0; i < deliver->worker_count; i++) {
        int64_t due_ms = worker_next_due_ms(deliver->workers[i]);

        if (due_ms < next_ms)
            next_ms = due_ms;
    }
    return next_ms;
}

enum err deliver_probe(struct deliver *deliver, struct probe *probe)
{
    unsigned at = atomic_fetch_add(&deliver->next_probe_worker, 1) % deliver->worker_count;

    if (atomic_fetch_add(&deliver->probe_count, 1) >= PROBES_MAX) {
        atomic_fetch_sub(&deliver->probe_count, 1);
        return ERR_BUSY;
    }
    enum err err = worker_probe(deliver->workers[at], probe);
    if (err != ERR_NONE)
        atomic_fetch_sub(&deliver->probe_count, 1);
    return err;
}

void probe_done(struct probe *probe)
{
    buf_done(&probe->detail);
    buf_done(&probe->request_headers);
    buf_done(&probe->response_headers);
    buf_done(&probe->response_body);
}
