/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_inbox - making, showing and deleting inboxes, and taking in what is sent to them.
 *
 * A request to /in/{id} is kept first and answered then, as the inbox says: with its status, after
 * its delay. While it waits for that it holds no thread, and its body is let go.
 */
#include "api/api_inbox.h"

#include "api/inbox_signature.h"
#include "api/member.h"
#include "api/problem.h"
#include "api/request.h"
#include "api/state.h"
#include "api/visitor.h"
#include "base/id.h"
#include "domain/secret.h"
#include "store/store_inbox.h"

enum {
    STATUS_MIN = 200,
    STATUS_MAX = 599,
    STATUS_DEFAULT = 200,
    HEADERS_MAX_BYTES = 64 * 1024, /* the server takes no larger head anyway */
};

/* --- an inbox as JSON --- */

/* A visitor's inbox goes a day after it was made; an org's stays. */
static void write_inbox(struct buf *buf, const struct store_op *op, const struct inbox *inbox)
{
    const struct request *request = op->owner;
    bool is_visitors = inbox->org_id.ptr == NULL;

    buf_add_char(buf, '{');
    member_str(buf, "id", inbox->id);
    member_name(buf, "url");
    json_add_string(buf,
            arena_strf(op->arena,
                    "%s/in/%.*s",
                    request_config(request)->public_url,
                    STR_ARG(inbox->id)));
    member_bool(buf, "has_secret", inbox->secret.ptr != NULL);
    member_name(buf, "respond");
    buf_add_char(buf, '{');
    member_i64(buf, "status", inbox->status);
    member_i64(buf, "delay_ms", inbox->delay_ms);
    buf_add_char(buf, '}');
    member_time(buf, "created_at", inbox->created_at_ms);
    member_time(buf, "expires_at", is_visitors ? inbox->created_at_ms + INBOX_KEEP_MS : 0);
    buf_add_char(buf, '}');
}

/* --- create --- */

static void render_created(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct inbox_create *create = (const struct inbox_create *)op;

    *ret_status = 201;
    write_inbox(ret_body, op, &create->inbox);
}

static void read_respond(struct request *request, struct inbox *inbox)
{
    static const char *const names[] = {"status", "delay_ms", NULL};
    struct faults *faults = &request->faults;
    const struct json *respond = NULL;

    if (faults_read_json(faults,
                request->json,
                "respond",
                "respond",
                MEMBER_OPTIONAL,
                JSON_OBJECT_TYPE,
                &respond) != MEMBER_SET)
        return;
    (void)faults_check_members(faults, respond, "respond.", names);
    (void)faults_read_i64(faults,
            respond,
            "status",
            "respond.status",
            MEMBER_OPTIONAL,
            STATUS_MIN,
            STATUS_MAX,
            &inbox->status);
    (void)faults_read_i64(faults,
            respond,
            "delay_ms",
            "respond.delay_ms",
            MEMBER_OPTIONAL,
            0,
            INBOX_DELAY_MAX_MS,
            &inbox->delay_ms);
}

void api_inbox_create(struct request *request)
{
    static const char *const names[] = {"secret", "respond", NULL};
    struct inbox_create *create = ARENA_NEW(request->arena, struct inbox_create);
    struct inbox *inbox = &create->inbox;
    struct faults *faults = &request->faults;
    struct error why;

    inbox->org_id = request->org_id;
    inbox->status = STATUS_DEFAULT;
    (void)faults_check_members(faults, request->json, "", names);
    if (faults_read_str(faults,
                request->json,
                "secret",
                "secret",
                MEMBER_NULLABLE,
                SECRET_MAX_BYTES,
                &inbox->secret) == MEMBER_SET &&
            secret_check(inbox->secret, &why) != ERR_NONE)
        faults_add(faults, "secret", "%s", why.text);
    read_respond(request, inbox);
    if (!request_refuse_faults(request) && visitor_within(request, request->api->services.inboxes))
        request_submit(request, &create->op, REQUEST_SUBMIT(store_inbox_create), render_created);
}

