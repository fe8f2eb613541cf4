/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retention - removes what is over its time, a few hundred rows a step, so that no transaction
 * becomes long by it:
 *
 *     finished deliveries with their attempts, then events without deliveries   retention_days
 *     counts of endpoints                                                       8 days
 *     idempotency keys, requests in inboxes, visitors' inboxes                  24 hours
 *     everything of a deleted org                                               at once
 *
 * Deliveries and events are walked in order of id, and the walk goes on where the last step ended:
 * old ones that are unfinished, or that a failed commit kept, are looked at again a day later, when
 * the walk begins anew.
 *
 * Store's writing thread only.
 */
#pragma once

#include "store/store_work.h"

struct retention;

/** A recording's file that belongs to a row which this transaction removes. The org is deleted: it
 *  does not matter whether the file goes before the row. */
typedef void retention_drop_file(void *ctx, struct str file);

/** drop_file is told of files to remove; it must not block. */
struct retention *retention_new(retention_drop_file *drop_file, void *ctx);
void retention_free(struct retention *retention); /* NULL is fine */
/** Removes some rows inside the current transaction. *ret_more: another step has more to do now. */
MUST_CHECK enum err retention_step(struct store_work *work,
        struct retention *retention,
        bool *ret_more,
        struct error *why);
