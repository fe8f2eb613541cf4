/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_call - logging, reading, listing and patching calls. Recordings and analyses:
 * store_recording.c, store_analysis.c.
 */
#include "store/store_call.h"

#include "base/cleanup.h"
#include "base/id.h"
#include "domain/limits.h"
#include "store/page.h"
#include "store/store_call_row.h"

/* ---- logging ---- */

static const char SQL_EXTERNAL[] =
        "SELECT c.id, (SELECT min(e.id) FROM event e WHERE e.call_id = c.id AND e.kind = 0)"
        " FROM call c WHERE c.org_id = $1 AND c.external_id = $2 AND c.external_id IS NOT NULL";
static const char SQL_COUNT_DELIVERIES[] = "SELECT count(*) FROM delivery WHERE event_id = $1";

/* I8: the same external_id gives the first call. */
static enum err find_external(struct store_work *work,
        struct str org_id,
        struct call_draft *draft,
        struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, SQL_EXTERNAL);

    draft->duplicate = false;
    if (draft->external_id.ptr == NULL)
        return ERR_NONE;
    db_bind_str(stmt, 1, org_id);
    db_bind_str(stmt, 2, draft->external_id);
    enum err err = db_next(stmt, &draft->duplicate, why);
    if (err != ERR_NONE || !draft->duplicate)
        return err;
    draft->call_id = db_i64(stmt, 0);
    draft->event_id = db_i64(stmt, 1);
    db_stop(stmt);

    bool row;
    stmt = db_stmt(work->db, SQL_COUNT_DELIVERIES);
    db_bind_i64(stmt, 1, draft->event_id);
    err = db_next(stmt, &row, why);
    if (err == ERR_NONE && row) {
        draft->delivery_count = db_i64(stmt, 0);
        db_stop(stmt);
    }
    return err;
}

/* Finds or writes the staff member. An unknown staff_id is the draft's fault. */
static enum err settle_staff(struct store_work *work,
        const struct call_create *op,
        struct call_draft *draft,
        struct call_view *view,
        struct error *why)
{
    struct arena *arena = op->op.arena;
    enum err err = ERR_NONE;

    if (draft->has_staff)
        err = work_put_staff(work, arena, op->org_id, &draft->staff, &view->staff, why);
    else if (draft->staff_id.ptr != NULL)
        err = work_load_staff(work, arena, op->org_id, draft->staff_id, &view->staff, why);
    else
        return ERR_NONE;
    if (err == ERR_NOT_FOUND)
        return error_set_field(
                why, ERR_INVALID, "staff_id", "there is no staff member with this id");
    view->has_staff = err == ERR_NONE;
    view->call.staff_id = view->staff.id;
    return err;
}

static void fill_call(const struct store_work *work,
        const struct call_create *op,
        const struct call_draft *draft,
        struct call *call)
{
    call->org_id = op->org_id;
    call->type = draft->type;
    call->phone = draft->phone;
    call->name = draft->name;
    call->duration_s = call_is_answered(draft->type) ? draft->duration_s : 0;
    call->started_at_ms = draft->started_at_ms != 0 ? draft->started_at_ms : work->now_ms;
    call->external_id = draft->external_id;
    call->created_at_ms = work->now_ms;
    call->recording.url = draft->recording_url;
    if (draft->recording_url.ptr != NULL)
        (void)call_set_file_status(call, FILE_COMPLETED, work->now_ms);
    else
        (void)call_set_file_status(
                call, draft->recording_expected ? FILE_PENDING : FILE_NONE, work->now_ms);
}

static enum err find_contact(struct store_work *work,
        const struct call_create *op,
        struct call_view *view,
        struct error *why)
{
    if (view->call.phone.ptr == NULL)
        return ERR_NONE;
    enum err err = work_load_contact(
            work, op->op.arena, op->org_id, STR_NONE, view->call.phone, &view->contact, why);
    view->has_contact = err == ERR_NONE;
    return err == ERR_NOT_FOUND ? ERR_NONE : err;
}

/* One call, its event and its deliveries. What can be refused is looked at before anything but the
 * staff member is written. */
