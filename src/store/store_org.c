/* SPDX-License-Identifier: Apache-2.0 */
/* store_org - operations on orgs and tokens. A deleted org's rows are removed by retention.c. */
#include "store/store_org.h"

#include <string.h>

#include "base/id.h"
#include "store/page.h"
#include "store/store_endpoint.h"
#include "store/store_endpoint_row.h"
#include "store/store_work.h"

#define ORG_COLUMNS   "id, name, created_at"
#define TOKEN_COLUMNS "id, org_id, name, scopes, created_at"

static struct org read_org(const struct db_stmt *row, struct arena *arena)
{
    return (struct org){
            .id = arena_str(arena, db_str(row, 0)),
            .name = arena_str(arena, db_str(row, 1)),
            .created_at_ms = db_i64(row, 2),
    };
}

static struct token read_token(const struct db_stmt *row, struct arena *arena)
{
    return (struct token){
            .id = db_i64(row, 0),
            .org_id = arena_str(arena, db_str(row, 1)),
            .name = arena_str(arena, db_str(row, 2)),
            .scopes = (unsigned)db_i64(row, 3),
            .created_at_ms = db_i64(row, 4),
    };
}

/* sql finds at most one row by $1. */
static enum err row_exists(struct store_work *work,
        const char *sql,
        struct str id,
        bool *ret_exists,
        struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, sql);
    enum err err;

    db_bind_str(stmt, 1, id);
    err = db_next(stmt, ret_exists, why);
    db_stop(stmt);
    return err;
}

/* sql removes or adds rows of the org $1. */
static enum err run_on_org(struct store_work *work,
        const char *sql,
        struct str org_id,
        int64_t *ret_changes,
        struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, sql);

    db_bind_str(stmt, 1, org_id);
    return db_run(stmt, ret_changes, why);
}

/* ---- tokens ---- */

/* Stores it with a new id; ERR_CONFLICT when the hash is another token's. */
static enum err insert_token(struct store_work *work,
        struct token *token,
        const uint8_t hash[SHA256_BYTES],
        struct error *why)
{
    token->id = work_new_id(work);
    token->created_at_ms = work->now_ms;
    struct db_stmt *stmt = db_stmt(work->db,
            "INSERT INTO token (id, org_id, name, hash, scopes, created_at)"
            " VALUES ($1, $2, $3, $4, $5, $6)");
    db_bind_i64(stmt, 1, token->id);
    db_bind_str(stmt, 2, token->org_id);
    db_bind_str(stmt, 3, token->name);
    db_bind_bytes(stmt, 4, codec_digest_str(hash));
    db_bind_i64(stmt, 5, token->scopes);
    db_bind_i64(stmt, 6, token->created_at_ms);
    return db_run(stmt, NULL, why);
}

static enum err run_token_create(struct store_work *work, struct store_op *op, struct error *why)
{
    struct token_create *create = (struct token_create *)op;
    bool exists = false;
    enum err err =
            row_exists(work, "SELECT id FROM org WHERE id = $1", create->org_id, &exists, why);

    if (err != ERR_NONE)
        return err;
    if (!exists)
        return error_set(why, ERR_NOT_FOUND, "no such org");
    create->token = (struct token){
            .org_id = arena_str(op->arena, create->org_id),
            .name = arena_str(op->arena, create->name),
            .scopes = create->scopes,
    };
    return insert_token(work, &create->token, create->hash, why);
}

static enum err run_token_list(struct store_work *work, struct store_op *op, struct error *why)
{
    struct token_list *list = (struct token_list *)op;
    int64_t before_id = 0;
    size_t count = 0;
    bool row = false;
    enum err err = page_read_number(&list->page, &before_id, why);

    if (err != ERR_NONE)
        return err;
    list->page.next_cursor = STR_NONE;
    list->tokens = arena_alloc(op->arena, (size_t)list->page.limit * sizeof(*list->tokens));
    struct db_stmt *stmt = db_stmt(work->db,
            "SELECT " TOKEN_COLUMNS " FROM token WHERE org_id = $1 AND id < $2"
            " ORDER BY id DESC LIMIT $3");
    db_bind_str(stmt, 1, list->org_id);
    db_bind_i64(stmt, 2, before_id);
    db_bind_i64(stmt, 3, list->page.limit + 1);
    while ((err = db_next(stmt, &row, why)) == ERR_NONE && row) {
        if (count == (size_t)list->page.limit) {
            page_set_number(&list->page, op->arena, list->tokens[count - 1].id);
            db_stop(stmt);
            break;
        }
        list->tokens[count++] = read_token(stmt, op->arena);
    }
    list->count = count;
    return err;
}

