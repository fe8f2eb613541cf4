/* SPDX-License-Identifier: Apache-2.0 */
/*
 * migrate - applies the migrations that a database lacks. The version is the one row of the table
 * schema_version, which is made with the first migration. The table of migrations itself is made
 * by tools/embed.py from schema/.
 */
#include "store/migrate.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"

/* Leaves both alone when it fails. */
static enum err
look_at_tables(struct db *db, bool *ret_has_tables, bool *ret_has_version, struct error *why)
{
    struct db_stmt *stmt = db_stmt(db, db_dialect(db)->table_names);
    bool has_tables = false, has_version = false;

    for (;;) {
        bool row = false;
        enum err err = db_next(stmt, &row, why);

        if (err != ERR_NONE)
            return err;
        if (!row)
            break;
        has_tables = true;
        has_version = has_version || str_is(db_str(stmt, 0), "schema_version");
    }
    *ret_has_tables = has_tables;
    *ret_has_version = has_version;
    return ERR_NONE;
}

/* 0: the database is empty. */
static enum err read_version(struct db *db, int64_t *ret_version, struct error *why)
{
    bool has_tables = false, has_version = false, row = false;
    enum err err = look_at_tables(db, &has_tables, &has_version, why);

    if (err != ERR_NONE)
        return err;
    if (!has_tables) {
        *ret_version = 0;
        return ERR_NONE;
    }
    if (has_version) {
        struct db_stmt *stmt = db_stmt(db, "SELECT version FROM schema_version");

        err = db_next(stmt, &row, why);
        if (row)
            *ret_version = db_i64(stmt, 0);
        db_stop(stmt);
    }
    if (err == ERR_NONE && !row)
        return error_set(why, ERR_CORRUPT, "the database holds tables, but not CallSync's");
    return err;
}

/* Appends the migration's SQL with the names of types that this database knows, and NUL. */
static void add_sql(struct buf *buf, const struct db_dialect *dialect, const char *sql)
{
    while (*sql != '\0') {
        if (strncmp(sql, "$KEY", 4) == 0) {
            buf_add_text(buf, dialect->key_type);
            sql += 4;
        } else if (strncmp(sql, "$BLOB", 5) == 0) {
            buf_add_text(buf, dialect->blob_type);
            sql += 5;
        } else {
            buf_add_char(buf, *sql++);
        }
    }
    buf_add_char(buf, '\0');
}

static enum err write_version(struct db *db, bool first, int version, struct error *why)
{
    enum err err = ERR_NONE;

    if (first)
        err = db_exec(db,
                "CREATE TABLE schema_version (version BIGINT NOT NULL);"
                "INSERT INTO schema_version (version) VALUES (0)",
                why);
    if (err != ERR_NONE)
        return err;
    struct db_stmt *stmt = db_stmt(db, "UPDATE schema_version SET version = $1");
    db_bind_i64(stmt, 1, version);
    return db_run(stmt, NULL, why);
}

/* One migration and its version, in one transaction. */
static enum err
apply(struct db *db, const struct migration *migration, bool first, struct error *why)
{
    CLEANUP(buf_done) struct buf sql = {0};
    struct error cause = {0};
    enum err err;

    add_sql(&sql, db_dialect(db), migration->sql);
    err = buf_err(&sql);
    if (err != ERR_NONE)
        return error_set(why, err, "migration %d is too long", migration->version);
    err = db_begin(db, true, why);
    if (err != ERR_NONE)
        return err;
    err = db_exec(db, sql.ptr, &cause);
    if (err == ERR_NONE)
        err = write_version(db, first, migration->version, &cause);
    if (err == ERR_NONE)
        err = db_commit(db, &cause);
    else
        db_rollback(db);
    if (err != ERR_NONE)
        return error_set(why, err, "migration %d: %s", migration->version, cause.text);
    return ERR_NONE;
}

enum err
migrate_run(struct db *db, const struct migration *migrations, size_t count, struct error *why)
{
    int highest = count > 0 ? migrations[count - 1].version : 0;
    int64_t version = 0;
    enum err err = read_version(db, &version, why);

    if (err != ERR_NONE)
        return err;
    if (version > highest)
        return error_set(why,
                ERR_INVALID,
                "the database has version %" PRId64 ", this program knows %d: it is of a newer one",
                version,
                highest);
    for (size_t i = 0; err == ERR_NONE && i < count; i++)
        if (migrations[i].version > version)
            err = apply(db, &migrations[i], version == 0 && i == 0, why);
    return err;
}
