/* SPDX-License-Identifier: Apache-2.0 */
/* Contract tests of orgs and tokens. */
#include "contract.h"

static void an_org_is_made_with_its_first_token(void **state)
{
    struct contract *c = *state;
    struct org_create create = {
            .id = STR("org_a"),
            .name = STR("Example"),
            .token_name = STR("first"),
            .token_hash = {1, 2, 3},
            .token_scopes = SCOPE_INGEST | SCOPE_READ,
    };
    struct org_get get = {.id = STR("org_a")};
    struct token_find find = {.hash = {1, 2, 3}};

    assert_int_equal(RUN(c, store_org_create, &create), ERR_NONE);
    contract_reopen(c);
    assert_int_equal(RUN(c, store_org_get, &get), ERR_NONE);
    assert_true(str_is(get.org.id, "org_a"));
    assert_true(str_is(get.org.name, "Example"));
    assert_int_equal(get.org.created_at_ms, CONTRACT_START_MS);
    assert_int_equal(RUN(c, store_token_find, &find), ERR_NONE);
    assert_int_equal(find.token.id, create.token.id);
    assert_true(str_is(find.token.org_id, "org_a"));
    assert_true(str_is(find.token.name, "first"));
    assert_int_equal(find.token.scopes, SCOPE_INGEST | SCOPE_READ);
}

static void an_id_is_made_when_none_is_given(void **state)
{
    struct contract *c = *state;
    struct org_create create = {.name = STR("Example"), .token_name = STR("first")};

    assert_int_equal(RUN(c, store_org_create, &create), ERR_NONE);
    assert_true(str_starts(create.org.id, STR("org_")));
    assert_int_equal(create.org.id.len, 17);
    assert_true(str_equal(create.token.org_id, create.org.id));
}

static void an_id_is_given_once(void **state)
{
    struct contract *c = *state;
    struct org_create again = {
            .id = STR("org_a"), .name = STR("Other"), .token_name = STR("t"), .token_hash = {9}};
    struct token_find find = {.hash = {9}};

    contract_make_org(c, "org_a");
    assert_int_equal(RUN(c, store_org_create, &again), ERR_CONFLICT);
    assert_string_equal(again.op.why.field, "id");
    assert_int_equal(RUN(c, store_token_find, &find), ERR_NOT_FOUND);
}

static void a_failed_org_leaves_nothing_behind(void **state)
{
    struct contract *c = *state;
    struct org_create other = {.id = STR("org_b"), .name = STR("B"), .token_name = STR("t")};
    struct org_get get = {.id = STR("org_b")};

    contract_make_org(c, "org_a");
    token_hash(STR("org_a"), other.token_hash); /* the other org's */
    assert_int_equal(RUN(c, store_org_create, &other), ERR_CONFLICT);
    assert_int_equal(RUN(c, store_org_get, &get), ERR_NOT_FOUND);
}

static void lists_go_from_new_to_old_in_pages(void **state)
{
    static const char *const expected[] = {"org_d", "org_c", "org_b", "org_a"};
    struct contract *c = *state;
    struct org_list list = {.page = {.limit = 3}};

    contract_make_org(c, "org_a");
    contract_make_org(c, "org_b"); /* at the same moment: then by id */
    contract_advance(c, 5);
    contract_make_org(c, "org_c");
    contract_advance(c, 5);
    contract_make_org(c, "org_d");
    assert_int_equal(RUN(c, store_org_list, &list), ERR_NONE);
    assert_int_equal(list.count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_true(str_is(list.orgs[i].id, expected[i]));
    contract_advance(c, 5);
    contract_make_org(c, "org_e"); /* does not shift the next page */
    list.page.cursor = list.page.next_cursor;
    assert_int_equal(RUN(c, store_org_list, &list), ERR_NONE);
    assert_int_equal(list.count, 1);
    assert_true(str_is(list.orgs[0].id, expected[3]));
    assert_null(list.page.next_cursor.ptr);
}

static void a_page_that_is_just_full_is_the_last(void **state)
{
    struct contract *c = *state;
    struct org_list list = {.page = {.limit = 2}};

    contract_make_org(c, "org_a");
    contract_make_org(c, "org_b");
    assert_int_equal(RUN(c, store_org_list, &list), ERR_NONE);
    assert_int_equal(list.count, 2);
    assert_null(list.page.next_cursor.ptr);
}

static void a_wrong_cursor_is_refused(void **state)
{
    static const char *const wrong[] = {"", "x", ".", "12", "x.y", "1777377493000x.org_a"};
    struct contract *c = *state;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct org_list list = {.page = {.limit = 2, .cursor = str_from(wrong[i])}};

        assert_int_equal(RUN(c, store_org_list, &list), ERR_INVALID);
        assert_string_equal(list.op.why.field, "cursor");
    }
}

