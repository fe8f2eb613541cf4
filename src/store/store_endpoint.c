/* SPDX-License-Identifier: Apache-2.0 */
/* store_endpoint - creating, changing, deleting, recovering and counting endpoints. */
#include "store/store_endpoint.h"

#include <assert.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "store/handover.h"
#include "store/page.h"
#include "store/store_endpoint_row.h"
#include "store/store_event_row.h"

enum { RECOVER_EVENTS_MAX = 100000 };

static enum err submit_alone(struct store *store, struct store_op *op, store_run *run)
{
    op->alone = true;
    return store_submit_run(store, op, run, false);
}

/* ---- reading ---- */

static enum err load_of_org(struct store_work *work,
        struct str org_id,
        int64_t id,
        struct endpoint **ret_endpoint,
        struct error *why)
{
    CLEANUP_PTR(endpoint_unref) struct endpoint *endpoint = NULL;
    enum err err = endpoint_row_load(work, id, &endpoint, why);

    if (err != ERR_NONE)
        return err;
    if (!str_equal(endpoint->org_id, org_id))
        return error_set(why, ERR_NOT_FOUND, "there is no such endpoint");
    *ret_endpoint = STEAL(endpoint);
    return ERR_NONE;
}

static enum err run_get(struct store_work *work, struct store_op *store_op, struct error *why)
{
    struct endpoint_get *op = (struct endpoint_get *)store_op;

    return load_of_org(work, op->org_id, op->id, &op->endpoint, why);
}

enum err store_endpoint_get(struct store *store, struct endpoint_get *op)
{
    return store_submit_run(store, &op->op, run_get, true);
}

static enum err list_ids(struct store_work *work,
        struct endpoint_list *op,
        int64_t before,
        int64_t *ids,
        size_t *ret_count,
        struct error *why)
{
    static const char SQL[] = "SELECT id FROM endpoint WHERE org_id = $1 AND id < $2"
                              " ORDER BY id DESC LIMIT $3";
    struct db_stmt *stmt = db_stmt(work->db, SQL);
    size_t limit = (size_t)op->page.limit;
    size_t count = 0;
    bool row;
    enum err err;

    db_bind_str(stmt, 1, op->org_id);
    db_bind_i64(stmt, 2, before);
    db_bind_i64(stmt, 3, op->page.limit + 1);
    while ((err = db_next(stmt, &row, why)) == ERR_NONE && row) {
        if (count == limit) {
            page_set_number(&op->page, op->op.arena, ids[limit - 1]);
            break;
        }
        ids[count++] = db_i64(stmt, 0);
    }
    db_stop(stmt);
    *ret_count = count;
    return err;
}

static enum err run_list(struct store_work *work, struct store_op *store_op, struct error *why)
{
    struct endpoint_list *op = (struct endpoint_list *)store_op;
    size_t limit = (size_t)op->page.limit;
    int64_t *ids = arena_alloc(op->op.arena, limit * sizeof(*ids));
    size_t count = 0;
    int64_t before;
    enum err err = page_read_number(&op->page, &before, why);

    op->count = 0;
    op->page.next_cursor = STR_NONE;
    op->endpoints = arena_alloc(op->op.arena, limit * sizeof(struct endpoint *));
    if (err == ERR_NONE)
        err = list_ids(work, op, before, ids, &count, why);
    for (size_t i = 0; i < count && err == ERR_NONE; i++) {
        err = endpoint_row_load(work, ids[i], &op->endpoints[i], why);
        if (err == ERR_NONE)
            op->count++;
    }
    if (err != ERR_NONE)
        while (op->count > 0)
            endpoint_unref(op->endpoints[--op->count]);
    return err;
}

enum err store_endpoint_list(struct store *store, struct endpoint_list *op)
{
    return store_submit_run(store, &op->op, run_list, true);
}

/* ---- writing ---- */

static enum err create(struct store_work *work, struct endpoint_write *op, struct error *why)
{
    if (gates_count_of_org(work->gates, op->org_id) >= ENDPOINTS_PER_ORG_MAX)
        return error_set(why, ERR_LIMIT, "an org has at most %d endpoints", ENDPOINTS_PER_ORG_MAX);

