/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of base/log: both formats, and values that try to forge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"

/* A log into a pipe, at a moment that stands still. */
struct probe {
    struct clock_virtual clock;
    struct log log;
    int read_fd;
    char text[16384];
};

static void probe_init(struct probe *probe, enum log_format format)
{
    int fds[2];

    assert_int_equal(pipe(fds), 0);
    clock_virtual_init(&probe->clock, INT64_C(1777377493123));
    probe->read_fd = fds[0];
    probe->log = (struct log){fds[1], format, LOG_DEBUG, &probe->clock.clock};
}

/* What was written, as text; ends the log. */
static const char *probe_text(struct probe *probe)
{
    size_t len = 0;
    ssize_t part;

    assert_int_equal(close(probe->log.fd), 0);
    do {
        part = read(probe->read_fd, probe->text + len, sizeof(probe->text) - 1 - len);
        assert_true(part >= 0);
        len += (size_t)part;
    } while (part > 0);
    probe->text[len] = '\0';
    assert_int_equal(close(probe->read_fd), 0);
    return probe->text;
}

static void text_lines_hold_time_level_event_and_fields(void **state)
{
    struct probe probe;

    (void)state;
    probe_init(&probe, LOG_TEXT);
    log_event(&probe.log,
            LOG_WARN,
            "delivery_failed",
            LOG_TEXT_FIELD("delivery", "dlv_1G"),
            LOG_INT("status", -503));
    log_event(&probe.log, LOG_DEBUG, "tick");
    log_event(&probe.log, LOG_INFO, "a", LOG_STR("none", STR_NONE), LOG_STR("empty", STR("")));
    log_event(&probe.log, LOG_ERROR, "b");
    assert_string_equal(probe_text(&probe),
            "2026-04-28T11:58:13.123Z warn delivery_failed delivery=dlv_1G status=-503\n"
            "2026-04-28T11:58:13.123Z debug tick\n"
            "2026-04-28T11:58:13.123Z info a none=- empty=\"\"\n"
            "2026-04-28T11:58:13.123Z error b\n");
}

static void json_lines_hold_the_same(void **state)
{
    struct probe probe;

    (void)state;
    probe_init(&probe, LOG_JSON);
    log_event(&probe.log,
            LOG_WARN,
            "delivery_failed",
            LOG_TEXT_FIELD("delivery", "dlv_1G"),
            LOG_INT("status", -503),
            LOG_STR("none", STR_NONE));
    log_event(&probe.log, LOG_INFO, "tick");
    assert_string_equal(probe_text(&probe),
            "{\"time\":\"2026-04-28T11:58:13.123Z\",\"level\":\"warn\","
            "\"event\":\"delivery_failed\",\"delivery\":\"dlv_1G\",\"status\":-503,"
            "\"none\":null}\n"
            "{\"time\":\"2026-04-28T11:58:13.123Z\",\"level\":\"info\",\"event\":\"tick\"}\n");
}

static void lines_below_the_level_are_dropped(void **state)
{
    struct probe probe;

    (void)state;
    probe_init(&probe, LOG_TEXT);
    probe.log.level = LOG_WARN;
    log_event(&probe.log, LOG_INFO, "quiet");
    log_event(&probe.log, LOG_WARN, "loud");
    assert_string_equal(probe_text(&probe), "2026-04-28T11:58:13.123Z warn loud\n");
}

static void a_missing_log_is_silent(void **state)
{
    const struct log silent = {.fd = -1, .clock = clock_real()};

    (void)state;
    log_event(NULL, LOG_ERROR, "nothing");
    log_event(&silent, LOG_ERROR, "nothing", LOG_INT("n", 1));
}

static void fields_may_be_left_out(void **state)
{
    struct probe probe;

    (void)state;
    probe_init(&probe, LOG_TEXT);
    log_write(&probe.log, LOG_INFO, "bare", NULL);
    assert_string_equal(probe_text(&probe), "2026-04-28T11:58:13.123Z info bare\n");
}

