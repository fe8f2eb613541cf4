/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of base/arena: zeroed, aligned, separate pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"

static void pieces_are_zeroed_aligned_and_apart(void **state)
{
    static const size_t sizes[] = {1, 0, 3, 16, 17, 1000, 5000, 100, 70000, 1, 200000, 33};
    enum { COUNT = sizeof(sizes) / sizeof(sizes[0]) };
    unsigned char *pieces[COUNT];
    struct arena arena = {0};
    size_t sum = 0;

    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        pieces[i] = arena_alloc(&arena, sizes[i]);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
        for (size_t at = 0; at < sizes[i]; at++)
            assert_int_equal(pieces[i][at], 0);
        memset(pieces[i], (int)i + 1, sizes[i]);
        sum += sizes[i];
    }
    for (size_t i = 0; i < COUNT; i++)
        for (size_t at = 0; at < sizes[i]; at++)
            assert_int_equal(pieces[i][at], i + 1);
    assert_int_equal(arena.used_bytes, sum);
    arena_done(&arena);
}

static void many_small_pieces_share_few_chunks(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena);
    for (int64_t i = 0; i < 50000; i++)
        *ARENA_NEW(&arena, int64_t) = i;
    assert_int_equal(arena.used_bytes, 50000 * sizeof(int64_t));
    arena_done(&arena);
}

static void a_done_arena_is_empty_and_usable(void **state)
{
    struct arena arena = {0};

    (void)state;
    arena_done(&arena);
    assert_true(str_is(arena_str(&arena, STR("again")), "again"));
    arena_done(&arena);
    assert_null(arena.newest);
    assert_int_equal(arena.used_bytes, 0);
    arena_done(&arena);
}

static void a_copied_str_ends_with_nul(void **state)
{
    struct arena arena = {0};
    char original[] = "abc";
    struct str copy = arena_str(&arena, (struct str){original, 2});

    (void)state;
    original[0] = 'x';
    assert_int_equal(copy.len, 2);
    assert_string_equal(copy.ptr, "ab");
    assert_null(arena_str(&arena, STR_NONE).ptr);
    assert_non_null(arena_str(&arena, STR("")).ptr);
    arena_done(&arena);
}

static void a_formatted_str_may_be_long(void **state)
{
    static const int lens[] = {1, 255, 256, 257, 20000};
    struct arena arena = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        struct str text = arena_strf(&arena, "%0*d", lens[i], 7);

        assert_int_equal(text.len, lens[i]);
        assert_int_equal(strlen(text.ptr), lens[i]);
        assert_int_equal(text.ptr[text.len - 1], '7');
    }
    assert_true(str_is(arena_strf(&arena, "%s", ""), ""));
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(pieces_are_zeroed_aligned_and_apart),
            cmocka_unit_test(many_small_pieces_share_few_chunks),
            cmocka_unit_test(a_done_arena_is_empty_and_usable),
            cmocka_unit_test(a_copied_str_ends_with_nul),
            cmocka_unit_test(a_formatted_str_may_be_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
