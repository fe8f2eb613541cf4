/* SPDX-License-Identifier: Apache-2.0 */
/* visitor - those without a token, and how often they may do something. */
#pragma once

#include "api/request.h"
#include "api/visitor_limit.h"

/** True when nobody asks: there is no token. */
bool visitor_asks(const struct request *request);
/** True for a token, and for a visitor within the limit, which then counts; else answers 429. */
bool visitor_within(struct request *request, struct visitor_limit *limit);
