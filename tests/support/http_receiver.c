/* SPDX-License-Identifier: Apache-2.0 */
/* http_receiver - the pages, and reading requests just well enough to find them. */
#include "support/http_receiver.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "support/tcp_peer.h"

struct http_receiver {
    struct tcp_server *server;
    pthread_mutex_t lock;
    struct buf seen; /* guarded by the lock */
};

static void repeat(int fd, const char *text, size_t count)
{
    struct buf buf = {0};

    for (size_t i = 0; i < count; i++)
        buf_add_text(&buf, text);
    (void)tcp_send(fd, buf_str(&buf));
    buf_done(&buf);
}

static void drip_until_closed(int fd, const char *text)
{
    while (!tcp_is_closed_within(fd, 5) && tcp_send(fd, str_from(text))) {
    }
}

/** True: the connection is kept for a next request. */
typedef bool serve_path(int *fd);

static bool serve_ok(int *fd)
{
    return tcp_send(*fd, STR("HTTP/1.1 200 OK\r\nX-A: 1\r\nContent-Length: 5\r\n\r\nhello"));
}

static bool serve_redirect(int *fd)
{
    return tcp_send(*fd, STR("HTTP/1.1 301 Moved\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n"));
}

static bool serve_chunked(int *fd)
{
    return tcp_send(*fd,
            STR("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                "3\r\nabc\r\n4\r\ndefg\r\n0\r\nX-Trailer: 1\r\n\r\n"));
}

static bool serve_interim(int *fd)
{
    return tcp_send(*fd,
            STR("HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n"
                "HTTP/1.1 201 Created\r\nX-Late: 1\r\nContent-Length: 0\r\n\r\n"));
}

static bool serve_drip_body(int *fd)
{
    (void)tcp_send(*fd, STR("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"));
    drip_until_closed(*fd, "x");
    return false;
}

static bool serve_nothing(int *fd)
{
    (void)tcp_is_closed_within(*fd, TCP_DEADLINE_MS);
    return false;
}

static bool serve_close(int *fd)
{
    (void)fd;
    return false;
}

static bool serve_reset(int *fd)
{
    (void)tcp_send(*fd, STR("HTTP/1.1 200 OK\r\nContent-Le"));
    tcp_reset(*fd);
    *fd = -1;
    return false;
}

static bool serve_short(int *fd)
{
    (void)tcp_send(*fd, STR("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc"));
    return false;
}

static bool serve_short_chunk(int *fd)
{
    (void)tcp_send(*fd, STR("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc"));
    return false;
}

static bool serve_garbage(int *fd)
{
    (void)tcp_send(*fd, STR("SSH-2.0-OpenSSH_9.2p1\r\n\r\n\r\n\r\n"));
    return false;
}

static bool serve_bad_status(int *fd)
{
    (void)tcp_send(*fd, STR("HTTP/1.1 abc OK\r\nContent-Length: 0\r\n\r\n"));
    return false;
}

static bool serve_two_lengths(int *fd)
{
    (void)tcp_send(*fd, STR("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello"));
    return false;
}

static bool serve_endless_headers(int *fd)
{
    (void)tcp_send(*fd, STR("HTTP/1.1 200 OK\r\n"));
    repeat(*fd, "X-Filler: 0123456789012345678901234567890123456789\r\n", 5000);
    return false;
}

static bool serve_endless_line(int *fd)
{
    (void)tcp_send(*fd, STR("HTTP/1.1 200 OK\r\nX-Long: "));
    repeat(*fd, "0123456789", 50000);
    return false;
}

static bool serve_endless_interim(int *fd)
{
    repeat(*fd, "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 5000);
    return false;
}

static bool serve_large(int *fd)
{
    (void)tcp_send(*fd, STR("HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n"));
    repeat(*fd, "0123456789", 1000000);
    return true;
}

static bool serve_medium(int *fd)
{
    (void)tcp_send(*fd, STR("HTTP/1.1 200 OK\r\nContent-Length: 50000\r\n\r\n"));
    repeat(*fd, "0123456789", 5000);
    return true;
}

static bool serve_gzip(int *fd)
{
    return tcp_send(*fd,
            STR("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 10\r\n\r\n"
                "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"));
}

static bool serve_odd_headers(int *fd)
{
    return tcp_send(*fd,
            STR("HTTP/1.1 200 OK\r\nX-Latin: caf\xe9\r\nX-Utf8: \xc3\xbc\r\nX-Bell: a\x07z\r\n"
                "X-Folded: one\r\n two\r\nContent-Length: 0\r\n\r\n"));
}

static bool serve_error(int *fd)
{
    return tcp_send(*fd, STR("HTTP/1.1 500 Oh\r\nContent-Length: 4\r\n\r\noops"));
}

static const struct {
    const char *path;
    serve_path *serve;
} paths[] = {
        {"/ok", serve_ok},
        {"/redirect", serve_redirect},
        {"/chunked", serve_chunked},
        {"/interim", serve_interim},
        {"/drip-body", serve_drip_body},
        {"/nothing", serve_nothing},
        {"/close", serve_close},
        {"/reset", serve_reset},
        {"/short", serve_short},
        {"/short-chunk", serve_short_chunk},
        {"/garbage", serve_garbage},
        {"/bad-status", serve_bad_status},
        {"/two-lengths", serve_two_lengths},
        {"/endless-headers", serve_endless_headers},
        {"/endless-line", serve_endless_line},
        {"/endless-interim", serve_endless_interim},
        {"/large", serve_large},
        {"/medium", serve_medium},
        {"/gzip", serve_gzip},
        {"/odd-headers", serve_odd_headers},
        {"/error", serve_error},
};

static serve_path *find_path(const struct buf *head)
{
    const char *path = memchr(head->ptr, ' ', head->len);

    for (size_t i = 0; path != NULL && i < sizeof(paths) / sizeof(paths[0]); i++) {
        size_t len = strlen(paths[i].path);

        if (strncmp(path + 1, paths[i].path, len) == 0 && path[1 + len] == ' ')
            return paths[i].serve;
    }
    return serve_close;
}

static bool read_request(int fd, struct buf *request)
{
    const char *length;
    const char *body;

    buf_clear(request);
    if (!tcp_read_until(fd, request, "\r\n\r\n"))
        return false;
    buf_add_char(request, '\0');
    request->len--;
    length = strstr(request->ptr, "Content-Length: ");
    body = strstr(request->ptr, "\r\n\r\n") + 4;
    if (length == NULL)
        return true;
    return tcp_read_count(fd, request, (size_t)(body - request->ptr) + (size_t)atol(length + 16));
}

static void serve(void *ctx, int *fd)
{
    struct http_receiver *receiver = (struct http_receiver *)ctx;
    struct buf request = {0};
    bool go_on = true;

    while (go_on && read_request(*fd, &request)) {
        (void)pthread_mutex_lock(&receiver->lock);
        buf_add_str(&receiver->seen, buf_str(&request));
        (void)pthread_mutex_unlock(&receiver->lock);
        go_on = find_path(&request)(fd);
    }
    buf_done(&request);
}

struct http_receiver *http_receiver_new(void)
{
    struct http_receiver *receiver = (struct http_receiver *)mem_new(sizeof(*receiver));

    (void)pthread_mutex_init(&receiver->lock, NULL);
    receiver->server = tcp_server_new(serve, receiver);
    return receiver;
}

void http_receiver_free(struct http_receiver *receiver)
{
    if (receiver == NULL)
        return;
    tcp_server_free(receiver->server);
    buf_done(&receiver->seen);
    (void)pthread_mutex_destroy(&receiver->lock);
    free(receiver);
}

unsigned http_receiver_port(const struct http_receiver *receiver)
{
    return tcp_server_port(receiver->server);
}

unsigned http_receiver_connections(struct http_receiver *receiver)
{
    return tcp_server_count(receiver->server);
}

bool http_receiver_saw(struct http_receiver *receiver, const char *text)
{
    bool found;

    (void)pthread_mutex_lock(&receiver->lock);
    found = receiver->seen.len > 0 &&
            memmem(receiver->seen.ptr, receiver->seen.len, text, strlen(text)) != NULL;
    (void)pthread_mutex_unlock(&receiver->lock);
    return found;
}

void http_receiver_forget(struct http_receiver *receiver)
{
    (void)pthread_mutex_lock(&receiver->lock);
    buf_clear(&receiver->seen);
    (void)pthread_mutex_unlock(&receiver->lock);
}
