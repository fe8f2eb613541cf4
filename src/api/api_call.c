/* SPDX-License-Identifier: Apache-2.0 */
/* api_call - logging calls, one or many; listing, showing and patching them. */
#include "api/api_call.h"

#include "api/call_draft.h"
#include "api/call_json.h"
#include "api/field.h"
#include "api/member.h"
#include "api/problem.h"
#include "api/request.h"
#include "base/id.h"
#include "domain/limits.h"
#include "store/store_call.h"

/* ---- POST /v1/calls ---- */

static void render_created(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct call_draft *draft = ((const struct call_create *)op)->drafts;

    *ret_status = draft->duplicate ? 200 : 201;
    buf_add_char(ret_body, '{');
    member_i64(ret_body, "call_id", draft->call_id);
    member_id(ret_body, "payload_id", EVENT_ID_PREFIX, draft->event_id);
    member_i64(ret_body, "deliveries", draft->delivery_count);
    buf_add_char(ret_body, '}');
}

void api_call_create(struct request *request)
{
    struct call_create *create = ARENA_NEW(request->arena, struct call_create);

    create->org_id = request->org_id;
    create->drafts = ARENA_NEW(request->arena, struct call_draft);
    create->draft_count = 1;
    call_draft_read(request->json, &request->faults, create->drafts);
    request_submit(request, &create->op, REQUEST_SUBMIT(store_call_create), render_created);
}

/* ---- POST /v1/calls/batch ---- */

struct batch {
    struct call_create create; /* the drafts without a fault, in the batch's order */
    struct str *errors;        /* an item each: its faults as JSON; none: it is in create */
    size_t count;
};

static void write_refused(struct buf *buf, unsigned status, struct str errors)
{
    buf_add_char(buf, '{');
    member_i64(buf, "status", status);
    buf_add_char(buf, ',');
    buf_add_str(buf, errors);
    buf_add_char(buf, '}');
}

/* What only the store could find wrong. */
static void write_draft_error(struct buf *buf, const struct call_draft *draft)
{
    buf_add_char(buf, '{');
    member_i64(buf, "status", problem_status(draft->err));
    buf_add_text(buf, ",\"errors\":[{");
    member_str(buf, "field", str_from(draft->why.field));
    member_str(buf, "message", str_from(draft->why.text));
    buf_add_text(buf, "}]}");
}

static void write_logged(struct buf *buf, const struct call_draft *draft)
{
    buf_add_char(buf, '{');
    member_i64(buf, "status", draft->duplicate ? 200 : 201);
    member_i64(buf, "call_id", draft->call_id);
    member_id(buf, "payload_id", EVENT_ID_PREFIX, draft->event_id);
    buf_add_char(buf, '}');
}

static void render_batch(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct batch *batch = (const struct batch *)op;
    const struct call_draft *draft = batch->create.drafts;

    (void)ret_status;
    buf_add_text(ret_body, "{\"results\":[");
    for (size_t i = 0; i < batch->count; i++) {
        member_next(ret_body);
        if (batch->errors[i].ptr != NULL)
            write_refused(ret_body, 422, batch->errors[i]);
        else if (draft->err != ERR_NONE)
            write_draft_error(ret_body, draft++);
        else
            write_logged(ret_body, draft++);
    }
    buf_add_text(ret_body, "]}");
}

/* A lone draft's refusal is the operation's, too; here it is but one result. */
static void answer_batch(struct request *request, enum err err)
{
    const struct batch *batch = (const struct batch *)request->op;
    bool is_draft = batch->create.draft_count == 1 && batch->create.drafts[0].err == err;

    request_answer(request, is_draft ? ERR_NONE : err);
}

/* Each call has its own faults, and does not keep the others back. */
static void read_calls(struct request *request, const struct json *calls, struct batch *batch)
{
    struct arena *arena = request->arena;
    struct faults *faults = ARENA_NEW(arena, struct faults);
    CLEANUP(buf_done) struct buf text = {0};

    batch->create.drafts = arena_alloc(arena, batch->count * sizeof(struct call_draft));
    batch->errors = arena_alloc(arena, batch->count * sizeof(struct str));
    for (size_t i = 0; i < batch->count; i++) {
        struct call_draft *draft = &batch->create.drafts[batch->create.draft_count];

        faults->arena = arena;
        faults->count = 0;
        call_draft_read(json_item(calls, i), faults, draft);
        if (faults->count == 0) {
            batch->create.draft_count++;
            continue;
        }
        *draft = (struct call_draft){0};
        buf_clear(&text);
        problem_write_errors(&text, faults);
        batch->errors[i] = arena_str(arena, buf_str(&text));
    }
}

