/* SPDX-License-Identifier: Apache-2.0 */
/*
 * visitor_limit - how often those without a token may do something: so often a minute each, and so
 * often a minute all together. A visitor is an IPv4 address, or the /64 network of an IPv6 one.
 *
 * Each budget is a bucket that fills evenly and holds a minute's worth (GCRA, ITU-T I.371). A fixed
 * table: as many visitors can have used something of their budget as all together may do in the
 * time in which a bucket fills, so it is never full of used ones. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct visitor_limit;

/** all_per_minute: 1 .. 1000. */
struct visitor_limit *visitor_limit_new(int64_t each_per_minute, int64_t all_per_minute);
void visitor_limit_free(struct visitor_limit *limit); /* NULL is fine */
/** 0, and it counts, when the peer ("192.0.2.1", "2001:db8::1") may; else in how many ms it may try
 *  again. now_ms is of a clock that never jumps. */
int64_t visitor_limit_take(struct visitor_limit *limit, struct str peer, int64_t now_ms);