    CLEANUP_PTR(endpoint_unref) struct endpoint *created = endpoint_copy(op->endpoint);
    created->id = work_new_id(work);
    created->org_id = arena_str(&created->arena, op->org_id);
    created->created_at_ms = work->now_ms;
    created->updated_at_ms = work->now_ms;
    created->enabled_at_ms = work->now_ms;
    created->disabled_at_ms = created->enabled ? 0 : work->now_ms;
    created->disabled_reason = created->enabled ? DISABLED_NOT : DISABLED_MANUAL;
    enum err err = endpoint_row_insert(work, created, why);
    if (err != ERR_NONE)
        return err;
    op->result = endpoint_ref(created);
    work_endpoint_changed(work, op->result->id, STEAL(created), "created");
    return ERR_NONE;
}

static void set_headers(struct endpoint *endpoint, const struct endpoint *from)
{
    endpoint->header_count = from->header_count;
    for (size_t i = 0; i < from->header_count; i++) {
        endpoint->headers[i].name = arena_str(&endpoint->arena, from->headers[i].name);
        endpoint->headers[i].value = arena_str(&endpoint->arena, from->headers[i].value);
    }
}

/* Returns the word for what happened. */
static const char *set_enabled(struct endpoint *endpoint, bool enabled, int64_t now_ms)
{
    if (enabled == endpoint->enabled)
        return "updated";
    endpoint->enabled = enabled;
    endpoint->disabled_reason = enabled ? DISABLED_NOT : DISABLED_MANUAL;
    endpoint->disabled_at_ms = enabled ? 0 : now_ms;
    if (enabled) {
        endpoint->enabled_at_ms = now_ms;
        endpoint->failing_since_ms = 0;
        endpoint->failing_count = 0;
        endpoint->hold_until_ms = 0;
    }
    return enabled ? "enabled" : "disabled";
}

static const char *
set_fields(struct endpoint *endpoint, unsigned fields, const struct endpoint *from, int64_t now_ms)
{
    struct arena *arena = &endpoint->arena;

    if ((fields & ENDPOINT_URL) != 0)
        endpoint->url = arena_str(arena, from->url);
    if ((fields & ENDPOINT_DESCRIPTION) != 0)
        endpoint->description = arena_str(arena, from->description);
    if ((fields & ENDPOINT_EVENTS) != 0)
        endpoint->event_mask = from->event_mask;
    if ((fields & ENDPOINT_TYPES) != 0)
        endpoint->type_mask = from->type_mask;
    if ((fields & ENDPOINT_HEADERS) != 0)
        set_headers(endpoint, from);
    if ((fields & ENDPOINT_TIMEOUT) != 0)
        endpoint->timeout_ms = from->timeout_ms;
    if ((fields & ENDPOINT_RETRY_SCHEDULE) != 0)
        endpoint->retry_schedule = from->retry_schedule;
    if ((fields & ENDPOINT_MAX_IN_FLIGHT) != 0)
        endpoint->max_in_flight = from->max_in_flight;
    if ((fields & ENDPOINT_RATE_LIMIT) != 0)
        endpoint->rate_limit = from->rate_limit;
    if ((fields & ENDPOINT_ORDERING) != 0)
        endpoint->ordering = from->ordering;
    if ((fields & ENDPOINT_ENABLED) != 0)
        return set_enabled(endpoint, from->enabled, now_ms);
    return "updated";
}

/* A person who enables it starts its health anew. */
static enum err forget_health(struct store_work *work, struct gate *gate, struct error *why)
{
    static const char SQL[] = "UPDATE endpoint SET failing_since = NULL, failing_count = 0,"
                              " hold_until = NULL WHERE id = $1";
    struct db_stmt *stmt = db_stmt(work->db, SQL);

    db_bind_i64(stmt, 1, gate->endpoint_id);
    enum err err = db_run(stmt, NULL, why);
    if (err != ERR_NONE)
        return err; /* the op fails alone: what is in memory must stay, too */
    gates_touch(work->gates, gate);
    gate->state.failing_since_ms = 0;
    gate->state.failing_count = 0;
    gate->state.hold_until_ms = 0;
    gate->state.may_block = true;
    return ERR_NONE;
}

/* What waits behind an earlier event of its call (due in 15 minutes at most) is to be looked at
 * under the new ordering. */
static enum err let_all_go(struct store_work *work, struct gate *gate, struct error *why)
{
    static const char SQL[] = "UPDATE delivery SET due_at = $2 WHERE endpoint_id = $1"
                              " AND state IN (0, 2) AND state = 0 AND due_at > $2";
    struct db_stmt *stmt = db_stmt(work->db, SQL);

    db_bind_i64(stmt, 1, gate->endpoint_id);
    db_bind_i64(stmt, 2, work->now_ms);
    gate_due(work->gates, gate, work->now_ms);
    return db_run(stmt, NULL, why);
}

