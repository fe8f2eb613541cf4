/* SPDX-License-Identifier: Apache-2.0 */
/*
 * word - reading the words of events, call types and delivery states, from the query and from JSON,
 * with a fault that lists them all.
 */
#pragma once

#include "api/request.h"
#include "domain/call.h"
#include "domain/delivery.h"
#include "domain/event.h"

#define WORD_EVENTS "call_logged, recording_updated, ai_analysis, caller_updated"
#define WORD_TYPES  "incoming, outgoing, missed, rejected"

/** The number of the query parameter's word; -1 when it is absent, or wrong and a fault was added. */
int word_query_event(struct request *request, const char *name);
int word_query_type(struct request *request, const char *name);
int word_query_state(struct request *request, const char *name);

/** A member's word; what it was before when it is absent or wrong. True when it was there and right. */
bool word_read_event(struct faults *faults,
        const struct json *json,
        const char *name,
        enum member_rule rule,
        enum event_kind *ret_kind);
bool word_read_type(struct faults *faults,
        const struct json *json,
        const char *name,
        enum member_rule rule,
        enum call_type *ret_type);
