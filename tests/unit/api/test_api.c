/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of api - what holds for every request: path, method, who asks, body, idempotency. */
#include "api/route.h"
#include "rig.h"

static struct rig *rig_of(void **state)
{
    return *state;
}

static void an_unknown_path_is_404_as_a_problem(void **state)
{
    struct rig *rig = rig_of(state);

    assert_int_equal(rig_ask(rig, "GET", "/v1/nothing", NULL), 404);
    assert_true(str_is(rig_reply_header(rig, "Content-Type"), "application/problem+json"));
    rig_assert_str(rig, "title", "Not Found");
    rig_assert_str(rig, "type", "about:blank");
    assert_int_equal(rig_i64(rig, "status"), 404);
    assert_int_equal(rig_ask(rig, "GET", "/v1/calls/", NULL), 404);
    assert_int_equal(rig_ask(rig, "GET", "/v1/contacts/%zz", NULL), 404);
    assert_int_equal(rig_ask(rig, "GET", "/v1/contacts/%00", NULL), 404);
}

static void a_wrong_method_is_405_and_names_the_right_ones(void **state)
{
    struct rig *rig = rig_of(state);

    assert_int_equal(rig_ask(rig, "DELETE", "/v1/calls", NULL), 405);
    assert_true(str_is(rig_reply_header(rig, "Allow"), "POST, GET, HEAD"));
    assert_int_equal(rig_ask(rig, "GET", "/v1/calls/batch", NULL), 405);
    assert_true(str_is(rig_reply_header(rig, "Allow"), "POST"));
}

static void every_reply_has_the_security_headers(void **state)
{
    struct rig *rig = rig_of(state);
    static const char *const targets[] = {"/v1/calls", "/v1/nothing", "/docs", "/metrics"};

    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        (void)rig_ask(rig, "GET", targets[i], NULL);
        assert_true(str_is(rig_reply_header(rig, "X-Content-Type-Options"), "nosniff"));
        assert_true(str_is(rig_reply_header(rig, "Referrer-Policy"), "no-referrer"));
        assert_true(str_is(rig_reply_header(rig, "Cache-Control"), "no-store"));
    }
}

static void without_a_token_it_is_401_with_a_challenge(void **state)
{
    struct rig *rig = rig_of(state);

    rig->token = NULL;
    assert_int_equal(rig_ask(rig, "GET", "/v1/calls", NULL), 401);
    assert_true(str_is(rig_reply_header(rig, "WWW-Authenticate"), "Bearer realm=\"callsync\""));
}

static void a_token_that_nobody_has_is_401(void **state)
{
    struct rig *rig = rig_of(state);
    static const char *const tokens[] = {
            "cs_0123456789012345678901234567890123456789012", "org_a", "x", "cs_", "two words"};

    for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
        rig->token = tokens[i];
        assert_int_equal(rig_ask(rig, "GET", "/v1/calls", NULL), 401);
        assert_non_null(memmem(rig_reply_header(rig, "WWW-Authenticate").ptr,
                rig_reply_header(rig, "WWW-Authenticate").len,
                "invalid_token",
                13));
    }
    rig->token = NULL;
    rig_header(rig, "Authorization", "Basic dXNlcjpwYXNz");
    assert_int_equal(rig_ask(rig, "GET", "/v1/calls", NULL), 401);
}

static void a_token_without_the_scope_is_403_and_the_scope_is_named(void **state)
{
    struct rig *rig = rig_of(state);
    char token[RIG_TOKEN_SIZE];

    rig_make_token(rig, "[\"ingest\"]", token);
    rig->token = token;
    assert_int_equal(rig_ask(rig, "GET", "/v1/calls", NULL), 403);
    rig_assert_str(rig, "detail", "this needs the scope read");
    assert_int_equal(rig_ask(rig, "POST", "/v1/tokens", "{}"), 403);
    assert_int_equal(rig_ask(rig, "GET", "/v1/endpoints", NULL), 403);
    rig_assert_str(rig, "detail", "this needs the scope manage or read");
    (void)rig_make_call(rig);
}

