/* SPDX-License-Identifier: Apache-2.0 */
/* mem - allocation that aborts instead of failing. */
#include "base/mem.h"

#include <stdlib.h>

void *mem_new(size_t size)
{
    void *ptr = calloc(1, size > 0 ? size : 1);

    if (ptr == NULL)
        abort();
    return ptr;
}

void *mem_resize(void *ptr, size_t count, size_t item_size)
{
    void *moved = reallocarray(ptr, count, item_size);

    if (moved == NULL)
        abort();
    return moved;
}
