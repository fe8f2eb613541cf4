/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of store/db_fault. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/db.h"
#include "support/temp_folder.h"

struct fixture {
    struct temp_folder folder;
    struct db *db;
    int64_t fail_at;
    int64_t calls;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct db *inner = NULL;

    temp_folder_init(&f->folder);
    assert_int_equal(
            db_sqlite_open(temp_folder_path(&f->folder, "test.db"), true, &inner, NULL), ERR_NONE);
    f->db = db_fault_new(inner, &f->fail_at, &f->calls);
    assert_int_equal(db_exec(f->db, "CREATE TABLE t (a BIGINT)", NULL), ERR_NONE);
    f->calls = 0;
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

static enum err run_insert(struct db *db, int64_t a)
{
    struct db_stmt *stmt = db_stmt(db, "INSERT INTO t (a) VALUES ($1)");

    db_bind_i64(stmt, 1, a);
    return db_run(stmt, NULL, NULL);
}

/* A transaction of begin, run, exec, next, commit; *ret_seen is what next saw. */
static enum err transact(struct db *db, int64_t *ret_seen)
{
    bool row = false;
    enum err err = db_begin(db, true, NULL);

    if (err != ERR_NONE)
        return err;
    err = run_insert(db, 1);
    if (err == ERR_NONE)
        err = db_exec(db, "INSERT INTO t (a) VALUES (2)", NULL);
    if (err == ERR_NONE) {
        struct db_stmt *stmt = db_stmt(db, "SELECT count(*), 'text' FROM t");

        err = db_next(stmt, &row, NULL);
        if (row)
            *ret_seen = db_i64(stmt, 0);
        assert_true(!row || str_is(db_str(stmt, 1), "text"));
        db_stop(stmt);
    }
    if (err == ERR_NONE)
        return db_commit(db, NULL);
    db_rollback(db);
    return err;
}

static void without_a_fault_everything_passes_and_is_counted(void **state)
{
    struct fixture *f = *state;
    int64_t seen = 0;

    assert_int_equal(transact(f->db, &seen), ERR_NONE);
    assert_int_equal(seen, 2);
    assert_int_equal(f->calls, 5);
    assert_int_equal(db_maintain(f->db, NULL), ERR_NONE);
    assert_string_equal(db_dialect(f->db)->name, "sqlite");
}

static void each_call_can_fail_and_leaves_nothing_behind(void **state)
{
    struct fixture *f = *state;

    for (int64_t i = 1; i <= 5; i++) {
        int64_t seen = -1;

        f->calls = 0;
        f->fail_at = i;
        assert_int_equal(transact(f->db, &seen), ERR_UNAVAILABLE);
        assert_int_equal(seen, i == 5 ? 2 : -1);
    }
    f->fail_at = 0;
    int64_t seen = 0;
    assert_int_equal(transact(f->db, &seen), ERR_NONE);
    assert_int_equal(seen, 2); /* of this transaction alone */
}

static void a_call_fails_once(void **state)
{
    struct fixture *f = *state;

    f->fail_at = 1;
    assert_int_equal(run_insert(f->db, 1), ERR_UNAVAILABLE);
    assert_int_equal(run_insert(f->db, 1), ERR_NONE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
            TEST(without_a_fault_everything_passes_and_is_counted),
            TEST(each_call_can_fail_and_leaves_nothing_behind),
            TEST(a_call_fails_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
