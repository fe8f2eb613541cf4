/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request - waiting for operations, answers, idempotency, and reading the query and the path.
 *
 *   server thread  start(): suspend, submit            then(): answer
 *   store thread             op_done(): stored(), resume
 *
 * Once an op is submitted the request is the store's until op_done() resumes it: nothing may touch
 * it in between.
 */
#include "api/request.h"

#include <stdlib.h>
#include <string.h>

#include "api/problem.h"
#include "api/route.h"
#include "api/state.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/rfc3339.h"
#include "domain/limits.h"

#define CALL_ID_MAX ((INT64_C(1) << 53) - 1)

const struct api_config *request_config(const struct request *request)
{
    return &request->api->config;
}

static void resumed(struct http_exchange *x)
{
    struct request *request = x->owner;

    request->then(request, request->wait_err);
}

void request_wait(struct request *request, void (*answer)(struct request *request, enum err err))
{
    request->then = answer;
    http_exchange_suspend(request->x, resumed);
}

void request_resume(struct request *request, enum err err)
{
    request->wait_err = err;
    http_exchange_resume(request->x);
}

static bool is_replayed(const struct store_op *op)
{
    return op->idempotency != NULL && op->idempotency->replayed;
}

/* Store thread. */
static void op_done(struct store_op *op)
{
    struct request *request = op->owner;

    if (op->err == ERR_NONE && request->stored != NULL && !is_replayed(op))
        request->stored(request);
    request_resume(request, op->err);
}

/* The request is not touched after a good submit: it may have gone on and ended by then. */
static void start(struct request *request,
        struct store_op *op,
        request_submit_fn *submit,
        void (*then)(struct request *request, enum err err))
{
    op->arena = request->arena;
    op->owner = request;
    op->done = op_done;
    request->op = op;
    request_wait(request, then);

    enum err err = submit(request->parts->store, op);
    if (err != ERR_NONE) {
        op->why = (struct error){.code = err};
        request_resume(request, err);
    }
}

void request_look_up(struct request *request,
        struct store_op *op,
        request_submit_fn *submit,
        void (*then)(struct request *request, enum err err))
{
    start(request, op, submit, then);
}

/* The first answer to this Idempotency-Key, again. */
static void reply_again(struct request *request)
{
    const struct idempotency *idempotency = &request->idempotency;

    http_exchange_add_header(request->x, "Idempotency-Replayed", STR("true"));
    request_reply_json(request, (unsigned)idempotency->status, buf_str(&idempotency->body));
}

void request_answer(struct request *request, enum err err)
{
    struct buf *body = &request->x->reply_buf;
    int64_t status = 200;

    if (err != ERR_NONE) {
        problem_reply_error(request, err, &request->op->why);
        return;
    }
    buf_clear(body);
    request->render(request->op, &status, body);
    if (buf_err(body) != ERR_NONE) {
        problem_reply_error(request, ERR_CORRUPT, NULL);
        return;
    }
    request_reply_json(request, (unsigned)status, buf_str(body));
}

void request_answer_nothing(struct request *request, enum err err)
{
    if (err != ERR_NONE)
        problem_reply_error(request, err, &request->op->why);
    else
        request_reply_nothing(request);
}

static void op_ended(struct request *request, enum err err)
{
    if (err == ERR_NONE && is_replayed(request->op))
        reply_again(request);
    else if (request->answer != NULL)
        request->answer(request, err);
    else
        request_answer(request, err);
}

static void submit_op(struct request *request, struct store_op *op, request_submit_fn *submit)
{
    if (request_refuse_faults(request))
        return;
    if (request->has_idempotency && request->route->one_op && request->render != NULL) {
        request->idempotency.render = request->render;
        op->idempotency = &request->idempotency;
    }
    start(request, op, submit, op_ended);
}

void request_submit(struct request *request,
        struct store_op *op,
        request_submit_fn *submit,
        request_render *render)
{
    request->render = render;
    request->answer = NULL;
    submit_op(request, op, submit);
}

void request_submit_then(struct request *request,
        struct store_op *op,
        request_submit_fn *submit,
        void (*answer)(struct request *request, enum err err))
{
    request->answer = answer;
    submit_op(request, op, submit);
}

