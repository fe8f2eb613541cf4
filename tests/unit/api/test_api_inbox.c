/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of api_inbox - inboxes of orgs and visitors, and what arrives at them. */
#include "api/state.h"
#include "domain/signature.h"
#include "rig.h"

#define INBOXES "/v1/inboxes"

enum { DEADLINE_MS = 10000 };

/* Makes an inbox as whoever rig->token is, and gives its id. */
static const char *make_inbox(struct rig *rig, const char *body)
{
    assert_int_equal(rig_ask(rig, "POST", INBOXES, body), 201);
    return rig_textf(rig, "%.*s", STR_ARG(rig_str(rig, "id")));
}

static const char *path_of(struct rig *rig, const char *id, const char *below)
{
    return rig_textf(rig, INBOXES "/%s%s", id, below);
}

static void test_a_new_inbox_tells_where_to_send_to(void **state)
{
    struct rig *rig = *state;
    const char *id = make_inbox(rig, NULL);

    rig_assert_str(rig, "url", rig_textf(rig, "http://callsync.test/in/%s", id));
    assert_false(json_bool(rig_value(rig, "has_secret")));
    assert_int_equal(rig_i64(rig, "respond.status"), 200);
    assert_int_equal(rig_i64(rig, "respond.delay_ms"), 0);
    assert_int_equal(json_type(rig_value(rig, "expires_at")), JSON_NULL_TYPE);
    (void)make_inbox(
            rig, "{\"secret\":\"whsec_test\",\"respond\":{\"status\":503,\"delay_ms\":30000}}");
    assert_true(json_bool(rig_value(rig, "has_secret")));
    assert_null(rig_value(rig, "secret"));
    assert_int_equal(rig_i64(rig, "respond.status"), 503);
    assert_int_equal(rig_i64(rig, "respond.delay_ms"), 30000);
}

static void test_each_wrong_setting_is_named(void **state)
{
    static const struct {
        const char *body;
        const char *field;
    } table[] = {
            {"{\"x\":1}", "x"},
            {"{\"secret\":\"short\"}", "secret"},
            {"{\"respond\":7}", "respond"},
            {"{\"respond\":{\"x\":1}}", "respond.x"},
            {"{\"respond\":{\"status\":199}}", "respond.status"},
            {"{\"respond\":{\"status\":600}}", "respond.status"},
            {"{\"respond\":{\"delay_ms\":-1}}", "respond.delay_ms"},
            {"{\"respond\":{\"delay_ms\":30001}}", "respond.delay_ms"},
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        assert_int_equal(rig_ask(rig, "POST", INBOXES, table[i].body), 422);
        rig_assert_fault(rig, 422, table[i].field);
    }
}

static void test_what_arrives_is_kept_with_all_that_came(void **state)
{
    struct rig *rig = *state;
    const char *id = make_inbox(rig, "{\"secret\":\"whsec_test\"}");
    const char *in = rig_textf(rig, "/in/%s", id);
    char signature[SHA256_HEX_SIZE];

    rig->token = NULL;
    rig->content_type = "text/plain";
    signature_hex(STR("whsec_test"), STR("hello"), signature);
    rig_header(rig, "X-CallSync-Signature", signature);
    assert_int_equal(rig_ask(rig, "PATCH", in, "hello"), 200);
    assert_true(str_starts(rig_str(rig, "request_id"), STR("req_")));
    assert_int_equal(rig_ask_bytes(rig, "POST", in, (struct str){"\x00\xff", 2}), 200);
    assert_int_equal(rig_ask(rig, "GET", in, NULL), 200);

    rig->token = rig->org_token;
    assert_int_equal(rig_ask(rig, "GET", path_of(rig, id, "/requests"), NULL), 200);
    assert_int_equal(json_count(rig_value(rig, "data")), 3);
    rig_assert_str(rig, "data[0].method", "GET");
    rig_assert_str(rig, "data[0].body", "");
    rig_assert_str(rig, "data[1].body", "AP8=");
    rig_assert_str(rig, "data[1].body_encoding", "base64");
    assert_int_equal(json_type(rig_value(rig, "data[1].signature_ok")), JSON_BOOL_TYPE);
    assert_false(json_bool(rig_value(rig, "data[1].signature_ok")));
    rig_assert_str(rig, "data[2].method", "PATCH");
    rig_assert_str(rig, "data[2].body", "hello");
    rig_assert_str(rig, "data[2].headers.Content-Type", "text/plain");
    rig_assert_str(rig, "data[2].received_at", "2026-04-28T11:58:13.000Z");
    assert_true(json_bool(rig_value(rig, "data[2].signature_ok")));
}

