/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unit tests of deliver/deliver and deliver/worker: from the sink to results, on the test's own
 * thread and on real ones. The store is replaced by the one function that deliver calls.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "deliver/deliver.h"
#include "fake_client.h"
#include "store/store_delivery.h"

enum { DELIVERIES_MAX = 2000, ENDPOINTS = 40, CLIENTS_MAX = 4 };

static const int64_t NOW_MS = INT64_C(1777377493000);

/* Stands in for the store: it counts what comes back. */
struct store {
    pthread_mutex_t lock;
    pthread_cond_t came;
    struct delivery *results[DELIVERIES_MAX]; /* in the order they came */
    size_t count;
    size_t posts;
};

void store_delivery_result(struct store *store, struct delivery *first)
{
    (void)pthread_mutex_lock(&store->lock);
    store->posts++;
    while (first != NULL) {
        assert_true(store->count < DELIVERIES_MAX);
        store->results[store->count++] = first;
        first = (struct delivery *)first->op.mail.next;
    }
    (void)pthread_cond_signal(&store->came);
    (void)pthread_mutex_unlock(&store->lock);
}

struct fixture {
    struct clock_virtual clock;
    struct metrics metrics;
    struct fake_client *clients[CLIENTS_MAX];
    size_t client_count;
    int64_t auto_status;
    struct store store;
    struct deliver *deliver;
    struct endpoint *endpoints[ENDPOINTS];
    struct blob *body;
    struct delivery deliveries[DELIVERIES_MAX];
    size_t delivery_count;
};

static enum err open_client(void *ctx, struct http_client **ret_client, struct error *why)
{
    struct fixture *fixture = ctx;
    struct fake_client *client = fake_client_new();

    (void)why;
    client->auto_status = fixture->auto_status;
    fixture->clients[fixture->client_count++] = client;
    *ret_client = &client->client;
    return ERR_NONE;
}

static struct fixture *fixture_new(unsigned threads, int64_t auto_status)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    clock_virtual_init(&fixture->clock, NOW_MS);
    fixture->auto_status = auto_status;
    (void)pthread_mutex_init(&fixture->store.lock, NULL);
    (void)pthread_cond_init(&fixture->store.came, NULL);
    fixture->body = blob_new(STR("{}"));
    for (int i = 0; i < ENDPOINTS; i++) {
        struct endpoint *endpoint = endpoint_new();

        endpoint->id = (NOW_MS + i) << 21; /* as ids of quiet times are */
        endpoint->url = STR("https://crm.example/");
        endpoint->secret = STR("whsec_test");
        endpoint->max_in_flight = 2;
        endpoint->updated_at_ms = NOW_MS;
        fixture->endpoints[i] = endpoint;
    }
    const struct deliver_config config = {
            .threads = threads,
            .clock = threads > 1 ? clock_real() : &fixture->clock.clock,
            .metrics = &fixture->metrics,
            .own_origin = "http://127.0.0.1:8080",
            .open_client = open_client,
            .open_client_ctx = fixture,
    };
    assert_int_equal(deliver_new(&config, &fixture->deliver, NULL), ERR_NONE);
    return fixture;
}

static void fixture_free(struct fixture *fixture)
{
    deliver_free(fixture->deliver);
    for (size_t i = 0; i < fixture->delivery_count; i++) {
        struct delivery *delivery = &fixture->deliveries[i];

        endpoint_unref(delivery->endpoint);
        buf_done(&delivery->detail);
        buf_done(&delivery->request_headers);
        buf_done(&delivery->response_headers);
        buf_done(&delivery->response_body);
    }
    for (int i = 0; i < ENDPOINTS; i++)
        endpoint_unref(fixture->endpoints[i]);
    blob_unref(fixture->body);
    (void)pthread_cond_destroy(&fixture->store.came);
    (void)pthread_mutex_destroy(&fixture->store.lock);
    free(fixture);
}

static int set_up(void **state)
{
    struct fixture *fixture = fixture_new(1, 0);

    deliver_use_store(fixture->deliver, &fixture->store);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture_free(*state);
    return 0;
}

