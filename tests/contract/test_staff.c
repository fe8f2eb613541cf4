/* SPDX-License-Identifier: Apache-2.0 */
/* Contract tests of staff. */
#include "contract.h"

static enum err put(struct contract *c,
        struct staff_write *op,
        enum write_mode mode,
        unsigned fields,
        struct staff staff)
{
    if (staff.org_id.ptr == NULL)
        staff.org_id = STR("org_a");
    *op = (struct staff_write){.mode = mode, .fields = fields, .staff = staff};
    return RUN(c, store_staff_write, op);
}

static struct staff get(struct contract *c, struct str id)
{
    struct staff_get op = {.org_id = STR("org_a"), .id = id};

    assert_int_equal(RUN(c, store_staff_get, &op), ERR_NONE);
    return op.staff;
}

static const struct staff NAMED = {.name = {"Ann", 3}};

static void a_member_is_made_with_an_id_of_ours_or_theirs(void **state)
{
    struct contract *c = *state;
    struct staff_write op;
    struct staff full = {.id = STR("emp_7"),
            .name = STR("Bea"),
            .phone = STR("+4912345678"),
            .email = STR("bea@example.com")};

    assert_int_equal(put(c, &op, WRITE_CREATE, STAFF_NAME, NAMED), ERR_NONE);
    assert_true(op.created);
    assert_true(str_starts(op.staff.id, STR("emp_")));
    assert_int_equal(op.staff.id.len, 17);
    struct staff made = get(c, op.staff.id);
    assert_true(str_is(made.name, "Ann"));
    assert_null(made.phone.ptr);

    assert_int_equal(put(c, &op, WRITE_CREATE, STAFF_ALL, full), ERR_NONE);
    contract_reopen(c);
    made = get(c, STR("emp_7"));
    assert_true(str_is(made.org_id, "org_a"));
    assert_true(str_is(made.phone, "+4912345678"));
    assert_true(str_is(made.email, "bea@example.com"));
    assert_int_equal(made.created_at_ms, CONTRACT_START_MS);
    assert_int_equal(made.updated_at_ms, CONTRACT_START_MS);
    assert_int_equal(put(c, &op, WRITE_CREATE, STAFF_ALL, full), ERR_CONFLICT);
    assert_string_equal(op.op.why.field, "id");
}

static void a_patch_changes_only_what_it_gives(void **state)
{
    struct contract *c = *state;
    struct staff_write op;
    struct staff full = {.id = STR("emp_7"), .name = STR("Bea"), .phone = STR("+4912345678")};

    assert_int_equal(put(c, &op, WRITE_PATCH, STAFF_ALL, full), ERR_NOT_FOUND);
    assert_int_equal(put(c, &op, WRITE_PUT, STAFF_ALL, full), ERR_NONE);
    assert_true(op.created);
    contract_advance(c, 10);
    full.name = STR("Bee");
    full.phone = STR_NONE;
    assert_int_equal(put(c, &op, WRITE_PATCH, STAFF_NAME, full), ERR_NONE);
    assert_false(op.created);
    assert_true(str_is(op.staff.phone, "+4912345678"));
    struct staff now = get(c, STR("emp_7"));
    assert_true(str_is(now.name, "Bee"));
    assert_true(str_is(now.phone, "+4912345678"));
    assert_int_equal(now.created_at_ms, CONTRACT_START_MS);
    assert_int_equal(now.updated_at_ms, CONTRACT_START_MS + 10);
    assert_int_equal(put(c, &op, WRITE_PATCH, STAFF_PHONE, full), ERR_NONE);
    assert_null(get(c, STR("emp_7")).phone.ptr);
}

static void a_put_replaces_all_and_the_same_again_changes_nothing(void **state)
{
    struct contract *c = *state;
    struct staff_write op;
    struct staff full = {.id = STR("emp_7"), .name = STR("Bea"), .phone = STR("+4912345678")};

    assert_int_equal(put(c, &op, WRITE_PUT, STAFF_ALL, full), ERR_NONE);
    contract_advance(c, 10);
    assert_int_equal(put(c, &op, WRITE_PUT, STAFF_ALL, full), ERR_NONE);
    assert_false(op.created);
    assert_int_equal(op.staff.updated_at_ms, CONTRACT_START_MS);
    assert_int_equal(put(c, &op, WRITE_PUT, STAFF_NAME, full), ERR_NONE);
    assert_null(get(c, STR("emp_7")).phone.ptr);
    assert_int_equal(get(c, STR("emp_7")).updated_at_ms, CONTRACT_START_MS + 10);
}

static void a_name_is_needed(void **state)
{
    struct contract *c = *state;
    struct staff_write op;
    struct staff nameless = {.id = STR("emp_7"), .phone = STR("+4912345678")};

    assert_int_equal(put(c, &op, WRITE_PUT, STAFF_PHONE, nameless), ERR_INVALID);
    assert_string_equal(op.op.why.field, "name");
}

static void a_search_finds_parts_of_every_shown_member_in_any_case(void **state)
{
    static const struct {
        const char *q;
        size_t count;
    } cases[] = {{"ANN", 1},
            {"4912", 1},
            {"@EXAMPLE", 1},
            {"EMP_B", 1},
            {"_", 2},
            {"%", 0},
            {"x\\", 0},
            {"zzz", 0}};
    struct contract *c = *state;
    struct staff_write op;
    struct staff ann = {.id = STR("emp_a"), .name = STR("Ann Lee"), .phone = STR("+4912345678")};
    struct staff bea = {.id = STR("emp_b"), .name = STR("Bea"), .email = STR("bea@example.com")};
    struct staff other = {.id = STR("emp_a"), .org_id = STR("org_b"), .name = STR("Ann")};

    assert_int_equal(put(c, &op, WRITE_PUT, STAFF_ALL, ann), ERR_NONE);
    assert_int_equal(put(c, &op, WRITE_PUT, STAFF_ALL, bea), ERR_NONE);
    assert_int_equal(put(c, &op, WRITE_PUT, STAFF_ALL, other), ERR_NONE);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct staff_list list = {
                .org_id = STR("org_a"), .q = str_from(cases[i].q), .page = {.limit = 10}};

        assert_int_equal(RUN(c, store_staff_list, &list), ERR_NONE);
        if (list.count != cases[i].count)
            fail_msg("\"%s\" finds %zu", cases[i].q, list.count);
    }
}

