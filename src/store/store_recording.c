/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_recording - changes of a call's recording, each with its events, and what the media
 * layer asks.
 */
#include "store/store_call.h"
#include "store/store_call_row.h"

static const char SQL_FETCHES[] = "SELECT id, org_id, recording_fetch_url FROM call"
                                  " WHERE recording_fetch_url IS NOT NULL AND id > $1"
                                  " ORDER BY id LIMIT $2";

static bool has_audio(const struct recording *recording)
{
    return recording->file.ptr != NULL || recording->url.ptr != NULL;
}

/* True when what is asked for is there already. */
static bool changes_nothing(const struct recording_set *op, const struct call *call)
{
    const struct recording *is = &call->recording;
    const struct recording *wanted = &op->recording;

    switch (op->change) {
    case RECORDING_FILE:
        return call->file_status == FILE_COMPLETED && is->file.ptr != NULL &&
               str_equal(is->sha256, wanted->sha256);
    case RECORDING_URL:
        return call->file_status == FILE_COMPLETED && is->file.ptr == NULL &&
               str_equal(is->url, wanted->url);
    case RECORDING_FETCH: return is->fetch_url.ptr != NULL && str_equal(is->fetch_url, wanted->url);
    case RECORDING_STATUS: return call->file_status == op->status && !has_audio(is);
    case RECORDING_DELETE: return call->file_status == FILE_DELETED;
    }
    return false;
}

/* Without its audio the links of it die, too. */
static void drop_audio(struct recording *recording, struct str *ret_old_file)
{
    int64_t generation = recording->generation + (recording->file.ptr != NULL ? 1 : 0);

    *ret_old_file = recording->file;
    *recording = (struct recording){.generation = generation};
}

/* Applies the change; returns true when the analysis ended by it. */
static bool apply(struct recording_set *op, struct call *call, int64_t now_ms)
{
    struct recording *recording = &call->recording;
    int64_t generation = recording->generation;

    drop_audio(recording, &op->old_file);
    switch (op->change) {
    case RECORDING_FILE:
        /* Replacing keeps the link: whoever has it shall hear the newer one. */
        recording->generation = generation;
        recording->file = op->recording.file;
        recording->content_type = op->recording.content_type;
        recording->size_bytes = op->recording.size_bytes;
        recording->sha256 = op->recording.sha256;
        return call_set_file_status(call, FILE_COMPLETED, now_ms);
    case RECORDING_URL:
        recording->url = op->recording.url;
        return call_set_file_status(call, FILE_COMPLETED, now_ms);
    case RECORDING_FETCH:
        recording->fetch_url = op->recording.url;
        return call_set_file_status(call, FILE_UPLOADING, now_ms);
    case RECORDING_STATUS: return call_set_file_status(call, op->status, now_ms);
    case RECORDING_DELETE: return call_set_file_status(call, FILE_DELETED, now_ms);
    }
    return false;
}

static enum err store_change(struct store_work *work, struct recording_set *op, struct error *why)
{
    struct call_view *view = &op->view;
    int64_t other_event, other_deliveries;
    bool analysis_ended = apply(op, &view->call, work->now_ms);
    enum err err = call_row_update(work, &view->call, why);

    view->recording_url = work_recording_url(work, op->op.arena, &view->call);
    if (err == ERR_NONE)
        err = work_emit(work,
                EVENT_RECORDING_UPDATED,
                view,
                STR_NONE,
                &op->event_id,
                &op->delivery_count,
                why);
    if (err == ERR_NONE && analysis_ended)
        err = work_emit(
                work, EVENT_AI_ANALYSIS, view, STR_NONE, &other_event, &other_deliveries, why);
    return err;
}

static enum err run_set(struct store_work *work, struct store_op *store_op, struct error *why)
{
    struct recording_set *op = (struct recording_set *)store_op;
    enum err err = work_load_call(work, op->op.arena, op->org_id, op->call_id, &op->view, why);

    op->event_id = 0;
    op->delivery_count = 0;
    op->old_file = STR_NONE;
    if (err != ERR_NONE)
        return err;
    if (op->only_fetch_url.ptr != NULL &&
            !str_equal(op->only_fetch_url, op->view.call.recording.fetch_url))
        return error_set(why, ERR_CONFLICT, "this recording is no longer being fetched");
    if (changes_nothing(op, &op->view.call))
        return ERR_NONE;
    return store_change(work, op, why);
}

enum err store_recording_set(struct store *store, struct recording_set *op)
{
    return store_submit_run(store, &op->op, run_set, false);
}

static enum err run_get(struct store_work *work, struct store_op *store_op, struct error *why)
{
    struct recording_get *op = (struct recording_get *)store_op;
    struct call call;
    enum err err = call_row_load(work, op->op.arena, op->org_id, op->call_id, &call, why);

    if (err == ERR_NONE) {
        op->file_status = call.file_status;
        op->recording = call.recording;
    }
    return err;
}

enum err store_recording_get(struct store *store, struct recording_get *op)
{
    return store_submit_run(store, &op->op, run_get, true);
}

static enum err run_file_used(struct store_work *work, struct store_op *store_op, struct error *why)
{
    struct recording_file_used *op = (struct recording_file_used *)store_op;
    struct call call;
    enum err err = call_row_load(work, op->op.arena, STR_NONE, op->call_id, &call, why);

    op->used = err == ERR_NONE && str_equal(call.recording.file, op->file);
    return err == ERR_NOT_FOUND ? ERR_NONE : err;
}

enum err store_recording_file_used(struct store *store, struct recording_file_used *op)
{
    return store_submit_run(store, &op->op, run_file_used, true);
}

static enum err run_fetches(struct store_work *work, struct store_op *store_op, struct error *why)
{
    struct fetch_list *op = (struct fetch_list *)store_op;
    struct arena *arena = op->op.arena;
    struct db_stmt *stmt = db_stmt(work->db, SQL_FETCHES);
    bool row;
    enum err err;

    op->count = 0;
    op->jobs = arena_alloc(arena, (size_t)op->limit * sizeof(*op->jobs));
    db_bind_i64(stmt, 1, op->after_call_id);
    db_bind_i64(stmt, 2, op->limit);
    while ((err = db_next(stmt, &row, why)) == ERR_NONE && row && op->count < (size_t)op->limit) {
        op->jobs[op->count++] = (struct fetch_job){
                .call_id = db_i64(stmt, 0),
                .org_id = arena_str(arena, db_str(stmt, 1)),
                .url = arena_str(arena, db_str(stmt, 2)),
        };
    }
    db_stop(stmt);
    return err;
}

enum err store_fetch_list(struct store *store, struct fetch_list *op)
{
    return store_submit_run(store, &op->op, run_fetches, true);
}
