/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api - the way of a request to its handler and back.
 *
 *   begin     route -> 404, 405; who asks -> 401, 403 (perhaps after a look-up, suspended); how the
 *             body is taken -> 411, 413, 415
 *   complete  body -> 400, 422; Idempotency-Key -> 422; then the route's handler
 *   end       counts, and releases what the request holds
 */
#include "api/api.h"

#include <stdlib.h>
#include <string.h>

#include "api/admission.h"
#include "api/problem.h"
#include "api/request.h"
#include "api/route.h"
#include "api/state.h"
#include "base/mem.h"
#include "domain/limits.h"

/* A body that is to be nothing, or {}: some clients send that with every request. */
enum { NO_BODY_MAX_BYTES = 1024, ALLOW_SIZE = 128 };

/* Where the keys of an admin without an org live: no org has such an id. */
#define ADMIN_KEYS "*admin"

/* --- how the body is taken --- */

static bool is_chunked(const struct http_exchange *x)
{
    return http_exchange_header(x, "Transfer-Encoding").ptr != NULL;
}

static bool has_body(const struct http_exchange *x)
{
    return x->content_length > 0 || is_chunked(x);
}

static size_t body_limit(const struct route *route)
{
    if (route->max_body_bytes > 0)
        return route->max_body_bytes;
    if (route->body == BODY_NONE)
        return NO_BODY_MAX_BYTES;
    return route->body == BODY_STREAM ? LIMIT_RECORDING_BYTES : LIMIT_JSON_BODY_BYTES;
}

/* Who asks is known: now the body may come. */
static void take_body(struct request *request)
{
    struct http_exchange *x = request->x;
    const struct route *route = request->route;
    size_t limit = body_limit(route);
    bool is_json = route->body == BODY_JSON || route->body == BODY_JSON_OPTIONAL;

    if (route->body == BODY_STREAM && x->content_length < 0 && !is_chunked(x)) {
        problem_reply(request, 411, "a recording needs Content-Length or Transfer-Encoding");
    } else if (x->content_length > 0 && (uint64_t)x->content_length > limit) {
        request_refuse_large(request, limit);
    } else if (is_json && has_body(x) && !request_is_json(request)) {
        problem_reply(request, 415, "the body must be application/json, in UTF-8");
    } else {
        x->body_max_bytes = limit;
        if (route->begin != NULL)
            route->begin(request);
    }
}

/* --- begin --- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes percent-escapes; false for a broken one, a NUL, or what is no UTF-8. */
static bool decode(struct arena *arena, struct str *param)
{
    char *text = arena_alloc(arena, param->len + 1);
    size_t len = 0;

    for (size_t i = 0; i < param->len; i++) {
        char c = param->ptr[i];

        if (c == '%') {
            int high = i + 2 < param->len ? hex_digit(param->ptr[i + 1]) : -1;
            int low = high >= 0 ? hex_digit(param->ptr[i + 2]) : -1;

            if (low < 0)
                return false;
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (c == '\0')
            return false;
        text[len++] = c;
    }
    *param = (struct str){text, len};
    return str_is_utf8(*param);
}

/* Sets route and params; false, and answered, when there is no such thing. */
static bool find_route(struct request *request)
{
    struct http_exchange *x = request->x;
    char allow[ALLOW_SIZE];
    bool path_known = false;

    request->route =
            route_find(x->method, x->path, request->params, &path_known, allow, sizeof(allow));
    if (request->route == NULL && path_known) {
        struct str methods = arena_str(request->arena, str_from(allow));

        http_exchange_add_header(x, "Allow", methods);
        problem_reply(
                request, 405, arena_strf(request->arena, "this path takes %s", methods.ptr).ptr);
        return false;
    }
    for (int i = 0; request->route != NULL && i < REQUEST_PARAMS_MAX; i++)
        if (request->params[i].ptr != NULL && !decode(request->arena, &request->params[i]))
            request->route = NULL;
    if (request->route == NULL)
        problem_reply(request, 404, "there is nothing at this path");
    return request->route != NULL;
}

/* The server's own refusals look like ours. */
static void on_refuse(struct http_exchange *x, unsigned status, const char *detail)
{
    problem_send(x, status, detail, NULL);
}

/* They hold for everything that is sent; so they go first. */
static void add_security_headers(struct http_exchange *x)
{
    http_exchange_add_header(x, "X-Content-Type-Options", STR("nosniff"));
    http_exchange_add_header(x, "Referrer-Policy", STR("no-referrer"));
}

static void refuse(void *ctx, struct http_exchange *x, unsigned status, const char *detail)
{
    (void)ctx;
    add_security_headers(x);
    problem_send(x, status, detail, NULL);
}

static void begin(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    struct request *request = ARENA_NEW(&x->arena, struct request);

    x->owner = request;
    x->on_refuse = on_refuse;
    request->api = api;
    request->parts = &api->parts;
    request->x = x;
    request->arena = &x->arena;
    faults_init(&request->faults, request->arena);
    add_security_headers(x);
    if (atomic_load_explicit(&api->draining, memory_order_relaxed)) {
        http_exchange_add_header(x, "Connection", STR("close"));
        problem_reply(request, 503, "the server is stopping");
    } else if (find_route(request)) {
        admission_ask(request, take_body);
    }
}

/* --- complete --- */

/* Parses the body where the route takes JSON; false when it was refused. */
static bool read_body(struct request *request)
{
    struct str body = buf_str(&request->x->body);
    enum route_body kind = request->route->body;

    if (kind == BODY_NONE && body.len > 0 && !str_is(str_trim(body), "{}")) {
        faults_add(&request->faults, "", "this request takes no body");
        problem_reply_faults(request);
        return false;
    }
    if (kind != BODY_JSON && kind != BODY_JSON_OPTIONAL)
        return true;
    if (kind == BODY_JSON_OPTIONAL && body.len == 0)
        body = STR("{}");
    return request_read_json(request, body);
}

static bool is_printable(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < 0x20 || text.ptr[i] > 0x7E)
            return false;
    return true;
}