static enum err change(struct store_work *work, struct endpoint_write *op, struct error *why)
{
    CLEANUP_PTR(endpoint_unref) struct endpoint *changed = NULL;
    struct gate *gate = gates_find(work->gates, op->id);
    enum err err = load_of_org(work, op->org_id, op->id, &changed, why);

    if (err != ERR_NONE)
        return err;
    assert(changed != NULL);
    if (gate == NULL)
        return error_set(why, ERR_CORRUPT, "the endpoint is not in memory");
    const char *what = set_fields(changed, op->fields, op->endpoint, work->now_ms);
    changed->updated_at_ms = work->now_ms;
    err = endpoint_row_update(work, changed, why);
    if (err == ERR_NONE && changed->ordering != gate->endpoint->ordering)
        err = let_all_go(work, gate, why);
    if (err == ERR_NONE && str_is(str_from(what), "enabled"))
        err = forget_health(work, gate, why);
    if (err != ERR_NONE)
        return err;
    gates_touch(work->gates, gate);
    gate->state.changing = true;
    gate->state.disabling = !changed->enabled;
    op->result = endpoint_ref(changed);
    work_endpoint_changed(work, op->id, STEAL(changed), what);
    return ERR_NONE;
}

static enum err run_write(struct store_work *work, struct store_op *store_op, struct error *why)
{
    struct endpoint_write *op = (struct endpoint_write *)store_op;

    op->result = NULL;
    return op->create ? create(work, op, why) : change(work, op, why);
}

enum err store_endpoint_write(struct store *store, struct endpoint_write *op)
{
    return submit_alone(store, &op->op, run_write);
}

static enum err run_rotate(struct store_work *work, struct store_op *store_op, struct error *why)
{
    struct endpoint_rotate *op = (struct endpoint_rotate *)store_op;
    CLEANUP_PTR(endpoint_unref) struct endpoint *changed = NULL;
    enum err err = load_of_org(work, op->org_id, op->id, &changed, why);

    op->endpoint = NULL;
    if (err != ERR_NONE)
        return err;
    assert(changed != NULL);
    if (changed->secret_old.ptr != NULL && changed->secret_old_until_ms > work->now_ms &&
            op->overlap_s > 0)
        return error_set(why,
                ERR_CONFLICT,
                "a rotation is under way; wait for its end, or end it now with overlap_s 0");
    changed->secret_old = op->overlap_s > 0 ? changed->secret : STR_NONE;
    changed->secret_old_until_ms = op->overlap_s > 0 ? work->now_ms + op->overlap_s * 1000 : 0;
    changed->secret = arena_str(&changed->arena, op->secret);
    changed->updated_at_ms = work->now_ms;
    err = endpoint_row_update(work, changed, why);
    if (err != ERR_NONE)
        return err;
    op->endpoint = endpoint_ref(changed);
    work_endpoint_changed(work, op->id, STEAL(changed), "updated");
    return ERR_NONE;
}

enum err store_endpoint_rotate(struct store *store, struct endpoint_rotate *op)
{
    return submit_alone(store, &op->op, run_rotate);
}

enum err endpoint_row_delete(struct store_work *work, int64_t id, struct error *why)
{
    static const char SQL_CANCEL[] = "UPDATE delivery SET state = 6, finished_at = $2"
                                     " WHERE endpoint_id = $1 AND state < 4";
    static const char SQL_STATS[] = "DELETE FROM endpoint_stat WHERE endpoint_id = $1";
    static const char SQL_DELETE[] = "DELETE FROM endpoint WHERE id = $1";
    struct db_stmt *stmt = db_stmt(work->db, SQL_CANCEL);

    db_bind_i64(stmt, 1, id);
    db_bind_i64(stmt, 2, work->now_ms);
    enum err err = db_run(stmt, NULL, why);
    if (err == ERR_NONE) {
        stmt = db_stmt(work->db, SQL_STATS);
        db_bind_i64(stmt, 1, id);
        err = db_run(stmt, NULL, why);
    }
    if (err == ERR_NONE) {
        stmt = db_stmt(work->db, SQL_DELETE);
        db_bind_i64(stmt, 1, id);
        err = db_run(stmt, NULL, why);
    }
    if (err == ERR_NONE)
        work_endpoint_changed(work, id, NULL, "deleted");
    return err;
}

static enum err run_delete(struct store_work *work, struct store_op *store_op, struct error *why)
{
    struct endpoint_delete *op = (struct endpoint_delete *)store_op;
    CLEANUP_PTR(endpoint_unref) struct endpoint *endpoint = NULL;
    enum err err = load_of_org(work, op->org_id, op->id, &endpoint, why);

