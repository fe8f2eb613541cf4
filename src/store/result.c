/* SPDX-License-Identifier: Apache-2.0 */
/* result - attempts, next states, health and counts of endpoints. */
#include "store/result.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "store/handover.h"
#include "store/store_delivery.h"
#include "store/store_endpoint_row.h"

/* A delivery that was cancelled meanwhile stays so: hence "AND state = 1". */
static const char SQL_FINISH[] =
        "UPDATE delivery SET state = $2, attempt_count = $3, failure_count = $4, due_at = $5,"
        " finished_at = $6 WHERE id = $1 AND state = 1";
static const char SQL_COUNT[] = "UPDATE delivery SET attempt_count = $2 WHERE id = $1";
static const char SQL_RETURN[] =
        "UPDATE delivery SET state = $2, due_at = $3 WHERE id = $1 AND state = 1";
static const char SQL_ATTEMPT[] =
        "INSERT INTO attempt (id, delivery_id, endpoint_id, number, started_at, duration_us,"
        " error, detail, status, request_headers, response_headers, response_body)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
static const char SQL_HEALTH[] = "UPDATE endpoint SET failing_since = $2, failing_count = $3,"
                                 " hold_until = $4 WHERE id = $1";
static const char SQL_STAT_FIND[] = "SELECT delivered, failed, latency FROM endpoint_stat"
                                    " WHERE endpoint_id = $1 AND bucket_at = $2";
static const char SQL_STAT_PUT[] =
        "INSERT INTO endpoint_stat (endpoint_id, bucket_at, delivered, failed, latency)"
        " VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (endpoint_id, bucket_at) DO UPDATE SET"
        " delivered = excluded.delivered, failed = excluded.failed, latency = excluded.latency";

static struct str text_or_none(const struct buf *buf)
{
    return buf->len > 0 ? buf_str(buf) : STR_NONE;
}

static enum err
insert_attempt(struct store_work *work, const struct delivery *delivery, struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, SQL_ATTEMPT);
    bool answered = delivery->outcome.status != 0;

    db_bind_i64(stmt, 1, work_new_id(work));
    db_bind_i64(stmt, 2, delivery->id);
    db_bind_i64(stmt, 3, delivery->endpoint->id);
    db_bind_i64(stmt, 4, delivery->attempt_count + 1);
    db_bind_i64(stmt, 5, delivery->started_at_ms);
    db_bind_i64(stmt, 6, delivery->duration_us);
    db_bind_i64(stmt, 7, delivery->outcome.error);
    db_bind_str(stmt, 8, text_or_none(&delivery->detail));
    db_bind_i64(stmt, 9, delivery->outcome.status);
    db_bind_str(stmt, 10, buf_str(&delivery->request_headers));
    db_bind_str(stmt, 11, answered ? buf_str(&delivery->response_headers) : STR_NONE);
    db_bind_bytes(stmt, 12, answered ? buf_str(&delivery->response_body) : STR_NONE);
    return db_run(stmt, NULL, why);
}

/* Stores the decided state, or when it is no longer ours to change only the count. *ret_there is
 * false when the delivery is gone, with its org. */
static enum err update_delivery(struct store_work *work,
        struct delivery *delivery,
        bool *ret_there,
        struct error *why)
{
    const struct delivery_decision *decision = &delivery->decision;
    bool finished = delivery_state_is_finished(decision->state);
    bool failed = decision->state != DELIVERY_DELIVERED;
    struct db_stmt *stmt = db_stmt(work->db, SQL_FINISH);
    int64_t changes;

    db_bind_i64(stmt, 1, delivery->id);
    db_bind_i64(stmt, 2, decision->state);
    db_bind_i64(stmt, 3, delivery->attempt_count + 1);
    db_bind_i64(stmt, 4, delivery->failure_count + (failed ? 1 : 0));
    db_bind_i64(stmt, 5, decision->due_at_ms);
    db_bind_i64_or_null(stmt, 6, finished ? work->now_ms : 0);
    enum err err = db_run(stmt, &changes, why);
    if (err != ERR_NONE)
        return err;
    *ret_there = changes > 0;
    delivery->state = *ret_there ? decision->state : DELIVERY_CANCELLED;
    if (*ret_there)
        return ERR_NONE;

