/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of net/http_exchange, driven by the fake that the layers above test with. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/http_exchange_fake.h"

enum { DEADLINE_MS = 10000, BODY_MAX = 8 };

/** What the handler under test is to do, and what it saw. */
struct world {
    const char *mode;
    pthread_t resumer;
    bool has_resumer;
    int ended;
    int sent;
};

static void begin(void *ctx, struct http_exchange *x)
{
    x->owner = ctx;
    x->body_max_bytes = BODY_MAX;
}

static void *resume(void *ctx)
{
    http_exchange_resume((struct http_exchange *)ctx);
    return NULL;
}

static void on_resume(struct http_exchange *x)
{
    http_exchange_reply(x, 202, "text/plain", STR("later"));
}

static ptrdiff_t read_twice(struct http_exchange *x, char *ret_bytes, size_t max)
{
    struct world *world = (struct world *)x->owner;

    (void)max;
    if (world->sent == 2)
        return -1;
    world->sent++;
    memcpy(ret_bytes, "tick ", 5);
    return 5;
}

static void reply_file(struct http_exchange *x)
{
    FILE *file = tmpfile();

    assert_non_null(file);
    (void)fputs("0123456789", file);
    (void)fflush(file);
    http_exchange_reply_file(x, 206, "audio/ogg", dup(fileno(file)), 2, 3);
    (void)fclose(file);
}

static void complete(void *ctx, struct http_exchange *x)
{
    struct world *world = (struct world *)ctx;

    if (strcmp(world->mode, "suspend") == 0) {
        http_exchange_suspend(x, on_resume);
        assert_int_equal(pthread_create(&world->resumer, NULL, resume, x), 0);
        world->has_resumer = true;
    } else if (strcmp(world->mode, "never") == 0) {
        http_exchange_suspend(x, on_resume);
    } else if (strcmp(world->mode, "stream") == 0) {
        http_exchange_reply_stream(x, 200, "text/event-stream", read_twice);
    } else if (strcmp(world->mode, "file") == 0) {
        reply_file(x);
    } else {
        buf_addf(&x->reply_buf,
                "%.*s|%.*s|%.*s|%.*s",
                STR_ARG(x->path),
                STR_ARG(http_exchange_query(x, "q")),
                STR_ARG(http_exchange_header(x, "x-in")),
                STR_ARG(buf_str(&x->body)));
        http_exchange_add_header(x, "X-Out", STR("out"));
        http_exchange_reply(x, 200, "text/plain", buf_str(&x->reply_buf));
    }
}

static void end_exchange(void *ctx, struct http_exchange *x)
{
    (void)x;
    ((struct world *)ctx)->ended++;
}

static struct http_handler handler_of(struct world *world)
{
    return (struct http_handler){
            .begin = begin, .complete = complete, .end = end_exchange, .ctx = world};
}

static void assert_str(struct str s, const char *text)
{
    assert_true(str_is(s, text));
}

static void a_handler_sees_the_request_and_the_test_its_reply(void **state)
{
    struct world world = {.mode = "echo"};
    struct http_handler handler = handler_of(&world);
    struct http_exchange_fake *fake = http_exchange_fake_new("POST", "/p%20q?q=a%20b");

    (void)state;
    http_exchange_fake_add_header(fake, "X-In", "in");
    http_exchange_fake_set_body(fake, STR("body"));
    assert_true(http_exchange_fake_serve(fake, &handler, DEADLINE_MS));
    assert_int_equal(http_exchange_fake_status(fake), 200);
    assert_str(http_exchange_fake_body(fake), "/p%20q|a b|in|body");
    assert_str(http_exchange_fake_header(fake, "x-out"), "out");
    assert_str(http_exchange_fake_header(fake, "content-type"), "text/plain");
    assert_null(http_exchange_fake_header(fake, "x-none").ptr);
    http_exchange_fake_free(fake);
    assert_int_equal(world.ended, 1);
}

static void a_body_above_the_limit_is_refused(void **state)
{
    static const size_t pieces[] = {0, 1, 5, 100};

    (void)state;
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        struct world world = {.mode = "echo"};
        struct http_handler handler = handler_of(&world);
        struct http_exchange_fake *fake = http_exchange_fake_new("POST", "/");

        http_exchange_fake_set_body(fake, STR("123456789"));
        if (pieces[i] > 0)
            http_exchange_fake_set_chunked(fake, pieces[i]);
        assert_true(http_exchange_fake_serve(fake, &handler, DEADLINE_MS));
        assert_int_equal(http_exchange_fake_status(fake), 413);
        http_exchange_fake_free(fake);
    }
}

static void a_resume_from_another_thread_is_waited_for(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        struct world world = {.mode = "suspend"};
        struct http_handler handler = handler_of(&world);
        struct http_exchange_fake *fake = http_exchange_fake_new("GET", "/");

        assert_true(http_exchange_fake_serve(fake, &handler, DEADLINE_MS));
        assert_int_equal(http_exchange_fake_status(fake), 202);
        http_exchange_fake_free(fake);
        assert_true(world.has_resumer);
        assert_int_equal(pthread_join(world.resumer, NULL), 0);
    }
}

static void a_missing_resume_is_told_at_the_deadline(void **state)
{
    struct world world = {.mode = "never"};
    struct http_handler handler = handler_of(&world);
    struct http_exchange_fake *fake = http_exchange_fake_new("GET", "/");

    (void)state;
    assert_false(http_exchange_fake_serve(fake, &handler, 20));
    http_exchange_resume(http_exchange_fake_exchange(fake));
    assert_true(http_exchange_fake_wait(fake, DEADLINE_MS));
    http_exchange_fake_free(fake);
}

static void a_stream_is_read_to_its_end(void **state)
{
    struct world world = {.mode = "stream"};
    struct http_handler handler = handler_of(&world);
    struct http_exchange_fake *fake = http_exchange_fake_new("GET", "/");

    (void)state;
    assert_true(http_exchange_fake_serve(fake, &handler, DEADLINE_MS));
    assert_true(http_exchange_fake_stream_until(fake, "tick tick", DEADLINE_MS));
    assert_false(http_exchange_fake_stream_until(fake, "tick tick tick", DEADLINE_MS));
    assert_str(http_exchange_fake_stream(fake), "tick tick ");
    http_exchange_fake_free(fake);
}

static void a_part_of_a_file_is_the_body(void **state)
{
    struct world world = {.mode = "file"};
    struct http_handler handler = handler_of(&world);
    struct http_exchange_fake *fake = http_exchange_fake_new("GET", "/");

    (void)state;
    assert_true(http_exchange_fake_serve(fake, &handler, DEADLINE_MS));
    assert_int_equal(http_exchange_fake_status(fake), 206);
    assert_str(http_exchange_fake_body(fake), "234");
    assert_str(http_exchange_fake_body(fake), "234");
    http_exchange_fake_free(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_handler_sees_the_request_and_the_test_its_reply),
            cmocka_unit_test(a_body_above_the_limit_is_refused),
            cmocka_unit_test(a_resume_from_another_thread_is_waited_for),
            cmocka_unit_test(a_missing_resume_is_told_at_the_deadline),
            cmocka_unit_test(a_stream_is_read_to_its_end),
            cmocka_unit_test(a_part_of_a_file_is_the_body),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
