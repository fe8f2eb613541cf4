/* SPDX-License-Identifier: Apache-2.0 */
/* watchdog - finds calls whose waits are over by the partial indexes on their moments. */
#include "store/watchdog.h"

#include "base/cleanup.h"
#include "store/store_call_row.h"

enum { CALLS_MAX = 100 }; /* a step, for each of the two waits */

/* Ends the wait, and says what ended by it: the recording's end may be the analysis', too. */
typedef void
end_wait(struct call *call, int64_t now_ms, bool *ret_recording_ended, bool *ret_analysis_ended);

static void end_recording(struct call *call,
        int64_t now_ms,
        bool *ret_recording_ended,
        bool *ret_analysis_ended)
{
    bool waits = call->file_status == FILE_PENDING || call->file_status == FILE_UPLOADING;

    *ret_recording_ended = waits;
    *ret_analysis_ended = waits && call_set_file_status(call, FILE_FAILED, now_ms);
    call->recording.due_at_ms = 0;
    call->recording.fetch_url = STR_NONE;
}

static void
end_analysis(struct call *call, int64_t now_ms, bool *ret_recording_ended, bool *ret_analysis_ended)
{
    (void)now_ms;
    *ret_recording_ended = false;
    *ret_analysis_ended = call->analysis_status == ANALYSIS_PENDING ||
                          call->analysis_status == ANALYSIS_PROCESSING;
    if (*ret_analysis_ended) {
        call->analysis_status = ANALYSIS_FAILED;
        call->analysis_reason = STR("timeout");
    }
    call->analysis_due_at_ms = 0;
}

static enum err
emit(struct store_work *work, enum event_kind kind, const struct call_view *view, struct error *why)
{
    int64_t event_id, delivery_count;

    return work_emit(work, kind, view, STR_NONE, &event_id, &delivery_count, why);
}

static enum err
end_wait_of(struct store_work *work, int64_t call_id, end_wait *end, struct error *why)
{
    CLEANUP(arena_done) struct arena arena = {0};
    struct call_view view = {0};
    bool recording_ended = false, analysis_ended = false;
    enum err err = work_load_call(work, &arena, STR_NONE, call_id, &view, why);

    if (err != ERR_NONE)
        return err;
    end(&view.call, work->now_ms, &recording_ended, &analysis_ended);
    err = call_row_update(work, &view.call, why);
    if (err == ERR_NONE && recording_ended)
        err = emit(work, EVENT_RECORDING_UPDATED, &view, why);
    if (err == ERR_NONE && analysis_ended)
        err = emit(work, EVENT_AI_ANALYSIS, &view, why);
    return err;
}

/* sql gives the ids of calls whose moment is at or before $1, at most $2. */
static enum err end_waits(struct store_work *work,
        const char *sql,
        end_wait *end,
        bool *ret_more,
        struct error *why)
{
    int64_t ids[CALLS_MAX];
    struct db_stmt *stmt = db_stmt(work->db, sql);
    size_t count = 0;
    bool row = false;
    enum err err;

    db_bind_i64(stmt, 1, work->now_ms);
    db_bind_i64(stmt, 2, CALLS_MAX);
    while ((err = db_next(stmt, &row, why)) == ERR_NONE && row)
        ids[count++] = db_i64(stmt, 0);
    for (size_t i = 0; err == ERR_NONE && i < count; i++)
        err = end_wait_of(work, ids[i], end, why);
    if (err == ERR_NONE)
        *ret_more = count == CALLS_MAX;
    return err;
}

enum err watchdog_step(struct store_work *work, bool *ret_more, struct error *why)
{
    bool more_recordings = false, more_analyses = false;
    enum err err = end_waits(work,
            "SELECT id FROM call WHERE recording_due_at <= $1"
            " ORDER BY recording_due_at LIMIT $2",
            end_recording,
            &more_recordings,
            why);

    if (err == ERR_NONE)
        err = end_waits(work,
                "SELECT id FROM call WHERE analysis_due_at <= $1"
                " ORDER BY analysis_due_at LIMIT $2",
                end_analysis,
                &more_analyses,
                why);
    if (err == ERR_NONE)
        *ret_more = more_recordings || more_analyses;
    return err;
}
