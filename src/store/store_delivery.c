/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_delivery - listing, reading, retrying and cancelling stored deliveries. Those in memory:
 * handover.c and result.c.
 */
#include "store/store_delivery.h"

#include <stdlib.h>

#include "base/id.h"
#include "store/effects.h"
#include "store/handover.h"
#include "store/page.h"
#include "store/store_endpoint.h"
#include "store/store_work.h"

#define ROW_COLUMNS                                                                                \
    "d.id, d.event_id, d.endpoint_id, d.call_id, d.kind, d.state, d.attempt_count, d.due_at,"      \
    " d.finished_at, p.url, coalesce(p.enabled, 1)"

/* The state as delivery_state_shown() has it. */
#define STATE_SHOWN "CASE WHEN d.state IN (0, 2) AND p.enabled = 0 THEN 3 ELSE d.state END"

#define LIST_WHERE                                                                                 \
    " d.org_id = $1 AND d.id < $2 AND d.id >= $3 AND ($4 < 0 OR d.kind = $4)"                      \
    " AND ($5 < 0 OR " STATE_SHOWN " = $5)"
#define LIST_END " ORDER BY d.id DESC LIMIT $6"

static const char SQL_LIST[] = "SELECT " ROW_COLUMNS " FROM delivery d"
                               " LEFT JOIN endpoint p ON p.id = d.endpoint_id"
                               " WHERE" LIST_WHERE LIST_END;
static const char SQL_LIST_ENDPOINT[] = "SELECT " ROW_COLUMNS " FROM delivery d"
                                        " LEFT JOIN endpoint p ON p.id = d.endpoint_id"
                                        " WHERE d.endpoint_id = $7 AND" LIST_WHERE LIST_END;
/* Failed and cancelled ones are few among many: they have an index of their own. */
static const char SQL_LIST_FAILED[] = "SELECT " ROW_COLUMNS " FROM delivery d"
                                      " LEFT JOIN endpoint p ON p.id = d.endpoint_id"
                                      " WHERE d.state > 4 AND d.state = $5 AND" LIST_WHERE LIST_END;
/* So have unfinished ones, by endpoint. */
static const char SQL_LIST_OPEN[] = "SELECT " ROW_COLUMNS " FROM delivery d"
                                    " LEFT JOIN endpoint p ON p.id = d.endpoint_id"
                                    " WHERE d.endpoint_id = $7 AND d.state < 4"
                                    " AND" LIST_WHERE LIST_END;
static const char SQL_LIST_CALL[] = "SELECT " ROW_COLUMNS " FROM event e"
                                    " JOIN delivery d ON d.event_id = e.id"
                                    " LEFT JOIN endpoint p ON p.id = d.endpoint_id"
                                    " WHERE e.call_id = $7 AND ($8 = 0 OR d.endpoint_id = $8)"
                                    " AND" LIST_WHERE LIST_END;
static const char SQL_LOAD[] = "SELECT " ROW_COLUMNS ", d.org_id FROM delivery d"
                               " LEFT JOIN endpoint p ON p.id = d.endpoint_id WHERE d.id = $1";
static const char SQL_ENDPOINTS[] = "SELECT id FROM endpoint WHERE org_id = $1 ORDER BY id";
static const char SQL_BODY[] = "SELECT body FROM event WHERE id = $1";
static const char SQL_ATTEMPTS[] =
        "SELECT id, number, started_at, duration_us, error, detail, status, request_headers,"
        " response_headers, response_body FROM attempt WHERE delivery_id = $1"
        " ORDER BY id DESC LIMIT $2";

static void read_row(const struct db_stmt *stmt, struct arena *arena, struct delivery_row *row)
{
    *row = (struct delivery_row){
            .id = db_i64(stmt, 0),
            .event_id = db_i64(stmt, 1),
            .endpoint_id = db_i64(stmt, 2),
            .call_id = db_i64(stmt, 3),
            .kind = (enum event_kind)db_i64(stmt, 4),
            .state = delivery_state_shown(
                    (enum delivery_state)db_i64(stmt, 5), db_i64(stmt, 10) != 0),
            .attempt_count = db_i64(stmt, 6),
            .finished_at_ms = db_i64(stmt, 8),
            .endpoint_url = arena_str(arena, db_str(stmt, 9)),
    };
    if (row->state == DELIVERY_WAITING || row->state == DELIVERY_RETRYING)
        row->due_at_ms = db_i64(stmt, 7);
}

