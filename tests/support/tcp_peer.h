/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tcp_peer - both ends of raw TCP on loopback, for tests that speak HTTP by hand. Every wait has a
 * deadline; what cannot be set up aborts the test.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

enum { TCP_DEADLINE_MS = 10000 };

/** Connects to "127.0.0.1:port" or "[::1]:port"; -1 when refused. Close with close(). */
int tcp_connect(const char *address);
/** Sends all of it; false when the peer is gone. */
bool tcp_send(int fd, struct str bytes);
/** Reads on until buf holds text; false at the end of the stream or the deadline. */
bool tcp_read_until(int fd, struct buf *buf, const char *text);
/** Reads on until buf holds so many bytes; false at the end of the stream or the deadline. */
bool tcp_read_count(int fd, struct buf *buf, size_t count);
/** Reads on until the peer closes or resets; false at the deadline. */
bool tcp_read_end(int fd, struct buf *buf);
/** Waits until the peer has closed or timeout_ms passed; what comes is thrown away. True: closed. */
bool tcp_is_closed_within(int fd, int64_t timeout_ms);
/** Closes so that the peer sees a reset. */
void tcp_reset(int fd);

struct tcp_server;

/** On a thread of its own for each connection; fd is closed when it returns (-1 in *fd: it has
 *  closed it itself). */
typedef void tcp_serve(void *ctx, int *fd);

/** Listens on a free port of 127.0.0.1. */
struct tcp_server *tcp_server_new(tcp_serve *serve, void *ctx);
/** Takes no more, waits for the connections' threads. NULL is fine. */
void tcp_server_free(struct tcp_server *server);
unsigned tcp_server_port(const struct tcp_server *server);
/** Connections taken so far. */
unsigned tcp_server_count(struct tcp_server *server);
