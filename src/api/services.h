/* SPDX-License-Identifier: Apache-2.0 */
/*
 * services - what some handlers share besides the store: timers for delayed answers, the limits for
 * those without a token, and where our own inboxes are. Part of struct api (state.h).
 */
#pragma once

#include "api/api.h"
#include "api/timers.h"
#include "api/visitor_limit.h"
#include "net/url.h"

struct services {
    struct timers *timers;
    struct visitor_limit *sends;   /* of the playground */
    struct visitor_limit *inboxes; /* made */
    struct url origin;             /* of the public URL; whole none: it is none that we can read */
    struct arena arena;            /* origin's strings */
};

/** Builds all of it; it does not point into config. */
void services_init(struct services *services, const struct api_config *config);
/** Fires what is due: often, for it is the grain of delayed answers. now_us is clock_mono_us(). */
void services_tick(struct services *services, int64_t now_us);
/** Fires everything that waits, and refuses new waits. */
void services_drain(struct services *services);
/** Must have been drained, if anything waited; a zeroed one is fine. */
void services_done(struct services *services);

/** True when the URL is an inbox of this server, which may always be a target. */
bool services_own_inbox(const struct services *services, const struct url *url);
