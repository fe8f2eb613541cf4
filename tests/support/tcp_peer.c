/* SPDX-License-Identifier: Apache-2.0 */
#include "support/tcp_peer.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

enum { CONNECTIONS_MAX = 4096, READ_BYTES = 16 * 1024 };

static int64_t now_ms(void)
{
    return clock_mono_us(clock_real()) / 1000;
}

int tcp_connect(const char *address)
{
    const char *colon = strrchr(address, ':');
    bool is_v6 = address[0] == '[';
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *found = NULL;
    char host[64];
    int fd;

    assert(colon != NULL);
    (void)snprintf(host,
            sizeof(host),
            "%.*s",
            (int)(colon - address) - (is_v6 ? 2 : 0),
            address + (is_v6 ? 1 : 0));
    if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
        abort();
    fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        abort();
    if (connect(fd, found->ai_addr, found->ai_addrlen) != 0) {
        (void)close(fd);
        fd = -1;
    }
    freeaddrinfo(found);
    return fd;
}

bool tcp_send(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t sent = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        bytes = str_slice(bytes, (size_t)sent, bytes.len);
    }
    return true;
}

enum got { GOT_BYTES, GOT_END, GOT_NOTHING };

static enum got read_some(int fd, struct buf *buf, int64_t until_ms)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    int64_t left_ms = until_ms - now_ms();
    char *to = buf_reserve(buf, READ_BYTES);
    ssize_t got;

    assert(to != NULL);
    if (left_ms <= 0 || poll(&poll_fd, 1, (int)left_ms) <= 0)
        return GOT_NOTHING;
    got = recv(fd, to, READ_BYTES, 0);
    if (got <= 0)
        return GOT_END;
    buf->len += (size_t)got;
    return GOT_BYTES;
}

bool tcp_read_until(int fd, struct buf *buf, const char *text)
{
    int64_t until_ms = now_ms() + TCP_DEADLINE_MS;

    while (buf->len == 0 || memmem(buf->ptr, buf->len, text, strlen(text)) == NULL)
        if (read_some(fd, buf, until_ms) != GOT_BYTES)
            return false;
    return true;
}

bool tcp_read_count(int fd, struct buf *buf, size_t count)
{
    int64_t until_ms = now_ms() + TCP_DEADLINE_MS;

    while (buf->len < count)
        if (read_some(fd, buf, until_ms) != GOT_BYTES)
            return false;
    return true;
}

bool tcp_read_end(int fd, struct buf *buf)
{
    int64_t until_ms = now_ms() + TCP_DEADLINE_MS;
    enum got got;

    do {
        got = read_some(fd, buf, until_ms);
    } while (got == GOT_BYTES);
    return got == GOT_END;
}

bool tcp_is_closed_within(int fd, int64_t timeout_ms)
{
    int64_t until_ms = now_ms() + timeout_ms;
    struct buf ignored = {0};
    enum got got;

    do {
        buf_clear(&ignored);
        got = read_some(fd, &ignored, until_ms);
    } while (got == GOT_BYTES);
    buf_done(&ignored);
    return got == GOT_END;
}

void tcp_reset(int fd)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};

    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    (void)close(fd);
}

struct tcp_server {
    tcp_serve *serve;
    void *ctx;
    int listen_fd;
    unsigned port;
    pthread_t acceptor;
    _Atomic unsigned count;
    pthread_t threads[CONNECTIONS_MAX]; /* the acceptor's */
};

struct session {
    struct tcp_server *server;
    int fd;
};

static void *run_session(void *ctx)
{
    struct session *session = (struct session *)ctx;
    int fd = session->fd;

    session->server->serve(session->server->ctx, &fd);
    if (fd >= 0)
        (void)close(fd);
    free(session);
    return NULL;
}

static void *accept_all(void *ctx)
{
    struct tcp_server *server = (struct tcp_server *)ctx;
    int fd;

    while ((fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        struct session *session = (struct session *)mem_new(sizeof(*session));
        unsigned count = atomic_load(&server->count);

        assert(count < CONNECTIONS_MAX);
        *session = (struct session){server, fd};
        atomic_store(&server->count, count + 1); /* before anything of it can be seen */
        if (pthread_create(&server->threads[count], NULL, run_session, session) != 0)
            abort();
    }
    return NULL;
}

struct tcp_server *tcp_server_new(tcp_serve *serve, void *ctx)
{
    struct tcp_server *server = (struct tcp_server *)mem_new(sizeof(*server));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);

    server->serve = serve;
    server->ctx = ctx;
    server->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server->listen_fd < 0 ||
            bind(server->listen_fd, (const struct sockaddr *)&address, len) != 0 ||
            listen(server->listen_fd, 1024) != 0 ||
            getsockname(server->listen_fd, (struct sockaddr *)&address, &len) != 0)
        abort();
    server->port = ntohs(address.sin_port);
    if (pthread_create(&server->acceptor, NULL, accept_all, server) != 0)
        abort();
    return server;
}

void tcp_server_free(struct tcp_server *server)
{
    unsigned count;

    if (server == NULL)
        return;
    (void)shutdown(server->listen_fd, SHUT_RDWR);
    (void)pthread_join(server->acceptor, NULL);
    (void)close(server->listen_fd);
    count = atomic_load(&server->count);
    for (unsigned i = 0; i < count; i++)
        (void)pthread_join(server->threads[i], NULL);
    free(server);
}

unsigned tcp_server_port(const struct tcp_server *server)
{
    return server->port;
}

unsigned tcp_server_count(struct tcp_server *server)
{
    return atomic_load(&server->count);
}