static void pages_hold_every_member_once(void **state)
{
    struct contract *c = *state;
    struct staff_list list = {.org_id = STR("org_a"), .page = {.limit = 3}};
    struct staff_write op;
    size_t seen = 0;
    bool found[10] = {false};

    for (int i = 0; i < 10; i++) {
        struct staff member = {.id = arena_strf(&c->arena, "emp.%d", i), .name = STR("Name")};

        assert_int_equal(put(c, &op, WRITE_CREATE, STAFF_NAME, member), ERR_NONE);
        contract_advance(c, i % 2);
    }
    do {
        assert_int_equal(RUN(c, store_staff_list, &list), ERR_NONE);
        for (size_t i = 0; i < list.count; i++) {
            size_t number = (size_t)(list.staff[i].id.ptr[4] - '0');

            assert_false(found[number]);
            found[number] = true;
            seen++;
        }
        list.page.cursor = list.page.next_cursor;
    } while (list.page.cursor.ptr != NULL);
    assert_int_equal(seen, 10);
}

static void a_member_is_deleted_once_and_only_by_its_org(void **state)
{
    struct contract *c = *state;
    struct staff_write op;
    struct staff member = {.id = STR("emp_7"), .name = STR("Bea")};
    struct staff_delete others = {.org_id = STR("org_b"), .id = STR("emp_7")};
    struct staff_delete ours = {.org_id = STR("org_a"), .id = STR("emp_7")};

    assert_int_equal(put(c, &op, WRITE_PUT, STAFF_ALL, member), ERR_NONE);
    assert_int_equal(RUN(c, store_staff_delete, &others), ERR_NOT_FOUND);
    assert_int_equal(RUN(c, store_staff_delete, &ours), ERR_NONE);
    assert_int_equal(RUN(c, store_staff_delete, &ours), ERR_NOT_FOUND);
}

/* Logs a call with this staff member and gives the one that the call then has. */
static struct staff log_call(struct contract *c, struct staff staff)
{
    struct call_draft draft = {
            .type = CALL_MISSED, .phone = STR("+919876543210"), .has_staff = true, .staff = staff};
    struct call_create create = {.org_id = STR("org_a"), .drafts = &draft, .draft_count = 1};

    assert_int_equal(RUN(c, store_call_create, &create), ERR_NONE);
    struct call_get op = {.org_id = STR("org_a"), .id = draft.call_id};
    assert_int_equal(RUN(c, store_call_get, &op), ERR_NONE);
    assert_true(op.view.has_staff);
    return op.view.staff;
}

static void a_call_finds_its_member_by_id_then_phone_then_email(void **state)
{
    struct contract *c = *state;
    struct staff_write op;
    struct staff ann = {.id = STR("emp_a"), .name = STR("Ann"), .phone = STR("+4912345678")};
    struct staff bea = {.id = STR("emp_b"), .name = STR("Bea"), .email = STR("bea@example.com")};

    contract_make_org(c, "org_a");
    assert_int_equal(put(c, &op, WRITE_PUT, STAFF_ALL, ann), ERR_NONE);
    assert_int_equal(put(c, &op, WRITE_PUT, STAFF_ALL, bea), ERR_NONE);

    struct staff found = log_call(c, (struct staff){.id = STR("emp_a"), .name = STR("Anna")});
    assert_true(str_is(found.id, "emp_a"));
    assert_true(str_is(found.name, "Anna"));
    assert_true(str_is(found.phone, "+4912345678")); /* not given: it stays */

    found = log_call(c,
            (struct staff){.name = STR("Anna"),
                    .phone = STR("+4912345678"),
                    .email = STR("bea@example.com")});
    assert_true(str_is(found.id, "emp_a"));
    assert_true(str_is(found.email, "bea@example.com"));

    found = log_call(c,
            (struct staff){
                    .name = STR("B"), .phone = STR("+490000000"), .email = STR("bea@example.com")});
    assert_true(str_is(found.id, "emp_a")); /* the first of those with this address */

    found = log_call(c, (struct staff){.id = STR("emp_c"), .name = STR("Cleo")});
    assert_true(str_is(found.id, "emp_c"));

    found = log_call(c, (struct staff){.name = STR("Dora"), .phone = STR("+491111111")});
    assert_true(str_starts(found.id, STR("emp_")));
    assert_int_equal(found.id.len, 17);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
            CONTRACT_TEST(a_member_is_made_with_an_id_of_ours_or_theirs),
            CONTRACT_TEST(a_patch_changes_only_what_it_gives),
            CONTRACT_TEST(a_put_replaces_all_and_the_same_again_changes_nothing),
            CONTRACT_TEST(a_name_is_needed),
            CONTRACT_TEST(a_search_finds_parts_of_every_shown_member_in_any_case),
            CONTRACT_TEST(pages_hold_every_member_once),
            CONTRACT_TEST(a_member_is_deleted_once_and_only_by_its_org),
            CONTRACT_TEST(a_call_finds_its_member_by_id_then_phone_then_email),
    };

    return CONTRACT_MAIN(argc, argv, tests);
}
