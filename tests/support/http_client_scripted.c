/* SPDX-License-Identifier: Apache-2.0 */
#include "support/http_client_scripted.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/heap.h"
#include "base/mem.h"

struct scripted_request {
    struct heap_item due; /* first */
    struct http_request *request;
    int64_t started_ms;
    struct http_script_answer answer;
    struct buf headers;
    struct buf body;
};

struct scripted_client {
    struct http_client base; /* first */
    const struct clock_virtual *clock;
    http_script *script;
    void *script_ctx;
    struct heap requests;
};

static int64_t now_ms(const struct scripted_client *client)
{
    return clock_wall_ms(&client->clock->clock);
}

static void scripted_request_free(struct scripted_request *scripted)
{
    buf_done(&scripted->headers);
    buf_done(&scripted->body);
    free(scripted);
}

static void reset(struct http_request *request, struct scripted_request *scripted)
{
    request->error = HTTP_OK;
    request->status = 0;
    buf_clear(&request->response_headers);
    buf_clear(&request->response_body);
    request->body_cut = false;
    request->detail[0] = '\0';
    request->address[0] = '\0';
    request->times = (struct http_times){0};
    request->impl = scripted;
}

static int64_t due_ms(const struct scripted_request *scripted)
{
    int64_t after_ms = scripted->answer.after_ms;
    int64_t timeout_ms = scripted->request->timeout_ms;

    return scripted->started_ms + (after_ms < 0 || after_ms > timeout_ms ? timeout_ms : after_ms);
}

static void scripted_start(struct http_client *base, struct http_request *request)
{
    struct scripted_client *client = (struct scripted_client *)base;
    struct scripted_request *scripted = (struct scripted_request *)mem_new(sizeof(*scripted));
    struct http_script_answer *answer = &scripted->answer;

    reset(request, scripted);
    scripted->request = request;
    scripted->started_ms = now_ms(client);
    client->script(client->script_ctx, request, answer);
    if (answer->after_ms < 0 || answer->after_ms > request->timeout_ms) {
        answer->error = HTTP_TIMEOUT;
        answer->detail = NULL;
    }
    buf_add_text(&scripted->headers, answer->headers != NULL ? answer->headers : "");
    buf_add_str(&scripted->body, answer->body);
    heap_set(&client->requests, &scripted->due, due_ms(scripted));
}

static void scripted_cancel(struct http_client *base, struct http_request *request)
{
    struct scripted_client *client = (struct scripted_client *)base;
    struct scripted_request *scripted = (struct scripted_request *)request->impl;

    if (scripted == NULL)
        return;
    scripted->answer.error = HTTP_CANCELLED;
    scripted->answer.detail = NULL;
    heap_set(&client->requests, &scripted->due, now_ms(client));
}

/* As a real client would: pieces to on_body or the first bytes kept, and reading ends somewhere. */
static void hand_over_body(struct http_request *request, struct str body)
{
    struct str read = request->read_bytes > 0 ? str_slice(body, 0, request->read_bytes) : body;

    request->body_cut = read.len < body.len;
    if (request->on_body != NULL && request->status >= 200 && request->status < 300) {
        if (read.len > 0 && !request->on_body(request, read))
            request->error = HTTP_OTHER;
        return;
    }
    if (read.len > request->keep_bytes)
        request->body_cut = true;
    buf_add_str(&request->response_body, str_slice(read, 0, request->keep_bytes));
}

static void finish(struct scripted_client *client, struct scripted_request *scripted)
{
    struct http_request *request = scripted->request;
    const struct http_script_answer *answer = &scripted->answer;

    heap_remove(&client->requests, &scripted->due);
    request->error = answer->error;
    request->times.total_us = (now_ms(client) - scripted->started_ms) * 1000;
    if (answer->error == HTTP_OK) {
        request->status = answer->status;
        request->times.first_byte_us = request->times.total_us;
        (void)snprintf(request->address, sizeof(request->address), "203.0.113.7:443");
        buf_add_str(&request->response_headers, buf_str(&scripted->headers));
        hand_over_body(request, buf_str(&scripted->body));
    } else {
        (void)snprintf(request->detail,
                sizeof(request->detail),
                "%s",
                answer->detail != NULL ? answer->detail : http_error_name(answer->error));
    }
    request->impl = NULL;
    scripted_request_free(scripted);
    request->done(request);
}

static void scripted_run(struct http_client *base, int64_t timeout_ms)
{
    struct scripted_client *client = (struct scripted_client *)base;
    size_t left = client->requests.count;
    struct heap_item *item;

    (void)timeout_ms; /* virtual time passes by the test's hand alone */
    /* No more than there are now: what done starts anew is for the next run. */
    for (; left > 0; left--) {
        item = heap_first(&client->requests);
        if (item == NULL || item->at_ms > now_ms(client))
            return;
        finish(client, (struct scripted_request *)item);
    }
}

static void scripted_wake(struct http_client *base)
{
    (void)base; /* a run never waits */
}

static size_t scripted_active(const struct http_client *base)
{
    return ((const struct scripted_client *)base)->requests.count;
}

static void scripted_free(struct http_client *base)
{
    struct scripted_client *client = (struct scripted_client *)base;
    struct heap_item *item;

    while ((item = heap_first(&client->requests)) != NULL) {
        struct scripted_request *scripted = (struct scripted_request *)item;

        scripted->answer.error = HTTP_CANCELLED;
        scripted->answer.detail = NULL;
        finish(client, scripted);
    }
    heap_done(&client->requests);
    free(client);
}

static const struct http_client_ops scripted_ops = {
        .start = scripted_start,
        .cancel = scripted_cancel,
        .run = scripted_run,
        .wake = scripted_wake,
        .active = scripted_active,
        .free = scripted_free,
};

struct http_client *
http_client_scripted_new(const struct clock_virtual *clock, http_script *script, void *ctx)
{
    struct scripted_client *client = (struct scripted_client *)mem_new(sizeof(*client));

    client->base.ops = &scripted_ops;
    client->clock = clock;
    client->script = script;
    client->script_ctx = ctx;
    return &client->base;
}

int64_t http_client_scripted_due_ms(const struct http_client *client)
{
    const struct heap_item *first = heap_first(&((const struct scripted_client *)client)->requests);

    return first != NULL ? first->at_ms : -1;
}
