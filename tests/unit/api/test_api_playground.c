/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of api_playground, and of probe_answer: samples looked at, and sent. */
#include "domain/signature.h"
#include "probe_rig.h"

#define PREVIEW "/v1/playground/preview"
#define SEND    "/v1/playground/send"

static void test_a_preview_is_the_exact_body_and_needs_no_token(void **state)
{
    struct probe_rig *t = *state;
    struct rig *rig = t->rig;

    rig->token = NULL;
    assert_int_equal(
            rig_ask(rig, "POST", PREVIEW, "{\"event\":\"call_logged\",\"type\":\"missed\"}"), 200);
    assert_true(str_is(rig_reply_header(rig, "Content-Type"), "application/json"));
    rig_assert_str(rig, "event", "call_logged");
    rig_assert_str(rig, "type", "missed");
    rig_assert_str(rig, "org_id", "org_demo_123");
    rig_assert_str(rig, "timestamp", "2026-04-28T11:58:13.000Z");
    assert_true(str_starts(rig_str(rig, "payload_id"), STR("wh_test_")));
    assert_true(str_starts(rig_body(rig), STR("{\"event\":\"call_logged\",\"type\":\"missed\",")));
}

static void test_a_preview_takes_data_and_names_its_faults(void **state)
{
    struct probe_rig *t = *state;
    struct rig *rig = t->rig;

    assert_int_equal(rig_ask(rig,
                             "POST",
                             PREVIEW,
                             "{\"event\":\"call_logged\",\"type\":\"missed\","
                             "\"data\":{\"caller\":{\"name\":\"Jane\"}}}"),
            200);
    rig_assert_str(rig, "data.caller.name", "Jane");
    assert_int_equal(rig_ask(rig,
                             "POST",
                             PREVIEW,
                             "{\"event\":\"x\",\"data\":{\"caller\":{\"age\":1}},\"y\":1}"),
            422);
    assert_int_equal(json_count(rig_value(rig, "errors")), 4);
}

static void test_a_sample_is_sent_signed_and_its_attempt_is_told(void **state)
{
    struct probe_rig *t = *state;
    struct rig *rig = t->rig;
    char signature[SHA256_HEX_SIZE];

    assert_int_equal(rig_ask(rig,
                             "POST",
                             SEND,
                             "{\"event\":\"ai_analysis\",\"type\":\"incoming\","
                             "\"url\":\"https://crm.test/hook\",\"secret\":\"whsec_test\"}"),
            200);
    assert_true(json_bool(rig_value(rig, "ok")));
    assert_int_equal(rig_i64(rig, "status_code"), 200);
    assert_int_equal(json_type(rig_value(rig, "error")), JSON_NULL_TYPE);
    rig_assert_str(rig, "request.method", "POST");
    rig_assert_str(rig, "request.url", "https://crm.test/hook");
    assert_true(str_equal(rig_str(rig, "request.body"), t->body));
    rig_assert_str(rig, "response.body", "thank you");
    rig_assert_str(rig, "response.headers.Server", "x");
    rig_assert_str(rig, "next[0]", "5s");
    assert_int_equal(json_count(rig_value(rig, "next")), 9);
    assert_non_null(rig_value(rig, "times.total_ms"));
    assert_null(rig_value(rig, "secret"));

    signature_hex(STR("whsec_test"), t->body, signature);
    assert_true(str_is(probe_rig_sent(t, "X-CallSync-Signature"), signature));
    rig_assert_str(rig, "request.headers.X-CallSync-Signature", signature);
    assert_true(str_is(probe_rig_sent(t, "X-CallSync-Event"), "ai_analysis"));
    assert_true(str_is(probe_rig_sent(t, "X-CallSync-Test"), "1"));
    assert_true(str_starts(probe_rig_sent(t, "webhook-id"), STR("wh_test_")));
    assert_true(str_is(t->url, "https://crm.test/hook"));
}

