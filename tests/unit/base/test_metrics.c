/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of base/metrics: counting and showing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/metrics.h"

static void counters_start_at_zero_and_add_up(void **state)
{
    struct metrics metrics = {0};

    (void)state;
    assert_int_equal(metrics_get(&metrics, METRIC_EVENTS), 0);
    metrics_add(&metrics, METRIC_EVENTS, 3);
    metrics_add(&metrics, METRIC_EVENTS, 4);
    metrics_add(&metrics, METRIC_STREAMS_OPEN, -1);
    assert_int_equal(metrics_get(&metrics, METRIC_EVENTS), 7);
    assert_int_equal(metrics_get(&metrics, METRIC_STREAMS_OPEN), -1);
    assert_int_equal(metrics_get(&metrics, METRIC_DELIVERIES), 0);
}

static size_t count_of(const char *text, const char *part)
{
    size_t count = 0;

    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part))
        count++;
    return count;
}

static void every_metric_is_shown_once(void **state)
{
    struct metrics metrics = {0};
    struct buf buf = {0};

    (void)state;
    metrics_add(&metrics, METRIC_CALLS_LOGGED, 12);
    metrics_write(&buf, &metrics);
    buf_add_char(&buf, '\0');
    assert_int_equal(buf_err(&buf), ERR_NONE);
    assert_non_null(strstr(buf.ptr,
            "# HELP callsync_calls_logged_total Calls logged.\n"
            "# TYPE callsync_calls_logged_total counter\n"
            "callsync_calls_logged_total 12\n"));
    assert_non_null(strstr(
            buf.ptr, "# TYPE callsync_attempts_in_flight gauge\ncallsync_attempts_in_flight 0\n"));
    assert_int_equal(count_of(buf.ptr, "# HELP "), METRIC_COUNT);
    assert_int_equal(count_of(buf.ptr, "(null)"), 0);
    buf_done(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(counters_start_at_zero_and_add_up),
            cmocka_unit_test(every_metric_is_shown_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
