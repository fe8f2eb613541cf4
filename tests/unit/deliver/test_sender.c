/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unit tests of deliver/sender: the exact bytes of requests (contract 4.3), and what answers come to
 * (contract 4.4). The expected signatures were made with Python's hmac module.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "deliver/sender.h"
#include "fake_client.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The clock stands at SENT_MS; ids were made a little before. */
static const int64_t SENT_MS = INT64_C(1777377500250);
static const int64_t EVENT_ID = INT64_C(3727430764199936005);
static const int64_t DELIVERY_ID = INT64_C(3727430764199936006);

static const char PAYLOAD_ID[] = "wh_37EKYH00G0005";
static const char NEW_SECRET[] = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/* Of the body under the secret "whsec_test", and under NEW_SECRET. */
static const char OLD_HEX[] = "9833c5b535fbbafd719fc899ba3650e7cfabf942c420de78357515a2ccf51f45";
static const char NEW_HEX[] = "c325d4a7e8d6a7928d314ffcd5d5a40c1a51409a1809e29512f7044bfe26ecfe";
#define OLD_V1 "v1,kRu0n/2hlCOd8kRYvwoVf9hVGw017JXZ0ihbq1u8uA0="
#define NEW_V1 "v1,HpwFh0t8xbBP7wCsQOscIeRbD7EgILc9jqYOtjk9xQk="

struct fixture {
    struct clock_virtual clock;
    struct deliver_config config;
    struct fake_client *client;
    struct sender *sender;
    struct endpoint *endpoint;
    struct blob *body;
    struct delivery delivery;
    struct probe probe;
    int ended_count;
    int probe_ended_count;
};

static void count_ended(void *ctx, struct delivery *delivery)
{
    struct fixture *fixture = ctx;

    assert_ptr_equal(delivery, &fixture->delivery);
    fixture->ended_count++;
}

static void count_probe_ended(void *ctx, struct probe *probe)
{
    struct fixture *fixture = ctx;

    assert_ptr_equal(probe, &fixture->probe);
    fixture->probe_ended_count++;
}

static struct blob *read_body(void)
{
    char bytes[4096];
    FILE *file = fopen(TEST_DATA "/payloads/incoming.call_logged.json", "rb");

    assert_non_null(file);
    size_t len = fread(bytes, 1, sizeof(bytes), file);
    assert_int_equal(fclose(file), 0);
    return blob_new((struct str){bytes, len});
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    clock_virtual_init(&fixture->clock, SENT_MS);
    fixture->config = (struct deliver_config){
            .threads = 1,
            .clock = &fixture->clock.clock,
            .own_origin = "http://127.0.0.1:8080",
            .seed = 1,
    };
    fixture->client = fake_client_new();
    const struct sender_listener listener = {count_ended, count_probe_ended, fixture};
    fixture->sender = sender_new(&fixture->client->client, &fixture->config, &listener);

    fixture->endpoint = endpoint_new();
    fixture->endpoint->id = 77;
    fixture->endpoint->url = STR("https://crm.example/hook?a=1");
    fixture->endpoint->secret = STR("whsec_test");
    fixture->body = read_body();
    fixture->delivery = (struct delivery){
            .id = DELIVERY_ID,
            .event_id = EVENT_ID,
            .kind = EVENT_CALL_LOGGED,
            .endpoint = fixture->endpoint,
            .body = fixture->body,
            .attempt_count = 2,
            .failure_count = 1,
    };
    fixture->probe = (struct probe){
            .endpoint = fixture->endpoint,
            .body = blob_str(fixture->body),
            .payload_id = STR("wh_test_37EKYH00G0005"),
            .kind = EVENT_AI_ANALYSIS,
    };
    *state = fixture;
    return 0;
}

