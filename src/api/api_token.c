/* SPDX-License-Identifier: Apache-2.0 */
/* api_token - making, listing and deleting API tokens. */
#include "api/api_token.h"

#include "api/field.h"
#include "api/member.h"
#include "api/problem.h"
#include "api/request.h"
#include "api/state.h"
#include "domain/limits.h"
#include "store/store_org.h"

static void write_token(struct buf *buf, const struct token *token)
{
    buf_add_char(buf, '{');
    member_id(buf, "id", TOKEN_ID_PREFIX, token->id);
    member_str(buf, "name", token->name);
    member_name(buf, "scopes");
    scope_write_json(buf, token->scopes);
    member_time(buf, "created_at", token->created_at_ms);
}

struct token_creation {
    struct token_create create;
    struct str secret;
};

static void render_created(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct token_creation *creation = (const struct token_creation *)op;

    *ret_status = 201;
    write_token(ret_body, &creation->create.token);
    member_str(ret_body, "secret", creation->secret);
    buf_add_char(ret_body, '}');
}

static unsigned read_scopes(struct faults *faults, const struct json *json)
{
    const struct json *array = NULL;
    unsigned scopes = 0;

    if (faults_read_json(
                faults, json, "scopes", "scopes", MEMBER_REQUIRED, JSON_ARRAY_TYPE, &array) !=
            MEMBER_SET)
        return 0;
    if (json_count(array) == 0)
        faults_add(faults, "scopes", "must have one scope at least");
    for (size_t i = 0; i < json_count(array) && i < FAULTS_MAX; i++) {
        unsigned bit = 0;
        struct str path = arena_strf(faults->arena, "scopes[%zu]", i);

        if (!scope_parse(json_str(json_item(array, i)), &bit))
            faults_add(faults, path.ptr, "must be one of ingest, manage, read");
        else if ((scopes & bit) != 0)
            faults_add(faults, path.ptr, "is there twice");
        scopes |= bit;
    }
    return scopes;
}

/* A token gives no more than it has. False when it was refused. */
static bool may_give(struct request *request, unsigned scopes)
{
    static const struct {
        unsigned bit;
        const char *word;
    } all[] = {{SCOPE_INGEST, "ingest"}, {SCOPE_MANAGE, "manage"}, {SCOPE_READ, "read"}};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        if ((scopes & ~request->scopes & all[i].bit) == 0)
            continue;
        problem_reply(request,
                403,
                arena_strf(request->arena,
                        "this token lacks the scope %s, and so cannot give it",
                        all[i].word)
                        .ptr);
        return false;
    }
    return true;
}

void api_token_create(struct request *request)
{
    static const char *const members[] = {"name", "scopes", NULL};
    struct token_creation *creation = ARENA_NEW(request->arena, struct token_creation);
    struct token_create *create = &creation->create;
    const struct field field = {&request->faults, request->json, ""};

    (void)faults_check_members(&request->faults, request->json, "", members);
    (void)field_text(&field, "name", MEMBER_REQUIRED, LIMIT_NAME_BYTES, &create->name);
    create->org_id = request->org_id;
    create->scopes = read_scopes(&request->faults, request->json);
    creation->secret = token_secret_new(request->arena);
    token_hash(creation->secret, create->hash);
    if (request_refuse_faults(request) || !may_give(request, create->scopes))
        return;
    request_submit(request, &create->op, REQUEST_SUBMIT(store_token_create), render_created);
}

static void render_list(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct token_list *list = (const struct token_list *)op;

    (void)ret_status;
    member_list_begin(ret_body);
    for (size_t i = 0; i < list->count; i++) {
        member_next(ret_body);
        write_token(ret_body, &list->tokens[i]);
        buf_add_char(ret_body, '}');
    }
    member_list_end(ret_body, list->page.next_cursor);
}

void api_token_list(struct request *request)
{
    static const char *const names[] = {"limit", "cursor", NULL};
    struct token_list *list = ARENA_NEW(request->arena, struct token_list);

    list->org_id = request->org_id;
    request_check_query(request, names);
    request_query_page(request, &list->page);
    request_submit(request, &list->op, REQUEST_SUBMIT(store_token_list), render_list);
}

/* Store thread: from now on the token opens nothing. */
static void forget_token(struct request *request)
{
    const struct token_delete *deletion = (const struct token_delete *)request->op;

    auth_forget_token(request->api->auth, deletion->hash);
}

void api_token_delete(struct request *request)
{
    struct token_delete *deletion = ARENA_NEW(request->arena, struct token_delete);

    if (!request_param_id(request, 0, TOKEN_ID_PREFIX, &deletion->id))
        return;
    deletion->org_id = request->org_id;
    request->stored = forget_token;
    request_submit_then(
            request, &deletion->op, REQUEST_SUBMIT(store_token_delete), request_answer_nothing);
}
