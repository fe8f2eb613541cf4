/* SPDX-License-Identifier: Apache-2.0 */
/* listen_address - getaddrinfo() does the reading, for numbers alone. */
#include "net/listen_address.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096 };

/** Reads "address:port"; *ret_found is to be freed with freeaddrinfo(). */
static enum err read_text(struct str text, struct addrinfo **ret_found, struct error *why)
{
    struct addrinfo hints = {
            .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE};
    char host[LISTEN_ADDRESS_SIZE];
    char port_text[8];
    struct str rest = text;
    struct str address;
    int64_t port;

    if (text.len >= LISTEN_ADDRESS_SIZE)
        return error_set(why, ERR_INVALID, "the address is too long");
    if (str_starts(rest, STR("["))) {
        rest = str_slice(rest, 1, rest.len);
        address = str_split(&rest, ']');
        if (!str_starts(rest, STR(":")) || str_find_char(address, ':', 0) < 0)
            return error_set(why, ERR_INVALID, "not like 127.0.0.1:8080 or [::1]:8080");
        rest = str_slice(rest, 1, rest.len);
    } else {
        address = str_split(&rest, ':');
    }
    if (address.len == 0 || !str_to_i64(rest, &port))
        return error_set(why, ERR_INVALID, "not like 127.0.0.1:8080 or [::1]:8080");
    if (port < 0 || port > 65535)
        return error_set(why, ERR_INVALID, "the port is not 0 to 65535");
    (void)snprintf(host, sizeof(host), "%.*s", STR_ARG(address));
    (void)snprintf(port_text, sizeof(port_text), "%d", (int)port);
    if (getaddrinfo(host, port_text, &hints, ret_found) != 0)
        return error_set(why, ERR_INVALID, "\"%s\" is no IP address", host);
    return ERR_NONE;
}

enum err listen_address_check(struct str text, struct error *why)
{
    struct addrinfo *found = NULL;
    enum err err = read_text(text, &found, why);

    if (err == ERR_NONE)
        freeaddrinfo(found);
    return err;
}

enum err listen_address_bind(struct str text, int *ret_fd, struct error *why)
{
    struct addrinfo *found = NULL;
    enum err err = read_text(text, &found, why);
    int one = 1;
    int fd;

    if (err != ERR_NONE)
        return err;
    assert(found != NULL);
    fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
            bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0) {
        err = error_set(
                why, ERR_UNAVAILABLE, "%.*s cannot be bound: %s", STR_ARG(text), strerror(errno));
        if (fd >= 0)
            (void)close(fd);
    } else {
        *ret_fd = fd;
    }
    freeaddrinfo(found);
    return err;
}

void listen_address_of(int fd, char ret_text[LISTEN_ADDRESS_SIZE])
{
    struct sockaddr_storage bound = {0};
    socklen_t len = sizeof(bound);
    char host[INET6_ADDRSTRLEN] = "";
    char port[8] = "";

    (void)getsockname(fd, (struct sockaddr *)&bound, &len);
    (void)getnameinfo((const struct sockaddr *)&bound,
            len,
            host,
            sizeof(host),
            port,
            sizeof(port),
            NI_NUMERICHOST | NI_NUMERICSERV);
    (void)snprintf(ret_text,
            LISTEN_ADDRESS_SIZE,
            bound.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s",
            host,
            port);
}