static void tokens_are_listed_found_and_deleted(void **state)
{
    struct contract *c = *state;
    struct token_create create = {
            .org_id = STR("org_a"), .name = STR("second"), .hash = {7}, .scopes = SCOPE_READ};
    struct token_list list = {.org_id = STR("org_a"), .page = {.limit = 1}};
    struct token_find find = {.hash = {7}};
    uint8_t hash[SHA256_BYTES] = {7};

    contract_make_org(c, "org_a");
    contract_make_org(c, "org_b");
    assert_int_equal(RUN(c, store_token_create, &create), ERR_NONE);
    assert_int_equal(RUN(c, store_token_list, &list), ERR_NONE);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.tokens[0].id, create.token.id);
    list.page.cursor = list.page.next_cursor;
    assert_int_equal(RUN(c, store_token_list, &list), ERR_NONE);
    assert_int_equal(list.count, 1);
    assert_true(str_is(list.tokens[0].name, "first"));
    assert_null(list.page.next_cursor.ptr);

    struct token_delete others = {.org_id = STR("org_b"), .id = create.token.id};
    assert_int_equal(RUN(c, store_token_delete, &others), ERR_NOT_FOUND);
    struct token_delete delete = {.org_id = STR("org_a"), .id = create.token.id};
    assert_int_equal(RUN(c, store_token_delete, &delete), ERR_NONE);
    assert_memory_equal(delete.hash, hash, SHA256_BYTES);
    assert_int_equal(RUN(c, store_token_find, &find), ERR_NOT_FOUND);
    assert_int_equal(RUN(c, store_token_delete, &delete), ERR_NOT_FOUND);
}

static void a_token_needs_an_org_and_a_hash_of_its_own(void **state)
{
    struct contract *c = *state;
    struct token_create create = {.org_id = STR("org_a"), .name = STR("x"), .hash = {7}};

    assert_int_equal(RUN(c, store_token_create, &create), ERR_NOT_FOUND);
    contract_make_org(c, "org_a");
    assert_int_equal(RUN(c, store_token_create, &create), ERR_NONE);
    assert_int_equal(RUN(c, store_token_create, &create), ERR_CONFLICT);
}

static void a_deleted_org_is_gone_at_once(void **state)
{
    struct contract *c = *state;
    struct org_delete delete = {.id = STR("org_a")};
    struct org_get get = {.id = STR("org_a")};
    struct token_find find = {0};

    token_hash(STR("org_a"), find.hash);
    contract_make_org(c, "org_a");
    int64_t endpoint_id = contract_make_endpoint(c, "org_a");
    assert_int_equal(RUN(c, store_org_delete, &delete), ERR_NONE);
    assert_int_equal(RUN(c, store_org_get, &get), ERR_NOT_FOUND);
    assert_int_equal(RUN(c, store_token_find, &find), ERR_NOT_FOUND);
    struct endpoint_get endpoint = {.org_id = STR("org_a"), .id = endpoint_id};
    assert_int_equal(RUN(c, store_endpoint_get, &endpoint), ERR_NOT_FOUND);
    assert_int_equal(RUN(c, store_org_delete, &delete), ERR_NOT_FOUND);
}

static void what_was_waiting_for_a_deleted_org_is_never_sent(void **state)
{
    struct contract *c = *state;
    struct org_delete delete = {.id = STR("org_a")};

    contract_make_org(c, "org_a");
    contract_make_org(c, "org_b");
    (void)contract_make_endpoint(c, "org_a");
    (void)contract_make_endpoint(c, "org_b");
    for (int i = 0; i < 30; i++) /* more than are handed over at once */
        (void)contract_make_call(c, "org_a", "+919876543210");
    (void)contract_make_call(c, "org_b", "+919876543210");
    size_t handed = c->handed_count;
    assert_true(handed >= 2);
    assert_int_equal(RUN(c, store_org_delete, &delete), ERR_NONE);
    contract_answer_all(c);
    contract_reopen(c);
    assert_int_equal(c->handed_count, 0);
    assert_int_equal(contract_count_deliveries(c, "org_b", DELIVERY_DELIVERED), 1);
}

