/* SPDX-License-Identifier: Apache-2.0 */
/* fake_client - see the header. */
#include "fake_client.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static struct fake_client *fake_of(struct http_client *client)
{
    return (struct fake_client *)client;
}

void fake_client_answer(struct fake_client *fake, size_t place, struct fake_answer answer)
{
    assert(place < fake->count);
    fake->answers[place] = answer;
    fake->is_answered[place] = true;
}

static void start(struct http_client *client, struct http_request *request)
{
    struct fake_client *fake = fake_of(client);

    assert(fake->count < FAKE_REQUESTS_MAX);
    fake->requests[fake->count] = request;
    fake->is_answered[fake->count] = false;
    fake->count++;
    fake->started_count++;
    if (fake->auto_status != 0)
        fake_client_answer(
                fake, fake->count - 1, (struct fake_answer){.status = fake->auto_status});
}

static void cancel(struct http_client *client, struct http_request *request)
{
    struct fake_client *fake = fake_of(client);

    for (size_t i = 0; i < fake->count; i++)
        if (fake->requests[i] == request)
            fake_client_answer(fake, i, (struct fake_answer){.error = HTTP_CANCELLED});
}

static void finish(struct http_request *request, const struct fake_answer *answer)
{
    request->error = answer->error;
    request->status = answer->status;
    if (answer->headers != NULL)
        buf_add_text(&request->response_headers, answer->headers);
    if (answer->body != NULL)
        buf_add_text(&request->response_body, answer->body);
    if (answer->detail != NULL)
        (void)strncpy(request->detail, answer->detail, sizeof(request->detail) - 1);
    request->times.total_us = 1500;
    request->done(request);
}

/* done() may start new requests, so each round looks again from the front. */
static bool finish_first(struct fake_client *fake)
{
    for (size_t i = 0; i < fake->count; i++) {
        struct http_request *request = fake->requests[i];
        struct fake_answer answer = fake->answers[i];

        if (!fake->is_answered[i])
            continue;
        fake->count--;
        for (size_t k = i; k < fake->count; k++) {
            fake->requests[k] = fake->requests[k + 1];
            fake->answers[k] = fake->answers[k + 1];
            fake->is_answered[k] = fake->is_answered[k + 1];
        }
        finish(request, &answer);
        return true;
    }
    return false;
}

static void run(struct http_client *client, int64_t timeout_ms)
{
    struct fake_client *fake = fake_of(client);
    bool did_something = false;

    while (finish_first(fake))
        did_something = true;
    if (did_something || timeout_ms == 0)
        return;
    (void)pthread_mutex_lock(&fake->lock);
    while (!fake->is_woken && timeout_ms < 0)
        (void)pthread_cond_wait(&fake->woken, &fake->lock);
    fake->is_woken = false;
    (void)pthread_mutex_unlock(&fake->lock);
}

static void wake(struct http_client *client)
{
    struct fake_client *fake = fake_of(client);

    (void)pthread_mutex_lock(&fake->lock);
    fake->is_woken = true;
    (void)pthread_cond_signal(&fake->woken);
    (void)pthread_mutex_unlock(&fake->lock);
}

static size_t active(const struct http_client *client)
{
    return ((const struct fake_client *)client)->count;
}

static void end(struct http_client *client)
{
    struct fake_client *fake = fake_of(client);

    for (size_t i = 0; i < fake->count; i++)
        fake_client_answer(fake, i, (struct fake_answer){.error = HTTP_CANCELLED});
    while (finish_first(fake))
        continue;
    (void)pthread_cond_destroy(&fake->woken);
    (void)pthread_mutex_destroy(&fake->lock);
    free(fake);
}

struct fake_client *fake_client_new(void)
{
    static const struct http_client_ops ops = {
            .start = start,
            .cancel = cancel,
            .run = run,
            .wake = wake,
            .active = active,
            .free = end,
    };
    struct fake_client *fake = mem_new(sizeof(*fake));

    fake->client.ops = &ops;
    (void)pthread_mutex_init(&fake->lock, NULL);
    (void)pthread_cond_init(&fake->woken, NULL);
    return fake;
}
