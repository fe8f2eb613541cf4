/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token - an API token of an org: "cs_" and 43 characters of base64url (32 random bytes), shown
 * once and stored as its SHA-256. Scopes are bits.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/codec.h"

#define TOKEN_ID_PREFIX "tok_"

enum scope { SCOPE_INGEST = 1, SCOPE_MANAGE = 2, SCOPE_READ = 4, SCOPE_ALL = 7, SCOPE_ADMIN = 8 };

struct token {
    int64_t id;
    struct str org_id;
    struct str name;
    unsigned scopes; /* bits of enum scope */
    int64_t created_at_ms;
};

/** A new secret, in the arena. */
struct str token_secret_new(struct arena *arena);
void token_hash(struct str secret, uint8_t ret_hash[SHA256_BYTES]);
bool scope_parse(struct str word, unsigned *ret_bit); /* not "admin": nobody can give it */
/** Appends ["ingest","read"]. */
void scope_write_json(struct buf *buf, unsigned scopes);