static void the_rows_of_a_deleted_org_go_piece_by_piece(void **state)
{
    struct contract *c = *state;
    struct org_delete delete = {.id = STR("org_a")};
    struct org_create again = {.id = STR("org_a"), .name = STR("New"), .token_name = STR("t")};
    struct staff_write staff = {.mode = WRITE_CREATE,
            .fields = STAFF_NAME,
            .staff = {.org_id = STR("org_a"), .name = STR("Name")}};
    struct inbox_create inbox = {.inbox = {.org_id = STR("org_a"), .status = 200}};

    contract_make_org(c, "org_a");
    contract_make_org(c, "org_b");
    (void)contract_make_endpoint(c, "org_a");
    for (int i = 0; i < 300; i++)
        (void)contract_make_call(c, "org_a", "+919876543210");
    (void)contract_make_call(c, "org_b", "+919876543210");
    assert_int_equal(RUN(c, store_staff_write, &staff), ERR_NONE);
    assert_int_equal(RUN(c, store_inbox_create, &inbox), ERR_NONE);
    contract_answer_all(c);
    assert_int_equal(RUN(c, store_org_delete, &delete), ERR_NONE);
    assert_int_equal(RUN(c, store_org_create, &again), ERR_CONFLICT);
    assert_non_null(strstr(again.op.why.text, "still being removed"));
    contract_advance(c, HOUR_MS);
    assert_int_equal(RUN(c, store_org_create, &again), ERR_NONE);
    assert_int_equal(contract_count_events(c, "org_a", -1), 0);
    assert_int_equal(contract_count_deliveries(c, "org_a", -1), 0);
    struct staff_list list = {.org_id = STR("org_a"), .page = {.limit = 10}};
    assert_int_equal(RUN(c, store_staff_list, &list), ERR_NONE);
    assert_int_equal(list.count, 0);
    struct inbox_get get = {.any_org = true, .id = inbox.inbox.id};
    assert_int_equal(RUN(c, store_inbox_get, &get), ERR_NOT_FOUND);
    assert_int_equal(contract_count_events(c, "org_b", -1), 1);
}

static void a_result_that_comes_after_its_org_is_gone_leaves_nothing(void **state)
{
    struct contract *c = *state;
    struct org_delete delete = {.id = STR("org_a")};

    contract_make_org(c, "org_a");
    (void)contract_make_endpoint(c, "org_a");
    (void)contract_make_call(c, "org_a", "+919876543210");
    assert_int_equal(c->handed_count, 1);
    assert_int_equal(RUN(c, store_org_delete, &delete), ERR_NONE);
    contract_advance(c, HOUR_MS);
    assert_int_equal(contract_number(c, "SELECT count(*) FROM delivery"), 0);
    contract_answer_all(c);
    assert_int_equal(contract_number(c, "SELECT count(*) FROM delivery"), 0);
    assert_int_equal(contract_number(c, "SELECT count(*) FROM attempt"), 0);
}

static void the_recordings_of_a_deleted_org_are_removed(void **state)
{
    struct contract *c = *state;
    struct org_delete delete = {.id = STR("org_a")};

    contract_make_org(c, "org_a");
    for (int i = 0; i < 2; i++) {
        struct recording_set set = {
                .org_id = STR("org_a"),
                .call_id = contract_make_call(c, "org_a", "+919876543210"),
                .change = RECORDING_FILE,
                .recording = {.file = STR("88231-0.mp3"),
                        .content_type = STR("audio/mpeg"),
                        .size_bytes = 10,
                        .sha256 = STR("00")},
        };
        assert_int_equal(RUN(c, store_recording_set, &set), ERR_NONE);
    }
    (void)contract_make_call(c, "org_a", "+919876543210"); /* without a file */
    assert_int_equal(RUN(c, store_org_delete, &delete), ERR_NONE);
    contract_advance(c, HOUR_MS);
    assert_int_equal(c->removed_files, 2);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
            CONTRACT_TEST(an_org_is_made_with_its_first_token),
            CONTRACT_TEST(an_id_is_made_when_none_is_given),
            CONTRACT_TEST(an_id_is_given_once),
            CONTRACT_TEST(a_failed_org_leaves_nothing_behind),
            CONTRACT_TEST(lists_go_from_new_to_old_in_pages),
            CONTRACT_TEST(a_page_that_is_just_full_is_the_last),
            CONTRACT_TEST(a_wrong_cursor_is_refused),
            CONTRACT_TEST(tokens_are_listed_found_and_deleted),
            CONTRACT_TEST(a_token_needs_an_org_and_a_hash_of_its_own),
            CONTRACT_TEST(a_deleted_org_is_gone_at_once),
            CONTRACT_TEST(what_was_waiting_for_a_deleted_org_is_never_sent),
            CONTRACT_TEST(the_rows_of_a_deleted_org_go_piece_by_piece),
            CONTRACT_TEST(a_result_that_comes_after_its_org_is_gone_leaves_nothing),
            CONTRACT_TEST(the_recordings_of_a_deleted_org_are_removed),
    };

    return CONTRACT_MAIN(argc, argv, tests);
}
