/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of stream - what open streams write, and where they go on. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/route.h"
#include "api/state.h"
#include "api/stream.h"
#include "base/mem.h"
#include "support/http_exchange_fake.h"

enum { DEADLINE_MS = 10000, RING_NOTES = 8192, STREAMS_MAX = 1000, HEARTBEAT_MS = 15000 };

struct stream_test {
    struct api api;
    struct metrics metrics;
    struct stream_hub *hub;
    struct http_handler handler;
    const char *org_id; /* of the next stream */
};

static void begin(void *ctx, struct http_exchange *x)
{
    (void)ctx;
    (void)x;
}

static void complete(void *ctx, struct http_exchange *x)
{
    static const struct route route = {.method = "GET", .pattern = "/v1/stream"};
    struct stream_test *t = ctx;
    struct request *request = ARENA_NEW(&x->arena, struct request);

    x->owner = request;
    request->api = &t->api;
    request->x = x;
    request->arena = &x->arena;
    request->route = &route;
    request->org_id = str_from(t->org_id);
    stream_open(t->hub, request);
}

static void end(void *ctx, struct http_exchange *x)
{
    struct request *request = x->owner;

    (void)ctx;
    if (request->end != NULL)
        request->end(request);
}

static int set_up(void **state)
{
    struct stream_test *t = mem_new(sizeof(*t));

    t->hub = stream_hub_new(&t->metrics);
    t->handler = (struct http_handler){.begin = begin, .complete = complete, .end = end, .ctx = t};
    t->org_id = "org_a";
    *state = t;
    return 0;
}

static int tear_down(void **state)
{
    struct stream_test *t = *state;

    stream_hub_free(t->hub);
    free(t);
    return 0;
}

/* A stream that begins after last_id; NULL: at the newest. */
static struct http_exchange_fake *open_after(struct stream_test *t, const char *last_id)
{
    struct http_exchange_fake *fake = http_exchange_fake_new("GET", "/v1/stream");

    if (last_id != NULL)
        http_exchange_fake_add_header(fake, "Last-Event-ID", last_id);
    assert_true(http_exchange_fake_serve(fake, &t->handler, DEADLINE_MS));
    return fake;
}

static void publish(struct stream_test *t, const struct note *note)
{
    const struct note_listener *listener = stream_hub_listener(t->hub);

    listener->publish(listener->ctx, note, 1);
}

static struct note note_of(const char *org_id, int64_t call_id)
{
    struct note note = {
            .kind = NOTE_EVENT,
            .at_ms = INT64_C(1777377493000),
            .event_id = 1,
            .call_id = call_id,
            .event_kind = EVENT_CALL_LOGGED,
            .call_type = CALL_MISSED,
    };

    (void)snprintf(note.org_id, sizeof(note.org_id), "%s", org_id);
    return note;
}

static void publish_call(struct stream_test *t, const char *org_id, int64_t call_id)
{
    const struct note note = note_of(org_id, call_id);

    publish(t, &note);
}

static void read_until(struct http_exchange_fake *fake, const char *text)
{
    if (!http_exchange_fake_stream_until(fake, text, DEADLINE_MS))
        fail_msg("%s did not come; this did: %.*s", text, STR_ARG(http_exchange_fake_stream(fake)));
}

static bool has_text(struct http_exchange_fake *fake, const char *text)
{
    struct str all = http_exchange_fake_stream(fake);

    return memmem(all.ptr, all.len, text, strlen(text)) != NULL;
}

/* The last id that the stream gave, as text of the fake's arena. */
static const char *last_id_of(struct http_exchange_fake *fake)
{
    struct str rest = http_exchange_fake_stream(fake);
    struct str id = STR_NONE;

    while (rest.ptr != NULL) {
        struct str line = str_split(&rest, '\n');

        if (str_starts(line, STR("id: ")))
            id = str_slice(line, 4, line.len);
    }
    assert_non_null(id.ptr);
    return arena_str(&http_exchange_fake_exchange(fake)->arena, id).ptr;
}

