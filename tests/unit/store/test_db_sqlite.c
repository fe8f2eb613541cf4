/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of store/db_sqlite. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "store/db.h"
#include "support/temp_folder.h"

struct fixture {
    struct temp_folder folder;
    const char *path;
    struct db *db;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    temp_folder_init(&f->folder);
    f->path = temp_folder_path(&f->folder, "test.db");
    assert_int_equal(db_sqlite_open(f->path, true, &f->db, NULL), ERR_NONE);
    assert_int_equal(db_exec(f->db, "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT, c BLOB)", NULL),
            ERR_NONE);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    db_close(f->db);
    temp_folder_done(&f->folder);
    free(f);
    return 0;
}

static void insert(struct db *db, int64_t a, struct str b)
{
    struct db_stmt *stmt = db_stmt(db, "INSERT INTO t (a, b) VALUES ($1, $2)");

    db_bind_i64(stmt, 1, a);
    db_bind_str(stmt, 2, b);
    assert_int_equal(db_run(stmt, NULL, NULL), ERR_NONE);
}

static int64_t count_rows(struct db *db)
{
    struct db_stmt *stmt = db_stmt(db, "SELECT count(*) FROM t");
    bool row = false;

    assert_int_equal(db_next(stmt, &row, NULL), ERR_NONE);
    assert_true(row);
    int64_t count = db_i64(stmt, 0);
    db_stop(stmt);
    return count;
}

static void values_come_back_as_they_were_bound(void **state)
{
    static const struct str texts[] = {
            {NULL, 0}, {"", 0}, {"x", 1}, {"a\0b", 3}, {"\xe2\x82\xac 'quoted'", 12}};
    struct fixture *f = *state;
    bool row = false;

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct db_stmt *stmt = db_stmt(f->db, "INSERT INTO t (a, b, c) VALUES ($1, $2, $3)");

        db_bind_i64(stmt, 1, INT64_MAX - (int64_t)i);
        db_bind_str(stmt, 2, texts[i]);
        db_bind_bytes(stmt, 3, texts[i]);
        assert_int_equal(db_run(stmt, NULL, NULL), ERR_NONE);
    }
    struct db_stmt *stmt = db_stmt(f->db, "SELECT a, b, c FROM t ORDER BY a DESC");
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(db_next(stmt, &row, NULL), ERR_NONE);
        assert_true(row);
        assert_int_equal(db_i64(stmt, 0), INT64_MAX - (int64_t)i);
        assert_true(str_equal(db_str(stmt, 1), texts[i]));
        assert_true(str_equal(db_str(stmt, 2), texts[i]));
    }
    assert_int_equal(db_next(stmt, &row, NULL), ERR_NONE);
    assert_false(row);
}

static void parameters_are_numbered_by_their_digits(void **state)
{
    struct fixture *f = *state;
    struct db_stmt *stmt =
            db_stmt(f->db, "SELECT $2, '$1', $1, \"a\" FROM t -- $3 isn't one\n WHERE a = $1");
    bool row = false;

    insert(f->db, 7, STR("seven"));
    db_bind_i64(stmt, 1, 7);
    db_bind_i64(stmt, 2, 70);
    assert_int_equal(db_next(stmt, &row, NULL), ERR_NONE);
    assert_true(row);
    assert_int_equal(db_i64(stmt, 0), 70);
    assert_true(str_is(db_str(stmt, 1), "$1"));
    assert_int_equal(db_i64(stmt, 2), 7);
    assert_int_equal(db_i64(stmt, 3), 7);
    db_stop(stmt);
}

static void a_statement_is_prepared_once_for_its_text(void **state)
{
    struct fixture *f = *state;
    char text[] = "SELECT a FROM t WHERE a = $1";
    char same[] = "SELECT a FROM t WHERE a = $1";
    struct db_stmt *stmt = db_stmt(f->db, text);

    assert_ptr_equal(db_stmt(f->db, text), stmt);
    assert_ptr_equal(db_stmt(f->db, same), stmt);
    text[7] = 'b'; /* another text where the first one lay */
    assert_ptr_not_equal(db_stmt(f->db, text), stmt);
    assert_ptr_equal(db_stmt(f->db, same), stmt);
}

