/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retry_schedule - when a failed delivery is tried again.
 *
 * A list of waits: the first follows the first failed attempt, the second the second, and so on.
 * A delivery that has used up the list is failed, and is not tried again by itself.
 *
 * Pure: the caller passes in the moment of the failure and a random number, so that a test can
 * reproduce every answer. Any thread. Durations end in _ms; moments in _at_ms (Unix milliseconds).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

enum { RETRY_WAITS_MAX = 20 };
#define RETRY_WAIT_MAX_MS  (INT64_C(7) * 24 * 3600 * 1000)
#define RETRY_AFTER_MAX_MS (INT64_C(24) * 3600 * 1000)

/** A plain value: copy it freely. */
struct retry_schedule {
    size_t wait_count; /* 0: never retry */
    int64_t wait_ms[RETRY_WAITS_MAX];
};

/** 5s 5m 30m 2h 5h 10h 14h 20h 24h: ten attempts. */
struct retry_schedule retry_schedule_default(void);

/** Reads one wait such as "90s": a whole number from 1 up with s, m, h or d, at most 7d.
 *  ERR_INVALID with the text in *why. */
MUST_CHECK enum err retry_wait_parse(struct str text, int64_t *ret_wait_ms, struct error *why);
/** Reads comma-separated waits as retry_schedule_write writes them; "" never retries. */
MUST_CHECK enum err
retry_schedule_parse(struct str text, struct retry_schedule *ret_schedule, struct error *why);
/** Appends "5s,5m,2h", each wait in the largest unit that divides it; one day is "24h". */
void retry_schedule_write(struct buf *buf, const struct retry_schedule *schedule);
/** Appends ["5s","5m"] for JSON. */
void retry_schedule_write_json(struct buf *buf, const struct retry_schedule *schedule);

/**
 * Says when to try again after failed attempt number `failures` (1 is the first) of this run of
 * the schedule, which ended at `failed_at_ms`. `retry_after_ms` is the wait the receiver asked for
 * (0: none): it can lengthen the wait, to RETRY_AFTER_MAX_MS at most, never shorten it. `random`
 * is any 32-bit number; it spreads the answers over the tenth that follows the wait.
 *
 * Sets *ret_due_at_ms and returns true; or returns false, leaving it alone, when the schedule is
 * used up.
 */
bool retry_schedule_next(const struct retry_schedule *schedule,
        size_t failures,
        int64_t failed_at_ms,
        int64_t retry_after_ms,
        uint32_t random,
        int64_t *ret_due_at_ms);

/** The wait that a Retry-After value asks for (RFC 9110 section 10.2.3: seconds or HTTP-date), in
 *  ms from now, 0 .. RETRY_AFTER_MAX_MS; 0 for garbage, the past, or none. */
int64_t retry_after_parse(struct str value, int64_t now_ms);
