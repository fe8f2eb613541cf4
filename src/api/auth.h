/* SPDX-License-Identifier: Apache-2.0 */
/*
 * auth - who asks: the Authorization header, the admin's token, and what is remembered of tokens
 * and orgs so that not every request asks the store.
 *
 * At most AUTH_KEPT_MAX entries are remembered, the oldest go first. A deleted token or org is
 * forgotten at once. A look-up in the store that was under way meanwhile may still have found it:
 * what was looked up is kept only when nothing was forgotten since auth_age() was asked, before the
 * look-up. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/codec.h"
#include "base/str.h"
#include "domain/limits.h"

enum { AUTH_KEPT_MAX = 8192, AUTH_ORG_SIZE = LIMIT_CLIENT_ID_BYTES + 1 };

struct auth;

/** Remembers nothing yet. */
struct auth *auth_new(const char *admin_token);
void auth_free(struct auth *auth); /* NULL is fine */

enum credential {
    CREDENTIAL_NONE,   /* there is no Authorization header */
    CREDENTIAL_BROKEN, /* it is not "Bearer", or its token cannot be one of ours */
    CREDENTIAL_ADMIN,
    CREDENTIAL_TOKEN, /* has the form of a token; ret_hash is set */
};
/** Judges the header's value; none: absent. Constant time where it compares secrets. */
enum credential
auth_read(const struct auth *auth, struct str authorization, uint8_t ret_hash[SHA256_BYTES]);

/** Counts what was forgotten: ask before a look-up in the store, pass it when keeping. */
uint64_t auth_age(struct auth *auth);

/** False when the token is not remembered. */
bool auth_find_token(struct auth *auth,
        const uint8_t hash[SHA256_BYTES],
        char ret_org_id[AUTH_ORG_SIZE],
        unsigned *ret_scopes);
/** Remembers a token that the store knows. */
void auth_keep_token(struct auth *auth,
        uint64_t age,
        const uint8_t hash[SHA256_BYTES],
        struct str org_id,
        unsigned scopes);
/** Forgets a token that was deleted. */
void auth_forget_token(struct auth *auth, const uint8_t hash[SHA256_BYTES]);

/** True when the org is remembered to exist. */
bool auth_knows_org(struct auth *auth, struct str org_id);
/** Remembers an org that the store knows. */
void auth_keep_org(struct auth *auth, uint64_t age, struct str org_id);
/** Forgets an org that was deleted, and all its tokens. */
void auth_forget_org(struct auth *auth, struct str org_id);
