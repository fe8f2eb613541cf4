/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unit tests of net/http_client_curl against a receiver of raw TCP: what is sent, what comes of
 * every kind of answer, and which addresses are never connected to.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "net/http_client_curl.h"
#include "support/http_receiver.h"
#include "support/tcp_peer.h"

enum { TIMEOUT_MS = 10000, SHORT_MS = 150, KEEP_BYTES = 16 * 1024, READ_BYTES = 64 * 1024 };

struct world {
    struct http_receiver *receiver;
    struct resolver *resolver;
    struct http_client *client;
    bool loopback_is_allowed;
};

/* -------------------------------------------------------------------- names and addresses */

static void set_v4(struct resolver_answer *answer, uint32_t address)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&answer->addresses[answer->count++];

    v4->sin_family = AF_INET;
    v4->sin_addr.s_addr = htonl(address);
    answer->err = ERR_NONE;
}

/** "slow.example" is not answered while it is closed. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool closed;
} gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void set_gate(bool closed)
{
    (void)pthread_mutex_lock(&gate.lock);
    gate.closed = closed;
    (void)pthread_cond_broadcast(&gate.changed);
    (void)pthread_mutex_unlock(&gate.lock);
}

static void lookup_double(const char *host, struct resolver_answer *ret_answer)
{
    ret_answer->err = ERR_NOT_FOUND;
    if (strcmp(host, "good.example") == 0) {
        set_v4(ret_answer, INADDR_LOOPBACK);
    } else if (strcmp(host, "mixed.example") == 0) {
        set_v4(ret_answer, INADDR_LOOPBACK);
        set_v4(ret_answer, 0x0a000001);
    } else if (strcmp(host, "private.example") == 0) {
        set_v4(ret_answer, 0x0a000001);
    } else if (strcmp(host, "later.example") == 0) {
        ret_answer->err = ERR_UNAVAILABLE;
    } else if (strcmp(host, "slow.example") == 0) {
        (void)pthread_mutex_lock(&gate.lock);
        while (gate.closed)
            (void)pthread_cond_wait(&gate.changed, &gate.lock);
        (void)pthread_mutex_unlock(&gate.lock);
        set_v4(ret_answer, INADDR_LOOPBACK);
    }
}

static enum err check(void *ctx, const struct sockaddr *address, struct error *why)
{
    const struct world *world = (const struct world *)ctx;

    if (address->sa_family != AF_INET)
        return error_set(why, ERR_DENIED, "no IPv6 here");
    if (((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr ==
            htonl(INADDR_LOOPBACK))
        return world->loopback_is_allowed ? ERR_NONE
                                          : error_set(why, ERR_DENIED, "loopback is refused");
    return error_set(why, ERR_DENIED, "the address is refused");
}

/* ------------------------------------------------------------------------------ the world */

static int set_up(void **state)
{
    struct world *world = (struct world *)calloc(1, sizeof(*world));
    struct http_client_curl_config config = {.check = check,
            .check_ctx = world,
            .user_agent = "CallSync/test",
            .max_connections = 100};
    struct error why = {0};

    assert_non_null(world);
    world->loopback_is_allowed = true;
    world->receiver = http_receiver_new();
    world->resolver = resolver_new(2, lookup_double);
    config.resolver = world->resolver;
    assert_int_equal(http_client_curl_open(&config, &world->client, &why), ERR_NONE);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = (struct world *)*state;

    set_gate(false);
    http_client_free(world->client);
    resolver_free(world->resolver);
    http_receiver_free(world->receiver);
    free(world);
    return 0;
}

/** A request and what the test wants to know of its end. */
struct probe {
    struct http_request request;
    char url[256];
    struct http_client *client;
    int done_count;
    struct buf pieces;
};

static void note_done(struct http_request *request)
{
    struct probe *probe = (struct probe *)request->owner;

    assert_null(request->impl);
    probe->done_count++;
}