static void forget_result(struct delivery *delivery)
{
    buf_done(&delivery->detail);
    buf_done(&delivery->request_headers);
    buf_done(&delivery->response_headers);
    buf_done(&delivery->response_body);
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    sender_free(fixture->sender);
    http_client_free(&fixture->client->client);
    forget_result(&fixture->delivery);
    probe_done(&fixture->probe);
    blob_unref(fixture->body);
    endpoint_unref(fixture->endpoint);
    free(fixture);
    return 0;
}

static const struct http_request *sent_request(const struct fixture *fixture)
{
    assert_int_equal(fixture->client->count, 1);
    return fixture->client->requests[0];
}

/* The header lines of the request under way are exactly these. */
static void check_lines(const struct fixture *fixture, const char *const *lines, size_t count)
{
    const struct http_request *request = sent_request(fixture);

    for (size_t i = 0; i < count && i < request->header_count; i++)
        assert_string_equal(request->header_lines[i], lines[i]);
    assert_int_equal(request->header_count, count);
}

static void answer(struct fixture *fixture, struct fake_answer with)
{
    fake_client_answer(fixture->client, 0, with);
    http_client_run(&fixture->client->client, 0);
}

/* Sends the delivery, which is answered so. */
static void attempt(struct fixture *fixture, struct fake_answer with)
{
    forget_result(&fixture->delivery);
    sender_send(fixture->sender, &fixture->delivery);
    answer(fixture, with);
}

static void a_request_has_the_contracts_headers_and_the_stored_bytes(void **state)
{
    struct fixture *fixture = *state;
    static const char *const lines[] = {
            "Content-Type: application/json",
            "User-Agent: CallSync/" CALLSYNC_VERSION,
            "X-CallSync-Event: call_logged",
            "X-CallSync-Delivery: dlv_37EKYH00G0006",
            "X-CallSync-Attempt: 3",
            "X-CallSync-Signature: "
            "9833c5b535fbbafd719fc899ba3650e7cfabf942c420de78357515a2ccf51f45",
            "webhook-id: wh_37EKYH00G0005",
            "webhook-timestamp: 1777377500",
            "webhook-signature: " OLD_V1,
    };

    sender_send(fixture->sender, &fixture->delivery);
    check_lines(fixture, lines, COUNT(lines));
    const struct http_request *request = sent_request(fixture);
    assert_string_equal(request->method, "POST");
    assert_string_equal(request->url, "https://crm.example/hook?a=1");
    assert_true(str_equal(request->body, blob_str(fixture->body))); /* I10 */
    assert_int_equal(request->timeout_ms, 15000);
    assert_int_equal(request->keep_bytes, 16 * 1024);
    assert_int_equal(request->read_bytes, 64 * 1024);
    assert_false(request->any_target);
    answer(fixture, (struct fake_answer){.status = 200});
}

/* The value of the line of that name, NULL when there is none. */
static const char *sent_header(const struct fixture *fixture, const char *name)
{
    const struct http_request *request = sent_request(fixture);
    size_t len = strlen(name);

    for (size_t i = 0; i < request->header_count; i++) {
        const char *line = request->header_lines[i];

        if (strncmp(line, name, len) == 0 && strncmp(line + len, ": ", 2) == 0)
            return line + len + 2;
    }
    return NULL;
}

static void start_rotation(struct fixture *fixture, int64_t until_ms)
{
    fixture->endpoint->secret_old = fixture->endpoint->secret;
    fixture->endpoint->secret = str_from(NEW_SECRET);
    fixture->endpoint->secret_old_until_ms = until_ms;
}

static void during_a_rotation_both_secrets_sign(void **state)
{
    struct fixture *fixture = *state;

    start_rotation(fixture, SENT_MS + 1);
    sender_send(fixture->sender, &fixture->delivery);
    assert_string_equal(sent_header(fixture, "X-CallSync-Signature"), OLD_HEX);
    assert_string_equal(sent_header(fixture, "X-CallSync-Signature-Next"), NEW_HEX);
    assert_string_equal(sent_header(fixture, "webhook-signature"), NEW_V1 " " OLD_V1);
    answer(fixture, (struct fake_answer){.status = 200});
}

