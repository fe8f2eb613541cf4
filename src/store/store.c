/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store - one turn of the writing thread: a batch of operations becomes one transaction.
 *
 *   take mail -> begin -> each op between SAVEPOINT and RELEASE -> claims, housekeeping -> commit
 *     -> effects (endpoints, hand-over, notes) -> done() of each op
 *
 * When the commit fails nothing has happened: gates go back, effects are dropped, ops are told, and
 * results of deliveries stay queued for the next turn.
 */
#include "store/store.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "base/mem.h"
#include "store/effects.h"
#include "store/handover.h"
#include "store/migrate.h"
#include "store/result.h"
#include "store/retention.h"
#include "store/store_delivery.h"
#include "store/store_endpoint_row.h"
#include "store/store_idempotency.h"
#include "store/store_work.h"
#include "store/watchdog.h"

enum {
    QUEUE_MAX_DEFAULT = 8192,
    MEMORY_MAX_DEFAULT = 16384,
    BATCH_MAX = 512,    /* ops a transaction */
    CLAIMS_A_TURN = 16, /* gates a transaction */
    READERS_MAX = 8,
    CALL_IDS_RESERVED = 32,
    RETRY_MS = 250,  /* results after a failed commit */
    STATS_MS = 1000, /* how often counts are written */
    HOUSEKEEPING_MS = 60000,
    STOP_TRIES = 8,
};

/* A reading thread: its own connection and queue. */
struct reader {
    struct store *store;
    struct mailbox *mailbox;
    struct db *db;
    pthread_t thread;
    bool running;
};

struct store {
    struct store_config config;
    struct db *db;
    struct mailbox *mailbox;
    struct reader readers[READERS_MAX];
    unsigned reader_count;
    atomic_uint next_reader;

    struct mail *todo; /* taken from the mailbox, not yet run */
    struct mail **todo_end;

    struct gates gates;
    struct work_effects effects;
    struct retention *retention;
    struct id_source ids;
    int64_t started_ms;
    int64_t next_call_id, call_ids_left;

    int64_t retry_at_ms; /* no turn of its own before: the last commit failed; 0: it worked */
    int64_t stats_at_ms;
    int64_t housekeeping_at_ms; /* INT64_MIN: at once */

    pthread_t thread;
    bool running;
    atomic_bool healthy;
    atomic_bool draining;
};

/* ---- what operations see ---- */

int64_t work_started_ms(const struct store_work *work)
{
    return work->store->started_ms;
}

int64_t work_new_id(struct store_work *work)
{
    return id_next(&work->store->ids, work->now_ms);
}

/* Ids are reserved in small blocks; a failed transaction forgets its block. */
enum err work_new_call_id(struct store_work *work, int64_t *ret_id, struct error *why)
{
    static const char SQL[] = "INSERT INTO counter (name, value) VALUES ('call_id', $1)"
                              " ON CONFLICT (name) DO UPDATE SET value = counter.value + $1"
                              " RETURNING value";
    struct store *store = work->store;
    bool row;

    if (store->call_ids_left == 0) {
        struct db_stmt *stmt = db_stmt(work->db, SQL);

        db_bind_i64(stmt, 1, CALL_IDS_RESERVED);
        enum err err = db_next(stmt, &row, why);
        if (err != ERR_NONE || !row)
            return err != ERR_NONE ? err : error_set(why, ERR_CORRUPT, "no counter for calls");
        store->next_call_id = db_i64(stmt, 0) - CALL_IDS_RESERVED + 1;
        store->call_ids_left = CALL_IDS_RESERVED;
        db_stop(stmt);
    }
    store->call_ids_left--;
    *ret_id = store->next_call_id++;
    return ERR_NONE;
}

void work_note(struct store_work *work, const struct note *note)
{
    struct note dated = *note;

    dated.at_ms = work->now_ms;
    effects_note(work->effects, &dated);
}

void work_note_org(struct store_work *work, const struct note *note, struct str org_id)
{
    struct note addressed = *note;
    size_t len = org_id.len < NOTE_ORG_SIZE ? org_id.len : NOTE_ORG_SIZE - 1;

    memcpy(addressed.org_id, org_id.ptr, len);
    addressed.org_id[len] = '\0';
    work_note(work, &addressed);
}