static void test_a_failed_attempt_is_told_too(void **state)
{
    static const struct {
        struct http_script_answer answer;
        const char *error;
        int64_t status;
    } table[] = {
            {{.status = 503}, "status", 503},
            {{.status = 302}, "status", 302},
            {{.error = HTTP_CONNECT}, "connect", 0},
            {{.error = HTTP_FORBIDDEN, .detail = "10.0.0.1 is private"}, "forbidden_target", 0},
    };
    struct probe_rig *t = *state;
    struct rig *rig = t->rig;

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        t->answer = table[i].answer;
        assert_int_equal(rig_ask(rig,
                                 "POST",
                                 SEND,
                                 "{\"event\":\"call_logged\",\"type\":\"incoming\","
                                 "\"url\":\"https://crm.test/\",\"secret\":\"whsec_test\"}"),
                200);
        assert_false(json_bool(rig_value(rig, "ok")));
        rig_assert_str(rig, "error", table[i].error);
        assert_int_equal(rig_i64(rig, "status_code"), table[i].status);
        assert_int_equal(json_type(rig_value(rig, "response")),
                table[i].status != 0 ? JSON_OBJECT_TYPE : JSON_NULL_TYPE);
    }
}

static void test_an_answer_that_is_no_text_comes_as_base64(void **state)
{
    struct probe_rig *t = *state;
    struct rig *rig = t->rig;

    t->answer.body = (struct str){"\x00\xff", 2};
    assert_int_equal(rig_ask(rig,
                             "POST",
                             SEND,
                             "{\"event\":\"call_logged\",\"type\":\"incoming\","
                             "\"url\":\"https://crm.test/\",\"secret\":\"whsec_test\"}"),
            200);
    rig_assert_str(rig, "response.body", "AP8=");
    rig_assert_str(rig, "response.body_encoding", "base64");
}

static void test_a_given_body_is_sent_byte_by_byte(void **state)
{
    struct probe_rig *t = *state;
    struct rig *rig = t->rig;

    assert_int_equal(rig_ask(rig,
                             "POST",
                             SEND,
                             "{\"event\":\"call_logged\",\"type\":\"incoming\","
                             "\"url\":\"https://crm.test/\",\"secret\":\"whsec_test\","
                             "\"body\":\" { \\\"payload_id\\\" : \\\"wh_test_mine\\\" }\\n\"}"),
            200);
    assert_true(str_is(t->body, " { \"payload_id\" : \"wh_test_mine\" }\n"));
    assert_true(str_is(probe_rig_sent(t, "webhook-id"), "wh_test_mine"));
    assert_int_equal(rig_ask(rig,
                             "POST",
                             SEND,
                             "{\"event\":\"call_logged\",\"type\":\"incoming\","
                             "\"url\":\"https://crm.test/\",\"body\":\"{\\\"payload_id\\\":"
                             "\\\"wh_real\\\"}\"}"),
            200);
    assert_true(str_starts(probe_rig_sent(t, "webhook-id"), STR("wh_test_")));
    assert_int_equal(rig_ask(rig,
                             "POST",
                             SEND,
                             "{\"event\":\"call_logged\",\"type\":\"incoming\","
                             "\"url\":\"https://private.test/\",\"body\":\"{\"}"),
            422);
    assert_int_equal(json_count(rig_value(rig, "errors")), 2);
}

static void test_a_secret_that_was_made_is_told(void **state)
{
    struct probe_rig *t = *state;
    struct rig *rig = t->rig;
    char signature[SHA256_HEX_SIZE];

    assert_int_equal(rig_ask(rig,
                             "POST",
                             SEND,
                             "{\"event\":\"call_logged\",\"type\":\"incoming\","
                             "\"url\":\"https://crm.test/\"}"),
            200);
    assert_true(str_starts(rig_str(rig, "secret"), STR("whsec_")));
    signature_hex(rig_str(rig, "secret"), t->body, signature);
    assert_true(str_is(probe_rig_sent(t, "X-CallSync-Signature"), signature));
}

