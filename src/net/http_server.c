/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_server - each thread is a libmicrohttpd daemon of its own on a duplicate of the one
 * listening socket. (Its thread pool would do the same, but MHD_quiesce_daemon() of 0.9.75 can
 * abort in a race with the pool's workers, and cannot with single daemons.)
 *
 * libmicrohttpd calls on_target() when the first line of a request is there, which makes the
 * exchange; then on_access() as often as it can go on:
 *
 *   PHASE_NEW       the head is whole: begin
 *   PHASE_BODY      once a piece of the body; at last without one: complete
 *   PHASE_COMPLETE  again after each resume, until there is a reply
 *
 * and at the end of all on_completed(), which frees the exchange. A response can only be queued in
 * the first or the last of these calls. In the first it costs the connection, so a reply that
 * begin gives waits for the last call, unless the body announced is too large to be read for
 * nothing.
 *
 * Suspended or not is one atomic word (struct exchange, parking): a resume may come from any
 * thread, for a stream at any time.
 *
 * What libmicrohttpd does not bound is the time in which a head or a body comes: its timeout
 * starts anew with every byte. So each connection has a deadline, and a sweeper thread shuts down
 * the sockets of those that are past it, and of those whose peer has gone unnoticed.
 */
#include "net/http_server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/http_framing.h"
#include "net/http_query.h"
#include "net/listen_address.h"

enum {
    CONNECTION_MEMORY_BYTES = 32 * 1024,
    DRAIN_MAX_BYTES = 16 * 1024 * 1024, /* of a body that nobody wants, to keep the connection */
    STREAM_BLOCK_BYTES = 8 * 1024,
    BODY_BYTES_PER_S = 64 * 1024,
    HEAD_TIMEOUT_MS = 30 * 1000,
    BODY_TIMEOUT_MS = 60 * 1000,
    SWEEP_MS = 1000,
    THREADS_MAX = 64,
};

/** A socket and the moment at which it is cut. */
struct connection {
    LIST_ENTRY(connection) link;
    int fd;
    _Atomic int64_t deadline_ms; /* by the monotonic clock; 0: none */
    bool has_ended;              /* the last sweep found the peer's end; the sweeper's */
};

_Static_assert((int)LISTEN_ADDRESS_SIZE == (int)HTTP_LISTEN_SIZE, "one size for one text");

enum phase { PHASE_NEW, PHASE_BODY, PHASE_COMPLETE };

enum parking {
    PARKING_MOVING,  /* on its server thread */
    PARKING_PARKED,  /* suspended: the next resume sets it going */
    PARKING_RESUMED, /* a stream was resumed while it was moving: it is not to park */
};

struct exchange {
    struct http_exchange x; /* first */
    LIST_ENTRY(exchange) stream_link;
    struct http_server *server;
    struct connection *connection;
    struct MHD_Connection *mhd;
    enum phase phase;
    bool begun;        /* so end has to run */
    bool is_suspended; /* by this very call of the handler; the server thread's */
    bool in_streams;
    bool has_body;
    bool is_chunked;
    _Atomic int parking;      /* enum parking */
    const char *target_place; /* where libmicrohttpd keeps the target, for one comparison */
    struct str target;
    struct http_query query;
    size_t body_bytes;
    size_t drained_bytes;
    int64_t body_started_ms;
    const char *broken; /* why the head is refused; NULL: it is fine */
};

struct http_server {
    struct http_server_config config; /* listen is not kept */
    const struct http_handler *handler;
    int64_t head_timeout_ms;
    int64_t body_timeout_ms;
    int64_t idle_timeout_ms;
    char address[LISTEN_ADDRESS_SIZE];
    _Atomic unsigned active_count;
    _Atomic bool stopping; /* streams that have nothing to send end */

    pthread_mutex_t lock; /* guards the lists and has_sweeper_stopped */
    pthread_cond_t sweeper_wake;
    LIST_HEAD(, connection) connections;
    LIST_HEAD(, exchange) streams;
    bool sweeper_stop;
    bool sweeper_runs;
    pthread_t sweeper;

    int listen_fd;
    unsigned daemon_count;
    struct MHD_Daemon *daemons[THREADS_MAX];
    int quiesced_fds[THREADS_MAX]; /* -1: still the daemon's */
};

static int64_t now_ms(void)
{
    return clock_mono_us(clock_real()) / 1000;
}

/* --------------------------------------------------------------- the exchange's operations */

static struct exchange *exchange_of(struct http_exchange *x)
{
    return (struct exchange *)x;
}

static struct str op_header(const struct http_exchange *x, const char *name)
{
    const struct exchange *exchange = (const struct exchange *)x;
    const char *value = NULL;
    size_t len = 0;

    if (MHD_lookup_connection_value_n(
                exchange->mhd, MHD_HEADER_KIND, name, strlen(name), &value, &len) != MHD_YES)
        return STR_NONE;
    return (struct str){value != NULL ? value : "", len};
}

static struct str op_query(const struct http_exchange *x, const char *name)
{
    return http_query_find(&((const struct exchange *)x)->query, name);
}

static void op_each_query(const struct http_exchange *x,
        bool (*visit)(void *ctx, struct str name, struct str value),
        void *ctx)
{
    const struct http_query *query = &((const struct exchange *)x)->query;

    for (size_t i = 0; i < query->count; i++)
        if (!visit(ctx, query->parameters[i].name, query->parameters[i].value))
            return;
}

struct visitor {
    bool (*visit)(void *ctx, struct str name, struct str value);
    void *ctx;
};

static enum MHD_Result visit_header(void *ctx,
        enum MHD_ValueKind kind,
        const char *name,
        size_t name_len,
        const char *value,
        size_t value_len)
{
    const struct visitor *visitor = (const struct visitor *)ctx;
    bool go_on = visitor->visit(visitor->ctx,
            (struct str){name, name_len},
            (struct str){value != NULL ? value : "", value_len});

    (void)kind;
    return go_on ? MHD_YES : MHD_NO;
}

static void op_each_header(const struct http_exchange *x,
        bool (*visit)(void *ctx, struct str name, struct str value),
        void *ctx)
{
    struct visitor visitor = {visit, ctx};

    (void)MHD_get_connection_values_n(
            ((const struct exchange *)x)->mhd, MHD_HEADER_KIND, visit_header, &visitor);
}

static void op_suspend(struct http_exchange *x)
{
    struct exchange *exchange = exchange_of(x);

    /* Nobody can resume yet: the operation is only started after this. */
    MHD_suspend_connection(exchange->mhd);
    exchange->is_suspended = true;
    atomic_store(&exchange->parking, PARKING_PARKED);
}

static void op_resume(struct http_exchange *x)
{
    struct exchange *exchange = exchange_of(x);
    struct MHD_Connection *mhd = exchange->mhd;
    int was;

    do {
        was = PARKING_PARKED;
        /* Whoever turns PARKED into MOVING, and nobody else, resumes; until that has happened the
         * connection stays, so that touching it is safe. */
        if (atomic_compare_exchange_strong(&exchange->parking, &was, PARKING_MOVING)) {
            MHD_resume_connection(mhd);
            return;
        }
        was = PARKING_MOVING;
        /* Again when it has parked in between. */
    } while (!atomic_compare_exchange_strong(&exchange->parking, &was, PARKING_RESUMED) &&
             was == PARKING_PARKED);
}

static const struct http_exchange_ops exchange_ops = {
        .header = op_header,
        .query = op_query,
        .each_query = op_each_query,
        .each_header = op_each_header,
        .suspend = op_suspend,
        .resume = op_resume,
};

/* ------------------------------------------------------------------------------ replies */

/* On the server thread, when the stream has nothing to send now. */
static void park_stream(struct exchange *exchange)
{
    int was = PARKING_MOVING;

    MHD_suspend_connection(exchange->mhd);
    if (atomic_compare_exchange_strong(&exchange->parking, &was, PARKING_PARKED))
        return;
    /* A resume came between read() and here: the suspension is taken back the only way there is. */
    atomic_store(&exchange->parking, PARKING_MOVING);
    MHD_resume_connection(exchange->mhd);
}

static ssize_t read_stream(void *ctx, uint64_t position, char *ret_bytes, size_t max)
{
    struct exchange *exchange = (struct exchange *)ctx;
    int was = PARKING_RESUMED;
    ptrdiff_t got;

    (void)position;
    /* Resumes until now are answered by this read. */
    (void)atomic_compare_exchange_strong(&exchange->parking, &was, PARKING_MOVING);
    got = exchange->x.reply.read(&exchange->x, ret_bytes, max);
    if (got < 0)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (got > 0)
        return got;
    if (atomic_load(&exchange->server->stopping))
        return MHD_CONTENT_READER_END_OF_STREAM;
    park_stream(exchange);
    return 0;
}

static void add_to_streams(struct exchange *exchange)
{
    struct http_server *server = exchange->server;

    (void)pthread_mutex_lock(&server->lock);
    LIST_INSERT_HEAD(&server->streams, exchange, stream_link);
    (void)pthread_mutex_unlock(&server->lock);
    exchange->in_streams = true;
}

static struct MHD_Response *new_response(struct exchange *exchange)
{
    struct http_reply *reply = &exchange->x.reply;
    struct MHD_Response *response = NULL;

    switch (reply->kind) {
    case HTTP_REPLY_NONE: break;
    case HTTP_REPLY_BYTES:
        /* libmicrohttpd takes a pointer without const and only reads. */
        response = MHD_create_response_from_buffer(reply->body.len,
                (void *)(uintptr_t)(reply->body.ptr != NULL ? reply->body.ptr : ""),
                MHD_RESPMEM_PERSISTENT);
        break;
    case HTTP_REPLY_FILE:
        response = MHD_create_response_from_fd_at_offset64(
                (uint64_t)reply->size_bytes, reply->fd, (uint64_t)reply->offset_bytes);
        if (response != NULL)
            reply->fd = -1; /* the response closes it */
        break;
    case HTTP_REPLY_STREAM:
        response = MHD_create_response_from_callback(
                MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES, read_stream, exchange, NULL);
        break;
    }
    return response;
}

static bool add_headers(const struct http_reply *reply, struct MHD_Response *response)
{
    if (reply->content_type != NULL &&
            MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->content_type) !=
                    MHD_YES)
        return false;
    for (size_t i = 0; i < reply->header_count; i++)
        if (MHD_add_response_header(
                    response, reply->headers[i].name, reply->headers[i].value.ptr) != MHD_YES)
            return false;
    return true;
}