    stmt = db_stmt(work->db, SQL_COUNT);
    db_bind_i64(stmt, 1, delivery->id);
    db_bind_i64(stmt, 2, delivery->attempt_count + 1);
    err = db_run(stmt, &changes, why);
    *ret_there = err == ERR_NONE && changes > 0;
    return err;
}

static void note_attempt(struct store_work *work, const struct delivery *delivery)
{
    struct note note = {
            .kind = NOTE_ATTEMPT,
            .event_id = delivery->event_id,
            .call_id = delivery->call_id,
            .event_kind = delivery->kind,
            .delivery_id = delivery->id,
            .endpoint_id = delivery->endpoint->id,
            .number = delivery->attempt_count + 1,
            .state = delivery->state,
            .error = delivery->outcome.error,
            .status = delivery->outcome.status,
            .duration_us = delivery->duration_us,
    };

    work_note_org(work, &note, delivery->endpoint->org_id);
}

static enum err write_health(struct store_work *work, const struct gate *gate, struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, SQL_HEALTH);

    db_bind_i64(stmt, 1, gate->endpoint_id);
    db_bind_i64_or_null(stmt, 2, gate->state.failing_since_ms);
    db_bind_i64(stmt, 3, gate->state.failing_count);
    db_bind_i64_or_null(stmt, 4, gate->state.hold_until_ms);
    return db_run(stmt, NULL, why);
}

static enum err
disable(struct store_work *work, struct gate *gate, enum disabled_reason reason, struct error *why)
{
    struct endpoint *changed = endpoint_copy(gate->endpoint);

    changed->enabled = false;
    changed->disabled_reason = reason;
    changed->disabled_at_ms = work->now_ms;
    changed->updated_at_ms = work->now_ms;
    enum err err = endpoint_row_update(work, changed, why);
    if (err != ERR_NONE) {
        endpoint_unref(changed);
        return err;
    }
    gate->state.disabling = true;
    work_endpoint_changed(work, gate->endpoint_id, changed, "disabled");
    return ERR_NONE;
}

/* The endpoint's health after this attempt; on the path of a healthy endpoint nothing is written. */
static enum err update_health(struct store_work *work,
        struct gate *gate,
        const struct delivery *delivery,
        struct error *why)
{
    struct gate_state *state = &gate->state;
    bool dirty = false;

    if (attempt_succeeded(&delivery->outcome)) {
        dirty = state->failing_count > 0;
        state->failing_since_ms = 0;
        state->failing_count = 0;
    } else {
        if (state->failing_count == 0)
            state->failing_since_ms = work->now_ms;
        state->failing_count++;
        dirty = true;
    }
    if (delivery->decision.hold_until_ms > state->hold_until_ms) {
        state->hold_until_ms = delivery->decision.hold_until_ms;
        dirty = true;
    }
    enum err err = dirty ? write_health(work, gate, why) : ERR_NONE;
    if (err != ERR_NONE || state->disabling || !gate->endpoint->enabled)
        return err;
    if (delivery->decision.endpoint_gone)
        return disable(work, gate, DISABLED_GONE, why);
    if (endpoint_is_failing(state->failing_since_ms, state->failing_count, work->now_ms))
        return disable(work, gate, DISABLED_FAILING, why);
    return ERR_NONE;
}

static enum err flush_stat(struct store_work *work, struct gate *gate, struct error *why)
{
    struct endpoint_bucket *stat = &gate->state.stat;
    CLEANUP(buf_done) struct buf text = {0};
    struct latency latency = stat->latency;
    bool row;

    if (stat->delivered + stat->failed == 0)
        return ERR_NONE;
    gates_touch(work->gates, gate);

    struct db_stmt *stmt = db_stmt(work->db, SQL_STAT_FIND);
    db_bind_i64(stmt, 1, gate->endpoint_id);
    db_bind_i64(stmt, 2, stat->at_ms);
    enum err err = db_next(stmt, &row, why);
    if (err != ERR_NONE)
        return err;
    if (row) {
        struct latency stored;

        stat->delivered += db_i64(stmt, 0);
        stat->failed += db_i64(stmt, 1);
        if (latency_parse(db_str(stmt, 2), &stored) == ERR_NONE)
            latency_merge(&latency, &stored);
        db_stop(stmt);
    }
    latency_write(&text, &latency);

