/* SPDX-License-Identifier: Apache-2.0 */
/* worker - the loop of a deliver thread. */
#include "deliver/worker.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "base/mailbox.h"
#include "base/mem.h"
#include "base/rfc3339.h"
#include "deliver/lane.h"
#include "deliver/sender.h"

/* Transfers of one thread at most, so that file descriptors have an end; lanes take turns. */
enum { IN_FLIGHT_MAX = 4096 };

/* What the store thread sends; in one mailbox, for its order counts. */
struct letter {
    struct mail mail;          /* first */
    struct delivery *first;    /* a chain; or NULL */
    struct endpoint *endpoint; /* it changed; or NULL */
    bool deleted;
    int64_t endpoint_id; /* of cancelled_id */
    int64_t cancelled_id;
};

struct worker {
    struct deliver_config config; /* with a seed of its own */
    struct store *store;
    struct http_client *client;
    struct sender *sender;
    struct mailbox *letters;
    struct mailbox *probes;
    atomic_uint *probe_count;

    struct lane *lanes; /* by endpoint id */
    struct heap due;
    struct lane *first_ready;
    struct lane *last_ready;
    struct delivery *first_back; /* on their way back to the store */
    struct delivery *last_back;

    pthread_t thread;
    bool has_thread;
    bool has_ended;
    int64_t stop_at_us; /* set before is_stopping */
    atomic_bool is_stopping;
};

static void give_back(struct worker *worker, struct delivery *delivery)
{
    delivery->op.mail.next = NULL;
    if (worker->last_back != NULL)
        worker->last_back->op.mail.next = &delivery->op.mail;
    else
        worker->first_back = delivery;
    worker->last_back = delivery;
}

static void give_back_unsent(struct worker *worker, struct delivery *first, int64_t due_at_ms)
{
    while (first != NULL) {
        struct delivery *next = (struct delivery *)first->op.mail.next;

        first->result = RESULT_RETURNED;
        first->due_at_ms = due_at_ms;
        give_back(worker, first);
        first = next;
    }
}

/* One post for all that ended. */
static bool post_results(struct worker *worker)
{
    struct delivery *first = worker->first_back;

    if (first == NULL)
        return false;
    worker->first_back = NULL;
    worker->last_back = NULL;
    store_delivery_result(worker->store, first);
    return true;
}

static void mark_ready(struct worker *worker, struct lane *lane)
{
    if (lane->is_ready)
        return;
    lane->is_ready = true;
    lane->next_ready = NULL;
    if (worker->last_ready != NULL)
        worker->last_ready->next_ready = lane;
    else
        worker->first_ready = lane;
    worker->last_ready = lane;
}

static struct lane *take_ready(struct worker *worker)
{
    struct lane *lane = worker->first_ready;

    if (lane == NULL)
        return NULL;
    worker->first_ready = lane->next_ready;
    if (worker->first_ready == NULL)
        worker->last_ready = NULL;
    lane->is_ready = false;
    return lane;
}

/* Ids are well spread once their upper bits, the time, are mixed into the lower ones. */
static unsigned hash_id(int64_t id)
{
    return (unsigned)(((uint64_t)id * UINT64_C(0x9E3779B97F4A7C15)) >> 32);
}

static struct lane *find_lane(struct worker *worker, int64_t endpoint_id)
{
    struct lane *lane = NULL;

    HASH_FIND_BYHASHVALUE(
            hh, worker->lanes, &endpoint_id, sizeof(endpoint_id), hash_id(endpoint_id), lane);
    return lane;
}

static struct lane *need_lane(struct worker *worker, struct endpoint *endpoint)
{
    struct lane *lane = find_lane(worker, endpoint->id);

    if (lane == NULL) {
        lane = lane_new(endpoint);
        HASH_ADD_BYHASHVALUE(hh,
                worker->lanes,
                endpoint_id,
                sizeof(lane->endpoint_id),
                hash_id(lane->endpoint_id),
                lane);
    }
    return lane;
}

static void drop_lane(struct worker *worker, struct lane *lane)
{
    heap_remove(&worker->due, &lane->due);
    HASH_DELETE(hh, worker->lanes, lane);
    lane_free(lane);
}