/** MHD_NO closes the connection: there is no reply, or it has a header that cannot be sent. */
static enum MHD_Result queue_reply(struct exchange *exchange)
{
    struct MHD_Response *response = new_response(exchange);
    enum MHD_Result result = MHD_NO;

    if (response == NULL)
        return MHD_NO;
    if (exchange->x.reply.kind == HTTP_REPLY_STREAM)
        add_to_streams(exchange);
    if (add_headers(&exchange->x.reply, response))
        result = MHD_queue_response(exchange->mhd, exchange->x.reply.status, response);
    MHD_destroy_response(response);
    return result;
}

static bool has_reply(const struct exchange *exchange)
{
    return exchange->x.reply.kind != HTTP_REPLY_NONE;
}

/** The server's own refusal, after begin. */
static void refuse(struct exchange *exchange, unsigned status, const char *detail)
{
    struct http_exchange *x = &exchange->x;

    if (x->on_refuse != NULL)
        x->on_refuse(x, status, detail);
    if (!has_reply(exchange))
        http_exchange_reply(x, status, NULL, STR(""));
}

/** Instead of begin. */
static enum MHD_Result refuse_broken(struct exchange *exchange)
{
    const struct http_handler *handler = exchange->server->handler;
    struct http_exchange *x = &exchange->x;