static void taking_a_statement_again_forgets_scan_and_bindings(void **state)
{
    struct fixture *f = *state;
    bool row = false;

    insert(f->db, 1, STR("one"));
    insert(f->db, 2, STR("two"));
    for (int i = 0; i < 2; i++) {
        struct db_stmt *stmt = db_stmt(f->db, "SELECT a FROM t WHERE a >= $1 OR $1 IS NULL");

        assert_int_equal(db_next(stmt, &row, NULL), ERR_NONE);
        assert_true(row);
        assert_int_equal(db_i64(stmt, 0), 1);
        stmt = db_stmt(f->db, "SELECT a FROM t WHERE a >= $1 OR $1 IS NULL");
        db_bind_i64(stmt, 1, 2);
        assert_int_equal(db_next(stmt, &row, NULL), ERR_NONE);
        assert_int_equal(db_i64(stmt, 0), 2);
    }
}

static void a_scan_that_ended_stays_ended(void **state)
{
    struct fixture *f = *state;
    struct db_stmt *stmt = db_stmt(f->db, "SELECT a FROM t");
    bool row = false;

    insert(f->db, 1, STR("one"));
    assert_int_equal(db_next(stmt, &row, NULL), ERR_NONE);
    assert_true(row);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(db_next(stmt, &row, NULL), ERR_NONE);
        assert_false(row);
    }
}

static void a_statement_that_ran_runs_again_with_new_bindings(void **state)
{
    struct fixture *f = *state;
    struct db_stmt *stmt = db_stmt(f->db, "INSERT INTO t (a) VALUES ($1)");

    for (int64_t i = 1; i <= 3; i++) {
        db_bind_i64(stmt, 1, i);
        assert_int_equal(db_run(stmt, NULL, NULL), ERR_NONE);
    }
    assert_int_equal(count_rows(f->db), 3);
}

static void changes_are_counted(void **state)
{
    struct fixture *f = *state;
    int64_t changes = -1;

    insert(f->db, 1, STR("one"));
    insert(f->db, 2, STR("two"));
    struct db_stmt *stmt = db_stmt(f->db, "UPDATE t SET b = 'x' WHERE a > $1");
    db_bind_i64(stmt, 1, 0);
    assert_int_equal(db_run(stmt, &changes, NULL), ERR_NONE);
    assert_int_equal(changes, 2);
    db_bind_i64(stmt, 1, 9);
    assert_int_equal(db_run(stmt, &changes, NULL), ERR_NONE);
    assert_int_equal(changes, 0);
}

static void returned_rows_need_not_be_read_to_the_end(void **state)
{
    struct fixture *f = *state;
    bool row = false;

    assert_int_equal(db_begin(f->db, true, NULL), ERR_NONE);
    struct db_stmt *stmt = db_stmt(f->db, "INSERT INTO t (a) VALUES (1), (2), (3) RETURNING a");
    assert_int_equal(db_next(stmt, &row, NULL), ERR_NONE);
    assert_true(row);
    db_stop(stmt);
    assert_int_equal(db_commit(f->db, NULL), ERR_NONE);
    assert_int_equal(count_rows(f->db), 3);
}

static void a_text_that_does_not_prepare_fails_when_it_runs(void **state)
{
    struct fixture *f = *state;
    struct error why = {0};
    struct db_stmt *stmt = db_stmt(f->db, "SELECT a FROM later");
    bool row = false;

    db_bind_i64(stmt, 1, 1); /* ignored */
    assert_int_equal(db_next(stmt, &row, &why), ERR_CORRUPT);
    assert_non_null(strstr(why.text, "later"));
    assert_int_equal(db_run(stmt, NULL, NULL), ERR_CORRUPT);
    db_stop(stmt);
    assert_int_equal(db_exec(f->db, "CREATE TABLE later (a BIGINT)", NULL), ERR_NONE);
    assert_int_equal(db_run(db_stmt(f->db, "SELECT a FROM later"), NULL, NULL), ERR_NONE);
}