void work_endpoint_changed(struct store_work *work,
        int64_t endpoint_id,
        struct endpoint *take_endpoint,
        const char *change)
{
    struct note note = {.kind = NOTE_ENDPOINT, .endpoint_id = endpoint_id};
    struct gate *gate = gates_find(work->gates, endpoint_id);
    const struct endpoint *endpoint =
            take_endpoint != NULL ? take_endpoint : (gate != NULL ? gate->endpoint : NULL);

    (void)snprintf(note.text, sizeof(note.text), "%s", change);
    if (endpoint != NULL)
        work_note_org(work, &note, endpoint->org_id);
    effects_change(work->effects, (struct endpoint_change){endpoint_id, take_endpoint, 0});
}

/* ---- submitting ---- */

static void done_nothing(struct store_op *op)
{
    (void)op;
}

enum err store_submit(struct store *store, struct store_op *op)
{
    struct mailbox *mailbox = store->mailbox;

    if (atomic_load_explicit(&store->draining, memory_order_relaxed))
        return ERR_CANCELLED;
    if (op->done == NULL)
        op->done = done_nothing;
    if (op->reads) {
        unsigned i = atomic_fetch_add_explicit(&store->next_reader, 1, memory_order_relaxed);

        mailbox = store->readers[i % store->reader_count].mailbox;
    }
    enum err err = mailbox_post(mailbox, &op->mail);
    if (err == ERR_BUSY)
        metrics_add(store->config.metrics, METRIC_STORE_BUSY, 1);
    return err;
}

enum err store_submit_run(struct store *store, struct store_op *op, store_run *run, bool reads)
{
    op->run = run;
    op->reads = reads;
    return store_submit(store, op);
}

static void done_delivery(struct store_op *op)
{
    struct delivery *delivery = (struct delivery *)op;
    struct store *store = op->owner;

    if (op->err == ERR_NONE && delivery->result == RESULT_ATTEMPTED) {
        if (delivery->state == DELIVERY_DELIVERED)
            metrics_add(store->config.metrics, METRIC_DELIVERIES_DELIVERED, 1);
        else if (delivery->state == DELIVERY_FAILED)
            metrics_add(store->config.metrics, METRIC_DELIVERIES_FAILED, 1);
    }
    delivery_free(delivery);
}

void store_delivery_result(struct store *store, struct delivery *first)
{
    for (struct mail *mail = &first->op.mail; mail != NULL; mail = mail->next) {
        struct store_op *op = (struct store_op *)mail;

        op->run = result_run;
        op->always = true;
        op->done = done_delivery;
        op->owner = store;
    }
    if (mailbox_post_always(store->mailbox, &first->op.mail))
        return;
    /* Closed: the store is gone, and what was in flight is sent again at the next start. */
    struct mail *mail = &first->op.mail;
    while (mail != NULL) {
        struct mail *next = mail->next;

        delivery_free((struct delivery *)mail);
        mail = next;
    }
}

bool store_is_healthy(const struct store *store)
{
    return atomic_load_explicit(&store->healthy, memory_order_relaxed);
}

/* ---- a batch ---- */

static void todo_append(struct store *store, struct mail *chain)
{
    *store->todo_end = chain;
    while (*store->todo_end != NULL)
        store->todo_end = &(*store->todo_end)->next;
}

static struct store_op *todo_take(struct store *store)
{
    struct mail *mail = store->todo;

    store->todo = mail->next;
    if (store->todo == NULL)
        store->todo_end = &store->todo;
    mail->next = NULL;
    return (struct store_op *)mail;
}

static void todo_put_back(struct store *store, struct store_op *op)
{
    op->mail.next = store->todo;
    if (store->todo == NULL)
        store->todo_end = &op->mail.next;
    store->todo = &op->mail;
}

