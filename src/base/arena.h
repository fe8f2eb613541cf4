/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena - memory with one lifetime: a request's or a delivery's. Allocate often, free once.
 *
 * Small allocations never fail (they abort when the machine is out of memory). What a peer can
 * size is checked against its own cap before it comes here. One thread at a time.
 */
#pragma once

#include "base/str.h"

struct arena_chunk;

struct arena {
    struct arena_chunk *newest;
    size_t used_bytes; /* sum of what was handed out, for limits and tests */
};

/** {0} is a valid empty arena; this is the same. */
void arena_init(struct arena *arena);
/** Frees all that was handed out; fine on a zeroed or done arena. */
void arena_done(struct arena *arena);
/** Zeroed memory, aligned for any type. size 0 gives a valid pointer. */
void *arena_alloc(struct arena *arena, size_t size);
/** A zeroed `type` of the arena. */
#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
/** A copy of s, NUL-ended behind its len; none stays none. */
struct str arena_str(struct arena *arena, struct str s);
struct str arena_strf(struct arena *arena, const char *format, ...)
        __attribute__((format(printf, 2, 3)));
