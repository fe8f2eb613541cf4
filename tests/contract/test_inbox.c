/* SPDX-License-Identifier: Apache-2.0 */
/* Contract tests of inboxes. */
#include "contract.h"

static struct inbox make(struct contract *c, const char *org_id, const char *secret)
{
    struct inbox_create create = {.inbox = {.org_id = str_from(org_id),
                                          .secret = str_from(secret),
                                          .status = 418,
                                          .delay_ms = 5}};

    assert_int_equal(RUN(c, store_inbox_create, &create), ERR_NONE);
    return create.inbox;
}

static enum err receive(struct contract *c, struct str id, struct str body)
{
    struct inbox_receive op = {
            .inbox_id = id,
            .request = {.method = STR("POST"),
                    .headers = STR("Host: example.com\n"),
                    .body = body,
                    .signature = SIGNATURE_HOLDS},
    };

    return RUN(c, store_inbox_receive, &op);
}

static enum err get(struct contract *c, const char *org_id, bool any_org, struct str id)
{
    struct inbox_get op = {.org_id = str_from(org_id), .any_org = any_org, .id = id};

    return RUN(c, store_inbox_get, &op);
}

static void an_inbox_comes_back_with_its_secret(void **state)
{
    struct contract *c = *state;
    struct inbox made = make(c, "org_a", "whsec_test");
    struct inbox_get op = {.org_id = STR("org_a"), .id = made.id};

    assert_true(str_starts(made.id, STR("in_")));
    assert_int_equal(made.id.len, 29);
    contract_reopen(c);
    assert_int_equal(RUN(c, store_inbox_get, &op), ERR_NONE);
    assert_true(str_is(op.inbox.secret, "whsec_test"));
    assert_int_equal(op.inbox.status, 418);
    assert_int_equal(op.inbox.delay_ms, 5);
    assert_int_equal(op.inbox.created_at_ms, CONTRACT_START_MS);
}

static void ids_cannot_be_foreseen(void **state)
{
    struct contract *c = *state;
    struct inbox one = make(c, "org_a", NULL), two = make(c, "org_a", NULL);
    size_t same = 0;

    for (size_t i = 3; i < one.id.len; i++)
        same += one.id.ptr[i] == two.id.ptr[i];
    assert_true(same < 10); /* of 26; chance gives one */
}

static void an_orgs_inbox_is_its_own_and_a_visitors_is_who_knows_it(void **state)
{
    struct contract *c = *state;
    struct inbox ours = make(c, "org_a", NULL), visitors = make(c, NULL, NULL);

    assert_int_equal(get(c, "org_a", false, ours.id), ERR_NONE);
    assert_int_equal(get(c, "org_b", false, ours.id), ERR_NOT_FOUND);
    assert_int_equal(get(c, NULL, false, ours.id), ERR_NOT_FOUND);
    assert_int_equal(get(c, NULL, true, ours.id), ERR_NONE);
    assert_int_equal(get(c, NULL, false, visitors.id), ERR_NONE);
    assert_int_equal(get(c, "org_b", false, visitors.id), ERR_NONE);
    assert_int_equal(get(c, NULL, true, STR("in_none")), ERR_NOT_FOUND);
}

static void what_came_is_kept_and_told(void **state)
{
    struct contract *c = *state;
    struct inbox ours = make(c, "org_a", NULL), visitors = make(c, NULL, NULL);
    struct inbox_request_list list = {
            .org_id = STR("org_a"), .inbox_id = ours.id, .page = {.limit = 10}};
    size_t before = c->note_count;

    assert_int_equal(receive(c, ours.id, STR("a\0b")), ERR_NONE);
    assert_int_equal(receive(c, visitors.id, STR_NONE), ERR_NONE);
    assert_int_equal(receive(c, STR("in_none"), STR("x")), ERR_NOT_FOUND);
    assert_int_equal(c->note_count, before + 2);
    assert_int_equal(c->notes[before].kind, NOTE_INBOX);
    assert_string_equal(c->notes[before].org_id, "org_a");
    assert_true(str_is(ours.id, c->notes[before].text));
    assert_string_equal(c->notes[before + 1].org_id, "");
    assert_int_equal(RUN(c, store_inbox_request_list, &list), ERR_NONE);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.requests[0].id, c->notes[before].delivery_id);
    assert_true(str_is(list.requests[0].method, "POST"));
    assert_true(str_is(list.requests[0].headers, "Host: example.com\n"));
    assert_true(str_equal(list.requests[0].body, STR("a\0b")));
    assert_int_equal(list.requests[0].signature, SIGNATURE_HOLDS);
    list.org_id = STR("org_b");
    assert_int_equal(RUN(c, store_inbox_request_list, &list), ERR_NOT_FOUND);
}

