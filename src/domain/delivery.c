/* SPDX-License-Identifier: Apache-2.0 */
/* delivery - the words of states and errors, and the decision after an attempt. */
#include "domain/delivery.h"

#include <assert.h>

static const struct str STATE_NAMES[DELIVERY_STATE_COUNT] = {
        [DELIVERY_WAITING] = {"waiting", 7},
        [DELIVERY_SENDING] = {"sending", 7},
        [DELIVERY_RETRYING] = {"retrying", 8},
        [DELIVERY_HELD] = {"held", 4},
        [DELIVERY_DELIVERED] = {"delivered", 9},
        [DELIVERY_FAILED] = {"failed", 6},
        [DELIVERY_CANCELLED] = {"cancelled", 9},
};

enum { STATUS_GONE = 410, STATUS_TOO_MANY_REQUESTS = 429, STATUS_UNAVAILABLE = 503 };

struct str delivery_state_name(enum delivery_state state)
{
    assert((unsigned)state < DELIVERY_STATE_COUNT);
    return STATE_NAMES[state];
}

bool delivery_state_parse(struct str word, enum delivery_state *ret_state)
{
    for (int i = 0; i < DELIVERY_STATE_COUNT; i++) {
        if (str_equal(STATE_NAMES[i], word)) {
            *ret_state = (enum delivery_state)i;
            return true;
        }
    }
    return false;
}

enum delivery_state delivery_state_shown(enum delivery_state stored, bool endpoint_enabled)
{
    bool stored_to_wait = stored == DELIVERY_WAITING || stored == DELIVERY_RETRYING;

    return stored_to_wait && !endpoint_enabled ? DELIVERY_HELD : stored;
}

bool delivery_state_is_finished(enum delivery_state state)
{
    return state == DELIVERY_DELIVERED || state == DELIVERY_FAILED || state == DELIVERY_CANCELLED;
}

struct str attempt_error_name(enum attempt_error error)
{
    switch (error) {
    case ATTEMPT_OK: return STR_NONE;
    case ATTEMPT_TIMEOUT: return STR("timeout");
    case ATTEMPT_DNS: return STR("dns");
    case ATTEMPT_CONNECT: return STR("connect");
    case ATTEMPT_TLS: return STR("tls");
    case ATTEMPT_FORBIDDEN: return STR("forbidden_target");
    case ATTEMPT_RESET: return STR("reset");
    case ATTEMPT_BAD_RESPONSE: return STR("bad_response");
    case ATTEMPT_INTERRUPTED: return STR("interrupted");
    case ATTEMPT_STATUS: return STR("status");
    case ATTEMPT_OTHER: break;
    }
    return STR("other");
}

bool attempt_succeeded(const struct attempt_outcome *outcome)
{
    return outcome->error == ATTEMPT_OK && outcome->status >= 200 && outcome->status <= 299;
}

/* A status alone is not enough to give an endpoint up for good: the response must have come
 * whole. */
static bool is_gone(const struct attempt_outcome *outcome)
{
    return outcome->status == STATUS_GONE &&
           (outcome->error == ATTEMPT_OK || outcome->error == ATTEMPT_STATUS);
}

static int64_t hold_until(const struct attempt_outcome *outcome, int64_t now_ms)
{
    int64_t wait_ms = outcome->retry_after_ms;

    if (wait_ms <= 0 ||
            (outcome->status != STATUS_TOO_MANY_REQUESTS && outcome->status != STATUS_UNAVAILABLE))
        return 0;
    return now_ms + (wait_ms < RETRY_AFTER_MAX_MS ? wait_ms : RETRY_AFTER_MAX_MS);
}

struct delivery_decision delivery_decide(const struct attempt_outcome *outcome,
        const struct retry_schedule *schedule,
        size_t failures,
        int64_t now_ms,
        uint32_t random)
{
    struct delivery_decision decision = {.state = DELIVERY_FAILED};

    if (attempt_succeeded(outcome)) {
        decision.state = DELIVERY_DELIVERED;
        return decision;
    }
    if (is_gone(outcome)) {
        decision.endpoint_gone = true;
        return decision;
    }
    decision.hold_until_ms = hold_until(outcome, now_ms);
    if (retry_schedule_next(
                schedule, failures, now_ms, outcome->retry_after_ms, random, &decision.due_at_ms))
        decision.state = DELIVERY_RETRYING;
    return decision;
}

bool endpoint_is_failing(int64_t failing_since_ms, int64_t failing_count, int64_t now_ms)
{
    return failing_since_ms > 0 && failing_count >= ENDPOINT_FAILING_ATTEMPTS &&
           now_ms - failing_since_ms >= ENDPOINT_FAILING_MS;
}