static void test_each_kind_of_note_is_an_event_with_its_data(void **state)
{
    struct stream_test *t = *state;
    struct http_exchange_fake *fake = open_after(t, NULL);
    struct note attempt = note_of("org_a", 7);
    struct note endpoint = note_of("org_a", 0);
    struct note inbox = note_of("org_a", 0);

    attempt.kind = NOTE_ATTEMPT;
    attempt.delivery_id = 2;
    attempt.endpoint_id = 3;
    attempt.number = 4;
    attempt.status = 503;
    attempt.error = ATTEMPT_STATUS;
    attempt.state = DELIVERY_RETRYING;
    attempt.duration_us = 84200;
    endpoint.kind = NOTE_ENDPOINT;
    endpoint.endpoint_id = 3;
    (void)strcpy(endpoint.text, "disabled");
    inbox.kind = NOTE_INBOX;
    inbox.delivery_id = 5;
    (void)strcpy(inbox.text, "in_x");

    assert_int_equal(http_exchange_fake_status(fake), 200);
    assert_true(str_is(http_exchange_fake_header(fake, "Content-Type"), "text/event-stream"));
    publish_call(t, "org_a", 7);
    publish(t, &attempt);
    publish(t, &endpoint);
    publish(t, &inbox);
    read_until(fake,
            "event: event\ndata: {\"payload_id\":\"wh_0000000000001\",\"event\":\"call_logged\","
            "\"type\":\"missed\",\"call_id\":7,\"at\":\"2026-04-28T11:58:13.000Z\"}\n\n");
    read_until(fake,
            "event: attempt\ndata: {\"delivery_id\":\"dlv_0000000000002\","
            "\"endpoint_id\":\"ep_0000000000003\",\"payload_id\":\"wh_0000000000001\","
            "\"event\":\"call_logged\",\"call_id\":7,\"number\":4,\"state\":\"retrying\","
            "\"status_code\":503,\"error\":\"status\",\"duration_ms\":84.2,"
            "\"at\":\"2026-04-28T11:58:13.000Z\"}\n\n");
    read_until(fake,
            "event: endpoint\ndata: {\"endpoint_id\":\"ep_0000000000003\",\"change\":\"disabled\"");
    read_until(fake,
            "event: inbox\ndata: {\"inbox_id\":\"in_x\",\"request_id\":\"req_0000000000005\"");
    http_exchange_fake_free(fake);
}

static void test_what_is_of_another_org_is_not_told(void **state)
{
    struct stream_test *t = *state;
    struct http_exchange_fake *fake = open_after(t, NULL);

    publish_call(t, "org_b", 66);
    publish_call(t, "org_a", 7);
    read_until(fake, "\"call_id\":7");
    assert_false(has_text(fake, "\"call_id\":66"));
    http_exchange_fake_free(fake);
}

static void test_a_new_stream_begins_with_what_happens_next(void **state)
{
    struct stream_test *t = *state;

    publish_call(t, "org_a", 66);

    struct http_exchange_fake *fake = open_after(t, NULL);
    publish_call(t, "org_a", 7);
    read_until(fake, "\"call_id\":7");
    assert_false(has_text(fake, "\"call_id\":66"));
    http_exchange_fake_free(fake);
}

static void test_the_last_event_id_resumes_where_it_was_left(void **state)
{
    struct stream_test *t = *state;
    struct http_exchange_fake *first = open_after(t, NULL);

    publish_call(t, "org_a", 1);
    read_until(first, "\"call_id\":1");

    const char *last_id = last_id_of(first);
    publish_call(t, "org_a", 2);
    publish_call(t, "org_b", 66);
    publish_call(t, "org_a", 3);

    struct http_exchange_fake *second = open_after(t, last_id);
    read_until(second, "\"call_id\":3");
    assert_true(has_text(second, "\"call_id\":2"));
    assert_false(has_text(second, "\"call_id\":1,"));
    assert_false(has_text(second, "reset"));
    http_exchange_fake_free(first);
    http_exchange_fake_free(second);
}

