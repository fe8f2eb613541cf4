/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of base/mem: what is handed out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"

static void new_memory_is_zeroed(void **state)
{
    unsigned char *bytes = mem_new(1000);
    void *nothing = mem_new(0);

    (void)state;
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(bytes[i], 0);
    assert_non_null(nothing);
    free(nothing);
    free(bytes);
}

static void resized_memory_keeps_its_items(void **state)
{
    int64_t *items = NULL;

    (void)state;
    for (size_t count = 1; count <= 100; count++) {
        items = mem_resize(items, count, sizeof(*items));
        items[count - 1] = (int64_t)count;
    }
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(items[i], i + 1);
    free(items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(new_memory_is_zeroed),
            cmocka_unit_test(resized_memory_keeps_its_items),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
