/* SPDX-License-Identifier: Apache-2.0 */
/* inbox_signature - judging both kinds of signatures. */
#include "api/inbox_signature.h"

#include "base/cleanup.h"
#include "domain/secret.h"
#include "domain/signature.h"

/* webhook-signature: several, space-separated, while a secret is being rotated. */
static bool
standard_matches(struct str secret, const struct signature_headers *headers, struct str body)
{
    CLEANUP(buf_done) struct buf key = {0};
    CLEANUP(buf_done) struct buf wanted = {0};
    struct str rest = headers->standard;
    int64_t at_seconds;
    bool found = false;

    if (headers->id.ptr == NULL || !str_to_i64(headers->timestamp, &at_seconds))
        return false;
    secret_standard_key(secret, &key);
    signature_add_standard(&wanted, buf_str(&key), headers->id, at_seconds, body);
    while (rest.ptr != NULL)
        found = str_equal_secret(str_split(&rest, ' '), buf_str(&wanted)) || found;
    return found;
}

enum signature_judgement
inbox_signature_judge(struct str secret, const struct signature_headers *headers, struct str body)
{
    if (secret.ptr == NULL)
        return SIGNATURE_UNJUDGED;
    if (signature_hex_matches(secret, body, headers->hex) ||
            signature_hex_matches(secret, body, headers->hex_next) ||
            standard_matches(secret, headers, body))
        return SIGNATURE_HOLDS;
    return SIGNATURE_WRONG;
}
