/* SPDX-License-Identifier: Apache-2.0 */
/* auth - tokens and orgs remembered in one hash table behind a lock that readers share. */
#include "api/auth.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/mem.h"
#include "domain/token.h"

/* What an entry speaks of is part of its key: a text that is some org's id, sent as a token, must
 * not find the org, nor the other way round. */
enum entry_kind { ENTRY_TOKEN = 1, ENTRY_ORG = 2 };

struct entry_key {
    uint8_t kind;
    uint8_t hash[SHA256_BYTES];
};

struct entry {
    struct entry_key key;
    unsigned scopes; /* of a token */
    char org_id[AUTH_ORG_SIZE];
    UT_hash_handle hh;
};

struct auth {
    pthread_rwlock_t lock; /* guards all below but admin_hash, which is constant */
    struct entry *entries; /* in the order in which they came */
    uint64_t age;
    uint8_t admin_hash[SHA256_BYTES];
};

/* "cs_" and base64url of 32 bytes. */
enum { TOKEN_TEXT_BYTES = 46 };

struct auth *auth_new(const char *admin_token)
{
    struct auth *auth = mem_new(sizeof(*auth));

    if (pthread_rwlock_init(&auth->lock, NULL) != 0)
        abort(); /* only without memory */
    token_hash(str_from(admin_token), auth->admin_hash);
    return auth;
}

static void drop(struct auth *auth, struct entry *entry)
{
    HASH_DEL(auth->entries, entry);
    free(entry);
}

void auth_free(struct auth *auth)
{
    struct entry *entry;
    struct entry *next;

    if (auth == NULL)
        return;
    HASH_ITER (hh, auth->entries, entry, next)
        drop(auth, entry);
    (void)pthread_rwlock_destroy(&auth->lock);
    free(auth);
}

/* The token of "Bearer TOKEN" (RFC 6750 section 2.1, the scheme in any case), or none. */
static struct str bearer_token(struct str authorization)
{
    struct str rest = str_trim(authorization);
    struct str scheme = str_split(&rest, ' ');

    if (!str_equal_nocase(scheme, STR("Bearer")))
        return STR_NONE;
    return str_trim(rest);
}

static bool has_token_form(struct str token)
{
    if (token.len != TOKEN_TEXT_BYTES || !str_starts(token, STR("cs_")))
        return false;
    for (size_t i = 3; i < token.len; i++) {
        char c = token.ptr[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                    c == '-' || c == '_'))
            return false;
    }
    return true;
}

enum credential
auth_read(const struct auth *auth, struct str authorization, uint8_t ret_hash[SHA256_BYTES])
{
    if (authorization.ptr == NULL)
        return CREDENTIAL_NONE;

    struct str token = bearer_token(authorization);

    if (token.len == 0)
        return CREDENTIAL_BROKEN;
    token_hash(token, ret_hash);
    if (str_equal_secret(codec_digest_str(ret_hash), codec_digest_str(auth->admin_hash)))
        return CREDENTIAL_ADMIN;
    return has_token_form(token) ? CREDENTIAL_TOKEN : CREDENTIAL_BROKEN;
}

uint64_t auth_age(struct auth *auth)
{
    (void)pthread_rwlock_rdlock(&auth->lock);
    uint64_t age = auth->age;
    (void)pthread_rwlock_unlock(&auth->lock);
    return age;
}

static struct entry_key token_key(const uint8_t hash[SHA256_BYTES])
{
    struct entry_key key = {.kind = ENTRY_TOKEN};

    memcpy(key.hash, hash, SHA256_BYTES);
    return key;
}

static struct entry_key org_key(struct str org_id)
{
    struct entry_key key = {.kind = ENTRY_ORG};

    codec_sha256(org_id, key.hash);
    return key;
}

/* Lock held. */
static struct entry *find(const struct auth *auth, const struct entry_key *key)
{
    struct entry *entry = NULL;

    HASH_FIND(hh, auth->entries, key, sizeof(*key), entry);
    return entry;
}

static void
keep(struct auth *auth, uint64_t age, struct entry_key key, struct str org_id, unsigned scopes)
{
    if (org_id.len >= AUTH_ORG_SIZE)
        return;
    (void)pthread_rwlock_wrlock(&auth->lock);
    if (auth->age == age && find(auth, &key) == NULL) {
        struct entry *entry = mem_new(sizeof(*entry));

        if (HASH_COUNT(auth->entries) >= AUTH_KEPT_MAX)
            drop(auth, auth->entries);
        entry->key = key;
        entry->scopes = scopes;
        memcpy(entry->org_id, org_id.ptr, org_id.len);
        HASH_ADD(hh, auth->entries, key, sizeof(entry->key), entry);
    }
    (void)pthread_rwlock_unlock(&auth->lock);
}

bool auth_find_token(struct auth *auth,
        const uint8_t hash[SHA256_BYTES],
        char ret_org_id[AUTH_ORG_SIZE],
        unsigned *ret_scopes)
{
    struct entry_key key = token_key(hash);

    (void)pthread_rwlock_rdlock(&auth->lock);
    const struct entry *entry = find(auth, &key);
    if (entry != NULL) {
        memcpy(ret_org_id, entry->org_id, AUTH_ORG_SIZE);
        *ret_scopes = entry->scopes;
    }
    (void)pthread_rwlock_unlock(&auth->lock);
    return entry != NULL;
}

void auth_keep_token(struct auth *auth,
        uint64_t age,
        const uint8_t hash[SHA256_BYTES],
        struct str org_id,
        unsigned scopes)
{
    keep(auth, age, token_key(hash), org_id, scopes);
}

void auth_forget_token(struct auth *auth, const uint8_t hash[SHA256_BYTES])
{
    struct entry_key key = token_key(hash);

    (void)pthread_rwlock_wrlock(&auth->lock);
    struct entry *entry = find(auth, &key);
    if (entry != NULL)
        drop(auth, entry);
    auth->age++;
    (void)pthread_rwlock_unlock(&auth->lock);
}

bool auth_knows_org(struct auth *auth, struct str org_id)
{
    struct entry_key key = org_key(org_id);

    (void)pthread_rwlock_rdlock(&auth->lock);
    bool is_known = find(auth, &key) != NULL;
    (void)pthread_rwlock_unlock(&auth->lock);
    return is_known;
}

void auth_keep_org(struct auth *auth, uint64_t age, struct str org_id)
{
    keep(auth, age, org_key(org_id), org_id, 0);
}

void auth_forget_org(struct auth *auth, struct str org_id)
{
    struct entry *entry;
    struct entry *next;

    (void)pthread_rwlock_wrlock(&auth->lock);
    HASH_ITER (hh, auth->entries, entry, next)
        if (str_is(org_id, entry->org_id))
            drop(auth, entry);
    auth->age++;
    (void)pthread_rwlock_unlock(&auth->lock);
}