/* What outlives the request: the key's answer is stored, or the key forgotten, behind its back. The
 * store runs its operations in order, so whoever has the answer and asks again finds it stored. */
struct key_end {
    struct idempotency_mark mark;
    struct idempotency idempotency;
    struct arena arena;
};

static void key_end_free(struct key_end *end)
{
    buf_done(&end->idempotency.body);
    arena_done(&end->arena);
    free(end);
}

static void key_ended(struct store_op *op)
{
    key_end_free(op->owner);
}

/* Ends a marked key with this answer; status 0 forgets it. */
static void end_key(struct request *request, unsigned status, struct str body)
{
    if (!request->key_marked)
        return;
    request->key_marked = false;

    struct key_end *end = mem_new(sizeof(*end));

    end->idempotency = request->idempotency;
    end->idempotency.org_id = arena_str(&end->arena, request->idempotency.org_id);
    end->idempotency.status = status;
    end->idempotency.body = (struct buf){0};
    buf_add_str(&end->idempotency.body, body);
    end->mark.op.idempotency = &end->idempotency;
    end->mark.op.arena = &end->arena;
    end->mark.op.owner = end;
    end->mark.op.done = key_ended;
    if (store_idempotency_finish(request->parts->store, &end->mark) != ERR_NONE)
        key_end_free(end); /* the mark stays until the key expires, as after a crash */
}

void request_release_key(struct request *request)
{
    end_key(request, 0, STR_NONE);
}

struct key_opening {
    struct idempotency_mark mark;
    void (*handle)(struct request *request);
};

static void key_opened(struct request *request, enum err err)
{
    const struct key_opening *opening = (const struct key_opening *)request->op;

    if (err != ERR_NONE) {
        problem_reply_error(request, err, &request->op->why);
    } else if (request->idempotency.replayed) {
        reply_again(request);
    } else {
        request->key_marked = true;
        opening->handle(request);
    }
}

void request_open_key(struct request *request, void (*handle)(struct request *request))
{
    struct key_opening *opening = ARENA_NEW(request->arena, struct key_opening);

    opening->handle = handle;
    opening->mark.op.idempotency = &request->idempotency;
    start(request, &opening->mark.op, REQUEST_SUBMIT(store_idempotency_begin), key_opened);
}

bool request_refuse_faults(struct request *request)
{
    static const char *const none[] = {NULL};
    bool is_api = strncmp(request->route->pattern, "/v1/", 4) == 0;

    if (is_api && !request->query_checked)
        request_check_query(request, none);
    if (request->faults.count == 0)
        return false;
    problem_reply_faults(request);
    return true;
}

bool request_is_json(const struct request *request)
{
    struct str rest = http_exchange_header(request->x, "Content-Type");
    struct str type = str_trim(str_split(&rest, ';'));

    if (!str_equal_nocase(type, STR("application/json")))
        return false;
    while (rest.ptr != NULL) {
        struct str value = str_trim(str_split(&rest, ';'));
        struct str name = str_trim(str_split(&value, '='));
        struct str text = str_trim(value);

        if (str_equal_nocase(name, STR("charset")) && !str_equal_nocase(text, STR("utf-8")) &&
                !str_equal_nocase(text, STR("\"utf-8\"")))
            return false;
    }
    return true;
}

bool request_read_json(struct request *request, struct str text)
{
    struct error why;

    if (json_parse(text, &request->json, &why) != ERR_NONE) {
        problem_reply(request,
                400,
                text.len == 0
                        ? "the body must be a JSON object, and is empty"
                        : arena_strf(request->arena, "the body is not JSON: %s", why.text).ptr);
        return false;
    }
    if (json_type(request->json) != JSON_OBJECT_TYPE) {
        faults_add(&request->faults, "", "must be an object");
        problem_reply_faults(request);
        return false;
    }
    return true;
}

void request_refuse_large(struct request *request, size_t limit_bytes)
{
    problem_reply(request,
            413,
            arena_strf(request->arena, "the body may have at most %zu bytes", limit_bytes).ptr);
}

void request_reply_json(struct request *request, unsigned status, struct str json)
{
    end_key(request, status, json);
    http_exchange_add_header(request->x, "Cache-Control", STR("no-store"));
    http_exchange_reply(request->x, status, "application/json", json);
}