static enum err run_token_delete(struct store_work *work, struct store_op *op, struct error *why)
{
    struct token_delete *delete = (struct token_delete *)op;
    struct db_stmt *stmt =
            db_stmt(work->db, "DELETE FROM token WHERE org_id = $1 AND id = $2 RETURNING hash");
    bool row = false;
    enum err err;

    db_bind_str(stmt, 1, delete->org_id);
    db_bind_i64(stmt, 2, delete->id);
    err = db_next(stmt, &row, why);
    if (err == ERR_NONE && row) {
        struct str hash = db_str(stmt, 0);

        if (hash.len == SHA256_BYTES)
            memcpy(delete->hash, hash.ptr, SHA256_BYTES);
        else
            err = error_set(why, ERR_CORRUPT, "a token's hash has %zu bytes", hash.len);
    }
    db_stop(stmt);
    if (err == ERR_NONE && !row)
        return error_set(why, ERR_NOT_FOUND, "no such token");
    return err;
}

static enum err run_token_find(struct store_work *work, struct store_op *op, struct error *why)
{
    struct token_find *find = (struct token_find *)op;
    struct db_stmt *stmt = db_stmt(work->db, "SELECT " TOKEN_COLUMNS " FROM token WHERE hash = $1");
    bool row = false;
    enum err err;

    db_bind_bytes(stmt, 1, codec_digest_str(find->hash));
    err = db_next(stmt, &row, why);
    if (err == ERR_NONE && row)
        find->token = read_token(stmt, op->arena);
    db_stop(stmt);
    if (err == ERR_NONE && !row)
        return error_set(why, ERR_NOT_FOUND, "no such token");
    return err;
}

/* ---- orgs ---- */

static enum err check_org_is_new(struct store_work *work, struct str id, struct error *why)
{
    bool exists = false, leaving = false;
    enum err err = row_exists(work, "SELECT id FROM org WHERE id = $1", id, &exists, why);

    if (err == ERR_NONE)
        err = row_exists(work, "SELECT org_id FROM purge WHERE org_id = $1", id, &leaving, why);
    if (err != ERR_NONE)
        return err;
    if (exists)
        return error_set_field(why, ERR_CONFLICT, "id", "an org with this id exists");
    if (leaving)
        return error_set_field(why,
                ERR_CONFLICT,
                "id",
                "the org that had this id was deleted and is still being removed; try again later");
    return ERR_NONE;
}

static enum err run_org_create(struct store_work *work, struct store_op *op, struct error *why)
{
    struct org_create *create = (struct org_create *)op;
    struct arena *arena = op->arena;
    char text[ID_TEXT_SIZE];
    struct str id =
            create->id.ptr != NULL ? create->id : id_format(text, "org_", work_new_id(work));
    enum err err = check_org_is_new(work, id, why);

    if (err != ERR_NONE)
        return err;
    create->org = (struct org){
            .id = arena_str(arena, id),
            .name = arena_str(arena, create->name),
            .created_at_ms = work->now_ms,
    };
    create->token = (struct token){
            .org_id = create->org.id,
            .name = arena_str(arena, create->token_name),
            .scopes = create->token_scopes,
    };
    struct db_stmt *stmt =
            db_stmt(work->db, "INSERT INTO org (id, name, created_at) VALUES ($1, $2, $3)");
    db_bind_str(stmt, 1, create->org.id);
    db_bind_str(stmt, 2, create->org.name);
    db_bind_i64(stmt, 3, create->org.created_at_ms);
    err = db_run(stmt, NULL, why);
    if (err != ERR_NONE)
        return err;
    return insert_token(work, &create->token, create->token_hash, why);
}

static enum err run_org_get(struct store_work *work, struct store_op *op, struct error *why)
{
    struct org_get *get = (struct org_get *)op;
    struct db_stmt *stmt = db_stmt(work->db, "SELECT " ORG_COLUMNS " FROM org WHERE id = $1");
    bool row = false;
    enum err err;

    db_bind_str(stmt, 1, get->id);
    err = db_next(stmt, &row, why);
    if (err == ERR_NONE && row)
        get->org = read_org(stmt, op->arena);
    db_stop(stmt);
    if (err == ERR_NONE && !row)
        return error_set(why, ERR_NOT_FOUND, "no such org");
    return err;
}

