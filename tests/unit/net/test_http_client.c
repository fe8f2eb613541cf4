/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of net/http_client: names of errors, and the interface as the scripted double has it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/http_client_scripted.h"

enum { START_MS = 1000000 };

struct world {
    struct clock_virtual clock;
    struct http_client *client;
    struct http_script_answer answer; /* the next */
    int done_count;
};

static void
script(void *ctx, const struct http_request *request, struct http_script_answer *ret_answer)
{
    (void)request;
    *ret_answer = ((const struct world *)ctx)->answer;
}

static int set_up(void **state)
{
    static struct world world;

    memset(&world, 0, sizeof(world));
    clock_virtual_init(&world.clock, START_MS);
    world.client = http_client_scripted_new(&world.clock, script, &world);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    http_client_free(((struct world *)*state)->client);
    return 0;
}

static void note_done(struct http_request *request)
{
    ((struct world *)request->owner)->done_count++;
}

static struct http_request request_of(struct world *world)
{
    return (struct http_request){.method = "POST",
            .url = "https://a.example/",
            .timeout_ms = 15000,
            .keep_bytes = 4,
            .done = note_done,
            .owner = world};
}

static void release(struct http_request *request)
{
    buf_done(&request->response_headers);
    buf_done(&request->response_body);
}

static void every_error_has_its_own_name(void **state)
{
    (void)state;
    for (enum http_error a = HTTP_OK; a <= HTTP_OTHER; a++) {
        assert_true(http_error_name(a)[0] != '\0');
        for (enum http_error b = HTTP_OK; b < a; b++)
            assert_string_not_equal(http_error_name(a), http_error_name(b));
    }
    assert_string_equal(http_error_name(HTTP_OK), "ok");
    assert_string_equal(http_error_name(HTTP_TIMEOUT), "timeout");
}

static void an_answer_comes_at_its_moment(void **state)
{
    struct world *world = (struct world *)*state;
    struct http_request request = request_of(world);

    world->answer = (struct http_script_answer){
            .after_ms = 250, .status = 201, .headers = "X-A: 1\n", .body = STR("abcdef")};
    assert_int_equal(http_client_scripted_due_ms(world->client), -1);
    http_client_start(world->client, &request);
    assert_int_equal(http_client_scripted_due_ms(world->client), START_MS + 250);
    clock_virtual_set(&world->clock, START_MS + 249);
    http_client_run(world->client, -1);
    assert_int_equal(world->done_count, 0);
    assert_int_equal(http_client_active(world->client), 1);
    clock_virtual_set(&world->clock, START_MS + 250);
    http_client_run(world->client, -1);
    assert_int_equal(world->done_count, 1);
    assert_int_equal(http_client_active(world->client), 0);
    assert_int_equal(request.error, HTTP_OK);
    assert_int_equal(request.status, 201);
    assert_true(str_is(buf_str(&request.response_headers), "X-A: 1\n"));
    assert_true(str_is(buf_str(&request.response_body), "abcd"));
    assert_true(request.body_cut);
    assert_int_equal(request.times.total_us, 250000);
    release(&request);
}

static void silence_ends_at_the_timeout(void **state)
{
    static const int64_t silences[] = {-1, 15001};
    struct world *world = (struct world *)*state;

    for (size_t i = 0; i < sizeof(silences) / sizeof(silences[0]); i++) {
        struct http_request request = request_of(world);

        world->answer = (struct http_script_answer){.after_ms = silences[i], .status = 200};
        http_client_start(world->client, &request);
        clock_virtual_set(&world->clock, http_client_scripted_due_ms(world->client));
        http_client_run(world->client, 0);
        assert_int_equal(request.error, HTTP_TIMEOUT);
        assert_int_equal(request.status, 0);
        assert_int_equal(request.times.total_us, 15000000);
        release(&request);
    }
    assert_int_equal(world->done_count, 2);
}

static void a_cancelled_request_ends_in_the_next_run(void **state)
{
    struct world *world = (struct world *)*state;
    struct http_request request = request_of(world);

    world->answer = (struct http_script_answer){.after_ms = 250, .status = 200};
    http_client_start(world->client, &request);
    http_client_cancel(world->client, &request);
    assert_int_equal(world->done_count, 0);
    http_client_run(world->client, 0);
    assert_int_equal(world->done_count, 1);
    assert_int_equal(request.error, HTTP_CANCELLED);
    release(&request);
}

static void free_cancels_the_rest(void **state)
{
    struct world *world = (struct world *)*state;
    struct http_request request = request_of(world);

    world->answer = (struct http_script_answer){.error = HTTP_CONNECT};
    http_client_start(world->client, &request);
    http_client_free(world->client);
    world->client = NULL;
    assert_int_equal(world->done_count, 1);
    assert_int_equal(request.error, HTTP_CANCELLED);
    release(&request);
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(every_error_has_its_own_name),
            WITH_WORLD(an_answer_comes_at_its_moment),
            WITH_WORLD(silence_ends_at_the_timeout),
            WITH_WORLD(a_cancelled_request_ends_in_the_next_run),
            WITH_WORLD(free_cancels_the_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
