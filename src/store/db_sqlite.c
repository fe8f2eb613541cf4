/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db_sqlite - the driver for SQLite: one connection, used by one thread at a time.
 *
 * Write-ahead log, every commit synced. The connection that was opened with create is the one that
 * writes: it holds an exclusive lock on "<path>.lock" as long as it lives, so that two servers never
 * share a file, and it moves the log into the file in db_maintain(), never within a commit.
 *
 * A statement is kept under its text. Most texts are literals, so the pointer is tried first.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "store/db.h"

#define uthash_malloc(size) mem_new(size)
#define HASH_FUNCTION(key, len, hash)                                                              \
    HASH_SAX(key, len, hash) /* the default one is not for clang */
#include <uthash.h>

enum {
    WRITER_BUSY_MS = 5000,
    READER_BUSY_MS = 1000,
    RESTART_BUSY_MS = 100,   /* how long a checkpoint may wait for readers to end */
    CHECKPOINT_PAGES = 4000, /* 16 MiB of log */
    RESTART_PAGES = 16384,   /* 64 MiB of log: it is to start at its beginning again */
};

enum scan { SCAN_READY, SCAN_ROW, SCAN_ENDED };

struct sqlite_stmt {
    struct db_stmt base; /* first */
    struct sqlite_db *db;
    char *sql;              /* owned */
    const char *pointer;    /* the caller's text when it was prepared; compared, never read */
    sqlite3_stmt *prepared; /* NULL: the text did not prepare, failure says why */
    struct error failure;   /* code ERR_NONE: none */
    enum scan scan;
    UT_hash_handle by_text;
    UT_hash_handle by_pointer;
};

struct sqlite_db {
    struct db base; /* first */
    sqlite3 *handle;
    int lock_fd; /* -1: not the one that writes */
    struct sqlite_stmt *by_text;
    struct sqlite_stmt *by_pointer;
    int log_pages;     /* in the log after the last commit */
    int checkpoint_at; /* log pages from which on a checkpoint is worth its syncs */
};

static struct sqlite_db *of_db(struct db *db)
{
    return (struct sqlite_db *)db;
}

static struct sqlite_stmt *of_stmt(struct db_stmt *stmt)
{
    return (struct sqlite_stmt *)stmt;
}

static enum err err_of(int rc)
{
    switch (rc & 0xff) {
    case SQLITE_CONSTRAINT: return ERR_CONFLICT;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL: return ERR_BUSY;
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_NOMEM:
    case SQLITE_NOLFS:
    case SQLITE_ABORT: return ERR_UNAVAILABLE;
    case SQLITE_INTERRUPT: return ERR_CANCELLED;
    case SQLITE_TOOBIG: return ERR_LIMIT;
    /* Not a database, damaged, or not the tables that our statements expect. */
    default: return ERR_CORRUPT;
    }
}

static enum err fail(const struct sqlite_db *db, int rc, struct error *why)
{
    return error_set(why, err_of(rc), "database: %s", sqlite3_errmsg(db->handle));
}

/* ---- statements ---- */

static void stmt_fail(struct sqlite_stmt *stmt, int rc)
{
    if (stmt->failure.code == ERR_NONE)
        (void)fail(stmt->db, rc, &stmt->failure);
}

/* Ends the scan. The result of sqlite3_reset is that of the last step, which was reported then. */
static void stmt_reset(struct sqlite_stmt *stmt, enum scan scan)
{
    (void)sqlite3_reset(stmt->prepared);
    stmt->scan = scan;
}

/* "$1" to "?1": SQLite numbers "$1" by first appearance, "?1" by its digits. */
static void add_rewritten(struct buf *buf, const char *sql)
{
    char quote = '\0'; /* inside '...', "..." or a comment up to the end of its line */

    for (const char *p = sql; *p != '\0'; p++) {
        if (quote == '\0' && p[0] == '$' && p[1] >= '0' && p[1] <= '9') {
            buf_add_char(buf, '?');
            continue;
        }
        if (quote != '\0')
            quote = *p == quote ? '\0' : quote;
        else if (*p == '\'' || *p == '"')
            quote = *p;
        else if (p[0] == '-' && p[1] == '-')
            quote = '\n';
        buf_add_char(buf, *p);
    }
}

