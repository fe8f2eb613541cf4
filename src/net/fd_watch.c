/* SPDX-License-Identifier: Apache-2.0 */
/* fd_watch - what is wanted of each descriptor, beside what epoll has been told. */
#include "net/fd_watch.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/mem.h"

enum { EVENTS_MAX = 256 };

struct fd_state {
    uint8_t wanted;     /* by the owner */
    uint8_t registered; /* with epoll; 0: not in the set */
    bool adopted;
};

struct fd_watch {
    int epoll_fd;
    struct fd_state *states; /* by descriptor */
    size_t state_count;
    struct epoll_event events[EVENTS_MAX];
};

enum err fd_watch_open(struct fd_watch **ret_watch, struct error *why)
{
    int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct fd_watch *watch;

    if (epoll_fd < 0)
        return error_set(why, ERR_UNAVAILABLE, "epoll cannot be set up: %s", strerror(errno));
    watch = (struct fd_watch *)mem_new(sizeof(*watch));
    watch->epoll_fd = epoll_fd;
    *ret_watch = watch;
    return ERR_NONE;
}

void fd_watch_close(struct fd_watch *watch)
{
    if (watch == NULL)
        return;
    (void)close(watch->epoll_fd);
    free(watch->states);
    free(watch);
}

static void make_room(struct fd_watch *watch, size_t fd)
{
    size_t count = watch->state_count > 0 ? watch->state_count : 64;

    if (fd < watch->state_count)
        return;
    while (count <= fd)
        count *= 2;
    watch->states = (struct fd_state *)mem_resize(watch->states, count, sizeof(watch->states[0]));
    memset(&watch->states[watch->state_count],
            0,
            (count - watch->state_count) * sizeof(watch->states[0]));
    watch->state_count = count;
}

static uint32_t epoll_mask(unsigned what)
{
    return ((what & FD_WATCH_READ) != 0 ? (uint32_t)EPOLLIN : 0U) |
           ((what & FD_WATCH_WRITE) != 0 ? (uint32_t)EPOLLOUT : 0U);
}

static void take_out(struct fd_watch *watch, int fd)
{
    if (watch->states[fd].registered != 0)
        (void)epoll_ctl(watch->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
    watch->states[fd].registered = 0;
}

void fd_watch_adopt(struct fd_watch *watch, int fd)
{
    make_room(watch, (size_t)fd);
    watch->states[fd] = (struct fd_state){.adopted = true};
}

bool fd_watch_set(struct fd_watch *watch, int fd, unsigned what)
{
    struct epoll_event event = {.events = epoll_mask(what), .data.fd = fd};
    struct fd_state *state;

    if (fd < 0)
        return false;
    make_room(watch, (size_t)fd);
    state = &watch->states[fd];
    if (what != 0 && what != state->registered) {
        int op = state->registered == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

        if (epoll_ctl(watch->epoll_fd, op, fd, &event) != 0)
            return false;
        state->registered = (uint8_t)what;
    }
    state->wanted = (uint8_t)what;
    if (what == 0 && !state->adopted)
        take_out(watch, fd);
    return true;
}

void fd_watch_forget(struct fd_watch *watch, int fd)
{
    if (fd < 0 || (size_t)fd >= watch->state_count)
        return;
    /* The kernel takes a closed file out by itself, unless it lives on as a duplicate in a child
     * process; so it is done here, once a connection. */
    take_out(watch, fd);
    watch->states[fd] = (struct fd_state){0};
}

static unsigned what_of(uint32_t events)
{
    return ((events & EPOLLIN) != 0 ? (unsigned)FD_WATCH_READ : 0U) |
           ((events & EPOLLOUT) != 0 ? (unsigned)FD_WATCH_WRITE : 0U) |
           ((events & (EPOLLERR | EPOLLHUP)) != 0 ? (unsigned)FD_WATCH_ERROR : 0U);
}

size_t
fd_watch_wait(struct fd_watch *watch, int64_t timeout_ms, struct fd_event *ret_events, size_t max)
{
    int room = max < EVENTS_MAX ? (int)max : EVENTS_MAX;
    int wait_ms = timeout_ms > INT_MAX ? INT_MAX : timeout_ms < 0 ? -1 : (int)timeout_ms;
    int got = epoll_wait(watch->epoll_fd, watch->events, room, wait_ms);
    size_t count = 0;

    for (int i = 0; i < got; i++) {
        int fd = watch->events[i].data.fd;

        if (watch->states[fd].wanted == 0)
            take_out(watch, fd);
        else
            ret_events[count++] = (struct fd_event){fd, what_of(watch->events[i].events)};
    }
    return count;
}