static void no_token_of_an_org_opens_what_is_the_admins(void **state)
{
    struct rig *rig = rig_of(state);

    assert_int_equal(rig_ask(rig, "GET", "/v1/orgs", NULL), 403);
    assert_int_equal(rig_ask(rig, "POST", "/v1/orgs", "{\"name\":\"x\"}"), 403);
}

static void the_admin_names_the_org_in_a_header(void **state)
{
    struct rig *rig = rig_of(state);

    rig->token = RIG_ADMIN_TOKEN;
    assert_int_equal(rig_ask(rig, "GET", "/v1/calls", NULL), 422);
    rig_assert_fault(rig, 422, "X-CallSync-Org");
    rig_header(rig, "X-CallSync-Org", "org_none");
    assert_int_equal(rig_ask(rig, "GET", "/v1/calls", NULL), 404);
    rig_header(rig, "X-CallSync-Org", "not an id");
    assert_int_equal(rig_ask(rig, "GET", "/v1/calls", NULL), 404);
    for (int i = 0; i < 2; i++) { /* looked up, then remembered */
        rig_header(rig, "X-CallSync-Org", "org_a");
        assert_int_equal(rig_ask(rig, "GET", "/v1/calls", NULL), 200);
    }
}

static void a_token_cannot_name_another_org(void **state)
{
    struct rig *rig = rig_of(state);
    char other[RIG_TOKEN_SIZE];

    rig_make_org(rig, "org_b", other);
    rig_header(rig, "X-CallSync-Org", "org_b");
    assert_int_equal(rig_ask(rig, "GET", "/v1/calls", NULL), 404);
    rig_header(rig, "X-CallSync-Org", "org_a");
    assert_int_equal(rig_ask(rig, "GET", "/v1/calls", NULL), 200);
}

static void a_body_that_is_not_json_is_400_with_the_place(void **state)
{
    struct rig *rig = rig_of(state);

    assert_int_equal(rig_ask(rig, "POST", "/v1/calls", "{\"type\":"), 400);
    assert_non_null(strstr(rig_str(rig, "detail").ptr, "line 1"));
    assert_int_equal(rig_ask(rig, "POST", "/v1/calls", NULL), 400);
    assert_int_equal(rig_ask(rig, "POST", "/v1/calls", "{\"name\":\"\xFF\"}"), 400);
    assert_int_equal(rig_ask(rig, "POST", "/v1/calls", "{\"a\":1,\"a\":2}"), 400);
    assert_int_equal(rig_ask(rig, "POST", "/v1/calls", "[]"), 422);
}

static void a_body_of_another_type_is_415(void **state)
{
    struct rig *rig = rig_of(state);
    static const char *const wrong[] = {
            NULL, "text/plain", "application/json; charset=latin1", "application/x-json"};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        rig->content_type = wrong[i];
        assert_int_equal(rig_ask(rig, "POST", "/v1/calls", "{}"), 415);
    }
    rig->content_type = "Application/JSON; charset=\"UTF-8\"";
    assert_int_equal(rig_ask(rig, "POST", "/v1/calls", "{}"), 422);
}

static void a_body_over_its_limit_is_413(void **state)
{
    struct rig *rig = rig_of(state);
    size_t len = 1024 * 1024 + 1;
    char *body = malloc(len);

    memset(body, ' ', len);
    assert_int_equal(rig_ask_bytes(rig, "POST", "/v1/calls", (struct str){body, len}), 413);
    rig_assert_str(rig, "title", "Content Too Large");
    rig->chunk_bytes = 65536;
    assert_int_equal(rig_ask_bytes(rig, "POST", "/v1/calls", (struct str){body, len}), 413);
    rig_assert_str(rig, "title", "Content Too Large");
    assert_int_equal(rig_ask_bytes(rig, "POST", "/v1/calls/batch", (struct str){body, len}), 400);
    free(body);
}

static void a_request_without_a_body_takes_none_but_an_empty_object(void **state)
{
    struct rig *rig = rig_of(state);

    assert_int_equal(rig_ask(rig, "GET", "/v1/calls", "{}"), 200);
    assert_int_equal(rig_ask(rig, "GET", "/v1/calls", "{\"a\":1}"), 422);
}