static void
probe_init(struct probe *probe, const struct world *world, const char *host, const char *path)
{
    memset(probe, 0, sizeof(*probe));
    probe->client = world->client;
    (void)snprintf(probe->url,
            sizeof(probe->url),
            "http://%s:%u%s",
            host,
            http_receiver_port(world->receiver),
            path);
    probe->request = (struct http_request){.method = "GET",
            .url = probe->url,
            .timeout_ms = TIMEOUT_MS,
            .keep_bytes = KEEP_BYTES,
            .read_bytes = READ_BYTES,
            .done = note_done,
            .owner = probe};
}

static void probe_done(struct probe *probe)
{
    buf_done(&probe->request.response_headers);
    buf_done(&probe->request.response_body);
    buf_done(&probe->pieces);
}

static void run_until_done(const struct world *world, const struct probe *probe)
{
    int64_t until_us = clock_mono_us(clock_real()) + (int64_t)2 * TIMEOUT_MS * 1000;

    while (probe->done_count == 0 && clock_mono_us(clock_real()) < until_us)
        http_client_run(world->client, 1000);
    assert_int_equal(probe->done_count, 1);
}

static void get(struct probe *probe, const struct world *world, const char *path)
{
    probe_init(probe, world, "127.0.0.1", path);
    http_client_start(world->client, &probe->request);
    assert_int_equal(probe->done_count, 0);
    run_until_done(world, probe);
}

static bool holds(const struct buf *buf, const char *text)
{
    return buf->len > 0 && memmem(buf->ptr, buf->len, text, strlen(text)) != NULL;
}

static void assert_buf(const struct buf *buf, const char *text)
{
    assert_int_equal(buf->len, strlen(text));
    assert_memory_equal(buf->len > 0 ? buf->ptr : "", text, buf->len);
}

/* ---------------------------------------------------------------------------------- tests */

static void a_post_is_sent_as_given_and_nothing_is_added(void **state)
{
    static const char *const lines[] = {"Content-Type: application/json", "X-Mine: caf\xc3\xa9"};
    struct world *world = (struct world *)*state;
    struct probe probe;

    probe_init(&probe, world, "127.0.0.1", "/ok");
    probe.request.method = "POST";
    probe.request.header_lines = lines;
    probe.request.header_count = 2;
    probe.request.body = STR("{\"a\":1}");
    http_client_start(world->client, &probe.request);
    assert_int_equal(http_client_active(world->client), 1);
    run_until_done(world, &probe);
    assert_int_equal(http_client_active(world->client), 0);
    assert_int_equal(probe.request.error, HTTP_OK);
    assert_int_equal(probe.request.status, 200);
    assert_buf(&probe.request.response_headers, "X-A: 1\nContent-Length: 5\n");
    assert_buf(&probe.request.response_body, "hello");
    assert_false(probe.request.body_cut);
    assert_string_equal(probe.request.detail, "");
    assert_true(probe.request.times.total_us > 0);
    assert_true(probe.request.times.connect_us > 0);
    assert_true(probe.request.times.first_byte_us <= probe.request.times.total_us);
    assert_int_equal(strncmp(probe.request.address, "127.0.0.1:", 10), 0);
    assert_true(http_receiver_saw(world->receiver, "POST /ok HTTP/1.1\r\n"));
    assert_true(http_receiver_saw(world->receiver, "User-Agent: CallSync/test\r\n"));
    assert_true(http_receiver_saw(world->receiver, "Content-Type: application/json\r\n"));
    assert_true(http_receiver_saw(world->receiver, "X-Mine: caf\xc3\xa9\r\n"));
    assert_true(http_receiver_saw(world->receiver, "Content-Length: 7\r\n"));
    assert_true(http_receiver_saw(world->receiver, "\r\n\r\n{\"a\":1}"));
    assert_false(http_receiver_saw(world->receiver, "Accept"));
    assert_false(http_receiver_saw(world->receiver, "Expect"));
    assert_false(http_receiver_saw(world->receiver, "x-www-form-urlencoded"));
    probe_done(&probe);
}

