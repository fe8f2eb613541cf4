/* SPDX-License-Identifier: Apache-2.0 */
/* store_event - listing, showing and replaying events. */
#include "store/store_event.h"

#include "base/cleanup.h"
#include "base/id.h"
#include "store/handover.h"
#include "store/page.h"
#include "store/store_event_row.h"
#include "store/store_work.h"

#define EVENT_COLUMNS "id, org_id, kind, type, call_id, body"

static const char SQL_LOAD[] = "SELECT " EVENT_COLUMNS " FROM event WHERE id = $1";
static const char SQL_LIST[] = "SELECT " EVENT_COLUMNS " FROM event WHERE org_id = $1"
                               " AND id < $2 AND id >= $3 AND ($4 < 0 OR kind = $4)"
                               " AND ($5 < 0 OR type = $5) ORDER BY id DESC LIMIT $6";
static const char SQL_LIST_CALL[] =
        "SELECT " EVENT_COLUMNS " FROM event WHERE call_id = $7 AND org_id = $1"
        " AND id < $2 AND id >= $3 AND ($4 < 0 OR kind = $4)"
        " AND ($5 < 0 OR type = $5) ORDER BY id DESC LIMIT $6";
static const char SQL_DELIVERY[] = "SELECT id, state, attempt_count, due_at FROM delivery"
                                   " WHERE event_id = $1 AND endpoint_id = $2";
static const char SQL_ENDPOINTS[] =
        "SELECT p.id, p.url, p.event_mask, p.type_mask, p.created_at, p.enabled FROM endpoint p"
        " WHERE p.org_id = $1 ORDER BY p.id LIMIT $2";
static const char SQL_ORPHANS[] =
        "SELECT d.endpoint_id, d.id, d.state, d.attempt_count, d.due_at FROM delivery d"
        " WHERE d.event_id = $1"
        " AND NOT EXISTS (SELECT 1 FROM endpoint p WHERE p.id = d.endpoint_id) LIMIT $2";

static void read_event(const struct db_stmt *stmt, struct arena *arena, struct event *ret_event)
{
    *ret_event = (struct event){
            .id = db_i64(stmt, 0),
            .org_id = arena_str(arena, db_str(stmt, 1)),
            .kind = (enum event_kind)db_i64(stmt, 2),
            .type = (enum call_type)db_i64(stmt, 3),
            .call_id = db_i64(stmt, 4),
            .body = arena_str(arena, db_str(stmt, 5)),
    };
    ret_event->created_at_ms = id_at_ms(ret_event->id);
}

enum err event_row_load(struct store_work *work,
        struct arena *arena,
        struct str org_id,
        int64_t id,
        struct event *ret_event,
        struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, SQL_LOAD);
    bool row;

    db_bind_i64(stmt, 1, id);
    enum err err = db_next(stmt, &row, why);
    if (err != ERR_NONE)
        return err;
    bool ours = row && str_equal(db_str(stmt, 1), org_id);
    if (ours)
        read_event(stmt, arena, ret_event);
    db_stop(stmt);
    return ours ? ERR_NONE : error_set(why, ERR_NOT_FOUND, "there is no such event");
}

/* ---- list ---- */

static enum err
list_rows(struct store_work *work, struct event_list *op, int64_t before, struct error *why)
{
    struct arena *arena = op->op.arena;
    struct db_stmt *stmt = db_stmt(work->db, op->call_id != 0 ? SQL_LIST_CALL : SQL_LIST);
    size_t limit = (size_t)op->page.limit;
    bool row;
    enum err err;

    op->events = arena_alloc(arena, limit * sizeof(*op->events));
    db_bind_str(stmt, 1, op->org_id);
    db_bind_i64(stmt, 2, before);
    db_bind_i64(stmt, 3, op->since_ms != 0 ? id_floor(op->since_ms) : 0);
    db_bind_i64(stmt, 4, op->kind);
    db_bind_i64(stmt, 5, op->type);
    db_bind_i64(stmt, 6, op->page.limit + 1);
    if (op->call_id != 0)
        db_bind_i64(stmt, 7, op->call_id);
    while ((err = db_next(stmt, &row, why)) == ERR_NONE && row) {
        if (op->count == limit) {
            page_set_number(&op->page, arena, op->events[limit - 1].id);
            break;
        }
        read_event(stmt, arena, &op->events[op->count++]);
    }
    db_stop(stmt);
    return err;
}

