/* SPDX-License-Identifier: Apache-2.0 */
/* Contract tests of contacts, and of the event that a change of one makes. */
#include "contract.h"
#include "store/store_contact.h"

static enum err put(struct contract *c,
        struct contact_write *op,
        enum write_mode mode,
        unsigned fields,
        struct contact contact)
{
    contact.org_id = STR("org_a");
    *op = (struct contact_write){.mode = mode, .fields = fields, .contact = contact};
    return RUN(c, store_contact_write, op);
}

static const struct contact JOHN = {
        .id = {"contact_j", 9},
        .name = {"John", 4},
        .phone = {"+919876543210", 13},
        .labels = {"[\"vip\"]", 7},
};

static size_t updates(struct contract *c)
{
    return contract_count_events(c, "org_a", EVENT_CALLER_UPDATED);
}

static void a_contact_comes_back_as_it_was_written(void **state)
{
    struct contract *c = *state;
    struct contact_write op;
    struct contact_get get = {.org_id = STR("org_a"), .id = STR("contact_j")};
    struct contact full = JOHN;

    full.email = STR("john@example.com");
    full.note = STR("");
    assert_int_equal(put(c, &op, WRITE_CREATE, CONTACT_ALL, full), ERR_NONE);
    assert_true(op.created);
    assert_int_equal(op.event_id, 0);
    contract_reopen(c);
    assert_int_equal(RUN(c, store_contact_get, &get), ERR_NONE);
    full.org_id = STR("org_a");
    assert_true(contact_equal(&get.contact, &full));
    assert_int_equal(get.contact.created_at_ms, CONTRACT_START_MS);
    assert_int_equal(put(c, &op, WRITE_CREATE, CONTACT_ALL, full), ERR_CONFLICT);
    assert_string_equal(op.op.why.field, "id");
    get.org_id = STR("org_b");
    assert_int_equal(RUN(c, store_contact_get, &get), ERR_NOT_FOUND);
}

static void an_id_and_labels_are_made_when_none_are_given(void **state)
{
    struct contract *c = *state;
    struct contact_write op;

    assert_int_equal(
            put(c, &op, WRITE_CREATE, CONTACT_PHONE, (struct contact){.phone = STR("+911111111")}),
            ERR_NONE);
    assert_true(str_starts(op.contact.id, STR("contact_")));
    assert_true(str_is(op.contact.labels, "[]"));
    assert_null(op.contact.name.ptr);
}

static void a_phone_is_needed_and_belongs_to_one_contact(void **state)
{
    struct contract *c = *state;
    struct contact_write op;
    struct contact other = JOHN;

    assert_int_equal(put(c, &op, WRITE_PUT, CONTACT_NAME, JOHN), ERR_INVALID);
    assert_string_equal(op.op.why.field, "phone");
    assert_int_equal(put(c, &op, WRITE_PUT, CONTACT_ALL, JOHN), ERR_NONE);
    other.id = STR("contact_x");
    assert_int_equal(put(c, &op, WRITE_PUT, CONTACT_ALL, other), ERR_CONFLICT);
    assert_string_equal(op.op.why.field, "phone");
    other.phone = STR("+911111111");
    assert_int_equal(put(c, &op, WRITE_PUT, CONTACT_ALL, other), ERR_NONE);
    other.phone = JOHN.phone;
    assert_int_equal(put(c, &op, WRITE_PATCH, CONTACT_PHONE, other), ERR_CONFLICT);
    assert_int_equal(put(c, &op, WRITE_PATCH, CONTACT_ALL, JOHN), ERR_NONE); /* its own */
}

static void a_change_of_a_caller_makes_one_event_and_no_change_none(void **state)
{
    struct contract *c = *state;
    struct contact_write op;
    struct contact renamed = JOHN;

    contract_make_org(c, "org_a");
    (void)contract_make_endpoint(c, "org_a");
    (void)contract_make_call(c, "org_a", "+919876543210");
    assert_int_equal(put(c, &op, WRITE_PUT, CONTACT_ALL, JOHN), ERR_NONE);
    assert_true(op.event_id > 0);
    assert_int_equal(op.delivery_count, 1);
    assert_int_equal(updates(c), 1);
    contract_advance(c, 10);
    assert_int_equal(put(c, &op, WRITE_PUT, CONTACT_ALL, JOHN), ERR_NONE);
    assert_int_equal(op.event_id, 0);
    assert_false(op.created);
    assert_int_equal(op.contact.updated_at_ms, CONTRACT_START_MS);
    assert_int_equal(updates(c), 1);
    renamed.name = STR("Johnny");
    assert_int_equal(put(c, &op, WRITE_PATCH, CONTACT_NAME, renamed), ERR_NONE);
    assert_int_equal(updates(c), 2);
    struct event_get get = {.org_id = STR("org_a"), .id = op.event_id};
    assert_int_equal(RUN(c, store_event_get, &get), ERR_NONE);
    assert_non_null(memmem(get.event.body.ptr, get.event.body.len, "\"Johnny\"", 8));
    assert_non_null(memmem(get.event.body.ptr, get.event.body.len, "[\"vip\"]", 7));
}

static void a_contact_without_a_call_makes_no_event(void **state)
{
    struct contract *c = *state;
    struct contact_write op;

    contract_make_org(c, "org_a");
    (void)contract_make_call(c, "org_a", "+911111111");
    assert_int_equal(put(c, &op, WRITE_PUT, CONTACT_ALL, JOHN), ERR_NONE);
    assert_int_equal(updates(c), 0);
}

