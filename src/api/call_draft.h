/* SPDX-License-Identifier: Apache-2.0 */
/* call_draft - reading the call that a client logs (contract of POST /v1/calls). Any thread. */
#pragma once

#include "domain/faults.h"
#include "store/store_call.h"

/** Fills draft from json, whose strings it borrows; what is wrong is added to faults. */
void call_draft_read(const struct json *json, struct faults *faults, struct call_draft *draft);