static void test_without_a_secret_no_signature_is_judged(void **state)
{
    struct rig *rig = *state;
    const char *id = make_inbox(rig, NULL);

    assert_int_equal(rig_ask(rig, "POST", rig_textf(rig, "/in/%s", id), "{}"), 200);
    assert_int_equal(rig_ask(rig, "GET", path_of(rig, id, "/requests"), NULL), 200);
    assert_int_equal(json_type(rig_value(rig, "data[0].signature_ok")), JSON_NULL_TYPE);
}

static void test_it_answers_with_its_status(void **state)
{
    static const unsigned statuses[] = {201, 204, 304, 410, 500};
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        const char *id =
                make_inbox(rig, rig_textf(rig, "{\"respond\":{\"status\":%u}}", statuses[i]));

        assert_int_equal(rig_ask(rig, "POST", rig_textf(rig, "/in/%s", id), "{}"), statuses[i]);
        if (statuses[i] == 204 || statuses[i] == 304)
            assert_int_equal(rig_body(rig).len, 0);
    }
}

/* A request to a slow inbox, on its way. *ret_requests: where to see that it came. */
static struct http_exchange_fake *send_to_slow(struct rig *rig, const char **ret_requests)
{
    const char *id = make_inbox(rig, "{\"respond\":{\"delay_ms\":5000}}");
    struct http_exchange_fake *fake = http_exchange_fake_new("POST", rig_textf(rig, "/in/%s", id));

    *ret_requests = path_of(rig, id, "/requests");
    http_exchange_fake_set_body(fake, STR("hello"));
    http_exchange_fake_begin(fake, api_handler(rig->api));
    return fake;
}

static void assert_kept_and_answered(struct rig *rig,
        const struct http_exchange_fake *fake,
        const char *requests)
{
    assert_int_equal(http_exchange_fake_status(fake), 200);
    assert_int_equal(rig_ask(rig, "GET", requests, NULL), 200);
    rig_assert_str(rig, "data[0].body", "hello");
}

static void test_it_answers_after_its_delay(void **state)
{
    struct rig *rig = *state;
    const char *requests;
    struct http_exchange_fake *fake = send_to_slow(rig, &requests);
    int64_t now_ms = RIG_START_MS;

    /* The delay begins when the request is stored, some turns from now. */
    while (!http_exchange_fake_wait(fake, 20)) {
        now_ms += 1000;
        assert_true(now_ms < RIG_START_MS + INT64_C(1000000));
        clock_virtual_set(&rig->clock, now_ms);
        api_tick(rig->api);
    }
    assert_true(now_ms >= RIG_START_MS + 5000);
    assert_kept_and_answered(rig, fake, requests);
    http_exchange_fake_free(fake);
}

static void test_a_stop_answers_at_once_what_was_delayed(void **state)
{
    struct rig *rig = *state;
    const char *requests;
    struct http_exchange_fake *fake = send_to_slow(rig, &requests);

    assert_false(http_exchange_fake_wait(fake, 100));
    services_drain(&rig->api->services);
    assert_true(http_exchange_fake_wait(fake, DEADLINE_MS));
    assert_kept_and_answered(rig, fake, requests);
    http_exchange_fake_free(fake);
}

static void test_nothing_arrives_where_there_is_no_inbox(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_ask(rig, "POST", "/in/in_0", "{}"), 404);
    assert_int_equal(rig_ask(rig, "POST", "/in/in_0/more", "{}"), 404);
}

