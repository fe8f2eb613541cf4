/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of domain/faults: the rule and message of each reader, and the collection. */
#include "assert_str.h"
#include "base/cleanup.h"
#include "domain/faults.h"

static const char *const NAMES[] = {"a", "b", NULL};

/* A parsed text, the arena and the faults of one test row. */
struct fixture {
    struct arena arena;
    struct faults faults;
    struct json *json;
};

static void fixture_init(struct fixture *fixture, const char *text)
{
    *fixture = (struct fixture){0};
    faults_init(&fixture->faults, &fixture->arena);
    assert_int_equal(json_parse(str_from(text), &fixture->json, NULL), ERR_NONE);
}

static void fixture_done(struct fixture *fixture)
{
    json_free(fixture->json);
    arena_done(&fixture->arena);
}

/* Either no fault (message NULL), or exactly this one of field p.a. */
static void assert_fault(const struct faults *faults, const char *message)
{
    assert_int_equal(faults->count, message != NULL ? 1 : 0);
    if (message != NULL) {
        assert_str(faults->items[0].field, "p.a");
        assert_str(faults->items[0].message, message);
    }
}

struct row {
    const char *json;
    enum member_rule rule;
    enum member_state state;
    const char *message; /* NULL: no fault */
};

static void strings_have_1_to_max_bytes(void **state)
{
    static const char *const rule = "must be a string of 1 to 3 bytes";
    static const char *const nullable = "must be a string of 1 to 3 bytes, or null";
    static const struct row rows[] = {
            {"{\"a\":\"x\"}", MEMBER_OPTIONAL, MEMBER_SET, NULL},
            {"{\"a\":\"xyz\"}", MEMBER_REQUIRED, MEMBER_SET, NULL},
            {"{}", MEMBER_OPTIONAL, MEMBER_ABSENT, NULL},
            {"{}", MEMBER_NULLABLE, MEMBER_ABSENT, NULL},
            {"{}", MEMBER_REQUIRED, MEMBER_ABSENT, "is required"},
            {"{}", MEMBER_REQUIRED_NULLABLE, MEMBER_ABSENT, "is required"},
            {"{\"a\":null}", MEMBER_NULLABLE, MEMBER_NULL, NULL},
            {"{\"a\":null}", MEMBER_REQUIRED_NULLABLE, MEMBER_NULL, NULL},
            {"{\"a\":null}", MEMBER_OPTIONAL, MEMBER_ABSENT, rule},
            {"{\"a\":null}", MEMBER_REQUIRED, MEMBER_ABSENT, rule},
            {"{\"a\":\"\"}", MEMBER_OPTIONAL, MEMBER_ABSENT, rule},
            {"{\"a\":\"wxyz\"}", MEMBER_OPTIONAL, MEMBER_ABSENT, rule},
            {"{\"a\":1}", MEMBER_NULLABLE, MEMBER_ABSENT, nullable},
            {"{\"a\":[\"x\"]}", MEMBER_REQUIRED_NULLABLE, MEMBER_ABSENT, nullable},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(fixture_done) struct fixture f;
        struct str value = STR("before");

        fixture_init(&f, rows[i].json);
        assert_int_equal(faults_read_str(&f.faults, f.json, "a", "p.a", rows[i].rule, 3, &value),
                rows[i].state);
        assert_fault(&f.faults, rows[i].message);
        assert_int_equal(str_is(value, "before"), rows[i].state != MEMBER_SET);
    }
}

