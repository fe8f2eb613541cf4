/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_query - the parameters of a request's target, "a=1&b=x%20y", taken apart and decoded.
 *
 * As HTML forms write them: "&" between parameters, "+" is a space, "%41" is "A"; a name without
 * "=" has the empty value; empty parts are skipped. Any thread.
 */
#pragma once

#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

enum { HTTP_QUERY_PARAMETERS_MAX = 64 };

struct http_query_parameter {
    struct str name; /* both decoded and NUL-ended, in the arena */
    struct str value;
};

struct http_query {
    struct http_query_parameter *parameters; /* in the order of the text */
    size_t count;
};

/** Reads what stands behind the "?"; none and "" give no parameters. ERR_INVALID for a broken
 *  percent-escape or a NUL, raw or escaped; ERR_LIMIT above HTTP_QUERY_PARAMETERS_MAX. */
MUST_CHECK enum err http_query_parse(struct arena *arena,
        struct str text,
        struct http_query *ret_query,
        struct error *why);
/** The value of the first parameter of that name, or none. */
struct str http_query_find(const struct http_query *query, const char *name);
