/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of base/heap: order, moving and removing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/heap.h"
#include "base/rand.h"

static void the_earliest_comes_first(void **state)
{
    struct heap_item items[5] = {0};
    static const int64_t at_ms[] = {30, -10, 50, 20, 40};
    struct heap heap = {0};
    int64_t last = INT64_MIN;

    (void)state;
    assert_null(heap_first(&heap));
    for (size_t i = 0; i < 5; i++)
        heap_set(&heap, &items[i], at_ms[i]);
    for (size_t i = 0; i < 5; i++) {
        struct heap_item *first = heap_first(&heap);

        assert_true(first->at_ms > last);
        last = first->at_ms;
        heap_remove(&heap, first);
        assert_false(heap_has(first));
    }
    assert_null(heap_first(&heap));
    heap_done(&heap);
}

static void an_item_that_is_in_moves(void **state)
{
    struct heap_item a = {0};
    struct heap_item b = {0};
    struct heap heap = {0};

    (void)state;
    heap_set(&heap, &a, 10);
    heap_set(&heap, &b, 20);
    heap_set(&heap, &b, 5);
    assert_ptr_equal(heap_first(&heap), &b);
    heap_set(&heap, &b, 30);
    assert_ptr_equal(heap_first(&heap), &a);
    assert_int_equal(heap.count, 2);
    heap_done(&heap);
}

static void removing_what_is_not_in_does_nothing(void **state)
{
    struct heap_item in = {0};
    struct heap_item out = {0};
    struct heap heap = {0};

    (void)state;
    heap_remove(&heap, &out);
    heap_set(&heap, &in, 1);
    heap_remove(&heap, &out);
    assert_true(heap_has(&in));
    assert_int_equal(heap.count, 1);
    heap_done(&heap);
    heap_done(&heap);
}

/* The slow way to the same answer. */
static int64_t earliest_of(const struct heap_item *items, size_t count)
{
    int64_t earliest = INT64_MAX;

    for (size_t i = 0; i < count; i++)
        if (heap_has(&items[i]) && items[i].at_ms < earliest)
            earliest = items[i].at_ms;
    return earliest;
}

static void assert_is_heap(const struct heap *heap)
{
    for (size_t i = 0; i < heap->count; i++) {
        assert_int_equal(heap->items[i]->place, i + 1);
        assert_true(i == 0 || heap->items[(i - 1) / 2]->at_ms <= heap->items[i]->at_ms);
    }
}

static void any_row_of_changes_keeps_the_order(void **state)
{
    enum { COUNT = 60 };
    struct heap_item items[COUNT] = {0};
    struct heap heap = {0};
    struct rand rand;

    (void)state;
    rand_seed(&rand, 7);
    for (int step = 0; step < 20000; step++) {
        struct heap_item *item = &items[rand_u32(&rand) % COUNT];

        if (rand_u32(&rand) % 3 == 0)
            heap_remove(&heap, item);
        else
            heap_set(&heap, item, (int64_t)(rand_u32(&rand) % 40));
        assert_is_heap(&heap);
        if (heap_first(&heap) != NULL)
            assert_int_equal(heap_first(&heap)->at_ms, earliest_of(items, COUNT));
        else
            assert_int_equal(earliest_of(items, COUNT), INT64_MAX);
    }
    heap_done(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_earliest_comes_first),
            cmocka_unit_test(an_item_that_is_in_moves),
            cmocka_unit_test(removing_what_is_not_in_does_nothing),
            cmocka_unit_test(any_row_of_changes_keeps_the_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