static void an_unknown_query_parameter_is_refused_by_name(void **state)
{
    struct rig *rig = rig_of(state);

    assert_int_equal(rig_ask(rig, "GET", "/v1/calls?colour=red", NULL), 422);
    rig_assert_fault(rig, 422, "colour");
    assert_int_equal(rig_ask(rig, "GET", "/v1/orgs/org_a?x=1", NULL), 403);
    assert_int_equal(rig_ask(rig, "GET", "/v1/calls/1?x=1", NULL), 422);
    assert_int_equal(rig_ask(rig, "GET", "/v1/calls?limit=1&limit=2", NULL), 422);
    rig_assert_fault(rig, 422, "limit");
}

static void wrong_pages_are_422(void **state)
{
    struct rig *rig = rig_of(state);
    static const char *const wrong[] = {"limit=0", "limit=201", "limit=x", "limit=", "cursor=%20"};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(rig_ask(rig, "GET", rig_textf(rig, "/v1/calls?%s", wrong[i]), NULL), 422);
}

static void the_same_idempotency_key_gives_the_first_answer_again(void **state)
{
    struct rig *rig = rig_of(state);
    const char *body = "{\"type\":\"missed\",\"phone\":null}";

    rig_header(rig, "Idempotency-Key", "k1");
    assert_int_equal(rig_ask(rig, "POST", "/v1/calls", body), 201);
    assert_null(rig_reply_header(rig, "Idempotency-Replayed").ptr);

    int64_t call_id = rig_i64(rig, "call_id");

    rig_header(rig, "Idempotency-Key", "k1");
    assert_int_equal(rig_ask(rig, "POST", "/v1/calls", body), 201);
    assert_true(str_is(rig_reply_header(rig, "Idempotency-Replayed"), "true"));
    assert_int_equal(rig_i64(rig, "call_id"), call_id);
    rig_header(rig, "Idempotency-Key", "k2");
    assert_int_equal(rig_ask(rig, "POST", "/v1/calls", body), 201);
    assert_int_not_equal(rig_i64(rig, "call_id"), call_id);
}

static void an_idempotency_key_with_another_body_is_422(void **state)
{
    struct rig *rig = rig_of(state);

    rig_header(rig, "Idempotency-Key", "k1");
    assert_int_equal(
            rig_ask(rig, "POST", "/v1/calls", "{\"type\":\"missed\",\"phone\":null}"), 201);
    rig_header(rig, "Idempotency-Key", "k1");
    assert_int_equal(
            rig_ask(rig, "POST", "/v1/calls", "{\"type\":\"rejected\",\"phone\":null}"), 422);
    rig_assert_fault(rig, 422, "Idempotency-Key");
}

static void idempotency_keys_are_each_orgs_own(void **state)
{
    struct rig *rig = rig_of(state);
    char other[RIG_TOKEN_SIZE];
    const char *body = "{\"type\":\"missed\",\"phone\":null}";

    rig_make_org(rig, "org_b", other);
    rig_header(rig, "Idempotency-Key", "k1");
    assert_int_equal(rig_ask(rig, "POST", "/v1/calls", body), 201);

    int64_t call_id = rig_i64(rig, "call_id");

    rig->token = other;
    rig_header(rig, "Idempotency-Key", "k1");
    assert_int_equal(rig_ask(rig, "POST", "/v1/calls", body), 201);
    assert_int_not_equal(rig_i64(rig, "call_id"), call_id);
}

static void a_replayed_org_shows_its_first_secret_again(void **state)
{
    struct rig *rig = rig_of(state);
    char secret[RIG_TOKEN_SIZE] = "";

    rig->token = RIG_ADMIN_TOKEN;
    for (int i = 0; i < 2; i++) {
        rig_header(rig, "Idempotency-Key", "k1");
        assert_int_equal(
                rig_ask(rig, "POST", "/v1/orgs", "{\"id\":\"org_c\",\"name\":\"C\"}"), 201);
        if (i == 1)
            rig_assert_str(rig, "token.secret", secret);
        (void)snprintf(secret, sizeof(secret), "%.*s", STR_ARG(rig_str(rig, "token.secret")));
    }
}