    if (handler->refuse != NULL)
        handler->refuse(handler->ctx, x, MHD_HTTP_BAD_REQUEST, exchange->broken);
    if (!has_reply(exchange))
        http_exchange_reply(x, MHD_HTTP_BAD_REQUEST, NULL, STR(""));
    /* In this first call it also closes the connection: who knows what the rest of it is. */
    return queue_reply(exchange);
}

/* ------------------------------------------------------------------------------ the head */

/** Notes the first fault. */
static void note_broken(struct exchange *exchange, const char *why)
{
    if (exchange->broken == NULL)
        exchange->broken = why;
}

static bool add_header(void *ctx, struct str name, struct str value)
{
    http_framing_add((struct http_framing *)ctx, name, value);
    return true;
}

static void read_framing(struct exchange *exchange, bool is_http_1_1)
{
    struct http_framing framing = {0};

    op_each_header(&exchange->x, add_header, &framing);
    http_framing_end(&framing, is_http_1_1);
    if (framing.broken != NULL)
        note_broken(exchange, framing.broken);
    exchange->x.content_length = framing.content_length;
    exchange->is_chunked = framing.is_chunked;
    exchange->has_body = framing.is_chunked || framing.content_length > 0;
}

/** Splits the target into path and query; the absolute form (RFC 9112, 3.2.2) loses its host. */
static void read_target(struct exchange *exchange)
{
    struct str rest = exchange->target;
    struct error why;

    if (str_starts(rest, STR("http://")) || str_starts(rest, STR("https://"))) {
        size_t scheme = str_starts(rest, STR("https://")) ? 8 : 7;
        ptrdiff_t path = str_find_char(rest, '/', scheme);

        rest = path < 0 ? STR("/") : str_slice(rest, (size_t)path, rest.len);
    }
    exchange->x.path = str_split(&rest, '?');
    if (!str_starts(exchange->x.path, STR("/")) && !str_is(exchange->x.path, "*"))
        note_broken(exchange, "the request's target is no path");
    if (http_query_parse(&exchange->x.arena, rest, &exchange->query, &why) != ERR_NONE)
        note_broken(exchange, arena_str(&exchange->x.arena, str_from(why.text)).ptr);
}

