/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fd_watch - an epoll set for a loop whose descriptors come and go often.
 *
 * A kept-alive connection is watched while it has a transfer and not watched between two. To
 * spare the system two calls a transfer, a descriptor that nobody is interested in any more stays
 * in the epoll set; it is taken out only when it speaks up nevertheless. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

enum {
    FD_WATCH_READ = 1,
    FD_WATCH_WRITE = 2,
    FD_WATCH_ERROR = 4, /* only reported */
};

struct fd_event {
    int fd;
    unsigned what; /* FD_WATCH_... */
};

struct fd_watch;

/** ERR_UNAVAILABLE when the system gives no epoll descriptor. */
MUST_CHECK enum err fd_watch_open(struct fd_watch **ret_watch, struct error *why);
/** The descriptors stay open. NULL is fine. */
void fd_watch_close(struct fd_watch *watch);
/** fd is new and its close will be announced with fd_watch_forget(): so it may stay in the set
 *  while nothing is wanted of it. Others are taken out at once. */
void fd_watch_adopt(struct fd_watch *watch, int fd);
/** From now on wants exactly this of fd; 0: nothing. False when the system refuses. */
bool fd_watch_set(struct fd_watch *watch, int fd, unsigned what);
/** To be called before an adopted fd is closed: its number may come back as another file. */
void fd_watch_forget(struct fd_watch *watch, int fd);
/** Waits at most timeout_ms (0: not, -1: for ever) and returns how many events it wrote. May be 0
 *  before the time is up. */
size_t
fd_watch_wait(struct fd_watch *watch, int64_t timeout_ms, struct fd_event *ret_events, size_t max);
