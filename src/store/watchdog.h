/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watchdog - ends waits that nobody else ends: an expected recording that has not come becomes
 * failed, an analysis without a result too, each with its event, so that no receiver waits for ever.
 *
 * Store's writing thread only.
 */
#pragma once

#include "store/store_work.h"

/** Ends waits whose moment has passed, a bounded number of them, inside the current transaction.
 *  *ret_more: there may be more. */
MUST_CHECK enum err watchdog_step(struct store_work *work, bool *ret_more, struct error *why);