/* Takes the ops of the next transaction off the list: up to BATCH_MAX, one with alone by itself. */
static size_t take_batch(struct store *store, struct store_op **ops)
{
    size_t count = 0;

    while (store->todo != NULL && count < BATCH_MAX) {
        bool alone = ((struct store_op *)store->todo)->alone;

        if (alone && count > 0)
            break;
        ops[count++] = todo_take(store);
        if (alone)
            break;
    }
    return count;
}

static enum err run_sql(struct store_work *work, const char *sql, struct error *why)
{
    return db_run(db_stmt(work->db, sql), NULL, why);
}

static enum err run_with_idempotency(struct store_work *work, struct store_op *op)
{
    enum err err = work_idempotency_look(work, op, &op->why);

    if (err != ERR_NONE || op->idempotency->replayed)
        return err;
    err = op->run(work, op, &op->why);
    return err != ERR_NONE ? err : work_idempotency_keep(work, op, &op->why);
}

/* Runs one client's op so that its failure undoes only itself. An error that is returned is the
 * transaction's; the op's own is in op->err. */
static enum err run_client_op(struct store_work *work, struct store_op *op, struct error *why)
{
    struct effects_mark mark = effects_mark(work->effects);
    enum err err = run_sql(work, "SAVEPOINT op", why);

    if (err != ERR_NONE)
        return err;
    if (op->idempotency != NULL)
        op->err = run_with_idempotency(work, op);
    else
        op->err = op->run(work, op, &op->why);
    if (op->err == ERR_NONE)
        return run_sql(work, "RELEASE op", why);

    effects_undo(work->effects, work->gates, mark);
    work->store->call_ids_left = 0;
    err = run_sql(work, "ROLLBACK TO op", why);
    return err != ERR_NONE ? err : run_sql(work, "RELEASE op", why);
}

static bool is_passing(enum err err)
{
    return err == ERR_UNAVAILABLE || err == ERR_BUSY;
}

static enum err run_op(struct store_work *work, struct store_op *op, struct error *why)
{
    if (!op->always)
        return run_client_op(work, op, why);
    op->err = op->run(work, op, why);
    if (op->err == ERR_NONE || is_passing(op->err))
        return op->err;
    /* It would fail for ever, and everybody behind it: better lose the record of an attempt. The
     * delivery stays `sending` and is taken up again at the next start. */
    log_event(work->config->log,
            LOG_ERROR,
            "result_refused",
            LOG_TEXT_FIELD("error", err_name(op->err)),
            LOG_TEXT_FIELD("detail", why->text));
    op->err = ERR_NONE;
    return ERR_NONE;
}

static enum err claim_due(struct store_work *work, struct error *why)
{
    for (int i = 0; i < CLAIMS_A_TURN; i++) {
        struct gate *gate = gates_first_due(work->gates, work->now_ms);

        if (gate == NULL)
            return ERR_NONE;
        enum err err = handover_claim(work, gate, why);
        if (err != ERR_NONE)
            return err;
        /* Once a turn each: an endpoint with a million waiting ones delays nobody. */
        heap_remove(&work->gates->due, &gate->due);
    }
    return ERR_NONE;
}

static void unlink_file(void *ctx, struct str file)
{
    struct store *store = ctx;

    if (store->config.remove_file != NULL)
        store->config.remove_file(store->config.remove_file_ctx, file);
}

static enum err house_steps(struct store_work *work, bool *ret_more, struct error *why)
{
    enum err err = watchdog_step(work, ret_more, why);

    if (err == ERR_NONE && !*ret_more)
        err = retention_step(work, work->store->retention, ret_more, why);
    return err;
}

/* A row that housekeeping cannot digest must not keep everybody else from being stored. */
static enum err keep_house(struct store_work *work, struct error *why)
{
    struct store *store = work->store;
    struct effects_mark mark = effects_mark(work->effects);
    bool more = false;
    enum err err = run_sql(work, "SAVEPOINT house", why);

