/* SPDX-License-Identifier: Apache-2.0 */
/* api_org - making, showing and deleting orgs. */
#include "api/api_org.h"

#include "api/field.h"
#include "api/member.h"
#include "api/request.h"
#include "api/state.h"
#include "domain/limits.h"
#include "store/store_org.h"

#define FIRST_TOKEN_NAME "first token"

static void write_org(struct buf *buf, const struct org *org)
{
    buf_add_char(buf, '{');
    member_str(buf, "id", org->id);
    member_str(buf, "name", org->name);
    member_time(buf, "created_at", org->created_at_ms);
}

struct org_creation {
    struct org_create create;
    struct str secret; /* of the first token */
};

static void render_created(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct org_creation *creation = (const struct org_creation *)op;
    const struct token *token = &creation->create.token;

    *ret_status = 201;
    write_org(ret_body, &creation->create.org);
    member_name(ret_body, "token");
    buf_add_char(ret_body, '{');
    member_id(ret_body, "id", TOKEN_ID_PREFIX, token->id);
    member_str(ret_body, "secret", creation->secret);
    member_name(ret_body, "scopes");
    scope_write_json(ret_body, token->scopes);
    buf_add_text(ret_body, "}}");
}

void api_org_create(struct request *request)
{
    static const char *const members[] = {"id", "name", NULL};
    struct org_creation *creation = ARENA_NEW(request->arena, struct org_creation);
    struct org_create *create = &creation->create;
    const struct field field = {&request->faults, request->json, ""};

    (void)faults_check_members(&request->faults, request->json, "", members);
    (void)field_id(&field, "id", MEMBER_NULLABLE, &create->id);
    (void)field_text(&field, "name", MEMBER_REQUIRED, LIMIT_NAME_BYTES, &create->name);
    creation->secret = token_secret_new(request->arena);
    token_hash(creation->secret, create->token_hash);
    create->token_name = STR(FIRST_TOKEN_NAME);
    create->token_scopes = SCOPE_ALL;
    request_submit(request, &create->op, REQUEST_SUBMIT(store_org_create), render_created);
}

static void render_org(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct org_get *get = (const struct org_get *)op;

    (void)ret_status;
    write_org(ret_body, &get->org);
    buf_add_char(ret_body, '}');
}

void api_org_get(struct request *request)
{
    struct org_get *get = ARENA_NEW(request->arena, struct org_get);

    get->id = request->params[0];
    request_submit(request, &get->op, REQUEST_SUBMIT(store_org_get), render_org);
}

static void render_list(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct org_list *list = (const struct org_list *)op;

    (void)ret_status;
    member_list_begin(ret_body);
    for (size_t i = 0; i < list->count; i++) {
        member_next(ret_body);
        write_org(ret_body, &list->orgs[i]);
        buf_add_char(ret_body, '}');
    }
    member_list_end(ret_body, list->page.next_cursor);
}

void api_org_list(struct request *request)
{
    static const char *const names[] = {"limit", "cursor", NULL};
    struct org_list *list = ARENA_NEW(request->arena, struct org_list);

    request_check_query(request, names);
    request_query_page(request, &list->page);
    request_submit(request, &list->op, REQUEST_SUBMIT(store_org_list), render_list);
}

/* Store thread: from now on no token of the org opens anything. */
static void forget_org(struct request *request)
{
    const struct org_delete *deletion = (const struct org_delete *)request->op;

    auth_forget_org(request->api->auth, deletion->id);
}

void api_org_delete(struct request *request)
{
    struct org_delete *deletion = ARENA_NEW(request->arena, struct org_delete);

    deletion->id = request->params[0];
    request->stored = forget_org;
    request_submit_then(
            request, &deletion->op, REQUEST_SUBMIT(store_org_delete), request_answer_nothing);
}
