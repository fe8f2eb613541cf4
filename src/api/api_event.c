/* SPDX-License-Identifier: Apache-2.0 */
/* api_event - listing events, showing one with what became of it, and sending it again. */
#include "api/api_event.h"

#include "api/member.h"
#include "api/request.h"
#include "api/word.h"
#include "base/id.h"
#include "domain/limits.h"
#include "store/store_event.h"

#define CALL_ID_MAX ((INT64_C(1) << 53) - 1)

/* Without the closing brace. */
static void write_event(struct buf *buf, const struct event *event)
{
    buf_add_char(buf, '{');
    member_id(buf, "payload_id", EVENT_ID_PREFIX, event->id);
    member_str(buf, "event", event_kind_name(event->kind));
    member_str(buf, "type", call_type_name(event->type));
    member_i64(buf, "call_id", event->call_id);
    member_time(buf, "timestamp", event->created_at_ms);
}

static void render_list(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct event_list *list = (const struct event_list *)op;

    *ret_status = 200;
    member_list_begin(ret_body);
    for (size_t i = 0; i < list->count; i++) {
        member_next(ret_body);
        write_event(ret_body, &list->events[i]);
        buf_add_char(ret_body, '}');
    }
    member_list_end(ret_body, list->page.next_cursor);
}

void api_event_list(struct request *request)
{
    static const char *const names[] = {
            "event", "type", "call_id", "since", "until", "limit", "cursor", NULL};
    struct event_list *list = ARENA_NEW(request->arena, struct event_list);

    request_check_query(request, names);
    list->org_id = request->org_id;
    list->kind = word_query_event(request, "event");
    list->type = word_query_type(request, "type");
    (void)request_query_i64(request, "call_id", 1, CALL_ID_MAX, &list->call_id);
    (void)request_query_time(request, "since", &list->since_ms);
    (void)request_query_time(request, "until", &list->until_ms);
    request_query_page(request, &list->page);
    request_submit(request, &list->op, REQUEST_SUBMIT(store_event_list), render_list);
}

static struct str no_delivery_name(enum no_delivery why)
{
    switch (why) {
    case NO_DELIVERY_NONE: break;
    case NO_DELIVERY_NOT_SELECTED: return STR("not_selected");
    case NO_DELIVERY_LATER: return STR("endpoint_created_later");
    case NO_DELIVERY_DISABLED: return STR("endpoint_disabled");
    }
    return STR_NONE;
}

/* An endpoint, and its delivery of the event or why there is none. */
static void write_endpoint(struct buf *buf, const struct event_endpoint *endpoint)
{
    buf_add_char(buf, '{');
    member_id(buf, "endpoint_id", ENDPOINT_ID_PREFIX, endpoint->endpoint_id);
    member_str(buf, "endpoint_url", endpoint->url);
    member_str(buf, "no_delivery_reason", no_delivery_name(endpoint->why_none));
    if (endpoint->delivery_id == 0) {
        member_raw(buf, "delivery", STR_NONE);
    } else {
        member_name(buf, "delivery");
        buf_add_char(buf, '{');
        member_id(buf, "id", DELIVERY_ID_PREFIX, endpoint->delivery_id);
        member_str(buf, "state", delivery_state_name(endpoint->state));
        member_i64(buf, "attempt_count", endpoint->attempt_count);
        member_time(buf, "next_attempt_at", endpoint->due_at_ms);
        buf_add_char(buf, '}');
    }
    buf_add_char(buf, '}');
}

static void render_get(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct event_get *get = (const struct event_get *)op;

    *ret_status = 200;
    write_event(ret_body, &get->event);
    member_raw(ret_body, "payload", get->event.body);
    member_name(ret_body, "endpoints");
    buf_add_char(ret_body, '[');
    for (size_t i = 0; i < get->endpoint_count; i++) {
        member_next(ret_body);
        write_endpoint(ret_body, &get->endpoints[i]);
    }
    buf_add_text(ret_body, "]}");
}

void api_event_get(struct request *request)
{
    struct event_get *get = ARENA_NEW(request->arena, struct event_get);

    get->org_id = request->org_id;
    if (request_param_id(request, 0, EVENT_ID_PREFIX, &get->id))
        request_submit(request, &get->op, REQUEST_SUBMIT(store_event_get), render_get);
}

static void render_replayed(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct event_replay *replay = (const struct event_replay *)op;

    *ret_status = 202;
    buf_add_char(ret_body, '{');
    member_i64(ret_body, "deliveries", replay->delivery_count);
    buf_add_char(ret_body, '}');
}

void api_event_replay(struct request *request)
{
    static const char *const names[] = {"endpoint_id", NULL};
    struct event_replay *replay = ARENA_NEW(request->arena, struct event_replay);
    struct faults *faults = &request->faults;
    struct str endpoint_id;

    replay->org_id = request->org_id;
    if (!request_param_id(request, 0, EVENT_ID_PREFIX, &replay->id))
        return;
    (void)faults_check_members(faults, request->json, "", names);
    if (faults_read_str(faults,
                request->json,
                "endpoint_id",
                "endpoint_id",
                MEMBER_NULLABLE,
                LIMIT_CLIENT_ID_BYTES,
                &endpoint_id) == MEMBER_SET &&
            (!id_parse(endpoint_id, ENDPOINT_ID_PREFIX, &replay->endpoint_id) ||
                    replay->endpoint_id == 0)) /* which would mean all */
        faults_add(
                faults, "endpoint_id", "must be an id that begins with \"" ENDPOINT_ID_PREFIX "\"");
    request_submit(request, &replay->op, REQUEST_SUBMIT(store_event_replay), render_replayed);
}
