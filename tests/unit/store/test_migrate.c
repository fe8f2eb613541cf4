/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of store/migrate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/migrate.h"
#include "support/temp_folder.h"

static const struct migration STEPS[] = {
        {1, "CREATE TABLE one (id $KEY, b $BLOB NOT NULL);"},
        {2, "CREATE TABLE two (a BIGINT); INSERT INTO two (a) VALUES (2);"},
        {3, "UPDATE two SET a = a + 1;"},
};

struct fixture {
    struct temp_folder folder;
    struct db *db;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    temp_folder_init(&f->folder);
    assert_int_equal(
            db_sqlite_open(temp_folder_path(&f->folder, "test.db"), true, &f->db, NULL), ERR_NONE);
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

/* The number that sql gives; -1 when it fails. */
static int64_t number(struct db *db, const char *sql)
{
    struct db_stmt *stmt = db_stmt(db, sql);
    bool row = false;
    int64_t value = -1;

    if (db_next(stmt, &row, NULL) == ERR_NONE && row)
        value = db_i64(stmt, 0);
    db_stop(stmt);
    return value;
}

static void an_empty_database_gets_every_migration_in_order(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(migrate_run(f->db, STEPS, 3, NULL), ERR_NONE);
    assert_int_equal(number(f->db, "SELECT a FROM two"), 3);
    assert_int_equal(number(f->db, "SELECT version FROM schema_version"), 3);
}

static void only_missing_migrations_are_applied(void **state)
{
    struct fixture *f = *state;

    for (size_t count = 1; count <= 3; count++) {
        assert_int_equal(migrate_run(f->db, STEPS, count, NULL), ERR_NONE);
        assert_int_equal(migrate_run(f->db, STEPS, count, NULL), ERR_NONE);
        assert_int_equal(number(f->db, "SELECT version FROM schema_version"), count);
    }
    assert_int_equal(number(f->db, "SELECT a FROM two"), 3);
}

static void a_newer_database_is_left_alone(void **state)
{
    struct fixture *f = *state;
    struct error why = {0};

    assert_int_equal(migrate_run(f->db, STEPS, 3, NULL), ERR_NONE);
    assert_int_equal(migrate_run(f->db, STEPS, 2, &why), ERR_INVALID);
    assert_non_null(strstr(why.text, "newer"));
    assert_int_equal(number(f->db, "SELECT version FROM schema_version"), 3);
}

static void a_failed_migration_leaves_the_version_before_it(void **state)
{
    static const struct migration broken[] = {
            {1, "CREATE TABLE two (a BIGINT); INSERT INTO two (a) VALUES (1);"},
            {2, "UPDATE two SET a = 2; INSERT INTO nowhere (a) VALUES (1);"},
    };
    struct fixture *f = *state;
    struct error why = {0};

    assert_int_not_equal(migrate_run(f->db, broken, 2, &why), ERR_NONE);
    assert_non_null(strstr(why.text, "migration 2"));
    assert_int_equal(number(f->db, "SELECT version FROM schema_version"), 1);
    assert_int_equal(number(f->db, "SELECT a FROM two"), 1);
}

static void tables_without_a_version_are_somebody_elses(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(db_exec(f->db, "CREATE TABLE recipes (a BIGINT)", NULL), ERR_NONE);
    assert_int_equal(migrate_run(f->db, STEPS, 3, NULL), ERR_CORRUPT);
    assert_int_equal(number(f->db, "SELECT count(*) FROM one"), -1);
    assert_int_equal(
            db_exec(f->db, "CREATE TABLE schema_version (version BIGINT)", NULL), ERR_NONE);
    assert_int_equal(migrate_run(f->db, STEPS, 3, NULL), ERR_CORRUPT);
}

static void a_fault_anywhere_can_be_followed_by_another_try(void **state)
{
    struct fixture *f = *state;
    int64_t fail_at = 0, calls = 0;
    enum err err;

    f->db = db_fault_new(f->db, &fail_at, &calls);
    do {
        calls = 0;
        fail_at++;
        err = migrate_run(f->db, STEPS, 3, NULL);
        assert_true(err == ERR_NONE || err == ERR_UNAVAILABLE);
    } while (err != ERR_NONE);
    assert_true(fail_at > 3);
    fail_at = 0;
    assert_int_equal(number(f->db, "SELECT version FROM schema_version"), 3);
    assert_int_equal(number(f->db, "SELECT a FROM two"), 3);
}

static void the_embedded_schema_applies(void **state)
{
    struct fixture *f = *state;
    size_t count = 0;
    const struct migration *all = migrate_all(&count);

    assert_true(count > 0);
    assert_int_equal(migrate_run(f->db, all, count, NULL), ERR_NONE);
    assert_int_equal(number(f->db, "SELECT count(*) FROM delivery"), 0);
    assert_int_equal(number(f->db, "SELECT version FROM schema_version"), all[count - 1].version);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
            TEST(an_empty_database_gets_every_migration_in_order),
            TEST(only_missing_migrations_are_applied),
            TEST(a_newer_database_is_left_alone),
            TEST(a_failed_migration_leaves_the_version_before_it),
            TEST(tables_without_a_version_are_somebody_elses),
            TEST(a_fault_anywhere_can_be_followed_by_another_try),
            TEST(the_embedded_schema_applies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