/* SHA-256 over method, path and key. */
static void hash_key(struct request *request, struct str key, uint8_t ret_hash[SHA256_BYTES])
{
    struct str text = arena_strf(request->arena,
            "%.*s\n%.*s\n%.*s",
            STR_ARG(request->x->method),
            STR_ARG(request->x->path),
            STR_ARG(key));

    codec_sha256(text, ret_hash);
}

/* Reads Idempotency-Key. Visitors have no place of their own to keep keys in, and would see each
 * other's answers: theirs are checked and not used. False when it was refused. */
static bool read_key(struct request *request)
{
    struct str key = http_exchange_header(request->x, "Idempotency-Key");
    struct idempotency *idempotency = &request->idempotency;
    const uint8_t *seal = request_config(request)->idempotency_key;

    if (key.ptr == NULL || strcmp(request->route->method, "POST") != 0)
        return true;
    if (key.len < 1 || key.len > LIMIT_IDEMPOTENCY_KEY_BYTES || !is_printable(key)) {
        faults_add(&request->faults,
                "Idempotency-Key",
                "must be 1 to %d printable ASCII characters",
                LIMIT_IDEMPOTENCY_KEY_BYTES);
        problem_reply_faults(request);
        return false;
    }
    if (request->scopes == 0)
        return true;
    request->has_idempotency = true;
    idempotency->org_id = request->org_id.ptr != NULL ? request->org_id : STR(ADMIN_KEYS);
    hash_key(request, key, idempotency->key_hash);
    codec_hmac_sha256(
            (struct str){(const char *)seal, SECRET_KEY_BYTES}, key, idempotency->seal_key);
    codec_sha256(buf_str(&request->x->body), idempotency->body_hash);
    return true;
}

static void complete(void *ctx, struct http_exchange *x)
{
    struct request *request = x->owner;

    (void)ctx;
    if (!read_body(request) || !read_key(request))
        return;
    if (request->has_idempotency && !request->route->one_op)
        request_open_key(request, request->route->handle);
    else
        request->route->handle(request);
}

static void end(void *ctx, struct http_exchange *x)
{
    struct api *api = ctx;
    struct request *request = x->owner;

    metrics_add(api->config.metrics, METRIC_HTTP_REQUESTS, 1);
    if (x->reply.status >= 500)
        metrics_add(api->config.metrics, METRIC_HTTP_ERRORS, 1);
    if (request->end != NULL)
        request->end(request);
    request_release_key(request);
    buf_done(&request->idempotency.body);
    json_free(request->json);
}

/* --- the object --- */

enum err api_new(const struct api_config *config, struct api **ret_api, struct error *why)
{
    struct api *api = mem_new(sizeof(*api));

    (void)why;
    api->config = *config;
    api->handler = (struct http_handler){
            .begin = begin,
            .complete = complete,
            .end = end,
            .ctx = api,
            .refuse = refuse,
    };
    api->auth = auth_new(config->admin_token);
    services_init(&api->services, &api->config);
    api->streams = stream_hub_new(config->metrics);
    *ret_api = api;
    return ERR_NONE;
}

const struct note_listener *api_listener(struct api *api)
{
    return stream_hub_listener(api->streams);
}

void api_use(struct api *api, const struct api_parts *parts)
{
    api->parts = *parts;
}

const struct http_handler *api_handler(struct api *api)
{
    return &api->handler;
}

void api_tick(struct api *api)
{
    const struct clock *clock = api->config.clock;

    stream_hub_tick(api->streams, clock_wall_ms(clock));
    services_tick(&api->services, clock_mono_us(clock));
}

void api_drain(struct api *api)
{
    atomic_store_explicit(&api->draining, true, memory_order_relaxed);
    stream_hub_close(api->streams);
    services_drain(&api->services);
}

void api_free(struct api *api)
{
    if (api == NULL)
        return;
    stream_hub_free(api->streams);
    services_done(&api->services);
    auth_free(api->auth);
    free(api);
}
