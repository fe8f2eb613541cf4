/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret - an endpoint's secret: making, checking, and the key that it stands for.
 *
 * Ours: "whsec_" and the base64 of 32 random bytes. A client's: 8 to 256 printable ASCII
 * characters. In the database secrets are sealed (AES-256-GCM under a key of the data folder).
 */
#pragma once

#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

enum { SECRET_MIN_BYTES = 8, SECRET_MAX_BYTES = 256, SECRET_KEY_BYTES = 32 };

/** A new secret of ours, in the arena. */
struct str secret_new(struct arena *arena);
/** ERR_INVALID unless 8 to 256 characters of 0x20 .. 0x7E. */
MUST_CHECK enum err secret_check(struct str secret, struct error *why);
/** The Standard Webhooks key: the decoded base64 part of a "whsec_" secret; the text's own bytes
 *  when it has no such prefix or the rest is no base64. Appends to *ret_key. */
void secret_standard_key(struct str secret, struct buf *ret_key);

/** Encrypts: appends nonce, ciphertext, tag. */
void secret_seal(const uint8_t key[SECRET_KEY_BYTES], struct str plain, struct buf *ret_sealed);
/** Decrypts into the arena. ERR_CORRUPT when it was not sealed with this key. */
MUST_CHECK enum err secret_open(const uint8_t key[SECRET_KEY_BYTES],
        struct str sealed,
        struct arena *arena,
        struct str *ret_plain,
        struct error *why);
/** A key for one purpose, derived from the installation's master key (HKDF-SHA256, RFC 5869). */
void secret_derive_key(struct str master, const char *purpose, uint8_t ret_key[SECRET_KEY_BYTES]);