/* Makes an inbox as whoever rig->token is, and gives its URL. */
static const char *make_inbox(struct rig *rig, const char *body)
{
    assert_int_equal(rig_ask(rig, "POST", "/v1/inboxes", body), 201);
    return rig_textf(rig, "%.*s", STR_ARG(rig_str(rig, "url")));
}

static const char *sample_to(struct rig *rig, const char *url)
{
    return rig_textf(rig, "{\"event\":\"call_logged\",\"type\":\"incoming\",\"url\":\"%s\"}", url);
}

static void test_a_visitor_sends_to_an_inbox_with_its_secret_and_nowhere_else(void **state)
{
    struct probe_rig *t = *state;
    struct rig *rig = t->rig;
    char signature[SHA256_HEX_SIZE];

    rig->token = NULL;

    const char *inbox = make_inbox(rig, "{\"secret\":\"the inbox' own\"}");
    assert_int_equal(rig_ask(rig, "POST", SEND, sample_to(rig, inbox)), 200);
    assert_null(rig_value(rig, "secret"));
    signature_hex(STR("the inbox' own"), t->body, signature);
    assert_true(str_is(probe_rig_sent(t, "X-CallSync-Signature"), signature));

    assert_int_equal(rig_ask(rig, "POST", SEND, sample_to(rig, "https://crm.test/")), 401);
    assert_true(rig_reply_header(rig, "WWW-Authenticate").len > 0);
    assert_int_equal(
            rig_ask(rig, "POST", SEND, sample_to(rig, "http://callsync.test/v1/calls")), 401);
}

static void test_nobody_signs_with_the_secret_of_anothers_inbox(void **state)
{
    struct probe_rig *t = *state;
    struct rig *rig = t->rig;
    char signature[SHA256_HEX_SIZE];
    const char *inbox = make_inbox(rig, "{\"secret\":\"the org's own\"}");

    rig->token = NULL;
    assert_int_equal(rig_ask(rig, "POST", SEND, sample_to(rig, inbox)), 200);
    assert_true(str_starts(rig_str(rig, "secret"), STR("whsec_")));
    signature_hex(STR("the org's own"), t->body, signature);
    assert_false(str_is(probe_rig_sent(t, "X-CallSync-Signature"), signature));
}

static void test_a_visitor_sends_ten_times_a_minute_and_a_token_as_often_as_it_likes(void **state)
{
    struct probe_rig *t = *state;
    struct rig *rig = t->rig;

    rig->token = NULL;

    const char *inbox = make_inbox(rig, NULL);
    for (int i = 0; i < 10; i++)
        assert_int_equal(rig_ask(rig, "POST", SEND, sample_to(rig, inbox)), 200);
    assert_int_equal(rig_ask(rig, "POST", SEND, sample_to(rig, inbox)), 429);
    assert_true(str_is(rig_reply_header(rig, "Retry-After"), "6"));
    assert_true(str_is(rig_reply_header(rig, "Content-Type"), "application/problem+json"));
    rig->token = rig->org_token;
    assert_int_equal(rig_ask(rig, "POST", SEND, sample_to(rig, inbox)), 200);
    rig->token = NULL;
    clock_virtual_set(&rig->clock, RIG_START_MS + 6000);
    assert_int_equal(rig_ask(rig, "POST", SEND, sample_to(rig, inbox)), 200);
}

static void test_a_forbidden_target_is_refused_before_it_is_sent_to(void **state)
{
    struct probe_rig *t = *state;
    struct rig *rig = t->rig;

    assert_int_equal(rig_ask(rig, "POST", SEND, sample_to(rig, "https://private.test/")), 422);
    rig_assert_fault(rig, 422, "url");
    assert_null(t->url.ptr);
    assert_int_equal(rig_ask(rig, "POST", SEND, "{\"event\":\"call_logged\"}"), 422);
    assert_int_equal(json_count(rig_value(rig, "errors")), 2);
}

