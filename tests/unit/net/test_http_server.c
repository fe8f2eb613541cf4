/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of net/http_server over real sockets: what goes in and out on the wire. */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mailbox.h"
#include "net/http_server.h"
#include "support/tcp_peer.h"

enum { BODY_MAX = 100 * 1024, STREAM_PIECES = 200 };

/** What the handler under test shares with the test. */
struct world {
    struct http_server *server;
    struct http_handler handler;
    struct mailbox *mailbox; /* to the worker that resumes */
    pthread_t worker;
    _Atomic unsigned begun;
    _Atomic unsigned ended;
    _Atomic unsigned body_pieces;
    pthread_mutex_t lock; /* guards each visit's fields for the worker, and cuts it off at end */
};

/** The handler's own state of an exchange. */
struct visit {
    struct mail mail;               /* first */
    struct http_exchange *exchange; /* NULL after end; guarded by the world's lock */
    struct world *world;
    unsigned refs; /* guarded by the world's lock */
    int rounds;    /* suspensions still to come */
    size_t taken;
    int sent_pieces; /* of the stream */
    _Atomic int made_pieces;
};

static bool is_path(const struct http_exchange *x, const char *path)
{
    return str_is(x->path, path);
}

static void on_refuse(struct http_exchange *x, unsigned status, const char *detail)
{
    struct str body = arena_strf(&x->arena, "refused: %s", detail);

    http_exchange_reply(x, status, "text/plain", body);
}

static void refuse(void *ctx, struct http_exchange *x, unsigned status, const char *detail)
{
    (void)ctx;
    http_exchange_reply(x, status, "text/plain", arena_strf(&x->arena, "broken: %s", detail));
}

static enum err count_piece(struct http_exchange *x, struct str piece)
{
    struct visit *visit = (struct visit *)x->owner;

    visit->taken += piece.len;
    atomic_fetch_add(&visit->world->body_pieces, 1);
    if (memchr(piece.ptr, '!', piece.len) == NULL)
        return ERR_NONE;
    http_exchange_reply(x, 422, "text/plain", STR("no exclamation"));
    return ERR_INVALID;
}

static void begin(void *ctx, struct http_exchange *x)
{
    struct world *world = (struct world *)ctx;
    struct visit *visit = (struct visit *)calloc(1, sizeof(*visit));

    assert_non_null(visit);
    atomic_fetch_add(&world->begun, 1);
    visit->exchange = x;
    visit->world = world;
    visit->refs = is_path(x, "/stream") ? 2 : 1;
    x->owner = visit;
    x->on_refuse = on_refuse;
    x->body_max_bytes = BODY_MAX;
    if (is_path(x, "/early"))
        http_exchange_reply(x, 401, "text/plain", STR("who are you"));
    if (is_path(x, "/pieces"))
        x->on_body = count_piece;
    if (is_path(x, "/no-body"))
        x->body_max_bytes = 0;
}

static bool add_pair(void *ctx, struct str name, struct str value)
{
    buf_addf((struct buf *)ctx, "[%.*s=%.*s]", STR_ARG(name), STR_ARG(value));
    return true;
}

static void reply_echo(struct http_exchange *x)
{
    struct str query = http_exchange_query(x, "q");

    buf_addf(&x->reply_buf,
            "%.*s %.*s %lld %.*s q=%.*s ",
            STR_ARG(x->method),
            STR_ARG(x->path),
            (long long)x->content_length,
            STR_ARG(x->peer),
            STR_ARG(query));
    x->ops->each_query(x, add_pair, &x->reply_buf);
    x->ops->each_header(x, add_pair, &x->reply_buf);
    buf_add_text(&x->reply_buf, " body=");
    buf_add_str(&x->reply_buf, buf_str(&x->body));
    if (http_exchange_header(x, "x-in").ptr != NULL)
        http_exchange_add_header(x, "X-Seen", http_exchange_header(x, "x-in"));
    http_exchange_reply(x, 200, "text/plain", buf_str(&x->reply_buf));
}

static void post(struct mailbox *mailbox, struct visit *visit)
{
    visit->mail.next = NULL; /* a chain would be posted whole */
    if (!mailbox_post_always(mailbox, &visit->mail))
        abort(); /* it is closed after the server has stopped */
}

