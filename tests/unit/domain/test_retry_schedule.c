/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of domain/retry_schedule: parsing, writing, the arithmetic of waits, Retry-After. */
#include "assert_str.h"
#include "base/cleanup.h"
#include "base/rand.h"
#include "base/rfc3339.h"
#include "domain/retry_schedule.h"

static struct retry_schedule parse(const char *text)
{
    struct retry_schedule schedule = {0};

    assert_int_equal(retry_schedule_parse(str_from(text), &schedule, NULL), ERR_NONE);
    return schedule;
}

static void the_default_makes_ten_attempts(void **state)
{
    CLEANUP(buf_done) struct buf text = {0};
    struct retry_schedule schedule = retry_schedule_default();

    (void)state;
    retry_schedule_write(&text, &schedule);
    assert_buf(text, "5s,5m,30m,2h,5h,10h,14h,20h,24h");
    assert_int_equal(schedule.wait_count, 9);
}

static void parse_reads_every_unit(void **state)
{
    struct retry_schedule schedule = parse("5s,5m,2h,1d,604800s");

    (void)state;
    assert_int_equal(schedule.wait_count, 5);
    assert_int_equal(schedule.wait_ms[0], 5000);
    assert_int_equal(schedule.wait_ms[1], 300000);
    assert_int_equal(schedule.wait_ms[2], 7200000);
    assert_int_equal(schedule.wait_ms[3], 86400000);
    assert_int_equal(schedule.wait_ms[4], RETRY_WAIT_MAX_MS);
}

static void parse_of_nothing_never_retries(void **state)
{
    struct retry_schedule schedule = parse("");
    int64_t due_at_ms = -1;

    (void)state;
    assert_false(retry_schedule_next(&schedule, 1, 1000, 0, 0, &due_at_ms));
    assert_int_equal(due_at_ms, -1);
}