static void each_method_goes_out_by_its_name(void **state)
{
    static const struct {
        const char *method;
        struct str body;
        const char *sent;
        bool has_length;
    } rows[] = {
            {"GET", {NULL, 0}, "GET /ok ", false},
            {"DELETE", {NULL, 0}, "DELETE /ok ", false},
            {"POST", {NULL, 0}, "POST /ok ", true},
            {"PUT", {"x", 1}, "PUT /ok ", true},
            {"GET", {NULL, 0}, "GET /ok ", false},
    };
    struct world *world = (struct world *)*state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct probe probe;

        http_receiver_forget(world->receiver);
        probe_init(&probe, world, "127.0.0.1", "/ok");
        probe.request.method = rows[i].method;
        probe.request.body = rows[i].body;
        http_client_start(world->client, &probe.request);
        run_until_done(world, &probe);
        assert_int_equal(probe.request.error, HTTP_OK);
        assert_true(http_receiver_saw(world->receiver, rows[i].sent));
        assert_int_equal(http_receiver_saw(world->receiver, "Content-Length"), rows[i].has_length);
        probe_done(&probe);
    }
}

static void connections_are_kept_alive(void **state)
{
    struct world *world = (struct world *)*state;

    for (int i = 0; i < 20; i++) {
        struct probe probe;

        get(&probe, world, "/ok");
        assert_int_equal(probe.request.error, HTTP_OK);
        assert_int_equal(probe.request.times.connect_us > 0, i == 0);
        probe_done(&probe);
    }
    assert_int_equal(http_receiver_connections(world->receiver), 1);
}

static void every_answer_has_its_outcome(void **state)
{
    static const struct {
        const char *path;
        enum http_error error;
        int64_t status;
        const char *body; /* NULL: not looked at */
    } rows[] = {
            {"/ok", HTTP_OK, 200, "hello"},
            {"/error", HTTP_OK, 500, "oops"},
            {"/redirect", HTTP_OK, 301, ""},
            {"/chunked", HTTP_OK, 200, "abcdefg"},
            {"/close", HTTP_RESET, 0, ""},
            {"/reset", HTTP_RESET, 0, ""},
            {"/short", HTTP_RESET, 200, "abc"},
            {"/short-chunk", HTTP_RESET, 200, "abc"},
            {"/garbage", HTTP_BAD_RESPONSE, 0, ""},
            {"/bad-status", HTTP_BAD_RESPONSE, 0, ""},
            {"/two-lengths", HTTP_BAD_RESPONSE, 0, ""},
            {"/endless-headers", HTTP_BAD_RESPONSE, 0, ""},
            {"/endless-line", HTTP_BAD_RESPONSE, 0, ""},
            {"/endless-interim", HTTP_BAD_RESPONSE, 0, ""},
            {"/ok", HTTP_OK, 200, "hello"},
    };
    struct world *world = (struct world *)*state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct probe probe;

        get(&probe, world, rows[i].path);
        if (probe.request.error != rows[i].error || probe.request.status != rows[i].status)
            fail_msg("%s: %s, status %d, \"%s\"",
                    rows[i].path,
                    http_error_name(probe.request.error),
                    (int)probe.request.status,
                    probe.request.detail);
        assert_int_equal(probe.request.detail[0] == '\0', rows[i].error == HTTP_OK);
        if (rows[i].body != NULL)
            assert_buf(&probe.request.response_body, rows[i].body);
        assert_true(probe.request.response_headers.len <= HTTP_HEADERS_MAX_BYTES);
        probe_done(&probe);
    }
}

static void a_redirect_is_not_followed(void **state)
{
    struct world *world = (struct world *)*state;
    struct probe probe;

    get(&probe, world, "/redirect");
    assert_true(holds(&probe.request.response_headers, "Location: /ok\n"));
    assert_false(http_receiver_saw(world->receiver, "GET /ok"));
    probe_done(&probe);
}

static void interim_answers_are_discarded(void **state)
{
    struct world *world = (struct world *)*state;
    struct probe probe;

    get(&probe, world, "/interim");
    assert_int_equal(probe.request.error, HTTP_OK);
    assert_int_equal(probe.request.status, 201);
    assert_buf(&probe.request.response_headers, "X-Late: 1\nContent-Length: 0\n");
    probe_done(&probe);
}