static void a_binding_that_fails_sticks_until_it_is_told(void **state)
{
    struct fixture *f = *state;
    struct db_stmt *stmt = db_stmt(f->db, "INSERT INTO t (a) VALUES ($1)");

    db_bind_i64(stmt, 2, 1); /* there is none */
    db_bind_i64(stmt, 1, 1);
    assert_int_equal(db_run(stmt, NULL, NULL), ERR_CORRUPT);
    assert_int_equal(count_rows(f->db), 0);
    db_bind_i64(stmt, 1, 1);
    assert_int_equal(db_run(stmt, NULL, NULL), ERR_NONE);
    assert_int_equal(count_rows(f->db), 1);
}

static void a_broken_constraint_is_a_conflict_and_spares_the_transaction(void **state)
{
    struct fixture *f = *state;
    struct error why = {0};

    assert_int_equal(db_begin(f->db, true, NULL), ERR_NONE);
    insert(f->db, 1, STR("kept"));
    struct db_stmt *stmt = db_stmt(f->db, "INSERT INTO t (a, b) VALUES ($1, $2)");
    db_bind_i64(stmt, 1, 1);
    db_bind_str(stmt, 2, STR("secret"));
    assert_int_equal(db_run(stmt, NULL, &why), ERR_CONFLICT);
    assert_null(strstr(why.text, "secret"));
    assert_int_equal(db_commit(f->db, NULL), ERR_NONE);
    assert_int_equal(count_rows(f->db), 1);
}

static void rolling_back_undoes_and_ends_scans(void **state)
{
    struct fixture *f = *state;
    bool row = false;

    db_rollback(f->db); /* outside: nothing */
    insert(f->db, 1, STR("one"));
    assert_int_equal(db_begin(f->db, true, NULL), ERR_NONE);
    insert(f->db, 2, STR("two"));
    struct db_stmt *stmt = db_stmt(f->db, "SELECT a FROM t");
    assert_int_equal(db_next(stmt, &row, NULL), ERR_NONE);
    db_rollback(f->db);
    assert_int_equal(db_next(stmt, &row, NULL), ERR_NONE);
    assert_false(row);
    assert_int_equal(count_rows(f->db), 1);
}

static void a_savepoint_undoes_only_what_came_after_it(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(db_begin(f->db, true, NULL), ERR_NONE);
    insert(f->db, 1, STR("one"));
    assert_int_equal(db_run(db_stmt(f->db, "SAVEPOINT op"), NULL, NULL), ERR_NONE);
    insert(f->db, 2, STR("two"));
    assert_int_equal(db_run(db_stmt(f->db, "ROLLBACK TO op"), NULL, NULL), ERR_NONE);
    assert_int_equal(db_run(db_stmt(f->db, "RELEASE op"), NULL, NULL), ERR_NONE);
    assert_int_equal(db_commit(f->db, NULL), ERR_NONE);
    assert_int_equal(count_rows(f->db), 1);
}

static void a_reader_sees_what_was_committed_before_it_began(void **state)
{
    struct fixture *f = *state;
    struct db *reader = NULL;

    assert_int_equal(db_sqlite_open(f->path, false, &reader, NULL), ERR_NONE);
    insert(f->db, 1, STR("one"));
    assert_int_equal(db_begin(reader, false, NULL), ERR_NONE);
    assert_int_equal(count_rows(reader), 1);
    insert(f->db, 2, STR("two"));
    assert_int_equal(count_rows(reader), 1);
    assert_int_equal(db_commit(reader, NULL), ERR_NONE);
    assert_int_equal(count_rows(reader), 2);
    db_close(reader);
}

