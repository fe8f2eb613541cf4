/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of domain/delivery: the words, and the decision after each kind of attempt. */
#include "assert_str.h"
#include "domain/delivery.h"

enum { NOW_MS = 1000000 };

static const struct retry_schedule SCHEDULE = {.wait_count = 2, .wait_ms = {5000, 60000}};

static void states_are_written_and_read_as_words(void **state)
{
    static const struct {
        const char *word;
        bool is_finished;
    } rows[DELIVERY_STATE_COUNT] = {
            {"waiting", false},
            {"sending", false},
            {"retrying", false},
            {"held", false},
            {"delivered", true},
            {"failed", true},
            {"cancelled", true},
    };

    (void)state;
    for (int i = 0; i < DELIVERY_STATE_COUNT; i++) {
        enum delivery_state read = DELIVERY_WAITING;

        assert_str(delivery_state_name((enum delivery_state)i), rows[i].word);
        assert_true(delivery_state_parse(str_from(rows[i].word), &read));
        assert_int_equal(read, i);
        assert_int_equal(delivery_state_is_finished(read), rows[i].is_finished);
    }
}

static void other_words_are_refused_and_change_nothing(void **state)
{
    static const char *const bad[] = {NULL, "", "Waiting", "pending", "canceled"};

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        enum delivery_state read = DELIVERY_HELD;

        assert_false(delivery_state_parse(str_from(bad[i]), &read));
        assert_int_equal(read, DELIVERY_HELD);
    }
}

static void errors_have_words(void **state)
{
    static const char *const words[] = {NULL,
            "timeout",
            "dns",
            "connect",
            "tls",
            "forbidden_target",
            "reset",
            "bad_response",
            "interrupted",
            "status",
            "other"};

    (void)state;
    for (size_t i = 0; i < COUNT(words); i++)
        assert_str(attempt_error_name((enum attempt_error)i), words[i]);
}

static void only_a_whole_2xx_is_success(void **state)
{
    (void)state;
    for (int64_t status = 0; status < 1000; status++) {
        const struct attempt_outcome whole = {.status = status};
        bool is_2xx = status >= 200 && status < 300;

        assert_int_equal(attempt_succeeded(&whole), is_2xx);
        for (int error = ATTEMPT_TIMEOUT; error <= ATTEMPT_OTHER; error++) {
            const struct attempt_outcome broken = {(enum attempt_error)error, status, 0};

            assert_false(attempt_succeeded(&broken));
        }
    }
}

static void success_is_delivered_whatever_came_before(void **state)
{
    const struct attempt_outcome outcome = {.status = 204, .retry_after_ms = 9000};

    (void)state;
    for (size_t failures = 0; failures < 5; failures++) {
        struct delivery_decision decision =
                delivery_decide(&outcome, &SCHEDULE, failures, NOW_MS, UINT32_MAX);

        assert_int_equal(decision.state, DELIVERY_DELIVERED);
        assert_false(decision.endpoint_gone);
        assert_int_equal(decision.hold_until_ms, 0);
    }
}

static void each_failure_is_retried_until_the_schedule_is_used_up(void **state)
{
    static const int64_t statuses[] = {
            0, 100, 199, 300, 301, 302, 304, 307, 400, 401, 404, 429, 500, 503};

    (void)state;
    for (int error = ATTEMPT_OK; error <= ATTEMPT_OTHER; error++) {
        for (size_t i = 0; i < COUNT(statuses); i++) {
            const struct attempt_outcome outcome = {(enum attempt_error)error, statuses[i], 0};
            struct delivery_decision first = delivery_decide(&outcome, &SCHEDULE, 1, NOW_MS, 0);
            struct delivery_decision second = delivery_decide(&outcome, &SCHEDULE, 2, NOW_MS, 0);
            struct delivery_decision last = delivery_decide(&outcome, &SCHEDULE, 3, NOW_MS, 0);

            assert_int_equal(first.state, DELIVERY_RETRYING);
            assert_int_equal(first.due_at_ms, NOW_MS + 5000);
            assert_int_equal(first.hold_until_ms, 0);
            assert_int_equal(second.state, DELIVERY_RETRYING);
            assert_int_equal(second.due_at_ms, NOW_MS + 60000);
            assert_int_equal(last.state, DELIVERY_FAILED);
            assert_false(first.endpoint_gone || second.endpoint_gone || last.endpoint_gone);
        }
    }
}

