/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retention - a row of phases, each of which removes rows until the step's budget is used up or it
 * has no more; then the next phase goes on.
 */
#include "store/retention.h"

#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/mem.h"
#include "store/store_idempotency.h"
#include "store/store_inbox.h"

enum { ROWS_MAX = 500, ORG_ID_SIZE = NOTE_ORG_SIZE };

#define DAY_MS       (INT64_C(24) * 3600 * 1000)
#define STAT_KEEP_MS (8 * DAY_MS)
#define WALK_MS      DAY_MS /* how often the walks begin anew */

struct retention {
    retention_drop_file *drop_file;
    void *ctx;
    size_t phase;
    int64_t walk_began_ms;
    int64_t delivery_id; /* the walks are behind these */
    int64_t event_id;
    int64_t stat_endpoint_id;
};

struct retention *retention_new(retention_drop_file *drop_file, void *ctx)
{
    struct retention *retention = mem_new(sizeof(*retention));

    retention->drop_file = drop_file;
    retention->ctx = ctx;
    return retention;
}

void retention_free(struct retention *retention)
{
    free(retention);
}

/* ---- small pieces of SQL ---- */

/* sql removes the rows that belong to $1. */
static enum err
delete_by_id(struct store_work *work, const char *sql, int64_t id, struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, sql);

    db_bind_i64(stmt, 1, id);
    return db_run(stmt, NULL, why);
}

/* sql removes at most $2 rows older than $1. */
static enum err delete_older(struct store_work *work,
        const char *sql,
        int64_t before,
        int64_t *left,
        struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, sql);
    int64_t changes = 0;
    enum err err;

    db_bind_i64(stmt, 1, before);
    db_bind_i64(stmt, 2, *left);
    err = db_run(stmt, &changes, why);
    *left -= changes;
    return err;
}

static enum err delete_delivery(struct store_work *work, int64_t id, struct error *why)
{
    enum err err = delete_by_id(work, "DELETE FROM attempt WHERE delivery_id = $1", id, why);

    return err != ERR_NONE ? err
                           : delete_by_id(work, "DELETE FROM delivery WHERE id = $1", id, why);
}

static enum err delete_event(struct store_work *work, int64_t id, struct error *why)
{
    return delete_by_id(work, "DELETE FROM event WHERE id = $1", id, why);
}

/* ---- the walks ---- */

/* One row that a walk comes by. */
struct walk_row {
    int64_t id;
    bool is_over;
};

/* sql gives at most $3 rows of id above $1 and below $2: id, whether it may go, and the moment that
 * its time counts from, if that is not the id's. Moves *cursor behind the rows looked at. */
static enum err walk(struct store_work *work,
        const char *sql,
        int64_t *cursor,
        enum err (*delete)(struct store_work *work, int64_t id, struct error *why),
        int64_t *left,
        struct error *why)
{
    int64_t before_ms = work->now_ms - work->config->retention_days * DAY_MS;
    struct walk_row rows[ROWS_MAX];
    struct db_stmt *stmt = db_stmt(work->db, sql);
    size_t count = 0;
    bool row = false;
    enum err err;

    db_bind_i64(stmt, 1, *cursor);
    db_bind_i64(stmt, 2, id_floor(before_ms));
    db_bind_i64(stmt, 3, *left);
    while ((err = db_next(stmt, &row, why)) == ERR_NONE && row)
        rows[count++] = (struct walk_row){
                .id = db_i64(stmt, 0),
                .is_over = db_i64(stmt, 1) != 0 && db_i64(stmt, 2) < before_ms,
        };
    for (size_t i = 0; err == ERR_NONE && i < count; i++)
        if (rows[i].is_over)
            err = delete (work, rows[i].id, why);
    if (err == ERR_NONE && count > 0) {
        *cursor = rows[count - 1].id;
        *left -= (int64_t)count;
    }
    return err;
}