static enum err log_call(struct store_work *work,
        const struct call_create *op,
        struct call_draft *draft,
        struct error *why)
{
    struct call_view view = {0};
    enum err err = find_external(work, op->org_id, draft, why);

    if (err != ERR_NONE || draft->duplicate)
        return err;
    err = settle_staff(work, op, draft, &view, why);
    if (err == ERR_NONE)
        err = work_new_call_id(work, &view.call.id, why);
    if (err != ERR_NONE)
        return err;

    fill_call(work, op, draft, &view.call);
    err = call_row_insert(work, &view.call, why);
    if (err == ERR_NONE)
        err = find_contact(work, op, &view, why);
    if (err != ERR_NONE)
        return err;
    view.recording_url = draft->recording_url;
    draft->call_id = view.call.id;
    err = work_emit(work,
            EVENT_CALL_LOGGED,
            &view,
            STR_NONE,
            &draft->event_id,
            &draft->delivery_count,
            why);
    if (err == ERR_NONE)
        metrics_add(work->config->metrics, METRIC_CALLS_LOGGED, 1);
    return err;
}

static enum err run_create(struct store_work *work, struct store_op *store_op, struct error *why)
{
    struct call_create *op = (struct call_create *)store_op;

    for (size_t i = 0; i < op->draft_count; i++) {
        struct call_draft *draft = &op->drafts[i];

        if (draft->err != ERR_NONE)
            continue; /* refused by the API already */
        draft->err = log_call(work, op, draft, &draft->why);
        if (draft->err != ERR_NONE && draft->err != ERR_INVALID) {
            *why = draft->why; /* the database's failure, not the draft's */
            return draft->err;
        }
    }
    if (op->draft_count == 1 && op->drafts[0].err != ERR_NONE) {
        *why = op->drafts[0].why;
        return op->drafts[0].err;
    }
    return ERR_NONE;
}

enum err store_call_create(struct store *store, struct call_create *op)
{
    return store_submit_run(store, &op->op, run_create, false);
}

/* ---- one call ---- */

static const char SQL_EVENTS[] =
        "SELECT e.id, e.kind, (SELECT count(*) FROM delivery d WHERE d.event_id = e.id)"
        " FROM event e WHERE e.call_id = $1 ORDER BY e.id DESC LIMIT $2";
static const char SQL_DELIVERIES[] =
        "SELECT d.id, d.event_id, d.endpoint_id, d.state, d.attempt_count, d.due_at,"
        " coalesce(p.enabled, 1)"
        " FROM event e JOIN delivery d ON d.event_id = e.id"
        " LEFT JOIN endpoint p ON p.id = d.endpoint_id"
        " WHERE e.call_id = $1 ORDER BY e.id DESC, d.id DESC LIMIT $2";

static enum err read_events(struct store_work *work, struct call_get *op, struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, SQL_EVENTS);
    struct call_event_row *rows = arena_alloc(op->op.arena, CALL_EVENTS_MAX * sizeof(*rows));
    size_t at = CALL_EVENTS_MAX; /* filled from the end: the newest come first */
    bool row;
    enum err err;

    db_bind_i64(stmt, 1, op->id);
    db_bind_i64(stmt, 2, CALL_EVENTS_MAX);
    while ((err = db_next(stmt, &row, why)) == ERR_NONE && row && at > 0) {
        rows[--at] = (struct call_event_row){
                .event_id = db_i64(stmt, 0),
                .kind = (enum event_kind)db_i64(stmt, 1),
                .delivery_count = db_i64(stmt, 2),
        };
    }
    db_stop(stmt);
    op->events = rows + at;
    op->event_count = CALL_EVENTS_MAX - at;
    return err;
}

