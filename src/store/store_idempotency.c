/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_idempotency - finds, makes and forgets the answers kept under idempotency keys.
 *
 *     no row ---- an op runs, in its transaction -----------> answered, for 24 hours
 *     no row -- begin --> running (status 0) -- finish -----> answered
 *                                            -- finish, 0 --> no row
 *
 * A running mark whose finish was refused would block its key for a day: after ten minutes, longer
 * than any request lasts, it counts as absent.
 */
#include "store/store_idempotency.h"

#include "base/cleanup.h"
#include "store/store_work.h"

enum { RUNNING_KEEP_MS = 10 * 60 * 1000 };

static enum err
delete_key(struct store_work *work, const struct idempotency *idempotency, struct error *why)
{
    struct db_stmt *stmt =
            db_stmt(work->db, "DELETE FROM idempotency WHERE org_id = $1 AND key_hash = $2");

    db_bind_str(stmt, 1, idempotency->org_id);
    db_bind_bytes(stmt, 2, codec_digest_str(idempotency->key_hash));
    return db_run(stmt, NULL, why);
}

/* status 0: no answer yet. */
static enum err put_key(struct store_work *work,
        const struct idempotency *idempotency,
        int64_t status,
        struct str body,
        struct error *why)
{
    CLEANUP(buf_done) struct buf sealed = {0};
    enum err err;

    if (status != 0)
        secret_seal(idempotency->seal_key, body, &sealed);
    err = buf_err(&sealed);
    if (err != ERR_NONE)
        return error_set(why, err, "the answer is too long to be kept");
    struct db_stmt *stmt = db_stmt(work->db,
            "INSERT INTO idempotency (org_id, key_hash, body_hash, status, answer, created_at)"
            " VALUES ($1, $2, $3, $4, $5, $6)"
            " ON CONFLICT (org_id, key_hash) DO UPDATE SET body_hash = excluded.body_hash,"
            " status = excluded.status, answer = excluded.answer,"
            " created_at = excluded.created_at");
    db_bind_str(stmt, 1, idempotency->org_id);
    db_bind_bytes(stmt, 2, codec_digest_str(idempotency->key_hash));
    db_bind_bytes(stmt, 3, codec_digest_str(idempotency->body_hash));
    db_bind_i64(stmt, 4, status);
    db_bind_bytes(stmt, 5, status != 0 ? buf_str(&sealed) : STR_NONE);
    db_bind_i64(stmt, 6, work->now_ms);
    return db_run(stmt, NULL, why);
}

/* Judges the row that was found. *ret_stale: it is to be deleted, and the key counts as new. */
static enum err judge_row(struct store_work *work,
        struct idempotency *idempotency,
        const struct db_stmt *row,
        bool *ret_stale,
        struct error *why)
{
    CLEANUP(arena_done) struct arena arena = {0};
    struct str body_hash = db_str(row, 0);
    int64_t status = db_i64(row, 1);
    struct str answer = db_str(row, 2);
    int64_t age_ms = work->now_ms - db_i64(row, 3);
    struct str body = STR_NONE;
    enum err err;

    *ret_stale = age_ms >= (status != 0 ? IDEMPOTENCY_KEEP_MS : RUNNING_KEEP_MS);
    if (*ret_stale)
        return ERR_NONE;
    if (!str_equal_secret(body_hash, codec_digest_str(idempotency->body_hash)))
        return error_set_field(why,
                ERR_INVALID,
                "Idempotency-Key",
                "this key was used with another request within the last 24 hours");
    if (status == 0)
        return error_set_field(why,
                ERR_CONFLICT,
                "Idempotency-Key",
                "the first request with this key is still running");
    err = secret_open(idempotency->seal_key, answer, &arena, &body, why);
    if (err != ERR_NONE)
        return err;
    buf_clear(&idempotency->body);
    buf_add_str(&idempotency->body, body);
    err = buf_err(&idempotency->body);
    if (err != ERR_NONE)
        return error_set(why, err, "the answer that was kept is too long");
    idempotency->status = status;
    idempotency->replayed = true;
    return ERR_NONE;
}

static enum err look(struct store_work *work, struct idempotency *idempotency, struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db,
            "SELECT body_hash, status, answer, created_at FROM idempotency"
            " WHERE org_id = $1 AND key_hash = $2");
    bool row = false, stale = false;
    enum err err;

    idempotency->replayed = false;
    db_bind_str(stmt, 1, idempotency->org_id);
    db_bind_bytes(stmt, 2, codec_digest_str(idempotency->key_hash));
    err = db_next(stmt, &row, why);
    if (err == ERR_NONE && row)
        err = judge_row(work, idempotency, stmt, &stale, why);
    db_stop(stmt);
    if (err == ERR_NONE && stale)
        err = delete_key(work, idempotency, why);
    return err;
}

static enum err run_begin(struct store_work *work, struct store_op *op, struct error *why)
{
    enum err err = look(work, op->idempotency, why);

    if (err != ERR_NONE || op->idempotency->replayed)
        return err;
    return put_key(work, op->idempotency, 0, STR_NONE, why);
}

static enum err run_finish(struct store_work *work, struct store_op *op, struct error *why)
{
    const struct idempotency *idempotency = op->idempotency;

    if (idempotency->status == 0)
        return delete_key(work, idempotency, why);
    return put_key(work, idempotency, idempotency->status, buf_str(&idempotency->body), why);
}

enum err store_idempotency_begin(struct store *store, struct idempotency_mark *op)
{
    return store_submit_run(store, &op->op, run_begin, false);
}

enum err store_idempotency_finish(struct store *store, struct idempotency_mark *op)
{
    return store_submit_run(store, &op->op, run_finish, false);
}

/* True for ops whose key is looked up before and kept after they run; the two above do it
 * themselves. */
static bool is_covered(const struct store_op *op)
{
    return op->idempotency != NULL && op->run != run_begin && op->run != run_finish;
}

enum err work_idempotency_look(struct store_work *work, struct store_op *op, struct error *why)
{
    return is_covered(op) ? look(work, op->idempotency, why) : ERR_NONE;
}

enum err work_idempotency_keep(struct store_work *work, struct store_op *op, struct error *why)
{
    CLEANUP(buf_done) struct buf body = {0};
    int64_t status = 0;
    enum err err;

    if (!is_covered(op))
        return ERR_NONE;
    op->idempotency->render(op, &status, &body);
    err = buf_err(&body);
    if (err != ERR_NONE)
        return error_set(why, err, "the answer is too long to be kept");
    return put_key(work, op->idempotency, status, buf_str(&body), why);
}

enum err work_idempotency_forget_running(struct store_work *work, struct error *why)
{
    return db_run(db_stmt(work->db, "DELETE FROM idempotency WHERE status = 0"), NULL, why);
}