static struct delivery *new_delivery(struct fixture *fixture, struct endpoint *endpoint)
{
    struct delivery *delivery = &fixture->deliveries[fixture->delivery_count++];

    delivery->id = (int64_t)fixture->delivery_count;
    delivery->endpoint = endpoint_ref(endpoint);
    delivery->body = fixture->body;
    return delivery;
}

/* Hands count deliveries over, dealt to the first endpoints. */
static void hand_over(struct fixture *fixture, size_t count, size_t endpoints)
{
    const struct delivery_sink *sink = deliver_sink(fixture->deliver);
    struct delivery *first = NULL;
    struct mail **end = NULL;

    for (size_t i = 0; i < count; i++) {
        struct delivery *delivery = new_delivery(fixture, fixture->endpoints[i % endpoints]);

        if (first == NULL)
            first = delivery;
        else
            *end = &delivery->op.mail;
        end = &delivery->op.mail.next;
    }
    sink->deliver(sink->ctx, first);
}

static struct fake_client *client_of(const struct fixture *fixture)
{
    return fixture->clients[0];
}

/* A new snapshot of the first endpoint, told to deliver. */
static void change(struct fixture *fixture, bool enabled, bool deleted)
{
    const struct delivery_sink *sink = deliver_sink(fixture->deliver);
    struct endpoint *changed = endpoint_copy(fixture->endpoints[0]);

    changed->enabled = enabled;
    changed->updated_at_ms++;
    sink->endpoint_changed(sink->ctx, changed, deleted);
    endpoint_unref(fixture->endpoints[0]);
    fixture->endpoints[0] = changed;
}

static void turn(struct fixture *fixture)
{
    while (deliver_turn(fixture->deliver))
        continue;
}

static void answer(struct fixture *fixture, struct fake_answer with)
{
    fake_client_answer(client_of(fixture), 0, with);
    turn(fixture);
}

static void a_delivery_is_sent_and_its_result_given_back(void **state)
{
    struct fixture *fixture = *state;

    hand_over(fixture, 1, 1);
    assert_true(deliver_turn(fixture->deliver));
    assert_int_equal(client_of(fixture)->count, 1);
    assert_int_equal(metrics_get(&fixture->metrics, METRIC_ATTEMPTS_IN_FLIGHT), 1);
    answer(fixture, (struct fake_answer){.status = 200});
    assert_int_equal(fixture->store.count, 1);
    assert_int_equal(fixture->deliveries[0].decision.state, DELIVERY_DELIVERED);
    assert_int_equal(metrics_get(&fixture->metrics, METRIC_ATTEMPTS_IN_FLIGHT), 0);
    assert_int_equal(metrics_get(&fixture->metrics, METRIC_ATTEMPTS), 1);
    assert_int_equal(metrics_get(&fixture->metrics, METRIC_ATTEMPTS_FAILED), 0);
    assert_int_equal(metrics_get(&fixture->metrics, METRIC_ATTEMPT_US), 1500);
    assert_false(deliver_turn(fixture->deliver));
    assert_int_equal(deliver_next_due_ms(fixture->deliver), INT64_MAX);
}

static void the_results_of_a_turn_go_back_in_one_chain(void **state)
{
    struct fixture *fixture = *state;

    hand_over(fixture, 30, 30);
    turn(fixture);
    assert_int_equal(client_of(fixture)->count, 30);
    for (size_t i = 0; i < 30; i++)
        fake_client_answer(client_of(fixture), i, (struct fake_answer){.status = 200});
    turn(fixture);
    assert_int_equal(fixture->store.count, 30);
    assert_int_equal(fixture->store.posts, 1);
}

static void each_endpoint_has_its_own_limit(void **state)
{
    struct fixture *fixture = *state;

    hand_over(fixture, 30, 3);
    turn(fixture);
    assert_int_equal(client_of(fixture)->count, 6);
    answer(fixture, (struct fake_answer){.status = 200});
    assert_int_equal(client_of(fixture)->count, 6);
    assert_int_equal(client_of(fixture)->started_count, 7);
}