static void trailers_are_no_headers(void **state)
{
    struct world *world = (struct world *)*state;
    struct probe probe;

    get(&probe, world, "/chunked");
    assert_buf(&probe.request.response_headers, "Transfer-Encoding: chunked\n");
    probe_done(&probe);
}

static void odd_header_bytes_do_not_fail_the_request(void **state)
{
    struct world *world = (struct world *)*state;
    struct probe probe;

    get(&probe, world, "/odd-headers");
    assert_int_equal(probe.request.error, HTTP_OK);
    assert_buf(&probe.request.response_headers,
            "X-Latin: caf\xe9\nX-Utf8: \xc3\xbc\nX-Bell: a z\nX-Folded: one two\n"
            "Content-Length: 0\n");
    probe_done(&probe);
}

static void a_gzip_body_is_left_as_it_is(void **state)
{
    struct world *world = (struct world *)*state;
    struct probe probe;

    get(&probe, world, "/gzip");
    assert_int_equal(probe.request.error, HTTP_OK);
    assert_int_equal(probe.request.response_body.len, 10);
    assert_memory_equal(probe.request.response_body.ptr, "\x1f\x8b\x08", 3);
    probe_done(&probe);
}

static void a_long_body_is_kept_in_part_and_a_huge_one_not_even_read(void **state)
{
    struct world *world = (struct world *)*state;
    struct probe probe;

    get(&probe, world, "/medium");
    assert_int_equal(probe.request.error, HTTP_OK);
    assert_int_equal(probe.request.response_body.len, KEEP_BYTES);
    assert_true(probe.request.body_cut);
    probe_done(&probe);
    get(&probe, world, "/large");
    assert_int_equal(probe.request.error, HTTP_OK);
    assert_int_equal(probe.request.status, 200);
    assert_int_equal(probe.request.response_body.len, KEEP_BYTES);
    assert_true(probe.request.body_cut);
    probe_done(&probe);
    /* The medium one left its connection usable, the huge one did not. */
    get(&probe, world, "/ok");
    assert_int_equal(http_receiver_connections(world->receiver), 2);
    probe_done(&probe);
}

static bool take_piece(struct http_request *request, struct str piece)
{
    struct probe *probe = (struct probe *)request->owner;

    buf_add_str(&probe->pieces, piece);
    return probe->pieces.len < 1000000;
}

static void pieces_go_to_their_receiver_for_a_success_alone(void **state)
{
    struct world *world = (struct world *)*state;
    struct probe probe;

    probe_init(&probe, world, "127.0.0.1", "/medium");
    probe.request.on_body = take_piece;
    probe.request.read_bytes = 0;
    http_client_start(world->client, &probe.request);
    run_until_done(world, &probe);
    assert_int_equal(probe.request.error, HTTP_OK);
    assert_int_equal(probe.pieces.len, 50000);
    assert_int_equal(probe.request.response_body.len, 0);
    probe_done(&probe);

    probe_init(&probe, world, "127.0.0.1", "/error");
    probe.request.on_body = take_piece;
    http_client_start(world->client, &probe.request);
    run_until_done(world, &probe);
    assert_int_equal(probe.pieces.len, 0);
    assert_buf(&probe.request.response_body, "oops");
    probe_done(&probe);
}

static void a_receiver_of_pieces_can_end_it(void **state)
{
    struct world *world = (struct world *)*state;
    struct probe probe;

    probe_init(&probe, world, "127.0.0.1", "/large");
    probe.request.on_body = take_piece;
    probe.request.read_bytes = 0;
    http_client_start(world->client, &probe.request);
    run_until_done(world, &probe);
    assert_int_equal(probe.request.error, HTTP_OTHER);
    assert_true(probe.pieces.len >= 1000000 && probe.pieces.len < 2000000);
    probe_done(&probe);
}