/* ---- lists ---- */

static enum err list_from(struct store_work *work,
        struct delivery_list *op,
        const char *sql,
        int64_t before,
        int64_t endpoint_id,
        struct delivery_row *rows,
        size_t *ret_count,
        struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, sql);
    size_t max = (size_t)op->page.limit + 1;
    size_t count = 0;
    bool row;
    enum err err;

    db_bind_str(stmt, 1, op->org_id);
    db_bind_i64(stmt, 2, before);
    db_bind_i64(stmt, 3, op->since_ms != 0 ? id_floor(op->since_ms) : 0);
    db_bind_i64(stmt, 4, op->kind);
    db_bind_i64(stmt, 5, op->state);
    db_bind_i64(stmt, 6, (int64_t)max);
    if (sql == SQL_LIST_CALL) {
        db_bind_i64(stmt, 7, op->call_id);
        db_bind_i64(stmt, 8, endpoint_id);
    } else if (endpoint_id != 0) {
        db_bind_i64(stmt, 7, endpoint_id);
    }
    while ((err = db_next(stmt, &row, why)) == ERR_NONE && row && count < max)
        read_row(stmt, op->op.arena, &rows[count++]);
    db_stop(stmt);
    *ret_count = count;
    return err;
}

static int newest_first(const void *a, const void *b)
{
    const struct delivery_row *left = a;
    const struct delivery_row *right = b;

    return (left->id < right->id) - (left->id > right->id);
}

static enum err endpoint_ids(struct store_work *work,
        struct str org_id,
        int64_t *ids,
        size_t *ret_count,
        struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, SQL_ENDPOINTS);
    size_t count = 0;
    bool row;
    enum err err;

    db_bind_str(stmt, 1, org_id);
    while ((err = db_next(stmt, &row, why)) == ERR_NONE && row && count < ENDPOINTS_PER_ORG_MAX)
        ids[count++] = db_i64(stmt, 0);
    db_stop(stmt);
    *ret_count = count;
    return err;
}

/* Unfinished deliveries of all endpoints: the newest of each, merged. */
static enum err list_open(struct store_work *work,
        struct delivery_list *op,
        int64_t before,
        struct delivery_row *rows,
        size_t *ret_count,
        struct error *why)
{
    struct arena *arena = op->op.arena;
    size_t max = (size_t)op->page.limit + 1;
    struct delivery_row *merged = arena_alloc(arena, 2 * max * sizeof(*merged));
    int64_t *ids = arena_alloc(arena, ENDPOINTS_PER_ORG_MAX * sizeof(*ids));
    size_t id_count, count = 0;
    enum err err = endpoint_ids(work, op->org_id, ids, &id_count, why);

    for (size_t i = 0; i < id_count && err == ERR_NONE; i++) {
        size_t more;

        err = list_from(work, op, SQL_LIST_OPEN, before, ids[i], merged + count, &more, why);
        if (err != ERR_NONE)
            break;
        count += more;
        qsort(merged, count, sizeof(*merged), newest_first);
        if (count > max)
            count = max;
    }
    for (size_t i = 0; i < count; i++)
        rows[i] = merged[i];
    *ret_count = count;
    return err;
}

static enum err list_rows(struct store_work *work,
        struct delivery_list *op,
        int64_t before,
        struct delivery_row *rows,
        size_t *ret_count,
        struct error *why)
{
    bool open = op->state >= 0 && !delivery_state_is_finished((enum delivery_state)op->state);
    const char *sql = SQL_LIST;