static void log_failed(const struct worker *worker, const struct delivery *delivery)
{
    char delivery_id[ID_TEXT_SIZE];
    char endpoint_id[ID_TEXT_SIZE];
    CLEANUP(buf_done) struct buf next_at = {0};

    if (delivery->decision.state == DELIVERY_RETRYING)
        rfc3339_add_ms(&next_at, delivery->decision.due_at_ms);
    else
        buf_add_text(&next_at, "never");
    log_event(worker->config.log,
            LOG_WARN,
            "delivery_failed",
            LOG_STR("delivery", id_format(delivery_id, DELIVERY_ID_PREFIX, delivery->id)),
            LOG_STR("endpoint", id_format(endpoint_id, ENDPOINT_ID_PREFIX, delivery->endpoint->id)),
            LOG_INT("attempt", delivery->attempt_count + 1),
            LOG_INT("status", delivery->outcome.status),
            LOG_STR("error", attempt_error_name(delivery->outcome.error)),
            LOG_STR("next_at", buf_str(&next_at)));
}

static void log_delivered(const struct worker *worker, const struct delivery *delivery)
{
    char delivery_id[ID_TEXT_SIZE];
    char endpoint_id[ID_TEXT_SIZE];

    if (worker->config.log == NULL || worker->config.log->level > LOG_DEBUG)
        return;
    log_event(worker->config.log,
            LOG_DEBUG,
            "delivered",
            LOG_STR("delivery", id_format(delivery_id, DELIVERY_ID_PREFIX, delivery->id)),
            LOG_STR("endpoint", id_format(endpoint_id, ENDPOINT_ID_PREFIX, delivery->endpoint->id)),
            LOG_INT("attempt", delivery->attempt_count + 1),
            LOG_INT("status", delivery->outcome.status));
}

static void report_attempt(struct worker *worker, const struct delivery *delivery)
{
    struct metrics *metrics = worker->config.metrics;

    metrics_add(metrics, METRIC_ATTEMPTS, 1);
    metrics_add(metrics, METRIC_ATTEMPT_US, delivery->duration_us);
    if (attempt_succeeded(&delivery->outcome)) {
        log_delivered(worker, delivery);
    } else {
        metrics_add(metrics, METRIC_ATTEMPTS_FAILED, 1);
        log_failed(worker, delivery);
    }
}

/* The sender's listener, inside http_client_run(). */
static void delivery_ended(void *ctx, struct delivery *delivery)
{
    struct worker *worker = ctx;
    struct lane *lane = delivery->sink_data;

    metrics_add(worker->config.metrics, METRIC_ATTEMPTS_IN_FLIGHT, -1);
    lane_ended(lane);
    if (delivery->result == RESULT_ATTEMPTED) {
        report_attempt(worker, delivery);
        lane_hold(lane, delivery->decision.hold_until_ms);
    }
    give_back(worker, delivery);
    if (delivery->result == RESULT_ATTEMPTED && delivery->decision.endpoint_gone)
        give_back_unsent(worker, lane_take_all(lane), clock_wall_ms(worker->config.clock));
    mark_ready(worker, lane);
}

static void probe_ended(void *ctx, struct probe *probe)
{
    struct worker *worker = ctx;

    atomic_fetch_sub(worker->probe_count, 1);
    probe->done(probe);
}

static void wake_client(void *ctx)
{
    struct worker *worker = ctx;

    http_client_wake(worker->client);
}

enum err worker_new(const struct deliver_config *config,
        unsigned index,
        atomic_uint *probe_count,
        struct worker **ret_worker,
        struct error *why)
{
    struct worker *worker = mem_new(sizeof(*worker));

    worker->config = *config;
    worker->config.seed += index;
    worker->probe_count = probe_count;
    atomic_init(&worker->is_stopping, false);
    enum err err = config->open_client(config->open_client_ctx, &worker->client, why);
    if (err != ERR_NONE) {
        free(worker);
        return err;
    }
    const struct sender_listener listener = {delivery_ended, probe_ended, worker};
    worker->sender = sender_new(worker->client, &worker->config, &listener);
    worker->letters = mailbox_new(0, wake_client, worker);
    worker->probes = mailbox_new(0, wake_client, worker);
    *ret_worker = worker;
    return ERR_NONE;
}

void worker_use_store(struct worker *worker, struct store *store)
{
    worker->store = store;
}

/* False when the worker has ended; the letter is then freed. */
static bool post_letter(struct worker *worker, struct letter letter)
{
    struct letter *copy = mem_new(sizeof(*copy));

    *copy = letter;
    if (mailbox_post_always(worker->letters, &copy->mail))
        return true;
    free(copy);
    return false;
}

void worker_deliver(struct worker *worker, struct delivery *first)
{
    if (post_letter(worker, (struct letter){.first = first}))
        return;
    for (struct delivery *delivery = first; delivery != NULL;
            delivery = (struct delivery *)delivery->op.mail.next) {
        delivery->result = RESULT_RETURNED;
        delivery->due_at_ms = clock_wall_ms(worker->config.clock);
    }
    store_delivery_result(worker->store, first);
}