static void a_new_phone_makes_the_event_of_its_own_newest_call(void **state)
{
    struct contract *c = *state;
    struct contact_write op;
    struct contact moved = JOHN;

    contract_make_org(c, "org_a");
    (void)contract_make_call(c, "org_a", "+919876543210");
    (void)contract_make_call(c, "org_a", "+911111111");
    int64_t newest = contract_make_call(c, "org_a", "+911111111");
    assert_int_equal(put(c, &op, WRITE_PUT, CONTACT_ALL, JOHN), ERR_NONE);
    moved.phone = STR("+911111111");
    assert_int_equal(put(c, &op, WRITE_PATCH, CONTACT_PHONE, moved), ERR_NONE);
    struct event_get get = {.org_id = STR("org_a"), .id = op.event_id};
    assert_int_equal(RUN(c, store_event_get, &get), ERR_NONE);
    assert_int_equal(get.event.call_id, newest);
    assert_int_equal(updates(c), 2);
}

static void a_deleted_contact_makes_its_caller_unknown(void **state)
{
    struct contract *c = *state;
    struct contact_write op;
    struct contact_delete delete = {.org_id = STR("org_a"), .id = STR("contact_j")};

    contract_make_org(c, "org_a");
    (void)contract_make_call(c, "org_a", "+919876543210");
    assert_int_equal(put(c, &op, WRITE_PUT, CONTACT_ALL, JOHN), ERR_NONE);
    assert_int_equal(RUN(c, store_contact_delete, &delete), ERR_NONE);
    assert_int_equal(updates(c), 2);
    struct event_list list = {
            .org_id = STR("org_a"), .kind = EVENT_CALLER_UPDATED, .type = -1, .page = {.limit = 1}};
    assert_int_equal(RUN(c, store_event_list, &list), ERR_NONE);
    static const char unknown[] = "\"identity\":{\"id\":null,\"name\":null,"
                                  "\"phone\":\"+919876543210\"";
    assert_non_null(
            memmem(list.events[0].body.ptr, list.events[0].body.len, unknown, sizeof(unknown) - 1));
    assert_int_equal(RUN(c, store_contact_delete, &delete), ERR_NOT_FOUND);
    assert_int_equal(updates(c), 2);
}

static void a_list_is_searched_and_found_by_phone(void **state)
{
    static const struct {
        const char *phone, *q;
        size_t count;
    } cases[] = {{NULL, NULL, 2},
            {"+911111111", NULL, 1},
            {"+911", NULL, 0},
            {NULL, "JOHN", 1},
            {NULL, "1111", 1},
            {"+911111111", "john", 0},
            {NULL, "contact_", 2}};
    struct contract *c = *state;
    struct contact_write op;
    struct contact other = {.id = STR("contact_x"), .phone = STR("+911111111")};

    assert_int_equal(put(c, &op, WRITE_PUT, CONTACT_ALL, JOHN), ERR_NONE);
    assert_int_equal(put(c, &op, WRITE_PUT, CONTACT_ALL, other), ERR_NONE);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct contact_list list = {.org_id = STR("org_a"),
                .phone = str_from(cases[i].phone),
                .q = str_from(cases[i].q),
                .page = {.limit = 10}};

        assert_int_equal(RUN(c, store_contact_list, &list), ERR_NONE);
        assert_int_equal(list.count, cases[i].count);
    }
    struct contact_list page = {.org_id = STR("org_a"), .page = {.limit = 1}};
    assert_int_equal(RUN(c, store_contact_list, &page), ERR_NONE);
    assert_true(str_is(page.contacts[0].id, "contact_x"));
    page.page.cursor = page.page.next_cursor;
    assert_int_equal(RUN(c, store_contact_list, &page), ERR_NONE);
    assert_true(str_is(page.contacts[0].id, "contact_j"));
    assert_null(page.page.next_cursor.ptr);
}

static void a_write_that_fails_anywhere_changes_nothing(void **state)
{
    struct contract *c = *state;
    struct contact_write op;
    struct contact_get get = {.org_id = STR("org_a"), .id = STR("contact_j")};
    int64_t fail_at = 0;
    enum err err;

    contract_make_org(c, "org_a");
    (void)contract_make_endpoint(c, "org_a");
    (void)contract_make_call(c, "org_a", "+919876543210");
    contract_answer_all(c);
    do {
        c->calls = 0;
        c->fail_at = ++fail_at;
        err = put(c, &op, WRITE_PUT, CONTACT_ALL, JOHN);
        c->fail_at = 0;
        if (err != ERR_NONE) {
            assert_int_equal(err, ERR_UNAVAILABLE);
            assert_int_equal(RUN(c, store_contact_get, &get), ERR_NOT_FOUND);
            assert_int_equal(updates(c), 0);
            assert_int_equal(c->handed_count, 0);
        }
    } while (err != ERR_NONE);
    assert_true(fail_at > 5);
    assert_int_equal(updates(c), 1);
    assert_int_equal(c->handed_count, 1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
            CONTRACT_TEST(a_contact_comes_back_as_it_was_written),
            CONTRACT_TEST(an_id_and_labels_are_made_when_none_are_given),
            CONTRACT_TEST(a_phone_is_needed_and_belongs_to_one_contact),
            CONTRACT_TEST(a_change_of_a_caller_makes_one_event_and_no_change_none),
            CONTRACT_TEST(a_contact_without_a_call_makes_no_event),
            CONTRACT_TEST(a_new_phone_makes_the_event_of_its_own_newest_call),
            CONTRACT_TEST(a_deleted_contact_makes_its_caller_unknown),
            CONTRACT_TEST(a_list_is_searched_and_found_by_phone),
            CONTRACT_TEST(a_write_that_fails_anywhere_changes_nothing),
    };

    return CONTRACT_MAIN(argc, argv, tests);
}