static enum err run_list(struct store_work *work, struct store_op *store_op, struct error *why)
{
    struct event_list *op = (struct event_list *)store_op;
    int64_t before;
    enum err err = page_read_number(&op->page, &before, why);

    op->count = 0;
    op->page.next_cursor = STR_NONE;
    if (err != ERR_NONE)
        return err;
    if (op->until_ms != 0 && id_floor(op->until_ms) < before)
        before = id_floor(op->until_ms);
    return list_rows(work, op, before, why);
}

enum err store_event_list(struct store *store, struct event_list *op)
{
    return store_submit_run(store, &op->op, run_list, true);
}

/* ---- one event, and what each endpoint has of it ---- */

static enum no_delivery why_none(const struct event *event, const struct db_stmt *stmt)
{
    if (!event_filter_wants(
                (unsigned)db_i64(stmt, 2), (unsigned)db_i64(stmt, 3), event->kind, event->type))
        return NO_DELIVERY_NOT_SELECTED;
    return db_i64(stmt, 4) > event->created_at_ms ? NO_DELIVERY_LATER : NO_DELIVERY_DISABLED;
}

static enum err read_delivery(struct store_work *work,
        int64_t event_id,
        bool enabled,
        struct event_endpoint *row,
        struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, SQL_DELIVERY);
    bool found;

    db_bind_i64(stmt, 1, event_id);
    db_bind_i64(stmt, 2, row->endpoint_id);
    enum err err = db_next(stmt, &found, why);
    if (err != ERR_NONE || !found)
        return err;
    row->why_none = NO_DELIVERY_NONE;
    row->delivery_id = db_i64(stmt, 0);
    row->state = delivery_state_shown((enum delivery_state)db_i64(stmt, 1), enabled);
    row->attempt_count = db_i64(stmt, 2);
    row->due_at_ms = db_i64(stmt, 3);
    db_stop(stmt);
    return ERR_NONE;
}

static enum err read_endpoints(struct store_work *work, struct event_get *op, struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, SQL_ENDPOINTS);
    bool row;
    enum err err;

    db_bind_str(stmt, 1, op->org_id);
    db_bind_i64(stmt, 2, ENDPOINTS_PER_ORG_MAX);
    while ((err = db_next(stmt, &row, why)) == ERR_NONE && row &&
            op->endpoint_count < ENDPOINTS_PER_ORG_MAX) {
        struct event_endpoint *endpoint = &op->endpoints[op->endpoint_count++];

        endpoint->endpoint_id = db_i64(stmt, 0);
        endpoint->url = arena_str(op->op.arena, db_str(stmt, 1));
        endpoint->why_none = why_none(&op->event, stmt);
        err = read_delivery(work, op->id, db_i64(stmt, 5) != 0, endpoint, why);
        if (err != ERR_NONE)
            break;
    }
    db_stop(stmt);
    return err;
}

static enum err read_orphans(struct store_work *work, struct event_get *op, struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, SQL_ORPHANS);
    bool row;
    enum err err;

    db_bind_i64(stmt, 1, op->id);
    db_bind_i64(stmt, 2, ENDPOINTS_PER_ORG_MAX);
    while ((err = db_next(stmt, &row, why)) == ERR_NONE && row &&
            op->endpoint_count < (size_t)2 * ENDPOINTS_PER_ORG_MAX) {
        op->endpoints[op->endpoint_count++] = (struct event_endpoint){
                .endpoint_id = db_i64(stmt, 0),
                .delivery_id = db_i64(stmt, 1),
                .state = (enum delivery_state)db_i64(stmt, 2),
                .attempt_count = db_i64(stmt, 3),
                .due_at_ms = db_i64(stmt, 4),
        };
    }
    db_stop(stmt);
    return err;
}

static enum err run_get(struct store_work *work, struct store_op *store_op, struct error *why)
{
    struct event_get *op = (struct event_get *)store_op;
    enum err err = event_row_load(work, op->op.arena, op->org_id, op->id, &op->event, why);