static void stmt_prepare(struct sqlite_stmt *stmt)
{
    CLEANUP(buf_done) struct buf sql = {0};

    add_rewritten(&sql, stmt->sql);
    if (buf_err(&sql) != ERR_NONE) {
        (void)error_set(&stmt->failure, ERR_LIMIT, "database: a statement is too long");
        return;
    }
    int rc = sqlite3_prepare_v3(stmt->db->handle,
            buf_str(&sql).ptr,
            (int)sql.len,
            SQLITE_PREPARE_PERSISTENT,
            &stmt->prepared,
            NULL);
    if (rc != SQLITE_OK)
        stmt_fail(stmt, rc);
    else if (stmt->prepared == NULL)
        (void)error_set(&stmt->failure, ERR_CORRUPT, "database: a statement is empty");
}

static struct sqlite_stmt *stmt_find(struct sqlite_db *db, const char *sql)
{
    struct sqlite_stmt *stmt = NULL;

    HASH_FIND(by_pointer, db->by_pointer, &sql, sizeof(sql), stmt);
    /* A text that is no literal may lie where another one lay before. */
    if (stmt == NULL || strcmp(stmt->sql, sql) != 0)
        HASH_FIND(by_text, db->by_text, sql, strlen(sql), stmt);
    return stmt;
}

static struct sqlite_stmt *stmt_add(struct sqlite_db *db, const char *sql)
{
    struct sqlite_stmt *stmt = mem_new(sizeof(*stmt));
    struct sqlite_stmt *same_pointer = NULL;
    size_t size = strlen(sql) + 1;

    stmt->base.ops = db->base.ops;
    stmt->db = db;
    stmt->pointer = sql;
    stmt->sql = mem_new(size);
    memcpy(stmt->sql, sql, size);
    HASH_ADD_KEYPTR(by_text, db->by_text, stmt->sql, size - 1, stmt);
    HASH_FIND(by_pointer, db->by_pointer, &sql, sizeof(sql), same_pointer);
    if (same_pointer == NULL)
        HASH_ADD(by_pointer, db->by_pointer, pointer, sizeof(stmt->pointer), stmt);
    return stmt;
}

static struct db_stmt *sqlite_stmt(struct db *base, const char *sql)
{
    struct sqlite_db *db = of_db(base);
    struct sqlite_stmt *stmt = stmt_find(db, sql);

    if (stmt == NULL)
        stmt = stmt_add(db, sql);
    stmt->failure.code = ERR_NONE;
    if (stmt->prepared == NULL) {
        stmt_prepare(stmt);
    } else {
        stmt_reset(stmt, SCAN_READY);
        (void)sqlite3_clear_bindings(stmt->prepared);
    }
    return &stmt->base;
}

/* True when the statement takes a binding now: one that has run is ready to run again. */
static bool stmt_can_bind(struct sqlite_stmt *stmt)
{
    if (stmt->failure.code != ERR_NONE)
        return false;
    if (stmt->scan != SCAN_READY)
        stmt_reset(stmt, SCAN_READY);
    return true;
}

static void sqlite_bind_i64(struct db_stmt *base, int param, int64_t value)
{
    struct sqlite_stmt *stmt = of_stmt(base);

    if (!stmt_can_bind(stmt))
        return;
    int rc = sqlite3_bind_int64(stmt->prepared, param, value);
    if (rc != SQLITE_OK)
        stmt_fail(stmt, rc);
}

static void sqlite_bind_str(struct db_stmt *base, int param, struct str value)
{
    struct sqlite_stmt *stmt = of_stmt(base);

    if (!stmt_can_bind(stmt))
        return;
    /* A NULL pointer binds NULL. */
    int rc = sqlite3_bind_text64(
            stmt->prepared, param, value.ptr, value.len, SQLITE_STATIC, SQLITE_UTF8);
    if (rc != SQLITE_OK)
        stmt_fail(stmt, rc);
}

static void sqlite_bind_bytes(struct db_stmt *base, int param, struct str value)
{
    struct sqlite_stmt *stmt = of_stmt(base);

    if (!stmt_can_bind(stmt))
        return;
    int rc = sqlite3_bind_blob64(stmt->prepared, param, value.ptr, value.len, SQLITE_STATIC);
    if (rc != SQLITE_OK)
        stmt_fail(stmt, rc);
}