    if (err != ERR_NONE)
        return err;
    err = house_steps(work, &more, why);
    if (err != ERR_NONE && !is_passing(err)) {
        log_event(work->config->log,
                LOG_ERROR,
                "housekeeping_failed",
                LOG_TEXT_FIELD("error", err_name(err)),
                LOG_TEXT_FIELD("detail", why->text));
        effects_undo(work->effects, work->gates, mark);
        store->call_ids_left = 0;
        more = false;
        err = run_sql(work, "ROLLBACK TO house", why);
    }
    store->housekeeping_at_ms = work->now_ms + (more ? 0 : HOUSEKEEPING_MS);
    return err != ERR_NONE ? err : run_sql(work, "RELEASE house", why);
}

static enum err run_due(struct store_work *work, struct error *why)
{
    struct store *store = work->store;
    enum err err = ERR_NONE;

    if (!work->gates->closed)
        err = claim_due(work, why);
    if (err == ERR_NONE && store->gates.stat_dirty && work->now_ms >= store->stats_at_ms) {
        err = result_flush_stats(work, why);
        store->stats_at_ms = work->now_ms + STATS_MS;
    }
    if (err == ERR_NONE && work->now_ms >= store->housekeeping_at_ms)
        err = keep_house(work, why);
    return err;
}

static enum err
run_batch(struct store_work *work, struct store_op **ops, size_t count, struct error *why)
{
    enum err err = db_begin(work->db, true, why);

    for (size_t i = 0; i < count && err == ERR_NONE; i++)
        err = run_op(work, ops[i], why);
    if (err == ERR_NONE)
        err = run_due(work, why);
    if (err == ERR_NONE)
        return db_commit(work->db, why);
    db_rollback(work->db);
    return err;
}

static void batch_committed(struct store *store, struct store_op **ops, size_t count)
{
    struct metrics *metrics = store->config.metrics;

    store->retry_at_ms = 0;
    atomic_store_explicit(&store->healthy, true, memory_order_relaxed);
    gates_commit(&store->gates, clock_wall_ms(store->config.clock));
    effects_apply(&store->effects, &store->gates, &store->config);
    metrics_set(metrics, METRIC_DELIVERIES_IN_MEMORY, (int64_t)store->gates.in_memory);
    metrics_add(metrics, METRIC_STORE_COMMITS, 1);
    metrics_add(metrics, METRIC_STORE_OPS, (int64_t)count);
    for (size_t i = 0; i < count; i++)
        ops[i]->done(ops[i]);
}

static void batch_failed(struct store *store,
        struct store_op **ops,
        size_t count,
        enum err err,
        const struct error *why)
{
    int64_t now_ms = clock_wall_ms(store->config.clock);

    effects_undo(&store->effects, &store->gates, (struct effects_mark){0});
    gates_rollback(&store->gates, now_ms);
    store->call_ids_left = 0;
    store->gates.stat_dirty = true; /* counts that were about to be written may be back */
    store->retry_at_ms = now_ms + RETRY_MS;
    if (atomic_exchange(&store->healthy, false))
        log_event(store->config.log,
                LOG_ERROR,
                "store_failed",
                LOG_TEXT_FIELD("error", err_name(err)),
                LOG_TEXT_FIELD("detail", why->text));
    metrics_add(store->config.metrics, METRIC_STORE_FAILED_COMMITS, 1);

    /* Results go back to the front in their order; everybody else is told. */
    for (size_t i = count; i-- > 0;)
        if (ops[i]->always)
            todo_put_back(store, ops[i]);
    for (size_t i = 0; i < count; i++) {
        if (ops[i]->always)
            continue;
        ops[i]->err = is_passing(err) ? ERR_UNAVAILABLE : err;
        ops[i]->why = *why;
        ops[i]->why.field[0] = '\0';
        ops[i]->done(ops[i]);
    }
}

static struct store_work writing_work(struct store *store)
{
    return (struct store_work){
            .store = store,
            .config = &store->config,
            .db = store->db,
            .now_ms = clock_wall_ms(store->config.clock),
            .gates = &store->gates,
            .effects = &store->effects,
    };
}