    if (err != ERR_NONE)
        return err;
    op->endpoint_count = 0;
    op->endpoints =
            arena_alloc(op->op.arena, 2 * (size_t)ENDPOINTS_PER_ORG_MAX * sizeof(*op->endpoints));
    err = read_endpoints(work, op, why);
    return err != ERR_NONE ? err : read_orphans(work, op, why);
}

enum err store_event_get(struct store *store, struct event_get *op)
{
    return store_submit_run(store, &op->op, run_get, true);
}

/* ---- replay ---- */

static enum err find_delivery(struct store_work *work,
        int64_t event_id,
        int64_t endpoint_id,
        int64_t *ret_id,
        enum delivery_state *ret_state,
        struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, SQL_DELIVERY);
    bool row;

    *ret_id = 0;
    db_bind_i64(stmt, 1, event_id);
    db_bind_i64(stmt, 2, endpoint_id);
    enum err err = db_next(stmt, &row, why);
    if (err == ERR_NONE && row) {
        *ret_id = db_i64(stmt, 0);
        *ret_state = (enum delivery_state)db_i64(stmt, 1);
        db_stop(stmt);
    }
    return err;
}

enum err event_send_again(struct store_work *work,
        struct gate *gate,
        const struct event *event,
        struct blob **body_ref,
        struct error *why)
{
    static const char SQL_NOW[] = "UPDATE delivery SET due_at = $2 WHERE id = $1 AND state <> 1";
    enum delivery_state state = DELIVERY_WAITING;
    int64_t id;
    enum err err = find_delivery(work, event->id, gate->endpoint_id, &id, &state, why);

    if (err != ERR_NONE)
        return err;
    if (id == 0)
        return handover_new(work, gate, event, body_ref, why);
    if (delivery_state_is_finished(state))
        return handover_requeue(work, gate, id, why);

    struct db_stmt *stmt = db_stmt(work->db, SQL_NOW);
    db_bind_i64(stmt, 1, id);
    db_bind_i64(stmt, 2, work->now_ms);
    gate_due(work->gates, gate, work->now_ms);
    return db_run(stmt, NULL, why);
}

static enum err replay_to_one(struct store_work *work,
        struct event_replay *op,
        const struct event *event,
        struct blob **body_ref,
        struct error *why)
{
    struct gate *gate = gates_find(work->gates, op->endpoint_id);

    if (gate == NULL || !str_equal(gate->endpoint->org_id, op->org_id))
        return error_set(why, ERR_NOT_FOUND, "there is no such endpoint");
    if (!gate->endpoint->enabled || gate->state.disabling)
        return error_set(why, ERR_CONFLICT, "the endpoint is disabled: enable it first");
    op->delivery_count = 1;
    return event_send_again(work, gate, event, body_ref, why);
}

static enum err replay_to_all(struct store_work *work,
        struct event_replay *op,
        const struct event *event,
        struct blob **body_ref,
        struct error *why)
{
    enum err err = ERR_NONE;

    for (struct gate *gate = gates_of_org(work->gates, op->org_id); gate != NULL && err == ERR_NONE;
            gate = gate->next) {
        if (!gate->endpoint->enabled || gate->state.disabling ||
                !endpoint_wants(gate->endpoint, event->kind, event->type))
            continue;
        op->delivery_count++;
        err = event_send_again(work, gate, event, body_ref, why);
    }
    return err;
}

static enum err run_replay(struct store_work *work, struct store_op *store_op, struct error *why)
{
    struct event_replay *op = (struct event_replay *)store_op;
    struct event event = {0};
    struct blob *body = NULL;
    enum err err = event_row_load(work, op->op.arena, op->org_id, op->id, &event, why);

    op->delivery_count = 0;
    if (err != ERR_NONE)
        return err;
    err = op->endpoint_id != 0 ? replay_to_one(work, op, &event, &body, why)
                               : replay_to_all(work, op, &event, &body, why);
    blob_unref(body);
    return err;
}

enum err store_event_replay(struct store *store, struct event_replay *op)
{
    return store_submit_run(store, &op->op, run_replay, false);
}
