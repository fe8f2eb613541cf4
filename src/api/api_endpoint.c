/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_endpoint - making, changing and deleting endpoints, their secrets, tests, numbers, and the
 * recovery of what they missed.
 *
 * Operations give endpoints as references; each handler's end releases what its operation gave.
 */
#include "api/api_endpoint.h"

#include "api/endpoint_json.h"
#include "api/member.h"
#include "api/probe_answer.h"
#include "api/problem.h"
#include "api/request.h"
#include "api/target.h"
#include "api/word.h"
#include "domain/limits.h"
#include "domain/sample.h"
#include "domain/secret.h"
#include "store/store_endpoint.h"

static void write_endpoint(struct buf *buf,
        const struct store_op *op,
        const struct endpoint *endpoint,
        unsigned shown)
{
    const struct request *request = op->owner;

    if ((request->scopes & (SCOPE_MANAGE | SCOPE_ADMIN)) != 0)
        shown |= ENDPOINT_SHOW_HEADERS;
    endpoint_json_write(buf, endpoint, shown, clock_wall_ms(request_config(request)->clock));
}

/* --- list and get --- */

static void render_list(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct endpoint_list *list = (const struct endpoint_list *)op;

    *ret_status = 200;
    member_list_begin(ret_body);
    for (size_t i = 0; i < list->count; i++) {
        member_next(ret_body);
        write_endpoint(ret_body, op, list->endpoints[i], 0);
    }
    member_list_end(ret_body, list->page.next_cursor);
}

static void end_list(struct request *request)
{
    const struct endpoint_list *list = request->data;

    for (size_t i = 0; i < list->count; i++)
        endpoint_unref(list->endpoints[i]);
}

void api_endpoint_list(struct request *request)
{
    static const char *const names[] = {"limit", "cursor", NULL};
    struct endpoint_list *list = ARENA_NEW(request->arena, struct endpoint_list);

    request->data = list;
    request->end = end_list;
    list->org_id = request->org_id;
    request_check_query(request, names);
    request_query_page(request, &list->page);
    request_submit(request, &list->op, REQUEST_SUBMIT(store_endpoint_list), render_list);
}

static void render_get(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct endpoint_get *get = (const struct endpoint_get *)op;

    *ret_status = 200;
    write_endpoint(ret_body, op, get->endpoint, 0);
}

static void render_secret(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct endpoint_get *get = (const struct endpoint_get *)op;

    *ret_status = 200;
    buf_add_char(ret_body, '{');
    member_str(ret_body, "secret", get->endpoint->secret);
    buf_add_char(ret_body, '}');
}

static void end_get(struct request *request)
{
    const struct endpoint_get *get = request->data;

    endpoint_unref(get->endpoint);
}

static void submit_get(struct request *request, request_render *render)
{
    struct endpoint_get *get = ARENA_NEW(request->arena, struct endpoint_get);

    request->data = get;
    request->end = end_get;
    get->org_id = request->org_id;
    if (request_param_id(request, 0, ENDPOINT_ID_PREFIX, &get->id))
        request_submit(request, &get->op, REQUEST_SUBMIT(store_endpoint_get), render);
}

void api_endpoint_get(struct request *request)
{
    submit_get(request, render_get);
}

void api_endpoint_secret_get(struct request *request)
{
    submit_get(request, render_secret);
}

/* --- create and patch --- */

struct writing {
    struct target target; /* first: target_check() finds it through request->data */
    struct endpoint_draft draft;
    struct endpoint_write write;
};

static void render_written(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct endpoint_write *write = (const struct endpoint_write *)op;

    *ret_status = write->create ? 201 : 200;
    write_endpoint(ret_body, op, write->result, write->create ? ENDPOINT_SHOW_SECRET : 0);
}

static void end_writing(struct request *request)
{
    const struct writing *writing = request->data;

    endpoint_unref(writing->draft.endpoint);
    endpoint_unref(writing->write.result);
}

static void submit_write(struct request *request)
{
    struct writing *writing = request->data;

    request_submit(
            request, &writing->write.op, REQUEST_SUBMIT(store_endpoint_write), render_written);
}