static struct str read_peer(struct arena *arena, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *address = info != NULL ? info->client_addr : NULL;
    char text[INET6_ADDRSTRLEN] = "";

    if (address != NULL && address->sa_family == AF_INET)
        (void)inet_ntop(AF_INET,
                &((const struct sockaddr_in *)(const void *)address)->sin_addr,
                text,
                sizeof(text));
    else if (address != NULL && address->sa_family == AF_INET6)
        (void)inet_ntop(AF_INET6,
                &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr,
                text,
                sizeof(text));
    return arena_str(arena, str_from(text));
}

static void read_head(struct exchange *exchange, const char *method, const char *version)
{
    exchange->x.method = arena_str(&exchange->x.arena, str_from(method));
    exchange->x.peer = read_peer(&exchange->x.arena, exchange->mhd);
    /* The version stands right behind the target and one blank; if not, the target was longer than
     * it looked: there was a NUL in it. */
    if (exchange->target_place == NULL ||
            exchange->target_place + exchange->target.len + 1 != version)
        note_broken(exchange, "the request's target has a NUL or no version behind it");
    for (size_t i = 0; i < exchange->target.len; i++)
        if ((unsigned char)exchange->target.ptr[i] <= ' ' || exchange->target.ptr[i] == 0x7f)
            note_broken(exchange, "the request's target has a blank or a control character");
    if (!http_framing_is_token(exchange->x.method))
        note_broken(exchange, "the method has a character that none may have");
    read_target(exchange);
    read_framing(exchange, strcmp(version, MHD_HTTP_VERSION_1_1) == 0);
}

/* ------------------------------------------------------------------------------ the body */

static void set_deadline(struct exchange *exchange, int64_t at_ms)
{
    atomic_store_explicit(&exchange->connection->deadline_ms, at_ms, memory_order_relaxed);
}

