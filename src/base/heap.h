/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heap - a binary min-heap of moments: what is due next.
 *
 * An item is embedded in the caller's struct; it knows its place, so that it can be moved or
 * removed in O(log n). Ties are broken by nothing: equal moments come in any order. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap_item {
    int64_t at_ms;
    size_t place; /* index + 1 in the heap; 0: in no heap. Zeroed memory is right */
};

struct heap {
    struct heap_item **items; /* owned array; the items are the caller's */
    size_t count;
    size_t size;
};

/** {0} is a valid empty heap. The items are not touched. */
void heap_done(struct heap *heap);
/** Puts item in, or moves it when it is in already. */
void heap_set(struct heap *heap, struct heap_item *item, int64_t at_ms);
/** Takes item out; nothing happens when it is not in. */
void heap_remove(struct heap *heap, struct heap_item *item);
/** The earliest, or NULL when empty. It stays in. */
struct heap_item *heap_first(const struct heap *heap);
bool heap_has(const struct heap_item *item);
