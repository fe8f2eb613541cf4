/* SPDX-License-Identifier: Apache-2.0 */
/* handover - new deliveries to memory, claims of stored ones, and order per call. */
#include "store/handover.h"

#include "base/cleanup.h"
#include "store/effects.h"

static const char SQL_INSERT[] =
        "INSERT INTO delivery (id, org_id, event_id, endpoint_id, call_id, kind, state,"
        " attempt_count, failure_count, queued_at, due_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, $8, $9)";

/* The first unfinished delivery of a call at an endpoint, in the order of events. */
static const char SQL_FIRST_OF_CALL[] =
        "SELECT d.id, d.event_id, d.state, d.due_at FROM event e"
        " JOIN delivery d ON d.event_id = e.id AND d.endpoint_id = $2"
        " WHERE e.call_id = $1 AND d.state < 4 ORDER BY e.id LIMIT 1";

static const char SQL_DUE[] =
        "SELECT d.id, d.event_id, d.call_id, d.kind, d.attempt_count, d.failure_count,"
        " d.queued_at, e.body"
        " FROM delivery d JOIN event e ON e.id = d.event_id"
        " WHERE d.endpoint_id = $1 AND d.state IN (0, 2) AND d.due_at <= $2"
        " ORDER BY d.due_at, d.id LIMIT $3";

/* Strict order: the oldest unfinished one alone counts, whatever later ones are due. */
static const char SQL_HEAD[] =
        "SELECT d.id, d.event_id, d.call_id, d.kind, d.attempt_count, d.failure_count,"
        " d.queued_at, e.body, d.state, d.due_at"
        " FROM delivery d JOIN event e ON e.id = d.event_id"
        " WHERE d.endpoint_id = $1 AND d.state < 4 ORDER BY d.id LIMIT 1";

static const char SQL_NEXT_DUE[] = "SELECT due_at FROM delivery"
                                   " WHERE endpoint_id = $1 AND state IN (0, 2)"
                                   " ORDER BY due_at LIMIT 1";

static const char SQL_NEXT_HEAD[] = "SELECT due_at, state FROM delivery"
                                    " WHERE endpoint_id = $1 AND state < 4 ORDER BY id LIMIT 1";

static const char SQL_LEASE[] = "UPDATE delivery SET state = 1 WHERE id = $1";
static const char SQL_POSTPONE[] = "UPDATE delivery SET due_at = $2 WHERE id = $1";
static const char SQL_REQUEUE[] =
        "UPDATE delivery SET state = 0, failure_count = 0, queued_at = $2, due_at = $2,"
        " finished_at = NULL WHERE id = $1";

/* One unfinished delivery, as SQL_FIRST_OF_CALL gives it. */
struct first_of_call {
    bool found;
    int64_t id;
    int64_t event_id;
    enum delivery_state state;
    int64_t due_at_ms;
};

static enum err find_first_of_call(struct store_work *work,
        int64_t endpoint_id,
        int64_t call_id,
        struct first_of_call *ret_first,
        struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, SQL_FIRST_OF_CALL);

    db_bind_i64(stmt, 1, call_id);
    db_bind_i64(stmt, 2, endpoint_id);
    enum err err = db_next(stmt, &ret_first->found, why);
    if (err != ERR_NONE || !ret_first->found)
        return err;
    ret_first->id = db_i64(stmt, 0);
    ret_first->event_id = db_i64(stmt, 1);
    ret_first->state = (enum delivery_state)db_i64(stmt, 2);
    ret_first->due_at_ms = db_i64(stmt, 3);
    db_stop(stmt);
    return ERR_NONE;
}

static void hand_over(struct store_work *work,
        struct gate *gate,
        const struct event *event,
        struct blob *body,
        const struct delivery *counts)
{
    struct delivery *delivery = delivery_new(gate->endpoint, body);

    delivery->id = counts->id;
    delivery->event_id = event->id;
    delivery->call_id = event->call_id;
    delivery->kind = event->kind;
    delivery->attempt_count = counts->attempt_count;
    delivery->failure_count = counts->failure_count;
    delivery->out_of_order = counts->out_of_order;
    gate_enter(work->gates, gate);
    effects_hand(work->effects, delivery);
}

/* True when an earlier event of the call is unfinished at this endpoint, so that a new one waits. */
static enum err is_behind(struct store_work *work,
        const struct gate *gate,
        const struct event *event,
        bool *ret_behind,
        struct error *why)
{
    struct first_of_call first = {0};

    *ret_behind = false;
    if (gate->endpoint->ordering != ORDERING_CALL || event->kind == EVENT_CALL_LOGGED ||
            (gate->state.in_memory == 0 && gate->state.next_due_ms == INT64_MAX))
        return ERR_NONE; /* nothing unfinished is there at all */
    enum err err = find_first_of_call(work, gate->endpoint_id, event->call_id, &first, why);
    *ret_behind = first.found && first.event_id < event->id;
    return err;
}

