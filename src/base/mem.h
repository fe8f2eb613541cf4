/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mem - small allocations that never fail: the program aborts when the machine is out of memory
 * (what was answered is on disk, and leases run out). What a peer can size is capped before.
 */
#pragma once

#include <stddef.h>

/** Zeroed memory, to be released with free(). */
void *mem_new(size_t size);
/** realloc() for count items of item_size bytes; the new bytes are not zeroed. */
void *mem_resize(void *ptr, size_t count, size_t item_size);
