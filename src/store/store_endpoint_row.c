/* SPDX-License-Identifier: Apache-2.0 */
/* store_endpoint_row - columns to snapshot and back; secrets are sealed. */
#include "store/store_endpoint_row.h"

#include <string.h>

#include "base/cleanup.h"

#define COLUMNS                                                                                    \
    "id, org_id, url, description, event_mask, type_mask, enabled, disabled_reason, disabled_at,"  \
    " enabled_at, headers, timeout_ms, retry_schedule, max_in_flight, rate_limit, ordering,"       \
    " secret, secret_old, secret_old_until, failing_since, failing_count, hold_until, created_at," \
    " updated_at"

static const char SQL_LOAD[] = "SELECT " COLUMNS " FROM endpoint WHERE id = $1";
static const char SQL_ALL[] = "SELECT " COLUMNS " FROM endpoint ORDER BY id";
static const char SQL_INSERT[] =
        "INSERT INTO endpoint (" COLUMNS ")"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,"
        " $18, $19, $20, $21, $22, $23, $24)";
/* Health is not written here: results alone change it (result.c). */
static const char SQL_UPDATE[] =
        "UPDATE endpoint SET url = $3, description = $4, event_mask = $5, type_mask = $6,"
        " enabled = $7, disabled_reason = $8, disabled_at = $9, enabled_at = $10, headers = $11,"
        " timeout_ms = $12, retry_schedule = $13, max_in_flight = $14, rate_limit = $15,"
        " ordering = $16, secret = $17, secret_old = $18, secret_old_until = $19,"
        " updated_at = $20 WHERE id = $1 AND org_id = $2";

/* ---- headers as "Name: value\n" lines ---- */

static void write_headers(struct buf *buf, const struct endpoint *endpoint)
{
    for (size_t i = 0; i < endpoint->header_count; i++) {
        buf_add_str(buf, endpoint->headers[i].name);
        buf_add_text(buf, ": ");
        buf_add_str(buf, endpoint->headers[i].value);
        buf_add_char(buf, '\n');
    }
}

static void read_headers(struct endpoint *endpoint, struct str text)
{
    struct str rest = arena_str(&endpoint->arena, text);

    while (rest.len > 0 && endpoint->header_count < ENDPOINT_HEADERS_MAX) {
        struct str line = str_split(&rest, '\n');
        struct str value = line;
        struct str name = str_split(&value, ':');

        endpoint->headers[endpoint->header_count++] =
                (struct header){name, str_slice(value, 1, value.len)};
    }
}

/* ---- rows ---- */

static enum err open_secret(struct store_work *work,
        struct endpoint *endpoint,
        struct str sealed,
        struct str *ret_secret,
        struct error *why)
{
    if (sealed.ptr == NULL) {
        *ret_secret = STR_NONE;
        return ERR_NONE;
    }
    return secret_open(work->config->seal_key, sealed, &endpoint->arena, ret_secret, why);
}

static enum err read_row(struct store_work *work,
        const struct db_stmt *stmt,
        struct endpoint *endpoint,
        struct error *why)
{
    struct arena *arena = &endpoint->arena;

    endpoint->id = db_i64(stmt, 0);
    endpoint->org_id = arena_str(arena, db_str(stmt, 1));
    endpoint->url = arena_str(arena, db_str(stmt, 2));
    endpoint->description = arena_str(arena, db_str(stmt, 3));
    endpoint->event_mask = (unsigned)db_i64(stmt, 4);
    endpoint->type_mask = (unsigned)db_i64(stmt, 5);
    endpoint->enabled = db_i64(stmt, 6) != 0;
    endpoint->disabled_reason = (enum disabled_reason)db_i64(stmt, 7);
    endpoint->disabled_at_ms = db_i64(stmt, 8);
    endpoint->enabled_at_ms = db_i64(stmt, 9);
    read_headers(endpoint, db_str(stmt, 10));
    endpoint->timeout_ms = db_i64(stmt, 11);
    endpoint->max_in_flight = db_i64(stmt, 13);
    endpoint->rate_limit = db_i64(stmt, 14);
    endpoint->ordering = (enum endpoint_ordering)db_i64(stmt, 15);
    endpoint->secret_old_until_ms = db_i64(stmt, 18);
    endpoint->failing_since_ms = db_i64(stmt, 19);
    endpoint->failing_count = db_i64(stmt, 20);
    endpoint->hold_until_ms = db_i64(stmt, 21);
    endpoint->created_at_ms = db_i64(stmt, 22);
    endpoint->updated_at_ms = db_i64(stmt, 23);

    enum err err = retry_schedule_parse(db_str(stmt, 12), &endpoint->retry_schedule, why);
    if (err == ERR_NONE)
        err = open_secret(work, endpoint, db_str(stmt, 16), &endpoint->secret, why);
    if (err == ERR_NONE)
        err = open_secret(work, endpoint, db_str(stmt, 17), &endpoint->secret_old, why);
    return err == ERR_INVALID ? ERR_CORRUPT : err;
}

