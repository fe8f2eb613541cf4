/* SPDX-License-Identifier: Apache-2.0 */
/* heap - a binary heap in an array; every item knows its place. */
#include "base/heap.h"

#include <stdlib.h>

#include "base/mem.h"

enum { FIRST_SIZE = 16 };

void heap_done(struct heap *heap)
{
    free(heap->items);
    *heap = (struct heap){0};
}

bool heap_has(const struct heap_item *item)
{
    return item->place > 0;
}

struct heap_item *heap_first(const struct heap *heap)
{
    return heap->count > 0 ? heap->items[0] : NULL;
}

static void put(struct heap *heap, size_t index, struct heap_item *item)
{
    heap->items[index] = item;
    item->place = index + 1;
}

/* Moves what is later than item down its path to the root; returns where item belongs. */
static size_t open_upwards(struct heap *heap, size_t index, const struct heap_item *item)
{
    while (index > 0) {
        size_t parent = (index - 1) / 2;

        if (heap->items[parent]->at_ms <= item->at_ms)
            break;
        put(heap, index, heap->items[parent]);
        index = parent;
    }
    return index;
}

/* Moves what is earlier than item up; returns where item belongs. */
static size_t open_downwards(struct heap *heap, size_t index, const struct heap_item *item)
{
    for (;;) {
        size_t child = index * 2 + 1;

        if (child + 1 < heap->count && heap->items[child + 1]->at_ms < heap->items[child]->at_ms)
            child++;
        if (child >= heap->count || heap->items[child]->at_ms >= item->at_ms)
            return index;
        put(heap, index, heap->items[child]);
        index = child;
    }
}

/* The place at index is free for item, or for another if the order wants so. */
static void settle(struct heap *heap, size_t index, struct heap_item *item)
{
    index = open_upwards(heap, index, item);
    put(heap, open_downwards(heap, index, item), item);
}

void heap_set(struct heap *heap, struct heap_item *item, int64_t at_ms)
{
    if (!heap_has(item)) {
        if (heap->count == heap->size) {
            heap->size = heap->size > 0 ? heap->size * 2 : FIRST_SIZE;
            heap->items = mem_resize(heap->items, heap->size, sizeof(*heap->items));
        }
        heap->count++;
        put(heap, heap->count - 1, item);
    }
    item->at_ms = at_ms;
    settle(heap, item->place - 1, item);
}

void heap_remove(struct heap *heap, struct heap_item *item)
{
    size_t index = item->place - 1;
    struct heap_item *last;

    if (!heap_has(item))
        return;
    item->place = 0;
    heap->count--;
    last = heap->items[heap->count];
    if (last != item)
        settle(heap, index, last);
}
