/* SPDX-License-Identifier: Apache-2.0 */
/*
 * people - what clients and operators do to the simulated world, at random: they log calls, change
 * them, set up endpoints and change their minds, and repair deliveries by hand.
 */
#pragma once

#include "world.h"

enum { CALLS_MAX = 512 };

struct people {
    struct world *world;
    const char *const *schedules; /* of endpoints; NULL-ended */
    size_t endpoint_count;        /* receivers that have (had) an endpoint */
    int64_t calls[CALLS_MAX];     /* ids that were answered */
    size_t call_count;
    int64_t external_ids[8]; /* the call ids of known external ids; 0: none */
    int64_t regretted_id;    /* the delivery that was cancelled last; 0: none */
};

/** Makes the org and the first endpoints. */
void people_begin(struct people *people, size_t endpoint_count);
/** Something that happens. */
void people_act(struct people *people);
/** A receiver changes its mood. */
void people_upset_receiver(struct people *people);
/** All receivers are well, all endpoints are enabled. */
void people_make_up(struct people *people);
