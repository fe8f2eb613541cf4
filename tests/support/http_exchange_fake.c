/* SPDX-License-Identifier: Apache-2.0 */
#include "support/http_exchange_fake.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/http_query.h"

enum { HEADERS_MAX = 32, STREAM_BLOCK_BYTES = 4096, FREE_WAIT_MS = 5000 };

struct header {
    struct str name;
    struct str value;
};

struct http_exchange_fake {
    struct http_exchange x; /* first */
    const struct http_handler *handler;
    struct header headers[HEADERS_MAX];
    size_t header_count;
    struct http_query query;
    struct buf body;
    size_t piece_bytes;
    bool in_begin; /* begin may have suspended */
    bool begun;
    bool is_suspended; /* the test's thread's */
    struct buf file;   /* what the reply's file held */
    struct buf stream;

    pthread_mutex_t lock;
    pthread_cond_t resumed;
    unsigned resume_count; /* not yet answered; guarded by the lock */
};

static struct str op_header(const struct http_exchange *x, const char *name)
{
    const struct http_exchange_fake *fake = (const struct http_exchange_fake *)x;

    for (size_t i = 0; i < fake->header_count; i++)
        if (str_equal_nocase(fake->headers[i].name, str_from(name)))
            return fake->headers[i].value;
    return STR_NONE;
}

static struct str op_query(const struct http_exchange *x, const char *name)
{
    return http_query_find(&((const struct http_exchange_fake *)x)->query, name);
}

static void op_each_query(const struct http_exchange *x,
        bool (*visit)(void *ctx, struct str name, struct str value),
        void *ctx)
{
    const struct http_query *query = &((const struct http_exchange_fake *)x)->query;

    for (size_t i = 0; i < query->count; i++)
        if (!visit(ctx, query->parameters[i].name, query->parameters[i].value))
            return;
}

static void op_each_header(const struct http_exchange *x,
        bool (*visit)(void *ctx, struct str name, struct str value),
        void *ctx)
{
    const struct http_exchange_fake *fake = (const struct http_exchange_fake *)x;

    for (size_t i = 0; i < fake->header_count; i++)
        if (!visit(ctx, fake->headers[i].name, fake->headers[i].value))
            return;
}

static void op_suspend(struct http_exchange *x)
{
    struct http_exchange_fake *fake = (struct http_exchange_fake *)x;

    assert(!fake->is_suspended);
    fake->is_suspended = true;
}

static void op_resume(struct http_exchange *x)
{
    struct http_exchange_fake *fake = (struct http_exchange_fake *)x;

    (void)pthread_mutex_lock(&fake->lock);
    fake->resume_count++;
    /* Under the lock: once it is given back the test may free the exchange. */
    (void)pthread_cond_signal(&fake->resumed);
    (void)pthread_mutex_unlock(&fake->lock);
}

static const struct http_exchange_ops fake_ops = {
        .header = op_header,
        .query = op_query,
        .each_query = op_each_query,
        .each_header = op_each_header,
        .suspend = op_suspend,
        .resume = op_resume,
};

struct http_exchange_fake *http_exchange_fake_new(const char *method, const char *target)
{
    struct http_exchange_fake *fake = (struct http_exchange_fake *)mem_new(sizeof(*fake));
    struct arena *arena = &fake->x.arena;
    pthread_condattr_t attr;
    struct str rest;

    (void)pthread_mutex_init(&fake->lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&fake->resumed, &attr);
    (void)pthread_condattr_destroy(&attr);
    fake->x.ops = &fake_ops;
    fake->x.driver = fake;
    fake->x.method = arena_str(arena, str_from(method));
    fake->x.peer = STR("192.0.2.1");
    fake->x.content_length = -1;
    fake->x.reply.fd = -1;
    rest = arena_str(arena, str_from(target));
    fake->x.path = str_split(&rest, '?');
    if (http_query_parse(arena, rest, &fake->query, NULL) != ERR_NONE)
        abort(); /* the server would not have let it through */
    return fake;
}