static void on_resume(struct http_exchange *x)
{
    struct visit *visit = (struct visit *)x->owner;

    visit->rounds--;
    if (visit->rounds > 0) {
        http_exchange_suspend(x, on_resume);
        post(visit->world->mailbox, visit);
        return;
    }
    http_exchange_reply(x, 200, "text/plain", STR("resumed"));
}

static ptrdiff_t read_pieces(struct http_exchange *x, char *ret_bytes, size_t max)
{
    struct visit *visit = (struct visit *)x->owner;

    (void)max;
    if (visit->sent_pieces == STREAM_PIECES)
        return -1;
    if (visit->sent_pieces == atomic_load(&visit->made_pieces))
        return 0;
    visit->sent_pieces++;
    memcpy(ret_bytes, "piece.", 6);
    return 6;
}

static ptrdiff_t read_never(struct http_exchange *x, char *ret_bytes, size_t max)
{
    (void)x;
    (void)ret_bytes;
    (void)max;
    return 0;
}

static void reply_file(struct http_exchange *x)
{
    FILE *file = tmpfile();

    assert_non_null(file);
    (void)fputs("0123456789", file);
    (void)fflush(file);
    http_exchange_reply_file(x, 206, "audio/mpeg", dup(fileno(file)), 3, 5);
    (void)fclose(file);
}

static void complete(void *ctx, struct http_exchange *x)
{
    struct world *world = (struct world *)ctx;
    struct visit *visit = (struct visit *)x->owner;

    if (is_path(x, "/suspend")) {
        visit->rounds = 3;
        http_exchange_suspend(x, on_resume);
        post(world->mailbox, visit);
    } else if (is_path(x, "/stream")) {
        post(world->mailbox, visit);
        http_exchange_reply_stream(x, 200, "text/event-stream", read_pieces);
    } else if (is_path(x, "/silent")) {
        http_exchange_reply_stream(x, 200, "text/event-stream", read_never);
    } else if (is_path(x, "/file")) {
        reply_file(x);
    } else if (is_path(x, "/pieces")) {
        http_exchange_reply(x, 200, "text/plain", arena_strf(&x->arena, "took %zu", visit->taken));
    } else if (is_path(x, "/empty")) {
        http_exchange_reply(x, 204, NULL, STR(""));
    } else {
        reply_echo(x);
    }
}

/* The exchange and, of a stream, the worker have a visit; the last of them frees it. */
static void release(struct world *world, struct visit *visit, bool by_exchange)
{
    unsigned left;

    (void)pthread_mutex_lock(&world->lock);
    /* A worker in the middle of feeding a stream holds the lock; after this it sees NULL. */
    if (by_exchange)
        visit->exchange = NULL;
    left = --visit->refs;
    (void)pthread_mutex_unlock(&world->lock);
    if (left == 0)
        free(visit);
}

static void end_visit(void *ctx, struct http_exchange *x)
{
    struct world *world = (struct world *)ctx;

    release(world, (struct visit *)x->owner, true);
    atomic_fetch_add(&world->ended, 1);
}

static void feed_stream(struct world *world, struct visit *visit)
{
    for (int i = 0; i < STREAM_PIECES; i++) {
        (void)pthread_mutex_lock(&world->lock);
        atomic_fetch_add(&visit->made_pieces, 1);
        if (visit->exchange != NULL)
            http_exchange_resume(visit->exchange);
        (void)pthread_mutex_unlock(&world->lock);
    }
    release(world, visit, false);
}

static void *resume_all(void *ctx)
{
    struct world *world = (struct world *)ctx;
    struct mail *mail;

    while ((mail = mailbox_take(world->mailbox, -1)) != NULL) {
        while (mail != NULL) {
            struct visit *visit = (struct visit *)mail;

            mail = mail->next;
            if (visit->rounds > 0)
                http_exchange_resume(visit->exchange);
            else
                feed_stream(world, visit);
        }
    }
    return NULL;
}

static struct world *world_new(struct http_server_config config)
{
    struct world *world = (struct world *)calloc(1, sizeof(*world));
    struct error why = {0};