static void test_the_id_of_the_start_resumes_too(void **state)
{
    struct stream_test *t = *state;
    struct http_exchange_fake *first = open_after(t, NULL);

    read_until(first, "id: ");

    const char *last_id = last_id_of(first);
    publish_call(t, "org_a", 1);

    struct http_exchange_fake *second = open_after(t, last_id);
    read_until(second, "\"call_id\":1");
    assert_false(has_text(second, "reset"));
    http_exchange_fake_free(first);
    http_exchange_fake_free(second);
}

static void test_an_id_that_leads_nowhere_is_answered_with_reset(void **state)
{
    struct stream_test *t = *state;
    struct http_exchange_fake *first = open_after(t, NULL);

    read_until(first, "id: ");

    struct str boot = str_from(last_id_of(first));
    char future[64];
    char negative[64];
    boot = str_split(&boot, '-');
    (void)snprintf(future, sizeof(future), "%.*s-1", STR_ARG(boot));
    (void)snprintf(negative, sizeof(negative), "%.*s--1", STR_ARG(boot));
    const char *const ids[] = {"0123456789abcdef-0", "x", "", "-", future, negative};

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        struct http_exchange_fake *fake = open_after(t, ids[i]);

        read_until(fake, "event: reset\ndata: {}\n\n");
        publish_call(t, "org_b", 1); /* so that the next ids lie in the future again */
        http_exchange_fake_free(fake);
        (void)snprintf(future, sizeof(future), "%.*s-%zu", STR_ARG(boot), i + 100);
    }
    http_exchange_fake_free(first);
}

static void test_what_the_ring_has_lost_is_answered_with_reset(void **state)
{
    struct stream_test *t = *state;
    struct http_exchange_fake *slow = open_after(t, NULL);

    read_until(slow, "id: ");

    const char *last_id = last_id_of(slow);
    for (int i = 0; i < RING_NOTES + 1; i++)
        publish_call(t, "org_a", 1000 + i);

    struct http_exchange_fake *late = open_after(t, last_id);
    read_until(late, "event: reset");
    read_until(slow, "event: reset");
    publish_call(t, "org_a", 7);
    read_until(late, "\"call_id\":7,");
    read_until(slow, "\"call_id\":7,");
    assert_false(has_text(slow, "\"call_id\":9191,"));
    http_exchange_fake_free(slow);
    http_exchange_fake_free(late);
}

static void test_the_whole_ring_can_be_resumed(void **state)
{
    struct stream_test *t = *state;
    struct http_exchange_fake *slow = open_after(t, NULL);

    read_until(slow, "id: ");
    for (int i = 0; i < RING_NOTES; i++)
        publish_call(t, "org_a", 1000 + i);
    read_until(slow, "\"call_id\":9191,");
    assert_true(has_text(slow, "\"call_id\":1000,"));
    assert_false(has_text(slow, "reset"));
    http_exchange_fake_free(slow);
}

static void test_a_heartbeat_comes_every_fifteen_seconds_with_an_id(void **state)
{
    struct stream_test *t = *state;

    stream_hub_tick(t->hub, 1000000);

    struct http_exchange_fake *fake = open_after(t, NULL);
    read_until(fake, "id: ");
    stream_hub_tick(t->hub, 1000000 + HEARTBEAT_MS - 1);
    publish_call(t, "org_a", 7);
    read_until(fake, "\"call_id\":7");
    assert_false(has_text(fake, "\n:\n"));
    stream_hub_tick(t->hub, 1000000 + HEARTBEAT_MS);
    read_until(fake, "\n:\nid: ");
    http_exchange_fake_free(fake);
}

