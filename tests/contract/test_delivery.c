/* SPDX-License-Identifier: Apache-2.0 */
/* Contract tests of stored deliveries: listing, reading, retrying and cancelling. */
#include "contract.h"

static struct delivery_list any_delivery(void)
{
    return (struct delivery_list){
            .org_id = STR("org_a"), .state = -1, .kind = -1, .page = {.limit = 10}};
}

static size_t count(struct contract *c, struct delivery_list list)
{
    assert_int_equal(RUN(c, store_delivery_list, &list), ERR_NONE);
    for (size_t i = 1; i < list.count; i++)
        assert_true(list.deliveries[i].id < list.deliveries[i - 1].id);
    return list.count;
}

static enum err retry(struct contract *c, int64_t id)
{
    struct delivery_retry op = {.org_id = STR("org_a"), .id = id};

    return RUN(c, store_delivery_retry, &op);
}

static enum err cancel(struct contract *c, int64_t id)
{
    struct delivery_cancel op = {.org_id = STR("org_a"), .id = id};
    enum err err = RUN(c, store_delivery_cancel, &op);

    if (err == ERR_NONE)
        assert_int_equal(op.delivery.state, DELIVERY_CANCELLED);
    return err;
}

/* One handed-over delivery of a call, and its id. */
static struct delivery *take_new(struct contract *c, int64_t *ret_id)
{
    (void)contract_make_call(c, "org_a", "+919876543210");
    struct delivery *delivery = contract_take(c);
    *ret_id = delivery->id;
    return delivery;
}

static int64_t make_endpoint_without_retries(struct contract *c)
{
    struct endpoint *endpoint = endpoint_new();

    endpoint->retry_schedule.wait_count = 0;
    return contract_create_endpoint(c, "org_a", endpoint);
}

/* One delivery in each state; the returned endpoint holds one retrying and one waiting one. */
static void make_each_state(struct contract *c, int64_t *ret_endpoint, int64_t *ret_disabled)
{
    int64_t id;

    contract_make_org(c, "org_a");
    *ret_disabled = contract_make_endpoint(c, "org_a");
    contract_answer(c, take_new(c, &id), 500);                        /* retrying, soon held */
    contract_return(c, take_new(c, &id), CONTRACT_START_MS + DAY_MS); /* waiting, soon held */
    contract_enable(c, *ret_disabled, false);
    *ret_endpoint = contract_make_endpoint(c, "org_a");
    contract_answer(c, take_new(c, &id), 200);
    contract_answer(c, take_new(c, &id), 500);
    contract_return(c, take_new(c, &id), CONTRACT_START_MS + DAY_MS);
    contract_return(c, take_new(c, &id), CONTRACT_START_MS + DAY_MS);
    assert_int_equal(cancel(c, id), ERR_NONE);
    contract_answer(c, take_new(c, &id), 410);
    contract_enable(c, *ret_endpoint, true);
    (void)contract_make_call(c, "org_a", "+919876543210"); /* sending */
}

static void each_state_is_listed_alone_and_with_other_filters(void **state)
{
    static const size_t counts[DELIVERY_STATE_COUNT] = {
            [DELIVERY_WAITING] = 1,
            [DELIVERY_SENDING] = 1,
            [DELIVERY_RETRYING] = 1,
            [DELIVERY_HELD] = 2,
            [DELIVERY_DELIVERED] = 1,
            [DELIVERY_FAILED] = 1,
            [DELIVERY_CANCELLED] = 1,
    };
    struct contract *c = *state;
    int64_t endpoint, disabled;

    make_each_state(c, &endpoint, &disabled);
    for (int i = 0; i < DELIVERY_STATE_COUNT; i++) {
        struct delivery_list list = any_delivery();

        list.state = i;
        assert_int_equal(count(c, list), counts[i]);
        list.endpoint_id = endpoint;
        assert_int_equal(count(c, list), i == DELIVERY_HELD ? 0 : counts[i]);
        list.endpoint_id = disabled;
        assert_int_equal(count(c, list), i == DELIVERY_HELD ? 2 : 0);
        list.endpoint_id = 0;
        list.call_id = 1; /* whose delivery is held */
        assert_int_equal(count(c, list), i == DELIVERY_HELD ? 1 : 0);
        list.call_id = 0;
        list.org_id = STR("org_b");
        assert_int_equal(count(c, list), 0);
    }
    contract_enable(c, disabled, true);
    struct delivery_list list = any_delivery();
    list.state = DELIVERY_HELD;
    assert_int_equal(count(c, list), 0);
    list.state = DELIVERY_WAITING;
    assert_int_equal(count(c, list), 2);
}