    assert_non_null(world);
    (void)pthread_mutex_init(&world->lock, NULL);
    world->handler = (struct http_handler){
            .begin = begin, .complete = complete, .end = end_visit, .ctx = world, .refuse = refuse};
    world->mailbox = mailbox_new(0, NULL, NULL);
    assert_int_equal(pthread_create(&world->worker, NULL, resume_all, world), 0);
    config.handler = &world->handler;
    if (config.listen.ptr == NULL)
        config.listen = STR("127.0.0.1:0");
    if (config.threads == 0)
        config.threads = 1;
    if (config.max_connections == 0)
        config.max_connections = 100;
    if (config.idle_timeout_s == 0)
        config.idle_timeout_s = 30;
    if (http_server_start(&config, &world->server, &why) != ERR_NONE)
        fail_msg("%s", why.text);
    return world;
}

static void world_free(struct world *world)
{
    http_server_stop(world->server);
    mailbox_close(world->mailbox);
    (void)pthread_join(world->worker, NULL);
    mailbox_free(world->mailbox);
    assert_int_equal(world->begun, world->ended);
    (void)pthread_mutex_destroy(&world->lock);
    free(world);
}

static int set_up(void **state)
{
    *state = world_new((struct http_server_config){0});
    return 0;
}

static int tear_down(void **state)
{
    world_free((struct world *)*state);
    return 0;
}

static int dial(const struct world *world)
{
    int fd = tcp_connect(http_server_address(world->server));

    assert_true(fd >= 0);
    return fd;
}

/** Sends and reads until the server closes: the request has to say "Connection: close", or be
 *  refused. The caller frees. */
static struct buf talk(const struct world *world, struct str request)
{
    struct buf answer = {0};
    int fd = dial(world);

    assert_true(tcp_send(fd, request));
    assert_true(tcp_read_end(fd, &answer));
    buf_add_char(&answer, '\0');
    (void)close(fd);
    return answer;
}

static void assert_has(const struct buf *answer, const char *text)
{
    if (memmem(answer->ptr, answer->len, text, strlen(text)) == NULL)
        fail_msg("no \"%s\" in \"%.*s\"", text, (int)answer->len, answer->ptr);
}

static size_t count_of(const struct buf *answer, const char *text)
{
    const char *at = answer->ptr;
    size_t count = 0;

    while ((at = memmem(at, answer->len - (size_t)(at - answer->ptr), text, strlen(text))) !=
            NULL) {
        count++;
        at += strlen(text);
    }
    return count;
}

static void assert_answer(const struct world *world, struct str request, const char *text)
{
    struct buf answer = talk(world, request);

    assert_has(&answer, text);
    buf_done(&answer);
}

static void a_request_is_seen_whole_and_answered(void **state)
{
    struct world *world = (struct world *)*state;
    struct buf answer = talk(world,
            STR("POST /a%20b/c?q=x%20y+z&r=1 HTTP/1.1\r\nHost: h\r\nX-In: seen\r\n"
                "Content-Length: 5\r\nConnection: close\r\n\r\nhello"));

    assert_has(&answer, "HTTP/1.1 200 OK\r\n");
    assert_has(&answer, "Content-Type: text/plain\r\n");
    assert_has(&answer, "X-Seen: seen\r\n");
    assert_has(&answer, "Date: ");
    assert_has(&answer, "POST /a%20b/c 5 127.0.0.1 q=x y z [q=x y z][r=1][Host=h][X-In=seen]");
    assert_has(&answer, " body=hello");
    buf_done(&answer);
}