static enum err run_org_list(struct store_work *work, struct store_op *op, struct error *why)
{
    struct org_list *list = (struct org_list *)op;
    int64_t before_ms = 0;
    struct str before_id = STR_NONE;
    size_t count = 0;
    bool row = false;
    enum err err = page_read_pair(&list->page, &before_ms, &before_id, why);

    if (err != ERR_NONE)
        return err;
    list->page.next_cursor = STR_NONE;
    list->orgs = arena_alloc(op->arena, (size_t)list->page.limit * sizeof(*list->orgs));
    struct db_stmt *stmt = db_stmt(work->db,
            "SELECT " ORG_COLUMNS " FROM org WHERE (created_at, id) < ($1, $2)"
            " ORDER BY created_at DESC, id DESC LIMIT $3");
    db_bind_i64(stmt, 1, before_ms);
    db_bind_str(stmt, 2, before_id);
    db_bind_i64(stmt, 3, list->page.limit + 1);
    while ((err = db_next(stmt, &row, why)) == ERR_NONE && row) {
        if (count == (size_t)list->page.limit) {
            const struct org *last = &list->orgs[count - 1];

            page_set_pair(&list->page, op->arena, last->created_at_ms, last->id);
            db_stop(stmt);
            break;
        }
        list->orgs[count++] = read_org(stmt, op->arena);
    }
    list->count = count;
    return err;
}

static enum err delete_endpoints(struct store_work *work, struct str org_id, struct error *why)
{
    int64_t ids[ENDPOINTS_PER_ORG_MAX];
    struct db_stmt *stmt = db_stmt(work->db, "SELECT id FROM endpoint WHERE org_id = $1 LIMIT $2");
    size_t count = 0;
    bool row = false;
    enum err err;

    db_bind_str(stmt, 1, org_id);
    db_bind_i64(stmt, 2, ENDPOINTS_PER_ORG_MAX);
    while ((err = db_next(stmt, &row, why)) == ERR_NONE && row)
        ids[count++] = db_i64(stmt, 0);
    for (size_t i = 0; err == ERR_NONE && i < count; i++)
        err = endpoint_row_delete(work, ids[i], why);
    return err;
}

static enum err run_org_delete(struct store_work *work, struct store_op *op, struct error *why)
{
    struct org_delete *delete = (struct org_delete *)op;
    int64_t changes = 0;
    enum err err = run_on_org(work, "DELETE FROM org WHERE id = $1", delete->id, &changes, why);

    if (err == ERR_NONE && changes == 0)
        return error_set(why, ERR_NOT_FOUND, "no such org");
    if (err == ERR_NONE)
        err = run_on_org(work, "DELETE FROM token WHERE org_id = $1", delete->id, NULL, why);
    if (err == ERR_NONE)
        err = delete_endpoints(work, delete->id, why);
    if (err != ERR_NONE)
        return err;
    struct db_stmt *stmt =
            db_stmt(work->db, "INSERT INTO purge (org_id, created_at) VALUES ($1, $2)");
    db_bind_str(stmt, 1, delete->id);
    db_bind_i64(stmt, 2, work->now_ms);
    return db_run(stmt, NULL, why);
}

enum err store_org_create(struct store *store, struct org_create *op)
{
    return store_submit_run(store, &op->op, run_org_create, false);
}

enum err store_org_get(struct store *store, struct org_get *op)
{
    return store_submit_run(store, &op->op, run_org_get, true);
}

enum err store_org_list(struct store *store, struct org_list *op)
{
    return store_submit_run(store, &op->op, run_org_list, true);
}

enum err store_org_delete(struct store *store, struct org_delete *op)
{
    op->op.alone = true;
    return store_submit_run(store, &op->op, run_org_delete, false);
}

enum err store_token_create(struct store *store, struct token_create *op)
{
    return store_submit_run(store, &op->op, run_token_create, false);
}

enum err store_token_list(struct store *store, struct token_list *op)
{
    return store_submit_run(store, &op->op, run_token_list, true);
}

enum err store_token_delete(struct store *store, struct token_delete *op)
{
    return store_submit_run(store, &op->op, run_token_delete, false);
}

enum err store_token_find(struct store *store, struct token_find *op)
{
    return store_submit_run(store, &op->op, run_token_find, true);
}
