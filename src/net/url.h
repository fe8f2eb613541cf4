/* SPDX-License-Identifier: Apache-2.0 */
/*
 * url - http and https URLs taken apart, by libcurl's parser, so that what we check is what is
 * later connected to. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

struct url {
    bool https;
    struct str host; /* lower case, no brackets; IPv4 in odd notations (decimal, octal, hex)
                         normalized to a dotted quad */
    bool host_is_v4; /* host is an address literal */
    bool host_is_v6;
    unsigned port;    /* given, or the scheme's */
    struct str path;  /* "/" at least, with the query behind it */
    struct str whole; /* normalized URL, NUL-ended, as it is to be requested */
};

/** Reads an absolute http or https URL without user info, fragment or control characters, at most
 *  max_bytes. Host names in Unicode are refused with a hint to write them in punycode.
 *  ERR_INVALID with one sentence in *why. Strings go to the arena. */
MUST_CHECK enum err url_parse(struct arena *arena,
        struct str text,
        size_t max_bytes,
        struct url *ret_url,
        struct error *why);
/** True when both have the same scheme, host and port. */
bool url_same_origin(const struct url *a, const struct url *b);