/* --- get, list, delete --- */

static void render_get(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct inbox_get *get = (const struct inbox_get *)op;

    *ret_status = 200;
    write_inbox(ret_body, op, &get->inbox);
}

void api_inbox_get(struct request *request)
{
    struct inbox_get *get = ARENA_NEW(request->arena, struct inbox_get);

    get->org_id = request->org_id;
    get->id = request->params[0];
    request_submit(request, &get->op, REQUEST_SUBMIT(store_inbox_get), render_get);
}

static void render_list(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct inbox_list *list = (const struct inbox_list *)op;

    *ret_status = 200;
    member_list_begin(ret_body);
    for (size_t i = 0; i < list->count; i++) {
        member_next(ret_body);
        write_inbox(ret_body, op, &list->inboxes[i]);
    }
    member_list_end(ret_body, list->page.next_cursor);
}

void api_inbox_list(struct request *request)
{
    static const char *const names[] = {"limit", "cursor", NULL};
    struct inbox_list *list = ARENA_NEW(request->arena, struct inbox_list);

    request_check_query(request, names);
    list->org_id = request->org_id;
    request_query_page(request, &list->page);
    request_submit(request, &list->op, REQUEST_SUBMIT(store_inbox_list), render_list);
}

void api_inbox_delete(struct request *request)
{
    struct inbox_delete *deletion = ARENA_NEW(request->arena, struct inbox_delete);

    deletion->org_id = request->org_id;
    deletion->id = request->params[0];
    request_submit_then(
            request, &deletion->op, REQUEST_SUBMIT(store_inbox_delete), request_answer_nothing);
}

/* --- what came --- */

static void write_signature(struct buf *buf, enum signature_judgement signature)
{
    if (signature == SIGNATURE_UNJUDGED)
        member_raw(buf, "signature_ok", STR_NONE);
    else
        member_bool(buf, "signature_ok", signature == SIGNATURE_HOLDS);
}

static void render_requests(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct inbox_request_list *list = (const struct inbox_request_list *)op;

    *ret_status = 200;
    member_list_begin(ret_body);
    for (size_t i = 0; i < list->count; i++) {
        const struct inbox_request *came = &list->requests[i];

        member_next(ret_body);
        buf_add_char(ret_body, '{');
        member_id(ret_body, "id", INBOX_REQUEST_ID_PREFIX, came->id);
        member_time(ret_body, "received_at", id_at_ms(came->id));
        member_str(ret_body, "method", came->method);
        member_headers(ret_body, "headers", came->headers);
        member_body(ret_body, "body", came->body.ptr != NULL ? came->body : STR(""), false);
        write_signature(ret_body, came->signature);
        buf_add_char(ret_body, '}');
    }
    member_list_end(ret_body, list->page.next_cursor);
}

void api_inbox_requests(struct request *request)
{
    static const char *const names[] = {"limit", "cursor", NULL};
    struct inbox_request_list *list = ARENA_NEW(request->arena, struct inbox_request_list);

    request_check_query(request, names);
    list->org_id = request->org_id;
    list->inbox_id = request->params[0];
    request_query_page(request, &list->page);
    request_submit(request, &list->op, REQUEST_SUBMIT(store_inbox_request_list), render_requests);
}

/* --- receive --- */

/* A request to an inbox, on its way. */
struct receiving {
    struct timer timer; /* first: the delay of the answer */
    struct request *request;
    struct inbox_get get;
    struct inbox_receive receive;
    struct buf headers;
};

