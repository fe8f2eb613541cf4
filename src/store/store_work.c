/* SPDX-License-Identifier: Apache-2.0 */
/* store_work - loading a call as a payload shows it, and emitting events. */
#include "store/store_work.h"

#include "base/blob.h"
#include "base/cleanup.h"
#include "base/id.h"
#include "domain/recording_link.h"
#include "store/handover.h"
#include "store/store_call_row.h"

static const char SQL_EVENT[] = "INSERT INTO event (id, org_id, kind, type, call_id, body)"
                                " VALUES ($1, $2, $3, $4, $5, $6)";
static const char SQL_NEWEST_CALL[] = "SELECT id FROM call WHERE org_id = $1 AND phone = $2"
                                      " AND phone IS NOT NULL ORDER BY id DESC LIMIT 1";
static const char SQL_ANALYSIS[] = "SELECT result FROM analysis WHERE call_id = $1";

struct str work_like(struct arena *arena, struct str q)
{
    char *pattern = arena_alloc(arena, 2 * q.len + 3);
    size_t len = 0;

    pattern[len++] = '%';
    for (size_t i = 0; i < q.len; i++) {
        if (q.ptr[i] == '%' || q.ptr[i] == '_' || q.ptr[i] == '\\')
            pattern[len++] = '\\';
        pattern[len++] = q.ptr[i];
    }
    pattern[len++] = '%';
    return (struct str){pattern, len};
}

struct str work_recording_url(struct store_work *work, struct arena *arena, const struct call *call)
{
    const struct recording *recording = &call->recording;
    CLEANUP(buf_done) struct buf link = {0};

    if (recording->file.ptr == NULL)
        return recording->url;
    recording_link_write(&link,
            str_from(work->config->public_url),
            work->config->link_key,
            call->id,
            recording->generation,
            recording->content_type);
    return arena_str(arena, buf_str(&link));
}

/* A missing row is no error: the contact or staff may be gone. */
static enum err tolerate_missing(enum err err, bool *ret_has)
{
    *ret_has = err == ERR_NONE;
    return err == ERR_NOT_FOUND ? ERR_NONE : err;
}

enum err work_complete_view(struct store_work *work,
        struct arena *arena,
        struct call_view *view,
        struct error *why)
{
    struct call *call = &view->call;
    enum err err = ERR_NONE;

    view->has_contact = false;
    view->has_staff = false;
    if (call->phone.ptr != NULL)
        err = tolerate_missing(
                work_load_contact(
                        work, arena, call->org_id, STR_NONE, call->phone, &view->contact, why),
                &view->has_contact);
    if (err == ERR_NONE && call->staff_id.ptr != NULL)
        err = tolerate_missing(
                work_load_staff(work, arena, call->org_id, call->staff_id, &view->staff, why),
                &view->has_staff);
    view->recording_url = work_recording_url(work, arena, call);
    return err;
}

static enum err load_analysis(struct store_work *work,
        struct arena *arena,
        struct call_view *view,
        struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, SQL_ANALYSIS);
    bool row;

    view->analysis_result = STR_NONE;
    if (view->call.analysis_version == 0)
        return ERR_NONE;
    db_bind_i64(stmt, 1, view->call.id);
    enum err err = db_next(stmt, &row, why);
    if (err == ERR_NONE && row) {
        view->analysis_result = arena_str(arena, db_str(stmt, 0));
        db_stop(stmt);
    }
    return err;
}

enum err work_load_call(struct store_work *work,
        struct arena *arena,
        struct str org_id,
        int64_t call_id,
        struct call_view *ret_view,
        struct error *why)
{
    struct call_view view = {0};
    enum err err = call_row_load(work, arena, org_id, call_id, &view.call, why);

    if (err == ERR_NONE)
        err = work_complete_view(work, arena, &view, why);
    if (err == ERR_NONE)
        err = load_analysis(work, arena, &view, why);
    if (err == ERR_NONE)
        *ret_view = view;
    return err;
}

