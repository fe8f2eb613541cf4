/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recording_link - the unguessable link to a recording: "/recordings/88231-<32 hex>.mp3".
 *
 * The hex is the first half of HMAC-SHA256(key, "call_id.generation"); a deletion raises the
 * generation, so older links die with the file. The extension is for people. Pure; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "domain/secret.h"

/** Appends base (no slash at its end) and the path. */
void recording_link_write(struct buf *buf,
        struct str base,
        const uint8_t key[SECRET_KEY_BYTES],
        int64_t call_id,
        int64_t generation,
        struct str content_type);
/** Reads the part after "/recordings/". False when it has not that form. */
bool recording_link_parse(struct str name, int64_t *ret_call_id, struct str *ret_signature);
/** Constant time. */
bool recording_link_matches(const uint8_t key[SECRET_KEY_BYTES],
        int64_t call_id,
        int64_t generation,
        struct str signature);