static void turn(struct store *store)
{
    struct store_op *ops[BATCH_MAX];
    struct store_work work = writing_work(store);
    struct error why = {0};
    int64_t began_us = clock_mono_us(store->config.clock);
    size_t count = take_batch(store, ops);
    enum err err = run_batch(&work, ops, count, &why);

    if (err == ERR_NONE)
        batch_committed(store, ops, count);
    else
        batch_failed(store, ops, count, err, &why);
    metrics_add(store->config.metrics,
            METRIC_STORE_COMMIT_US,
            clock_mono_us(store->config.clock) - began_us);
    if (err == ERR_NONE && db_maintain(store->db, &why) != ERR_NONE)
        log_event(store->config.log,
                LOG_WARN,
                "checkpoint_failed",
                LOG_TEXT_FIELD("detail", why.text));
}

/* ---- reading ---- */

static void run_read(struct store *store, struct db *db, struct store_op *op)
{
    struct store_work work = {
            .store = store,
            .config = &store->config,
            .db = db,
            .now_ms = clock_wall_ms(store->config.clock),
    };

    op->err = db_begin(db, false, &op->why);
    if (op->err == ERR_NONE) {
        op->err = op->run(&work, op, &op->why);
        db_rollback(db);
    }
    op->done(op);
}

static void run_reads(struct reader *reader, struct mail *mail)
{
    while (mail != NULL) {
        struct mail *next = mail->next;

        run_read(reader->store, reader->db, (struct store_op *)mail);
        mail = next;
    }
}

static void *reader_main(void *arg)
{
    struct reader *reader = arg;

    (void)pthread_setname_np(pthread_self(), "store-reader");
    for (;;) {
        bool closed = mailbox_is_closed(reader->mailbox);
        struct mail *mail = mailbox_take(reader->mailbox, -1);

        run_reads(reader, mail);
        if (mail == NULL && closed)
            return NULL;
    }
}

/* ---- the writing thread ---- */

int64_t store_next_due_ms(const struct store *store)
{
    int64_t due_ms = gates_next_due_ms(&store->gates);

    if (store->retry_at_ms != 0)
        return store->retry_at_ms;
    if (store->todo != NULL)
        return 0;
    if (store->gates.stat_dirty && store->stats_at_ms < due_ms)
        due_ms = store->stats_at_ms;
    if (store->housekeeping_at_ms < due_ms)
        due_ms = store->housekeeping_at_ms;
    return due_ms;
}

static int64_t wait_ms(const struct store *store)
{
    int64_t due_ms = store_next_due_ms(store);

    if (due_ms == INT64_MAX)
        return -1;
    int64_t left_ms = due_ms - clock_wall_ms(store->config.clock);
    /* A clock that is set back must not put the thread to sleep for a day. */
    return left_ms < 0 ? 0 : (left_ms > 1000 ? 1000 : left_ms);
}

static bool all_always(const struct store *store)
{
    for (const struct mail *mail = store->todo; mail != NULL; mail = mail->next)
        if (!((const struct store_op *)mail)->always)
            return false;
    return true;
}

/* After a failed commit only a client's op, or the time, is a reason to try again. */
static bool may_turn(const struct store *store)
{
    int64_t now_ms = clock_wall_ms(store->config.clock);

    if (store->retry_at_ms > now_ms && store->retry_at_ms <= now_ms + RETRY_MS)
        return !all_always(store);
    return store->todo != NULL || store_next_due_ms(store) <= now_ms;
}

static void finish(struct store *store)
{
    store->stats_at_ms = 0;
    if (store->todo == NULL && store->gates.stat_dirty)
        turn(store);
    for (int i = 0; i < STOP_TRIES && store->todo != NULL; i++)
        turn(store);
    while (store->todo != NULL) {
        struct store_op *op = todo_take(store);

        op->err = ERR_UNAVAILABLE;
        op->done(op);
    }
}

static void *store_main(void *arg)
{
    struct store *store = arg;

    (void)pthread_setname_np(pthread_self(), "store");
    for (;;) {
        bool closed = mailbox_is_closed(store->mailbox);
        struct mail *mail = mailbox_take(store->mailbox, closed ? 0 : wait_ms(store));

        todo_append(store, mail);
        if (closed && mail == NULL) {
            finish(store);
            return NULL;
        }
        if (may_turn(store))
            turn(store);
    }
}

