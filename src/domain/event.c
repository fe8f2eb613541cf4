/* SPDX-License-Identifier: Apache-2.0 */
/* event - the words of the events. */
#include "domain/event.h"

#include <assert.h>

static const struct str EVENT_KIND_NAMES[EVENT_KIND_COUNT] = {
        [EVENT_CALL_LOGGED] = {"call_logged", 11},
        [EVENT_RECORDING_UPDATED] = {"recording_updated", 17},
        [EVENT_AI_ANALYSIS] = {"ai_analysis", 11},
        [EVENT_CALLER_UPDATED] = {"caller_updated", 14},
};

struct str event_kind_name(enum event_kind kind)
{
    assert((unsigned)kind < EVENT_KIND_COUNT);
    return EVENT_KIND_NAMES[kind];
}

bool event_kind_parse(struct str word, enum event_kind *ret_kind)
{
    for (int i = 0; i < EVENT_KIND_COUNT; i++) {
        if (str_equal(EVENT_KIND_NAMES[i], word)) {
            *ret_kind = (enum event_kind)i;
            return true;
        }
    }
    return false;
}