static enum err walk_deliveries(struct store_work *work,
        struct retention *retention,
        int64_t *left,
        struct error *why)
{
    return walk(work,
            "SELECT id, CASE WHEN state >= 4 THEN 1 ELSE 0 END, finished_at"
            " FROM delivery WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3",
            &retention->delivery_id,
            delete_delivery,
            left,
            why);
}

static enum err
walk_events(struct store_work *work, struct retention *retention, int64_t *left, struct error *why)
{
    return walk(work,
            "SELECT id, CASE WHEN EXISTS"
            " (SELECT 1 FROM delivery WHERE event_id = event.id) THEN 0 ELSE 1 END, 0"
            " FROM event WHERE id > $1 AND id < $2 ORDER BY id LIMIT $3",
            &retention->event_id,
            delete_event,
            left,
            why);
}

/* ---- what is kept for a day ---- */

static enum err remove_idempotency(struct store_work *work,
        struct retention *retention,
        int64_t *left,
        struct error *why)
{
    (void)retention;
    return delete_older(work,
            "DELETE FROM idempotency WHERE (org_id, key_hash) IN"
            " (SELECT org_id, key_hash FROM idempotency WHERE created_at <= $1"
            " ORDER BY created_at LIMIT $2)",
            work->now_ms - IDEMPOTENCY_KEEP_MS,
            left,
            why);
}

static enum err remove_inbox_requests(struct store_work *work,
        struct retention *retention,
        int64_t *left,
        struct error *why)
{
    (void)retention;
    return delete_older(work,
            "DELETE FROM inbox_request WHERE id IN"
            " (SELECT id FROM inbox_request WHERE id < $1 ORDER BY id LIMIT $2)",
            id_floor(work->now_ms - INBOX_KEEP_MS),
            left,
            why);
}

/* Their requests are younger than they: those left over go with the phase above, later. */
static enum err remove_visitors_inboxes(struct store_work *work,
        struct retention *retention,
        int64_t *left,
        struct error *why)
{
    (void)retention;
    return delete_older(work,
            "DELETE FROM inbox WHERE id IN"
            " (SELECT id FROM inbox WHERE org_id IS NULL AND created_at <= $1"
            " ORDER BY created_at LIMIT $2)",
            work->now_ms - INBOX_KEEP_MS,
            left,
            why);
}

/* ---- counts of endpoints, one endpoint after the other ---- */

/* 0: there is none behind that one. */
static enum err
next_stat_endpoint(struct store_work *work, int64_t after_id, int64_t *ret_id, struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db,
            "SELECT endpoint_id FROM endpoint_stat WHERE endpoint_id > $1"
            " ORDER BY endpoint_id LIMIT 1");
    bool row = false;
    enum err err;

    db_bind_i64(stmt, 1, after_id);
    err = db_next(stmt, &row, why);
    if (err == ERR_NONE)
        *ret_id = row ? db_i64(stmt, 0) : 0;
    db_stop(stmt);
    return err;
}

static enum err
delete_stats(struct store_work *work, int64_t endpoint_id, int64_t *left, struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db,
            "DELETE FROM endpoint_stat WHERE endpoint_id = $1 AND bucket_at IN"
            " (SELECT bucket_at FROM endpoint_stat WHERE endpoint_id = $1 AND bucket_at < $2"
            " ORDER BY bucket_at LIMIT $3)");
    int64_t changes = 0;
    enum err err;

    db_bind_i64(stmt, 1, endpoint_id);
    db_bind_i64(stmt, 2, work->now_ms - STAT_KEEP_MS);
    db_bind_i64(stmt, 3, *left);
    err = db_run(stmt, &changes, why);
    *left -= changes;
    return err;
}

