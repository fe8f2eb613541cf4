/* SPDX-License-Identifier: Apache-2.0 */
/* store_org - operations on orgs and their tokens. See store.h for how an operation runs. */
#pragma once

#include "base/codec.h"
#include "domain/token.h"
#include "store/store.h"

struct org {
    struct str id;
    struct str name;
    int64_t created_at_ms;
};

/** Makes an org and its first token. ERR_CONFLICT when the id exists. */
struct org_create {
    struct store_op op;
    struct str id; /* none: made, "org_" and digits */
    struct str name;
    struct str token_name;
    uint8_t token_hash[SHA256_BYTES];
    unsigned token_scopes;
    struct org org;     /* out */
    struct token token; /* out */
};
MUST_CHECK enum err store_org_create(struct store *store, struct org_create *op);

/** ERR_NOT_FOUND. */
struct org_get {
    struct store_op op;
    struct str id;
    struct org org; /* out */
};
MUST_CHECK enum err store_org_get(struct store *store, struct org_get *op);

struct org_list {
    struct store_op op;
    struct page page;
    struct org *orgs; /* out, in the arena */
    size_t count;     /* out */
};
MUST_CHECK enum err store_org_list(struct store *store, struct org_list *op);

/** Removes the org, its tokens and endpoints at once (nothing more is sent); its calls and the rest
 *  are removed piece by piece after that, the recordings' files too. ERR_NOT_FOUND. */
struct org_delete {
    struct store_op op;
    struct str id;
};
MUST_CHECK enum err store_org_delete(struct store *store, struct org_delete *op);

struct token_create {
    struct store_op op;
    struct str org_id;
    struct str name;
    uint8_t hash[SHA256_BYTES];
    unsigned scopes;
    struct token token; /* out */
};
MUST_CHECK enum err store_token_create(struct store *store, struct token_create *op);

struct token_list {
    struct store_op op;
    struct str org_id;
    struct page page;
    struct token *tokens; /* out */
    size_t count;         /* out */
};
MUST_CHECK enum err store_token_list(struct store *store, struct token_list *op);

/** ERR_NOT_FOUND. */
struct token_delete {
    struct store_op op;
    struct str org_id;
    int64_t id;
    uint8_t hash[SHA256_BYTES]; /* out: of the token that is gone, for caches */
};
MUST_CHECK enum err store_token_delete(struct store *store, struct token_delete *op);

/** The token with this hash. ERR_NOT_FOUND. */
struct token_find {
    struct store_op op;
    uint8_t hash[SHA256_BYTES];
    struct token token; /* out */
};
MUST_CHECK enum err store_token_find(struct store *store, struct token_find *op);
