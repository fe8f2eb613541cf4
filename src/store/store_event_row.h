/* SPDX-License-Identifier: Apache-2.0 */
/* store_event_row - a stored event, for the store's own files. */
#pragma once

#include "base/blob.h"
#include "store/gate.h"
#include "store/store_event.h"
#include "store/store_work.h"

/** ERR_NOT_FOUND, so for an event of another org. */
MUST_CHECK enum err event_row_load(struct store_work *work,
        struct arena *arena,
        struct str org_id,
        int64_t id,
        struct event *ret_event,
        struct error *why);

/** Sends the event to the gate's endpoint again: see struct event_replay. *body_ref as in
 *  handover_new(). */
MUST_CHECK enum err event_send_again(struct store_work *work,
        struct gate *gate,
        const struct event *event,
        struct blob **body_ref,
        struct error *why);