void http_exchange_fake_add_header(struct http_exchange_fake *fake,
        const char *name,
        const char *value)
{
    struct arena *arena = &fake->x.arena;

    assert(fake->header_count < HEADERS_MAX);
    fake->headers[fake->header_count++] =
            (struct header){arena_str(arena, str_from(name)), arena_str(arena, str_from(value))};
}

void http_exchange_fake_set_body(struct http_exchange_fake *fake, struct str body)
{
    buf_clear(&fake->body);
    buf_add_str(&fake->body, body);
    fake->x.content_length = (int64_t)body.len;
}

void http_exchange_fake_set_chunked(struct http_exchange_fake *fake, size_t piece_bytes)
{
    fake->piece_bytes = piece_bytes;
    fake->x.content_length = -1;
}

void http_exchange_fake_set_peer(struct http_exchange_fake *fake, const char *peer)
{
    fake->x.peer = arena_str(&fake->x.arena, str_from(peer));
}

static bool has_reply(const struct http_exchange_fake *fake)
{
    return fake->x.reply.kind != HTTP_REPLY_NONE;
}

static void refuse(struct http_exchange_fake *fake, unsigned status, const char *detail)
{
    if (fake->x.on_refuse != NULL)
        fake->x.on_refuse(&fake->x, status, detail);
    if (!has_reply(fake))
        http_exchange_reply(&fake->x, status, NULL, STR(""));
}

static void send_body(struct http_exchange_fake *fake)
{
    struct http_exchange *x = &fake->x;
    size_t step = fake->piece_bytes > 0 ? fake->piece_bytes : fake->body.len;
    size_t sent = 0;

    if (x->content_length >= 0 && (uint64_t)x->content_length > x->body_max_bytes)
        refuse(fake, 413, "the body is too large");
    while (sent < fake->body.len && !has_reply(fake)) {
        struct str piece = str_slice(buf_str(&fake->body), sent, step);

        sent += piece.len;
        if (sent > x->body_max_bytes)
            refuse(fake, 413, "the body is too large");
        else if (x->on_body == NULL)
            buf_add_str(&x->body, piece);
        else if (x->on_body(x, piece) != ERR_NONE && !has_reply(fake))
            refuse(fake, 500, "the body could not be taken");
    }
}

/* The body and complete, once begin is through. */
static void go_on(struct http_exchange_fake *fake)
{
    if (!fake->in_begin || fake->is_suspended)
        return;
    fake->in_begin = false;
    if (has_reply(fake))
        return;
    send_body(fake);
    if (!has_reply(fake))
        fake->handler->complete(fake->handler->ctx, &fake->x);
}

void http_exchange_fake_begin(struct http_exchange_fake *fake, const struct http_handler *handler)
{
    assert(!fake->begun);
    fake->handler = handler;
    fake->begun = true;
    fake->in_begin = true;
    handler->begin(handler->ctx, &fake->x);
    go_on(fake);
}

static struct timespec deadline_in(int64_t timeout_ms)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += (time_t)(timeout_ms / 1000);
    at.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

static bool take_resume(struct http_exchange_fake *fake, const struct timespec *until)
{
    int code = 0;
    bool resumed;

    (void)pthread_mutex_lock(&fake->lock);
    while (fake->resume_count == 0 && code == 0)
        code = pthread_cond_timedwait(&fake->resumed, &fake->lock, until);
    resumed = fake->resume_count > 0;
    if (resumed)
        fake->resume_count--;
    (void)pthread_mutex_unlock(&fake->lock);
    return resumed;
}

bool http_exchange_fake_wait(struct http_exchange_fake *fake, int64_t timeout_ms)
{
    struct timespec until = deadline_in(timeout_ms);

    while (fake->is_suspended) {
        if (!take_resume(fake, &until))
            return false;
        fake->is_suspended = false;
        fake->x.on_resume(&fake->x);
        go_on(fake);
    }
    return has_reply(fake);
}

