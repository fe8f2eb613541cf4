/* SPDX-License-Identifier: Apache-2.0 */
/* Contract tests of events: listing, what each endpoint has of one, and replay. */
#include "contract.h"

static struct event_list any_event(void)
{
    return (struct event_list){
            .org_id = STR("org_a"), .kind = -1, .type = -1, .page = {.limit = 10}};
}

static int64_t newest_event(struct contract *c)
{
    struct event_list list = any_event();

    list.page.limit = 1;
    assert_int_equal(RUN(c, store_event_list, &list), ERR_NONE);
    assert_int_equal(list.count, 1);
    return list.events[0].id;
}

/* What the endpoint has of the event. */
static struct event_endpoint seen_by(struct contract *c, int64_t event_id, int64_t endpoint_id)
{
    struct event_get get = {.org_id = STR("org_a"), .id = event_id};

    assert_int_equal(RUN(c, store_event_get, &get), ERR_NONE);
    for (size_t i = 0; i < get.endpoint_count; i++)
        if (get.endpoints[i].endpoint_id == endpoint_id)
            return get.endpoints[i];
    fail_msg("the endpoint is not shown");
    return (struct event_endpoint){0};
}

static enum err
replay(struct contract *c, int64_t event_id, int64_t endpoint_id, int64_t *ret_deliveries)
{
    struct event_replay op = {.org_id = STR("org_a"), .id = event_id, .endpoint_id = endpoint_id};
    enum err err = RUN(c, store_event_replay, &op);

    *ret_deliveries = op.delivery_count;
    return err;
}

static void a_list_is_filtered_and_goes_from_new_to_old(void **state)
{
    static const struct {
        int kind, type;
        int64_t call_id, since_ms, until_ms;
        size_t count;
    } cases[] = {
            {-1, -1, 0, 0, 0, 3},
            {EVENT_CALL_LOGGED, -1, 0, 0, 0, 2},
            {EVENT_RECORDING_UPDATED, -1, 0, 0, 0, 1},
            {-1, CALL_MISSED, 0, 0, 0, 1},
            {EVENT_RECORDING_UPDATED, CALL_MISSED, 0, 0, 0, 0},
            {-1, -1, 1, 0, 0, 2},
            {EVENT_CALL_LOGGED, CALL_INCOMING, 1, 0, 0, 1},
            {-1, -1, 0, CONTRACT_START_MS + HOUR_MS, 0, 2},
            {-1, -1, 0, 0, CONTRACT_START_MS + HOUR_MS, 1},
            {-1, -1, 1, CONTRACT_START_MS + 1, CONTRACT_START_MS + 3 * HOUR_MS, 1},
    };
    struct contract *c = *state;
    struct call_draft missed = {.type = CALL_MISSED};
    struct call_create create = {.org_id = STR("org_a"), .drafts = &missed, .draft_count = 1};

    contract_make_org(c, "org_a");
    contract_make_org(c, "org_b");
    int64_t id = contract_make_call(c, "org_a", "+919876543210");
    contract_advance(c, HOUR_MS);
    assert_int_equal(RUN(c, store_call_create, &create), ERR_NONE);
    contract_advance(c, HOUR_MS);
    contract_set_file_status(c, id, FILE_UPLOADING);
    (void)contract_make_call(c, "org_b", "+919876543210");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct event_list list = any_event();

        list.kind = cases[i].kind;
        list.type = cases[i].type;
        list.call_id = cases[i].call_id;
        list.since_ms = cases[i].since_ms;
        list.until_ms = cases[i].until_ms;
        assert_int_equal(RUN(c, store_event_list, &list), ERR_NONE);
        assert_int_equal(list.count, cases[i].count);
        for (size_t j = 1; j < list.count; j++)
            assert_true(list.events[j].id < list.events[j - 1].id);
    }
}

static void pages_hold_each_event_once_while_events_arrive(void **state)
{
    struct contract *c = *state;
    struct event_list list = any_event();
    size_t seen = 0;
    int64_t last = INT64_MAX;

    contract_make_org(c, "org_a");
    for (int i = 0; i < 5; i++)
        (void)contract_make_call(c, "org_a", "+919876543210");
    list.page.limit = 2;
    do {
        assert_int_equal(RUN(c, store_event_list, &list), ERR_NONE);
        for (size_t i = 0; i < list.count; i++, seen++) {
            assert_true(list.events[i].id < last);
            last = list.events[i].id;
        }
        (void)contract_make_call(c, "org_a", "+919876543210");
        list.page.cursor = list.page.next_cursor;
    } while (list.page.next_cursor.ptr != NULL);
    assert_int_equal(seen, 5);
}