static void whole_numbers_lie_in_their_range(void **state)
{
    static const char *const rule = "must be a whole number from -1 to 86400";
    static const struct row rows[] = {
            {"{\"a\":-1}", MEMBER_OPTIONAL, MEMBER_SET, NULL},
            {"{\"a\":86400}", MEMBER_REQUIRED, MEMBER_SET, NULL},
            {"{\"a\":null}", MEMBER_NULLABLE, MEMBER_NULL, NULL},
            {"{}", MEMBER_REQUIRED, MEMBER_ABSENT, "is required"},
            {"{\"a\":-2}", MEMBER_OPTIONAL, MEMBER_ABSENT, rule},
            {"{\"a\":86401}", MEMBER_OPTIONAL, MEMBER_ABSENT, rule},
            {"{\"a\":9223372036854775807}", MEMBER_OPTIONAL, MEMBER_ABSENT, rule},
            {"{\"a\":1.5}", MEMBER_OPTIONAL, MEMBER_ABSENT, rule},
            {"{\"a\":\"1\"}", MEMBER_OPTIONAL, MEMBER_ABSENT, rule},
            {"{\"a\":true}", MEMBER_OPTIONAL, MEMBER_ABSENT, rule},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(fixture_done) struct fixture f;
        int64_t value = 77;

        fixture_init(&f, rows[i].json);
        assert_int_equal(
                faults_read_i64(&f.faults, f.json, "a", "p.a", rows[i].rule, -1, 86400, &value),
                rows[i].state);
        assert_fault(&f.faults, rows[i].message);
        assert_int_equal(value == 77, rows[i].state != MEMBER_SET);
    }
}