    return err != ERR_NONE ? err : endpoint_row_delete(work, op->id, why);
}

enum err store_endpoint_delete(struct store *store, struct endpoint_delete *op)
{
    return submit_alone(store, &op->op, run_delete);
}

/* ---- recovering ---- */

static enum err recover_failed(struct store_work *work,
        struct endpoint_recover *op,
        int64_t from_id,
        int64_t to_id,
        struct error *why)
{
    static const char SQL[] =
            "UPDATE delivery SET state = 0, failure_count = 0, queued_at = $5, due_at = $5,"
            " finished_at = NULL WHERE org_id = $1 AND state = 5 AND state > 4"
            " AND endpoint_id = $2 AND event_id >= $3 AND event_id < $4";
    struct db_stmt *stmt = db_stmt(work->db, SQL);
    int64_t changes = 0;

    db_bind_str(stmt, 1, op->org_id);
    db_bind_i64(stmt, 2, op->id);
    db_bind_i64(stmt, 3, from_id);
    db_bind_i64(stmt, 4, to_id);
    db_bind_i64(stmt, 5, work->now_ms);
    enum err err = db_run(stmt, &changes, why);
    op->delivery_count += changes;
    return err;
}

/* Ids of wanted events that have no delivery at the endpoint, oldest first. */
static enum err list_missed(struct store_work *work,
        const struct endpoint *endpoint,
        const struct endpoint_recover *op,
        int64_t from_id,
        int64_t to_id,
        int64_t *ids,
        size_t *ret_count,
        struct error *why)
{
    static const char SQL[] =
            "SELECT e.id FROM event e WHERE e.org_id = $1 AND e.id >= $2 AND e.id < $3"
            " AND ($4 = 0 OR (($4 >> CAST(e.kind AS INTEGER)) & 1) = 1)"
            " AND ($5 = 0 OR (($5 >> CAST(e.type AS INTEGER)) & 1) = 1)"
            " AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.event_id = e.id"
            " AND d.endpoint_id = $6) ORDER BY e.id LIMIT $7";
    struct db_stmt *stmt = db_stmt(work->db, SQL);
    bool row;
    enum err err;

    *ret_count = 0;
    db_bind_str(stmt, 1, op->org_id);
    db_bind_i64(stmt, 2, from_id);
    db_bind_i64(stmt, 3, to_id);
    db_bind_i64(stmt, 4, endpoint->event_mask);
    db_bind_i64(stmt, 5, endpoint->type_mask);
    db_bind_i64(stmt, 6, op->id);
    db_bind_i64(stmt, 7, RECOVER_EVENTS_MAX + 1);
    while ((err = db_next(stmt, &row, why)) == ERR_NONE && row && *ret_count <= RECOVER_EVENTS_MAX)
        ids[(*ret_count)++] = db_i64(stmt, 0);
    db_stop(stmt);
    return err;
}

static enum err recover_missed(struct store_work *work,
        struct gate *gate,
        struct endpoint_recover *op,
        int64_t from_id,
        int64_t to_id,
        struct error *why)
{
    CLEANUP(arena_done) struct arena ids_arena = {0};
    int64_t *ids = arena_alloc(&ids_arena, (RECOVER_EVENTS_MAX + 1) * sizeof(*ids));
    size_t count;
    enum err err = list_missed(work, gate->endpoint, op, from_id, to_id, ids, &count, why);

    if (err == ERR_NONE && count > RECOVER_EVENTS_MAX)
        return error_set_field(why,
                ERR_LIMIT,
                "since",
                "more than %d events were missed: recover a shorter time first",
                RECOVER_EVENTS_MAX);
    for (size_t i = 0; i < count && err == ERR_NONE; i++) {
        CLEANUP(arena_done) struct arena arena = {0};
        struct event event = {0};
        struct blob *body = NULL;

        err = event_row_load(work, &arena, op->org_id, ids[i], &event, why);
        if (err == ERR_NONE)
            err = handover_new(work, gate, &event, &body, why);
        blob_unref(body);
        if (err == ERR_NONE)
            op->delivery_count++;
    }
    return err;
}

static enum err run_recover(struct store_work *work, struct store_op *store_op, struct error *why)
{
    struct endpoint_recover *op = (struct endpoint_recover *)store_op;
    struct gate *gate = gates_find(work->gates, op->id);
    int64_t from_id = id_floor(op->since_ms);
    int64_t to_id = op->until_ms != 0 ? id_floor(op->until_ms) : INT64_MAX;
    enum err err = ERR_NONE;