static void parse_names_the_bad_item(void **state)
{
    static const struct {
        const char *text;
        const char *item;
    } bad[] = {
            {"5s,oops", "oops"},
            {"5s,", ""},
            {",5s", ""},
            {"0s", "0s"},
            {"s", "s"},
            {"8d", "8d"},
            {"604801s", "604801s"},
            {"5 s", "5 s"},
            {"-5s", "-5s"},
            {"5S", "5S"},
            {"99999999999999999999s", "99999999999999999999s"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct retry_schedule schedule = {.wait_count = 3};
        struct error why = {0};
        char wanted[ERROR_TEXT_SIZE];

        assert_int_equal(retry_schedule_parse(str_from(bad[i].text), &schedule, &why), ERR_INVALID);
        (void)snprintf(wanted,
                sizeof(wanted),
                "retry wait \"%s\" is not like 30s, 5m or 2h, at most 7d",
                bad[i].item);
        assert_string_equal(why.text, wanted);
        assert_int_equal(schedule.wait_count, 3);
    }
}

static void parse_takes_twenty_waits_and_no_more(void **state)
{
    static const char *const twenty = "1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s";
    CLEANUP(buf_done) struct buf text = {0};
    struct retry_schedule schedule = parse(twenty);
    struct error why = {0};

    (void)state;
    assert_int_equal(schedule.wait_count, RETRY_WAITS_MAX);
    buf_add_text(&text, twenty);
    buf_add_text(&text, ",1s");
    assert_int_equal(retry_schedule_parse(buf_str(&text), &schedule, &why), ERR_INVALID);
    assert_string_equal(why.text, "more than 20 retry waits");
}

static void what_is_written_is_read_back(void **state)
{
    static const struct {
        const char *text;
        const char *written;
        const char *json;
    } rows[] = {
            {"", "", "[]"},
            {"90s", "90s", "[\"90s\"]"},
            {"1d,25h", "24h,25h", "[\"24h\",\"25h\"]"},
            {"120s,60m,48h,7d", "2m,1h,2d,7d", "[\"2m\",\"1h\",\"2d\",\"7d\"]"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(buf_done) struct buf text = {0};
        CLEANUP(buf_done) struct buf json = {0};
        struct retry_schedule schedule = parse(rows[i].text);

        retry_schedule_write(&text, &schedule);
        retry_schedule_write_json(&json, &schedule);
        assert_buf(text, rows[i].written);
        assert_buf(json, rows[i].json);
        schedule = parse(rows[i].written);
        buf_clear(&text);
        retry_schedule_write(&text, &schedule);
        assert_buf(text, rows[i].written);
    }
}

static void next_walks_the_list_then_stops(void **state)
{
    struct retry_schedule schedule = {.wait_count = 2, .wait_ms = {5000, 60000}};
    int64_t due_at_ms = -1;

    (void)state;
    assert_true(retry_schedule_next(&schedule, 1, 1000, 0, 0, &due_at_ms));
    assert_int_equal(due_at_ms, 6000);
    assert_true(retry_schedule_next(&schedule, 2, 1000, 0, 0, &due_at_ms));
    assert_int_equal(due_at_ms, 61000);
    assert_false(retry_schedule_next(&schedule, 3, 1000, 0, 0, &due_at_ms));
    assert_false(retry_schedule_next(&schedule, UINT32_MAX, 1000, 0, 0, &due_at_ms));
    assert_false(retry_schedule_next(&schedule, SIZE_MAX, 1000, 0, 0, &due_at_ms));
    assert_int_equal(due_at_ms, 61000);
}

/* For every attempt and random number the wait lies between the listed one and a tenth more. */
static void jitter_lengthens_by_a_tenth_at_most(void **state)
{
    const struct retry_schedule longest = {.wait_count = 1, .wait_ms = {RETRY_WAIT_MAX_MS}};
    const struct retry_schedule schedules[] = {retry_schedule_default(), longest};
    struct rand rand;
    bool has_spread = false;

    (void)state;
    rand_seed(&rand, 1);
    for (size_t s = 0; s < COUNT(schedules); s++) {
        for (size_t i = 0; i < 1000 * schedules[s].wait_count; i++) {
            size_t failures = 1 + i % schedules[s].wait_count;
            int64_t wait_ms = schedules[s].wait_ms[failures - 1];
            uint32_t random = i < 100 ? 0 : i < 200 ? UINT32_MAX : rand_u32(&rand);
            int64_t due_at_ms = 0;

            assert_true(retry_schedule_next(&schedules[s], failures, 0, 0, random, &due_at_ms));
            assert_true(due_at_ms >= wait_ms);
            assert_true(due_at_ms <= wait_ms + wait_ms / 10);
            has_spread = has_spread || due_at_ms > wait_ms + wait_ms / 20;
        }
    }
    assert_true(has_spread);
}

static void next_lets_the_receiver_lengthen_only(void **state)
{
    static const struct {
        int64_t retry_after_ms;
        int64_t due_at_ms;
    } rows[] = {
            {-5000, 10000},
            {3000, 10000},
            {30000, 30000},
            {RETRY_AFTER_MAX_MS, RETRY_AFTER_MAX_MS},
            {RETRY_AFTER_MAX_MS + 1, RETRY_AFTER_MAX_MS},
            {INT64_MAX, RETRY_AFTER_MAX_MS},
    };
    const struct retry_schedule schedule = {.wait_count = 1, .wait_ms = {10000}};

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t due_at_ms = 0;

        assert_true(retry_schedule_next(&schedule, 1, 0, rows[i].retry_after_ms, 0, &due_at_ms));
        assert_int_equal(due_at_ms, rows[i].due_at_ms);
    }
}

static void retry_after_is_read_as_seconds_or_date(void **state)
{
    static const struct {
        const char *value;
        int64_t wait_ms;
    } rows[] = {
            {"0", 0},
            {"120", 120000},
            {" 120\t", 120000},
            {"86400", RETRY_AFTER_MAX_MS},
            {"86401", RETRY_AFTER_MAX_MS},
            {"99999999999999999999999999", RETRY_AFTER_MAX_MS},
            {"Tue, 28 Apr 2026 11:58:43 GMT", 30000},
            {"Tue, 28 Apr 2026 11:58:12 GMT", 0},
            {"Fri, 31 Dec 2099 23:59:59 GMT", RETRY_AFTER_MAX_MS},
            {NULL, 0},
            {"", 0},
            {"-1", 0},
            {"+1", 0},
            {"1.5", 0},
            {"1e3", 0},
            {"soon", 0},
            {"120 s", 0},
            {"Tue, 28 Apr 2026", 0},
    };
    int64_t now_ms = 0;

    (void)state;
    assert_true(rfc3339_parse(STR("2026-04-28T11:58:13Z"), &now_ms));
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(retry_after_parse(str_from(rows[i].value), now_ms), rows[i].wait_ms);
}

static void any_bytes_as_retry_after_give_a_wait_within_bounds(void **state)
{
    static const char alphabet[] = "0123456789 ,:-+GMTueApr\t\n\xFF";
    struct rand rand;

    (void)state;
    rand_seed(&rand, 2);
    for (size_t i = 0; i < 20000; i++) {
        char value[32];
        size_t len = rand_u32(&rand) % sizeof(value);

        for (size_t k = 0; k < len; k++) {
            uint32_t random = rand_u32(&rand);

            value[k] = (i & 1) != 0 ? alphabet[random % sizeof(alphabet)] : (char)(random & 0xFF);
        }
        int64_t wait_ms = retry_after_parse((struct str){value, len}, INT64_C(1777377493000));
        assert_true(wait_ms >= 0);
        assert_true(wait_ms <= RETRY_AFTER_MAX_MS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_default_makes_ten_attempts),
            cmocka_unit_test(parse_reads_every_unit),
            cmocka_unit_test(parse_of_nothing_never_retries),
            cmocka_unit_test(parse_names_the_bad_item),
            cmocka_unit_test(parse_takes_twenty_waits_and_no_more),
            cmocka_unit_test(what_is_written_is_read_back),
            cmocka_unit_test(next_walks_the_list_then_stops),
            cmocka_unit_test(jitter_lengthens_by_a_tenth_at_most),
            cmocka_unit_test(next_lets_the_receiver_lengthen_only),
            cmocka_unit_test(retry_after_is_read_as_seconds_or_date),
            cmocka_unit_test(any_bytes_as_retry_after_give_a_wait_within_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