static void disabling_gives_the_queue_back_and_lets_attempts_end(void **state)
{
    struct fixture *fixture = *state;

    hand_over(fixture, 5, 1);
    turn(fixture);
    change(fixture, false, false);
    turn(fixture);
    assert_int_equal(fixture->store.count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(fixture->store.results[i]->result, RESULT_RETURNED);
        assert_int_equal(fixture->store.results[i]->due_at_ms, NOW_MS);
    }
    answer(fixture, (struct fake_answer){.status = 200});
    answer(fixture, (struct fake_answer){.status = 200});
    assert_int_equal(fixture->store.results[4]->result, RESULT_ATTEMPTED);
}

static void a_cancelled_one_that_is_queued_is_given_back_unsent(void **state)
{
    struct fixture *fixture = *state;
    const struct delivery_sink *sink = deliver_sink(fixture->deliver);
    int64_t endpoint_id = fixture->endpoints[0]->id;

    hand_over(fixture, 4, 1);
    turn(fixture);
    assert_int_equal(client_of(fixture)->started_count, 2);
    for (int64_t id = 1; id <= 4; id++)
        sink->cancelled(sink->ctx, endpoint_id, id);
    sink->cancelled(sink->ctx, endpoint_id + 1000, 1); /* somebody unknown */
    turn(fixture);
    assert_int_equal(fixture->store.count, 2); /* those under way end as they end */
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(fixture->store.results[i]->result, RESULT_RETURNED);
    answer(fixture, (struct fake_answer){.status = 200});
    answer(fixture, (struct fake_answer){.status = 200});
    assert_int_equal(fixture->store.count, 4);
    assert_int_equal(client_of(fixture)->started_count, 2);
}

static void what_arrives_for_a_disabled_endpoint_is_given_back(void **state)
{
    struct fixture *fixture = *state;

    change(fixture, false, false);
    turn(fixture);
    hand_over(fixture, 2, 1);
    turn(fixture);
    assert_int_equal(fixture->store.count, 2);
    assert_int_equal(client_of(fixture)->started_count, 0);

    change(fixture, true, false);
    hand_over(fixture, 1, 1);
    turn(fixture);
    assert_int_equal(client_of(fixture)->started_count, 1);
}

static void what_is_left_of_a_deleted_endpoint_is_given_back(void **state)
{
    struct fixture *fixture = *state;

    hand_over(fixture, 4, 1);
    turn(fixture);
    change(fixture, true, true);
    hand_over(fixture, 1, 1);
    turn(fixture);
    assert_int_equal(fixture->store.count, 3);
    assert_int_equal(client_of(fixture)->started_count, 2);
}

static void a_long_hold_gives_the_queue_back_until_its_end(void **state)
{
    struct fixture *fixture = *state;
    const struct fake_answer busy = {.status = 503, .headers = "Retry-After: 600\n"};

    hand_over(fixture, 5, 1);
    turn(fixture);
    answer(fixture, busy);
    assert_int_equal(fixture->store.count, 4);
    assert_int_equal(fixture->store.results[0]->result, RESULT_ATTEMPTED);
    for (size_t i = 1; i < 4; i++) {
        assert_int_equal(fixture->store.results[i]->result, RESULT_RETURNED);
        assert_int_equal(fixture->store.results[i]->due_at_ms, NOW_MS + 600000);
    }
    hand_over(fixture, 1, 1);
    turn(fixture);
    assert_int_equal(fixture->store.count, 5);
    assert_int_equal(client_of(fixture)->started_count, 2);
}

static void a_short_hold_is_waited_for_here(void **state)
{
    struct fixture *fixture = *state;
    const struct fake_answer busy = {.status = 429, .headers = "Retry-After: 1\n"};

    hand_over(fixture, 3, 1);
    turn(fixture);
    answer(fixture, busy);
    assert_int_equal(fixture->store.count, 1);
    assert_int_equal(deliver_next_due_ms(fixture->deliver), NOW_MS + 1000);
    clock_virtual_set(&fixture->clock, NOW_MS + 999);
    turn(fixture);
    assert_int_equal(client_of(fixture)->started_count, 2);
    clock_virtual_set(&fixture->clock, NOW_MS + 1000);
    turn(fixture);
    assert_int_equal(client_of(fixture)->started_count, 3);
}

