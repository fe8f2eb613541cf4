/* SPDX-License-Identifier: Apache-2.0 */
/* retry_schedule - reading and writing lists of waits, and the arithmetic of the next attempt. */
#include "domain/retry_schedule.h"

#include <assert.h>

#include "base/rfc3339.h"

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS   (60 * MINUTE_MS)
#define DAY_MS    (24 * HOUR_MS)

static const struct retry_schedule DEFAULT_SCHEDULE = {
        .wait_count = 9,
        .wait_ms = {5 * SECOND_MS,
                5 * MINUTE_MS,
                30 * MINUTE_MS,
                2 * HOUR_MS,
                5 * HOUR_MS,
                10 * HOUR_MS,
                14 * HOUR_MS,
                20 * HOUR_MS,
                24 * HOUR_MS},
};

/* Largest first: the writer takes the first that divides. */
static const struct {
    char letter;
    int64_t unit_ms;
} UNITS[] = {{'d', DAY_MS}, {'h', HOUR_MS}, {'m', MINUTE_MS}, {'s', SECOND_MS}};

enum { UNIT_COUNT = sizeof(UNITS) / sizeof(UNITS[0]) };

struct retry_schedule retry_schedule_default(void)
{
    return DEFAULT_SCHEDULE;
}

static int64_t unit_of(char letter)
{
    for (size_t i = 0; i < UNIT_COUNT; i++)
        if (UNITS[i].letter == letter)
            return UNITS[i].unit_ms;
    return 0;
}

/* Reads digits and nothing else; stops growing above max, so that it cannot overflow. -1 when
 * there is none or another character. */
static int64_t read_digits(struct str text, int64_t max)
{
    int64_t number = 0;

    if (text.len == 0)
        return -1;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return -1;
        if (number <= max)
            number = number * 10 + (text.ptr[i] - '0');
    }
    return number;
}

enum err retry_wait_parse(struct str text, int64_t *ret_wait_ms, struct error *why)
{
    int64_t unit_ms = text.len > 0 ? unit_of(text.ptr[text.len - 1]) : 0;
    int64_t number =
            unit_ms != 0 ? read_digits(str_slice(text, 0, text.len - 1), RETRY_WAIT_MAX_MS) : -1;

    if (number < 1 || number > RETRY_WAIT_MAX_MS / unit_ms)
        return error_set(why,
                ERR_INVALID,
                "retry wait \"%.*s\" is not like 30s, 5m or 2h, at most 7d",
                STR_ARG(str_slice(text, 0, 40)));
    *ret_wait_ms = number * unit_ms;
    return ERR_NONE;
}

enum err
retry_schedule_parse(struct str text, struct retry_schedule *ret_schedule, struct error *why)
{
    struct retry_schedule parsed = {0};
    struct str rest = text;

    while (text.len > 0 && rest.ptr != NULL) {
        int64_t wait_ms = 0;
        enum err err = retry_wait_parse(str_split(&rest, ','), &wait_ms, why);

        if (err != ERR_NONE)
            return err;
        if (parsed.wait_count == RETRY_WAITS_MAX)
            return error_set(why, ERR_INVALID, "more than %d retry waits", RETRY_WAITS_MAX);
        parsed.wait_ms[parsed.wait_count++] = wait_ms;
    }
    *ret_schedule = parsed;
    return ERR_NONE;
}

static void write_wait(struct buf *buf, int64_t wait_ms)
{
    size_t i = wait_ms > DAY_MS ? 0 : 1; /* one day is written as the contract does: "24h" */

    while (i + 1 < UNIT_COUNT && wait_ms % UNITS[i].unit_ms != 0)
        i++;
    buf_add_i64(buf, wait_ms / UNITS[i].unit_ms);
    buf_add_char(buf, UNITS[i].letter);
}

void retry_schedule_write(struct buf *buf, const struct retry_schedule *schedule)
{
    for (size_t i = 0; i < schedule->wait_count; i++) {
        if (i > 0)
            buf_add_char(buf, ',');
        write_wait(buf, schedule->wait_ms[i]);
    }
}

void retry_schedule_write_json(struct buf *buf, const struct retry_schedule *schedule)
{
    buf_add_char(buf, '[');
    for (size_t i = 0; i < schedule->wait_count; i++) {
        buf_add_text(buf, i > 0 ? ",\"" : "\"");
        write_wait(buf, schedule->wait_ms[i]);
        buf_add_char(buf, '"');
    }
    buf_add_char(buf, ']');
}

bool retry_schedule_next(const struct retry_schedule *schedule,
        size_t failures,
        int64_t failed_at_ms,
        int64_t retry_after_ms,
        uint32_t random,
        int64_t *ret_due_at_ms)
{
    assert(failures >= 1);

    if (failures > schedule->wait_count)
        return false;

    /* The spread only ever lengthens the wait: a receiver that comes back must not meet all its
     * deliveries at once, nor any earlier than promised. */
    int64_t wait_ms = schedule->wait_ms[failures - 1];
    wait_ms += (int64_t)(((uint64_t)wait_ms / 10 * random) >> 32);

    if (retry_after_ms > RETRY_AFTER_MAX_MS)
        retry_after_ms = RETRY_AFTER_MAX_MS;
    *ret_due_at_ms = failed_at_ms + (retry_after_ms > wait_ms ? retry_after_ms : wait_ms);
    return true;
}

int64_t retry_after_parse(struct str value, int64_t now_ms)
{
    struct str text = str_trim(value);
    int64_t seconds = read_digits(text, RETRY_AFTER_MAX_MS / SECOND_MS);
    int64_t wait_ms = 0;
    int64_t at_ms = 0;

    if (seconds >= 0)
        wait_ms = seconds * SECOND_MS;
    else if (http_date_parse(text, &at_ms) && at_ms > now_ms)
        wait_ms = at_ms - now_ms;
    return wait_ms > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : wait_ms;
}