static void booleans_are_true_or_false(void **state)
{
    static const struct row rows[] = {
            {"{\"a\":true}", MEMBER_REQUIRED, MEMBER_SET, NULL},
            {"{\"a\":null}", MEMBER_NULLABLE, MEMBER_NULL, NULL},
            {"{\"a\":null}", MEMBER_OPTIONAL, MEMBER_ABSENT, "must be true or false"},
            {"{\"a\":1}", MEMBER_OPTIONAL, MEMBER_ABSENT, "must be true or false"},
            {"{\"a\":\"true\"}", MEMBER_NULLABLE, MEMBER_ABSENT, "must be true or false, or null"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(fixture_done) struct fixture f;
        bool value = false;

        fixture_init(&f, rows[i].json);
        assert_int_equal(faults_read_bool(&f.faults, f.json, "a", "p.a", rows[i].rule, &value),
                rows[i].state);
        assert_fault(&f.faults, rows[i].message);
        assert_int_equal(value, rows[i].state == MEMBER_SET);
    }
}

static void times_are_rfc_3339(void **state)
{
    static const char *const rule = "must be an RFC 3339 time such as \"2026-04-28T11:58:13Z\"";
    static const struct row rows[] = {
            {"{\"a\":\"1970-01-01T00:00:01.5Z\"}", MEMBER_REQUIRED, MEMBER_SET, NULL},
            {"{\"a\":\"1970-01-01T01:00:01.5+01:00\"}", MEMBER_REQUIRED, MEMBER_SET, NULL},
            {"{\"a\":null}", MEMBER_NULLABLE, MEMBER_NULL, NULL},
            {"{\"a\":\"1970-01-01\"}", MEMBER_OPTIONAL, MEMBER_ABSENT, rule},
            {"{\"a\":1500}", MEMBER_OPTIONAL, MEMBER_ABSENT, rule},
            {"{\"a\":\"\"}", MEMBER_OPTIONAL, MEMBER_ABSENT, rule},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(fixture_done) struct fixture f;
        int64_t at_ms = 77;

        fixture_init(&f, rows[i].json);
        assert_int_equal(faults_read_time(&f.faults, f.json, "a", "p.a", rows[i].rule, &at_ms),
                rows[i].state);
        assert_fault(&f.faults, rows[i].message);
        assert_int_equal(at_ms, rows[i].state == MEMBER_SET ? 1500 : 77);
    }
}

static void values_have_the_wanted_type(void **state)
{
    static const struct {
        const char *json;
        enum json_type type;
        const char *message;
    } rows[] = {
            {"{\"a\":{}}", JSON_OBJECT_TYPE, NULL},
            {"{\"a\":[]}", JSON_ARRAY_TYPE, NULL},
            {"{\"a\":\"\"}", JSON_STRING_TYPE, NULL},
            {"{\"a\":1.5}", JSON_REAL_TYPE, NULL},
            {"{\"a\":1}", JSON_REAL_TYPE, NULL},
            {"{\"a\":1}", JSON_INTEGER_TYPE, NULL},
            {"{\"a\":[]}", JSON_OBJECT_TYPE, "must be an object"},
            {"{\"a\":{}}", JSON_ARRAY_TYPE, "must be an array"},
            {"{\"a\":1}", JSON_STRING_TYPE, "must be a string"},
            {"{\"a\":\"1\"}", JSON_REAL_TYPE, "must be a number"},
            {"{\"a\":1.5}", JSON_INTEGER_TYPE, "must be a whole number"},
            {"{\"a\":null}", JSON_OBJECT_TYPE, "must be an object"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(fixture_done) struct fixture f;
        const struct json *value = NULL;

        fixture_init(&f, rows[i].json);
        assert_int_equal(
                faults_read_json(
                        &f.faults, f.json, "a", "p.a", MEMBER_REQUIRED, rows[i].type, &value),
                rows[i].message == NULL ? MEMBER_SET : MEMBER_ABSENT);
        assert_fault(&f.faults, rows[i].message);
        assert_ptr_equal(value, rows[i].message == NULL ? json_member(f.json, "a") : NULL);
    }
}

static void unknown_members_are_each_named_with_their_path(void **state)
{
    CLEANUP(fixture_done) struct fixture f;

    (void)state;
    fixture_init(&f, "{\"a\":1,\"x\":2,\"b\":3,\"\\u00e4\\n\":4}");
    f.faults.prefix = STR("calls[3].");
    assert_true(faults_check_members(&f.faults, f.json, "staff.", NAMES));
    assert_int_equal(f.faults.count, 2);
    assert_str(f.faults.items[0].field, "calls[3].staff.x");
    assert_str(f.faults.items[0].message, "unknown member");
    assert_str(f.faults.items[1].field, "calls[3].staff.\xC3\xA4\n");
}

static void what_is_no_object_is_named_without_the_point(void **state)
{
    static const struct {
        const char *prefix;
        const char *path;
        const char *field;
    } rows[] = {
            {NULL, "", ""},
            {NULL, "staff.", "staff"},
            {"calls[3].", "", "calls[3]"},
            {"calls[3].", "staff.", "calls[3].staff"},
    };
    static const char *const texts[] = {"[]", "null", "\"a\"", "1"};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(fixture_done) struct fixture f;

        fixture_init(&f, texts[i]);
        f.faults.prefix = str_from(rows[i].prefix);
        assert_false(faults_check_members(&f.faults, f.json, rows[i].path, NAMES));
        assert_int_equal(f.faults.count, 1);
        assert_str(f.faults.items[0].field, rows[i].field);
        assert_str(f.faults.items[0].message, "must be an object");
    }
}

static void faults_above_the_cap_are_counted_only(void **state)
{
    CLEANUP(arena_done) struct arena arena = {0};
    struct faults faults;

    (void)state;
    faults_init(&faults, &arena);
    for (int i = 0; i < 3 * FAULTS_MAX; i++)
        faults_add(&faults, "a", "number %d", i);
    assert_int_equal(faults.count, 3 * FAULTS_MAX);
    assert_str(faults.items[0].message, "number 0");
    assert_str(faults.items[FAULTS_MAX - 1].message, "number 49");
}

/* A name of 2-byte characters, cut at any parity, stays well-formed. */
static void long_names_are_cut_between_characters(void **state)
{
    static const char *const paths[] = {"", "p", "pp", "ppp"};

    (void)state;
    for (size_t i = 0; i < COUNT(paths); i++) {
        CLEANUP(buf_done) struct buf text = {0};
        CLEANUP(fixture_done) struct fixture f;

        buf_add_text(&text, "{\"");
        for (int k = 0; k < 10000; k++)
            buf_add_text(&text, "\xE2\x82\xAC");
        buf_add(&text, "\":1}", 5); /* and NUL */
        fixture_init(&f, text.ptr);
        (void)faults_check_members(&f.faults, f.json, paths[i], NAMES);
        assert_int_equal(f.faults.count, 1);
        assert_true(str_is_utf8(f.faults.items[0].field));
        assert_in_range(f.faults.items[0].field.len, 240, 256);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(strings_have_1_to_max_bytes),
            cmocka_unit_test(whole_numbers_lie_in_their_range),
            cmocka_unit_test(booleans_are_true_or_false),
            cmocka_unit_test(times_are_rfc_3339),
            cmocka_unit_test(values_have_the_wanted_type),
            cmocka_unit_test(unknown_members_are_each_named_with_their_path),
            cmocka_unit_test(what_is_no_object_is_named_without_the_point),
            cmocka_unit_test(faults_above_the_cap_are_counted_only),
            cmocka_unit_test(long_names_are_cut_between_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