static void read_and_write(struct request *request, struct writing *writing)
{
    struct endpoint_write *write = &writing->write;
    struct endpoint_draft *draft = &writing->draft;

    endpoint_json_read(&request->faults,
            request->arena,
            request->json,
            write->create,
            clock_wall_ms(request_config(request)->clock),
            draft);
    draft->endpoint->org_id = request->org_id;
    write->org_id = request->org_id;
    write->endpoint = draft->endpoint;
    write->fields = draft->fields;
    request->data = writing;
    request->end = end_writing;
    if (draft->url.ptr != NULL)
        target_check(request, &writing->target, "url", draft->url, submit_write);
    else
        submit_write(request);
}

void api_endpoint_create(struct request *request)
{
    struct writing *writing = ARENA_NEW(request->arena, struct writing);

    writing->write.create = true;
    read_and_write(request, writing);
}

void api_endpoint_patch(struct request *request)
{
    struct writing *writing = ARENA_NEW(request->arena, struct writing);

    if (request_param_id(request, 0, ENDPOINT_ID_PREFIX, &writing->write.id))
        read_and_write(request, writing);
}

/* --- delete --- */

void api_endpoint_delete(struct request *request)
{
    struct endpoint_delete *deletion = ARENA_NEW(request->arena, struct endpoint_delete);

    deletion->org_id = request->org_id;
    if (request_param_id(request, 0, ENDPOINT_ID_PREFIX, &deletion->id))
        request_submit_then(request,
                &deletion->op,
                REQUEST_SUBMIT(store_endpoint_delete),
                request_answer_nothing);
}

/* --- rotate --- */

static void render_rotated(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct endpoint_rotate *rotate = (const struct endpoint_rotate *)op;

    *ret_status = 200;
    write_endpoint(ret_body, op, rotate->endpoint, ENDPOINT_SHOW_SECRET);
}

static void end_rotate(struct request *request)
{
    const struct endpoint_rotate *rotate = request->data;

    endpoint_unref(rotate->endpoint);
}

void api_endpoint_rotate(struct request *request)
{
    static const char *const names[] = {"secret", "overlap_s", NULL};
    struct endpoint_rotate *rotate = ARENA_NEW(request->arena, struct endpoint_rotate);
    struct faults *faults = &request->faults;
    const struct json *json = request->json;
    struct error why;

    request->data = rotate;
    request->end = end_rotate;
    rotate->org_id = request->org_id;
    rotate->overlap_s = ENDPOINT_OVERLAP_DEFAULT_S;
    if (!request_param_id(request, 0, ENDPOINT_ID_PREFIX, &rotate->id))
        return;
    (void)faults_check_members(faults, json, "", names);
    (void)faults_read_i64(faults,
            json,
            "overlap_s",
            "overlap_s",
            MEMBER_OPTIONAL,
            0,
            ENDPOINT_OVERLAP_MAX_S,
            &rotate->overlap_s);
    if (faults_read_str(faults,
                json,
                "secret",
                "secret",
                MEMBER_OPTIONAL,
                SECRET_MAX_BYTES,
                &rotate->secret) != MEMBER_SET)
        rotate->secret = secret_new(request->arena);
    else if (secret_check(rotate->secret, &why) != ERR_NONE)
        faults_add(faults, "secret", "%s", why.text);
    request_submit(request, &rotate->op, REQUEST_SUBMIT(store_endpoint_rotate), render_rotated);
}

/* --- test --- */

struct testing {
    struct endpoint_get get;
    enum event_kind kind;
    enum call_type type;
    bool has_kind;
    bool has_type;
};

static unsigned first_bit(unsigned mask)
{
    return mask != 0 ? (unsigned)__builtin_ctz(mask) : 0;
}