static void each_endpoint_shows_its_delivery_or_why_it_has_none(void **state)
{
    struct contract *c = *state;
    struct endpoint *picky = endpoint_new();

    picky->event_mask = 1U << EVENT_AI_ANALYSIS;
    contract_make_org(c, "org_a");
    int64_t wants = contract_make_endpoint(c, "org_a");
    int64_t not_selected = contract_create_endpoint(c, "org_a", picky);
    int64_t disabled = contract_make_endpoint(c, "org_a");
    int64_t held = contract_make_endpoint(c, "org_a");
    int64_t deleted = contract_make_endpoint(c, "org_a");
    contract_enable(c, disabled, false);
    (void)contract_make_call(c, "org_a", "+919876543210");
    int64_t event = newest_event(c);
    contract_advance(c, 10);
    int64_t later = contract_make_endpoint(c, "org_a");
    for (int i = 0; i < 3; i++) {
        struct delivery *delivery = contract_take(c);

        contract_answer(c, delivery, delivery->endpoint->id == held ? 500 : 200);
    }
    contract_enable(c, held, false);
    struct endpoint_delete delete = {.org_id = STR("org_a"), .id = deleted};
    assert_int_equal(RUN(c, store_endpoint_delete, &delete), ERR_NONE);

    struct event_endpoint seen = seen_by(c, event, wants);
    assert_int_equal(seen.why_none, NO_DELIVERY_NONE);
    assert_int_equal(seen.state, DELIVERY_DELIVERED);
    assert_int_equal(seen.attempt_count, 1);
    assert_true(seen.delivery_id > 0);
    assert_true(str_is(seen.url, "http://127.0.0.1:9/hook"));
    seen = seen_by(c, event, not_selected);
    assert_int_equal(seen.why_none, NO_DELIVERY_NOT_SELECTED);
    assert_int_equal(seen.delivery_id, 0);
    assert_int_equal(seen_by(c, event, disabled).why_none, NO_DELIVERY_DISABLED);
    assert_int_equal(seen_by(c, event, held).state, DELIVERY_HELD);
    assert_int_equal(seen_by(c, event, later).why_none, NO_DELIVERY_LATER);
    seen = seen_by(c, event, deleted);
    assert_null(seen.url.ptr);
    assert_int_equal(seen.state, DELIVERY_DELIVERED);
    struct event_get foreign = {.org_id = STR("org_b"), .id = event};
    assert_int_equal(RUN(c, store_event_get, &foreign), ERR_NOT_FOUND);
}

static void a_delivered_event_is_replayed_to_one_with_the_same_bytes(void **state)
{
    struct contract *c = *state;
    int64_t count;

    contract_make_org(c, "org_a");
    int64_t endpoint = contract_make_endpoint(c, "org_a");
    (void)contract_make_endpoint(c, "org_a");
    (void)contract_make_call(c, "org_a", "+919876543210");
    contract_answer_all(c);
    int64_t event = newest_event(c);
    assert_int_equal(replay(c, event, endpoint, &count), ERR_NONE);
    assert_int_equal(count, 1);
    contract_settle(c);
    assert_int_equal(c->handed_count, 1);
    struct delivery *again = contract_take(c);
    struct event_get get = {.org_id = STR("org_a"), .id = event};
    assert_int_equal(RUN(c, store_event_get, &get), ERR_NONE);
    assert_true(str_equal(blob_str(again->body), get.event.body)); /* I10 */
    assert_int_equal(again->endpoint->id, endpoint);
    assert_int_equal(again->attempt_count, 1);
    assert_int_equal(again->failure_count, 0);
    contract_answer(c, again, 200);
    assert_int_equal(seen_by(c, event, endpoint).attempt_count, 2);
    assert_int_equal(contract_count_deliveries(c, "org_a", -1), 2); /* I2 */
}

static void an_event_is_replayed_to_all_that_want_it_and_are_enabled(void **state)
{
    struct contract *c = *state;
    struct endpoint *picky = endpoint_new();
    int64_t count;

    picky->type_mask = 1U << CALL_MISSED;
    contract_make_org(c, "org_a");
    (void)contract_make_endpoint(c, "org_a");
    (void)contract_create_endpoint(c, "org_a", picky);
    int64_t disabled = contract_make_endpoint(c, "org_a");
    (void)contract_make_call(c, "org_a", "+919876543210");
    contract_answer_all(c);
    contract_enable(c, disabled, false);
    int64_t later = contract_make_endpoint(c, "org_a");
    int64_t event = newest_event(c);
    assert_int_equal(replay(c, event, 0, &count), ERR_NONE);
    assert_int_equal(count, 2);
    contract_settle(c);
    assert_int_equal(c->handed_count, 2);
    assert_int_equal(seen_by(c, event, later).state, DELIVERY_SENDING);
    assert_int_equal(replay(c, event, disabled, &count), ERR_CONFLICT);
    assert_int_equal(replay(c, event, 12345, &count), ERR_NOT_FOUND);
    assert_int_equal(replay(c, 12345, 0, &count), ERR_NOT_FOUND);
}

static void replaying_an_unfinished_event_makes_it_due_now_and_no_second_delivery(void **state)
{
    struct contract *c = *state;
    int64_t count;

    contract_make_org(c, "org_a");
    int64_t endpoint = contract_make_endpoint(c, "org_a");
    (void)contract_make_call(c, "org_a", "+919876543210");
    int64_t event = newest_event(c);
    assert_int_equal(replay(c, event, endpoint, &count), ERR_NONE); /* it is being sent */
    contract_settle(c);
    assert_int_equal(c->handed_count, 1);
    contract_answer(c, contract_take(c), 500);
    assert_int_equal(c->handed_count, 0);
    assert_int_equal(replay(c, event, endpoint, &count), ERR_NONE);
    contract_settle(c);
    struct delivery *again = contract_take(c);
    assert_int_equal(again->attempt_count, 1);
    assert_int_equal(again->failure_count, 1); /* its run of the schedule goes on */
    contract_answer(c, again, 200);
    assert_int_equal(contract_count_deliveries(c, "org_a", -1), 1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
            CONTRACT_TEST(a_list_is_filtered_and_goes_from_new_to_old),
            CONTRACT_TEST(pages_hold_each_event_once_while_events_arrive),
            CONTRACT_TEST(each_endpoint_shows_its_delivery_or_why_it_has_none),
            CONTRACT_TEST(a_delivered_event_is_replayed_to_one_with_the_same_bytes),
            CONTRACT_TEST(an_event_is_replayed_to_all_that_want_it_and_are_enabled),
            CONTRACT_TEST(replaying_an_unfinished_event_makes_it_due_now_and_no_second_delivery),
    };

    return CONTRACT_MAIN(argc, argv, tests);
}