static void other_filters_find_their_deliveries_alone_and_together(void **state)
{
    static const struct {
        int kind;
        int64_t call_id;
        bool second;
        int64_t since_h, until_h;
        size_t count;
    } cases[] = {
            {-1, 0, false, 0, 0, 6},
            {EVENT_RECORDING_UPDATED, 0, false, 0, 0, 2},
            {-1, 1, false, 0, 0, 4},
            {EVENT_CALL_LOGGED, 1, true, 0, 0, 1},
            {-1, 0, true, 0, 0, 3},
            {-1, 0, false, 1, 0, 4},
            {-1, 0, true, 1, 2, 1},
            {-1, 2, true, 1, 0, 1},
    };
    struct contract *c = *state;

    contract_make_org(c, "org_a");
    (void)contract_make_endpoint(c, "org_a");
    int64_t second = contract_make_endpoint(c, "org_a");
    int64_t call = contract_make_call(c, "org_a", "+919876543210");
    contract_answer_all(c);
    contract_advance(c, HOUR_MS);
    (void)contract_make_call(c, "org_a", "+919876543210");
    contract_advance(c, HOUR_MS);
    contract_set_file_status(c, call, FILE_UPLOADING);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct delivery_list list = any_delivery();

        list.kind = cases[i].kind;
        list.call_id = cases[i].call_id;
        list.endpoint_id = cases[i].second ? second : 0;
        list.since_ms = cases[i].since_h > 0 ? CONTRACT_START_MS + cases[i].since_h * HOUR_MS : 0;
        list.until_ms = cases[i].until_h > 0 ? CONTRACT_START_MS + cases[i].until_h * HOUR_MS : 0;
        assert_int_equal(count(c, list), cases[i].count);
    }
}

static void pages_hold_each_delivery_once_in_every_kind_of_list(void **state)
{
    struct contract *c = *state;

    contract_make_org(c, "org_a");
    (void)contract_make_endpoint(c, "org_a");
    int64_t second = contract_make_endpoint(c, "org_a");
    for (int i = 0; i < 3; i++)
        (void)contract_make_call(c, "org_a", "+919876543210");
    for (int i = 0; i < 4; i++) {
        struct delivery_list list = any_delivery();
        size_t seen = 0;
        int64_t last = INT64_MAX;

        list.page.limit = 2;
        list.state = (i & 1) != 0 ? DELIVERY_SENDING : -1;
        list.endpoint_id = (i & 2) != 0 ? second : 0;
        do {
            assert_int_equal(RUN(c, store_delivery_list, &list), ERR_NONE);
            for (size_t j = 0; j < list.count; j++, seen++) {
                assert_true(list.deliveries[j].id < last);
                last = list.deliveries[j].id;
            }
            list.page.cursor = list.page.next_cursor;
        } while (list.page.next_cursor.ptr != NULL);
        assert_int_equal(seen, (i & 2) != 0 ? 3 : 6);
    }
}

static void a_delivery_shows_its_attempts_oldest_first(void **state)
{
    struct contract *c = *state;
    int64_t id;

    contract_make_org(c, "org_a");
    (void)contract_make_endpoint(c, "org_a");
    struct delivery *delivery = take_new(c, &id);
    buf_add_text(&delivery->detail, "it took too long");
    buf_add_text(&delivery->request_headers, "webhook-id: x\n");
    contract_answer(c, delivery, 0);
    contract_advance(c, 6000);
    delivery = contract_take(c);
    buf_add_text(&delivery->response_headers, "Content-Type: text/plain\n");
    buf_add(&delivery->response_body, "no\0t", 4);
    contract_answer(c, delivery, 503);
    struct delivery_get get = contract_get_delivery(c, id);
    assert_int_equal(get.delivery.state, DELIVERY_RETRYING);
    assert_int_equal(get.delivery.attempt_count, 2);
    assert_int_equal(get.delivery.due_at_ms, CONTRACT_START_MS + 6000 + 300000);
    assert_int_equal(get.delivery.finished_at_ms, 0);
    assert_true(str_is(get.delivery.endpoint_url, "http://127.0.0.1:9/hook"));
    assert_true(str_starts(get.body, STR("{\"event\":\"call_logged\"")));
    assert_int_equal(get.attempt_count, 2);
    assert_int_equal(get.attempts[0].number, 1);
    assert_int_equal(get.attempts[0].error, ATTEMPT_TIMEOUT);
    assert_true(str_is(get.attempts[0].detail, "it took too long"));
    assert_true(str_is(get.attempts[0].request_headers, "webhook-id: x\n"));
    assert_int_equal(get.attempts[0].status, 0);
    assert_null(get.attempts[0].response_body.ptr);
    assert_int_equal(get.attempts[0].started_at_ms, CONTRACT_START_MS);
    assert_int_equal(get.attempts[0].duration_us, 1000);
    assert_int_equal(get.attempts[1].number, 2);
    assert_int_equal(get.attempts[1].status, 503);
    assert_true(str_equal(get.attempts[1].response_body, STR("no\0t")));
    assert_true(str_is(get.attempts[1].response_headers, "Content-Type: text/plain\n"));
    struct delivery_get foreign = {.org_id = STR("org_b"), .id = id};
    assert_int_equal(RUN(c, store_delivery_get, &foreign), ERR_NOT_FOUND);
}