static void the_timeout_covers_everything(void **state)
{
    static const struct {
        const char *host;
        const char *path;
    } rows[] = {{"127.0.0.1", "/nothing"}, {"127.0.0.1", "/drip-body"}, {"slow.example", "/ok"}};
    struct world *world = (struct world *)*state;

    set_gate(true);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct probe probe;

        probe_init(&probe, world, rows[i].host, rows[i].path);
        probe.request.timeout_ms = SHORT_MS;
        http_client_start(world->client, &probe.request);
        run_until_done(world, &probe);
        assert_int_equal(probe.request.error, HTTP_TIMEOUT);
        /* libcurl counts whole milliseconds. */
        assert_true(probe.request.times.total_us >= (SHORT_MS - 5) * 1000);
        assert_true(probe.request.times.total_us < TIMEOUT_MS * 1000);
        probe_done(&probe);
    }
}

static void answer_without_tls(void *ctx, int *fd)
{
    struct buf hello = {0};

    (void)ctx;
    (void)tcp_read_count(*fd, &hello, 1);
    (void)tcp_send(*fd, STR("HTTP/1.1 400 Bad Request\r\n\r\n"));
    buf_done(&hello);
}

static void nobody_listening_is_a_connect_error(void **state)
{
    struct world *world = (struct world *)*state;
    struct tcp_server *gone = tcp_server_new(answer_without_tls, NULL);
    struct probe probe;

    probe_init(&probe, world, "127.0.0.1", "/ok");
    (void)snprintf(probe.url, sizeof(probe.url), "http://127.0.0.1:%u/", tcp_server_port(gone));
    tcp_server_free(gone);
    http_client_start(world->client, &probe.request);
    run_until_done(world, &probe);
    assert_int_equal(probe.request.error, HTTP_CONNECT);
    probe_done(&probe);
}

static void plain_http_where_tls_is_due_is_a_tls_error(void **state)
{
    struct world *world = (struct world *)*state;
    struct tcp_server *plain = tcp_server_new(answer_without_tls, NULL);
    struct probe probe;

    probe_init(&probe, world, "127.0.0.1", "/ok");
    (void)snprintf(probe.url, sizeof(probe.url), "https://127.0.0.1:%u/", tcp_server_port(plain));
    http_client_start(world->client, &probe.request);
    run_until_done(world, &probe);
    assert_int_equal(probe.request.error, HTTP_TLS);
    probe_done(&probe);
    tcp_server_free(plain);
}

static void a_bad_url_is_told_through_done(void **state)
{
    struct world *world = (struct world *)*state;
    struct probe probe;

    probe_init(&probe, world, "127.0.0.1", "/ok");
    probe.request.url = "ftp://127.0.0.1/";
    http_client_start(world->client, &probe.request);
    assert_int_equal(probe.done_count, 0);
    run_until_done(world, &probe);
    assert_int_equal(probe.request.error, HTTP_OTHER);
    assert_non_null(strstr(probe.request.detail, "http://"));
    probe_done(&probe);
}

static void names_are_resolved_and_their_addresses_checked(void **state)
{
    static const struct {
        const char *host;
        enum http_error error;
        const char *detail;
    } rows[] = {
            {"good.example", HTTP_OK, ""},
            {"mixed.example", HTTP_FORBIDDEN, "the address is refused"},
            {"private.example", HTTP_FORBIDDEN, "the address is refused"},
            {"10.0.0.1", HTTP_FORBIDDEN, "the address is refused"},
            {"[::1]", HTTP_FORBIDDEN, "no IPv6 here"},
            {"0x0a000001", HTTP_FORBIDDEN, "the address is refused"},
            {"missing.example", HTTP_DNS, "the host's name has no address"},
            {"later.example", HTTP_DNS, "the host's name cannot be resolved now"},
            {"good.example", HTTP_OK, ""},
    };
    struct world *world = (struct world *)*state;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct probe probe;

        probe_init(&probe, world, rows[i].host, "/ok");
        http_client_start(world->client, &probe.request);
        run_until_done(world, &probe);
        if (probe.request.error != rows[i].error)
            fail_msg("%s: %s \"%s\"",
                    rows[i].host,
                    http_error_name(probe.request.error),
                    probe.request.detail);
        assert_string_equal(probe.request.detail, rows[i].detail);
        probe_done(&probe);
    }
    /* Forbidden means: not even a connection. The good one used one twice. */
    assert_int_equal(http_receiver_connections(world->receiver), 1);
    assert_true(http_receiver_saw(world->receiver, "Host: good.example:"));
}