void worker_cancelled(struct worker *worker, int64_t endpoint_id, int64_t delivery_id)
{
    struct letter letter = {.endpoint_id = endpoint_id, .cancelled_id = delivery_id};

    (void)post_letter(worker, letter); /* an ended worker has given everything back */
}

void worker_endpoint_changed(struct worker *worker, struct endpoint *endpoint, bool deleted)
{
    struct letter letter = {.endpoint = endpoint_ref(endpoint), .deleted = deleted};

    if (!post_letter(worker, letter))
        endpoint_unref(endpoint);
}

enum err worker_probe(struct worker *worker, struct probe *probe)
{
    return mailbox_post(worker->probes, &probe->mail);
}

static void open_deliveries(struct worker *worker, struct delivery *first)
{
    while (first != NULL) {
        struct delivery *next = (struct delivery *)first->op.mail.next;
        struct lane *lane = need_lane(worker, first->endpoint);

        lane_push(lane, first);
        mark_ready(worker, lane);
        first = next;
    }
}

static void open_change(struct worker *worker, struct letter *letter)
{
    struct lane *lane = find_lane(worker, letter->endpoint->id);

    if (lane != NULL) {
        lane_set_endpoint(lane, letter->endpoint, letter->deleted);
        mark_ready(worker, lane);
    }
    endpoint_unref(letter->endpoint);
}

static void open_cancelled(struct worker *worker, const struct letter *letter)
{
    struct lane *lane = find_lane(worker, letter->endpoint_id);
    struct delivery *delivery = lane != NULL ? lane_remove(lane, letter->cancelled_id) : NULL;

    if (delivery != NULL)
        give_back_unsent(worker, delivery, clock_wall_ms(worker->config.clock));
    if (lane != NULL)
        mark_ready(worker, lane); /* it may be idle now */
}

static bool take_letters(struct worker *worker)
{
    struct mail *mail = mailbox_take(worker->letters, 0);
    bool had_mail = mail != NULL;

    while (mail != NULL) {
        struct letter *letter = (struct letter *)mail;

        mail = mail->next;
        if (letter->first != NULL)
            open_deliveries(worker, letter->first);
        else if (letter->endpoint != NULL)
            open_change(worker, letter);
        else
            open_cancelled(worker, letter);
        free(letter);
    }
    return had_mail;
}

static bool take_probes(struct worker *worker)
{
    struct mail *mail = mailbox_take(worker->probes, 0);
    bool had_mail = mail != NULL;

    while (mail != NULL) {
        struct probe *probe = (struct probe *)mail;

        mail = mail->next;
        sender_probe(worker->sender, probe);
    }
    return had_mail;
}

static void start(struct worker *worker, struct lane *lane, struct delivery *delivery)
{
    delivery->sink_data = lane;
    metrics_add(worker->config.metrics, METRIC_ATTEMPTS_IN_FLIGHT, 1);
    sender_send(worker->sender, delivery);
}

/* Starts or gives back what it may; then the lane waits for a moment, or an event, or is freed. */
static void serve_lane(struct worker *worker, struct lane *lane, int64_t now_ms)
{
    int64_t look_at_ms = INT64_MAX;
    int64_t due_at_ms;
    struct delivery *delivery;

    if (lane_is_shut(lane, now_ms, &due_at_ms))
        give_back_unsent(worker, lane_take_all(lane), due_at_ms);
    while (sender_in_flight(worker->sender) < IN_FLIGHT_MAX &&
            (delivery = lane_take(lane, now_ms, &look_at_ms)) != NULL)
        start(worker, lane, delivery);

    int64_t idle_at_ms = lane_idle_at_ms(lane);
    if (idle_at_ms <= now_ms) {
        drop_lane(worker, lane);
        return;
    }
    if (idle_at_ms < look_at_ms)
        look_at_ms = idle_at_ms;
    if (look_at_ms < INT64_MAX)
        heap_set(&worker->due, &lane->due, look_at_ms);
    else
        heap_remove(&worker->due, &lane->due);
}

static struct lane *lane_of_due(struct heap_item *item)
{
    return (struct lane *)((char *)item - offsetof(struct lane, due));
}

static bool serve_lanes(struct worker *worker)
{
    int64_t now_ms = clock_wall_ms(worker->config.clock);
    struct heap_item *item;
    struct lane *lane;
    bool did_something = false;

    while ((item = heap_first(&worker->due)) != NULL && item->at_ms <= now_ms) {
        heap_remove(&worker->due, item);
        mark_ready(worker, lane_of_due(item));
    }
    while (sender_in_flight(worker->sender) < IN_FLIGHT_MAX &&
            (lane = take_ready(worker)) != NULL) {
        serve_lane(worker, lane, now_ms);
        did_something = true;
    }
    return did_something;
}