/* Tells the failure that sticks, and forgets it unless the statement can never run. */
static enum err stmt_report(struct sqlite_stmt *stmt, struct error *why)
{
    enum err err = stmt->failure.code;

    if (why != NULL)
        *why = stmt->failure;
    if (stmt->prepared != NULL) {
        stmt_reset(stmt, SCAN_ENDED);
        stmt->failure.code = ERR_NONE;
    }
    return err;
}

static enum err sqlite_run(struct db_stmt *base, int64_t *ret_changes, struct error *why)
{
    struct sqlite_stmt *stmt = of_stmt(base);
    int rc;

    if (stmt->failure.code != ERR_NONE)
        return stmt_report(stmt, why);
    do
        rc = sqlite3_step(stmt->prepared);
    while (rc == SQLITE_ROW);
    if (rc != SQLITE_DONE) {
        stmt_fail(stmt, rc);
        return stmt_report(stmt, why);
    }
    if (ret_changes != NULL)
        *ret_changes = sqlite3_stmt_readonly(stmt->prepared) != 0
                               ? 0
                               : sqlite3_changes64(stmt->db->handle);
    stmt_reset(stmt, SCAN_ENDED);
    return ERR_NONE;
}

static enum err sqlite_next(struct db_stmt *base, bool *ret_row, struct error *why)
{
    struct sqlite_stmt *stmt = of_stmt(base);

    if (stmt->failure.code != ERR_NONE)
        return stmt_report(stmt, why);
    /* A step after the end would begin anew. */
    int rc = stmt->scan == SCAN_ENDED ? SQLITE_DONE : sqlite3_step(stmt->prepared);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
        stmt_fail(stmt, rc);
        return stmt_report(stmt, why);
    }
    if (rc == SQLITE_ROW)
        stmt->scan = SCAN_ROW;
    else
        stmt_reset(stmt, SCAN_ENDED);
    *ret_row = rc == SQLITE_ROW;
    return ERR_NONE;
}

static void sqlite_stop(struct db_stmt *base)
{
    struct sqlite_stmt *stmt = of_stmt(base);

    if (stmt->prepared != NULL)
        stmt_reset(stmt, SCAN_ENDED);
}

static const struct sqlite_stmt *of_const_stmt(const struct db_stmt *stmt)
{
    return (const struct sqlite_stmt *)stmt;
}

static int64_t sqlite_i64(const struct db_stmt *base, int column)
{
    return sqlite3_column_int64(of_const_stmt(base)->prepared, column);
}

static struct str sqlite_str(const struct db_stmt *base, int column)
{
    sqlite3_stmt *prepared = of_const_stmt(base)->prepared;
    int type = sqlite3_column_type(prepared, column);

    if (type == SQLITE_NULL)
        return STR_NONE;
    const char *ptr = type == SQLITE_BLOB ? sqlite3_column_blob(prepared, column)
                                          : (const char *)sqlite3_column_text(prepared, column);
    int len = sqlite3_column_bytes(prepared, column);
    /* SQLite gives NULL for no bytes. */
    return ptr != NULL && len > 0 ? (struct str){ptr, (size_t)len} : STR("");
}

/* ---- transactions ---- */

/* An open scan would keep the snapshot, and with it the log from being moved into the file. */
static void stop_scans(struct sqlite_db *db)
{
    for (struct sqlite_stmt *stmt = db->by_text; stmt != NULL; stmt = stmt->by_text.next)
        if (stmt->scan == SCAN_ROW)
            stmt_reset(stmt, SCAN_ENDED);
}

static void sqlite_rollback(struct db *base)
{
    struct sqlite_db *db = of_db(base);

    stop_scans(db);
    /* It fails when SQLite has ended the transaction by itself, and then all is done. */
    if (sqlite3_get_autocommit(db->handle) == 0)
        (void)sqlite_run(sqlite_stmt(base, "ROLLBACK"), NULL, NULL);
}