static void test_the_same_key_sends_once(void **state)
{
    struct probe_rig *t = *state;
    struct rig *rig = t->rig;

    rig_header(rig, "Idempotency-Key", "k");
    assert_int_equal(rig_ask(rig, "POST", SEND, sample_to(rig, "https://crm.test/")), 200);

    struct str first = arena_str(&rig->folder.arena, rig_body(rig));
    t->url = STR_NONE;
    rig_header(rig, "Idempotency-Key", "k");
    assert_int_equal(rig_ask(rig, "POST", SEND, sample_to(rig, "https://crm.test/")), 200);
    assert_true(str_equal(rig_body(rig), first));
    assert_null(t->url.ptr);
}

static void test_an_endpoint_is_tested_with_the_first_that_it_takes(void **state)
{
    struct probe_rig *t = *state;
    struct rig *rig = t->rig;

    assert_int_equal(rig_ask(rig,
                             "POST",
                             "/v1/endpoints",
                             "{\"url\":\"https://crm.test/hook\",\"events\":[\"caller_updated\"],"
                             "\"types\":[\"rejected\"],\"headers\":{\"X-Key\":\"hush\"},"
                             "\"enabled\":false,\"retry_schedule\":[\"9s\"]}"),
            201);
    const char *test = rig_textf(rig, "/v1/endpoints/%.*s/test", STR_ARG(rig_str(rig, "id")));

    assert_int_equal(rig_ask(rig, "POST", test, NULL), 200);
    assert_true(json_bool(rig_value(rig, "ok")));
    assert_true(str_is(probe_rig_sent(t, "X-CallSync-Event"), "caller_updated"));
    assert_true(str_is(probe_rig_sent(t, "X-Key"), "hush"));
    assert_non_null(memmem(t->body.ptr, t->body.len, "\"type\":\"rejected\"", 17));
    assert_non_null(memmem(t->body.ptr, t->body.len, "\"org_id\":\"org_a\"", 16));
    assert_int_equal(json_count(rig_value(rig, "next")), 1);
    rig_assert_str(rig, "next[0]", "9s");

    assert_int_equal(
            rig_ask(rig, "POST", test, "{\"event\":\"call_logged\",\"type\":\"missed\"}"), 200);
    assert_true(str_is(probe_rig_sent(t, "X-CallSync-Event"), "call_logged"));
    assert_int_equal(rig_ask(rig, "POST", test, "{\"event\":\"x\",\"type\":1,\"y\":2}"), 422);
    assert_int_equal(json_count(rig_value(rig, "errors")), 3);
}

static void test_stopping_is_told_as_503(void **state)
{
    struct probe_rig *t = *state;
    struct rig *rig = t->rig;

    deliver_stop(t->deliver, 0);
    assert_int_equal(rig_ask(rig, "POST", SEND, sample_to(rig, "https://crm.test/")), 503);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            PROBE_TEST(test_a_preview_is_the_exact_body_and_needs_no_token),
            PROBE_TEST(test_a_preview_takes_data_and_names_its_faults),
            PROBE_TEST(test_a_sample_is_sent_signed_and_its_attempt_is_told),
            PROBE_TEST(test_a_failed_attempt_is_told_too),
            PROBE_TEST(test_an_answer_that_is_no_text_comes_as_base64),
            PROBE_TEST(test_a_given_body_is_sent_byte_by_byte),
            PROBE_TEST(test_a_secret_that_was_made_is_told),
            PROBE_TEST(test_a_visitor_sends_to_an_inbox_with_its_secret_and_nowhere_else),
            PROBE_TEST(test_nobody_signs_with_the_secret_of_anothers_inbox),
            PROBE_TEST(test_a_visitor_sends_ten_times_a_minute_and_a_token_as_often_as_it_likes),
            PROBE_TEST(test_a_forbidden_target_is_refused_before_it_is_sent_to),
            PROBE_TEST(test_the_same_key_sends_once),
            PROBE_TEST(test_an_endpoint_is_tested_with_the_first_that_it_takes),
            PROBE_TEST(test_stopping_is_told_as_503),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