static void a_gone_endpoint_gets_nothing_more(void **state)
{
    struct fixture *fixture = *state;

    hand_over(fixture, 5, 1);
    turn(fixture);
    answer(fixture, (struct fake_answer){.status = 410});
    assert_int_equal(fixture->store.count, 4);
    assert_true(fixture->store.results[0]->decision.endpoint_gone);
    assert_int_equal(fixture->store.results[1]->result, RESULT_RETURNED);
    assert_int_equal(client_of(fixture)->started_count, 2);
}

static void a_rate_limit_is_kept_by_the_clock(void **state)
{
    struct fixture *fixture = *state;

    fixture->endpoints[0]->rate_limit = 2;
    hand_over(fixture, 2, 1);
    turn(fixture);
    assert_int_equal(client_of(fixture)->started_count, 1);
    assert_int_equal(deliver_next_due_ms(fixture->deliver), NOW_MS + 500);
    clock_virtual_set(&fixture->clock, NOW_MS + 500);
    turn(fixture);
    assert_int_equal(client_of(fixture)->started_count, 2);
}

static void stopping_gives_everything_back(void **state)
{
    struct fixture *fixture = *state;

    hand_over(fixture, 5, 1);
    turn(fixture);
    hand_over(fixture, 3, 2); /* still in the mailbox */
    deliver_stop(fixture->deliver, 0);
    assert_int_equal(fixture->store.count, 8);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(fixture->store.results[i]->result, RESULT_RETURNED);
    hand_over(fixture, 1, 1);
    assert_int_equal(fixture->store.count, 9);
    assert_int_equal(client_of(fixture)->started_count, 2);
}

struct watched_probe {
    struct probe probe;
    int done_count;
};

static void probe_was_done(struct probe *probe)
{
    struct watched_probe *watched = probe->owner;

    watched->done_count++;
}

static void watch(struct fixture *fixture, struct watched_probe *watched)
{
    watched->probe = (struct probe){
            .endpoint = fixture->endpoints[0],
            .body = STR("{}"),
            .payload_id = STR("wh_test_37EKYH00G0005"),
            .done = probe_was_done,
            .owner = watched,
    };
}

static void a_probe_is_sent_beside_the_lanes(void **state)
{
    struct fixture *fixture = *state;
    struct watched_probe watched = {0};

    watch(fixture, &watched);
    fixture->endpoints[0]->enabled = false; /* a person asks */
    assert_int_equal(deliver_probe(fixture->deliver, &watched.probe), ERR_NONE);
    assert_int_equal(watched.done_count, 0);
    turn(fixture);
    answer(fixture, (struct fake_answer){.status = 200, .body = "hi"});
    assert_int_equal(watched.done_count, 1);
    assert_true(str_is(buf_str(&watched.probe.response_body), "hi"));
    assert_int_equal(fixture->store.count, 0);
    probe_done(&watched.probe);
}

static void no_more_than_64_probes_are_under_way(void **state)
{
    struct fixture *fixture = *state;
    struct watched_probe watched[65] = {0};

    for (size_t i = 0; i < 65; i++)
        watch(fixture, &watched[i]);
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(deliver_probe(fixture->deliver, &watched[i].probe), ERR_NONE);
    assert_int_equal(deliver_probe(fixture->deliver, &watched[64].probe), ERR_BUSY);
    turn(fixture);
    answer(fixture, (struct fake_answer){.status = 200});
    assert_int_equal(deliver_probe(fixture->deliver, &watched[64].probe), ERR_NONE);

    deliver_stop(fixture->deliver, 0); /* one of them has not begun */
    for (size_t i = 1; i < 65; i++) {
        assert_int_equal(watched[i].done_count, 1);
        assert_int_equal(watched[i].probe.outcome.error, ATTEMPT_INTERRUPTED);
    }
    for (size_t i = 0; i < 65; i++)
        probe_done(&watched[i].probe);
    assert_int_equal(deliver_probe(fixture->deliver, &watched[0].probe), ERR_CANCELLED);
}

