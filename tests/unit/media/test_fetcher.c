/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of fetcher - downloads from a scripted server, on virtual time. */
#include <sched.h>
#include <stdatomic.h>

#include "kept_store.h"
#include "media/fetcher.h"
#include "support/http_client_scripted.h"

#define WAV_TEXT                                                                                   \
    "RIFF\x24\x08\x00\x00WAVEfmt and so on, for as long as it takes to tell a type by it"

enum { REQUESTS_MAX = 8 };

/* What the server answers: written before the fetcher starts. */
struct server {
    struct http_script_answer answers[REQUESTS_MAX]; /* one a request; the last goes on */
    size_t answer_count;
    const struct clock *clock;
    int64_t started_ms[REQUESTS_MAX]; /* of each request */
    atomic_size_t request_count;
};

static void
answer(void *ctx, const struct http_request *request, struct http_script_answer *ret_answer)
{
    struct server *server = ctx;
    size_t i = atomic_load(&server->request_count);

    assert_string_equal(request->method, "GET");
    assert_string_equal(request->url, "https://pbx.test/1.wav");
    assert_false(request->any_target);
    *ret_answer = server->answers[i < server->answer_count ? i : server->answer_count - 1];
    assert_true(i < REQUESTS_MAX);
    server->started_ms[i] = clock_wall_ms(server->clock);
    atomic_fetch_add(&server->request_count, 1);
}

static void want_fetch(struct kept_store *kept, int64_t call_id)
{
    struct recording_set set = {
            .org_id = STR(KEPT_ORG),
            .call_id = call_id,
            .change = RECORDING_FETCH,
            .recording = {.url = STR("https://pbx.test/1.wav")},
    };

    assert_int_equal(KEPT_RUN(kept, store_recording_set, &set), ERR_NONE);
}

static struct fetcher *start(struct kept_store *kept, struct server *server)
{
    struct fetcher *fetcher = NULL;
    const struct fetcher_config config = {
            .store = kept->store,
            .recordings = kept->recordings,
            .clock = &kept->clock.clock,
            .client = http_client_scripted_new(&kept->clock, answer, server),
    };

    server->clock = &kept->clock.clock;
    assert_int_equal(fetcher_start(&config, &fetcher, NULL), ERR_NONE);
    return fetcher;
}

static const struct http_script_answer AUDIO = {
        .status = 200,
        .headers = "Content-Type: audio/wav\n",
        .body = {WAV_TEXT, sizeof(WAV_TEXT) - 1},
};

static void a_wanted_recording_is_downloaded_and_completed(void **state)
{
    struct kept_store *kept = *state;
    struct server server = {.answers = {AUDIO}, .answer_count = 1};
    int64_t call_id = kept_store_make_call(kept);

    want_fetch(kept, call_id);

    struct fetcher *fetcher = start(kept, &server);

    kept_store_wait_events(kept, 3); /* logged, uploading, completed */
    fetcher_stop(fetcher);

    struct recording_get get = kept_store_recording(kept, call_id);

    assert_int_equal(get.file_status, FILE_COMPLETED);
    assert_true(str_is(get.recording.content_type, "audio/wav"));
    assert_int_equal(get.recording.size_bytes, sizeof(WAV_TEXT) - 1);
    assert_null(get.recording.fetch_url.ptr);
    assert_int_equal(atomic_load(&server.request_count), 1);
}

static void a_wake_finds_what_is_new(void **state)
{
    struct kept_store *kept = *state;
    struct server server = {.answers = {AUDIO}, .answer_count = 1};
    int64_t call_id = kept_store_make_call(kept);
    struct fetcher *fetcher = start(kept, &server);

    want_fetch(kept, call_id);
    fetcher_wake(fetcher);
    kept_store_wait_events(kept, 3);
    fetcher_stop(fetcher);
    assert_int_equal(kept_store_recording(kept, call_id).file_status, FILE_COMPLETED);
}

static void the_type_is_told_by_the_bytes_where_the_server_does_not_know(void **state)
{
    struct kept_store *kept = *state;
    struct http_script_answer octets = AUDIO;
    struct server server = {.answer_count = 1};
    int64_t call_id = kept_store_make_call(kept);

    octets.headers = "Content-Type: application/octet-stream\n";
    server.answers[0] = octets;
    want_fetch(kept, call_id);

    struct fetcher *fetcher = start(kept, &server);

    kept_store_wait_events(kept, 3);
    fetcher_stop(fetcher);
    assert_true(str_is(kept_store_recording(kept, call_id).recording.content_type, "audio/wav"));
}