static void every_judgement_comes_back(void **state)
{
    static const enum signature_judgement judgements[] = {
            SIGNATURE_UNJUDGED, SIGNATURE_WRONG, SIGNATURE_HOLDS};
    struct contract *c = *state;
    struct inbox inbox = make(c, "org_a", NULL);
    struct inbox_request_list list = {
            .org_id = STR("org_a"), .inbox_id = inbox.id, .page = {.limit = 10}};

    for (size_t i = 0; i < 3; i++) {
        struct inbox_receive op = {.inbox_id = inbox.id,
                .request = {
                        .method = STR("GET"), .headers = STR(""), .signature = judgements[2 - i]}};

        assert_int_equal(RUN(c, store_inbox_receive, &op), ERR_NONE);
    }
    assert_int_equal(RUN(c, store_inbox_request_list, &list), ERR_NONE);
    assert_int_equal(list.count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(list.requests[i].signature, judgements[i]);
}

static void only_the_newest_requests_stay(void **state)
{
    struct contract *c = *state;
    struct inbox inbox = make(c, "org_a", NULL), other = make(c, "org_a", NULL);
    struct inbox_request_list list = {
            .org_id = STR("org_a"), .inbox_id = inbox.id, .page = {.limit = 200}};
    char number[8];

    assert_int_equal(receive(c, other.id, STR("other")), ERR_NONE);
    for (int i = 0; i < INBOX_REQUESTS_MAX + 3; i++) {
        (void)snprintf(number, sizeof(number), "%d", i);
        assert_int_equal(receive(c, inbox.id, str_from(number)), ERR_NONE);
    }
    assert_int_equal(RUN(c, store_inbox_request_list, &list), ERR_NONE);
    assert_int_equal(list.count, INBOX_REQUESTS_MAX);
    assert_true(str_is(list.requests[0].body, "102"));
    assert_true(str_is(list.requests[INBOX_REQUESTS_MAX - 1].body, "3"));
    list.inbox_id = other.id;
    assert_int_equal(RUN(c, store_inbox_request_list, &list), ERR_NONE);
    assert_int_equal(list.count, 1);
}

static void a_page_of_large_requests_ends_early(void **state)
{
    static char large[3 * 1024 * 1024];
    struct contract *c = *state;
    struct inbox inbox = make(c, "org_a", NULL);
    struct inbox_request_list list = {
            .org_id = STR("org_a"), .inbox_id = inbox.id, .page = {.limit = 200}};

    memset(large, 'x', sizeof(large));
    for (int i = 0; i < 5; i++)
        assert_int_equal(receive(c, inbox.id, (struct str){large, sizeof(large)}), ERR_NONE);
    assert_int_equal(RUN(c, store_inbox_request_list, &list), ERR_NONE);
    assert_int_equal(list.count, 3);
    list.page.cursor = list.page.next_cursor;
    assert_int_equal(RUN(c, store_inbox_request_list, &list), ERR_NONE);
    assert_int_equal(list.count, 2);
    assert_null(list.page.next_cursor.ptr);
}

static void requests_and_visitors_inboxes_go_after_a_day(void **state)
{
    struct contract *c = *state;
    struct inbox ours = make(c, "org_a", NULL), visitors = make(c, NULL, NULL);
    struct inbox_request_list list = {
            .org_id = STR("org_a"), .inbox_id = ours.id, .page = {.limit = 10}};

    assert_int_equal(receive(c, ours.id, STR("x")), ERR_NONE);
    clock_virtual_set(&c->clock, CONTRACT_START_MS + INBOX_KEEP_MS + 1); /* nothing removed yet */
    assert_int_equal(RUN(c, store_inbox_request_list, &list), ERR_NONE);
    assert_int_equal(list.count, 0);
    assert_int_equal(get(c, NULL, true, visitors.id), ERR_NOT_FOUND);
    assert_int_equal(receive(c, visitors.id, STR("x")), ERR_NOT_FOUND);
    contract_settle(c);
    assert_int_equal(get(c, "org_a", false, ours.id), ERR_NONE);
}

static void there_are_only_so_many(void **state)
{
    struct contract *c = *state;
    struct inbox_create create = {.inbox = {.org_id = STR("org_a"), .status = 200}};
    struct inbox_list list = {.org_id = STR("org_a"), .page = {.limit = 70}};

    for (int i = 0; i < INBOXES_PER_ORG_MAX; i++)
        (void)make(c, "org_a", NULL);
    assert_int_equal(RUN(c, store_inbox_create, &create), ERR_LIMIT);
    (void)make(c, "org_b", NULL);
    (void)make(c, NULL, NULL);
    assert_int_equal(RUN(c, store_inbox_list, &list), ERR_NONE);
    assert_int_equal(list.count, 70);
    list.page.cursor = list.page.next_cursor;
    assert_int_equal(RUN(c, store_inbox_list, &list), ERR_NONE);
    assert_int_equal(list.count, 30);
    assert_null(list.page.next_cursor.ptr);
}

static void a_deleted_inbox_is_gone_with_its_requests(void **state)
{
    struct contract *c = *state;
    struct inbox inbox = make(c, "org_a", NULL);
    struct inbox_delete others = {.org_id = STR("org_b"), .id = inbox.id};
    struct inbox_delete delete = {.org_id = STR("org_a"), .id = inbox.id};

    assert_int_equal(receive(c, inbox.id, STR("x")), ERR_NONE);
    assert_int_equal(RUN(c, store_inbox_delete, &others), ERR_NOT_FOUND);
    assert_int_equal(RUN(c, store_inbox_delete, &delete), ERR_NONE);
    assert_int_equal(get(c, NULL, true, inbox.id), ERR_NOT_FOUND);
    assert_int_equal(receive(c, inbox.id, STR("x")), ERR_NOT_FOUND);
    assert_int_equal(RUN(c, store_inbox_delete, &delete), ERR_NOT_FOUND);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
            CONTRACT_TEST(an_inbox_comes_back_with_its_secret),
            CONTRACT_TEST(ids_cannot_be_foreseen),
            CONTRACT_TEST(an_orgs_inbox_is_its_own_and_a_visitors_is_who_knows_it),
            CONTRACT_TEST(what_came_is_kept_and_told),
            CONTRACT_TEST(every_judgement_comes_back),
            CONTRACT_TEST(only_the_newest_requests_stay),
            CONTRACT_TEST(a_page_of_large_requests_ends_early),
            CONTRACT_TEST(requests_and_visitors_inboxes_go_after_a_day),
            CONTRACT_TEST(there_are_only_so_many),
            CONTRACT_TEST(a_deleted_inbox_is_gone_with_its_requests),
    };

    return CONTRACT_MAIN(argc, argv, tests);
}