static void test_an_orgs_inbox_is_shown_to_the_org_alone(void **state)
{
    static const char *const below[] = {"", "/requests"};
    struct rig *rig = *state;
    const char *id = make_inbox(rig, NULL);
    char other[RIG_TOKEN_SIZE];

    rig_make_org(rig, "org_b", other);

    const char *const tokens[] = {other, NULL};
    for (size_t i = 0; i < 2; i++) {
        rig->token = tokens[i];
        for (size_t j = 0; j < 2; j++)
            assert_int_equal(rig_ask(rig, "GET", path_of(rig, id, below[j]), NULL), 404);
        assert_int_equal(rig_ask(rig, "DELETE", path_of(rig, id, ""), NULL), 404);
    }
    rig->token = rig->org_token;
    assert_int_equal(rig_ask(rig, "GET", path_of(rig, id, ""), NULL), 200);
    rig_assert_str(rig, "id", id);
    assert_int_equal(rig_ask(rig, "GET", INBOXES, NULL), 200);
    rig_assert_str(rig, "data[0].id", id);
    assert_int_equal(rig_ask(rig, "DELETE", path_of(rig, id, ""), NULL), 204);
    assert_int_equal(rig_ask(rig, "GET", path_of(rig, id, ""), NULL), 404);
}

static void test_a_visitors_inbox_needs_no_token_and_goes_after_a_day(void **state)
{
    struct rig *rig = *state;

    rig->token = NULL;

    const char *id = make_inbox(rig, NULL);
    rig_assert_str(rig, "expires_at", "2026-04-29T11:58:13.000Z");
    assert_int_equal(rig_ask(rig, "POST", rig_textf(rig, "/in/%s", id), "{}"), 200);
    assert_int_equal(rig_ask(rig, "GET", path_of(rig, id, "/requests"), NULL), 200);
    assert_int_equal(json_count(rig_value(rig, "data")), 1);
    assert_int_equal(rig_ask(rig, "DELETE", path_of(rig, id, ""), NULL), 204);
    assert_int_equal(rig_ask(rig, "GET", INBOXES, NULL), 401);
}

static void test_a_visitor_makes_ten_inboxes_a_minute(void **state)
{
    struct rig *rig = *state;

    rig->token = NULL;
    for (int i = 0; i < 10; i++)
        (void)make_inbox(rig, NULL);
    assert_int_equal(rig_ask(rig, "POST", INBOXES, NULL), 429);
    assert_true(str_is(rig_reply_header(rig, "Retry-After"), "6"));
    rig->token = rig->org_token;
    (void)make_inbox(rig, NULL);
}

static void test_a_body_above_a_mebibyte_is_413(void **state)
{
    struct rig *rig = *state;
    const char *in = rig_textf(rig, "/in/%s", make_inbox(rig, NULL));
    size_t len = 1024 * 1024;
    char *bytes = calloc(1, len + 1);

    assert_int_equal(rig_ask_bytes(rig, "POST", in, (struct str){bytes, len}), 200);
    assert_int_equal(rig_ask_bytes(rig, "POST", in, (struct str){bytes, len + 1}), 413);
    free(bytes);
}

static void test_a_visitors_inbox_takes_64_kibibytes(void **state)
{
    struct rig *rig = *state;
    size_t len = (size_t)64 * 1024;
    char *bytes = calloc(1, len + 1);

    rig->token = NULL;

    const char *in = rig_textf(rig, "/in/%s", make_inbox(rig, NULL));
    assert_int_equal(rig_ask_bytes(rig, "POST", in, (struct str){bytes, len}), 200);
    assert_int_equal(rig_ask_bytes(rig, "POST", in, (struct str){bytes, len + 1}), 413);
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            RIG_TEST(test_a_new_inbox_tells_where_to_send_to),
            RIG_TEST(test_each_wrong_setting_is_named),
            RIG_TEST(test_what_arrives_is_kept_with_all_that_came),
            RIG_TEST(test_without_a_secret_no_signature_is_judged),
            RIG_TEST(test_it_answers_with_its_status),
            RIG_TEST(test_it_answers_after_its_delay),
            RIG_TEST(test_a_stop_answers_at_once_what_was_delayed),
            RIG_TEST(test_nothing_arrives_where_there_is_no_inbox),
            RIG_TEST(test_an_orgs_inbox_is_shown_to_the_org_alone),
            RIG_TEST(test_a_visitors_inbox_needs_no_token_and_goes_after_a_day),
            RIG_TEST(test_a_visitor_makes_ten_inboxes_a_minute),
            RIG_TEST(test_a_body_above_a_mebibyte_is_413),
            RIG_TEST(test_a_visitors_inbox_takes_64_kibibytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