/* Lets virtual time run through the waits between five tries, then waits for the events. */
static void run_tries(struct kept_store *kept, struct server *server, size_t event_count)
{
    static const int64_t waits_ms[] = {5000, 30000, 120000, 600000};
    enum { YIELDS_A_STEP = 1000 };
    int64_t now_ms = KEPT_START_MS;

    for (size_t i = 0; i < 4; i++) {
        for (size_t turns = 0; atomic_load(&server->request_count) < i + 2; turns++) {
            if (turns % YIELDS_A_STEP == 0 && atomic_load(&server->request_count) == i + 1)
                clock_virtual_set(&kept->clock, now_ms += waits_ms[i] / 10);
            sched_yield();
        }
        assert_true(server->started_ms[i + 1] - server->started_ms[i] >= waits_ms[i]);
    }
    kept_store_wait_events(kept, event_count);
}

static void after_five_tries_the_recording_has_failed(void **state)
{
    struct kept_store *kept = *state;
    struct server server = {.answers = {{.status = 503}}, .answer_count = 1};
    int64_t call_id = kept_store_make_call(kept);

    want_fetch(kept, call_id);

    struct fetcher *fetcher = start(kept, &server);

    run_tries(kept, &server, 4); /* logged, uploading, failed, and the analysis skipped */
    fetcher_stop(fetcher);
    assert_int_equal(kept_store_recording(kept, call_id).file_status, FILE_FAILED);
    assert_int_equal(atomic_load(&server.request_count), 5);
}

static void the_fifth_try_may_still_succeed(void **state)
{
    struct kept_store *kept = *state;
    struct server server = {
            .answers = {{.status = 503},
                    {.error = HTTP_TIMEOUT},
                    {.error = HTTP_CONNECT},
                    {.status = 404},
                    AUDIO},
            .answer_count = 5,
    };
    int64_t call_id = kept_store_make_call(kept);

    want_fetch(kept, call_id);

    struct fetcher *fetcher = start(kept, &server);

    run_tries(kept, &server, 3);
    fetcher_stop(fetcher);
    assert_int_equal(kept_store_recording(kept, call_id).file_status, FILE_COMPLETED);
}

static void what_is_no_audio_is_not_tried_again(void **state)
{
    struct kept_store *kept = *state;
    struct server server = {
            .answers = {{.status = 200,
                    .headers = "Content-Type: audio/wav\n",
                    .body = STR("<html>no")}},
            .answer_count = 1,
    };
    int64_t call_id = kept_store_make_call(kept);

    want_fetch(kept, call_id);

    struct fetcher *fetcher = start(kept, &server);

    kept_store_wait_events(kept, 4);
    fetcher_stop(fetcher);
    assert_int_equal(kept_store_recording(kept, call_id).file_status, FILE_FAILED);
    assert_int_equal(atomic_load(&server.request_count), 1);
}

static void a_forbidden_target_is_not_tried_again(void **state)
{
    struct kept_store *kept = *state;
    struct server server = {.answers = {{.error = HTTP_FORBIDDEN}}, .answer_count = 1};
    int64_t call_id = kept_store_make_call(kept);

    want_fetch(kept, call_id);

    struct fetcher *fetcher = start(kept, &server);

    kept_store_wait_events(kept, 4);
    fetcher_stop(fetcher);
    assert_int_equal(atomic_load(&server.request_count), 1);
}

static void a_stop_leaves_what_is_under_way_to_the_next_start(void **state)
{
    struct kept_store *kept = *state;
    struct server never = {.answers = {{.after_ms = -1}}, .answer_count = 1};
    struct server server = {.answers = {AUDIO}, .answer_count = 1};
    int64_t call_id = kept_store_make_call(kept);

    want_fetch(kept, call_id);

    struct fetcher *fetcher = start(kept, &never);

    while (atomic_load(&never.request_count) < 1)
        sched_yield();
    fetcher_stop(fetcher);
    assert_int_equal(kept_store_recording(kept, call_id).file_status, FILE_UPLOADING);
    fetcher = start(kept, &server);
    kept_store_wait_events(kept, 3);
    fetcher_stop(fetcher);
    assert_int_equal(kept_store_recording(kept, call_id).file_status, FILE_COMPLETED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            KEPT_TEST(a_wanted_recording_is_downloaded_and_completed),
            KEPT_TEST(a_wake_finds_what_is_new),
            KEPT_TEST(the_type_is_told_by_the_bytes_where_the_server_does_not_know),
            KEPT_TEST(after_five_tries_the_recording_has_failed),
            KEPT_TEST(the_fifth_try_may_still_succeed),
            KEPT_TEST(what_is_no_audio_is_not_tried_again),
            KEPT_TEST(a_forbidden_target_is_not_tried_again),
            KEPT_TEST(a_stop_leaves_what_is_under_way_to_the_next_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