void api_call_batch(struct request *request)
{
    static const char *const members[] = {"calls", NULL};
    struct batch *batch = ARENA_NEW(request->arena, struct batch);
    const struct json *calls = NULL;

    (void)faults_check_members(&request->faults, request->json, "", members);
    (void)faults_read_json(&request->faults,
            request->json,
            "calls",
            "calls",
            MEMBER_REQUIRED,
            JSON_ARRAY_TYPE,
            &calls);
    batch->count = calls != NULL ? json_count(calls) : 0;
    if (calls != NULL && (batch->count < 1 || batch->count > LIMIT_BATCH_CALLS))
        faults_add(&request->faults, "calls", "must have 1 to %d items", LIMIT_BATCH_CALLS);
    if (request_refuse_faults(request))
        return;

    batch->create.org_id = request->org_id;
    read_calls(request, calls, batch);
    request->op = &batch->create.op;
    request->render = render_batch;
    if (batch->create.draft_count == 0)
        request_answer(request, ERR_NONE); /* nothing to store */
    else
        request_submit_then(
                request, &batch->create.op, REQUEST_SUBMIT(store_call_create), answer_batch);
}

/* ---- GET /v1/calls ---- */

static void render_list(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct call_list *list = (const struct call_list *)op;

    (void)ret_status;
    member_list_begin(ret_body);
    for (size_t i = 0; i < list->count; i++) {
        member_next(ret_body);
        call_json_begin(ret_body, &list->calls[i]);
        buf_add_char(ret_body, '}');
    }
    member_list_end(ret_body, list->page.next_cursor);
}

static int query_type(struct request *request)
{
    struct str word = http_exchange_query(request->x, "type");
    enum call_type type;

    if (word.ptr == NULL)
        return -1;
    if (call_type_parse(word, &type))
        return (int)type;
    faults_add(&request->faults, "type", "must be one of incoming, outgoing, missed, rejected");
    return -1;
}

static int query_file_status(struct request *request)
{
    struct str word = http_exchange_query(request->x, "file_status");
    enum file_status status;

    if (word.ptr == NULL)
        return -1;
    if (file_status_parse(word, &status))
        return (int)status;
    faults_add(&request->faults,
            "file_status",
            "must be one of none, pending, uploading, completed, failed, absent, deleted");
    return -1;
}

static int query_analysis_status(struct request *request)
{
    struct str word = http_exchange_query(request->x, "analysis_status");
    enum analysis_status status;

    if (word.ptr == NULL)
        return -1;
    if (analysis_status_parse(word, &status))
        return (int)status;
    faults_add(&request->faults,
            "analysis_status",
            "must be one of pending, processing, completed, failed, skipped");
    return -1;
}

static int query_reviewed(struct request *request)
{
    struct str word = http_exchange_query(request->x, "reviewed");

    if (word.ptr == NULL)
        return -1;
    if (str_is(word, "true") || str_is(word, "false"))
        return str_is(word, "true") ? 1 : 0;
    faults_add(&request->faults, "reviewed", "must be true or false");
    return -1;
}

