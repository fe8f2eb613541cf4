/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of api_delivery and api_event - what happened, what became of it, and doing it again. */
#include "rig.h"
#include "store/store_delivery.h"

/* An endpoint, and a call that it gets. Gives the delivery's path. */
static const char *make_delivery(struct rig *rig)
{
    assert_int_equal(
            rig_ask(rig, "POST", "/v1/endpoints", "{\"url\":\"https://crm.test/hook\"}"), 201);
    (void)rig_make_call(rig);
    assert_int_equal(rig_ask(rig, "GET", "/v1/deliveries", NULL), 200);
    assert_int_equal(json_count(rig_value(rig, "data")), 1);
    return rig_textf(rig, "/v1/deliveries/%.*s", STR_ARG(rig_str(rig, "data[0].id")));
}

/* Ends the attempt of the delivery that was handed over. The store's thread takes things in order, so
 * when it has made a token it has stored the result. */
static void end_attempt(struct rig *rig, int64_t status, struct str response)
{
    struct delivery *delivery = rig->handed;
    char token[RIG_TOKEN_SIZE];

    assert_non_null(delivery);
    rig->handed = NULL;
    delivery->result = RESULT_ATTEMPTED;
    delivery->outcome = (struct attempt_outcome){
            .error = status == 200 ? ATTEMPT_OK : ATTEMPT_STATUS, .status = status};
    delivery->decision = (struct delivery_decision){
            .state = status == 200 ? DELIVERY_DELIVERED : DELIVERY_FAILED};
    delivery->started_at_ms = RIG_START_MS;
    delivery->duration_us = 84250;
    buf_add_text(&delivery->request_headers, "Content-Type: application/json\nX-A: ***\n");
    buf_add_text(&delivery->response_headers, "Server: x\nSet-Cookie: a\nSet-Cookie: b\n");
    buf_add_str(&delivery->response_body, response);
    store_delivery_result(rig->store, delivery);
    rig_make_token(rig, "[\"read\"]", token);
}

static void test_a_delivery_is_listed_and_shown_with_its_attempts(void **state)
{
    struct rig *rig = *state;
    const char *path = make_delivery(rig);

    rig_assert_str(rig, "data[0].state", "sending");
    rig_assert_str(rig, "data[0].event", "call_logged");
    rig_assert_str(rig, "data[0].endpoint_url", "https://crm.test/hook");
    rig_assert_str(rig, "data[0].created_at", "2026-04-28T11:58:13.000Z");
    assert_int_equal(json_type(rig_value(rig, "data[0].next_attempt_at")), JSON_NULL_TYPE);
    assert_int_equal(json_type(rig_value(rig, "data[0].finished_at")), JSON_NULL_TYPE);
    end_attempt(rig, 200, STR("thanks"));

    assert_int_equal(rig_ask(rig, "GET", path, NULL), 200);
    rig_assert_str(rig, "state", "delivered");
    rig_assert_str(rig, "payload.event", "call_logged");
    assert_true(str_equal(rig_str(rig, "payload.payload_id"), rig_str(rig, "payload_id")));
    rig_assert_str(rig, "finished_at", "2026-04-28T11:58:13.000Z");
    assert_int_equal(rig_i64(rig, "attempt_count"), 1);
    assert_int_equal(json_count(rig_value(rig, "attempts")), 1);
    assert_true(str_starts(rig_str(rig, "attempts[0].id"), STR("att_")));
    assert_int_equal(rig_i64(rig, "attempts[0].number"), 1);
    assert_true(json_bool(rig_value(rig, "attempts[0].ok")));
    assert_int_equal(rig_i64(rig, "attempts[0].status_code"), 200);
    assert_true(json_number(rig_value(rig, "attempts[0].duration_ms")) == 84.25);
    assert_int_equal(json_type(rig_value(rig, "attempts[0].error")), JSON_NULL_TYPE);
    rig_assert_str(rig, "attempts[0].request.headers.X-A", "***");
    rig_assert_str(rig, "attempts[0].response.headers.Set-Cookie", "a, b");
    rig_assert_str(rig, "attempts[0].response.body", "thanks");
}

