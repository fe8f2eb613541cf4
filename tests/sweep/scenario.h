/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scenario - what is done while one database call fails: rows of steps, each an operation that
 * changes nothing when it fails, and can then be repeated.
 */
#pragma once

#include "world.h"

struct step {
    const char *name;
    enum err (*run)(struct world *world); /* NULL: only time passes */
    int64_t sleep_ms;                     /* after that */
};

struct scenario {
    const char *name;
    bool is_empty;            /* begins without a database, not with an org and four endpoints */
    const struct step *steps; /* until one without a name */
};

/** All of them; the count is a constant of the array. */
const struct scenario *scenario_all(size_t *ret_count);
/** Makes the org and the endpoints in an open world: what most scenarios begin with. */
void scenario_prepare(struct world *world);
