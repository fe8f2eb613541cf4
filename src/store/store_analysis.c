/* SPDX-License-Identifier: Apache-2.0 */
/* store_analysis - putting a call's analysis, with its event. */
#include "base/cleanup.h"
#include "store/store_call.h"
#include "store/store_call_row.h"

static const char SQL_PUT[] =
        "INSERT INTO analysis (call_id, result, created_at) VALUES ($1, $2, $3)"
        " ON CONFLICT (call_id) DO UPDATE SET result = excluded.result,"
        " created_at = excluded.created_at";

static enum err
put_result(struct store_work *work, const struct call *call, struct str result, struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, SQL_PUT);

    db_bind_i64(stmt, 1, call->id);
    db_bind_str(stmt, 2, result);
    db_bind_i64(stmt, 3, work->now_ms);
    return db_run(stmt, NULL, why);
}

/* A result ends the analysis; each raises the version. */
static enum err store_result(struct store_work *work, struct analysis_put *op, struct error *why)
{
    struct call *call = &op->view.call;
    CLEANUP(buf_done) struct buf result = {0};

    call->analysis_version++;
    call->analysis_due_at_ms = 0;
    analysis_write(&result, op->analysis, call->analysis_version, work->now_ms);
    if (buf_err(&result) != ERR_NONE)
        return error_set(why, ERR_LIMIT, "the analysis is too large");
    op->view.analysis_result = arena_str(op->op.arena, buf_str(&result));

    enum err err = call_row_update(work, call, why);
    if (err == ERR_NONE)
        err = put_result(work, call, op->view.analysis_result, why);
    if (err != ERR_NONE)
        return err;
    return work_emit(work,
            EVENT_AI_ANALYSIS,
            &op->view,
            op->view.analysis_result,
            &op->event_id,
            &op->delivery_count,
            why);
}

static enum err run_put(struct store_work *work, struct store_op *store_op, struct error *why)
{
    struct analysis_put *op = (struct analysis_put *)store_op;
    struct call *call = &op->view.call;
    enum err err = work_load_call(work, op->op.arena, op->org_id, op->call_id, &op->view, why);

    op->event_id = 0;
    op->delivery_count = 0;
    if (err != ERR_NONE)
        return err;
    call->analysis_status = op->analysis->status;
    call->analysis_reason = op->analysis->reason;
    if (op->analysis->status != ANALYSIS_PROCESSING)
        return store_result(work, op, why);
    call->analysis_due_at_ms = work->now_ms + CALL_WATCHDOG_MS;
    return call_row_update(work, call, why);
}

enum err store_analysis_put(struct store *store, struct analysis_put *op)
{
    return store_submit_run(store, &op->op, run_put, false);
}