static void set_body_deadline(struct exchange *exchange)
{
    int64_t bytes = exchange->x.content_length > 0
                            ? exchange->x.content_length
                            : (int64_t)(exchange->body_bytes + exchange->drained_bytes);
    int64_t allowed_ms =
            exchange->server->body_timeout_ms + bytes / BODY_BYTES_PER_S * (int64_t)1000;

    set_deadline(exchange, exchange->body_started_ms + allowed_ms);
}

static void collect(struct exchange *exchange, struct str piece)
{
    struct http_exchange *x = &exchange->x;

    if (piece.len > x->body_max_bytes - exchange->body_bytes) {
        refuse(exchange, MHD_HTTP_CONTENT_TOO_LARGE, "the body is too large");
        return;
    }
    exchange->body_bytes += piece.len;
    if (x->on_body != NULL) {
        if (x->on_body(x, piece) != ERR_NONE && !has_reply(exchange))
            refuse(exchange, MHD_HTTP_INTERNAL_SERVER_ERROR, "the body could not be taken");
        return;
    }
    buf_add_str(&x->body, piece);
    if (buf_err(&x->body) != ERR_NONE)
        refuse(exchange, MHD_HTTP_CONTENT_TOO_LARGE, "the body is too large");
}

static enum MHD_Result take_piece(struct exchange *exchange, struct str piece)
{
    if (has_reply(exchange)) {
        /* A response cannot be queued now; so the rest is read for nothing, within reason: what a
         * good body might have cost as well. */
        size_t limit = exchange->x.body_max_bytes > DRAIN_MAX_BYTES ? exchange->x.body_max_bytes
                                                                    : DRAIN_MAX_BYTES;

        exchange->drained_bytes += piece.len;
        if (exchange->drained_bytes > limit)
            return MHD_NO;
    } else {
        collect(exchange, piece);
    }
    if (exchange->is_chunked)
        set_body_deadline(exchange);
    return MHD_YES;
}

/* -------------------------------------------------------------------- driving the handler */

/** begin is through: looks at what it wants of the body. */
static enum MHD_Result after_begin(struct exchange *exchange)
{
    struct http_exchange *x = &exchange->x;

    exchange->phase = PHASE_BODY;
    if (!has_reply(exchange) && x->content_length > 0 &&
            (uint64_t)x->content_length > x->body_max_bytes)
        refuse(exchange, MHD_HTTP_CONTENT_TOO_LARGE, "the body is too large");
    if (!exchange->has_body)
        return MHD_YES;
    if (has_reply(exchange) && (x->content_length > DRAIN_MAX_BYTES ||
                                       op_header(x, MHD_HTTP_HEADER_EXPECT).ptr != NULL))
        return queue_reply(exchange);
    x->body.max_bytes = x->body_max_bytes;
    exchange->body_started_ms = now_ms();
    set_body_deadline(exchange);
    return MHD_YES;
}

static enum MHD_Result start(struct exchange *exchange, const char *method, const char *version)
{
    struct http_server *server = exchange->server;

    set_deadline(exchange, 0);
    read_head(exchange, method, version);
    if (exchange->broken != NULL)
        return refuse_broken(exchange);
    exchange->begun = true;
    atomic_fetch_add(&server->active_count, 1);
    server->handler->begin(server->handler->ctx, &exchange->x);
    /* When it has suspended, the exchange is another thread's from here on. */
    return exchange->is_suspended ? MHD_YES : after_begin(exchange);
}

static enum MHD_Result complete(struct exchange *exchange)
{
    struct http_server *server = exchange->server;

    exchange->phase = PHASE_COMPLETE;
    set_deadline(exchange, 0);
    if (!has_reply(exchange))
        server->handler->complete(server->handler->ctx, &exchange->x);
    return exchange->is_suspended ? MHD_YES : queue_reply(exchange);
}

static enum MHD_Result go_on_after_resume(struct exchange *exchange)
{
    void (*on_resume)(struct http_exchange * x) = exchange->x.on_resume;