static void answer_as_told(struct request *request, enum err err)
{
    const struct receiving *receiving = request->data;
    unsigned status = (unsigned)receiving->get.inbox.status;
    bool has_body = status != 204 && status != 205 && status != 304;
    struct buf *body = &request->x->reply_buf;

    (void)err;
    if (!has_body) {
        http_exchange_reply(request->x, status, NULL, STR_NONE);
        return;
    }
    buf_add_char(body, '{');
    member_id(body, "request_id", INBOX_REQUEST_ID_PREFIX, receiving->receive.request.id);
    buf_add_char(body, '}');
    request_reply_json(request, status, buf_str(body));
}

/* The thread that ticks. */
static void delay_over(struct timer *timer)
{
    struct receiving *receiving = (struct receiving *)timer;

    request_resume(receiving->request, ERR_NONE);
}

static void received(struct request *request, enum err err)
{
    struct receiving *receiving = request->data;
    const struct inbox *inbox = &receiving->get.inbox;

    if (err != ERR_NONE) {
        problem_reply_error(request, err, &request->op->why);
        return;
    }
    if (inbox->delay_ms == 0) {
        answer_as_told(request, ERR_NONE);
        return;
    }

    int64_t now_ms = clock_mono_us(request_config(request)->clock) / 1000;

    buf_done(&request->x->body);
    buf_done(&receiving->headers);
    request_wait(request, answer_as_told);
    if (!timers_add(request->api->services.timers, &receiving->timer, now_ms + inbox->delay_ms))
        request_resume(request, ERR_NONE);
}

static bool add_header_line(void *ctx, struct str name, struct str value)
{
    struct buf *lines = ctx;

    buf_add_str(lines, name);
    buf_add_text(lines, ": ");
    buf_add_str(lines, value);
    buf_add_char(lines, '\n');
    return true;
}

static enum signature_judgement judge(const struct request *request, struct str secret)
{
    const struct http_exchange *x = request->x;
    const struct signature_headers headers = {
            .hex = http_exchange_header(x, "X-CallSync-Signature"),
            .hex_next = http_exchange_header(x, "X-CallSync-Signature-Next"),
            .standard = http_exchange_header(x, "webhook-signature"),
            .id = http_exchange_header(x, "webhook-id"),
            .timestamp = http_exchange_header(x, "webhook-timestamp"),
    };

    return inbox_signature_judge(secret, &headers, buf_str(&x->body));
}

static void inbox_found(struct request *request, enum err err)
{
    struct receiving *receiving = request->data;
    struct inbox_receive *receive = &receiving->receive;
    struct http_exchange *x = request->x;

    if (err != ERR_NONE) {
        problem_reply_error(request, err, &request->op->why);
        return;
    }
    if (receiving->get.inbox.org_id.ptr == NULL && x->body.len > INBOX_OF_VISITOR_BODY_MAX_BYTES) {
        request_refuse_large(request, INBOX_OF_VISITOR_BODY_MAX_BYTES);
        return;
    }
    x->ops->each_header(x, add_header_line, &receiving->headers);
    if (buf_err(&receiving->headers) != ERR_NONE) {
        problem_reply(request, 431, "the headers are too large to keep");
        return;
    }
    receive->inbox_id = receiving->get.id;
    receive->request = (struct inbox_request){
            .method = x->method,
            .headers = buf_str(&receiving->headers),
            .body = buf_str(&x->body),
            .signature = judge(request, receiving->get.inbox.secret),
    };
    request_submit_then(request, &receive->op, REQUEST_SUBMIT(store_inbox_receive), received);
}

static void end_receiving(struct request *request)
{
    struct receiving *receiving = request->data;

    buf_done(&receiving->headers);
}

void api_inbox_receive(struct request *request)
{
    struct receiving *receiving = ARENA_NEW(request->arena, struct receiving);

    request->data = receiving;
    request->end = end_receiving;
    buf_init(&receiving->headers, HEADERS_MAX_BYTES);
    receiving->timer.fire = delay_over;
    receiving->request = request;
    receiving->get.any_org = true;
    receiving->get.id = request->params[0];
    request_submit_then(request, &receiving->get.op, REQUEST_SUBMIT(store_inbox_get), inbox_found);
}