bool store_turn(struct store *store)
{
    bool worked = false;

    todo_append(store, mailbox_take(store->mailbox, 0));
    if (may_turn(store)) {
        turn(store);
        worked = true;
    }
    for (unsigned i = 0; i < store->reader_count; i++) {
        struct mail *mail = mailbox_take(store->readers[i].mailbox, 0);

        worked = worked || mail != NULL;
        run_reads(&store->readers[i], mail);
    }
    return worked;
}

/* ---- opening and closing ---- */

static enum err put_gate(void *ctx, struct endpoint *take_endpoint)
{
    (void)gates_put(ctx, take_endpoint);
    return ERR_NONE;
}

/* What was in memory when the last run ended waits again; who has something stored is told to the
 * gates. */
static enum err recover(struct store_work *work, struct error *why)
{
    static const char SQL[] = "UPDATE delivery SET state = CASE WHEN failure_count > 0 THEN 2"
                              " ELSE 0 END WHERE state < 4 AND state = 1";
    struct gate *gate, *next;
    enum err err = run_sql(work, SQL, why);

    if (err == ERR_NONE)
        err = work_idempotency_forget_running(work, why);
    if (err == ERR_NONE)
        err = endpoint_row_each(work, put_gate, work->gates, why);
    HASH_ITER (hh, work->gates->by_id, gate, next) {
        if (err == ERR_NONE)
            err = handover_look(work, gate, why);
        gate->state.may_block = gate->state.next_due_ms != INT64_MAX;
    }
    return err;
}

/* Ids go on above those that are there, also when the clock was set back while the program was not
 * running: they are the order of events (I9), and no two rows may get the same. */
static enum err continue_ids(struct store_work *work, struct error *why)
{
    static const char SQL[] = "SELECT max(id) FROM (SELECT max(id) AS id FROM event"
                              " UNION ALL SELECT max(id) FROM delivery"
                              " UNION ALL SELECT max(id) FROM attempt"
                              " UNION ALL SELECT max(id) FROM endpoint"
                              " UNION ALL SELECT max(id) FROM token"
                              " UNION ALL SELECT max(id) FROM inbox_request) AS newest";
    struct db_stmt *stmt = db_stmt(work->db, SQL);
    bool row;
    enum err err = db_next(stmt, &row, why);

    if (err == ERR_NONE && row) {
        work->store->ids.last = db_i64(stmt, 0);
        db_stop(stmt);
    }
    return err;
}

static enum err load(struct store *store, struct error *why)
{
    struct store_work work = writing_work(store);
    enum err err = db_begin(store->db, true, why);

    if (err == ERR_NONE)
        err = continue_ids(&work, why);
    if (err == ERR_NONE)
        err = recover(&work, why);
    if (err == ERR_NONE)
        err = db_commit(store->db, why);
    else
        db_rollback(store->db);
    gates_commit(&store->gates, work.now_ms);
    return err;
}

static enum err open_db(struct store *store, bool create, struct db **ret_db, struct error *why)
{
    enum err err = db_sqlite_open(store->config.path, create, ret_db, why);

    if (err == ERR_NONE && store->config.wrap != NULL)
        *ret_db = store->config.wrap(store->config.wrap_ctx, *ret_db);
    return err;
}

static enum err open_readers(struct store *store, struct error *why)
{
    unsigned count = store->config.readers == 0 ? 1 : store->config.readers;
    enum err err = ERR_NONE;

    store->reader_count = count > READERS_MAX ? READERS_MAX : count;
    for (unsigned i = 0; i < store->reader_count && err == ERR_NONE; i++) {
        struct reader *reader = &store->readers[i];

        reader->store = store;
        reader->mailbox = mailbox_new(store->config.queue_max, NULL, NULL);
        err = open_db(store, false, &reader->db, why);
    }
    return err;
}

static enum err open_all(struct store *store, struct error *why)
{
    size_t count;
    const struct migration *migrations = migrate_all(&count);
    enum err err = open_db(store, true, &store->db, why);