    exchange->is_suspended = false;
    on_resume(&exchange->x);
    if (exchange->is_suspended)
        return MHD_YES;
    return exchange->phase == PHASE_NEW ? after_begin(exchange) : queue_reply(exchange);
}

/* ------------------------------------------------------------- libmicrohttpd's callbacks */

/* The only place where the target is seen as it came. */
static void *on_target(void *ctx, const char *target, struct MHD_Connection *mhd)
{
    struct exchange *exchange = (struct exchange *)mem_new(sizeof(*exchange));
    const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    exchange->server = (struct http_server *)ctx;
    exchange->mhd = mhd;
    exchange->connection = (struct connection *)info->socket_context;
    exchange->x.ops = &exchange_ops;
    exchange->x.driver = exchange;
    exchange->x.reply.fd = -1;
    exchange->target_place = target;
    exchange->target = arena_str(&exchange->x.arena, str_from(target != NULL ? target : ""));
    return exchange;
}

static enum MHD_Result on_access(void *ctx,
        struct MHD_Connection *mhd,
        const char *url,
        const char *method,
        const char *version,
        const char *upload,
        size_t *upload_len,
        void **request_ctx)
{
    struct exchange *exchange = (struct exchange *)*request_ctx;

    (void)ctx;
    (void)mhd;
    (void)url;
    if (exchange->is_suspended)
        return go_on_after_resume(exchange);
    if (exchange->phase == PHASE_NEW)
        return start(exchange, method, version);
    if (*upload_len > 0) {
        struct str piece = {upload, *upload_len};

        *upload_len = 0;
        return take_piece(exchange, piece);
    }
    return complete(exchange);
}

static void on_completed(void *ctx,
        struct MHD_Connection *mhd,
        void **request_ctx,
        enum MHD_RequestTerminationCode code)
{
    struct http_server *server = (struct http_server *)ctx;
    struct exchange *exchange = (struct exchange *)*request_ctx;

    (void)mhd;
    (void)code;
    if (exchange == NULL)
        return;
    *request_ctx = NULL;
    set_deadline(exchange, now_ms() + server->idle_timeout_ms + server->head_timeout_ms);
    if (exchange->in_streams) {
        (void)pthread_mutex_lock(&server->lock);
        LIST_REMOVE(exchange, stream_link);
        (void)pthread_mutex_unlock(&server->lock);
    }
    if (exchange->begun) {
        server->handler->end(server->handler->ctx, &exchange->x);
        atomic_fetch_sub(&server->active_count, 1);
    }
    if (exchange->x.reply.kind == HTTP_REPLY_FILE && exchange->x.reply.fd >= 0)
        (void)close(exchange->x.reply.fd); /* it never came to a response */
    buf_done(&exchange->x.body);
    buf_done(&exchange->x.reply_buf);
    arena_done(&exchange->x.arena);
    free(exchange);
}

static void on_connection(void *ctx,
        struct MHD_Connection *mhd,
        void **socket_ctx,
        enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = (struct http_server *)ctx;
    struct connection *connection = (struct connection *)*socket_ctx;

    (void)pthread_mutex_lock(&server->lock);
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        connection = (struct connection *)mem_new(sizeof(*connection));
        connection->fd =
                MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
        atomic_init(&connection->deadline_ms, now_ms() + server->head_timeout_ms);
        LIST_INSERT_HEAD(&server->connections, connection, link);
        *socket_ctx = connection;
    } else if (connection != NULL) {
        /* Before its socket is closed: so the sweeper never meets a number that was reused. */
        LIST_REMOVE(connection, link);
        free(connection);
        *socket_ctx = NULL;
    }
    (void)pthread_mutex_unlock(&server->lock);
}

/* ----------------------------------------------------------------------------- the sweeper */

