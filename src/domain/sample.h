/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sample - the example call that tests and the playground send: the one of the integration guide.
 * Pure; any thread.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "domain/event.h"
#include "domain/faults.h"

/** Appends the payload of the sample for this event and call type, as it would be sent: payload_id
 *  as given, org_id as given (none: "org_demo_123"). data (NULL: none) is a JSON object whose members
 *  replace those of the sample's data (call_details, caller, identity, ai_analysis, staff); what it
 *  has wrong is added to faults under "data.". */
void sample_write(struct buf *buf,
        struct arena *arena,
        enum event_kind kind,
        enum call_type type,
        struct str org_id,
        struct str payload_id,
        int64_t now_ms,
        const struct json *data,
        struct faults *faults);