static void a_failed_one_that_is_retried_starts_its_schedule_anew(void **state)
{
    struct contract *c = *state;
    int64_t id;

    contract_make_org(c, "org_a");
    (void)make_endpoint_without_retries(c);
    contract_answer(c, take_new(c, &id), 500);
    assert_int_equal(contract_get_delivery(c, id).delivery.state, DELIVERY_FAILED);
    contract_advance(c, 1000);
    assert_int_equal(retry(c, id), ERR_NONE);
    contract_settle(c);
    struct delivery *again = contract_take(c);
    assert_int_equal(again->attempt_count, 1);
    assert_int_equal(again->failure_count, 0);
    contract_answer(c, again, 200);
    struct delivery_row row = contract_get_delivery(c, id).delivery;
    assert_int_equal(row.state, DELIVERY_DELIVERED);
    assert_int_equal(row.attempt_count, 2);
    assert_int_equal(row.finished_at_ms, CONTRACT_START_MS + 1000);
}

static void a_retrying_one_that_is_retried_goes_now_and_one_being_sent_stays(void **state)
{
    struct contract *c = *state;
    int64_t id;

    contract_make_org(c, "org_a");
    (void)contract_make_endpoint(c, "org_a");
    contract_answer(c, take_new(c, &id), 500);
    assert_int_equal(retry(c, id), ERR_NONE);
    contract_settle(c);
    assert_int_equal(c->handed_count, 1);
    assert_int_equal(retry(c, id), ERR_NONE);
    contract_settle(c);
    assert_int_equal(c->handed_count, 1);
    struct delivery_retry foreign = {.org_id = STR("org_b"), .id = id};
    assert_int_equal(RUN(c, store_delivery_retry, &foreign), ERR_NOT_FOUND);
}

static void none_is_retried_at_an_endpoint_that_is_disabled_or_gone(void **state)
{
    struct contract *c = *state;
    int64_t id;

    contract_make_org(c, "org_a");
    struct endpoint_delete delete = {
            .org_id = STR("org_a"), .id = make_endpoint_without_retries(c)};
    contract_answer(c, take_new(c, &id), 500);
    contract_enable(c, delete.id, false);
    assert_int_equal(retry(c, id), ERR_CONFLICT);
    contract_enable(c, delete.id, true);
    assert_int_equal(RUN(c, store_endpoint_delete, &delete), ERR_NONE);
    assert_int_equal(retry(c, id), ERR_CONFLICT);
    assert_int_equal(contract_get_delivery(c, id).delivery.state, DELIVERY_FAILED);
    assert_null(contract_get_delivery(c, id).delivery.endpoint_url.ptr);
}

static void a_cancelled_one_is_never_sent_unless_it_is_retried(void **state)
{
    struct contract *c = *state;
    int64_t id;

    contract_make_org(c, "org_a");
    (void)contract_make_endpoint(c, "org_a");
    contract_answer(c, take_new(c, &id), 500);
    assert_int_equal(cancel(c, id), ERR_NONE);
    assert_int_equal(cancel(c, id), ERR_CONFLICT);
    assert_int_equal(c->cancelled_id, 0); /* it was not in memory */
    contract_advance(c, DAY_MS);
    while (c->handed != NULL) { /* of the watchdog's events */
        assert_true(c->handed->id != id);
        contract_answer(c, contract_take(c), 200);
    }
    assert_int_equal(retry(c, id), ERR_NONE);
    contract_settle(c);
    assert_int_equal(c->handed->id, id);
}

static void one_that_is_cancelled_in_memory_starts_anew_only_when_it_is_back(void **state)
{
    struct contract *c = *state;
    int64_t id;

    contract_make_org(c, "org_a");
    (void)contract_make_endpoint(c, "org_a");
    struct delivery *delivery = take_new(c, &id);
    assert_int_equal(cancel(c, id), ERR_NONE);
    assert_int_equal(c->cancelled_id, id);
    assert_int_equal(retry(c, id), ERR_CONFLICT); /* two attempts would be under way at once */
    contract_return(c, delivery, 0);
    assert_int_equal(c->handed_count, 0);
    assert_int_equal(contract_get_delivery(c, id).delivery.state, DELIVERY_CANCELLED);
    assert_int_equal(retry(c, id), ERR_NONE);
    contract_settle(c);
    assert_int_equal(c->handed_count, 1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
            CONTRACT_TEST(each_state_is_listed_alone_and_with_other_filters),
            CONTRACT_TEST(other_filters_find_their_deliveries_alone_and_together),
            CONTRACT_TEST(pages_hold_each_delivery_once_in_every_kind_of_list),
            CONTRACT_TEST(a_delivery_shows_its_attempts_oldest_first),
            CONTRACT_TEST(a_failed_one_that_is_retried_starts_its_schedule_anew),
            CONTRACT_TEST(a_retrying_one_that_is_retried_goes_now_and_one_being_sent_stays),
            CONTRACT_TEST(none_is_retried_at_an_endpoint_that_is_disabled_or_gone),
            CONTRACT_TEST(a_cancelled_one_is_never_sent_unless_it_is_retried),
            CONTRACT_TEST(one_that_is_cancelled_in_memory_starts_anew_only_when_it_is_back),
    };

    return CONTRACT_MAIN(argc, argv, tests);
}
