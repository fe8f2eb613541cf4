/* SPDX-License-Identifier: Apache-2.0 */
/* inbox_signature - whether a request that came is signed with the inbox' secret. Pure. */
#pragma once

#include "base/str.h"
#include "store/store_inbox.h"

/** The headers that hold signatures; none where the request has no such header. */
struct signature_headers {
    struct str hex;       /* X-CallSync-Signature */
    struct str hex_next;  /* X-CallSync-Signature-Next */
    struct str standard;  /* webhook-signature */
    struct str id;        /* webhook-id */
    struct str timestamp; /* webhook-timestamp */
};

/** Holds when one signature fits, as a receiver would take it; wrong when none does or there is
 *  none; unjudged without a secret. */
enum signature_judgement
inbox_signature_judge(struct str secret, const struct signature_headers *headers, struct str body);