static enum err insert_event(struct store_work *work, const struct event *event, struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, SQL_EVENT);

    db_bind_i64(stmt, 1, event->id);
    db_bind_str(stmt, 2, event->org_id);
    db_bind_i64(stmt, 3, event->kind);
    db_bind_i64(stmt, 4, event->type);
    db_bind_i64(stmt, 5, event->call_id);
    db_bind_str(stmt, 6, event->body);
    return db_run(stmt, NULL, why);
}

/* I2: one delivery for each enabled endpoint that wants the event. */
static enum err insert_deliveries(struct store_work *work,
        const struct event *event,
        int64_t *ret_count,
        struct error *why)
{
    struct blob *body = NULL;
    int64_t count = 0;
    enum err err = ERR_NONE;

    for (struct gate *gate = gates_of_org(work->gates, event->org_id); gate != NULL;
            gate = gate->next) {
        if (!gate->endpoint->enabled || gate->state.disabling ||
                !endpoint_wants(gate->endpoint, event->kind, event->type))
            continue;
        err = handover_new(work, gate, event, &body, why);
        if (err != ERR_NONE)
            break;
        count++;
    }
    blob_unref(body);
    *ret_count = count;
    return err;
}

static void note_event(struct store_work *work, const struct event *event)
{
    struct note note = {
            .kind = NOTE_EVENT,
            .event_id = event->id,
            .call_id = event->call_id,
            .event_kind = event->kind,
            .call_type = event->type,
    };

    work_note_org(work, &note, event->org_id);
}

static void write_body(struct buf *body,
        const struct event *event,
        const struct call_view *view,
        struct str analysis)
{
    char id[ID_TEXT_SIZE];
    struct payload payload = {
            .kind = event->kind,
            .call = &view->call,
            .contact = view->has_contact ? &view->contact : NULL,
            .staff = view->has_staff ? &view->staff : NULL,
            .timestamp_ms = event->created_at_ms,
            .payload_id = id_format(id, EVENT_ID_PREFIX, event->id),
            .recording_url = view->recording_url,
            .analysis = analysis,
    };

    payload_write(body, &payload);
}

enum err work_emit(struct store_work *work,
        enum event_kind kind,
        const struct call_view *view,
        struct str analysis,
        int64_t *ret_event_id,
        int64_t *ret_delivery_count,
        struct error *why)
{
    CLEANUP(buf_done) struct buf body = {0};
    struct event event = {
            .id = work_new_id(work),
            .org_id = view->call.org_id,
            .kind = kind,
            .type = view->call.type,
            .call_id = view->call.id,
    };

    event.created_at_ms = id_at_ms(event.id);
    write_body(&body, &event, view, analysis);
    if (buf_err(&body) != ERR_NONE)
        return error_set(why, ERR_LIMIT, "the payload would be too large");
    event.body = buf_str(&body);

    enum err err = insert_event(work, &event, why);
    if (err == ERR_NONE)
        err = insert_deliveries(work, &event, ret_delivery_count, why);
    if (err != ERR_NONE)
        return err;
    metrics_add(work->config->metrics, METRIC_EVENTS, 1);
    note_event(work, &event);
    *ret_event_id = event.id;
    return ERR_NONE;
}

enum err work_emit_caller_updated(struct store_work *work,
        struct arena *arena,
        struct str org_id,
        struct str phone,
        int64_t *ret_event_id,
        int64_t *ret_delivery_count,
        struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, SQL_NEWEST_CALL);
    struct call_view view;
    bool row;

    *ret_event_id = 0;
    *ret_delivery_count = 0;
    db_bind_str(stmt, 1, org_id);
    db_bind_str(stmt, 2, phone);
    enum err err = db_next(stmt, &row, why);
    if (err != ERR_NONE || !row)
        return err;
    int64_t call_id = db_i64(stmt, 0);
    db_stop(stmt);

    err = work_load_call(work, arena, org_id, call_id, &view, why);
    if (err != ERR_NONE)
        return err;
    return work_emit(
            work, EVENT_CALLER_UPDATED, &view, STR_NONE, ret_event_id, ret_delivery_count, why);
}
