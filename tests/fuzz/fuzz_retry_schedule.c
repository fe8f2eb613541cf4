/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_retry_schedule - any text as a list of waits, and the moments that follow from it. */
#include "base/json.h"
#include "domain/retry_schedule.h"
#include "fuzz.h"

#define FAILED_AT_MS INT64_C(1777377493000)

static void check_same(const struct retry_schedule *a, const struct retry_schedule *b)
{
    assert(a->wait_count == b->wait_count);
    assert(memcmp(a->wait_ms, b->wait_ms, sizeof(a->wait_ms)) == 0);
}

static void check_text(const struct retry_schedule *schedule)
{
    CLEANUP(buf_done) struct buf text = {0};
    struct retry_schedule again;

    retry_schedule_write(&text, schedule);
    enum err err = retry_schedule_parse(buf_str(&text), &again, NULL);

    assert(err == ERR_NONE);
    check_same(schedule, &again);
}

static void check_json(const struct retry_schedule *schedule)
{
    CLEANUP(buf_done) struct buf text = {0};
    CLEANUP_PTR(json_free) struct json *json = NULL;

    retry_schedule_write_json(&text, schedule);
    enum err err = json_parse(buf_str(&text), &json, NULL);

    assert(err == ERR_NONE && json_count(json) == schedule->wait_count);
    for (size_t i = 0; i < schedule->wait_count; i++) {
        int64_t wait_ms = 0;

        err = retry_wait_parse(json_str(json_item(json, i)), &wait_ms, NULL);
        assert(err == ERR_NONE && wait_ms == schedule->wait_ms[i]);
    }
}

/* I4: only ever later than the wait. */
static void check_moments(const struct retry_schedule *schedule, uint32_t random)
{
    int64_t due_at_ms = -77;

    for (size_t i = 0; i < schedule->wait_count; i++) {
        int64_t wait_ms = schedule->wait_ms[i];
        bool ok = retry_schedule_next(schedule, i + 1, FAILED_AT_MS, 0, random, &due_at_ms);

        assert(ok && due_at_ms >= FAILED_AT_MS + wait_ms);
        assert(due_at_ms <= FAILED_AT_MS + wait_ms + wait_ms / 10);
    }
    due_at_ms = -77;
    assert(!retry_schedule_next(
            schedule, schedule->wait_count + 1, FAILED_AT_MS, 0, random, &due_at_ms));
    assert(due_at_ms == -77);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct retry_schedule untouched = {.wait_count = 1, .wait_ms = {-77}};
    struct retry_schedule schedule = untouched;
    struct error why = {0};
    enum err err = retry_schedule_parse(fuzz_text(data, size), &schedule, &why);
    uint32_t random = 0;

    if (err != ERR_NONE) {
        assert(err == ERR_INVALID);
        fuzz_check_why(err, &why);
        check_same(&schedule, &untouched);
        return 0;
    }
    assert(schedule.wait_count <= RETRY_WAITS_MAX);
    for (size_t i = 0; i < schedule.wait_count; i++)
        assert(schedule.wait_ms[i] >= 1000 && schedule.wait_ms[i] <= RETRY_WAIT_MAX_MS);
    check_text(&schedule);
    check_json(&schedule);
    memcpy(&random, data, size < sizeof(random) ? size : sizeof(random));
    check_moments(&schedule, random * UINT32_C(2654435761));
    return 0;
}