static void an_idempotency_key_is_1_to_255_printable_characters(void **state)
{
    struct rig *rig = rig_of(state);
    char long_key[257];

    memset(long_key, 'k', 256);
    long_key[256] = '\0';

    const char *const wrong[] = {"", "k\xC3\xA9y", long_key};

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        rig_header(rig, "Idempotency-Key", wrong[i]);
        assert_int_equal(
                rig_ask(rig, "POST", "/v1/calls", "{\"type\":\"missed\",\"phone\":null}"), 422);
        rig_assert_fault(rig, 422, "Idempotency-Key");
    }
    long_key[255] = '\0';
    rig_header(rig, "Idempotency-Key", long_key);
    assert_int_equal(
            rig_ask(rig, "POST", "/v1/calls", "{\"type\":\"missed\",\"phone\":null}"), 201);
}

static void when_nothing_can_be_stored_it_is_503_with_retry_after(void **state)
{
    struct rig *rig = rig_of(state);

    (void)rig_make_call(rig);
    store_drain(rig->store);
    assert_int_equal(
            rig_ask(rig, "POST", "/v1/calls", "{\"type\":\"missed\",\"phone\":null}"), 503);
    assert_non_null(rig_reply_header(rig, "Retry-After").ptr);
}

static void a_draining_api_refuses_everything_with_503(void **state)
{
    struct rig *rig = rig_of(state);

    api_drain(rig->api);
    assert_int_equal(rig_ask(rig, "GET", "/v1/calls", NULL), 503);
    assert_true(str_is(rig_reply_header(rig, "Connection"), "close"));
    assert_non_null(rig_reply_header(rig, "Retry-After").ptr);
}

static void requests_and_errors_are_counted(void **state)
{
    struct rig *rig = rig_of(state);
    int64_t before = metrics_get(&rig->metrics, METRIC_HTTP_REQUESTS);
    int64_t errors = metrics_get(&rig->metrics, METRIC_HTTP_ERRORS);

    (void)rig_ask(rig, "GET", "/healthz", NULL);
    (void)rig_ask(rig, "GET", "/v1/nothing", NULL);
    api_drain(rig->api);
    (void)rig_ask(rig, "GET", "/healthz", NULL);
    (void)rig_ask(rig, "GET", "/healthz", NULL); /* the one before has ended by now */
    assert_int_equal(metrics_get(&rig->metrics, METRIC_HTTP_REQUESTS), before + 4);
    assert_int_equal(metrics_get(&rig->metrics, METRIC_HTTP_ERRORS), errors + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            RIG_TEST(an_unknown_path_is_404_as_a_problem),
            RIG_TEST(a_wrong_method_is_405_and_names_the_right_ones),
            RIG_TEST(every_reply_has_the_security_headers),
            RIG_TEST(without_a_token_it_is_401_with_a_challenge),
            RIG_TEST(a_token_that_nobody_has_is_401),
            RIG_TEST(a_token_without_the_scope_is_403_and_the_scope_is_named),
            RIG_TEST(no_token_of_an_org_opens_what_is_the_admins),
            RIG_TEST(the_admin_names_the_org_in_a_header),
            RIG_TEST(a_token_cannot_name_another_org),
            RIG_TEST(a_body_that_is_not_json_is_400_with_the_place),
            RIG_TEST(a_body_of_another_type_is_415),
            RIG_TEST(a_body_over_its_limit_is_413),
            RIG_TEST(a_request_without_a_body_takes_none_but_an_empty_object),
            RIG_TEST(an_unknown_query_parameter_is_refused_by_name),
            RIG_TEST(wrong_pages_are_422),
            RIG_TEST(the_same_idempotency_key_gives_the_first_answer_again),
            RIG_TEST(an_idempotency_key_with_another_body_is_422),
            RIG_TEST(idempotency_keys_are_each_orgs_own),
            RIG_TEST(a_replayed_org_shows_its_first_secret_again),
            RIG_TEST(an_idempotency_key_is_1_to_255_printable_characters),
            RIG_TEST(when_nothing_can_be_stored_it_is_503_with_retry_after),
            RIG_TEST(a_draining_api_refuses_everything_with_503),
            RIG_TEST(requests_and_errors_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
