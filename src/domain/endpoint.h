/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endpoint - a URL that receives events, with its settings.
 *
 * A snapshot: made whole, never changed, shared by threads through references. A change of the
 * settings makes a new snapshot; deliveries in memory keep theirs until their lane learns of it.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/str.h"
#include "domain/event.h"
#include "domain/retry_schedule.h"

#define ENDPOINT_ID_PREFIX "ep_"

/* The numbers are stored in the database: never renumber. */
enum endpoint_ordering { ORDERING_CALL = 0, ORDERING_NONE = 1, ORDERING_ENDPOINT = 2 };
enum disabled_reason {
    DISABLED_NOT = 0,
    DISABLED_MANUAL = 1,  /* "manual": by a person */
    DISABLED_GONE = 2,    /* "gone": it answered 410 */
    DISABLED_FAILING = 3, /* "failing": every attempt failed for 5 days */
};

enum {
    ENDPOINT_URL_MAX_BYTES = 2048,
    ENDPOINT_DESCRIPTION_MAX_BYTES = 256,
    ENDPOINT_HEADERS_MAX = 20,
    ENDPOINT_HEADER_NAME_MAX_BYTES = 64,
    ENDPOINT_HEADER_VALUE_MAX_BYTES = 1024,
    ENDPOINT_TIMEOUT_MIN_S = 1,
    ENDPOINT_TIMEOUT_MAX_S = 30,
    ENDPOINT_TIMEOUT_DEFAULT_S = 15,
    ENDPOINT_IN_FLIGHT_MAX = 100,
    ENDPOINT_IN_FLIGHT_DEFAULT = 10,
    ENDPOINT_RATE_MAX = 10000,
    ENDPOINT_FAILING_ATTEMPTS = 20,
};
#define ENDPOINT_FAILING_MS        (INT64_C(5) * 24 * 3600 * 1000)
#define ENDPOINT_OVERLAP_MAX_S     604800
#define ENDPOINT_OVERLAP_DEFAULT_S 86400

struct header {
    struct str name;
    struct str value;
};

struct endpoint {
    atomic_uint refs;
    struct arena arena; /* owns every string below */

    int64_t id; /* "ep_" and its digits */
    struct str org_id;
    struct str url;
    struct str description; /* none: none */
    unsigned event_mask;    /* bits of enum event_kind; 0: all */
    unsigned type_mask;     /* bits of enum call_type; 0: all */
    bool enabled;
    enum disabled_reason disabled_reason;
    int64_t disabled_at_ms; /* 0: enabled */
    int64_t enabled_at_ms;  /* when it was last enabled */
    struct header headers[ENDPOINT_HEADERS_MAX];
    size_t header_count;
    int64_t timeout_ms;
    struct retry_schedule retry_schedule;
    int64_t max_in_flight;
    int64_t rate_limit; /* attempts a second; 0: no limit */
    enum endpoint_ordering ordering;
    struct str secret;           /* what signs; during an overlap the new one */
    struct str secret_old;       /* none: no rotation is under way */
    int64_t secret_old_until_ms; /* the overlap's end */
    int64_t created_at_ms;
    int64_t updated_at_ms;

    /* Health: changed only by results, through new snapshots or the store's own copy. */
    int64_t failing_since_ms; /* first failure since the last success; 0: none */
    int64_t failing_count;    /* attempts failed since then */
    int64_t hold_until_ms;    /* 429 or 503 with Retry-After: nothing before this; 0: no hold */
};

/** An empty snapshot with the defaults of the contract and one reference. */
struct endpoint *endpoint_new(void);
struct endpoint *endpoint_ref(struct endpoint *endpoint);
void endpoint_unref(struct endpoint *endpoint); /* NULL is fine */
DEFINE_CLEANUP(struct endpoint, endpoint_unref)
/** A copy with one reference, its strings its own. */
struct endpoint *endpoint_copy(const struct endpoint *endpoint);

/** True when its events and types select this one; whether it is enabled does not count. */
bool endpoint_wants(const struct endpoint *endpoint, enum event_kind kind, enum call_type type);
/** The word in JSON: "call", "none", "endpoint". Never none. */
struct str endpoint_ordering_name(enum endpoint_ordering ordering);
/** False, untouched, for a word that is none of them. */
bool endpoint_ordering_parse(struct str word, enum endpoint_ordering *ret_ordering);
struct str disabled_reason_name(enum disabled_reason reason); /* none for DISABLED_NOT */

/** A header of the endpoint's own: a token as name (RFC 9110 section 5.6.2), not one of ours, a
 *  value of 1 byte at least, without CR, LF, NUL or other controls (tabs are fine), and without
 *  white space at its ends. ERR_INVALID says which rule. */
MUST_CHECK enum err endpoint_check_header(struct str name, struct str value, struct error *why);
