/* SPDX-License-Identifier: Apache-2.0 */
/* store_call_row - columns to struct call and back. */
#include "store/store_call_row.h"

static const char SQL_LOAD[] = "SELECT " CALL_ROW_COLUMNS " FROM call WHERE id = $1";
static const char SQL_INSERT[] =
        "INSERT INTO call (" CALL_ROW_COLUMNS ")"
        " VALUES ($1, $2, $23, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,"
        " $17, $18, $19, $20, $21, $22, $24)";
static const char SQL_UPDATE[] =
        "UPDATE call SET phone = $3, name = $4, duration_s = $5, started_at = $6,"
        " staff_id = $7, external_id = $8, reviewed = $9, file_status = $10,"
        " recording_file = $11, recording_url = $12, recording_type = $13, recording_bytes = $14,"
        " recording_sha256 = $15, recording_generation = $16, recording_due_at = $17,"
        " recording_fetch_url = $18, analysis_status = $19, analysis_reason = $20,"
        " analysis_version = $21, analysis_due_at = $22"
        " WHERE id = $1 AND org_id = $2";

void call_row_read(const struct db_stmt *stmt, struct arena *arena, struct call *ret_call)
{
    *ret_call = (struct call){
            .id = db_i64(stmt, 0),
            .org_id = arena_str(arena, db_str(stmt, 1)),
            .type = (enum call_type)db_i64(stmt, 2),
            .phone = arena_str(arena, db_str(stmt, 3)),
            .name = arena_str(arena, db_str(stmt, 4)),
            .duration_s = db_i64(stmt, 5),
            .started_at_ms = db_i64(stmt, 6),
            .staff_id = arena_str(arena, db_str(stmt, 7)),
            .external_id = arena_str(arena, db_str(stmt, 8)),
            .reviewed = db_i64(stmt, 9) != 0,
            .file_status = (enum file_status)db_i64(stmt, 10),
            .recording =
                    {
                            .file = arena_str(arena, db_str(stmt, 11)),
                            .url = arena_str(arena, db_str(stmt, 12)),
                            .content_type = arena_str(arena, db_str(stmt, 13)),
                            .size_bytes = db_i64(stmt, 14),
                            .sha256 = arena_str(arena, db_str(stmt, 15)),
                            .generation = db_i64(stmt, 16),
                            .due_at_ms = db_i64(stmt, 17),
                            .fetch_url = arena_str(arena, db_str(stmt, 18)),
                    },
            .analysis_status = (enum analysis_status)db_i64(stmt, 19),
            .analysis_reason = arena_str(arena, db_str(stmt, 20)),
            .analysis_version = db_i64(stmt, 21),
            .analysis_due_at_ms = db_i64(stmt, 22),
            .created_at_ms = db_i64(stmt, 23),
    };
}

enum err call_row_load(struct store_work *work,
        struct arena *arena,
        struct str org_id,
        int64_t id,
        struct call *ret_call,
        struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, SQL_LOAD);
    bool row;

    db_bind_i64(stmt, 1, id);
    enum err err = db_next(stmt, &row, why);
    if (err != ERR_NONE)
        return err;
    if (row && org_id.ptr != NULL && !str_equal(db_str(stmt, 1), org_id)) {
        db_stop(stmt);
        row = false;
    }
    if (!row)
        return error_set(why, ERR_NOT_FOUND, "there is no such call");
    call_row_read(stmt, arena, ret_call);
    db_stop(stmt);
    return ERR_NONE;
}

static void bind(struct db_stmt *stmt, const struct call *call)
{
    const struct recording *recording = &call->recording;

    db_bind_i64(stmt, 1, call->id);
    db_bind_str(stmt, 2, call->org_id);
    db_bind_str(stmt, 3, call->phone);
    db_bind_str(stmt, 4, call->name);
    db_bind_i64(stmt, 5, call->duration_s);
    db_bind_i64(stmt, 6, call->started_at_ms);
    db_bind_str(stmt, 7, call->staff_id);
    db_bind_str(stmt, 8, call->external_id);
    db_bind_i64(stmt, 9, call->reviewed);
    db_bind_i64(stmt, 10, call->file_status);
    db_bind_str(stmt, 11, recording->file);
    db_bind_str(stmt, 12, recording->url);
    db_bind_str(stmt, 13, recording->content_type);
    db_bind_i64_or_null(stmt, 14, recording->size_bytes);
    db_bind_str(stmt, 15, recording->sha256);
    db_bind_i64(stmt, 16, recording->generation);
    db_bind_i64_or_null(stmt, 17, recording->due_at_ms);
    db_bind_str(stmt, 18, recording->fetch_url);
    db_bind_i64(stmt, 19, call->analysis_status);
    db_bind_str(stmt, 20, call->analysis_reason);
    db_bind_i64(stmt, 21, call->analysis_version);
    db_bind_i64_or_null(stmt, 22, call->analysis_due_at_ms);
}

enum err call_row_insert(struct store_work *work, const struct call *call, struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, SQL_INSERT);

    bind(stmt, call);
    db_bind_i64(stmt, 23, call->type);
    db_bind_i64(stmt, 24, call->created_at_ms);
    return db_run(stmt, NULL, why);
}

enum err call_row_update(struct store_work *work, const struct call *call, struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, SQL_UPDATE);

    bind(stmt, call);
    return db_run(stmt, NULL, why);
}