static enum err sqlite_begin(struct db *base, bool write, struct error *why)
{
    return sqlite_run(sqlite_stmt(base, write ? "BEGIN IMMEDIATE" : "BEGIN"), NULL, why);
}

static enum err sqlite_commit(struct db *base, struct error *why)
{
    struct sqlite_db *db = of_db(base);
    enum err err;

    stop_scans(db);
    /* A full disk and the like make SQLite roll back by itself; then COMMIT has nothing to keep. */
    if (sqlite3_get_autocommit(db->handle) != 0)
        return error_set(why, ERR_UNAVAILABLE, "database: the transaction was rolled back");
    err = sqlite_run(sqlite_stmt(base, "COMMIT"), NULL, why);
    if (err != ERR_NONE)
        sqlite_rollback(base);
    return err;
}

static enum err sqlite_exec(struct db *base, const char *sql, struct error *why)
{
    struct sqlite_db *db = of_db(base);
    int rc = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? ERR_NONE : fail(db, rc, why);
}

/* ---- the log ---- */

/* Called by SQLite after each commit that wrote. */
static int note_log_pages(void *ctx, sqlite3 *handle, const char *schema, int pages)
{
    struct sqlite_db *db = ctx;

    (void)handle;
    (void)schema;
    if (pages < db->log_pages) /* it started at its beginning again */
        db->checkpoint_at = CHECKPOINT_PAGES;
    db->log_pages = pages;
    return SQLITE_OK;
}

/* Readers that use the log's end keep it from starting again. Rather than trying after each commit,
 * the next checkpoint comes when it has grown by as much again. */
static enum err sqlite_maintain(struct db *base, struct error *why)
{
    struct sqlite_db *db = of_db(base);
    bool restart = db->log_pages >= RESTART_PAGES;

    if (db->log_pages < db->checkpoint_at)
        return ERR_NONE;
    db->checkpoint_at = db->log_pages + CHECKPOINT_PAGES;
    (void)sqlite3_busy_timeout(db->handle, RESTART_BUSY_MS);
    int rc = sqlite3_wal_checkpoint_v2(db->handle,
            NULL,
            restart ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE,
            NULL,
            NULL);
    enum err err = rc == SQLITE_OK || rc == SQLITE_BUSY ? ERR_NONE : fail(db, rc, why);
    (void)sqlite3_busy_timeout(db->handle, WRITER_BUSY_MS);
    return err;
}

/* ---- opening and closing ---- */

static void sqlite_close(struct db *base)
{
    struct sqlite_db *db = of_db(base);
    struct sqlite_stmt *stmt = db->by_text;

    HASH_CLEAR(by_pointer, db->by_pointer);
    while (stmt != NULL) {
        struct sqlite_stmt *next = stmt->by_text.next;

        HASH_DELETE(by_text, db->by_text, stmt);
        (void)sqlite3_finalize(stmt->prepared);
        free(stmt->sql);
        free(stmt);
        stmt = next;
    }
    (void)sqlite3_close(db->handle);
    if (db->lock_fd >= 0)
        (void)close(db->lock_fd); /* gives the lock back */
    free(db);
}

static const struct db_dialect SQLITE_DIALECT = {
        .name = "sqlite",
        .skip_locked = "",
        .key_type = "INTEGER PRIMARY KEY",
        .blob_type = "BLOB",
        .table_names = "SELECT name FROM sqlite_schema WHERE type = 'table'",
};

static const struct db_ops SQLITE_OPS = {
        .dialect = &SQLITE_DIALECT,
        .close = sqlite_close,
        .begin = sqlite_begin,
        .commit = sqlite_commit,
        .rollback = sqlite_rollback,
        .exec = sqlite_exec,
        .stmt = sqlite_stmt,
        .bind_i64 = sqlite_bind_i64,
        .bind_str = sqlite_bind_str,
        .bind_bytes = sqlite_bind_bytes,
        .run = sqlite_run,
        .next = sqlite_next,
        .stop = sqlite_stop,
        .i64 = sqlite_i64,
        .str = sqlite_str,
        .maintain = sqlite_maintain,
};

static enum err take_lock(struct sqlite_db *db, const char *path, struct error *why)
{
    CLEANUP(buf_done) struct buf lock_path = {0};

