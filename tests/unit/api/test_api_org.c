/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of api_org and api_token - orgs, their tokens, and that deleted ones open nothing. */
#include "rig.h"

static void a_new_org_has_a_token_with_all_scopes(void **state)
{
    struct rig *rig = *state;

    rig->token = RIG_ADMIN_TOKEN;
    assert_int_equal(rig_ask(rig, "POST", "/v1/orgs", "{\"name\":\"Made\"}"), 201);
    assert_true(str_starts(rig_str(rig, "id"), STR("org_")));
    rig_assert_str(rig, "name", "Made");
    assert_true(str_starts(rig_str(rig, "token.id"), STR("tok_")));
    assert_true(str_starts(rig_str(rig, "token.secret"), STR("cs_")));
    assert_int_equal(json_count(rig_value(rig, "token.scopes")), 3);
    assert_true(rig_str(rig, "created_at").len > 0);
}

static void an_org_that_exists_is_409(void **state)
{
    struct rig *rig = *state;

    rig->token = RIG_ADMIN_TOKEN;
    assert_int_equal(rig_ask(rig, "POST", "/v1/orgs", "{\"id\":\"org_a\",\"name\":\"A\"}"), 409);
}

static void wrong_orgs_are_422(void **state)
{
    static const char *const wrong[] = {"{}",
            "{\"name\":\"\"}",
            "{\"name\":5}",
            "{\"name\":\"A\",\"id\":\"a b\"}",
            "{\"name\":\"A\",\"id\":\"\"}",
            "{\"name\":\"A\",\"x\":1}"};
    struct rig *rig = *state;

    rig->token = RIG_ADMIN_TOKEN;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(rig_ask(rig, "POST", "/v1/orgs", wrong[i]), 422);
}

static void orgs_are_listed_shown_and_deleted(void **state)
{
    struct rig *rig = *state;

    rig->token = RIG_ADMIN_TOKEN;
    assert_int_equal(rig_ask(rig, "GET", "/v1/orgs", NULL), 200);
    rig_assert_str(rig, "data[0].id", "org_a");
    assert_int_equal(rig_ask(rig, "GET", "/v1/orgs/org_a", NULL), 200);
    rig_assert_str(rig, "id", "org_a");
    assert_int_equal(rig_ask(rig, "DELETE", "/v1/orgs/org_a", NULL), 204);
    assert_int_equal(rig_ask(rig, "GET", "/v1/orgs/org_a", NULL), 404);
    assert_int_equal(rig_ask(rig, "DELETE", "/v1/orgs/org_a", NULL), 404);
}

static void the_tokens_of_a_deleted_org_open_nothing_at_once(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_ask(rig, "GET", "/v1/calls", NULL), 200);
    rig->token = RIG_ADMIN_TOKEN;
    rig_header(rig, "X-CallSync-Org", "org_a");
    assert_int_equal(rig_ask(rig, "GET", "/v1/calls", NULL), 200);
    assert_int_equal(rig_ask(rig, "DELETE", "/v1/orgs/org_a", NULL), 204);
    rig_header(rig, "X-CallSync-Org", "org_a");
    assert_int_equal(rig_ask(rig, "GET", "/v1/calls", NULL), 404);
    rig->token = rig->org_token;
    assert_int_equal(rig_ask(rig, "GET", "/v1/calls", NULL), 401);
}

static void a_tokens_secret_is_shown_once(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(
            rig_ask(rig, "POST", "/v1/tokens", "{\"name\":\"t\",\"scopes\":[\"read\"]}"), 201);
    assert_true(str_starts(rig_str(rig, "secret"), STR("cs_")));
    rig_assert_str(rig, "scopes[0]", "read");
    assert_int_equal(rig_ask(rig, "GET", "/v1/tokens", NULL), 200);
    rig_assert_str(rig, "data[0].name", "t");
    assert_null(rig_value(rig, "data[0].secret"));
    assert_int_equal(json_count(rig_value(rig, "data")), 2);
}

static void a_token_cannot_give_what_it_lacks(void **state)
{
    struct rig *rig = *state;
    char token[RIG_TOKEN_SIZE];

    rig_make_token(rig, "[\"manage\"]", token);
    rig->token = token;
    assert_int_equal(
            rig_ask(rig, "POST", "/v1/tokens", "{\"name\":\"t\",\"scopes\":[\"read\"]}"), 403);
    assert_non_null(strstr(rig_str(rig, "detail").ptr, "read"));
    assert_int_equal(
            rig_ask(rig, "POST", "/v1/tokens", "{\"name\":\"t\",\"scopes\":[\"manage\"]}"), 201);
}

static void wrong_tokens_are_422(void **state)
{
    static const char *const wrong[] = {"{}",
            "{\"name\":\"t\"}",
            "{\"name\":\"t\",\"scopes\":[]}",
            "{\"name\":\"t\",\"scopes\":[\"admin\"]}",
            "{\"name\":\"t\",\"scopes\":[\"read\",\"read\"]}",
            "{\"name\":\"t\",\"scopes\":[5]}",
            "{\"name\":\"t\",\"scopes\":\"read\"}",
            "{\"scopes\":[\"read\"]}"};
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(rig_ask(rig, "POST", "/v1/tokens", wrong[i]), 422);
}

static void a_deleted_token_opens_nothing_at_once(void **state)
{
    struct rig *rig = *state;
    char token[RIG_TOKEN_SIZE];

    rig_make_token(rig, "[\"read\"]", token);

    const char *target = rig_textf(rig, "/v1/tokens/%.*s", STR_ARG(rig_str(rig, "id")));

    rig->token = token;
    assert_int_equal(rig_ask(rig, "GET", "/v1/calls", NULL), 200);
    rig->token = rig->org_token;
    assert_int_equal(rig_ask(rig, "DELETE", target, NULL), 204);
    assert_int_equal(rig_ask(rig, "DELETE", target, NULL), 404);
    assert_int_equal(rig_ask(rig, "DELETE", "/v1/tokens/nonsense", NULL), 404);
    rig->token = token;
    assert_int_equal(rig_ask(rig, "GET", "/v1/calls", NULL), 401);
}

static void a_token_of_another_org_is_404(void **state)
{
    struct rig *rig = *state;
    char other[RIG_TOKEN_SIZE];

    assert_int_equal(rig_ask(rig, "GET", "/v1/tokens", NULL), 200);

    const char *target = rig_textf(rig, "/v1/tokens/%.*s", STR_ARG(rig_str(rig, "data[0].id")));

    rig_make_org(rig, "org_b", other);
    rig->token = other;
    assert_int_equal(rig_ask(rig, "DELETE", target, NULL), 404);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            RIG_TEST(a_new_org_has_a_token_with_all_scopes),
            RIG_TEST(an_org_that_exists_is_409),
            RIG_TEST(wrong_orgs_are_422),
            RIG_TEST(orgs_are_listed_shown_and_deleted),
            RIG_TEST(the_tokens_of_a_deleted_org_open_nothing_at_once),
            RIG_TEST(a_tokens_secret_is_shown_once),
            RIG_TEST(a_token_cannot_give_what_it_lacks),
            RIG_TEST(wrong_tokens_are_422),
            RIG_TEST(a_deleted_token_opens_nothing_at_once),
            RIG_TEST(a_token_of_another_org_is_404),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
