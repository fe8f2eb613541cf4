/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limits - checks that several nouns share: ids that clients give, texts, e-mail addresses.
 *
 * What a peer can make large has a cap, and the caps that belong to no single noun stand here.
 */
#pragma once

#include "base/error.h"
#include "base/str.h"

enum {
    LIMIT_JSON_BODY_BYTES = 1024 * 1024,
    LIMIT_BATCH_BODY_BYTES = 8 * 1024 * 1024,
    LIMIT_BATCH_CALLS = 1000,
    LIMIT_RECORDING_BYTES = 512 * 1024 * 1024,
    LIMIT_NAME_BYTES = 256,
    LIMIT_EMAIL_BYTES = 254,
    LIMIT_CLIENT_ID_BYTES = 64,
    LIMIT_IDEMPOTENCY_KEY_BYTES = 255,
    LIMIT_PAGE_MAX = 200,
    LIMIT_PAGE_DEFAULT = 50,
};

/** A client's id: 1-64 of A-Za-z0-9_.- ; ERR_INVALID says what is wrong. */
MUST_CHECK enum err limits_check_id(struct str id, struct error *why);
/** 1 .. max_bytes bytes, no control characters but (when multiline) newline and tab. */
MUST_CHECK enum err
limits_check_text(struct str text, size_t max_bytes, bool multiline, struct error *why);
/** Shape only: something@something, no spaces or controls, at most LIMIT_EMAIL_BYTES. */
MUST_CHECK enum err limits_check_email(struct str email, struct error *why);