    stmt = db_stmt(work->db, SQL_STAT_PUT);
    db_bind_i64(stmt, 1, gate->endpoint_id);
    db_bind_i64(stmt, 2, stat->at_ms);
    db_bind_i64(stmt, 3, stat->delivered);
    db_bind_i64(stmt, 4, stat->failed);
    db_bind_str(stmt, 5, buf_str(&text));
    err = db_run(stmt, NULL, why);
    *stat = (struct endpoint_bucket){0};
    return err;
}

enum err result_flush_stats(struct store_work *work, struct error *why)
{
    struct gate *gate, *next;
    enum err err = ERR_NONE;

    HASH_ITER (hh, work->gates->by_id, gate, next)
        if (err == ERR_NONE)
            err = flush_stat(work, gate, why);
    work->gates->stat_dirty = false;
    return err;
}

/* Counts go into memory and are written once in a while: they are no events. */
static enum err count_attempt(struct store_work *work,
        struct gate *gate,
        const struct delivery *delivery,
        struct error *why)
{
    struct endpoint_bucket *stat = &gate->state.stat;
    int64_t bucket_ms = work->now_ms - work->now_ms % STAT_BUCKET_MS;

    if (stat->at_ms != bucket_ms) {
        enum err err = flush_stat(work, gate, why);

        if (err != ERR_NONE)
            return err;
        stat->at_ms = bucket_ms;
    }
    if (attempt_succeeded(&delivery->outcome))
        stat->delivered++;
    else
        stat->failed++;
    latency_add(&stat->latency, delivery->duration_us);
    work->gates->stat_dirty = true;
    return ERR_NONE;
}

/* What a result means for the other deliveries of the endpoint. */
static enum err look_after_others(struct store_work *work,
        struct gate *gate,
        const struct delivery *delivery,
        struct error *why)
{
    if (gate->endpoint->ordering == ORDERING_ENDPOINT)
        return handover_look(work, gate, why);
    if (delivery->state == DELIVERY_RETRYING) {
        gate_due(work->gates, gate, delivery->decision.due_at_ms);
        return ERR_NONE;
    }
    return handover_release(work, gate, delivery->call_id, why);
}

static enum err store_attempt(struct store_work *work,
        struct gate *gate,
        struct delivery *delivery,
        struct error *why)
{
    bool there;
    enum err err = update_delivery(work, delivery, &there, why);

    if (err == ERR_NONE && there)
        err = insert_attempt(work, delivery, why);
    if (err != ERR_NONE)
        return err;
    note_attempt(work, delivery);
    if (gate == NULL)
        return ERR_NONE;

    gate_leave(work->gates, gate, true, attempt_succeeded(&delivery->outcome));
    err = count_attempt(work, gate, delivery, why);
    if (err == ERR_NONE)
        err = update_health(work, gate, delivery, why);
    if (err == ERR_NONE)
        err = look_after_others(work, gate, delivery, why);
    return err;
}

static enum err store_return(struct store_work *work,
        struct gate *gate,
        const struct delivery *delivery,
        struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, SQL_RETURN);

    db_bind_i64(stmt, 1, delivery->id);
    db_bind_i64(stmt, 2, delivery->failure_count > 0 ? DELIVERY_RETRYING : DELIVERY_WAITING);
    db_bind_i64(stmt, 3, delivery->due_at_ms);
    enum err err = db_run(stmt, NULL, why);
    if (gate != NULL && err == ERR_NONE) {
        gate_leave(work->gates, gate, false, false);
        gate_due(work->gates, gate, delivery->due_at_ms);
    }
    return err;
}

enum err result_run(struct store_work *work, struct store_op *op, struct error *why)
{
    struct delivery *delivery = (struct delivery *)op;
    struct gate *gate = gates_find(work->gates, delivery->endpoint->id);

    gates_drop_cancelled(work->gates, delivery->id);
    if (delivery->result == RESULT_RETURNED)
        return store_return(work, gate, delivery, why);
    return store_attempt(work, gate, delivery, why);
}