enum err handover_new(struct store_work *work,
        struct gate *gate,
        const struct event *event,
        struct blob **body_ref,
        struct error *why)
{
    struct delivery counts = {.id = work_new_id(work)};
    bool behind;
    enum err err = is_behind(work, gate, event, &behind, why);

    if (err != ERR_NONE)
        return err;

    bool now = !behind && gate_may_hand_over(work->gates, gate, work->now_ms);
    int64_t due_at_ms = work->now_ms + (behind ? DELIVERY_ORDER_HOLD_MS : 0);
    struct db_stmt *stmt = db_stmt(work->db, SQL_INSERT);
    db_bind_i64(stmt, 1, counts.id);
    db_bind_str(stmt, 2, event->org_id);
    db_bind_i64(stmt, 3, event->id);
    db_bind_i64(stmt, 4, gate->endpoint_id);
    db_bind_i64(stmt, 5, event->call_id);
    db_bind_i64(stmt, 6, event->kind);
    db_bind_i64(stmt, 7, now ? DELIVERY_SENDING : DELIVERY_WAITING);
    db_bind_i64(stmt, 8, work->now_ms);
    db_bind_i64(stmt, 9, due_at_ms);
    err = db_run(stmt, NULL, why);
    if (err != ERR_NONE)
        return err;

    metrics_add(work->config->metrics, METRIC_DELIVERIES, 1);
    if (now) {
        if (*body_ref == NULL)
            *body_ref = blob_new(event->body);
        hand_over(work, gate, event, *body_ref, &counts);
    } else {
        gate_due(work->gates, gate, due_at_ms);
        if (behind)
            gate->state.may_block = true;
    }
    return ERR_NONE;
}

/* A due row, copied out of the scan so that rows may be changed. */
struct due_row {
    struct delivery counts;
    struct event event;
    int64_t queued_at_ms;
};

static void read_due(struct db_stmt *stmt, struct arena *arena, struct due_row *row)
{
    row->counts.id = db_i64(stmt, 0);
    row->event.id = db_i64(stmt, 1);
    row->event.call_id = db_i64(stmt, 2);
    row->event.kind = (enum event_kind)db_i64(stmt, 3);
    row->counts.attempt_count = db_i64(stmt, 4);
    row->counts.failure_count = db_i64(stmt, 5);
    row->queued_at_ms = db_i64(stmt, 6);
    row->event.body = arena_str(arena, db_str(stmt, 7));
}

static enum err read_all_due(struct store_work *work,
        const struct gate *gate,
        size_t room,
        struct arena *arena,
        struct due_row *rows,
        size_t *ret_count,
        struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, SQL_DUE);
    size_t count = 0;
    bool row;
    enum err err;

    db_bind_i64(stmt, 1, gate->endpoint_id);
    db_bind_i64(stmt, 2, work->now_ms);
    db_bind_i64(stmt, 3, (int64_t)room);
    while ((err = db_next(stmt, &row, why)) == ERR_NONE && row && count < room)
        read_due(stmt, arena, &rows[count++]);
    db_stop(stmt);
    *ret_count = count;
    return err;
}

static enum err read_head(struct store_work *work,
        const struct gate *gate,
        struct arena *arena,
        struct due_row *rows,
        size_t *ret_count,
        struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, SQL_HEAD);
    bool row;

    *ret_count = 0;
    db_bind_i64(stmt, 1, gate->endpoint_id);
    enum err err = db_next(stmt, &row, why);
    if (err != ERR_NONE || !row)
        return err;
    if (db_i64(stmt, 8) != DELIVERY_SENDING && db_i64(stmt, 9) <= work->now_ms) {
        read_due(stmt, arena, &rows[0]);
        *ret_count = 1;
    }
    db_stop(stmt);
    return ERR_NONE;
}

static int64_t max_i64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* How often a delivery whose 15 minutes are over looks whether the attempt before it has ended: as
 * long as one may take. */
#define LOOK_AGAIN_MS (ENDPOINT_TIMEOUT_MAX_S * INT64_C(1000))

/* I9: a later event of a call goes only when no earlier one is unfinished, or after 15 minutes in
 * which it could have gone; never while the earlier one is in memory. */
static enum err check_order(struct store_work *work,
        const struct gate *gate,
        struct due_row *row,
        int64_t *ret_postpone_to_ms,
        struct error *why)
{
    struct first_of_call first = {0};

    *ret_postpone_to_ms = 0;
    if (gate->endpoint->ordering != ORDERING_CALL)
        return ERR_NONE;
    enum err err = find_first_of_call(work, gate->endpoint_id, row->event.call_id, &first, why);
    if (err != ERR_NONE || !first.found || first.event_id >= row->event.id)
        return err;

