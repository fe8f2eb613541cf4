/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_endpoint_row - an endpoint as a row of the database: secrets sealed, lists as text.
 * For the store's own files.
 */
#pragma once

#include "store/store_work.h"

/** Reads the endpoint, any org. The caller unrefs. ERR_NOT_FOUND, ERR_CORRUPT. */
MUST_CHECK enum err endpoint_row_load(struct store_work *work,
        int64_t id,
        struct endpoint **ret_endpoint,
        struct error *why);
/** Calls visit (which takes the reference) for every endpoint; stops at its first error. */
MUST_CHECK enum err endpoint_row_each(struct store_work *work,
        enum err (*visit)(void *ctx, struct endpoint *take_endpoint),
        void *ctx,
        struct error *why);
MUST_CHECK enum err
endpoint_row_insert(struct store_work *work, const struct endpoint *endpoint, struct error *why);
MUST_CHECK enum err
endpoint_row_update(struct store_work *work, const struct endpoint *endpoint, struct error *why);
/** Removes the endpoint and its counts, cancels what is unfinished, and tells so after the commit. */
MUST_CHECK enum err endpoint_row_delete(struct store_work *work, int64_t id, struct error *why);
