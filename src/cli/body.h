/* SPDX-License-Identifier: Apache-2.0 */
/*
 * body - the raw bytes of a request's body, for the commands that sign and verify.
 */
#pragma once

#include "base/buf.h"
#include "base/error.h"

enum { BODY_MAX_BYTES = 8 * 1024 * 1024 };

/** Appends what the file holds; NULL or "-": standard input. ERR_UNAVAILABLE: it cannot be read;
 *  ERR_LIMIT above BODY_MAX_BYTES. */
MUST_CHECK enum err body_read(const char *path, struct buf *ret_body, struct error *why);
