/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admission - who asks, and whether that one may: the first step of every request.
 *
 * What is remembered (auth.h) is decided at once; else the token or the admin's org is looked up in
 * the store, with the exchange suspended, before its body is read.
 */
#pragma once

#include "api/request.h"

/** Sets request->org_id and scopes and calls admitted, at once or once they are looked up; or
 *  answers 401, 403, 404 or 422. */
void admission_ask(struct request *request, void (*admitted)(struct request *request));
