/* SPDX-License-Identifier: Apache-2.0 */
/*
 * payload - the webhook's body, to the byte: compact JSON, members in the fixed order of the
 * contract, the bytes that JSON.stringify would give. Every member is always there.
 *
 * Pure: data in, bytes out. Any thread.
 */
#pragma once

#include "base/buf.h"
#include "domain/call.h"
#include "domain/contact.h"
#include "domain/event.h"
#include "domain/staff.h"

struct payload {
    enum event_kind kind;
    const struct call *call;
    const struct contact *contact; /* NULL: unknown caller */
    const struct staff *staff;     /* NULL: unassigned */
    int64_t timestamp_ms;
    struct str payload_id;    /* with its prefix */
    struct str recording_url; /* none: no file is there */
    struct str analysis;      /* for EVENT_AI_ANALYSIS: the whole ai_analysis object as JSON; none:
                                 write status (and reason) of the call, as in the other events */
};

/** Appends the body. */
void payload_write(struct buf *buf, const struct payload *payload);
/** Appends the `data` object alone (for GET /v1/calls/{id}). */
void payload_write_data(struct buf *buf, const struct payload *payload);