static void after_a_rotation_only_the_new_secret_signs(void **state)
{
    struct fixture *fixture = *state;

    start_rotation(fixture, SENT_MS);
    sender_send(fixture->sender, &fixture->delivery);
    assert_string_equal(sent_header(fixture, "X-CallSync-Signature"), NEW_HEX);
    assert_null(sent_header(fixture, "X-CallSync-Signature-Next"));
    assert_string_equal(sent_header(fixture, "webhook-signature"), NEW_V1);
    answer(fixture, (struct fake_answer){.status = 200});
}

static void a_new_snapshot_signs_with_its_own_secret(void **state)
{
    struct fixture *fixture = *state;

    attempt(fixture, (struct fake_answer){.status = 200});
    struct endpoint *newer = endpoint_copy(fixture->endpoint);
    newer->secret = str_from(NEW_SECRET);
    endpoint_unref(fixture->endpoint);
    fixture->endpoint = newer;
    fixture->delivery.endpoint = newer;
    sender_send(fixture->sender, &fixture->delivery);
    assert_string_equal(sent_header(fixture, "X-CallSync-Signature"), NEW_HEX);
    assert_string_equal(sent_header(fixture, "webhook-signature"), NEW_V1);
    answer(fixture, (struct fake_answer){.status = 200});
}

static void out_of_order_deliveries_say_so(void **state)
{
    struct fixture *fixture = *state;

    sender_send(fixture->sender, &fixture->delivery);
    assert_null(sent_header(fixture, "X-CallSync-Out-Of-Order"));
    answer(fixture, (struct fake_answer){.status = 200});

    forget_result(&fixture->delivery);
    fixture->delivery.out_of_order = true;
    sender_send(fixture->sender, &fixture->delivery);
    assert_string_equal(sent_header(fixture, "X-CallSync-Out-Of-Order"), "1");
    answer(fixture, (struct fake_answer){.status = 200});
}

static void own_headers_are_sent_and_their_values_kept_from_view(void **state)
{
    struct fixture *fixture = *state;

    fixture->endpoint->headers[0] = (struct header){STR("Authorization"), STR("Bearer: s3cret")};
    fixture->endpoint->headers[1] = (struct header){STR("X-Tenant"), STR("7")};
    fixture->endpoint->header_count = 2;
    sender_send(fixture->sender, &fixture->delivery);
    assert_string_equal(sent_header(fixture, "Authorization"), "Bearer: s3cret");
    assert_string_equal(sent_header(fixture, "X-Tenant"), "7");
    answer(fixture, (struct fake_answer){.status = 200});

    struct str kept = buf_str(&fixture->delivery.request_headers);
    struct str end = STR("webhook-signature: " OLD_V1 "\nAuthorization: ***\nX-Tenant: ***\n");
    assert_true(str_starts(kept, STR("Content-Type: application/json\nUser-Agent: CallSync/")));
    assert_true(str_ends(kept, end));
    for (size_t i = 0; i < kept.len; i++)
        assert_int_not_equal(kept.ptr[i], '\0');
}