    op->delivery_count = 0;
    if (gate == NULL || !str_equal(gate->endpoint->org_id, op->org_id))
        return error_set(why, ERR_NOT_FOUND, "there is no such endpoint");
    if (!gate->endpoint->enabled)
        return error_set(why, ERR_CONFLICT, "the endpoint is disabled: enable it first");
    if ((op->what & RECOVER_FAILED) != 0) {
        err = recover_failed(work, op, from_id, to_id, why);
        gate_due(work->gates, gate, work->now_ms);
        gate->state.may_block = true;
    }
    if (err == ERR_NONE && (op->what & RECOVER_MISSED) != 0)
        err = recover_missed(work, gate, op, from_id, to_id, why);
    return err;
}

enum err store_endpoint_recover(struct store *store, struct endpoint_recover *op)
{
    return submit_alone(store, &op->op, run_recover);
}

/* ---- stats ---- */

static enum err read_buckets(struct store_work *work,
        struct endpoint_stats *op,
        int64_t from_ms,
        int64_t bucket_ms,
        struct error *why)
{
    static const char SQL[] = "SELECT bucket_at, delivered, failed, latency FROM endpoint_stat"
                              " WHERE endpoint_id = $1 AND bucket_at >= $2 ORDER BY bucket_at";
    struct db_stmt *stmt = db_stmt(work->db, SQL);
    bool row;
    enum err err;

    db_bind_i64(stmt, 1, op->id);
    db_bind_i64(stmt, 2, from_ms);
    while ((err = db_next(stmt, &row, why)) == ERR_NONE && row) {
        int64_t i = (db_i64(stmt, 0) - from_ms) / bucket_ms;
        struct latency latency;

        if (i >= op->bucket_count)
            i = op->bucket_count - 1; /* the clock went back */
        op->buckets[i].delivered += db_i64(stmt, 1);
        op->buckets[i].failed += db_i64(stmt, 2);
        if (latency_parse(db_str(stmt, 3), &latency) == ERR_NONE)
            latency_merge(&op->buckets[i].latency, &latency);
    }
    db_stop(stmt);
    return err;
}

static enum err read_number(struct store_work *work,
        const char *sql,
        int64_t endpoint_id,
        int64_t *ret_number,
        struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, sql);
    bool row;

    *ret_number = 0;
    db_bind_i64(stmt, 1, endpoint_id);
    enum err err = db_next(stmt, &row, why);
    if (err == ERR_NONE && row) {
        *ret_number = db_i64(stmt, 0);
        db_stop(stmt);
    }
    return err;
}

static enum err run_stats(struct store_work *work, struct store_op *store_op, struct error *why)
{
    static const char SQL_OPEN[] =
            "SELECT count(*) FROM delivery WHERE endpoint_id = $1 AND state < 4";
    static const char SQL_SUCCESS[] = "SELECT max(bucket_at) FROM endpoint_stat"
                                      " WHERE endpoint_id = $1 AND delivered > 0";
    static const char SQL_FAILURE[] = "SELECT max(bucket_at) FROM endpoint_stat"
                                      " WHERE endpoint_id = $1 AND failed > 0";
    struct endpoint_stats *op = (struct endpoint_stats *)store_op;
    CLEANUP_PTR(endpoint_unref) struct endpoint *endpoint = NULL;
    int64_t bucket_ms = op->window_ms / op->bucket_count;
    int64_t end_ms = work->now_ms - work->now_ms % bucket_ms + bucket_ms;
    int64_t from_ms = end_ms - op->window_ms;
    enum err err = load_of_org(work, op->org_id, op->id, &endpoint, why);

    if (err != ERR_NONE)
        return err;
    op->buckets = arena_alloc(op->op.arena, (size_t)op->bucket_count * sizeof(*op->buckets));
    for (int64_t i = 0; i < op->bucket_count; i++)
        op->buckets[i].at_ms = from_ms + i * bucket_ms;
    err = read_buckets(work, op, from_ms, bucket_ms, why);
    if (err == ERR_NONE)
        err = read_number(work, SQL_OPEN, op->id, &op->waiting, why);
    if (err == ERR_NONE)
        err = read_number(work, SQL_SUCCESS, op->id, &op->last_success_at_ms, why);
    if (err == ERR_NONE)
        err = read_number(work, SQL_FAILURE, op->id, &op->last_failure_at_ms, why);
    return err;
}

enum err store_endpoint_stats(struct store *store, struct endpoint_stats *op)
{
    return store_submit_run(store, &op->op, run_stats, true);
}