/* How long the client may run before a lane is due; -1: for ever. */
static int64_t wait_ms(const struct worker *worker)
{
    const struct heap_item *item = heap_first(&worker->due);

    if (item == NULL)
        return -1;
    int64_t left_ms = item->at_ms - clock_wall_ms(worker->config.clock);
    return left_ms > 0 ? left_ms : 0;
}

static bool take_turn(struct worker *worker, bool may_wait)
{
    bool did_something = take_letters(worker);

    did_something = take_probes(worker) || did_something;
    did_something = serve_lanes(worker) || did_something;
    did_something = post_results(worker) || did_something;
    http_client_run(worker->client, may_wait ? wait_ms(worker) : 0);
    return post_results(worker) || did_something;
}

bool worker_turn(struct worker *worker)
{
    return take_turn(worker, false);
}

int64_t worker_next_due_ms(const struct worker *worker)
{
    const struct heap_item *item = heap_first(&worker->due);

    if (worker->first_ready != NULL)
        return clock_wall_ms(worker->config.clock);
    return item != NULL ? item->at_ms : INT64_MAX;
}

static void shut_lanes(struct worker *worker)
{
    struct lane *lane;

    while ((lane = take_ready(worker)) != NULL)
        give_back_unsent(worker, lane_take_all(lane), clock_wall_ms(worker->config.clock));
}

/* Ends probes that had not begun. */
static void refuse_probes(struct worker *worker)
{
    struct mail *mail = mailbox_take(worker->probes, 0);

    while (mail != NULL) {
        struct probe *probe = (struct probe *)mail;

        mail = mail->next;
        probe->outcome = (struct attempt_outcome){.error = ATTEMPT_INTERRUPTED};
        probe->started_at_ms = clock_wall_ms(worker->config.clock);
        probe_ended(worker, probe);
    }
}

/* Lets what is in flight end, interrupts it when the time is over. */
static void drain(struct worker *worker)
{
    bool is_interrupted = false;

    while (sender_in_flight(worker->sender) > 0) {
        int64_t left_us = worker->stop_at_us - clock_mono_us(worker->config.clock);

        if (left_us <= 0 && !is_interrupted) {
            sender_interrupt(worker->sender);
            is_interrupted = true;
        }
        http_client_run(worker->client, left_us > 0 ? (left_us + 999) / 1000 : 0);
        (void)take_letters(worker);
        shut_lanes(worker);
        (void)post_results(worker);
    }
}

/* Starts nothing more; when it returns, everything has been given back. */
static void end(struct worker *worker)
{
    struct lane *lane, *next;

    mailbox_close(worker->probes);
    refuse_probes(worker);
    (void)take_letters(worker);
    HASH_ITER (hh, worker->lanes, lane, next)
        mark_ready(worker, lane);
    shut_lanes(worker);
    (void)post_results(worker);
    drain(worker);
    mailbox_close(worker->letters);
    (void)take_letters(worker);
    shut_lanes(worker);
    (void)post_results(worker);
    worker->has_ended = true;
}

static void *run(void *arg)
{
    struct worker *worker = arg;

    (void)pthread_setname_np(pthread_self(), "deliver");
    while (!atomic_load(&worker->is_stopping))
        (void)take_turn(worker, true);
    end(worker);
    return NULL;
}

enum err worker_start(struct worker *worker, struct error *why)
{
    sigset_t all, before;

    (void)sigfillset(&all); /* signals are the main thread's */
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&worker->thread, NULL, run, worker);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0)
        return error_set(
                why, ERR_UNAVAILABLE, "cannot start a deliver thread: %s", strerrordesc_np(rc));
    worker->has_thread = true;
    return ERR_NONE;
}

void worker_ask_stop(struct worker *worker, int64_t stop_at_us)
{
    worker->stop_at_us = stop_at_us;
    atomic_store(&worker->is_stopping, true);
    http_client_wake(worker->client);
}

void worker_join(struct worker *worker)
{
    if (worker->has_thread)
        (void)pthread_join(worker->thread, NULL);
    worker->has_thread = false;
    if (!worker->has_ended)
        end(worker);
}

void worker_free(struct worker *worker)
{
    struct lane *lane, *next;

    if (worker == NULL)
        return;
    if (!worker->has_ended) {
        worker_ask_stop(worker, clock_mono_us(worker->config.clock));
        worker_join(worker);
    }
    HASH_ITER (hh, worker->lanes, lane, next)
        drop_lane(worker, lane);
    heap_done(&worker->due);
    sender_free(worker->sender);
    http_client_free(worker->client);
    mailbox_free(worker->letters);
    mailbox_free(worker->probes);
    free(worker);
}