static void a_second_server_on_the_same_file_is_refused(void **state)
{
    struct fixture *f = *state;
    struct error why = {0};
    struct db *second = NULL;

    assert_int_equal(db_sqlite_open(f->path, true, &second, &why), ERR_BUSY);
    assert_null(second);
    assert_non_null(strstr(why.text, "another callsync"));
    db_close(f->db);
    assert_int_equal(db_sqlite_open(f->path, true, &f->db, NULL), ERR_NONE);
}

static void its_files_are_the_owners_alone(void **state)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", ".lock"};
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        struct stat info;
        struct str path = arena_strf(&f->folder.arena, "%s%s", f->path, suffixes[i]);

        assert_int_equal(stat(path.ptr, &info), 0);
        assert_int_equal(info.st_mode & 0777, 0600);
    }
}

static void a_file_that_is_no_database_is_told_apart(void **state)
{
    struct fixture *f = *state;
    const char *path = temp_folder_path(&f->folder, "letter.txt");
    FILE *file = fopen(path, "w");
    struct error why = {0};
    struct db *db = NULL;

    assert_non_null(file);
    for (int i = 0; i < 100; i++)
        assert_true(fputs("Dear reader, this is no database.\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(db_sqlite_open(path, true, &db, &why), ERR_CORRUPT);
    assert_non_null(strstr(why.text, "letter.txt"));
    assert_null(db);
}

static void a_folder_that_is_not_there_is_unavailable(void **state)
{
    struct fixture *f = *state;
    struct error why = {0};
    struct db *db = NULL;

    for (int create = 0; create < 2; create++) {
        assert_int_equal(
                db_sqlite_open(temp_folder_path(&f->folder, "none/x.db"), create != 0, &db, &why),
                ERR_UNAVAILABLE);
        assert_null(db);
    }
}

static void a_full_disk_fails_the_transaction_and_is_got_over(void **state)
{
    static char large[64 * 1024];
    struct fixture *f = *state;
    struct error why = {0};
    enum err err = ERR_NONE;

    memset(large, 'x', sizeof(large));
    insert(f->db, 1, STR("before"));
    assert_int_equal(db_exec(f->db, "PRAGMA max_page_count = 40", NULL), ERR_NONE);
    assert_int_equal(db_begin(f->db, true, NULL), ERR_NONE);
    for (int64_t i = 2; err == ERR_NONE && i < 100; i++) {
        struct db_stmt *stmt = db_stmt(f->db, "INSERT INTO t (a, b) VALUES ($1, $2)");

        db_bind_i64(stmt, 1, i);
        db_bind_str(stmt, 2, (struct str){large, sizeof(large)});
        err = db_run(stmt, NULL, &why);
    }
    assert_int_equal(err, ERR_UNAVAILABLE);
    db_rollback(f->db);
    assert_int_equal(count_rows(f->db), 1);
    assert_int_equal(db_exec(f->db, "PRAGMA max_page_count = 100000", NULL), ERR_NONE);
    assert_int_equal(db_begin(f->db, true, NULL), ERR_NONE);
    insert(f->db, 2, (struct str){large, sizeof(large)});
    assert_int_equal(db_commit(f->db, NULL), ERR_NONE);
    assert_int_equal(count_rows(f->db), 2);
}

static void a_transaction_that_was_rolled_back_does_not_commit(void **state)
{
    struct fixture *f = *state;
    struct error why = {0};

    assert_int_equal(db_begin(f->db, true, NULL), ERR_NONE);
    insert(f->db, 1, STR("lost"));
    /* As SQLite does by itself when the disk fails. */
    struct db_stmt *stmt = db_stmt(f->db, "INSERT OR ROLLBACK INTO t (a) VALUES (1)");
    assert_int_equal(db_run(stmt, NULL, NULL), ERR_CONFLICT);
    assert_int_equal(db_commit(f->db, &why), ERR_UNAVAILABLE);
    assert_int_equal(count_rows(f->db), 0);
    assert_int_equal(db_begin(f->db, true, NULL), ERR_NONE);
    insert(f->db, 2, STR("kept"));
    assert_int_equal(db_commit(f->db, NULL), ERR_NONE);
    assert_int_equal(count_rows(f->db), 1);
}

static off_t log_bytes(struct fixture *f)
{
    struct stat info;

    assert_int_equal(stat(temp_folder_path(&f->folder, "test.db-wal"), &info), 0);
    return info.st_size;
}

static void add_megabytes(struct db *db, int64_t first, int count)
{
    static char large[1024 * 1024];

    memset(large, 'x', sizeof(large));
    for (int64_t i = first; i < first + count; i++)
        insert(db, i, (struct str){large, sizeof(large)});
}

static void the_log_moves_into_the_file_and_starts_again(void **state)
{
    struct fixture *f = *state;
    off_t before = 0;

    for (int64_t i = 0; i < 4; i++) {
        add_megabytes(f->db, 100 * i, 20); /* over 4,000 pages */
        assert_int_equal(db_maintain(f->db, NULL), ERR_NONE);
        before = i == 0 ? log_bytes(f) : before;
    }
    /* Without checkpoints it would be four times as long. */
    assert_true(log_bytes(f) < 2 * before);
    assert_int_equal(count_rows(f->db), 80);
}

static void a_log_that_readers_held_is_cut_when_they_are_gone(void **state)
{
    struct fixture *f = *state;
    struct db *reader = NULL;

    assert_int_equal(db_sqlite_open(f->path, false, &reader, NULL), ERR_NONE);
    assert_int_equal(db_begin(reader, false, NULL), ERR_NONE);
    assert_int_equal(count_rows(reader), 0);
    add_megabytes(f->db, 0, 70);
    assert_int_equal(db_maintain(f->db, NULL), ERR_NONE);
    assert_true(log_bytes(f) > 64 * 1024 * 1024);
    assert_int_equal(db_commit(reader, NULL), ERR_NONE);
    add_megabytes(f->db, 100, 20);
    assert_int_equal(db_maintain(f->db, NULL), ERR_NONE);
    assert_int_equal(log_bytes(f), 0);
    assert_int_equal(count_rows(reader), 90);
    db_close(reader);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
            TEST(values_come_back_as_they_were_bound),
            TEST(parameters_are_numbered_by_their_digits),
            TEST(a_statement_is_prepared_once_for_its_text),
            TEST(taking_a_statement_again_forgets_scan_and_bindings),
            TEST(a_scan_that_ended_stays_ended),
            TEST(a_statement_that_ran_runs_again_with_new_bindings),
            TEST(changes_are_counted),
            TEST(returned_rows_need_not_be_read_to_the_end),
            TEST(a_text_that_does_not_prepare_fails_when_it_runs),
            TEST(a_binding_that_fails_sticks_until_it_is_told),
            TEST(a_broken_constraint_is_a_conflict_and_spares_the_transaction),
            TEST(rolling_back_undoes_and_ends_scans),
            TEST(a_savepoint_undoes_only_what_came_after_it),
            TEST(a_reader_sees_what_was_committed_before_it_began),
            TEST(a_second_server_on_the_same_file_is_refused),
            TEST(its_files_are_the_owners_alone),
            TEST(a_file_that_is_no_database_is_told_apart),
            TEST(a_folder_that_is_not_there_is_unavailable),
            TEST(a_full_disk_fails_the_transaction_and_is_got_over),
            TEST(a_transaction_that_was_rolled_back_does_not_commit),
            TEST(the_log_moves_into_the_file_and_starts_again),
            TEST(a_log_that_readers_held_is_cut_when_they_are_gone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
