/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blob - immutable bytes with many owners: the body of an event, shared by its deliveries.
 *
 * blob_ref and blob_unref may be called on any thread; the last unref frees.
 */
#pragma once

#include "base/cleanup.h"
#include "base/str.h"

struct blob;

/** Copies s. The caller owns one reference. */
struct blob *blob_new(struct str s);
struct blob *blob_ref(struct blob *blob);
void blob_unref(struct blob *blob); /* NULL is fine */
DEFINE_CLEANUP(struct blob, blob_unref)
struct str blob_str(const struct blob *blob);