/* What the client did not choose is the first that the endpoint takes. */
static void send_sample(struct request *request, enum err err)
{
    struct testing *testing = request->data;
    struct endpoint *endpoint = testing->get.endpoint;
    int64_t now_ms = clock_wall_ms(request_config(request)->clock);
    CLEANUP(buf_done) struct buf body = {0};

    if (err != ERR_NONE) {
        problem_reply_error(request, err, &request->op->why);
        return;
    }
    if (!testing->has_kind)
        testing->kind = (enum event_kind)first_bit(endpoint->event_mask);
    if (!testing->has_type)
        testing->type = (enum call_type)first_bit(endpoint->type_mask);

    struct str payload_id = sample_payload_id(request->arena, now_ms);
    sample_write(&body,
            request->arena,
            testing->kind,
            testing->type,
            request->org_id,
            payload_id,
            now_ms,
            NULL,
            &request->faults);
    request->end = NULL; /* the reference goes on */
    probe_answer(request,
            &(struct sample_send){
                    .take_endpoint = endpoint,
                    .kind = testing->kind,
                    .payload_id = payload_id,
                    .body = arena_str(request->arena, buf_str(&body)),
            });
}

static void end_testing(struct request *request)
{
    const struct testing *testing = request->data;

    endpoint_unref(testing->get.endpoint);
}

void api_endpoint_test(struct request *request)
{
    static const char *const names[] = {"event", "type", NULL};
    struct testing *testing = ARENA_NEW(request->arena, struct testing);
    struct faults *faults = &request->faults;

    request->data = testing;
    request->end = end_testing;
    testing->get.org_id = request->org_id;
    if (!request_param_id(request, 0, ENDPOINT_ID_PREFIX, &testing->get.id))
        return;
    (void)faults_check_members(faults, request->json, "", names);
    testing->has_kind =
            word_read_event(faults, request->json, "event", MEMBER_OPTIONAL, &testing->kind);
    testing->has_type =
            word_read_type(faults, request->json, "type", MEMBER_OPTIONAL, &testing->type);
    request_submit_then(request, &testing->get.op, REQUEST_SUBMIT(store_endpoint_get), send_sample);
}

/* --- stats --- */

#define HOUR_MS (INT64_C(3600) * 1000)

static const struct stats_window {
    const char *name;
    int64_t window_ms;
    int64_t bucket_count;
} WINDOWS[] = {
        {"1h", HOUR_MS, 12},
        {"24h", INT64_C(24) * HOUR_MS, 24},
        {"7d", INT64_C(7) * 24 * HOUR_MS, 28},
};
enum { WINDOW_COUNT = sizeof(WINDOWS) / sizeof(WINDOWS[0]), WINDOW_DEFAULT = 1 };

struct stats_reading {
    struct endpoint_stats stats; /* first: it is the op */
    const struct stats_window *window;
};

static void
write_percentile(struct buf *buf, const char *name, const struct latency *latency, double share)
{
    int64_t us = latency_percentile_us(latency, share);

    if (us > 0)
        member_ms(buf, name, us);
    else
        member_raw(buf, name, STR_NONE);
}

/* The counts and percentiles of a bucket, or of all together. */
static void write_counts(struct buf *buf, const struct endpoint_bucket *bucket)
{
    int64_t attempts = bucket->delivered + bucket->failed;

    member_i64(buf, "attempts", attempts);
    member_i64(buf, "delivered", bucket->delivered);
    member_i64(buf, "failed", bucket->failed);
    member_name(buf, "success_rate");
    if (attempts > 0)
        json_add_number(buf, (double)bucket->delivered / (double)attempts);
    else
        buf_add_text(buf, "null");
    write_percentile(buf, "p50_ms", &bucket->latency, 0.50);
    write_percentile(buf, "p95_ms", &bucket->latency, 0.95);
    write_percentile(buf, "p99_ms", &bucket->latency, 0.99);
}