/* An end that comes together with data is lost on libmicrohttpd: the edge is used up by then. */
static bool has_ended(int fd)
{
    char byte;

    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* Called with the lock held. */
static void cut_overdue(struct http_server *server)
{
    int64_t now = now_ms();
    struct connection *connection;

    LIST_FOREACH(connection, &server->connections, link)
    {
        int64_t deadline_ms = atomic_load_explicit(&connection->deadline_ms, memory_order_relaxed);
        bool is_awaited = deadline_ms != 0;
        bool ended_before = connection->has_ended;

        connection->has_ended = is_awaited && has_ended(connection->fd);
        /* The server thread then reads the end of the stream and closes. An end is believed when it
         * is still there at the next sweep: what came before it may be just about to be read. */
        if (is_awaited && (deadline_ms <= now || (ended_before && connection->has_ended)))
            (void)shutdown(connection->fd, SHUT_RDWR);
    }
}

static int64_t sweep_interval_ms(const struct http_server *server)
{
    int64_t shortest_ms = server->head_timeout_ms < server->body_timeout_ms
                                  ? server->head_timeout_ms
                                  : server->body_timeout_ms;

    return shortest_ms < SWEEP_MS ? shortest_ms : SWEEP_MS;
}

static void *sweep(void *ctx)
{
    struct http_server *server = (struct http_server *)ctx;
    int64_t interval_ms = sweep_interval_ms(server);

    (void)pthread_mutex_lock(&server->lock);
    while (!server->sweeper_stop) {
        struct timespec at;

        (void)clock_gettime(CLOCK_MONOTONIC, &at);
        at.tv_sec += (time_t)(interval_ms / 1000);
        at.tv_nsec += (long)(interval_ms % 1000) * 1000000;
        if (at.tv_nsec >= 1000000000) {
            at.tv_sec++;
            at.tv_nsec -= 1000000000;
        }
        (void)pthread_cond_timedwait(&server->sweeper_wake, &server->lock, &at);
        cut_overdue(server);
    }
    (void)pthread_mutex_unlock(&server->lock);
    return NULL;
}

static void stop_sweeper(struct http_server *server)
{
    if (!server->sweeper_runs)
        return;
    (void)pthread_mutex_lock(&server->lock);
    server->sweeper_stop = true;
    (void)pthread_cond_signal(&server->sweeper_wake);
    (void)pthread_mutex_unlock(&server->lock);
    (void)pthread_join(server->sweeper, NULL);
}

/* ------------------------------------------------------------------------- start and stop */

enum err http_server_check_listen(struct str listen, struct error *why)
{
    return listen_address_check(listen, why);
}

static struct MHD_Daemon *start_daemon(struct http_server *server,
        const struct http_server_config *config)
{
    unsigned connections = config->max_connections / config->threads;
    int fd = fcntl(server->listen_fd, F_DUPFD_CLOEXEC, 0);
    struct MHD_Daemon *daemon;

    if (fd < 0)
        return NULL;
    daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME,
            0,
            NULL,
            NULL,
            on_access,
            server,
            MHD_OPTION_LISTEN_SOCKET,
            fd,
            MHD_OPTION_CONNECTION_LIMIT,
            connections > 0 ? connections : 1U,
            MHD_OPTION_CONNECTION_TIMEOUT,
            config->idle_timeout_s,
            MHD_OPTION_CONNECTION_MEMORY_LIMIT,
            (size_t)CONNECTION_MEMORY_BYTES,
            MHD_OPTION_URI_LOG_CALLBACK,
            on_target,
            server,
            MHD_OPTION_NOTIFY_COMPLETED,
            on_completed,
            server,
            MHD_OPTION_NOTIFY_CONNECTION,
            on_connection,
            server,
            MHD_OPTION_END);
    if (daemon == NULL)
        (void)close(fd);
    return daemon;
}

static struct http_server *server_new(const struct http_server_config *config)
{
    struct http_server *server = (struct http_server *)mem_new(sizeof(*server));
    pthread_condattr_t attr;