bool http_exchange_fake_serve(struct http_exchange_fake *fake,
        const struct http_handler *handler,
        int64_t timeout_ms)
{
    http_exchange_fake_begin(fake, handler);
    return http_exchange_fake_wait(fake, timeout_ms);
}

unsigned http_exchange_fake_status(const struct http_exchange_fake *fake)
{
    return fake->x.reply.status;
}

static void read_file(struct http_exchange_fake *fake)
{
    const struct http_reply *reply = &fake->x.reply;
    int64_t done = (int64_t)fake->file.len;

    while (done < reply->size_bytes) {
        size_t want = (size_t)(reply->size_bytes - done);
        char *to = buf_reserve(&fake->file, want);
        ssize_t got = to != NULL ? pread(reply->fd, to, want, reply->offset_bytes + done) : -1;

        if (got <= 0)
            abort(); /* the handler promised bytes that are not there */
        fake->file.len += (size_t)got;
        done += got;
    }
}

struct str http_exchange_fake_body(struct http_exchange_fake *fake)
{
    switch (fake->x.reply.kind) {
    case HTTP_REPLY_BYTES: return fake->x.reply.body;
    case HTTP_REPLY_FILE: read_file(fake); return buf_str(&fake->file);
    case HTTP_REPLY_STREAM:
    case HTTP_REPLY_NONE: break;
    }
    return STR_NONE;
}

struct str http_exchange_fake_header(const struct http_exchange_fake *fake, const char *name)
{
    const struct http_reply *reply = &fake->x.reply;

    if (str_equal_nocase(str_from(name), STR("Content-Type")))
        return str_from(reply->content_type);
    for (size_t i = 0; i < reply->header_count; i++)
        if (str_equal_nocase(str_from(reply->headers[i].name), str_from(name)))
            return reply->headers[i].value;
    return STR_NONE;
}

bool http_exchange_fake_stream_until(struct http_exchange_fake *fake,
        const char *text,
        int64_t timeout_ms)
{
    struct timespec until = deadline_in(timeout_ms);

    assert(fake->x.reply.kind == HTTP_REPLY_STREAM);
    for (;;) {
        struct str all = buf_str(&fake->stream);
        char *to;
        ptrdiff_t got;

        if (memmem(all.ptr, all.len, text, strlen(text)) != NULL)
            return true;
        to = buf_reserve(&fake->stream, STREAM_BLOCK_BYTES);
        if (to == NULL)
            return false;
        got = fake->x.reply.read(&fake->x, to, STREAM_BLOCK_BYTES);
        if (got < 0)
            return false;
        fake->stream.len += (size_t)got;
        if (got == 0 && !take_resume(fake, &until))
            return false;
    }
}

struct str http_exchange_fake_stream(const struct http_exchange_fake *fake)
{
    return buf_str(&fake->stream);
}

struct http_exchange *http_exchange_fake_exchange(struct http_exchange_fake *fake)
{
    return &fake->x;
}

void http_exchange_fake_free(struct http_exchange_fake *fake)
{
    if (fake == NULL)
        return;
    if (fake->is_suspended && !http_exchange_fake_wait(fake, FREE_WAIT_MS))
        abort(); /* an operation still has it: freeing would hide that */
    if (fake->begun)
        fake->handler->end(fake->handler->ctx, &fake->x);
    /* A resume in the middle of its last step holds the lock; after that it does not look back. */
    (void)pthread_mutex_lock(&fake->lock);
    (void)pthread_mutex_unlock(&fake->lock);
    if (fake->x.reply.kind == HTTP_REPLY_FILE && fake->x.reply.fd >= 0)
        (void)close(fake->x.reply.fd);
    buf_done(&fake->x.body);
    buf_done(&fake->x.reply_buf);
    buf_done(&fake->body);
    buf_done(&fake->file);
    buf_done(&fake->stream);
    arena_done(&fake->x.arena);
    (void)pthread_cond_destroy(&fake->resumed);
    (void)pthread_mutex_destroy(&fake->lock);
    free(fake);
}