    buf_addf(&lock_path, "%s.lock%c", path, '\0');
    if (buf_err(&lock_path) != ERR_NONE)
        return error_set(why, ERR_UNAVAILABLE, "the path of the database is too long");
    db->lock_fd = open(lock_path.ptr, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (db->lock_fd < 0)
        return error_set(why, ERR_UNAVAILABLE, "%s: %s", lock_path.ptr, strerror(errno));
    if (flock(db->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return ERR_NONE;
    if (errno == EWOULDBLOCK)
        return error_set(why, ERR_BUSY, "another callsync serves this folder (%s)", path);
    return error_set(why, ERR_UNAVAILABLE, "%s: %s", lock_path.ptr, strerror(errno));
}

/* Made here and not by SQLite for its mode; SQLite gives the files beside it the same one. Under the
 * lock: to close a file drops the locks that SQLite may have on it in this process. */
static enum err make_file(const char *path, struct error *why)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int failed = fd < 0 || fchmod(fd, 0600) != 0 ? errno : 0;

    if (fd >= 0)
        (void)close(fd);
    if (failed != 0)
        return error_set(why, ERR_UNAVAILABLE, "%s: %s", path, strerror(failed));
    return ERR_NONE;
}

/* Bounded memory, no mapping (an unreadable page would be a signal, not an error). */
static const char SETTINGS[] = "PRAGMA synchronous = FULL;"
                               "PRAGMA foreign_keys = OFF;"
                               "PRAGMA temp_store = MEMORY;"
                               "PRAGMA mmap_size = 0;"
                               "SELECT count(*) FROM sqlite_schema;"; /* reads the header */

/* SQLite answers with the mode that it keeps to when it cannot change it. */
static enum err use_log(struct sqlite_db *db, struct error *why)
{
    struct db_stmt *stmt = sqlite_stmt(&db->base, "PRAGMA journal_mode = WAL");
    bool row = false;
    enum err err = sqlite_next(stmt, &row, why);

    if (err == ERR_NONE && !(row && str_is(sqlite_str(stmt, 0), "wal")))
        err = error_set(why, ERR_UNAVAILABLE, "its file system has no shared memory");
    sqlite_stop(stmt);
    return err;
}

static enum err configure(struct sqlite_db *db, const char *path, struct error *why)
{
    bool writes = db->lock_fd >= 0;
    struct error cause = {0};
    enum err err;

    (void)sqlite3_busy_timeout(db->handle, writes ? WRITER_BUSY_MS : READER_BUSY_MS);
    err = use_log(db, &cause);
    if (err == ERR_NONE)
        err = sqlite_exec(&db->base, SETTINGS, &cause);
    if (err == ERR_NONE) /* KiB */
        err = sqlite_exec(&db->base,
                writes ? "PRAGMA cache_size = -16384" : "PRAGMA cache_size = -4096",
                &cause);
    if (err != ERR_NONE)
        return error_set(why, err, "%s: %s", path, cause.text);
    db->checkpoint_at = CHECKPOINT_PAGES;
    (void)sqlite3_wal_hook(db->handle, note_log_pages, db); /* and no checkpoint within a commit */
    return ERR_NONE;
}

static enum err open_file(struct sqlite_db *db, const char *path, struct error *why)
{
    /* Without statistics an allocation needs no lock. Counts for the first connection of the
     * process only; later calls change nothing. */
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);

    int rc = sqlite3_open_v2(path, &db->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

    if (rc != SQLITE_OK)
        return error_set(why, err_of(rc), "%s: %s", path, sqlite3_errstr(rc));
    return configure(db, path, why);
}

enum err db_sqlite_open(const char *path, bool create, struct db **ret_db, struct error *why)
{
    struct sqlite_db *db = mem_new(sizeof(*db));
    enum err err = ERR_NONE;

    db->base.ops = &SQLITE_OPS;
    db->lock_fd = -1;
    if (create)
        err = take_lock(db, path, why);
    if (err == ERR_NONE && create)
        err = make_file(path, why);
    if (err == ERR_NONE)
        err = open_file(db, path, why);
    if (err != ERR_NONE) {
        sqlite_close(&db->base);
        return err;
    }
    *ret_db = &db->base;
    return ERR_NONE;
}