void request_reply_nothing(struct request *request)
{
    request_release_key(request);
    http_exchange_add_header(request->x, "Cache-Control", STR("no-store"));
    http_exchange_reply(request->x, 204, NULL, STR_NONE);
}

bool request_query_i64(struct request *request,
        const char *name,
        int64_t min,
        int64_t max,
        int64_t *ret_value)
{
    struct str text = http_exchange_query(request->x, name);
    int64_t value;

    if (text.ptr == NULL)
        return false;
    if (!str_to_i64(text, &value) || value < min || value > max) {
        faults_add(&request->faults,
                name,
                "must be a whole number from %lld to %lld",
                (long long)min,
                (long long)max);
        return false;
    }
    *ret_value = value;
    return true;
}

bool request_query_time(struct request *request, const char *name, int64_t *ret_at_ms)
{
    struct str text = http_exchange_query(request->x, name);

    if (text.ptr == NULL)
        return false;
    if (!rfc3339_parse(text, ret_at_ms)) {
        faults_add(&request->faults,
                name,
                "must be an RFC 3339 time such as \"2026-04-28T11:58:13Z\"");
        return false;
    }
    return true;
}

bool request_query_str(struct request *request,
        const char *name,
        size_t max_bytes,
        struct str *ret_value)
{
    struct str text = http_exchange_query(request->x, name);
    struct error why;

    if (text.ptr == NULL)
        return false;
    if (!str_is_utf8(text)) {
        faults_add(&request->faults, name, "must be UTF-8");
        return false;
    }
    if (limits_check_text(text, max_bytes, false, &why) != ERR_NONE) {
        faults_add(&request->faults, name, "%s", why.text);
        return false;
    }
    *ret_value = text;
    return true;
}

bool request_query_id(struct request *request,
        const char *name,
        const char *prefix,
        int64_t *ret_id)
{
    struct str text = http_exchange_query(request->x, name);
    int64_t id;

    if (text.ptr == NULL)
        return false;
    if (!id_parse(text, prefix, &id) || id == 0) { /* 0 stands for "any" */
        faults_add(&request->faults, name, "must be an id that begins with \"%s\"", prefix);
        return false;
    }
    *ret_id = id;
    return true;
}

void request_query_page(struct request *request, struct page *ret_page)
{
    enum { CURSOR_MAX_BYTES = 256 };

    *ret_page = (struct page){.limit = LIMIT_PAGE_DEFAULT};
    (void)request_query_i64(request, "limit", 1, LIMIT_PAGE_MAX, &ret_page->limit);
    (void)request_query_str(request, "cursor", CURSOR_MAX_BYTES, &ret_page->cursor);
}

struct query_check {
    struct request *request;
    const char *const *names;
    uint64_t seen; /* a bit for each of the first 64 names */
};

static bool check_query_name(void *ctx, struct str name, struct str value)
{
    struct query_check *check = ctx;
    struct faults *faults = &check->request->faults;
    const char *field = arena_str(check->request->arena, name).ptr;

    (void)value;
    for (unsigned i = 0; check->names[i] != NULL; i++) {
        if (!str_is(name, check->names[i]))
            continue;
        if (i < 64 && (check->seen >> i & 1) != 0)
            faults_add(faults, field, "is given twice");
        check->seen |= i < 64 ? UINT64_C(1) << i : 0;
        return true;
    }
    faults_add(faults, str_is_utf8(name) ? field : "", "unknown query parameter");
    return true;
}

void request_check_query(struct request *request, const char *const *names)
{
    struct query_check check = {.request = request, .names = names};

    request->query_checked = true;
    request->x->ops->each_query(request->x, check_query_name, &check);
}

bool request_param_id(struct request *request, int i, const char *prefix, int64_t *ret_id)
{
    if (id_parse(request->params[i], prefix, ret_id))
        return true;
    problem_reply(request, 404, "there is nothing of this id");
    return false;
}

bool request_param_call_id(struct request *request, int i, int64_t *ret_id)
{
    if (str_to_i64(request->params[i], ret_id) && *ret_id >= 1 && *ret_id <= CALL_ID_MAX)
        return true;
    problem_reply(request, 404, "there is no such call");
    return false;
}