static void a_url_of_our_own_is_not_checked(void **state)
{
    struct world *world = (struct world *)*state;
    struct probe probe;

    world->loopback_is_allowed = false;
    get(&probe, world, "/ok");
    assert_int_equal(probe.request.error, HTTP_FORBIDDEN);
    assert_string_equal(probe.request.detail, "loopback is refused");
    probe_done(&probe);

    probe_init(&probe, world, "127.0.0.1", "/ok");
    probe.request.any_target = true;
    http_client_start(world->client, &probe.request);
    run_until_done(world, &probe);
    assert_int_equal(probe.request.error, HTTP_OK);
    probe_done(&probe);

    /* The connection that it has left open is of no use to others. */
    get(&probe, world, "/ok");
    assert_int_equal(probe.request.error, HTTP_FORBIDDEN);
    probe_done(&probe);
}

static void a_cancelled_request_ends_in_the_next_run(void **state)
{
    static const struct {
        const char *host;
        const char *path;
        int runs; /* before the cancel */
    } rows[] = {{"127.0.0.1", "/nothing", 0},
            {"127.0.0.1", "/nothing", 5},
            {"slow.example", "/ok", 0},
            {"slow.example", "/ok", 2},
            {"10.0.0.1", "/ok", 0}};
    struct world *world = (struct world *)*state;

    set_gate(true);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct probe probe;
        bool is_forbidden = strcmp(rows[i].host, "10.0.0.1") == 0;

        probe_init(&probe, world, rows[i].host, rows[i].path);
        http_client_start(world->client, &probe.request);
        for (int n = 0; n < rows[i].runs; n++)
            http_client_run(world->client, 0);
        http_client_cancel(world->client, &probe.request);
        http_client_cancel(world->client, &probe.request);
        assert_int_equal(probe.done_count, 0);
        http_client_run(world->client, TIMEOUT_MS);
        assert_int_equal(probe.done_count, 1);
        /* What had ended before stays as it was. */
        assert_int_equal(probe.request.error, is_forbidden ? HTTP_FORBIDDEN : HTTP_CANCELLED);
        http_client_cancel(world->client, &probe.request);
        probe_done(&probe);
    }
    assert_int_equal(http_client_active(world->client), 0);
}

static void free_ends_what_is_under_way(void **state)
{
    struct world *world = (struct world *)*state;
    struct probe probes[3];

    set_gate(true);
    probe_init(&probes[0], world, "127.0.0.1", "/nothing");
    probe_init(&probes[1], world, "slow.example", "/ok");
    probe_init(&probes[2], world, "10.0.0.1", "/ok");
    for (size_t i = 0; i < 3; i++)
        http_client_start(world->client, &probes[i].request);
    http_client_free(world->client);
    world->client = NULL;
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(probes[i].done_count, 1);
        probe_done(&probes[i]);
    }
    assert_int_equal(probes[0].request.error, HTTP_CANCELLED);
    assert_int_equal(probes[1].request.error, HTTP_CANCELLED);
    assert_int_equal(probes[2].request.error, HTTP_FORBIDDEN);
    set_gate(false); /* the lookup ends after its client */
}

static void *wake_client(void *ctx)
{
    http_client_wake((struct http_client *)ctx);
    return NULL;
}

static void a_wake_from_another_thread_ends_a_run(void **state)
{
    struct world *world = (struct world *)*state;
    int64_t before_us = clock_mono_us(clock_real());
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, wake_client, world->client), 0);
    http_client_run(world->client, TIMEOUT_MS);
    assert_true(clock_mono_us(clock_real()) - before_us < (int64_t)TIMEOUT_MS * 1000);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

/** A request that starts itself again from its done. */
struct chain {
    struct probe probe;
    struct world *world;
    int left;
    int failed;
};

static void start_again(struct http_request *request)
{
    struct chain *chain = (struct chain *)request->owner;

    chain->failed += request->error != HTTP_OK;
    if (--chain->left > 0)
        http_client_start(chain->world->client, request);
    else
        chain->probe.done_count++;
}