static void test_a_failed_attempt_tells_why_and_can_be_retried(void **state)
{
    struct rig *rig = *state;
    const char *path = make_delivery(rig);

    end_attempt(rig, 503, (struct str){"\xff", 1});
    assert_int_equal(rig_ask(rig, "GET", path, NULL), 200);
    rig_assert_str(rig, "state", "failed");
    assert_false(json_bool(rig_value(rig, "attempts[0].ok")));
    rig_assert_str(rig, "attempts[0].error", "status");
    rig_assert_str(rig, "attempts[0].response.body", "/w==");
    rig_assert_str(rig, "attempts[0].response.body_encoding", "base64");

    assert_int_equal(rig_ask(rig, "POST", rig_textf(rig, "%s/retry", path), NULL), 202);
    assert_false(str_is(rig_str(rig, "state"), "failed"));
    assert_int_equal(json_type(rig_value(rig, "finished_at")), JSON_NULL_TYPE);
}

static void test_an_unfinished_delivery_is_cancelled_once(void **state)
{
    struct rig *rig = *state;
    const char *path = make_delivery(rig);
    const char *cancel = rig_textf(rig, "%s/cancel", path);

    assert_int_equal(rig_ask(rig, "POST", cancel, NULL), 200);
    rig_assert_str(rig, "state", "cancelled");
    assert_int_equal(rig_ask(rig, "POST", cancel, NULL), 409);
}

static void test_deliveries_are_found_by_each_filter(void **state)
{
    struct rig *rig = *state;
    const char *path = make_delivery(rig);
    const char *endpoint =
            rig_textf(rig, "endpoint_id=%.*s", STR_ARG(rig_str(rig, "data[0].endpoint_id")));
    const char *call = rig_textf(rig, "call_id=%lld", (long long)rig_i64(rig, "data[0].call_id"));
    const struct {
        const char *query;
        size_t count;
    } table[] = {
            {endpoint, 1},
            {"endpoint_id=ep_0000000000001", 0},
            {"state=sending", 1},
            {"state=failed", 0},
            {"event=call_logged", 1},
            {"event=ai_analysis", 0},
            {call, 1},
            {"call_id=999", 0},
            {"since=2026-04-28T11:58:13Z", 1},
            {"since=2026-04-28T11:58:14Z", 0},
            {"until=2026-04-28T11:58:14Z", 1},
            {"until=2026-04-28T11:58:13Z", 0},
    };

    (void)path;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const char *target = rig_textf(rig, "/v1/deliveries?%s", table[i].query);

        assert_int_equal(rig_ask(rig, "GET", target, NULL), 200);
        if (json_count(rig_value(rig, "data")) != table[i].count)
            fail_msg("%s found %zu", target, json_count(rig_value(rig, "data")));
    }
    assert_int_equal(
            rig_ask(rig,
                    "GET",
                    "/v1/deliveries?endpoint_id=ep_0000000000000&state=x&event=x&call_id=0&since=x&until="
                    "x&limit=201&x=1",
                    NULL),
            422);
    assert_int_equal(json_count(rig_value(rig, "errors")), 8);
}

static void test_an_event_shows_its_payload_and_each_endpoint(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_ask(rig,
                             "POST",
                             "/v1/endpoints",
                             "{\"url\":\"https://erp.test/\",\"events\":[\"ai_analysis\"]}"),
            201);
    (void)make_delivery(rig);
    assert_int_equal(rig_ask(rig, "GET", "/v1/events", NULL), 200);
    assert_int_equal(json_count(rig_value(rig, "data")), 1);
    rig_assert_str(rig, "data[0].event", "call_logged");
    rig_assert_str(rig, "data[0].type", "incoming");
    rig_assert_str(rig, "data[0].timestamp", "2026-04-28T11:58:13.000Z");
    assert_null(rig_value(rig, "data[0].payload"));

    const char *event =
            rig_textf(rig, "/v1/events/%.*s", STR_ARG(rig_str(rig, "data[0].payload_id")));
    assert_int_equal(rig_ask(rig, "GET", event, NULL), 200);
    rig_assert_str(rig, "payload.timestamp", "2026-04-28T11:58:13.000Z");
    assert_int_equal(json_count(rig_value(rig, "endpoints")), 2);

    int with = str_is(rig_str(rig, "endpoints[0].endpoint_url"), "https://crm.test/hook") ? 0 : 1;
    rig_assert_str(rig, rig_textf(rig, "endpoints[%d].delivery.state", with), "sending");
    rig_assert_str(
            rig, rig_textf(rig, "endpoints[%d].no_delivery_reason", 1 - with), "not_selected");
    assert_int_equal(json_type(rig_value(rig, rig_textf(rig, "endpoints[%d].delivery", 1 - with))),
            JSON_NULL_TYPE);
}