void api_call_list(struct request *request)
{
    static const char *const names[] = {"phone",
            "staff_id",
            "contact_id",
            "type",
            "file_status",
            "analysis_status",
            "reviewed",
            "since",
            "until",
            "q",
            "limit",
            "cursor",
            NULL};
    struct call_list *list = ARENA_NEW(request->arena, struct call_list);

    list->org_id = request->org_id;
    request_check_query(request, names);
    request_query_page(request, &list->page);
    (void)request_query_str(request, "phone", LIMIT_NAME_BYTES, &list->phone);
    (void)request_query_str(request, "staff_id", LIMIT_CLIENT_ID_BYTES, &list->staff_id);
    (void)request_query_str(request, "contact_id", LIMIT_CLIENT_ID_BYTES, &list->contact_id);
    list->type = query_type(request);
    list->file_status = query_file_status(request);
    list->analysis_status = query_analysis_status(request);
    list->reviewed = query_reviewed(request);
    (void)request_query_time(request, "since", &list->since_ms);
    (void)request_query_time(request, "until", &list->until_ms);
    (void)request_query_str(request, "q", CALL_NAME_MAX_BYTES, &list->q);
    request_submit(request, &list->op, REQUEST_SUBMIT(store_call_list), render_list);
}

/* ---- GET /v1/calls/{call_id} ---- */

static void write_delivery(struct buf *buf, const struct call_delivery_row *delivery)
{
    buf_add_char(buf, '{');
    member_id(buf, "id", DELIVERY_ID_PREFIX, delivery->delivery_id);
    member_id(buf, "endpoint_id", ENDPOINT_ID_PREFIX, delivery->endpoint_id);
    member_str(buf, "state", delivery_state_name(delivery->state));
    member_i64(buf, "attempt_count", delivery->attempt_count);
    member_time(buf, "next_attempt_at", delivery->due_at_ms);
    buf_add_char(buf, '}');
}

static void
write_event(struct buf *buf, const struct call_event_row *event, const struct call_get *get)
{
    buf_add_char(buf, '{');
    member_id(buf, "payload_id", EVENT_ID_PREFIX, event->event_id);
    member_str(buf, "event", event_kind_name(event->kind));
    member_time(buf, "timestamp", id_at_ms(event->event_id));
    member_name(buf, "deliveries");
    buf_add_char(buf, '[');
    for (size_t i = 0; i < get->delivery_count; i++) {
        if (get->deliveries[i].event_id != event->event_id)
            continue;
        member_next(buf);
        write_delivery(buf, &get->deliveries[i]);
    }
    buf_add_text(buf, "]}");
}

static void render_call(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct call_get *get = (const struct call_get *)op;

    (void)ret_status;
    call_json_begin(ret_body, &get->view);
    call_json_recording(ret_body, &get->view);
    call_json_analysis(ret_body, &get->view);
    member_name(ret_body, "events");
    buf_add_char(ret_body, '[');
    for (size_t i = 0; i < get->event_count; i++) {
        member_next(ret_body);
        write_event(ret_body, &get->events[i], get);
    }
    buf_add_text(ret_body, "]}");
}

void api_call_get(struct request *request)
{
    struct call_get *get = ARENA_NEW(request->arena, struct call_get);

    if (!request_param_call_id(request, 0, &get->id))
        return;
    get->org_id = request->org_id;
    request_submit(request, &get->op, REQUEST_SUBMIT(store_call_get), render_call);
}

/* ---- PATCH /v1/calls/{call_id} ---- */

static void render_patched(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct call_patch *patch = (const struct call_patch *)op;

    (void)ret_status;
    call_json_begin(ret_body, &patch->view);
    call_json_recording(ret_body, &patch->view);
    call_json_analysis(ret_body, &patch->view);
    buf_add_char(ret_body, '}');
}

void api_call_patch(struct request *request)
{
    static const char *const members[] = {"reviewed", "staff_id", NULL};
    struct call_patch *patch = ARENA_NEW(request->arena, struct call_patch);
    const struct field field = {&request->faults, request->json, ""};

    if (!request_param_call_id(request, 0, &patch->id))
        return;
    patch->org_id = request->org_id;
    (void)faults_check_members(&request->faults, request->json, "", members);
    if (faults_read_bool(&request->faults,
                request->json,
                "reviewed",
                "reviewed",
                MEMBER_OPTIONAL,
                &patch->reviewed) != MEMBER_ABSENT)
        patch->fields |= CALL_REVIEWED;
    if (field_id(&field, "staff_id", MEMBER_NULLABLE, &patch->staff_id) != MEMBER_ABSENT)
        patch->fields |= CALL_STAFF_ID;
    request_submit(request, &patch->op, REQUEST_SUBMIT(store_call_patch), render_patched);
}