static enum err read_deliveries(struct store_work *work, struct call_get *op, struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, SQL_DELIVERIES);
    struct call_delivery_row *rows = arena_alloc(op->op.arena, CALL_DELIVERIES_MAX * sizeof(*rows));
    size_t at = CALL_DELIVERIES_MAX;
    bool row;
    enum err err;

    db_bind_i64(stmt, 1, op->id);
    db_bind_i64(stmt, 2, CALL_DELIVERIES_MAX);
    while ((err = db_next(stmt, &row, why)) == ERR_NONE && row && at > 0) {
        rows[--at] = (struct call_delivery_row){
                .delivery_id = db_i64(stmt, 0),
                .event_id = db_i64(stmt, 1),
                .endpoint_id = db_i64(stmt, 2),
                .state = delivery_state_shown(
                        (enum delivery_state)db_i64(stmt, 3), db_i64(stmt, 6) != 0),
                .attempt_count = db_i64(stmt, 4),
                .due_at_ms = db_i64(stmt, 5),
        };
    }
    db_stop(stmt);
    op->deliveries = rows + at;
    op->delivery_count = CALL_DELIVERIES_MAX - at;
    return err;
}

static enum err run_get(struct store_work *work, struct store_op *store_op, struct error *why)
{
    struct call_get *op = (struct call_get *)store_op;
    enum err err = work_load_call(work, op->op.arena, op->org_id, op->id, &op->view, why);

    if (err == ERR_NONE)
        err = read_events(work, op, why);
    return err != ERR_NONE ? err : read_deliveries(work, op, why);
}

enum err store_call_get(struct store *store, struct call_get *op)
{
    return store_submit_run(store, &op->op, run_get, true);
}

static enum err run_patch(struct store_work *work, struct store_op *store_op, struct error *why)
{
    struct call_patch *op = (struct call_patch *)store_op;
    struct arena *arena = op->op.arena;
    struct call call;
    enum err err = call_row_load(work, arena, op->org_id, op->id, &call, why);

    if (err != ERR_NONE)
        return err;
    if ((op->fields & CALL_REVIEWED) != 0)
        call.reviewed = op->reviewed;
    if ((op->fields & CALL_STAFF_ID) != 0) {
        struct staff staff;

        if (op->staff_id.ptr != NULL)
            err = work_load_staff(work, arena, op->org_id, op->staff_id, &staff, why);
        if (err == ERR_NOT_FOUND)
            return error_set_field(
                    why, ERR_INVALID, "staff_id", "there is no staff member with this id");
        call.staff_id = op->staff_id;
    }
    if (err == ERR_NONE)
        err = call_row_update(work, &call, why);
    return err != ERR_NONE ? err : work_load_call(work, arena, op->org_id, op->id, &op->view, why);
}

enum err store_call_patch(struct store *store, struct call_patch *op)
{
    return store_submit_run(store, &op->op, run_patch, false);
}

/* ---- lists ---- */

/* A filter that is not asked for binds NULL or -1 and lets all pass. Each variant leads SQLite and
 * PostgreSQL to the index that fits. */
#define LIST_REST                                                                                  \
    " AND id < $2"                                                                                 \
    " AND ($3 < 0 OR type = $3) AND ($4 < 0 OR file_status = $4)"                                  \
    " AND ($5 < 0 OR analysis_status = $5) AND ($6 < 0 OR reviewed = $6)"                          \
    " AND started_at >= $7 AND started_at < $8"                                                    \
    " AND (CAST($9 AS TEXT) IS NULL OR phone LIKE $9 ESCAPE '\\'"                                  \
    " OR lower(name) LIKE lower($9) ESCAPE '\\'"                                                   \
    " OR lower(external_id) LIKE lower($9) ESCAPE '\\'"                                            \
    " OR CAST(id AS TEXT) LIKE $9 ESCAPE '\\')"                                                    \
    " ORDER BY id DESC LIMIT $10"

static const char SQL_LIST[] = "SELECT " CALL_ROW_COLUMNS " FROM call WHERE org_id = $1" LIST_REST;
static const char SQL_LIST_PHONE[] =
        "SELECT " CALL_ROW_COLUMNS " FROM call WHERE org_id = $1 AND phone = $11"
        " AND phone IS NOT NULL" LIST_REST;