static void wait_for_results(struct store *store, size_t count)
{
    (void)pthread_mutex_lock(&store->lock);
    while (store->count < count)
        (void)pthread_cond_wait(&store->came, &store->lock);
    (void)pthread_mutex_unlock(&store->lock);
}

static void threads_share_the_endpoints_and_lose_nothing(void **state)
{
    struct fixture *fixture = fixture_new(CLIENTS_MAX, 200);

    (void)state;
    assert_int_equal(deliver_start(fixture->deliver, &fixture->store, NULL), ERR_NONE);
    for (int i = 0; i < 10; i++)
        hand_over(fixture, 100, ENDPOINTS);
    wait_for_results(&fixture->store, 1000);
    deliver_stop(fixture->deliver, 10000);
    assert_int_equal(fixture->store.count, 1000);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(fixture->deliveries[i].decision.state, DELIVERY_DELIVERED);
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        assert_true(fixture->clients[i]->started_count > 0);
    fixture_free(fixture);
}

static void stopping_threads_interrupts_what_does_not_end(void **state)
{
    struct fixture *fixture = fixture_new(2, 0);
    struct watched_probe watched = {0};

    (void)state;
    watch(fixture, &watched);
    assert_int_equal(deliver_start(fixture->deliver, &fixture->store, NULL), ERR_NONE);
    hand_over(fixture, 100, ENDPOINTS);
    assert_int_equal(deliver_probe(fixture->deliver, &watched.probe), ERR_NONE);
    deliver_stop(fixture->deliver, 1);
    assert_int_equal(fixture->store.count, 100);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(fixture->deliveries[i].result, RESULT_RETURNED);
    assert_int_equal(watched.done_count, 1);
    probe_done(&watched.probe);
    fixture_free(fixture);
}

/* The second client cannot be made; the first one must be freed. */
static enum err open_one_client(void *ctx, struct http_client **ret_client, struct error *why)
{
    int *count = ctx;

    if (++*count == 2)
        return error_set(why, ERR_UNAVAILABLE, "no descriptor is left");
    *ret_client = &fake_client_new()->client;
    return ERR_NONE;
}

static void a_client_that_cannot_be_opened_is_told(void **state)
{
    struct deliver *deliver = NULL;
    struct error why = {0};
    int count = 0;
    const struct deliver_config config = {
            .threads = 3,
            .clock = clock_real(),
            .open_client = open_one_client,
            .open_client_ctx = &count,
    };

    (void)state;
    assert_int_equal(deliver_new(&config, &deliver, &why), ERR_UNAVAILABLE);
    assert_string_equal(why.text, "no descriptor is left");
    assert_null(deliver);
    assert_int_equal(count, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
            TEST(a_delivery_is_sent_and_its_result_given_back),
            TEST(the_results_of_a_turn_go_back_in_one_chain),
            TEST(each_endpoint_has_its_own_limit),
            TEST(disabling_gives_the_queue_back_and_lets_attempts_end),
            TEST(a_cancelled_one_that_is_queued_is_given_back_unsent),
            TEST(what_arrives_for_a_disabled_endpoint_is_given_back),
            TEST(what_is_left_of_a_deleted_endpoint_is_given_back),
            TEST(a_long_hold_gives_the_queue_back_until_its_end),
            TEST(a_short_hold_is_waited_for_here),
            TEST(a_gone_endpoint_gets_nothing_more),
            TEST(a_rate_limit_is_kept_by_the_clock),
            TEST(stopping_gives_everything_back),
            TEST(a_probe_is_sent_beside_the_lanes),
            TEST(no_more_than_64_probes_are_under_way),
            cmocka_unit_test(threads_share_the_endpoints_and_lose_nothing),
            cmocka_unit_test(stopping_threads_interrupts_what_does_not_end),
            cmocka_unit_test(a_client_that_cannot_be_opened_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