static void text_values_cannot_forge_fields_or_lines(void **state)
{
    static const struct {
        struct str value;
        const char *written;
    } rows[] = {
            {{"plain/it-is:fine,(yes)", 22}, "plain/it-is:fine,(yes)"},
            {{"\xC3\xA9\xF0\x9F\x93\x9E", 6}, "\xC3\xA9\xF0\x9F\x93\x9E"},
            {{"two words", 9}, "\"two words\""},
            {{"x status=200", 12}, "\"x status=200\""},
            {{"a=b", 3}, "\"a=b\""},
            {{"-", 1}, "\"-\""},
            {{"say \"hi\" \\o", 11}, "\"say \\\"hi\\\" \\\\o\""},
            {{"x\n2026 info forged", 18}, "\"x\\x0a2026 info forged\""},
            {{"\r\t\0\x1b[31m\x7f", 9}, "\"\\x0d\\x09\\x00\\x1b[31m\\x7f\""},
            {{"\xC2\x9B"
              "31m",
                     5},
                    "\"\\xc2\\x9b31m\""}, /* U+009B starts a terminal command */
            {{"\xC2\xA0", 2}, "\xC2\xA0"},
            {{"\xFF\xE2\x82", 3}, "\"\\xff\\xe2\\x82\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char expected[256] = "2026-04-28T11:58:13.123Z info e v=";
        struct probe probe;

        strcat(strcat(expected, rows[i].written), "\n");
        probe_init(&probe, LOG_TEXT);
        log_event(&probe.log, LOG_INFO, "e", LOG_STR("v", rows[i].value));
        assert_string_equal(probe_text(&probe), expected);
    }
}

static void json_values_are_escaped(void **state)
{
    struct probe probe;

    (void)state;
    probe_init(&probe, LOG_JSON);
    log_event(&probe.log, LOG_INFO, "e", LOG_STR("v", STR("\"},\n\x1b\xFF")));
    assert_string_equal(probe_text(&probe),
            "{\"time\":\"2026-04-28T11:58:13.123Z\",\"level\":\"info\",\"event\":\"e\","
            "\"v\":\"\\\"},\\n\\u001b\xEF\xBF\xBD\"}\n");
}

static void a_long_value_is_cut_between_characters(void **state)
{
    struct buf value = {0};
    struct probe probe;
    const char *text;

    (void)state;
    buf_add_text(&value, "xx");
    for (int i = 0; i < 1000; i++)
        buf_add_text(&value, "\xE2\x82\xAC");
    probe_init(&probe, LOG_TEXT);
    log_event(&probe.log, LOG_INFO, "e", LOG_STR("v", buf_str(&value)), LOG_INT("n", 1));
    text = probe_text(&probe);
    assert_true(str_is_utf8(str_from(text)));
    assert_true(str_starts(str_from(text), STR("2026-04-28T11:58:13.123Z info e v=xx\xE2\x82")));
    assert_true(str_ends(str_from(text), STR("\xE2\x82\xAC n=1\n")));
    assert_true(strlen(text) < 1024 + 64);
    buf_done(&value);
}

static void a_line_that_is_too_long_stays_valid(void **state)
{
    static const enum log_format formats[] = {LOG_TEXT, LOG_JSON};
    char worst[1024]; /* six bytes each in JSON */
    struct str value = {worst, sizeof(worst)};

    (void)state;
    memset(worst, 1, sizeof(worst));
    for (size_t i = 0; i < 2; i++) {
        struct probe probe;
        struct str line;

        probe_init(&probe, formats[i]);
        log_event(&probe.log,
                LOG_INFO,
                "e",
                LOG_STR("a", value),
                LOG_STR("b", value),
                LOG_STR("c", value));
        line = str_from(probe_text(&probe));
        assert_true(line.len > 4096 && line.len <= 8192);
        assert_int_equal(str_find_char(line, '\n', 0), line.len - 1);
        if (formats[i] == LOG_TEXT) {
            assert_true(str_ends(line, STR("\\x01\" cut=1\n")));
        } else {
            CLEANUP_PTR(json_free) struct json *json = NULL;

            assert_int_equal(json_parse(line, &json, NULL), ERR_NONE);
            assert_int_equal(json_str(json_member(json, "a")).len, 1024);
            assert_null(json_member(json, "c"));
            assert_int_equal(json_i64(json_member(json, "cut")), 1);
        }
    }
}

static void a_line_of_any_length_ends_whole(void **state)
{
    char filler[1024];

    (void)state;
    memset(filler, 'y', sizeof(filler));
    /* Around the place where the last field just fits, or just does not. */
    for (size_t len = 950; len < sizeof(filler); len++) {
        struct str full = {filler, sizeof(filler)};
        struct str last = {filler, len};
        struct probe probe;
        struct str line;

        probe_init(&probe, LOG_TEXT);
        log_event(&probe.log,
                LOG_INFO,
                "e",
                LOG_STR("a", full),
                LOG_STR("b", full),
                LOG_STR("c", full),
                LOG_STR("d", full),
                LOG_STR("e", full),
                LOG_STR("f", full),
                LOG_STR("g", full),
                LOG_STR("h", last));
        line = str_from(probe_text(&probe));
        assert_true(line.len <= 8192);
        assert_true(str_ends(line, STR("y\n")) || str_ends(line, STR("y cut=1\n")));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(text_lines_hold_time_level_event_and_fields),
            cmocka_unit_test(json_lines_hold_the_same),
            cmocka_unit_test(lines_below_the_level_are_dropped),
            cmocka_unit_test(a_missing_log_is_silent),
            cmocka_unit_test(fields_may_be_left_out),
            cmocka_unit_test(text_values_cannot_forge_fields_or_lines),
            cmocka_unit_test(json_values_are_escaped),
            cmocka_unit_test(a_long_value_is_cut_between_characters),
            cmocka_unit_test(a_line_that_is_too_long_stays_valid),
            cmocka_unit_test(a_line_of_any_length_ends_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