    if (op->call_id != 0)
        sql = SQL_LIST_CALL;
    else if (open && op->endpoint_id == 0)
        return list_open(work, op, before, rows, ret_count, why);
    else if (op->endpoint_id != 0)
        sql = open ? SQL_LIST_OPEN : SQL_LIST_ENDPOINT;
    else if (op->state == DELIVERY_FAILED || op->state == DELIVERY_CANCELLED)
        sql = SQL_LIST_FAILED;
    return list_from(work, op, sql, before, op->endpoint_id, rows, ret_count, why);
}

static enum err run_list(struct store_work *work, struct store_op *store_op, struct error *why)
{
    struct delivery_list *op = (struct delivery_list *)store_op;
    size_t limit = (size_t)op->page.limit;
    int64_t before;
    enum err err = page_read_number(&op->page, &before, why);

    op->count = 0;
    op->page.next_cursor = STR_NONE;
    if (err != ERR_NONE)
        return err;
    if (op->until_ms != 0 && id_floor(op->until_ms) < before)
        before = id_floor(op->until_ms);
    op->deliveries = arena_alloc(op->op.arena, (limit + 1) * sizeof(*op->deliveries));
    err = list_rows(work, op, before, op->deliveries, &op->count, why);
    if (err == ERR_NONE && op->count > limit) {
        op->count = limit;
        page_set_number(&op->page, op->op.arena, op->deliveries[limit - 1].id);
    }
    return err;
}

enum err store_delivery_list(struct store *store, struct delivery_list *op)
{
    return store_submit_run(store, &op->op, run_list, true);
}

/* ---- one ---- */

static enum err load(struct store_work *work,
        struct arena *arena,
        struct str org_id,
        int64_t id,
        struct delivery_row *ret_row,
        struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, SQL_LOAD);
    bool row;

    db_bind_i64(stmt, 1, id);
    enum err err = db_next(stmt, &row, why);
    if (err != ERR_NONE)
        return err;
    bool ours = row && str_equal(db_str(stmt, 11), org_id);
    if (ours)
        read_row(stmt, arena, ret_row);
    db_stop(stmt);
    return ours ? ERR_NONE : error_set(why, ERR_NOT_FOUND, "there is no such delivery");
}

static enum err read_body(struct store_work *work, struct delivery_get *op, struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, SQL_BODY);
    bool row;

    db_bind_i64(stmt, 1, op->delivery.event_id);
    enum err err = db_next(stmt, &row, why);
    if (err == ERR_NONE && row) {
        op->body = arena_str(op->op.arena, db_str(stmt, 0));
        db_stop(stmt);
    }
    return err;
}

static enum err read_attempts(struct store_work *work, struct delivery_get *op, struct error *why)
{
    struct arena *arena = op->op.arena;
    struct db_stmt *stmt = db_stmt(work->db, SQL_ATTEMPTS);
    struct attempt_row *rows = arena_alloc(arena, DELIVERY_ATTEMPTS_MAX * sizeof(*rows));
    size_t at = DELIVERY_ATTEMPTS_MAX;
    bool row;
    enum err err;

    db_bind_i64(stmt, 1, op->id);
    db_bind_i64(stmt, 2, DELIVERY_ATTEMPTS_MAX);
    while ((err = db_next(stmt, &row, why)) == ERR_NONE && row && at > 0) {
        rows[--at] = (struct attempt_row){
                .id = db_i64(stmt, 0),
                .number = db_i64(stmt, 1),
                .started_at_ms = db_i64(stmt, 2),
                .duration_us = db_i64(stmt, 3),
                .error = (enum attempt_error)db_i64(stmt, 4),
                .detail = arena_str(arena, db_str(stmt, 5)),
                .status = db_i64(stmt, 6),
                .request_headers = arena_str(arena, db_str(stmt, 7)),
                .response_headers = arena_str(arena, db_str(stmt, 8)),
                .response_body = arena_str(arena, db_str(stmt, 9)),
        };
    }
    db_stop(stmt);
    op->attempts = rows + at;
    op->attempt_count = DELIVERY_ATTEMPTS_MAX - at;
    return err;
}