static const char SQL_LIST_STAFF[] =
        "SELECT " CALL_ROW_COLUMNS " FROM call WHERE org_id = $1 AND staff_id = $11"
        " AND staff_id IS NOT NULL" LIST_REST;
static const char SQL_LIST_PHONE_STAFF[] =
        "SELECT " CALL_ROW_COLUMNS " FROM call WHERE org_id = $1 AND phone = $11"
        " AND phone IS NOT NULL AND staff_id = $12" LIST_REST;

/* A contact's calls are those of its phone. *ret_nothing: the filters exclude each other. */
static enum err
resolve_contact(struct store_work *work, struct call_list *op, bool *ret_nothing, struct error *why)
{
    struct contact contact;

    *ret_nothing = false;
    if (op->contact_id.ptr == NULL)
        return ERR_NONE;
    enum err err = work_load_contact(
            work, op->op.arena, op->org_id, op->contact_id, STR_NONE, &contact, why);
    if (err == ERR_NOT_FOUND) {
        *ret_nothing = true;
        return ERR_NONE;
    }
    if (err != ERR_NONE)
        return err;
    *ret_nothing = op->phone.ptr != NULL && !str_equal(op->phone, contact.phone);
    op->phone = contact.phone;
    return ERR_NONE;
}

static struct db_stmt *list_stmt(struct store_work *work, const struct call_list *op)
{
    bool phone = op->phone.ptr != NULL;
    bool staff = op->staff_id.ptr != NULL;
    const char *sql = phone && staff ? SQL_LIST_PHONE_STAFF
                      : phone        ? SQL_LIST_PHONE
                      : staff        ? SQL_LIST_STAFF
                                     : SQL_LIST;
    struct db_stmt *stmt = db_stmt(work->db, sql);

    if (phone)
        db_bind_str(stmt, 11, op->phone);
    if (staff)
        db_bind_str(stmt, phone ? 12 : 11, op->staff_id);
    return stmt;
}

static enum err
list_rows(struct store_work *work, struct call_list *op, int64_t before, struct error *why)
{
    struct arena *arena = op->op.arena;
    struct db_stmt *stmt = list_stmt(work, op);
    size_t limit = (size_t)op->page.limit;
    bool row;
    enum err err;

    op->calls = arena_alloc(arena, limit * sizeof(*op->calls));
    db_bind_str(stmt, 1, op->org_id);
    db_bind_i64(stmt, 2, before);
    db_bind_i64(stmt, 3, op->type);
    db_bind_i64(stmt, 4, op->file_status);
    db_bind_i64(stmt, 5, op->analysis_status);
    db_bind_i64(stmt, 6, op->reviewed);
    db_bind_i64(stmt, 7, op->since_ms);
    db_bind_i64(stmt, 8, op->until_ms != 0 ? op->until_ms : INT64_MAX);
    db_bind_str(stmt, 9, op->q.ptr != NULL ? work_like(arena, op->q) : STR_NONE);
    db_bind_i64(stmt, 10, op->page.limit + 1);
    while ((err = db_next(stmt, &row, why)) == ERR_NONE && row) {
        if (op->count == limit) {
            page_set_number(&op->page, arena, op->calls[limit - 1].call.id);
            break;
        }
        call_row_read(stmt, arena, &op->calls[op->count++].call);
    }
    db_stop(stmt);
    return err;
}

static enum err run_list(struct store_work *work, struct store_op *store_op, struct error *why)
{
    struct call_list *op = (struct call_list *)store_op;
    int64_t before;
    bool nothing;
    enum err err = page_read_number(&op->page, &before, why);

    op->count = 0;
    op->page.next_cursor = STR_NONE;
    if (err == ERR_NONE)
        err = resolve_contact(work, op, &nothing, why);
    if (err != ERR_NONE || nothing)
        return err;
    err = list_rows(work, op, before, why);
    for (size_t i = 0; i < op->count && err == ERR_NONE; i++)
        err = work_complete_view(work, op->op.arena, &op->calls[i], why);
    return err;
}

enum err store_call_list(struct store *store, struct call_list *op)
{
    return store_submit_run(store, &op->op, run_list, true);
}