static void render_stats(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct stats_reading *reading = (const struct stats_reading *)op;
    const struct endpoint_stats *stats = &reading->stats;
    struct endpoint_bucket total = {0};

    for (int64_t i = 0; i < stats->bucket_count; i++) {
        total.delivered += stats->buckets[i].delivered;
        total.failed += stats->buckets[i].failed;
        latency_merge(&total.latency, &stats->buckets[i].latency);
    }
    *ret_status = 200;
    buf_add_char(ret_body, '{');
    member_str(ret_body, "window", str_from(reading->window->name));
    member_i64(ret_body, "bucket_s", stats->window_ms / stats->bucket_count / 1000);
    write_counts(ret_body, &total);
    member_time(ret_body, "last_success_at", stats->last_success_at_ms);
    member_time(ret_body, "last_failure_at", stats->last_failure_at_ms);
    member_i64(ret_body, "waiting", stats->waiting);
    member_name(ret_body, "buckets");
    buf_add_char(ret_body, '[');
    for (int64_t i = 0; i < stats->bucket_count; i++) {
        member_next(ret_body);
        buf_add_char(ret_body, '{');
        member_time(ret_body, "at", stats->buckets[i].at_ms);
        write_counts(ret_body, &stats->buckets[i]);
        buf_add_char(ret_body, '}');
    }
    buf_add_text(ret_body, "]}");
}

static const struct stats_window *query_window(struct request *request)
{
    struct str name;

    if (!request_query_str(request, "window", LIMIT_NAME_BYTES, &name))
        return &WINDOWS[WINDOW_DEFAULT];
    for (size_t i = 0; i < WINDOW_COUNT; i++)
        if (str_is(name, WINDOWS[i].name))
            return &WINDOWS[i];
    faults_add(&request->faults, "window", "must be one of 1h, 24h, 7d");
    return &WINDOWS[WINDOW_DEFAULT];
}

void api_endpoint_stats(struct request *request)
{
    static const char *const names[] = {"window", NULL};
    struct stats_reading *reading = ARENA_NEW(request->arena, struct stats_reading);
    struct endpoint_stats *stats = &reading->stats;

    if (!request_param_id(request, 0, ENDPOINT_ID_PREFIX, &stats->id))
        return;
    request_check_query(request, names);
    reading->window = query_window(request);
    stats->org_id = request->org_id;
    stats->window_ms = reading->window->window_ms;
    stats->bucket_count = reading->window->bucket_count;
    request_submit(request, &stats->op, REQUEST_SUBMIT(store_endpoint_stats), render_stats);
}

/* --- recover --- */

static void render_recovered(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct endpoint_recover *recover = (const struct endpoint_recover *)op;

    *ret_status = 202;
    buf_add_char(ret_body, '{');
    member_i64(ret_body, "deliveries", recover->delivery_count);
    buf_add_char(ret_body, '}');
}

static void read_what(struct request *request, enum recover_what *ret_what)
{
    struct faults *faults = &request->faults;
    struct str word;

    if (faults_read_str(
                faults, request->json, "what", "what", MEMBER_REQUIRED, LIMIT_NAME_BYTES, &word) !=
            MEMBER_SET)
        return;
    if (str_is(word, "failed"))
        *ret_what = RECOVER_FAILED;
    else if (str_is(word, "missed"))
        *ret_what = RECOVER_MISSED;
    else if (str_is(word, "all"))
        *ret_what = RECOVER_ALL;
    else
        faults_add(faults, "what", "must be one of failed, missed, all");
}

void api_endpoint_recover(struct request *request)
{
    static const char *const names[] = {"since", "until", "what", NULL};
    struct endpoint_recover *recover = ARENA_NEW(request->arena, struct endpoint_recover);
    struct faults *faults = &request->faults;
    const struct json *json = request->json;

    recover->org_id = request->org_id;
    if (!request_param_id(request, 0, ENDPOINT_ID_PREFIX, &recover->id))
        return;
    (void)faults_check_members(faults, json, "", names);
    enum member_state since =
            faults_read_time(faults, json, "since", "since", MEMBER_REQUIRED, &recover->since_ms);
    enum member_state until =
            faults_read_time(faults, json, "until", "until", MEMBER_NULLABLE, &recover->until_ms);
    if (since == MEMBER_SET && until == MEMBER_SET && recover->until_ms <= recover->since_ms)
        faults_add(faults, "until", "must be later than since");
    read_what(request, &recover->what);
    request_submit(request, &recover->op, REQUEST_SUBMIT(store_endpoint_recover), render_recovered);
}
