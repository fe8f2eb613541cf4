/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of net/fd_watch: what is reported, and that idle descriptors stay silent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/fd_watch.h"

enum { EVENTS = 8 };

struct world {
    struct fd_watch *watch;
    int pair[2]; /* the first is watched */
};

static int set_up(void **state)
{
    static struct world world;

    assert_int_equal(fd_watch_open(&world.watch, NULL), ERR_NONE);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, world.pair), 0);
    fd_watch_adopt(world.watch, world.pair[0]);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = (struct world *)*state;

    fd_watch_close(world->watch);
    (void)close(world->pair[0]);
    (void)close(world->pair[1]);
    return 0;
}

static unsigned look(struct world *world)
{
    struct fd_event events[EVENTS];
    size_t count = fd_watch_wait(world->watch, 0, events, EVENTS);

    assert_true(count <= 1);
    if (count == 0)
        return 0;
    assert_int_equal(events[0].fd, world->pair[0]);
    return events[0].what;
}

static void what_is_wanted_is_reported(void **state)
{
    struct world *world = (struct world *)*state;
    int fd = world->pair[0];

    assert_true(fd_watch_set(world->watch, fd, FD_WATCH_READ));
    assert_int_equal(look(world), 0);
    assert_int_equal(write(world->pair[1], "x", 1), 1);
    assert_int_equal(look(world), FD_WATCH_READ);
    assert_true(fd_watch_set(world->watch, fd, FD_WATCH_WRITE));
    assert_int_equal(look(world), FD_WATCH_WRITE);
    assert_true(fd_watch_set(world->watch, fd, FD_WATCH_READ | FD_WATCH_WRITE));
    assert_int_equal(look(world), FD_WATCH_READ | FD_WATCH_WRITE);
}

static void an_idle_descriptor_is_silent_and_can_be_taken_up_again(void **state)
{
    struct world *world = (struct world *)*state;
    int fd = world->pair[0];

    assert_true(fd_watch_set(world->watch, fd, FD_WATCH_READ));
    assert_true(fd_watch_set(world->watch, fd, 0));
    assert_int_equal(write(world->pair[1], "x", 1), 1);
    assert_int_equal(look(world), 0);
    assert_int_equal(look(world), 0);
    assert_true(fd_watch_set(world->watch, fd, FD_WATCH_READ));
    assert_int_equal(look(world), FD_WATCH_READ);
}

static void an_idle_descriptor_that_did_not_speak_is_taken_up_too(void **state)
{
    struct world *world = (struct world *)*state;
    int fd = world->pair[0];

    assert_true(fd_watch_set(world->watch, fd, FD_WATCH_READ));
    assert_true(fd_watch_set(world->watch, fd, 0));
    assert_true(fd_watch_set(world->watch, fd, FD_WATCH_READ));
    assert_int_equal(write(world->pair[1], "x", 1), 1);
    assert_int_equal(look(world), FD_WATCH_READ);
}

static void a_number_that_comes_back_is_a_new_descriptor(void **state)
{
    struct world *world = (struct world *)*state;
    int fd = world->pair[0];
    int again[2];

    assert_true(fd_watch_set(world->watch, fd, FD_WATCH_READ));
    fd_watch_forget(world->watch, fd);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, again), 0);
    assert_int_equal(dup2(again[0], fd), fd);
    fd_watch_adopt(world->watch, fd);
    assert_true(fd_watch_set(world->watch, fd, FD_WATCH_READ));
    assert_int_equal(write(again[1], "x", 1), 1);
    assert_int_equal(look(world), FD_WATCH_READ);
    (void)close(again[0]);
    (void)close(again[1]);
}

static void a_descriptor_of_others_leaves_the_set_when_idle(void **state)
{
    struct world *world = (struct world *)*state;
    int foreign[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, foreign), 0);
    assert_true(fd_watch_set(world->watch, foreign[0], FD_WATCH_READ));
    assert_true(fd_watch_set(world->watch, foreign[0], 0));
    /* It is closed without a word, and its number comes back. */
    assert_int_equal(dup2(world->pair[0], foreign[0]), foreign[0]);
    assert_true(fd_watch_set(world->watch, foreign[0], FD_WATCH_READ));
    assert_int_equal(write(world->pair[1], "x", 1), 1);
    {
        struct fd_event events[EVENTS];

        assert_int_equal(fd_watch_wait(world->watch, 0, events, EVENTS), 1);
        assert_int_equal(events[0].fd, foreign[0]);
    }
    (void)close(foreign[0]);
    (void)close(foreign[1]);
}

static void a_closed_peer_is_an_event(void **state)
{
    struct world *world = (struct world *)*state;

    assert_true(fd_watch_set(world->watch, world->pair[0], FD_WATCH_READ));
    assert_int_equal(shutdown(world->pair[1], SHUT_RDWR), 0);
    assert_int_equal(look(world) & FD_WATCH_READ, FD_WATCH_READ);
}

static void what_cannot_be_watched_is_told(void **state)
{
    struct world *world = (struct world *)*state;

    assert_false(fd_watch_set(world->watch, -1, FD_WATCH_READ));
    assert_false(fd_watch_set(world->watch, 1000, FD_WATCH_READ));
    fd_watch_forget(world->watch, 5000);
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
            WITH_WORLD(what_is_wanted_is_reported),
            WITH_WORLD(an_idle_descriptor_is_silent_and_can_be_taken_up_again),
            WITH_WORLD(an_idle_descriptor_that_did_not_speak_is_taken_up_too),
            WITH_WORLD(a_number_that_comes_back_is_a_new_descriptor),
            WITH_WORLD(a_descriptor_of_others_leaves_the_set_when_idle),
            WITH_WORLD(a_closed_peer_is_an_event),
            WITH_WORLD(what_cannot_be_watched_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