static void many_at_once_go_on_beside_those_that_hang(void **state)
{
    enum { HANGING = 50, CHAINS = 8, EACH = 100 };
    struct world *world = (struct world *)*state;
    struct probe hanging[HANGING];
    struct chain chains[CHAINS];

    for (int i = 0; i < HANGING; i++) {
        probe_init(&hanging[i], world, "127.0.0.1", "/nothing");
        http_client_start(world->client, &hanging[i].request);
    }
    for (int i = 0; i < CHAINS; i++) {
        probe_init(&chains[i].probe, world, i % 2 == 0 ? "127.0.0.1" : "good.example", "/ok");
        chains[i].world = world;
        chains[i].left = EACH;
        chains[i].failed = 0;
        chains[i].probe.request.done = start_again;
        chains[i].probe.request.owner = &chains[i];
        http_client_start(world->client, &chains[i].probe.request);
    }
    for (int i = 0; i < CHAINS; i++) {
        run_until_done(world, &chains[i].probe);
        assert_int_equal(chains[i].failed, 0);
        probe_done(&chains[i].probe);
    }
    assert_int_equal(http_client_active(world->client), HANGING);
    assert_true(http_receiver_connections(world->receiver) <= HANGING + CHAINS);
    for (int i = 0; i < HANGING; i++)
        http_client_cancel(world->client, &hanging[i].request);
    http_client_run(world->client, 0);
    for (int i = 0; i < HANGING; i++) {
        assert_int_equal(hanging[i].request.error, HTTP_CANCELLED);
        probe_done(&hanging[i]);
    }
}

static bool cancel_itself(struct http_request *request, struct str piece)
{
    struct probe *probe = (struct probe *)request->owner;

    buf_add_str(&probe->pieces, piece);
    http_client_cancel(probe->client, request);
    return true;
}

static void a_request_can_be_cancelled_from_its_own_body(void **state)
{
    struct world *world = (struct world *)*state;
    struct probe probe;

    probe_init(&probe, world, "127.0.0.1", "/large");
    probe.request.on_body = cancel_itself;
    probe.request.read_bytes = 0;
    http_client_start(world->client, &probe.request);
    run_until_done(world, &probe);
    assert_int_equal(probe.request.error, HTTP_CANCELLED);
    assert_true(probe.pieces.len > 0 && probe.pieces.len < 100000);
    probe_done(&probe);
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
            WITH_WORLD(a_post_is_sent_as_given_and_nothing_is_added),
            WITH_WORLD(each_method_goes_out_by_its_name),
            WITH_WORLD(connections_are_kept_alive),
            WITH_WORLD(every_answer_has_its_outcome),
            WITH_WORLD(a_redirect_is_not_followed),
            WITH_WORLD(interim_answers_are_discarded),
            WITH_WORLD(trailers_are_no_headers),
            WITH_WORLD(odd_header_bytes_do_not_fail_the_request),
            WITH_WORLD(a_gzip_body_is_left_as_it_is),
            WITH_WORLD(a_long_body_is_kept_in_part_and_a_huge_one_not_even_read),
            WITH_WORLD(pieces_go_to_their_receiver_for_a_success_alone),
            WITH_WORLD(a_receiver_of_pieces_can_end_it),
            WITH_WORLD(the_timeout_covers_everything),
            WITH_WORLD(nobody_listening_is_a_connect_error),
            WITH_WORLD(plain_http_where_tls_is_due_is_a_tls_error),
            WITH_WORLD(a_bad_url_is_told_through_done),
            WITH_WORLD(names_are_resolved_and_their_addresses_checked),
            WITH_WORLD(a_url_of_our_own_is_not_checked),
            WITH_WORLD(a_cancelled_request_ends_in_the_next_run),
            WITH_WORLD(free_ends_what_is_under_way),
            WITH_WORLD(a_wake_from_another_thread_ends_a_run),
            WITH_WORLD(many_at_once_go_on_beside_those_that_hang),
            WITH_WORLD(a_request_can_be_cancelled_from_its_own_body),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
