/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_framing - where a request's head and body end, told from its headers so strictly that no
 * proxy in front can have read them another way (RFC 9112, sections 2.2, 5.1 and 6.3, with every
 * "may be accepted" left out). Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct http_framing {
    const char *broken; /* the first fault, a static sentence; NULL: none */
    bool is_chunked;
    int64_t content_length; /* -1: not given */

    /* while collecting */
    unsigned host_count;
    unsigned length_count;
    unsigned encoding_count;
    struct str length;
    struct str encoding;
};

/** True when every byte may stand in a method or a header name, and there is one at least. */
bool http_framing_is_token(struct str s);
/** Takes one header after another in; framing starts zeroed. value is borrowed until end. */
void http_framing_add(struct http_framing *framing, struct str name, struct str value);
/** After the last: is_http_1_1 says what the request calls itself (else it is HTTP/1.0). */
void http_framing_end(struct http_framing *framing, bool is_http_1_1);
