/* SPDX-License-Identifier: Apache-2.0 */
/*
 * event - one thing that happened to a call, with its exact payload bytes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/blob.h"
#include "base/str.h"
#include "domain/call.h"

/* The numbers are stored in the database: never renumber. */
enum event_kind {
    EVENT_CALL_LOGGED = 0,
    EVENT_RECORDING_UPDATED = 1,
    EVENT_AI_ANALYSIS = 2,
    EVENT_CALLER_UPDATED = 3,
};
enum { EVENT_KIND_COUNT = 4 };

#define EVENT_ID_PREFIX      "wh_"
#define EVENT_TEST_ID_PREFIX "wh_test_"

struct event {
    int64_t id; /* payload_id is "wh_" and its digits */
    struct str org_id;
    enum event_kind kind;
    enum call_type type;
    int64_t call_id;
    int64_t created_at_ms; /* `timestamp` of the payload */
    struct str body;
};

/** The word in JSON: "call_logged" ... Never none. */
struct str event_kind_name(enum event_kind kind);
/** False, untouched, for a word that is none of them. */
bool event_kind_parse(struct str word, enum event_kind *ret_kind);

/* Which events an endpoint wants: a bit for each kind and each call type; 0 means all. */
static inline bool event_filter_wants(unsigned event_mask,
        unsigned type_mask,
        enum event_kind kind,
        enum call_type type)
{
    return (event_mask == 0 || (event_mask & (1U << kind)) != 0) &&
           (type_mask == 0 || (type_mask & (1U << type)) != 0);
}
