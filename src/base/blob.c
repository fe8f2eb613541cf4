/* SPDX-License-Identifier: Apache-2.0 */
/* blob - a counted header with the bytes right behind it. */
#include "base/blob.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct blob {
    atomic_size_t ref_count;
    size_t len;
    char bytes[];
};

struct blob *blob_new(struct str s)
{
    struct blob *blob = mem_new(sizeof(*blob) + s.len);

    atomic_init(&blob->ref_count, 1);
    blob->len = s.len;
    if (s.len > 0)
        memcpy(blob->bytes, s.ptr, s.len);
    return blob;
}

struct blob *blob_ref(struct blob *blob)
{
    /* Who refs holds a reference already, so nothing needs to be ordered. */
    atomic_fetch_add_explicit(&blob->ref_count, 1, memory_order_relaxed);
    return blob;
}

void blob_unref(struct blob *blob)
{
    if (blob != NULL && atomic_fetch_sub_explicit(&blob->ref_count, 1, memory_order_acq_rel) == 1)
        free(blob);
}

struct str blob_str(const struct blob *blob)
{
    return (struct str){blob->bytes, blob->len};
}