static enum err
remove_stats(struct store_work *work, struct retention *retention, int64_t *left, struct error *why)
{
    enum err err = ERR_NONE;

    while (err == ERR_NONE && *left > 0) {
        int64_t endpoint_id = 0;

        err = next_stat_endpoint(work, retention->stat_endpoint_id, &endpoint_id, why);
        if (err != ERR_NONE)
            return err;
        if (endpoint_id == 0) {
            retention->stat_endpoint_id = 0;
            return ERR_NONE;
        }
        err = delete_stats(work, endpoint_id, left, why);
        /* With nothing left there may be more of this one. Looking at one costs as much as a row. */
        if (*left > 0) {
            retention->stat_endpoint_id = endpoint_id;
            --*left;
        }
    }
    return err;
}

/* ---- deleted orgs ---- */

/* sql gives the ids of at most $2 rows of the org $1. */
static enum err purge_by_id(struct store_work *work,
        const char *sql,
        struct str org_id,
        enum err (*delete)(struct store_work *work, int64_t id, struct error *why),
        int64_t *left,
        struct error *why)
{
    int64_t ids[ROWS_MAX];
    struct db_stmt *stmt = db_stmt(work->db, sql);
    size_t count = 0;
    bool row = false;
    enum err err;

    db_bind_str(stmt, 1, org_id);
    db_bind_i64(stmt, 2, *left);
    while ((err = db_next(stmt, &row, why)) == ERR_NONE && row)
        ids[count++] = db_i64(stmt, 0);
    for (size_t i = 0; err == ERR_NONE && i < count; i++)
        err = delete (work, ids[i], why);
    *left -= (int64_t)count;
    return err;
}

static enum err delete_call(struct store_work *work, int64_t id, struct error *why)
{
    enum err err = delete_by_id(work, "DELETE FROM analysis WHERE call_id = $1", id, why);

    return err != ERR_NONE ? err : delete_by_id(work, "DELETE FROM call WHERE id = $1", id, why);
}

/* Tells the files of the calls that purge_by_id() will find next. */
static enum err drop_files(struct store_work *work,
        const struct retention *retention,
        struct str org_id,
        int64_t count,
        struct error *why)
{
    struct db_stmt *stmt = db_stmt(
            work->db, "SELECT recording_file FROM call WHERE org_id = $1 ORDER BY id LIMIT $2");
    bool row = false;
    enum err err;

    db_bind_str(stmt, 1, org_id);
    db_bind_i64(stmt, 2, count);
    while ((err = db_next(stmt, &row, why)) == ERR_NONE && row)
        if (db_str(stmt, 0).ptr != NULL)
            retention->drop_file(retention->ctx, db_str(stmt, 0));
    return err;
}

static enum err purge_calls(struct store_work *work,
        const struct retention *retention,
        struct str org_id,
        int64_t *left,
        struct error *why)
{
    enum err err = drop_files(work, retention, org_id, *left, why);

    if (err != ERR_NONE)
        return err;
    return purge_by_id(work,
            "SELECT id FROM call WHERE org_id = $1 ORDER BY id LIMIT $2",
            org_id,
            delete_call,
            left,
            why);
}

/* Each removes at most $2 rows of the org $1. */
static const char *const PURGE_SQL[] = {
        "DELETE FROM contact WHERE org_id = $1 AND id IN"
        " (SELECT id FROM contact WHERE org_id = $1 ORDER BY id LIMIT $2)",
        "DELETE FROM staff WHERE org_id = $1 AND id IN"
        " (SELECT id FROM staff WHERE org_id = $1 ORDER BY id LIMIT $2)",
        "DELETE FROM inbox_request WHERE id IN"
        " (SELECT r.id FROM inbox i JOIN inbox_request r ON r.inbox_id = i.id"
        " WHERE i.org_id = $1 LIMIT $2)",
        "DELETE FROM inbox WHERE id IN (SELECT id FROM inbox WHERE org_id = $1 LIMIT $2)",
        "DELETE FROM idempotency WHERE org_id = $1 AND key_hash IN"
        " (SELECT key_hash FROM idempotency WHERE org_id = $1 ORDER BY key_hash LIMIT $2)",
};

