/* SPDX-License-Identifier: Apache-2.0 */
/* admission - from the Authorization header to an org and scopes, or to 401, 403 and 404. */
#include "api/admission.h"

#include <string.h>

#include "api/problem.h"
#include "api/route.h"
#include "api/state.h"
#include "domain/limits.h"
#include "store/store_org.h"

/* The look-ups that tell who asks. */
struct request_auth {
    void (*admitted)(struct request *request);
    uint64_t age; /* before the look-up */
    uint8_t hash[SHA256_BYTES];
    struct token_find token;
    struct org_get org;
};

static struct auth *auth_of(const struct request *request)
{
    return request->api->auth;
}

static void refuse_unauthorized(struct request *request, const char *detail, struct str challenge)
{
    http_exchange_add_header(request->x, "WWW-Authenticate", challenge);
    problem_reply(request, 401, detail);
}

static void refuse_unknown_token(struct request *request)
{
    refuse_unauthorized(request,
            "the token is not known",
            STR("Bearer realm=\"callsync\", error=\"invalid_token\""));
}

/* "ingest or read", for people; "ingest read" for the challenge. */
static struct str scope_words(struct arena *arena, unsigned scopes, const char *between)
{
    static const struct {
        unsigned bit;
        const char *word;
    } words[] = {{SCOPE_INGEST, "ingest"},
            {SCOPE_MANAGE, "manage"},
            {SCOPE_READ, "read"},
            {SCOPE_ADMIN, "admin"}};
    struct str text = STR("");

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if ((scopes & words[i].bit) != 0)
            text = arena_strf(
                    arena, "%.*s%s%s", STR_ARG(text), text.len > 0 ? between : "", words[i].word);
    }
    return text;
}

static void refuse_scope(struct request *request)
{
    struct arena *arena = request->arena;
    unsigned scopes = request->route->scope;

    http_exchange_add_header(request->x,
            "WWW-Authenticate",
            arena_strf(arena,
                    "Bearer realm=\"callsync\", error=\"insufficient_scope\", scope=\"%s\"",
                    scope_words(arena, scopes, " ").ptr));
    problem_reply(request,
            403,
            arena_strf(arena, "this needs the scope %s", scope_words(arena, scopes, " or ").ptr)
                    .ptr);
}

/* The token is good: org and scopes are known. */
static void admit(struct request *request, struct str org_id, unsigned scopes)
{
    struct str wanted = http_exchange_header(request->x, "X-CallSync-Org");

    request->org_id = arena_str(request->arena, org_id);
    request->scopes = scopes;
    if ((scopes & request->route->scope) == 0)
        refuse_scope(request);
    else if (org_id.ptr != NULL && wanted.ptr != NULL && !str_equal(wanted, org_id))
        problem_reply(request, 404, "there is no such org");
    else
        request->auth->admitted(request);
}

static void token_found(struct request *request, enum err err)
{
    struct request_auth *auth = request->auth;
    const struct token *token = &auth->token.token;

    if (err == ERR_NOT_FOUND) {
        refuse_unknown_token(request);
    } else if (err != ERR_NONE) {
        problem_reply_error(request, err, &request->op->why);
    } else {
        auth_keep_token(auth_of(request), auth->age, auth->hash, token->org_id, token->scopes);
        admit(request, token->org_id, token->scopes);
    }
}

static void org_found(struct request *request, enum err err)
{
    struct request_auth *auth = request->auth;

    if (err == ERR_NOT_FOUND) {
        problem_reply(request, 404, "there is no such org");
    } else if (err != ERR_NONE) {
        problem_reply_error(request, err, &request->op->why);
    } else {
        auth_keep_org(auth_of(request), auth->age, auth->org.org.id);
        admit(request, auth->org.org.id, SCOPE_ALL | SCOPE_ADMIN);
    }
}

static void ask_token(struct request *request, const uint8_t hash[SHA256_BYTES])
{
    char org_id[AUTH_ORG_SIZE];
    unsigned scopes;

    if (auth_find_token(auth_of(request), hash, org_id, &scopes)) {
        admit(request, str_from(org_id), scopes);
        return;
    }

    struct request_auth *auth = request->auth;

    auth->age = auth_age(auth_of(request));
    memcpy(auth->hash, hash, SHA256_BYTES);
    memcpy(auth->token.hash, hash, SHA256_BYTES);
    request_look_up(request, &auth->token.op, REQUEST_SUBMIT(store_token_find), token_found);
}

static void ask_admin(struct request *request)
{
    struct str org_id = http_exchange_header(request->x, "X-CallSync-Org");

    if (request->route->auth == AUTH_ADMIN ||
            (request->route->auth == AUTH_OPTIONAL && org_id.ptr == NULL)) {
        admit(request, STR_NONE, SCOPE_ALL | SCOPE_ADMIN);
    } else if (org_id.ptr == NULL) {
        faults_add(&request->faults,
                "X-CallSync-Org",
                "is required with the admin token: the org that this is about");
        problem_reply_faults(request);
    } else if (limits_check_id(org_id, NULL) != ERR_NONE) {
        problem_reply(request, 404, "there is no such org");
    } else if (auth_knows_org(auth_of(request), org_id)) {
        admit(request, org_id, SCOPE_ALL | SCOPE_ADMIN);
    } else {
        struct request_auth *auth = request->auth;

        auth->age = auth_age(auth_of(request));
        auth->org.id = arena_str(request->arena, org_id);
        request_look_up(request, &auth->org.op, REQUEST_SUBMIT(store_org_get), org_found);
    }
}

void admission_ask(struct request *request, void (*admitted)(struct request *request))
{
    struct str authorization = http_exchange_header(request->x, "Authorization");
    uint8_t hash[SHA256_BYTES];

    if (request->route->auth == AUTH_NONE) {
        admitted(request);
        return;
    }
    request->auth = ARENA_NEW(request->arena, struct request_auth);
    request->auth->admitted = admitted;
    switch (auth_read(auth_of(request), authorization, hash)) {
    case CREDENTIAL_NONE:
        if (request->route->auth == AUTH_OPTIONAL)
            request->auth->admitted(request);
        else
            refuse_unauthorized(request,
                    "this needs a token: Authorization: Bearer SECRET",
                    STR("Bearer realm=\"callsync\""));
        break;
    case CREDENTIAL_BROKEN: refuse_unknown_token(request); break;
    case CREDENTIAL_ADMIN: ask_admin(request); break;
    case CREDENTIAL_TOKEN: ask_token(request, hash); break;
    }
}
