/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys - what an installation keeps secret, made at its first start:
 *
 *     DATA/key          32 random bytes, from which a key for each purpose is derived
 *     DATA/admin-token  the admin's token as a line of text, unless one is given as a setting
 *
 * Both have mode 0600, and appear whole or not at all: they are written and synced under another
 * name first. Never made anew when they are there but wrong, for what was sealed would be lost.
 */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "base/str.h"
#include "config.h"
#include "domain/secret.h"

struct keys {
    uint8_t seal[SECRET_KEY_BYTES];        /* seals the secrets of endpoints */
    uint8_t link[SECRET_KEY_BYTES];        /* signs links to recordings */
    uint8_t idempotency[SECRET_KEY_BYTES]; /* seals kept answers */
    char admin_token[CONFIG_ADMIN_TOKEN_MAX_BYTES + 1];
};

/**
 * Reads or makes the files in the folder. With a given_token (checked before) that one is taken
 * and admin-token left alone; none: read or made. ERR_UNAVAILABLE: a file cannot be read or
 * written; ERR_CORRUPT: it is not what we wrote. Release with keys_done().
 */
MUST_CHECK enum err
keys_open(const char *folder, struct str given_token, struct keys *ret_keys, struct error *why);
/** Overwrites them; a zeroed one is fine. */
void keys_done(struct keys *keys);