    int64_t since_ms = max_i64(row->queued_at_ms, gate->endpoint->enabled_at_ms);
    since_ms = max_i64(since_ms, gate->state.hold_until_ms);
    since_ms = max_i64(since_ms, work_started_ms(work));
    if (work->now_ms < since_ms + DELIVERY_ORDER_HOLD_MS)
        *ret_postpone_to_ms = since_ms + DELIVERY_ORDER_HOLD_MS;
    else if (first.state == DELIVERY_SENDING)
        *ret_postpone_to_ms = work->now_ms + LOOK_AGAIN_MS;
    else
        row->counts.out_of_order = true;
    return ERR_NONE;
}

static enum err run_with_id(struct store_work *work, const char *sql, int64_t id, struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, sql);

    db_bind_i64(stmt, 1, id);
    return db_run(stmt, NULL, why);
}

static enum err
claim_row(struct store_work *work, struct gate *gate, struct due_row *row, struct error *why)
{
    int64_t postpone_to_ms;
    enum err err = check_order(work, gate, row, &postpone_to_ms, why);

    if (err != ERR_NONE)
        return err;
    if (postpone_to_ms != 0) {
        struct db_stmt *stmt = db_stmt(work->db, SQL_POSTPONE);

        db_bind_i64(stmt, 1, row->counts.id);
        db_bind_i64(stmt, 2, postpone_to_ms);
        gate->state.may_block = true;
        return db_run(stmt, NULL, why);
    }
    err = run_with_id(work, SQL_LEASE, row->counts.id, why);
    if (err != ERR_NONE)
        return err;

    struct blob *body = blob_new(row->event.body);
    hand_over(work, gate, &row->event, body, &row->counts);
    blob_unref(body);
    return ERR_NONE;
}

enum err handover_look(struct store_work *work, struct gate *gate, struct error *why)
{
    bool strict = gate->endpoint->ordering == ORDERING_ENDPOINT;
    struct db_stmt *stmt = db_stmt(work->db, strict ? SQL_NEXT_HEAD : SQL_NEXT_DUE);
    bool row;

    db_bind_i64(stmt, 1, gate->endpoint_id);
    enum err err = db_next(stmt, &row, why);
    if (err != ERR_NONE)
        return err;
    gates_touch(work->gates, gate);
    gate->state.next_due_ms = row ? db_i64(stmt, 0) : INT64_MAX;
    if (!row)
        gate->state.may_block = false;
    db_stop(stmt);
    return ERR_NONE;
}

enum err handover_claim(struct store_work *work, struct gate *gate, struct error *why)
{
    size_t room = gate_room(work->gates, gate, work->now_ms);
    CLEANUP(arena_done) struct arena arena = {0};
    size_t count = 0;
    enum err err;

    if (room > CLAIM_MAX)
        room = CLAIM_MAX;
    gates_touch(work->gates, gate); /* the commit schedules it anew */
    if (room == 0) {
        /* Memory is full of others' deliveries, or of its own: a result will look again. */
        heap_remove(&work->gates->due, &gate->due);
        return ERR_NONE;
    }
    struct due_row *rows = arena_alloc(&arena, room * sizeof(*rows));
    if (gate->endpoint->ordering == ORDERING_ENDPOINT)
        err = read_head(work, gate, &arena, rows, &count, why);
    else
        err = read_all_due(work, gate, room, &arena, rows, &count, why);
    for (size_t i = 0; i < count && err == ERR_NONE; i++)
        err = claim_row(work, gate, &rows[i], why);
    return err != ERR_NONE ? err : handover_look(work, gate, why);
}

enum err
handover_release(struct store_work *work, struct gate *gate, int64_t call_id, struct error *why)
{
    struct first_of_call first = {0};

    if (gate->endpoint->ordering != ORDERING_CALL || !gate->state.may_block)
        return ERR_NONE;
    enum err err = find_first_of_call(work, gate->endpoint_id, call_id, &first, why);
    if (err != ERR_NONE || !first.found || first.state != DELIVERY_WAITING ||
            first.due_at_ms <= work->now_ms)
        return err;

    struct db_stmt *stmt = db_stmt(work->db, SQL_POSTPONE);
    db_bind_i64(stmt, 1, first.id);
    db_bind_i64(stmt, 2, work->now_ms);
    gate_due(work->gates, gate, work->now_ms);
    return db_run(stmt, NULL, why);
}

enum err
handover_requeue(struct store_work *work, struct gate *gate, int64_t delivery_id, struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, SQL_REQUEUE);

    if (gates_has_cancelled(work->gates, delivery_id))
        return error_set(why,
                ERR_CONFLICT,
                "its cancelled attempt is still under way: try again when it has ended");
    db_bind_i64(stmt, 1, delivery_id);
    db_bind_i64(stmt, 2, work->now_ms);
    gate_due(work->gates, gate, work->now_ms);
    return db_run(stmt, NULL, why);
}
