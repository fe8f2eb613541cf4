/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delivery - one event for one endpoint: its states, and what follows from an attempt.
 *
 *            claim / hand-over                2xx
 *  waiting ---------------------> sending ----------> delivered
 *  retrying -- due ------------->  |  |
 *     ^ failed, a wait is left ----+  +-- none left, or 410 --> failed
 *
 *  held: what a waiting or retrying delivery is called while its endpoint is disabled; derived, never
 *  stored, so that disabling and enabling cost the same for one delivery and for a million.
 *  cancelled: by a person, from any unfinished state.
 *  failed, delivered, cancelled -> waiting: retried, recovered or replayed by a person.
 *
 * Every change of an attempted delivery's state is decided by delivery_decide(). Pure; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "domain/endpoint.h"

#define DELIVERY_ID_PREFIX "dlv_"
#define ATTEMPT_ID_PREFIX  "att_"

/* The numbers are stored in the database and stand in its partial indexes: never renumber. */
enum delivery_state {
    DELIVERY_WAITING = 0,
    DELIVERY_SENDING = 1,
    DELIVERY_RETRYING = 2,
    DELIVERY_HELD = 3,
    DELIVERY_DELIVERED = 4,
    DELIVERY_FAILED = 5,
    DELIVERY_CANCELLED = 6,
};
enum { DELIVERY_STATE_COUNT = 7 };

/** An event waits for an earlier one of its call at most this long (ordering "call"). */
#define DELIVERY_ORDER_HOLD_MS (INT64_C(15) * 60 * 1000)

/** The word in JSON: "waiting" ... Never none. */
struct str delivery_state_name(enum delivery_state state);
/** False, untouched, for a word that is none of them. */
bool delivery_state_parse(struct str word, enum delivery_state *ret_state);
bool delivery_state_is_finished(enum delivery_state state); /* delivered, failed, cancelled */
/** The state as it is shown: waiting and retrying ones of a disabled endpoint are held. */
enum delivery_state delivery_state_shown(enum delivery_state stored, bool endpoint_enabled);

/** Why an attempt failed before or without a status; the words are shown and stored. */
enum attempt_error {
    ATTEMPT_OK = 0,           /* a response came whole; judge by status */
    ATTEMPT_TIMEOUT = 1,      /* "timeout" */
    ATTEMPT_DNS = 2,          /* "dns" the name did not resolve */
    ATTEMPT_CONNECT = 3,      /* "connect" refused, unreachable */
    ATTEMPT_TLS = 4,          /* "tls" handshake or certificate */
    ATTEMPT_FORBIDDEN = 5,    /* "forbidden_target" by address_rule */
    ATTEMPT_RESET = 6,        /* "reset" closed or reset before the response was whole */
    ATTEMPT_BAD_RESPONSE = 7, /* "bad_response" not HTTP, endless headers, lied about a length */
    ATTEMPT_INTERRUPTED = 8,  /* "interrupted" we stopped or were killed while it was under way */
    ATTEMPT_STATUS = 9,       /* "status" a status other than 2xx */
    ATTEMPT_OTHER = 10,       /* "other": the detail says */
};
struct str attempt_error_name(enum attempt_error error); /* none for ATTEMPT_OK */

/** What one attempt came to. */
struct attempt_outcome {
    enum attempt_error error;
    int64_t status;         /* 0: none came */
    int64_t retry_after_ms; /* 0: not asked */
};

struct delivery_decision {
    enum delivery_state state; /* delivered, retrying or failed */
    int64_t due_at_ms;         /* for retrying */
    bool endpoint_gone;        /* 410: disable the endpoint */
    int64_t hold_until_ms;     /* 429, 503 with Retry-After: hold the endpoint until; 0: no */
};

/** True for a whole answer with 2xx. */
bool attempt_succeeded(const struct attempt_outcome *outcome);

/** failures: failed attempts in this run of the schedule, this one included if it failed. */
struct delivery_decision delivery_decide(const struct attempt_outcome *outcome,
        const struct retry_schedule *schedule,
        size_t failures,
        int64_t now_ms,
        uint32_t random);

/** True when an endpoint with this health is to be disabled as failing: 5 days, 20 attempts. */
bool endpoint_is_failing(int64_t failing_since_ms, int64_t failing_count, int64_t now_ms);
