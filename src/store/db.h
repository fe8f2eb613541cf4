/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db - one connection to a SQL database, the same calls for SQLite and (later) PostgreSQL.
 *
 * Every call may block: only the store's threads use it, each its own connection. SQL is written
 * once, in the subset both understand, with $1, $2 ... for parameters. What the two do not share is
 * in struct db_dialect.
 *
 * Errors stick: after a call on a statement fails, the statement ignores further calls until
 * db_run() or db_next() has reported it. Binding therefore needs no checks.
 *
 * The vtable sits here, under all SQL: db_sqlite.c, and db_fault.c, which wraps another one and
 * makes the n-th call fail.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

struct db_dialect {
    const char *name;        /* "sqlite", "postgresql": for logs and tests */
    const char *skip_locked; /* ends a SELECT that claims rows; "" where one writer is alone */
    const char *key_type;    /* what $KEY in a migration stands for: a 64-bit primary key */
    const char *blob_type;   /* what $BLOB stands for */
    const char *table_names; /* SQL: the names of all tables */
};

struct db;      /* a connection */
struct db_stmt; /* a prepared statement; its connection owns it and keeps it */

struct db_ops {
    const struct db_dialect *dialect;
    void (*close)(struct db *db);
    enum err (*begin)(struct db *db, bool write, struct error *why);
    enum err (*commit)(struct db *db, struct error *why);
    void (*rollback)(struct db *db);
    enum err (*exec)(struct db *db, const char *sql, struct error *why);
    struct db_stmt *(*stmt)(struct db *db, const char *sql);
    void (*bind_i64)(struct db_stmt *stmt, int param, int64_t value);
    void (*bind_str)(struct db_stmt *stmt, int param, struct str value);
    void (*bind_bytes)(struct db_stmt *stmt, int param, struct str value);
    enum err (*run)(struct db_stmt *stmt, int64_t *ret_changes, struct error *why);
    enum err (*next)(struct db_stmt *stmt, bool *ret_row, struct error *why);
    void (*stop)(struct db_stmt *stmt);
    int64_t (*i64)(const struct db_stmt *stmt, int column);
    struct str (*str)(const struct db_stmt *stmt, int column);
    enum err (*maintain)(struct db *db, struct error *why);
};

/** First member of each driver's connection, and of each driver's statement. */
struct db {
    const struct db_ops *ops;
};
struct db_stmt {
    const struct db_ops *ops;
};

static inline const struct db_dialect *db_dialect(const struct db *db)
{
    return db->ops->dialect;
}

/** NULL is fine. */
static inline void db_close(struct db *db)
{
    if (db != NULL)
        db->ops->close(db);
}

/** Starts a transaction; write takes the write lock at once. */
MUST_CHECK static inline enum err db_begin(struct db *db, bool write, struct error *why)
{
    return db->ops->begin(db, write, why);
}

/** On failure the transaction is rolled back. */
MUST_CHECK static inline enum err db_commit(struct db *db, struct error *why)
{
    return db->ops->commit(db, why);
}

/** Nothing happens outside a transaction. */
static inline void db_rollback(struct db *db)
{
    db->ops->rollback(db);
}

/** Runs SQL without parameters or rows: migrations, savepoints. May hold several statements. */
MUST_CHECK static inline enum err db_exec(struct db *db, const char *sql, struct error *why)
{
    return db->ops->exec(db, sql, why);
}

/** The statement for this SQL text, prepared once a connection, looked up by the text. Never
 *  NULL: a text that does not prepare fails at db_run() or db_next(). Stops a scan that is still
 *  open on it and forgets old bindings. */
static inline struct db_stmt *db_stmt(struct db *db, const char *sql)
{
    return db->ops->stmt(db, sql);
}

static inline void db_bind_i64(struct db_stmt *stmt, int param, int64_t value)
{
    stmt->ops->bind_i64(stmt, param, value);
}

/** Bytes must stay put until the statement is run or stopped; {NULL} binds NULL. */
static inline void db_bind_str(struct db_stmt *stmt, int param, struct str value)
{
    stmt->ops->bind_str(stmt, param, value);
}

static inline void db_bind_bytes(struct db_stmt *stmt, int param, struct str value)
{
    stmt->ops->bind_bytes(stmt, param, value);
}

/** NULL when value is 0: for moments and numbers whose 0 means "none". */
static inline void db_bind_i64_or_null(struct db_stmt *stmt, int param, int64_t value)
{
    if (value != 0)
        db_bind_i64(stmt, param, value);
    else
        db_bind_str(stmt, param, STR_NONE);
}

/** Runs to the end; *ret_changes (NULL: not wanted) is the number of rows changed. */
MUST_CHECK static inline enum err
db_run(struct db_stmt *stmt, int64_t *ret_changes, struct error *why)
{
    return stmt->ops->run(stmt, ret_changes, why);
}

/** Fetches the next row: *ret_row is false at the end. Call until then, or db_stop(). */
MUST_CHECK static inline enum err db_next(struct db_stmt *stmt, bool *ret_row, struct error *why)
{
    return stmt->ops->next(stmt, ret_row, why);
}

static inline void db_stop(struct db_stmt *stmt)
{
    stmt->ops->stop(stmt);
}

/** 0 for NULL. Columns count from 0. */
static inline int64_t db_i64(const struct db_stmt *stmt, int column)
{
    return stmt->ops->i64(stmt, column);
}

/** Text or bytes; none for NULL; valid until the next db_next(). */
static inline struct str db_str(const struct db_stmt *stmt, int column)
{
    return stmt->ops->str(stmt, column);
}

/** Housekeeping between transactions: a checkpoint of the log. May take long. */
MUST_CHECK static inline enum err db_maintain(struct db *db, struct error *why)
{
    return db->ops->maintain(db, why);
}

/** Opens the SQLite file at path; the first connection, with create, makes it (mode 0600).
 *  ERR_BUSY when another process serves this file, ERR_CORRUPT when it is no database,
 *  ERR_UNAVAILABLE when it cannot be opened. */
MUST_CHECK enum err
db_sqlite_open(const char *path, bool create, struct db **ret_db, struct error *why);

/** Wraps db (taken) so that call number fail_at (1 is the first; 0: none) of begin, run, next,
 *  exec and commit fails with ERR_UNAVAILABLE. *calls counts them all. For tests. */
struct db *db_fault_new(struct db *take_db, const int64_t *fail_at, int64_t *calls);
