/* SPDX-License-Identifier: Apache-2.0 */
/* api_delivery - listing deliveries, showing one with its attempts, retrying and cancelling. */
#include "api/api_delivery.h"

#include "api/member.h"
#include "api/request.h"
#include "api/word.h"
#include "base/id.h"
#include "store/store_delivery.h"

#define CALL_ID_MAX ((INT64_C(1) << 53) - 1)

/* A kept body of this size may have been cut there. */
enum { KEPT_BODY_BYTES = 16 * 1024 };

/* Without the closing brace. */
static void write_delivery(struct buf *buf, const struct delivery_row *delivery)
{
    buf_add_char(buf, '{');
    member_id(buf, "id", DELIVERY_ID_PREFIX, delivery->id);
    member_id(buf, "payload_id", EVENT_ID_PREFIX, delivery->event_id);
    member_str(buf, "event", event_kind_name(delivery->kind));
    member_i64(buf, "call_id", delivery->call_id);
    member_id(buf, "endpoint_id", ENDPOINT_ID_PREFIX, delivery->endpoint_id);
    member_str(buf, "endpoint_url", delivery->endpoint_url);
    member_str(buf, "state", delivery_state_name(delivery->state));
    member_i64(buf, "attempt_count", delivery->attempt_count);
    member_time(buf, "next_attempt_at", delivery->due_at_ms);
    member_time(buf, "created_at", id_at_ms(delivery->id));
    member_time(buf, "finished_at", delivery->finished_at_ms);
}

static void render_list(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct delivery_list *list = (const struct delivery_list *)op;

    *ret_status = 200;
    member_list_begin(ret_body);
    for (size_t i = 0; i < list->count; i++) {
        member_next(ret_body);
        write_delivery(ret_body, &list->deliveries[i]);
        buf_add_char(ret_body, '}');
    }
    member_list_end(ret_body, list->page.next_cursor);
}

void api_delivery_list(struct request *request)
{
    static const char *const names[] = {
            "endpoint_id", "state", "event", "call_id", "since", "until", "limit", "cursor", NULL};
    struct delivery_list *list = ARENA_NEW(request->arena, struct delivery_list);

    request_check_query(request, names);
    list->org_id = request->org_id;
    (void)request_query_id(request, "endpoint_id", ENDPOINT_ID_PREFIX, &list->endpoint_id);
    list->state = word_query_state(request, "state");
    list->kind = word_query_event(request, "event");
    (void)request_query_i64(request, "call_id", 1, CALL_ID_MAX, &list->call_id);
    (void)request_query_time(request, "since", &list->since_ms);
    (void)request_query_time(request, "until", &list->until_ms);
    request_query_page(request, &list->page);
    request_submit(request, &list->op, REQUEST_SUBMIT(store_delivery_list), render_list);
}

static void write_response(struct buf *buf, const struct attempt_row *attempt)
{
    struct str body = attempt->response_body.ptr != NULL ? attempt->response_body : STR("");

    if (attempt->status == 0) {
        member_raw(buf, "response", STR_NONE);
        return;
    }
    member_name(buf, "response");
    buf_add_char(buf, '{');
    member_headers(buf,
            "headers",
            attempt->response_headers.ptr != NULL ? attempt->response_headers : STR(""));
    member_body(buf, "body", body, body.len >= KEPT_BODY_BYTES);
    buf_add_char(buf, '}');
}

static void write_attempt(struct buf *buf, const struct attempt_row *attempt)
{
    const struct attempt_outcome outcome = {.error = attempt->error, .status = attempt->status};

    buf_add_char(buf, '{');
    member_id(buf, "id", ATTEMPT_ID_PREFIX, attempt->id);
    member_i64(buf, "number", attempt->number);
    member_time(buf, "started_at", attempt->started_at_ms);
    member_bool(buf, "ok", attempt_succeeded(&outcome));
    member_i64_or_null(buf, "status_code", attempt->status);
    member_ms(buf, "duration_ms", attempt->duration_us);
    member_str(buf, "error", attempt_error_name(attempt->error));
    member_str(buf, "detail", attempt->detail.len > 0 ? attempt->detail : STR_NONE);
    member_name(buf, "request");
    buf_add_char(buf, '{');
    member_headers(buf, "headers", attempt->request_headers);
    buf_add_char(buf, '}');
    write_response(buf, attempt);
    buf_add_char(buf, '}');
}

static void render_get(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct delivery_get *get = (const struct delivery_get *)op;

    *ret_status = 200;
    write_delivery(ret_body, &get->delivery);
    member_raw(ret_body, "payload", get->body);
    member_name(ret_body, "attempts");
    buf_add_char(ret_body, '[');
    for (size_t i = 0; i < get->attempt_count; i++) {
        member_next(ret_body);
        write_attempt(ret_body, &get->attempts[i]);
    }
    buf_add_text(ret_body, "]}");
}

void api_delivery_get(struct request *request)
{
    struct delivery_get *get = ARENA_NEW(request->arena, struct delivery_get);

    get->org_id = request->org_id;
    if (request_param_id(request, 0, DELIVERY_ID_PREFIX, &get->id))
        request_submit(request, &get->op, REQUEST_SUBMIT(store_delivery_get), render_get);
}

static void render_retried(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct delivery_retry *retry = (const struct delivery_retry *)op;

    *ret_status = 202;
    write_delivery(ret_body, &retry->delivery);
    buf_add_char(ret_body, '}');
}

void api_delivery_retry(struct request *request)
{
    struct delivery_retry *retry = ARENA_NEW(request->arena, struct delivery_retry);

    retry->org_id = request->org_id;
    if (request_param_id(request, 0, DELIVERY_ID_PREFIX, &retry->id))
        request_submit(request, &retry->op, REQUEST_SUBMIT(store_delivery_retry), render_retried);
}

static void render_cancelled(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct delivery_cancel *cancel = (const struct delivery_cancel *)op;

    *ret_status = 200;
    write_delivery(ret_body, &cancel->delivery);
    buf_add_char(ret_body, '}');
}

void api_delivery_cancel(struct request *request)
{
    struct delivery_cancel *cancel = ARENA_NEW(request->arena, struct delivery_cancel);

    cancel->org_id = request->org_id;
    if (request_param_id(request, 0, DELIVERY_ID_PREFIX, &cancel->id))
        request_submit(
                request, &cancel->op, REQUEST_SUBMIT(store_delivery_cancel), render_cancelled);
}