static enum err take_row(struct store_work *work,
        const struct db_stmt *stmt,
        struct endpoint **ret_endpoint,
        struct error *why)
{
    CLEANUP_PTR(endpoint_unref) struct endpoint *endpoint = endpoint_new();
    enum err err = read_row(work, stmt, endpoint, why);

    if (err == ERR_NONE)
        *ret_endpoint = STEAL(endpoint);
    return err;
}

enum err endpoint_row_load(struct store_work *work,
        int64_t id,
        struct endpoint **ret_endpoint,
        struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, SQL_LOAD);
    bool row;

    db_bind_i64(stmt, 1, id);
    enum err err = db_next(stmt, &row, why);
    if (err != ERR_NONE)
        return err;
    if (!row)
        return error_set(why, ERR_NOT_FOUND, "there is no such endpoint");
    err = take_row(work, stmt, ret_endpoint, why);
    db_stop(stmt);
    return err;
}

enum err endpoint_row_each(struct store_work *work,
        enum err (*visit)(void *ctx, struct endpoint *take_endpoint),
        void *ctx,
        struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, SQL_ALL);
    bool row;
    enum err err;

    while ((err = db_next(stmt, &row, why)) == ERR_NONE && row) {
        struct endpoint *endpoint;

        err = take_row(work, stmt, &endpoint, why);
        if (err == ERR_NONE)
            err = visit(ctx, endpoint);
        if (err != ERR_NONE)
            break;
    }
    db_stop(stmt);
    return err;
}

/* The text columns, alive until the statement has run. */
struct row_texts {
    struct buf headers, schedule, secret, secret_old;
};

static void texts_done(struct row_texts *texts)
{
    buf_done(&texts->headers);
    buf_done(&texts->schedule);
    buf_done(&texts->secret);
    buf_done(&texts->secret_old);
}

static void bind(struct store_work *work,
        struct db_stmt *stmt,
        const struct endpoint *endpoint,
        struct row_texts *texts)
{
    bool rotating = endpoint->secret_old.ptr != NULL;

    write_headers(&texts->headers, endpoint);
    retry_schedule_write(&texts->schedule, &endpoint->retry_schedule);
    secret_seal(work->config->seal_key, endpoint->secret, &texts->secret);
    if (rotating)
        secret_seal(work->config->seal_key, endpoint->secret_old, &texts->secret_old);

    db_bind_i64(stmt, 1, endpoint->id);
    db_bind_str(stmt, 2, endpoint->org_id);
    db_bind_str(stmt, 3, endpoint->url);
    db_bind_str(stmt, 4, endpoint->description);
    db_bind_i64(stmt, 5, endpoint->event_mask);
    db_bind_i64(stmt, 6, endpoint->type_mask);
    db_bind_i64(stmt, 7, endpoint->enabled);
    db_bind_i64(stmt, 8, endpoint->disabled_reason);
    db_bind_i64_or_null(stmt, 9, endpoint->disabled_at_ms);
    db_bind_i64(stmt, 10, endpoint->enabled_at_ms);
    db_bind_str(stmt, 11, buf_str(&texts->headers));
    db_bind_i64(stmt, 12, endpoint->timeout_ms);
    db_bind_str(stmt, 13, buf_str(&texts->schedule));
    db_bind_i64(stmt, 14, endpoint->max_in_flight);
    db_bind_i64(stmt, 15, endpoint->rate_limit);
    db_bind_i64(stmt, 16, endpoint->ordering);
    db_bind_bytes(stmt, 17, buf_str(&texts->secret));
    db_bind_bytes(stmt, 18, rotating ? buf_str(&texts->secret_old) : STR_NONE);
    db_bind_i64_or_null(stmt, 19, endpoint->secret_old_until_ms);
}

enum err
endpoint_row_insert(struct store_work *work, const struct endpoint *endpoint, struct error *why)
{
    CLEANUP(texts_done) struct row_texts texts = {0};
    struct db_stmt *stmt = db_stmt(work->db, SQL_INSERT);

    bind(work, stmt, endpoint, &texts);
    db_bind_str(stmt, 20, STR_NONE);
    db_bind_i64(stmt, 21, 0);
    db_bind_str(stmt, 22, STR_NONE);
    db_bind_i64(stmt, 23, endpoint->created_at_ms);
    db_bind_i64(stmt, 24, endpoint->updated_at_ms);
    return db_run(stmt, NULL, why);
}

enum err
endpoint_row_update(struct store_work *work, const struct endpoint *endpoint, struct error *why)
{
    CLEANUP(texts_done) struct row_texts texts = {0};
    struct db_stmt *stmt = db_stmt(work->db, SQL_UPDATE);

    bind(work, stmt, endpoint, &texts);
    db_bind_i64(stmt, 20, endpoint->updated_at_ms);
    return db_run(stmt, NULL, why);
}