static enum err run_get(struct store_work *work, struct store_op *store_op, struct error *why)
{
    struct delivery_get *op = (struct delivery_get *)store_op;
    enum err err = load(work, op->op.arena, op->org_id, op->id, &op->delivery, why);

    if (err == ERR_NONE)
        err = read_body(work, op, why);
    return err != ERR_NONE ? err : read_attempts(work, op, why);
}

enum err store_delivery_get(struct store *store, struct delivery_get *op)
{
    return store_submit_run(store, &op->op, run_get, true);
}

/* ---- by hand ---- */

static enum err run_retry(struct store_work *work, struct store_op *store_op, struct error *why)
{
    static const char SQL_NOW[] = "UPDATE delivery SET due_at = $2 WHERE id = $1";
    struct delivery_retry *op = (struct delivery_retry *)store_op;
    struct arena *arena = op->op.arena;
    enum err err = load(work, arena, op->org_id, op->id, &op->delivery, why);

    if (err != ERR_NONE)
        return err;
    struct gate *gate = gates_find(work->gates, op->delivery.endpoint_id);
    if (gate == NULL)
        return error_set(why, ERR_CONFLICT, "its endpoint is gone");
    if (!gate->endpoint->enabled || gate->state.disabling)
        return error_set(why, ERR_CONFLICT, "its endpoint is disabled: enable it first");
    if (delivery_state_is_finished(op->delivery.state)) {
        err = handover_requeue(work, gate, op->id, why);
    } else if (op->delivery.state != DELIVERY_SENDING) {
        struct db_stmt *stmt = db_stmt(work->db, SQL_NOW);

        db_bind_i64(stmt, 1, op->id);
        db_bind_i64(stmt, 2, work->now_ms);
        gate_due(work->gates, gate, work->now_ms);
        err = db_run(stmt, NULL, why);
    }
    return err != ERR_NONE ? err : load(work, arena, op->org_id, op->id, &op->delivery, why);
}

enum err store_delivery_retry(struct store *store, struct delivery_retry *op)
{
    return store_submit_run(store, &op->op, run_retry, false);
}

/* Whoever waited for the cancelled one may go. */
static enum err
let_others_go(struct store_work *work, const struct delivery_row *row, struct error *why)
{
    struct gate *gate = gates_find(work->gates, row->endpoint_id);

    if (gate == NULL)
        return ERR_NONE;
    if (gate->endpoint->ordering == ORDERING_ENDPOINT)
        return handover_look(work, gate, why);
    return handover_release(work, gate, row->call_id, why);
}

static enum err run_cancel(struct store_work *work, struct store_op *store_op, struct error *why)
{
    static const char SQL[] = "UPDATE delivery SET state = 6, finished_at = $2"
                              " WHERE id = $1 AND state < 4";
    struct delivery_cancel *op = (struct delivery_cancel *)store_op;
    struct arena *arena = op->op.arena;
    enum err err = load(work, arena, op->org_id, op->id, &op->delivery, why);

    if (err != ERR_NONE)
        return err;
    if (delivery_state_is_finished(op->delivery.state))
        return error_set(why, ERR_CONFLICT, "the delivery is finished");

    struct db_stmt *stmt = db_stmt(work->db, SQL);
    db_bind_i64(stmt, 1, op->id);
    db_bind_i64(stmt, 2, work->now_ms);
    err = db_run(stmt, NULL, why);
    if (op->delivery.state == DELIVERY_SENDING) {
        gates_put_cancelled(work->gates, op->id);
        effects_change(work->effects,
                (struct endpoint_change){
                        .endpoint_id = op->delivery.endpoint_id,
                        .cancelled_id = op->id,
                });
    }
    if (err == ERR_NONE)
        err = let_others_go(work, &op->delivery, why);
    return err != ERR_NONE ? err : load(work, arena, op->org_id, op->id, &op->delivery, why);
}

enum err store_delivery_cancel(struct store *store, struct delivery_cancel *op)
{
    return store_submit_run(store, &op->op, run_cancel, false);
}