static void test_closing_ends_every_stream_and_lets_none_in(void **state)
{
    struct stream_test *t = *state;
    struct http_exchange_fake *fake = open_after(t, NULL);

    stream_hub_close(t->hub);
    assert_false(http_exchange_fake_stream_until(fake, "never", DEADLINE_MS));

    struct http_exchange_fake *late = open_after(t, NULL);
    assert_int_equal(http_exchange_fake_status(late), 503);
    http_exchange_fake_free(fake);
    http_exchange_fake_free(late);
}

static void test_above_a_thousand_streams_are_refused_until_one_ends(void **state)
{
    static struct http_exchange_fake *fakes[STREAMS_MAX];
    struct stream_test *t = *state;

    for (int i = 0; i < STREAMS_MAX; i++)
        fakes[i] = open_after(t, NULL);
    assert_int_equal(metrics_get(&t->metrics, METRIC_STREAMS_OPEN), STREAMS_MAX);

    struct http_exchange_fake *more = open_after(t, NULL);
    assert_int_equal(http_exchange_fake_status(more), 503);
    http_exchange_fake_free(more);
    http_exchange_fake_free(fakes[0]);
    more = open_after(t, NULL);
    assert_int_equal(http_exchange_fake_status(more), 200);
    http_exchange_fake_free(more);
    for (int i = 1; i < STREAMS_MAX; i++)
        http_exchange_fake_free(fakes[i]);
    assert_int_equal(metrics_get(&t->metrics, METRIC_STREAMS_OPEN), 0);
}

enum { MANY_NOTES = 5000 };

static void *publish_many(void *ctx)
{
    for (int i = 1; i <= MANY_NOTES; i++)
        publish_call(ctx, "org_a", i);
    return NULL;
}

static void test_nothing_is_lost_while_another_thread_publishes(void **state)
{
    struct stream_test *t = *state;
    struct http_exchange_fake *fake = open_after(t, NULL);
    struct http_exchange_fake *brief;
    pthread_t thread;
    char text[64];

    assert_int_equal(pthread_create(&thread, NULL, publish_many, t), 0);
    for (int i = 0; i < 50; i++) {
        brief = open_after(t, NULL);
        http_exchange_fake_free(brief);
    }
    for (int i = 1; i <= MANY_NOTES; i += 500) {
        (void)snprintf(text, sizeof(text), "\"call_id\":%d,", i);
        read_until(fake, text);
    }
    (void)snprintf(text, sizeof(text), "\"call_id\":%d,", MANY_NOTES);
    read_until(fake, text);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_false(has_text(fake, "reset"));
    http_exchange_fake_free(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(
                    test_each_kind_of_note_is_an_event_with_its_data, set_up, tear_down),
            cmocka_unit_test_setup_teardown(
                    test_what_is_of_another_org_is_not_told, set_up, tear_down),
            cmocka_unit_test_setup_teardown(
                    test_a_new_stream_begins_with_what_happens_next, set_up, tear_down),
            cmocka_unit_test_setup_teardown(
                    test_the_last_event_id_resumes_where_it_was_left, set_up, tear_down),
            cmocka_unit_test_setup_teardown(
                    test_the_id_of_the_start_resumes_too, set_up, tear_down),
            cmocka_unit_test_setup_teardown(
                    test_an_id_that_leads_nowhere_is_answered_with_reset, set_up, tear_down),
            cmocka_unit_test_setup_teardown(
                    test_what_the_ring_has_lost_is_answered_with_reset, set_up, tear_down),
            cmocka_unit_test_setup_teardown(test_the_whole_ring_can_be_resumed, set_up, tear_down),
            cmocka_unit_test_setup_teardown(
                    test_a_heartbeat_comes_every_fifteen_seconds_with_an_id, set_up, tear_down),
            cmocka_unit_test_setup_teardown(
                    test_closing_ends_every_stream_and_lets_none_in, set_up, tear_down),
            cmocka_unit_test_setup_teardown(
                    test_above_a_thousand_streams_are_refused_until_one_ends, set_up, tear_down),
            cmocka_unit_test_setup_teardown(
                    test_nothing_is_lost_while_another_thread_publishes, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
