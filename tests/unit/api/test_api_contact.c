/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of api_contact and api_staff - the people around a call. */
#include "rig.h"

#define JOHN                                                                                       \
    "{\"id\":\"c1\",\"name\":\"John\",\"phone\":\"+919876543210\",\"email\":\"j@example.com\","    \
    "\"note\":\"two\\nlines\",\"labels\":[\"vip\"]}"

static void a_contact_is_made_shown_and_listed(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_ask(rig, "POST", "/v1/contacts", JOHN), 201);
    rig_assert_str(rig, "labels[0]", "vip");
    rig_assert_str(rig, "note", "two\nlines");
    assert_int_equal(rig_ask(rig, "GET", "/v1/contacts/c1", NULL), 200);
    rig_assert_str(rig, "name", "John");
    assert_int_equal(rig_ask(rig, "GET", "/v1/contacts?q=joh", NULL), 200);
    rig_assert_str(rig, "data[0].id", "c1");
    assert_int_equal(rig_ask(rig, "GET", "/v1/contacts?phone=%2B10000000", NULL), 200);
    assert_int_equal(json_count(rig_value(rig, "data")), 0);
    assert_int_equal(rig_ask(rig, "POST", "/v1/contacts", "{\"phone\":\"112\"}"), 201);
    assert_true(str_starts(rig_str(rig, "id"), STR("contact_")));
    assert_int_equal(json_count(rig_value(rig, "labels")), 0);
}

static void a_contact_that_exists_is_409_with_the_field(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_ask(rig, "POST", "/v1/contacts", JOHN), 201);
    assert_int_equal(
            rig_ask(rig, "POST", "/v1/contacts", "{\"id\":\"c1\",\"phone\":\"112\"}"), 409);
    rig_assert_fault(rig, 409, "id");
    assert_int_equal(rig_ask(rig, "POST", "/v1/contacts", "{\"phone\":\"+919876543210\"}"), 409);
    rig_assert_fault(rig, 409, "phone");
}

static void a_put_makes_or_replaces_and_a_patch_changes(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(
            rig_ask(rig, "PUT", "/v1/contacts/c2", "{\"phone\":\"112\",\"name\":\"A\"}"), 201);
    assert_int_equal(rig_ask(rig, "PUT", "/v1/contacts/c2", "{\"phone\":\"113\"}"), 200);
    assert_null(rig_str(rig, "name").ptr);
    assert_int_equal(rig_ask(rig, "PATCH", "/v1/contacts/c2", "{\"labels\":[\"a\",\"b\"]}"), 200);
    rig_assert_str(rig, "phone", "113");
    assert_int_equal(json_count(rig_value(rig, "labels")), 2);
    assert_int_equal(rig_ask(rig, "PATCH", "/v1/contacts/c2", "{\"labels\":null}"), 200);
    assert_int_equal(json_count(rig_value(rig, "labels")), 0);
    assert_int_equal(rig_ask(rig, "PATCH", "/v1/contacts/none", "{\"name\":\"A\"}"), 404);
    assert_int_equal(rig_ask(rig, "PATCH", "/v1/contacts/a%20b", "{\"name\":\"A\"}"), 404);
    assert_int_equal(rig_ask(rig, "PUT", "/v1/contacts/a%20b", "{\"phone\":\"112\"}"), 422);
    rig_assert_fault(rig, 422, "id");
    assert_int_equal(rig_ask(rig, "DELETE", "/v1/contacts/c2", NULL), 204);
    assert_int_equal(rig_ask(rig, "GET", "/v1/contacts/c2", NULL), 404);
}

static void wrong_contacts_are_422(void **state)
{
    static const struct {
        const char *body;
        const char *field;
    } cases[] = {
            {"{}", "phone"},
            {"{\"phone\":null}", "phone"},
            {"{\"phone\":\"x\"}", "phone"},
            {"{\"phone\":\"112\",\"email\":\"x\"}", "email"},
            {"{\"phone\":\"112\",\"name\":\"\"}", "name"},
            {"{\"phone\":\"112\",\"labels\":\"a\"}", "labels"},
            {"{\"phone\":\"112\",\"labels\":[1]}", "labels[0]"},
            {"{\"phone\":\"112\",\"labels\":[\"a\",\"a\"]}", "labels[1]"},
            {"{\"phone\":\"112\",\"labels\":[\"\"]}", "labels[0]"},
            {"{\"phone\":\"112\",\"x\":1}", "x"},
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(rig_ask(rig, "POST", "/v1/contacts", cases[i].body), 422);
        rig_assert_fault(rig, 422, cases[i].field);
    }
}

static void a_changed_contact_shows_in_its_callers_calls(void **state)
{
    struct rig *rig = *state;
    int64_t call_id = rig_make_call(rig);

    assert_int_equal(rig_ask(rig, "POST", "/v1/contacts", JOHN), 201);
    assert_int_equal(rig_ask(rig, "GET", rig_textf(rig, "/v1/calls/%d", (int)call_id), NULL), 200);
    rig_assert_str(rig, "data.identity.name", "John");
    rig_assert_str(rig, "events[1].event", "caller_updated");
}

static void staff_are_made_changed_listed_and_deleted(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_ask(rig, "POST", "/v1/staff", "{\"id\":\"e1\",\"name\":\"A\"}"), 201);
    assert_int_equal(rig_ask(rig, "POST", "/v1/staff", "{\"id\":\"e1\",\"name\":\"A\"}"), 409);
    assert_int_equal(rig_ask(rig, "PATCH", "/v1/staff/e1", "{\"email\":\"a@example.com\"}"), 200);
    rig_assert_str(rig, "name", "A");
    rig_assert_str(rig, "email", "a@example.com");
    assert_int_equal(rig_ask(rig, "PUT", "/v1/staff/e1", "{\"name\":\"B\"}"), 200);
    assert_null(rig_str(rig, "email").ptr);
    assert_int_equal(rig_ask(rig, "PUT", "/v1/staff/e2", "{\"name\":\"C\"}"), 201);
    assert_int_equal(rig_ask(rig, "GET", "/v1/staff?q=C", NULL), 200);
    rig_assert_str(rig, "data[0].id", "e2");
    assert_int_equal(rig_ask(rig, "GET", "/v1/staff/e2", NULL), 200);
    assert_int_equal(rig_ask(rig, "DELETE", "/v1/staff/e2", NULL), 204);
    assert_int_equal(rig_ask(rig, "GET", "/v1/staff/e2", NULL), 404);
    assert_int_equal(rig_ask(rig, "PATCH", "/v1/staff/e2", "{\"name\":\"C\"}"), 404);
    assert_int_equal(rig_ask(rig, "PUT", "/v1/staff/e2", "{}"), 422);
    assert_int_equal(rig_ask(rig, "POST", "/v1/staff", "{\"name\":null}"), 422);
    assert_int_equal(rig_ask(rig, "PATCH", "/v1/staff/e1", "{\"name\":null}"), 422);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            RIG_TEST(a_contact_is_made_shown_and_listed),
            RIG_TEST(a_contact_that_exists_is_409_with_the_field),
            RIG_TEST(a_put_makes_or_replaces_and_a_patch_changes),
            RIG_TEST(wrong_contacts_are_422),
            RIG_TEST(a_changed_contact_shows_in_its_callers_calls),
            RIG_TEST(staff_are_made_changed_listed_and_deleted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