static enum err
purge_rest(struct store_work *work, struct str org_id, int64_t *left, struct error *why)
{
    enum err err = ERR_NONE;

    for (size_t i = 0; err == ERR_NONE && i < sizeof(PURGE_SQL) / sizeof(PURGE_SQL[0]); i++) {
        struct db_stmt *stmt = db_stmt(work->db, PURGE_SQL[i]);
        int64_t changes = 0;

        db_bind_str(stmt, 1, org_id);
        db_bind_i64(stmt, 2, *left);
        err = db_run(stmt, &changes, why);
        *left -= changes;
    }
    return err;
}

/* The org is forgotten when none of the tables used up what was left. */
static enum err purge_org(struct store_work *work,
        const struct retention *retention,
        struct str org_id,
        int64_t *left,
        struct error *why)
{
    enum err err = purge_by_id(work,
            "SELECT id FROM delivery WHERE org_id = $1 ORDER BY id LIMIT $2",
            org_id,
            delete_delivery,
            left,
            why);

    if (err == ERR_NONE)
        err = purge_by_id(work,
                "SELECT id FROM event WHERE org_id = $1 ORDER BY id LIMIT $2",
                org_id,
                delete_event,
                left,
                why);
    if (err == ERR_NONE)
        err = purge_calls(work, retention, org_id, left, why);
    if (err == ERR_NONE)
        err = purge_rest(work, org_id, left, why);
    if (err != ERR_NONE || *left <= 0)
        return err;
    struct db_stmt *stmt = db_stmt(work->db, "DELETE FROM purge WHERE org_id = $1");
    db_bind_str(stmt, 1, org_id);
    return db_run(stmt, NULL, why);
}

static enum err
purge_orgs(struct store_work *work, struct retention *retention, int64_t *left, struct error *why)
{
    while (*left > 0) {
        struct db_stmt *stmt =
                db_stmt(work->db, "SELECT org_id FROM purge ORDER BY org_id LIMIT 1");
        char text[ORG_ID_SIZE];
        struct str org_id = STR_NONE;
        bool row = false;
        enum err err = db_next(stmt, &row, why);

        if (err == ERR_NONE && row) {
            org_id = db_str(stmt, 0);
            if (org_id.len >= sizeof(text))
                err = error_set(why, ERR_CORRUPT, "the id of an org has %zu bytes", org_id.len);
            else
                org_id.ptr = memcpy(text, org_id.ptr, org_id.len);
        }
        db_stop(stmt);
        if (err == ERR_NONE && row)
            err = purge_org(work, retention, org_id, left, why);
        if (err != ERR_NONE || !row)
            return err;
    }
    return ERR_NONE;
}

/* ---- the phases ---- */

typedef enum err
phase(struct store_work *work, struct retention *retention, int64_t *left, struct error *why);

static phase *const PHASES[] = {
        walk_deliveries,
        walk_events,
        remove_idempotency,
        remove_inbox_requests,
        remove_visitors_inboxes,
        remove_stats,
        purge_orgs,
};
enum { PHASE_COUNT = sizeof(PHASES) / sizeof(PHASES[0]) };

enum err retention_step(struct store_work *work,
        struct retention *retention,
        bool *ret_more,
        struct error *why)
{
    int64_t left = ROWS_MAX;

    if (retention->phase == 0 && work->now_ms - retention->walk_began_ms >= WALK_MS) {
        retention->walk_began_ms = work->now_ms;
        retention->delivery_id = 0;
        retention->event_id = 0;
    }
    while (retention->phase < PHASE_COUNT) {
        enum err err = PHASES[retention->phase](work, retention, &left, why);

        if (err != ERR_NONE)
            return err;
        if (left <= 0) { /* the phase may not be at its end */
            *ret_more = true;
            return ERR_NONE;
        }
        retention->phase++;
    }
    retention->phase = 0;
    *ret_more = false;
    return ERR_NONE;
}