static void a_probe_is_marked_as_a_test(void **state)
{
    struct fixture *fixture = *state;

    fixture->endpoint->headers[0] = (struct header){STR("X-Key"), STR("s3cret")};
    fixture->endpoint->header_count = 1;
    start_rotation(fixture, SENT_MS + 1);
    sender_probe(fixture->sender, &fixture->probe);
    assert_string_equal(sent_header(fixture, "X-CallSync-Test"), "1");
    assert_string_equal(sent_header(fixture, "X-CallSync-Event"), "ai_analysis");
    assert_string_equal(sent_header(fixture, "X-CallSync-Attempt"), "1");
    assert_string_equal(sent_header(fixture, "webhook-id"), "wh_test_37EKYH00G0005");
    assert_string_equal(sent_header(fixture, "X-CallSync-Signature"), OLD_HEX);
    assert_string_equal(sent_header(fixture, "X-CallSync-Signature-Next"), NEW_HEX);
    assert_int_equal(strncmp(sent_header(fixture, "X-CallSync-Delivery"), "dlv_test_", 9), 0);

    answer(fixture,
            (struct fake_answer){
                    .status = 302,
                    .headers = "Location: http://10.0.0.1/\n",
                    .body = "moved",
                    .detail = "no redirects",
            });
    assert_int_equal(fixture->probe_ended_count, 1);
    assert_int_equal(fixture->probe.outcome.error, ATTEMPT_STATUS);
    assert_int_equal(fixture->probe.outcome.status, 302);
    assert_int_equal(fixture->probe.started_at_ms, SENT_MS);
    assert_int_equal(fixture->probe.times.total_us, 1500);
    assert_true(str_is(buf_str(&fixture->probe.detail), "no redirects"));
    assert_true(str_is(buf_str(&fixture->probe.response_body), "moved"));
    assert_true(str_ends(buf_str(&fixture->probe.request_headers), STR("\nX-Key: ***\n")));
}

static void a_delivery_is_no_test(void **state)
{
    struct fixture *fixture = *state;

    sender_send(fixture->sender, &fixture->delivery);
    assert_null(sent_header(fixture, "X-CallSync-Test"));
    assert_string_equal(sent_header(fixture, "webhook-id"), PAYLOAD_ID);
    answer(fixture, (struct fake_answer){.status = 200});
}

static void only_an_inbox_of_this_server_may_be_any_target(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *url;
        bool is_any_target;
    } rows[] = {
            {"http://127.0.0.1:8080/in/in_37EKYH00G0005", true},
            {"http://127.0.0.1:8080/in/abc-D_9", true},
            {"http://127.0.0.1:8080/in/", false},
            {"http://127.0.0.1:8080/in", false},
            {"http://127.0.0.1:8080/inx/abc", false},
            {"http://127.0.0.1:8080/v1/in/abc", false},
            {"http://127.0.0.1:8080/in/../v1/orgs", false},
            {"http://127.0.0.1:8080/in/abc/../../v1", false},
            {"http://127.0.0.1:8080/in/%2e%2e/v1", false},
            {"http://127.0.0.1:8080/in/abc\\..\\v1", false},
            {"http://127.0.0.1:80801/in/abc", false},
            {"http://127.0.0.1:8080@10.0.0.1/in/abc", false},
            {"http://127.0.0.1:8080.example/in/abc", false},
            {"https://127.0.0.1:8080/in/abc", false},
            {"http://127.0.0.1:9090/in/abc", false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        fixture->endpoint->url = str_from(rows[i].url);
        sender_probe(fixture->sender, &fixture->probe);
        if (sent_request(fixture)->any_target != rows[i].is_any_target)
            fail_msg("%s", rows[i].url);
        answer(fixture, (struct fake_answer){.status = 200});
        probe_done(&fixture->probe);
    }
}

static void without_an_origin_nothing_may_be_any_target(void **state)
{
    struct fixture *fixture = *state;

    fixture->config.own_origin = "";
    fixture->endpoint->url = STR("/in/abc");
    sender_probe(fixture->sender, &fixture->probe);
    assert_false(sent_request(fixture)->any_target);
    answer(fixture, (struct fake_answer){.status = 200});
}

