/* SPDX-License-Identifier: Apache-2.0 */
/* store_call_row - a call as a row of the database. For the store's own files. */
#pragma once

#include "store/store_work.h"

/** The columns that call_row_read() expects, for a SELECT of the table `call`. */
#define CALL_ROW_COLUMNS                                                                           \
    "id, org_id, type, phone, name, duration_s, started_at, staff_id, external_id, reviewed,"      \
    " file_status, recording_file, recording_url, recording_type, recording_bytes,"                \
    " recording_sha256, recording_generation, recording_due_at, recording_fetch_url,"              \
    " analysis_status, analysis_reason, analysis_version, analysis_due_at, created_at"

/** Copies the current row into the arena. */
void call_row_read(const struct db_stmt *stmt, struct arena *arena, struct call *ret_call);
/** org_id none: any. ERR_NOT_FOUND. */
MUST_CHECK enum err call_row_load(struct store_work *work,
        struct arena *arena,
        struct str org_id,
        int64_t id,
        struct call *ret_call,
        struct error *why);
MUST_CHECK enum err
call_row_insert(struct store_work *work, const struct call *call, struct error *why);
/** Writes everything of the call but id, org_id, type and created_at. */
MUST_CHECK enum err
call_row_update(struct store_work *work, const struct call *call, struct error *why);
/** Fills contact, staff and recording_url of a view whose call is set. */
MUST_CHECK enum err work_complete_view(struct store_work *work,
        struct arena *arena,
        struct call_view *view,
        struct error *why);
/** The link of our file, or where it lives elsewhere; none: no audio. */
struct str
work_recording_url(struct store_work *work, struct arena *arena, const struct call *call);
