/* SPDX-License-Identifier: Apache-2.0 */
/* arena - chunks of growing size; the newest is filled from its start, all are freed together. */
#include "base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct arena_chunk {
    struct arena_chunk *older;
    size_t size; /* of bytes[] */
    size_t used;
    max_align_t bytes[];
};

enum { FIRST_CHUNK_BYTES = 4000, LAST_CHUNK_BYTES = 64 * 1024 };

void arena_init(struct arena *arena)
{
    *arena = (struct arena){0};
}

void arena_done(struct arena *arena)
{
    struct arena_chunk *chunk = arena->newest;

    while (chunk != NULL) {
        struct arena_chunk *older = chunk->older;

        free(chunk);
        chunk = older;
    }
    arena_init(arena);
}

static size_t next_chunk_size(const struct arena *arena)
{
    size_t size = arena->newest != NULL ? arena->newest->size * 2 : FIRST_CHUNK_BYTES;

    return size < LAST_CHUNK_BYTES ? size : LAST_CHUNK_BYTES;
}

static struct arena_chunk *chunk_new(size_t size)
{
    struct arena_chunk *chunk = mem_new(sizeof(*chunk) + size);

    chunk->size = size;
    return chunk;
}

/* A chunk with room for needed bytes. */
static struct arena_chunk *chunk_with_room(struct arena *arena, size_t needed)
{
    struct arena_chunk *newest = arena->newest;
    struct arena_chunk *chunk;

    if (newest != NULL && newest->size - newest->used >= needed)
        return newest;
    if (newest != NULL && needed > next_chunk_size(arena) / 4) {
        /* A large piece gets a chunk of its own, behind the newest, whose rest stays in use. */
        chunk = chunk_new(needed);
        chunk->older = newest->older;
        newest->older = chunk;
        return chunk;
    }
    chunk = chunk_new(needed > next_chunk_size(arena) ? needed : next_chunk_size(arena));
    chunk->older = newest;
    arena->newest = chunk;
    return chunk;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t unit = _Alignof(max_align_t);
    struct arena_chunk *chunk;
    size_t needed;
    void *ptr;

    if (size > PTRDIFF_MAX / 2)
        abort();
    needed = size > 0 ? (size + unit - 1) / unit * unit : unit;
    chunk = chunk_with_room(arena, needed);
    ptr = (char *)chunk->bytes + chunk->used;
    chunk->used += needed;
    arena->used_bytes += size;
    return ptr;
}

struct str arena_str(struct arena *arena, struct str s)
{
    char *copy;

    if (s.ptr == NULL)
        return STR_NONE;
    copy = arena_alloc(arena, s.len + 1);
    memcpy(copy, s.ptr, s.len);
    return (struct str){copy, s.len};
}

struct str arena_strf(struct arena *arena, const char *format, ...)
{
    char small[256];
    va_list args;
    char *text;
    int len;

    va_start(args, format);
    len = vsnprintf(small, sizeof(small), format, args);
    va_end(args);
    if (len < 0)
        abort();
    if ((size_t)len < sizeof(small))
        return arena_str(arena, (struct str){small, (size_t)len});
    text = arena_alloc(arena, (size_t)len + 1);
    va_start(args, format);
    (void)vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    return (struct str){text, (size_t)len};
}