static void each_end_of_a_request_has_its_outcome(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        struct fake_answer answer;
        enum attempt_error error;
        enum delivery_state state;
    } rows[] = {
            {{.status = 200}, ATTEMPT_OK, DELIVERY_DELIVERED},
            {{.status = 204}, ATTEMPT_OK, DELIVERY_DELIVERED},
            {{.status = 299}, ATTEMPT_OK, DELIVERY_DELIVERED},
            {{.status = 199}, ATTEMPT_STATUS, DELIVERY_RETRYING},
            {{.status = 301}, ATTEMPT_STATUS, DELIVERY_RETRYING},
            {{.status = 404}, ATTEMPT_STATUS, DELIVERY_RETRYING},
            {{.status = 500}, ATTEMPT_STATUS, DELIVERY_RETRYING},
            {{.status = 410}, ATTEMPT_STATUS, DELIVERY_FAILED},
            {{.error = HTTP_TIMEOUT}, ATTEMPT_TIMEOUT, DELIVERY_RETRYING},
            {{.error = HTTP_TIMEOUT, .status = 200}, ATTEMPT_TIMEOUT, DELIVERY_RETRYING},
            {{.error = HTTP_DNS}, ATTEMPT_DNS, DELIVERY_RETRYING},
            {{.error = HTTP_CONNECT}, ATTEMPT_CONNECT, DELIVERY_RETRYING},
            {{.error = HTTP_TLS}, ATTEMPT_TLS, DELIVERY_RETRYING},
            {{.error = HTTP_FORBIDDEN}, ATTEMPT_FORBIDDEN, DELIVERY_RETRYING},
            {{.error = HTTP_RESET}, ATTEMPT_RESET, DELIVERY_RETRYING},
            {{.error = HTTP_BAD_RESPONSE}, ATTEMPT_BAD_RESPONSE, DELIVERY_RETRYING},
            {{.error = HTTP_OTHER}, ATTEMPT_OTHER, DELIVERY_RETRYING},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        attempt(fixture, rows[i].answer);
        assert_int_equal(fixture->delivery.result, RESULT_ATTEMPTED);
        assert_int_equal(fixture->delivery.outcome.error, rows[i].error);
        assert_int_equal(fixture->delivery.outcome.status, rows[i].answer.status);
        assert_int_equal(fixture->delivery.decision.state, rows[i].state);
    }
    assert_int_equal(fixture->ended_count, COUNT(rows));
}

static void the_schedule_goes_on_after_the_failures_before(void **state)
{
    struct fixture *fixture = *state;
    int64_t minute_ms = 60 * 1000;

    attempt(fixture, (struct fake_answer){.status = 500}); /* the second failure: wait 5m */
    assert_true(fixture->delivery.decision.due_at_ms >= SENT_MS + 5 * minute_ms);
    assert_true(fixture->delivery.decision.due_at_ms <= SENT_MS + 5 * minute_ms * 11 / 10);

    fixture->delivery.failure_count = 9;
    attempt(fixture, (struct fake_answer){.status = 500});
    assert_int_equal(fixture->delivery.decision.state, DELIVERY_FAILED);
}

static void a_result_holds_what_came(void **state)
{
    struct fixture *fixture = *state;

    sender_send(fixture->sender, &fixture->delivery);
    clock_virtual_set(&fixture->clock, SENT_MS + 1500);
    answer(fixture,
            (struct fake_answer){
                    .error = HTTP_TIMEOUT,
                    .status = 200,
                    .headers = "Server: slow\n",
                    .body = "half",
                    .detail = "no end within 15 s",
            });
    assert_int_equal(fixture->delivery.started_at_ms, SENT_MS);
    assert_int_equal(fixture->delivery.duration_us, 1500);
    assert_true(str_is(buf_str(&fixture->delivery.detail), "no end within 15 s"));
    assert_true(str_is(buf_str(&fixture->delivery.response_headers), "Server: slow\n"));
    assert_true(str_is(buf_str(&fixture->delivery.response_body), "half"));
    assert_int_equal(sender_in_flight(fixture->sender), 0);
}

