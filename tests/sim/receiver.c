/* SPDX-License-Identifier: Apache-2.0 */
/* receiver - moods, and the http_client that answers as they say. */
#include "receiver.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "base/mem.h"

struct receiver_client {
    struct http_client client; /* first */
    struct receivers *receivers;
    struct heap ends;
    struct flight *flights;
};

static struct receiver_client *of_client(struct http_client *client)
{
    return (struct receiver_client *)client;
}

size_t receivers_number(const char *url)
{
    unsigned long number = strtoul(url + strlen("https://r"), NULL, 10);

    assert(number < RECEIVERS_MAX);
    return number;
}

struct str receivers_header(const struct http_request *request, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < request->header_count; i++) {
        const char *line = request->header_lines[i];

        if (strncmp(line, name, len) == 0 && strncmp(line + len, ": ", 2) == 0)
            return str_from(line + len + 2);
    }
    return STR_NONE;
}

static int64_t pick(struct receivers *receivers, int64_t from, int64_t to)
{
    return from + rand_u32(&receivers->rand) % (to - from + 1);
}

static void plan_busy(struct receivers *receivers, struct flight *flight)
{
    static const int64_t waits_s[] = {0, 1, 2, 30, 600, 3600};

    flight->status = pick(receivers, 0, 1) == 0 ? 429 : 503;
    flight->retry_after_s = waits_s[pick(receivers, 0, 5)];
}

static void plan_reset(struct receivers *receivers, struct flight *flight)
{
    static const enum http_error errors[] = {HTTP_CONNECT, HTTP_RESET, HTTP_DNS, HTTP_TLS};

    flight->error = errors[pick(receivers, 0, 3)];
}

static void plan_error(struct receivers *receivers, struct flight *flight)
{
    static const int64_t statuses[] = {500, 502, 404, 302, 199};

    flight->status = statuses[pick(receivers, 0, 4)];
}

static void plan_silence(struct flight *flight)
{
    flight->error = HTTP_TIMEOUT;
    flight->end.at_ms = flight->started_at_ms + flight->request->timeout_ms;
}

static void plan(struct receivers *receivers, struct flight *flight)
{
    enum mood mood = receivers->moods[flight->receiver];

    if (mood == MOOD_FLAKY)
        mood = (enum mood)pick(receivers, MOOD_HEALTHY, MOOD_RESETS);
    flight->status = 200;
    flight->end.at_ms = flight->started_at_ms + pick(receivers, 1, 200);
    switch (mood) {
    case MOOD_SLOW:
        flight->end.at_ms =
                flight->started_at_ms + pick(receivers, 1000, flight->request->timeout_ms - 1);
        break;
    case MOOD_ERRORS: plan_error(receivers, flight); break;
    case MOOD_SILENT: plan_silence(flight); break;
    case MOOD_BUSY: plan_busy(receivers, flight); break;
    case MOOD_RESETS: plan_reset(receivers, flight); break;
    case MOOD_GONE: flight->status = 410; break;
    case MOOD_HELD:
        flight->status = 503;
        flight->retry_after_s = 3600;
        break;
    case MOOD_HEALTHY:
    case MOOD_FLAKY: break;
    }
    if (flight->error != HTTP_OK)
        flight->status = 0;
}

static void start(struct http_client *client, struct http_request *request)
{
    struct receiver_client *self = of_client(client);
    struct flight *flight = mem_new(sizeof(*flight));

    flight->request = request;
    flight->receiver = receivers_number(request->url);
    flight->started_at_ms = clock_wall_ms(self->receivers->clock);
    plan(self->receivers, flight);
    request->impl = flight;
    DL_APPEND(self->flights, flight);
    heap_set(&self->ends, &flight->end, flight->end.at_ms);
    self->receivers->started(self->receivers->ctx, flight);
}

static void cancel(struct http_client *client, struct http_request *request)
{
    struct receiver_client *self = of_client(client);
    struct flight *flight = request->impl;

    flight->error = HTTP_CANCELLED;
    heap_set(&self->ends, &flight->end, INT64_MIN);
}

static void end(struct receiver_client *self, struct flight *flight)
{
    struct http_request *request = flight->request;

    heap_remove(&self->ends, &flight->end);
    DL_DELETE(self->flights, flight);
    if (flight->error != HTTP_CANCELLED)
        self->receivers->ended(self->receivers->ctx, flight);
    request->impl = NULL;
    request->error = flight->error;
    request->status = flight->status;
    if (flight->retry_after_s > 0)
        buf_addf(&request->response_headers,
                "Retry-After: %lld\n",
                (long long)flight->retry_after_s);
    request->times.total_us =
            (clock_wall_ms(self->receivers->clock) - flight->started_at_ms) * 1000;
    free(flight);
    request->done(request);
}

static void run(struct http_client *client, int64_t timeout_ms)
{
    struct receiver_client *self = of_client(client);
    int64_t now_ms = clock_wall_ms(self->receivers->clock);
    struct heap_item *item;

    assert(timeout_ms == 0); /* nothing waits on virtual time */
    while ((item = heap_first(&self->ends)) != NULL && item->at_ms <= now_ms)
        end(self, (struct flight *)item);
}

static void wake(struct http_client *client)
{
    (void)client;
}

static size_t active(const struct http_client *client)
{
    return ((const struct receiver_client *)client)->ends.count;
}

static void close_client(struct http_client *client)
{
    struct receiver_client *self = of_client(client);

    while (self->flights != NULL) {
        self->flights->error = HTTP_CANCELLED;
        end(self, self->flights);
    }
    heap_done(&self->ends);
    self->receivers->client = NULL;
    free(self);
}

enum err receivers_open_client(void *ctx, struct http_client **ret_client, struct error *why)
{
    static const struct http_client_ops ops = {
            .start = start,
            .cancel = cancel,
            .run = run,
            .wake = wake,
            .active = active,
            .free = close_client,
    };
    struct receiver_client *self = mem_new(sizeof(*self));

    (void)why;
    self->client.ops = &ops;
    self->receivers = ctx;
    self->receivers->client = &self->client;
    *ret_client = &self->client;
    return ERR_NONE;
}

int64_t receivers_next_due_ms(const struct receivers *receivers)
{
    if (receivers->client == NULL)
        return INT64_MAX;
    struct heap_item *item = heap_first(&of_client(receivers->client)->ends);
    return item != NULL ? item->at_ms : INT64_MAX;
}