    server->config = *config;
    server->config.listen = STR_NONE;
    server->head_timeout_ms =
            config->head_timeout_ms > 0 ? config->head_timeout_ms : HEAD_TIMEOUT_MS;
    server->body_timeout_ms =
            config->body_timeout_ms > 0 ? config->body_timeout_ms : BODY_TIMEOUT_MS;
    server->idle_timeout_ms = (int64_t)config->idle_timeout_s * 1000;
    server->listen_fd = -1;
    for (unsigned i = 0; i < THREADS_MAX; i++)
        server->quiesced_fds[i] = -1;
    (void)pthread_mutex_init(&server->lock, NULL);
    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&server->sweeper_wake, &attr);
    (void)pthread_condattr_destroy(&attr);
    LIST_INIT(&server->connections);
    LIST_INIT(&server->streams);
    return server;
}

enum err http_server_bind(const struct http_server_config *config,
        struct http_server **ret_server,
        struct error *why)
{
    struct http_server *server;
    enum err err;

    assert(config->threads >= 1 && config->threads <= THREADS_MAX);
    server = server_new(config);
    err = listen_address_bind(config->listen, &server->listen_fd, why);
    if (err == ERR_NONE)
        listen_address_of(server->listen_fd, server->address);
    if (err != ERR_NONE) {
        http_server_stop(server);
        return err;
    }
    *ret_server = server;
    return ERR_NONE;
}

enum err
http_server_serve(struct http_server *server, const struct http_handler *handler, struct error *why)
{
    server->handler = handler;
    server->sweeper_runs = pthread_create(&server->sweeper, NULL, sweep, server) == 0;
    if (!server->sweeper_runs)
        return error_set(why, ERR_UNAVAILABLE, "a thread cannot be started");
    while (server->daemon_count < server->config.threads) {
        struct MHD_Daemon *daemon = start_daemon(server, &server->config);

        if (daemon == NULL)
            return error_set(why, ERR_UNAVAILABLE, "the HTTP server cannot be started");
        server->daemons[server->daemon_count++] = daemon;
    }
    return ERR_NONE;
}

enum err http_server_start(const struct http_server_config *config,
        struct http_server **ret_server,
        struct error *why)
{
    struct http_server *server = NULL;
    enum err err = http_server_bind(config, &server, why);

    if (err == ERR_NONE)
        err = http_server_serve(server, config->handler, why);
    if (err != ERR_NONE) {
        http_server_stop(server);
        return err;
    }
    *ret_server = server;
    return ERR_NONE;
}

const char *http_server_address(const struct http_server *server)
{
    return server->address;
}

void http_server_quiesce(struct http_server *server)
{
    for (unsigned i = 0; i < server->daemon_count; i++)
        if (server->quiesced_fds[i] < 0)
            server->quiesced_fds[i] = MHD_quiesce_daemon(server->daemons[i]);
    /* Nobody waits on it any more: who connects now is refused at once, not left in the queue. The
     * duplicates are the same socket; their numbers stay taken until the threads have ended. */
    (void)shutdown(server->listen_fd, SHUT_RDWR);
}

unsigned http_server_active(const struct http_server *server)
{
    return atomic_load(&server->active_count);
}

/* A stream that is parked would never end by itself, and must not be when its daemon stops. */
static void end_streams(struct http_server *server)
{
    struct exchange *exchange;

    atomic_store(&server->stopping, true);
    (void)pthread_mutex_lock(&server->lock);
    LIST_FOREACH(exchange, &server->streams, stream_link)
    {
        op_resume(&exchange->x);
    }
    (void)pthread_mutex_unlock(&server->lock);
}

void http_server_stop(struct http_server *server)
{
    if (server == NULL)
        return;
    end_streams(server);
    for (unsigned i = 0; i < server->daemon_count; i++) {
        MHD_stop_daemon(server->daemons[i]);
        if (server->quiesced_fds[i] >= 0)
            (void)close(server->quiesced_fds[i]);
    }
    stop_sweeper(server);
    if (server->listen_fd >= 0)
        (void)close(server->listen_fd);
    (void)pthread_cond_destroy(&server->sweeper_wake);
    (void)pthread_mutex_destroy(&server->lock);
    free(server);
}