static void retry_after_is_read_from_any_failure(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        struct fake_answer answer;
        int64_t retry_after_ms;
        bool holds;
    } rows[] = {
            {{.status = 429, .headers = "Retry-After: 600\n"}, 600000, true},
            {{.status = 503, .headers = "A: b\nretry-AFTER:600 \nC: d\n"}, 600000, true},
            {{.status = 500, .headers = "Retry-After: 600\n"}, 600000, false},
            {{.status = 429, .headers = "Retry-After: Tue, 28 Apr 2026 11:58:30 GMT\n"},
                    9750,
                    true},
            {{.status = 429, .headers = "Retry-After: soon\n"}, 0, false},
            {{.status = 429, .headers = "X-Retry-After: 600\n"}, 0, false},
            {{.status = 429, .headers = "no colon\n\n"}, 0, false},
            {{.status = 429}, 0, false},
            {{.status = 200, .headers = "Retry-After: 600\n"}, 0, false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        attempt(fixture, rows[i].answer);
        assert_int_equal(fixture->delivery.outcome.retry_after_ms, rows[i].retry_after_ms);
        assert_int_equal(fixture->delivery.decision.hold_until_ms,
                rows[i].holds ? SENT_MS + rows[i].retry_after_ms : 0);
    }
}

static void what_we_interrupt_is_returned_and_not_counted(void **state)
{
    struct fixture *fixture = *state;

    sender_send(fixture->sender, &fixture->delivery);
    sender_interrupt(fixture->sender);
    assert_int_equal(fixture->ended_count, 0);
    http_client_run(&fixture->client->client, 0);
    assert_int_equal(fixture->ended_count, 1);
    assert_int_equal(fixture->delivery.result, RESULT_RETURNED);
    assert_int_equal(fixture->delivery.due_at_ms, SENT_MS);
}

static void freeing_interrupts_what_is_in_flight(void **state)
{
    struct fixture *fixture = *state;

    sender_send(fixture->sender, &fixture->delivery);
    sender_probe(fixture->sender, &fixture->probe);
    assert_int_equal(sender_in_flight(fixture->sender), 2);
    sender_free(fixture->sender);
    fixture->sender = NULL;
    assert_int_equal(fixture->delivery.result, RESULT_RETURNED);
    assert_int_equal(fixture->probe_ended_count, 1);
    assert_int_equal(fixture->probe.outcome.error, ATTEMPT_INTERRUPTED);
}

static void the_largest_endpoint_fits(void **state)
{
    struct fixture *fixture = *state;
    char value[ENDPOINT_HEADER_VALUE_MAX_BYTES + 1];
    char name[ENDPOINT_HEADER_NAME_MAX_BYTES + 1];

    memset(value, 'v', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    for (size_t i = 0; i < ENDPOINT_HEADERS_MAX; i++)
        fixture->endpoint->headers[i] = (struct header){str_from(name), str_from(value)};
    fixture->endpoint->header_count = ENDPOINT_HEADERS_MAX;
    fixture->delivery.out_of_order = true;
    fixture->delivery.attempt_count = INT64_MAX - 1;
    start_rotation(fixture, SENT_MS + 1);
    sender_send(fixture->sender, &fixture->delivery);
    assert_string_equal(sent_header(fixture, name), value);
    assert_int_equal(sent_request(fixture)->header_count, ENDPOINT_HEADERS_MAX + 11);
    answer(fixture, (struct fake_answer){.status = 200});
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
            TEST(a_request_has_the_contracts_headers_and_the_stored_bytes),
            TEST(during_a_rotation_both_secrets_sign),
            TEST(after_a_rotation_only_the_new_secret_signs),
            TEST(a_new_snapshot_signs_with_its_own_secret),
            TEST(out_of_order_deliveries_say_so),
            TEST(own_headers_are_sent_and_their_values_kept_from_view),
            TEST(a_probe_is_marked_as_a_test),
            TEST(a_delivery_is_no_test),
            TEST(only_an_inbox_of_this_server_may_be_any_target),
            TEST(without_an_origin_nothing_may_be_any_target),
            TEST(each_end_of_a_request_has_its_outcome),
            TEST(the_schedule_goes_on_after_the_failures_before),
            TEST(a_result_holds_what_came),
            TEST(retry_after_is_read_from_any_failure),
            TEST(what_we_interrupt_is_returned_and_not_counted),
            TEST(freeing_interrupts_what_is_in_flight),
            TEST(the_largest_endpoint_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
