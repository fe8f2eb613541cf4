/* SPDX-License-Identifier: Apache-2.0 */
/*
 * result - stores what became of deliveries that were in memory: the attempt, the delivery's next
 * state, and what follows for its endpoint, in one transaction (no attempt is recorded without its
 * consequence). Store's writing thread only.
 */
#pragma once

#include "store/gate.h"
#include "store/store_work.h"

/** store_op.run of a struct delivery. */
MUST_CHECK enum err result_run(struct store_work *work, struct store_op *op, struct error *why);

/** Writes counts of gates into endpoint_stat. */
MUST_CHECK enum err result_flush_stats(struct store_work *work, struct error *why);
