/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db_fault - a connection around another one, of which one chosen call fails: so that a test can
 * walk through every place at which a database may let us down. The call that fails does nothing,
 * but that a commit rolls back and a statement stops, as after a real failure.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "store/db.h"

#define uthash_malloc(size)           mem_new(size)
#define HASH_FUNCTION(key, len, hash) HASH_SAX(key, len, hash) /* clang warns of the default one */
#include <uthash.h>

struct fault_stmt {
    struct db_stmt base; /* first */
    struct fault_db *db;
    struct db_stmt *inner; /* the hash key */
    UT_hash_handle hh;
};

struct fault_db {
    struct db base;    /* first */
    struct db_ops ops; /* with the inner one's dialect */
    struct db *inner;  /* owned */
    const int64_t *fail_at;
    int64_t *calls;
    struct fault_stmt *stmts; /* by inner statement */
};

static struct fault_db *of_db(struct db *db)
{
    return (struct fault_db *)db;
}

static struct fault_stmt *of_stmt(struct db_stmt *stmt)
{
    return (struct fault_stmt *)stmt;
}

static enum err count_call(struct fault_db *db, struct error *why)
{
    ++*db->calls;
    if (*db->calls != *db->fail_at)
        return ERR_NONE;
    return error_set(why, ERR_UNAVAILABLE, "database: made to fail");
}

static void fault_close(struct db *base)
{
    struct fault_db *db = of_db(base);
    struct fault_stmt *stmt = db->stmts;

    while (stmt != NULL) {
        struct fault_stmt *next = stmt->hh.next;

        HASH_DELETE(hh, db->stmts, stmt);
        free(stmt);
        stmt = next;
    }
    db_close(db->inner);
    free(db);
}

static enum err fault_begin(struct db *base, bool write, struct error *why)
{
    struct fault_db *db = of_db(base);
    enum err err = count_call(db, why);

    return err != ERR_NONE ? err : db_begin(db->inner, write, why);
}

static enum err fault_commit(struct db *base, struct error *why)
{
    struct fault_db *db = of_db(base);
    enum err err = count_call(db, why);

    if (err == ERR_NONE)
        return db_commit(db->inner, why);
    db_rollback(db->inner);
    return err;
}

static void fault_rollback(struct db *base)
{
    db_rollback(of_db(base)->inner);
}

static enum err fault_exec(struct db *base, const char *sql, struct error *why)
{
    struct fault_db *db = of_db(base);
    enum err err = count_call(db, why);

    return err != ERR_NONE ? err : db_exec(db->inner, sql, why);
}

static struct db_stmt *fault_stmt(struct db *base, const char *sql)
{
    struct fault_db *db = of_db(base);
    struct db_stmt *inner = db_stmt(db->inner, sql);
    struct fault_stmt *stmt = NULL;

    HASH_FIND_PTR(db->stmts, &inner, stmt);
    if (stmt == NULL) {
        stmt = mem_new(sizeof(*stmt));
        stmt->base.ops = &db->ops;
        stmt->db = db;
        stmt->inner = inner;
        HASH_ADD_PTR(db->stmts, inner, stmt);
    }
    return &stmt->base;
}

static void fault_bind_i64(struct db_stmt *base, int param, int64_t value)
{
    db_bind_i64(of_stmt(base)->inner, param, value);
}

static void fault_bind_str(struct db_stmt *base, int param, struct str value)
{
    db_bind_str(of_stmt(base)->inner, param, value);
}

static void fault_bind_bytes(struct db_stmt *base, int param, struct str value)
{
    db_bind_bytes(of_stmt(base)->inner, param, value);
}

static enum err fault_run(struct db_stmt *base, int64_t *ret_changes, struct error *why)
{
    struct fault_stmt *stmt = of_stmt(base);
    enum err err = count_call(stmt->db, why);

    if (err == ERR_NONE)
        return db_run(stmt->inner, ret_changes, why);
    db_stop(stmt->inner);
    return err;
}

static enum err fault_next(struct db_stmt *base, bool *ret_row, struct error *why)
{
    struct fault_stmt *stmt = of_stmt(base);
    enum err err = count_call(stmt->db, why);

    if (err == ERR_NONE)
        return db_next(stmt->inner, ret_row, why);
    db_stop(stmt->inner);
    return err;
}

static void fault_stop(struct db_stmt *base)
{
    db_stop(of_stmt(base)->inner);
}

static const struct fault_stmt *of_const_stmt(const struct db_stmt *stmt)
{
    return (const struct fault_stmt *)stmt;
}

static int64_t fault_i64(const struct db_stmt *base, int column)
{
    return db_i64(of_const_stmt(base)->inner, column);
}

static struct str fault_str(const struct db_stmt *base, int column)
{
    return db_str(of_const_stmt(base)->inner, column);
}

static enum err fault_maintain(struct db *base, struct error *why)
{
    return db_maintain(of_db(base)->inner, why);
}

struct db *db_fault_new(struct db *take_db, const int64_t *fail_at, int64_t *calls)
{
    struct fault_db *db = mem_new(sizeof(*db));

    db->ops = (struct db_ops){
            .dialect = db_dialect(take_db),
            .close = fault_close,
            .begin = fault_begin,
            .commit = fault_commit,
            .rollback = fault_rollback,
            .exec = fault_exec,
            .stmt = fault_stmt,
            .bind_i64 = fault_bind_i64,
            .bind_str = fault_bind_str,
            .bind_bytes = fault_bind_bytes,
            .run = fault_run,
            .next = fault_next,
            .stop = fault_stop,
            .i64 = fault_i64,
            .str = fault_str,
            .maintain = fault_maintain,
    };
    db->base.ops = &db->ops;
    db->inner = take_db;
    db->fail_at = fail_at;
    db->calls = calls;
    return &db->base;
}