static void an_empty_schedule_means_one_attempt(void **state)
{
    const struct retry_schedule never = {.wait_count = 0};
    const struct attempt_outcome outcome = {.error = ATTEMPT_TIMEOUT};

    (void)state;
    assert_int_equal(delivery_decide(&outcome, &never, 1, NOW_MS, 0).state, DELIVERY_FAILED);
}

static void gone_fails_the_delivery_and_the_endpoint_if_it_came_whole(void **state)
{
    static const struct {
        enum attempt_error error;
        enum delivery_state state;
        bool gone;
    } rows[] = {
            {ATTEMPT_OK, DELIVERY_FAILED, true},
            {ATTEMPT_STATUS, DELIVERY_FAILED, true},
            {ATTEMPT_RESET, DELIVERY_RETRYING, false},
            {ATTEMPT_TIMEOUT, DELIVERY_RETRYING, false},
            {ATTEMPT_INTERRUPTED, DELIVERY_RETRYING, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct attempt_outcome outcome = {rows[i].error, 410, 30000};
        struct delivery_decision decision = delivery_decide(&outcome, &SCHEDULE, 1, NOW_MS, 0);

        assert_int_equal(decision.state, rows[i].state);
        assert_int_equal(decision.endpoint_gone, rows[i].gone);
        assert_int_equal(decision.hold_until_ms, 0);
    }
}

static void retry_after_lengthens_any_wait_and_holds_on_429_and_503(void **state)
{
    static const struct {
        int64_t status;
        int64_t retry_after_ms;
        int64_t due_after_ms;
        int64_t hold_ms; /* 0: no hold */
    } rows[] = {
            {429, 30000, 30000, 30000},
            {503, 30000, 30000, 30000},
            {503, 1000, 5000, 1000},
            {503, INT64_MAX, RETRY_AFTER_MAX_MS, RETRY_AFTER_MAX_MS},
            {429, 0, 5000, 0},
            {429, -5, 5000, 0},
            {500, 30000, 30000, 0},
            {302, 30000, 30000, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct attempt_outcome outcome = {
                ATTEMPT_STATUS, rows[i].status, rows[i].retry_after_ms};
        struct delivery_decision decision = delivery_decide(&outcome, &SCHEDULE, 1, NOW_MS, 0);
        int64_t hold_until_ms = rows[i].hold_ms > 0 ? NOW_MS + rows[i].hold_ms : 0;

        assert_int_equal(decision.state, DELIVERY_RETRYING);
        assert_int_equal(decision.due_at_ms, NOW_MS + rows[i].due_after_ms);
        assert_int_equal(decision.hold_until_ms, hold_until_ms);
    }
}

static void the_last_failure_still_holds_the_endpoint(void **state)
{
    const struct attempt_outcome outcome = {ATTEMPT_STATUS, 429, 30000};
    struct delivery_decision decision = delivery_decide(&outcome, &SCHEDULE, 3, NOW_MS, 0);

    (void)state;
    assert_int_equal(decision.state, DELIVERY_FAILED);
    assert_int_equal(decision.hold_until_ms, NOW_MS + 30000);
}

static void an_endpoint_is_failing_after_5_days_and_20_attempts(void **state)
{
    const int64_t since_ms = 1000;
    const int64_t then_ms = since_ms + ENDPOINT_FAILING_MS;

    (void)state;
    assert_true(endpoint_is_failing(since_ms, 20, then_ms));
    assert_false(endpoint_is_failing(since_ms, 19, then_ms));
    assert_false(endpoint_is_failing(since_ms, 20, then_ms - 1));
    assert_false(endpoint_is_failing(0, 20, then_ms));
    assert_false(endpoint_is_failing(then_ms, 1000, since_ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(states_are_written_and_read_as_words),
            cmocka_unit_test(other_words_are_refused_and_change_nothing),
            cmocka_unit_test(errors_have_words),
            cmocka_unit_test(only_a_whole_2xx_is_success),
            cmocka_unit_test(success_is_delivered_whatever_came_before),
            cmocka_unit_test(each_failure_is_retried_until_the_schedule_is_used_up),
            cmocka_unit_test(an_empty_schedule_means_one_attempt),
            cmocka_unit_test(gone_fails_the_delivery_and_the_endpoint_if_it_came_whole),
            cmocka_unit_test(retry_after_lengthens_any_wait_and_holds_on_429_and_503),
            cmocka_unit_test(the_last_failure_still_holds_the_endpoint),
            cmocka_unit_test(an_endpoint_is_failing_after_5_days_and_20_attempts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