    if (err == ERR_NONE)
        err = migrate_run(store->db, migrations, count, why);
    if (err == ERR_NONE)
        err = load(store, why);
    if (err == ERR_NONE)
        err = open_readers(store, why);
    return err;
}

enum err store_open(const struct store_config *config, struct store **ret_store, struct error *why)
{
    struct store *store = calloc(1, sizeof(*store));

    if (store == NULL)
        abort();
    store->config = *config;
    if (store->config.queue_max == 0)
        store->config.queue_max = QUEUE_MAX_DEFAULT;
    if (store->config.memory_max == 0)
        store->config.memory_max = MEMORY_MAX_DEFAULT;
    store->todo_end = &store->todo;
    store->mailbox = mailbox_new(store->config.queue_max, NULL, NULL);
    store->started_ms = clock_wall_ms(config->clock);
    store->housekeeping_at_ms = store->started_ms;
    store->retention = retention_new(unlink_file, store);
    atomic_init(&store->healthy, true);
    gates_init(&store->gates, store->config.memory_max);

    enum err err = open_all(store, why);
    if (err != ERR_NONE) {
        store_close(store);
        return err;
    }
    *ret_store = store;
    return ERR_NONE;
}

static enum err start_thread(pthread_t *thread,
        void *(*run)(void *),
        void *arg,
        bool *ret_running,
        struct error *why)
{
    if (pthread_create(thread, NULL, run, arg) != 0)
        return error_set(why, ERR_UNAVAILABLE, "no thread for the store");
    *ret_running = true;
    return ERR_NONE;
}

enum err store_start(struct store *store, struct error *why)
{
    enum err err = start_thread(&store->thread, store_main, store, &store->running, why);

    for (unsigned i = 0; i < store->reader_count && err == ERR_NONE; i++) {
        struct reader *reader = &store->readers[i];

        err = start_thread(&reader->thread, reader_main, reader, &reader->running, why);
    }
    return err;
}

/* On the store thread, so that gates are touched by nobody else. */
struct drain_op {
    struct store_op op;
};

static enum err run_drain(struct store_work *work, struct store_op *op, struct error *why)
{
    (void)op;
    (void)why;
    work->gates->closed = true;
    return ERR_NONE;
}

static void done_drain(struct store_op *op)
{
    free(op);
}

void store_drain(struct store *store)
{
    struct store_op *op = calloc(1, sizeof(*op));

    if (op == NULL)
        abort();
    atomic_store(&store->draining, true);
    *op = (struct store_op){.run = run_drain, .always = true, .done = done_drain};
    if (!mailbox_post_always(store->mailbox, &op->mail))
        free(op);
}

void store_stop(struct store *store)
{
    atomic_store(&store->draining, true);
    for (unsigned i = 0; i < store->reader_count; i++) {
        if (store->readers[i].mailbox != NULL)
            mailbox_close(store->readers[i].mailbox);
        if (store->readers[i].running)
            (void)pthread_join(store->readers[i].thread, NULL);
        store->readers[i].running = false;
    }
    mailbox_close(store->mailbox);
    if (store->running)
        (void)pthread_join(store->thread, NULL);
    store->running = false;
}

/* Without threads (or after a failed open) something may still be queued: it is told so. */
static void forget(struct store *store)
{
    struct mail *mail = mailbox_take(store->mailbox, 0);

    todo_append(store, mail);
    for (unsigned i = 0; i < store->reader_count; i++)
        if (store->readers[i].mailbox != NULL)
            todo_append(store, mailbox_take(store->readers[i].mailbox, 0));
    while (store->todo != NULL) {
        struct store_op *op = todo_take(store);

        op->err = ERR_CANCELLED;
        op->done(op);
    }
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    store_stop(store);
    forget(store);
    for (unsigned i = 0; i < store->reader_count; i++) {
        db_close(store->readers[i].db);
        mailbox_free(store->readers[i].mailbox);
    }
    effects_done(&store->effects);
    gates_done(&store->gates);
    retention_free(store->retention);
    db_close(store->db);
    mailbox_free(store->mailbox);
    free(store);
}