static void the_absolute_form_of_a_target_loses_its_host(void **state)
{
    struct world *world = (struct world *)*state;

    assert_answer(world,
            STR("GET http://h/p?q=1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
            "GET /p -1 127.0.0.1 q=1");
    assert_answer(world,
            STR("GET http://h HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"),
            "GET / -1 127.0.0.1");
}

static void pipelined_requests_are_answered_in_order_on_one_connection(void **state)
{
    struct world *world = (struct world *)*state;
    struct buf answer = talk(world,
            STR("POST /one HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
                "GET /early HTTP/1.1\r\nHost: h\r\n\r\n"
                "GET /two HTTP/1.1\r\nHost: h\r\n\r\n"
                "GET /suspend HTTP/1.1\r\nHost: h\r\n\r\n"
                "GET /three HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
    const char *one;
    const char *two;
    const char *three;

    assert_int_equal(count_of(&answer, "HTTP/1.1 200 OK"), 4);
    assert_int_equal(count_of(&answer, "HTTP/1.1 401 "), 1);
    one = strstr(answer.ptr, "POST /one 3");
    two = strstr(answer.ptr, "GET /two -1");
    three = strstr(answer.ptr, "GET /three -1");
    assert_true(one != NULL && two != NULL && three != NULL && one < two && two < three);
    buf_done(&answer);
}

static void an_early_reply_with_a_body_still_to_come_keeps_the_connection(void **state)
{
    struct world *world = (struct world *)*state;
    struct buf answer = talk(world,
            STR("POST /early HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"
                "GET /two HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));

    assert_has(&answer, "HTTP/1.1 401 ");
    assert_has(&answer, "who are you");
    assert_has(&answer, "GET /two -1");
    buf_done(&answer);
}

static void an_early_reply_spares_a_client_that_asks_before_it_sends(void **state)
{
    struct world *world = (struct world *)*state;

    /* No 100 and no body: talk() would hang if the server waited for either. */
    struct buf answer = talk(world,
            STR("POST /early HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
                "Expect: 100-continue\r\n\r\n"));

    assert_int_equal(count_of(&answer, "HTTP/1.1 100"), 0);
    assert_has(&answer, "HTTP/1.1 401 ");
    buf_done(&answer);
}

static void expect_100_is_answered_before_the_body(void **state)
{
    struct world *world = (struct world *)*state;
    struct buf answer = {0};
    int fd = dial(world);

    assert_true(tcp_send(fd,
            STR("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
                "Expect: 100-continue\r\nConnection: close\r\n\r\n")));
    assert_true(tcp_read_until(fd, &answer, "HTTP/1.1 100 Continue\r\n\r\n"));
    assert_true(tcp_send(fd, STR("abc")));
    assert_true(tcp_read_until(fd, &answer, "body=abc"));
    (void)close(fd);
    buf_done(&answer);
}

static void a_chunked_body_is_put_together(void **state)
{
    struct world *world = (struct world *)*state;

    assert_answer(world,
            STR("POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
                "Connection: close\r\n\r\n"
                "3\r\nabc\r\n4;ext=1\r\ndefg\r\n0\r\n\r\n"),
            "body=abcdefg");
}

static void a_body_can_be_taken_piece_by_piece(void **state)
{
    struct world *world = (struct world *)*state;

    assert_answer(world,
            STR("POST /pieces HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
                "Connection: close\r\n\r\n"
                "3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"),
            "took 7");
    assert_true(world->body_pieces >= 2);
}

static void a_taker_of_pieces_can_refuse_in_the_middle(void **state)
{
    struct world *world = (struct world *)*state;
    struct buf answer = talk(world,
            STR("POST /pieces HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                "3\r\nab!\r\n4\r\ndefg\r\n0\r\n\r\n"
                "GET /two HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));

    assert_has(&answer, "HTTP/1.1 422 ");
    assert_has(&answer, "no exclamation");
    assert_has(&answer, "GET /two -1");
    assert_int_equal(world->body_pieces, 1);
    buf_done(&answer);
}

static void a_body_above_the_limit_is_413_whether_announced_or_not(void **state)
{
    struct world *world = (struct world *)*state;
    struct buf request = {0};

    assert_answer(world,
            STR("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999\r\n\r\n"),
            "refused: the body is too large");
    assert_answer(world,
            STR("POST /no-body HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n"
                "Connection: close\r\n\r\nx"),
            "HTTP/1.1 413 ");
    buf_add_text(&request,
            "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
            "Connection: close\r\n\r\n");
    for (int i = 0; i < BODY_MAX / 1024 + 1; i++) {
        buf_add_text(&request, "400\r\n");
        memset(buf_reserve(&request, 1024), 'x', 1024);
        request.len += 1024;
        buf_add_text(&request, "\r\n");
    }
    buf_add_text(&request, "0\r\n\r\n");
    assert_answer(world, buf_str(&request), "HTTP/1.1 413 ");
    buf_done(&request);
}

static void a_body_of_exactly_the_limit_is_taken(void **state)
{
    struct world *world = (struct world *)*state;
    struct buf request = {0};

    buf_addf(&request,
            "POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\nConnection: close\r\n\r\n",
            BODY_MAX);
    memset(buf_reserve(&request, BODY_MAX), 'x', BODY_MAX);
    request.len += BODY_MAX;
    assert_answer(world, buf_str(&request), "HTTP/1.1 200 ");
    buf_done(&request);
}

static void what_could_be_read_in_two_ways_is_refused(void **state)
{
    const struct {
        struct str request;
        const char *status;
    } bad[] = {
            {STR("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
                    "400"},
            {STR("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
                 "Content-Length: 3\r\n\r\nabc"),
                    "400"},
            {STR("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3, 3\r\n\r\nabc"), "400"},
            {STR("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: +3\r\n\r\nabc"), "400"},
            {STR("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: -3\r\n\r\nabc"), "400"},
            {STR("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 0x3\r\n\r\nabc"), "400"},
            {STR("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length : 3\r\n\r\nabc"), "400"},
            {STR("POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"), "400"},
            {STR("POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n"), "400"},
            {STR("POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
                    "400"},
            {STR("POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "400"},
            {STR("GET /x HTTP/1.1\r\n\r\n"), "400"},
            {STR("GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), "400"},
            {STR("GET /x\0y HTTP/1.1\r\nHost: h\r\n\r\n"), "400"},
            {STR("GET /x?a=%00 HTTP/1.1\r\nHost: h\r\n\r\n"), "400"},
            {STR("GET /x?a=%zz HTTP/1.1\r\nHost: h\r\n\r\n"), "400"},
            {STR("GET x HTTP/1.1\r\nHost: h\r\n\r\n"), "400"},
            {STR("GET /x y HTTP/1.1\r\nHost: h\r\n\r\n"), "400"},
            {STR("GET /x\ty HTTP/1.1\r\nHost: h\r\n\r\n"), "400"},
            {STR("G@T /x HTTP/1.1\r\nHost: h\r\n\r\n"), "400"},
            {STR("GET /x HTTP/1.1\r\nHost: h\r\nX: a\rY: b\r\n\r\n"), "400"},
            {STR("GET /x HTTP/1.1\r\nHost: h\r\nNo colon\r\n\r\n"), "400"},
            {STR("POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), "400"},
    };
    struct world *world = (struct world *)*state;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct buf answer = talk(world, bad[i].request);
        char wanted[32];

        (void)snprintf(wanted, sizeof(wanted), " %s ", bad[i].status);
        if (answer.len < 13 || memcmp(answer.ptr + 8, wanted, strlen(wanted)) != 0)
            fail_msg("row %zu: \"%.*s\"", i, (int)answer.len, answer.ptr);
        buf_done(&answer);
    }
    /* Only the last has a good head; and no body was taken for a second request. */
    assert_int_equal(world->begun, 1);
}

static void a_refusal_of_a_broken_head_goes_through_the_handler(void **state)
{
    struct world *world = (struct world *)*state;

    assert_answer(world,
            STR("GET /x?a=%zz HTTP/1.1\r\nHost: h\r\n\r\n"),
            "broken: the query has a broken percent-escape");
    assert_int_equal(world->begun, 0);
}

static void a_head_above_the_limit_is_refused(void **state)
{
    struct world *world = (struct world *)*state;
    struct buf request = {0};
    struct buf answer;

    buf_add_text(&request, "GET /x HTTP/1.1\r\nHost: h\r\nX-Long: ");
    memset(buf_reserve(&request, 40000), 'a', 40000);
    request.len += 40000;
    buf_add_text(&request, "\r\n\r\n");
    answer = talk(world, buf_str(&request));
    /* The reset of a connection with unread bytes may overtake the words. */
    if (answer.len > 1)
        assert_has(&answer, "HTTP/1.1 431 ");
    assert_int_equal(world->begun, 0);
    buf_done(&answer);
    buf_done(&request);
}

static void a_head_request_gets_the_headers_alone(void **state)
{
    struct world *world = (struct world *)*state;
    struct buf answer =
            talk(world, STR("HEAD /file HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));

    assert_has(&answer, "HTTP/1.1 206 ");
    assert_has(&answer, "Content-Length: 5\r\n");
    assert_int_equal(memcmp(answer.ptr + answer.len - 5, "\r\n\r\n", 5), 0);
    buf_done(&answer);
}

static void a_part_of_a_file_is_sent(void **state)
{
    struct world *world = (struct world *)*state;
    struct buf answer =
            talk(world, STR("GET /file HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));

    assert_has(&answer, "HTTP/1.1 206 ");
    assert_has(&answer, "Content-Type: audio/mpeg\r\n");
    assert_has(&answer, "Content-Length: 5\r\n");
    assert_has(&answer, "\r\n\r\n34567");
    buf_done(&answer);
}

static void a_reply_without_body_has_none(void **state)
{
    struct world *world = (struct world *)*state;
    struct buf answer =
            talk(world, STR("GET /empty HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));

    assert_has(&answer, "HTTP/1.1 204 ");
    assert_int_equal(count_of(&answer, "Content-Type"), 0);
    buf_done(&answer);
}

static void thousands_of_suspended_requests_are_resumed_from_another_thread(void **state)
{
    enum { REQUESTS = 3000, CONNECTIONS = 10 };
    struct world *world = world_new((struct http_server_config){.threads = 2});
    int fds[CONNECTIONS];
    struct buf answer = {0};

    (void)state;
    for (int i = 0; i < CONNECTIONS; i++) {
        struct buf request = {0};

        fds[i] = dial(world);
        for (int n = 0; n < REQUESTS / CONNECTIONS; n++)
            buf_addf(&request,
                    "GET /suspend HTTP/1.1\r\nHost: h\r\n%s\r\n",
                    n + 1 == REQUESTS / CONNECTIONS ? "Connection: close\r\n" : "");
        assert_true(tcp_send(fds[i], buf_str(&request)));
        buf_done(&request);
    }
    for (int i = 0; i < CONNECTIONS; i++) {
        assert_true(tcp_read_end(fds[i], &answer));
        (void)close(fds[i]);
    }
    assert_int_equal(count_of(&answer, "\r\n\r\nresumed"), REQUESTS);
    assert_int_equal(world->begun, REQUESTS);
    buf_done(&answer);
    world_free(world);
}

static void a_stream_flows_until_it_ends(void **state)
{
    struct world *world = (struct world *)*state;

    for (int i = 0; i < 20; i++) {
        struct buf answer =
                talk(world, STR("GET /stream HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));

        assert_has(&answer, "text/event-stream");
        assert_int_equal(count_of(&answer, "piece."), STREAM_PIECES);
        buf_done(&answer);
    }
}

static void a_client_that_leaves_ends_its_stream(void **state)
{
    struct world *world = (struct world *)*state;
    struct buf answer = {0};
    int fd = dial(world);

    assert_true(tcp_send(fd, STR("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n")));
    assert_true(tcp_read_until(fd, &answer, "piece."));
    tcp_reset(fd);
    buf_done(&answer);
    /* tear_down sees that every begin has its end */
}

static void a_stop_ends_silent_streams(void **state)
{
    struct world *world = world_new((struct http_server_config){0});
    struct buf answer = {0};
    int fd = dial(world);

    (void)state;
    assert_true(tcp_send(fd, STR("GET /silent HTTP/1.1\r\nHost: h\r\n\r\n")));
    assert_true(tcp_read_until(fd, &answer, "\r\n\r\n"));
    assert_int_equal(http_server_active(world->server), 1);
    world_free(world);
    assert_true(tcp_is_closed_within(fd, TCP_DEADLINE_MS));
    (void)close(fd);
    buf_done(&answer);
}

static void after_quiesce_the_old_go_on_and_the_new_are_refused(void **state)
{
    struct world *world = world_new((struct http_server_config){.threads = 3});
    struct buf answer = {0};
    int fd = dial(world);

    (void)state;
    assert_true(tcp_send(fd, STR("GET /one HTTP/1.1\r\nHost: h\r\n\r\n")));
    assert_true(tcp_read_until(fd, &answer, "GET /one"));
    http_server_quiesce(world->server);
    http_server_quiesce(world->server);
    assert_int_equal(tcp_connect(http_server_address(world->server)), -1);
    assert_true(tcp_send(fd, STR("GET /two HTTP/1.1\r\nHost: h\r\n\r\n")));
    assert_true(tcp_read_until(fd, &answer, "GET /two"));
    (void)close(fd);
    buf_done(&answer);
    world_free(world);
}

static void a_head_that_does_not_come_is_cut(void **state)
{
    struct world *world = world_new((struct http_server_config){.head_timeout_ms = 100});
    struct buf answer = {0};
    int fd = dial(world);

    (void)state;
    assert_true(tcp_send(fd, STR("GET /x HTTP/1.1\r\nHo")));
    assert_true(tcp_read_end(fd, &answer));
    assert_int_equal(answer.len, 0);
    (void)close(fd);
    buf_done(&answer);
    world_free(world);
}

static void a_body_that_drips_is_cut(void **state)
{
    struct world *world = world_new((struct http_server_config){.body_timeout_ms = 100});
    struct buf answer = {0};
    int fd = dial(world);
    int sent = 0;

    (void)state;
    assert_true(tcp_send(fd, STR("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5000\r\n\r\n")));
    /* A byte each 5 ms: never idle, and done in 25 s, had it the time. */
    while (!tcp_is_closed_within(fd, 5) && tcp_send(fd, STR("x")))
        sent++;
    assert_true(sent < 2000);
    (void)close(fd);
    buf_done(&answer);
    world_free(world);
}

static void a_kept_alive_connection_outlives_the_limits_of_one_request(void **state)
{
    struct world *world = world_new((struct http_server_config){.body_timeout_ms = 50});
    struct buf answer = {0};
    int fd = dial(world);

    (void)state;
    assert_true(tcp_send(fd, STR("POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx")));
    assert_true(tcp_read_until(fd, &answer, "body=x"));
    assert_false(tcp_is_closed_within(fd, 200));
    (void)close(fd);
    buf_done(&answer);
    world_free(world);
}

static void it_listens_on_ipv6_too(void **state)
{
    struct world *world = world_new((struct http_server_config){.listen = STR("[::1]:0")});

    (void)state;
    assert_int_equal(strncmp(http_server_address(world->server), "[::1]:", 6), 0);
    assert_answer(world, STR("GET /x HTTP/1.0\r\n\r\n"), "GET /x -1 ::1 ");
    world_free(world);
}

static void an_address_in_use_is_told(void **state)
{
    struct world *world = (struct world *)*state;
    struct http_server_config config = {.listen = str_from(http_server_address(world->server)),
            .threads = 1,
            .max_connections = 1,
            .idle_timeout_s = 1,
            .handler = &world->handler};
    struct http_server *second = NULL;
    struct error why = {0};

    assert_int_equal(http_server_start(&config, &second, &why), ERR_UNAVAILABLE);
    assert_non_null(strstr(why.text, "cannot be bound"));
    assert_null(second);
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
            WITH_WORLD(a_request_is_seen_whole_and_answered),
            WITH_WORLD(the_absolute_form_of_a_target_loses_its_host),
            WITH_WORLD(pipelined_requests_are_answered_in_order_on_one_connection),
            WITH_WORLD(an_early_reply_with_a_body_still_to_come_keeps_the_connection),
            WITH_WORLD(an_early_reply_spares_a_client_that_asks_before_it_sends),
            WITH_WORLD(expect_100_is_answered_before_the_body),
            WITH_WORLD(a_chunked_body_is_put_together),
            WITH_WORLD(a_body_can_be_taken_piece_by_piece),
            WITH_WORLD(a_taker_of_pieces_can_refuse_in_the_middle),
            WITH_WORLD(a_body_above_the_limit_is_413_whether_announced_or_not),
            WITH_WORLD(a_body_of_exactly_the_limit_is_taken),
            WITH_WORLD(what_could_be_read_in_two_ways_is_refused),
            WITH_WORLD(a_refusal_of_a_broken_head_goes_through_the_handler),
            WITH_WORLD(a_head_above_the_limit_is_refused),
            WITH_WORLD(a_head_request_gets_the_headers_alone),
            WITH_WORLD(a_part_of_a_file_is_sent),
            WITH_WORLD(a_reply_without_body_has_none),
            cmocka_unit_test(thousands_of_suspended_requests_are_resumed_from_another_thread),
            WITH_WORLD(a_stream_flows_until_it_ends),
            WITH_WORLD(a_client_that_leaves_ends_its_stream),
            cmocka_unit_test(a_stop_ends_silent_streams),
            cmocka_unit_test(after_quiesce_the_old_go_on_and_the_new_are_refused),
            cmocka_unit_test(a_head_that_does_not_come_is_cut),
            cmocka_unit_test(a_body_that_drips_is_cut),
            cmocka_unit_test(a_kept_alive_connection_outlives_the_limits_of_one_request),
            cmocka_unit_test(it_listens_on_ipv6_too),
            WITH_WORLD(an_address_in_use_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
