/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cleanup - locals that own something: released at the end of their scope.
 *
 *     CLEANUP(buf_done) struct buf body = {0};          x_done: takes the address of the local
 *     CLEANUP_PTR(blob_unref) struct blob *blob = ...;  x_free: takes the pointer itself
 *     return STEAL(blob);                               passes ownership on
 *
 * For CLEANUP_PTR the type's header declares DEFINE_CLEANUP(type, x_free) once.
 */
#pragma once

#include <stddef.h>

#define CLEANUP(done) __attribute__((cleanup(done)))

/** Defines cleanup_<release>(), which CLEANUP_PTR(release) calls. */
#define DEFINE_CLEANUP(type, release)                                                              \
    static inline void cleanup_##release(type **ptr)                                               \
    {                                                                                              \
        release(*ptr);                                                                             \
    }
#define CLEANUP_PTR(release) __attribute__((cleanup(cleanup_##release)))

/** The pointer, which the local then no longer owns. */
#define STEAL(ptr)                                                                                 \
    __extension__({                                                                                \
        __typeof__(ptr) stolen_ = (ptr);                                                           \
        (ptr) = NULL;                                                                              \
        stolen_;                                                                                   \
    })
