/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signature - what proves that a webhook is ours: X-CallSync-Signature (hex HMAC-SHA256 of the
 * body, key = the secret's text) and webhook-signature (Standard Webhooks 1.0.0).
 *
 * Pure; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/codec.h"
#include "base/str.h"

/** Writes 64 lower-case hex digits and NUL. */
void signature_hex(struct str secret, struct str body, char ret_hex[SHA256_HEX_SIZE]);
/** Appends "v1," and base64(HMAC-SHA256(key, id "." seconds "." body)); key as
 *  secret_standard_key() gives it. */
void signature_add_standard(struct buf *buf,
        struct str standard_key,
        struct str id,
        int64_t at_seconds,
        struct str body);
/** Constant time; accepts exactly the 64 hex digits, upper case too. */
bool signature_hex_matches(struct str secret, struct str body, struct str signature);

/** Why a signature does not fit, found by trying the usual mistakes. */
enum signature_mistake {
    SIGNATURE_FITS,
    SIGNATURE_TRAILING_NEWLINE, /* the body has a newline at its end that was not signed */
    SIGNATURE_MISSING_NEWLINE,  /* ... or lacks one that was */
    SIGNATURE_CRLF,             /* line ends were turned into CRLF, or back */
    SIGNATURE_RESERIALIZED,     /* the JSON was parsed and written again (pretty, spaces, ASCII) */
    SIGNATURE_SECRET_DECODED,   /* the key was the decoded base64 of whsec_ ... */
    SIGNATURE_SECRET_NO_PREFIX, /* ... or the text without whsec_ */
    SIGNATURE_SECRET_SPACE,     /* the secret has white space around it, here or at the signer's */
    SIGNATURE_BASE64,           /* base64 instead of hex */
    SIGNATURE_PREFIXED,         /* "sha256=" or the like, or white space, stands around it */
    SIGNATURE_NO_MATCH,         /* none of these */
};

/** Which mistake, if any, explains signature for this body and secret. Of several that come
 *  together it names one: the body's before the secret's before that of the form. */
enum signature_mistake signature_explain(struct str secret, struct str body, struct str signature);
/** One sentence of what happened and what to do about it. */
const char *signature_mistake_text(enum signature_mistake mistake);