static void test_an_event_is_replayed_to_one_endpoint_or_to_all(void **state)
{
    struct rig *rig = *state;

    (void)make_delivery(rig);

    const char *endpoint = rig_textf(
            rig, "{\"endpoint_id\":\"%.*s\"}", STR_ARG(rig_str(rig, "data[0].endpoint_id")));
    const char *replay =
            rig_textf(rig, "/v1/events/%.*s/replay", STR_ARG(rig_str(rig, "data[0].payload_id")));
    end_attempt(rig, 200, STR(""));
    assert_int_equal(rig_ask(rig, "POST", replay, NULL), 202);
    assert_int_equal(rig_i64(rig, "deliveries"), 1);
    assert_int_equal(rig_ask(rig, "POST", replay, endpoint), 202);
    assert_int_equal(rig_i64(rig, "deliveries"), 1);
    assert_int_equal(rig_ask(rig, "POST", replay, "{\"endpoint_id\":\"ep_0000000000001\"}"), 404);
    assert_int_equal(rig_ask(rig, "POST", replay, "{\"endpoint_id\":\"ep_0000000000000\"}"), 422);
    assert_int_equal(rig_ask(rig, "POST", replay, "{\"endpoint_id\":\"x\",\"y\":1}"), 422);
    assert_int_equal(json_count(rig_value(rig, "errors")), 2);
}

static void test_events_are_found_by_each_filter(void **state)
{
    static const struct {
        const char *query;
        size_t count;
    } table[] = {
            {"event=call_logged", 1},
            {"event=ai_analysis", 0},
            {"type=incoming", 1},
            {"type=missed", 0},
            {"call_id=999", 0},
            {"since=2026-04-28T11:58:14Z", 0},
            {"until=2026-04-28T11:58:14Z", 1},
    };
    struct rig *rig = *state;

    (void)rig_make_call(rig);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const char *target = rig_textf(rig, "/v1/events?%s", table[i].query);

        assert_int_equal(rig_ask(rig, "GET", target, NULL), 200);
        if (json_count(rig_value(rig, "data")) != table[i].count)
            fail_msg("%s found %zu", target, json_count(rig_value(rig, "data")));
    }
    assert_int_equal(rig_ask(rig, "GET", "/v1/events?type=x&state=failed", NULL), 422);
    assert_int_equal(json_count(rig_value(rig, "errors")), 2);
}

static void test_what_is_of_another_org_is_404(void **state)
{
    struct rig *rig = *state;
    const char *delivery = make_delivery(rig);
    const char *event =
            rig_textf(rig, "/v1/events/%.*s", STR_ARG(rig_str(rig, "data[0].payload_id")));
    char other[RIG_TOKEN_SIZE];

    rig_make_org(rig, "org_b", other);
    rig->token = other;
    assert_int_equal(rig_ask(rig, "GET", delivery, NULL), 404);
    assert_int_equal(rig_ask(rig, "POST", rig_textf(rig, "%s/retry", delivery), NULL), 404);
    assert_int_equal(rig_ask(rig, "POST", rig_textf(rig, "%s/cancel", delivery), NULL), 404);
    assert_int_equal(rig_ask(rig, "GET", event, NULL), 404);
    assert_int_equal(rig_ask(rig, "POST", rig_textf(rig, "%s/replay", event), NULL), 404);
    assert_int_equal(rig_ask(rig, "GET", "/v1/deliveries", NULL), 200);
    assert_int_equal(json_count(rig_value(rig, "data")), 0);
    assert_int_equal(rig_ask(rig, "GET", "/v1/events", NULL), 200);
    assert_int_equal(json_count(rig_value(rig, "data")), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            RIG_TEST(test_a_delivery_is_listed_and_shown_with_its_attempts),
            RIG_TEST(test_a_failed_attempt_tells_why_and_can_be_retried),
            RIG_TEST(test_an_unfinished_delivery_is_cancelled_once),
            RIG_TEST(test_deliveries_are_found_by_each_filter),
            RIG_TEST(test_an_event_shows_its_payload_and_each_endpoint),
            RIG_TEST(test_an_event_is_replayed_to_one_endpoint_or_to_all),
            RIG_TEST(test_events_are_found_by_each_filter),
            RIG_TEST(test_what_is_of_another_org_is_404),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
