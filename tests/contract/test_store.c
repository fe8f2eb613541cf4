/* SPDX-License-Identifier: Apache-2.0 */
/* Contract tests of the store itself: batches, refusals, failed commits, stop and restart. */
#include "contract.h"

/* An op that logs a call or two. */
struct logging {
    struct call_draft drafts[2];
    struct call_create create;
};

static enum err submit_calls(struct contract *c, struct logging *op, size_t calls)
{
    for (size_t i = 0; i < calls; i++)
        op->drafts[i] = (struct call_draft){.type = CALL_MISSED, .phone = STR("+919876543210")};
    op->create = (struct call_create){
            .org_id = STR("org_a"), .drafts = op->drafts, .draft_count = calls};
    contract_prepare(c, &op->create.op);
    return store_call_create(c->store, &op->create);
}

static enum err submit(struct contract *c, struct logging *op)
{
    return submit_calls(c, op, 1);
}

static size_t event_notes(const struct contract *c)
{
    size_t count = 0;

    for (size_t i = 0; i < c->note_count; i++)
        count += c->notes[i].kind == NOTE_EVENT ? 1 : 0;
    return count;
}

static void an_op_that_fails_undoes_only_itself(void **state)
{
    struct contract *c = *state;
    struct logging ops[3];
    size_t stored = 0, alone = 0, failed = 1;
    int64_t last_id = 0;

    contract_make_org(c, "org_a");
    (void)contract_make_endpoint(c, "org_a");
    c->note_count = 0;
    for (int64_t fail_at = 1; failed > 0; fail_at++) {
        assert_true(fail_at < 1000);
        contract_reopen(c); /* so that the first op reserves ids for all of them */
        failed = 0;
        c->calls = 0;
        c->fail_at = fail_at;
        for (size_t i = 0; i < 3; i++)
            assert_int_equal(submit_calls(c, &ops[i], 2), ERR_NONE);
        assert_true(store_turn(c->store));
        c->fail_at = 0;
        for (size_t i = 0; i < 3; i++) {
            enum err err = ops[i].create.op.err;

            assert_true(err == ERR_NONE || err == ERR_UNAVAILABLE);
            failed += err != ERR_NONE ? 1 : 0;
            for (size_t j = 0; j < 2 && err == ERR_NONE; j++) {
                assert_true(ops[i].drafts[j].call_id > last_id);
                last_id = ops[i].drafts[j].call_id;
            }
        }
        alone += failed == 1 ? 1 : 0;
        stored += 2 * (3 - failed);
        assert_int_equal(c->handed_count, 2 * (3 - failed));
        contract_answer_all(c);
        assert_int_equal(contract_number(c, "SELECT count(*) FROM call"), stored);
        assert_int_equal(contract_number(c, "SELECT count(*) FROM event"), stored);
        assert_int_equal(
                contract_number(c, "SELECT count(*) FROM delivery WHERE state = 4"), stored);
        assert_int_equal(event_notes(c), stored);
    }
    assert_true(alone > 18); /* each statement of each of them failed once */
}

static void a_full_queue_refuses_ops_but_no_results(void **state)
{
    struct contract *c = *state;
    struct logging calls[3];
    struct event_list reads[3];

    c->config.queue_max = 2;
    contract_reopen(c);
    contract_make_org(c, "org_a");
    (void)contract_make_endpoint(c, "org_a");
    (void)contract_make_call(c, "org_a", "+919876543210");
    struct delivery *delivery = contract_take(c);
    int64_t id = delivery->id;
    size_t before = c->done_count;
    assert_int_equal(submit(c, &calls[0]), ERR_NONE);
    assert_int_equal(submit(c, &calls[1]), ERR_NONE);
    assert_int_equal(submit(c, &calls[2]), ERR_BUSY);
    assert_int_equal(metrics_get(&c->metrics, METRIC_STORE_BUSY), 1);
    for (size_t i = 0; i < 3; i++) {
        reads[i] = (struct event_list){
                .org_id = STR("org_a"), .kind = -1, .type = -1, .page = {.limit = 1}};
        contract_prepare(c, &reads[i].op);
        assert_int_equal(store_event_list(c->store, &reads[i]), i < 2 ? ERR_NONE : ERR_BUSY);
    }
    contract_answer(c, delivery, 200);
    assert_int_equal(c->done_count - before, 4); /* a refused op is never done */
    assert_int_equal(contract_get_delivery(c, id).delivery.state, DELIVERY_DELIVERED);
    assert_int_equal(submit(c, &calls[2]), ERR_NONE);
    contract_settle(c);
    assert_int_equal(calls[2].create.op.err, ERR_NONE);
}

static void a_draining_store_refuses_ops_hands_nothing_over_and_takes_results(void **state)
{
    struct contract *c = *state;
    struct logging before, after;
    struct event_list read = {.org_id = STR("org_a")};

    contract_make_org(c, "org_a");
    (void)contract_make_endpoint(c, "org_a");
    (void)contract_make_call(c, "org_a", "+919876543210");
    struct delivery *delivery = contract_take(c);
    int64_t id = delivery->id;
    (void)contract_make_call(c, "org_a", "+919876543210");
    contract_return(c, contract_take(c), CONTRACT_START_MS + HOUR_MS);
    assert_int_equal(submit(c, &before), ERR_NONE);
    store_drain(c->store);
    assert_int_equal(submit(c, &after), ERR_CANCELLED);
    contract_prepare(c, &read.op);
    assert_int_equal(store_event_list(c->store, &read), ERR_CANCELLED);
    contract_answer(c, delivery, 200);
    assert_int_equal(before.create.op.err, ERR_NONE); /* it waited when the drain began */
    contract_return(c, contract_take(c), 0);
    contract_advance(c, 2 * HOUR_MS);
    assert_int_equal(c->handed_count, 0);
    contract_reopen(c);
    assert_int_equal(contract_get_delivery(c, id).delivery.state, DELIVERY_DELIVERED);
    assert_int_equal(c->handed_count, 2);
}

static void a_failed_commit_is_told_and_leaves_nothing(void **state)
{
    struct contract *c = *state;
    struct logging call = {.create.op.err = ERR_UNAVAILABLE};
    bool whole_failed = false;

    contract_make_org(c, "org_a");
    (void)contract_make_endpoint(c, "org_a");
    c->note_count = 0;
    for (int64_t fail_at = 1; call.create.op.err != ERR_NONE; fail_at++) {
        c->calls = 0;
        c->fail_at = fail_at;
        assert_int_equal(submit(c, &call), ERR_NONE);
        assert_true(store_turn(c->store));
        c->fail_at = 0;
        if (call.create.op.err == ERR_NONE)
            break;
        assert_int_equal(call.create.op.err, ERR_UNAVAILABLE);
        assert_true(call.create.op.why.text[0] != '\0');
        assert_int_equal(c->handed_count, 0);
        assert_int_equal(c->note_count, 0);
        assert_int_equal(contract_number(c, "SELECT count(*) FROM call"), 0);
        whole_failed = !store_is_healthy(c->store); /* at last it is the commit */
    }
    assert_true(whole_failed);
    assert_true(store_is_healthy(c->store));
    assert_true(metrics_get(&c->metrics, METRIC_STORE_FAILED_COMMITS) > 0);
    assert_int_equal(c->handed_count, 1);
    assert_int_equal(metrics_get(&c->metrics, METRIC_DELIVERIES_IN_MEMORY), 1);
}

static void a_result_outlives_failed_commits(void **state)
{
    struct contract *c = *state;
    int64_t failures = 0;
    bool failed = true;

    contract_make_org(c, "org_a");
    (void)contract_make_endpoint(c, "org_a");
    for (int64_t fail_at = 1; failed; fail_at++) {
        (void)contract_make_call(c, "org_a", "+919876543210");
        struct delivery *delivery = contract_take(c);
        int64_t id = delivery->id;

        c->calls = 0;
        c->fail_at = fail_at;
        contract_answer(c, delivery, 200);
        c->fail_at = 0;
        failed = c->calls >= fail_at;
        if (failed) {
            failures++;
            assert_int_equal(contract_get_delivery(c, id).delivery.state, DELIVERY_SENDING);
            contract_advance(c, 249);
            assert_false(store_is_healthy(c->store)); /* not tried again at once */
        }
        contract_advance(c, 1000);
        struct delivery_get get = contract_get_delivery(c, id);
        assert_int_equal(get.delivery.state, DELIVERY_DELIVERED);
        assert_int_equal(get.attempt_count, 1);
        assert_int_equal(c->handed_count, 0);
    }
    assert_true(failures > 3);
    assert_int_equal(metrics_get(&c->metrics, METRIC_DELIVERIES_IN_MEMORY), 0);
}

static void a_result_that_was_kept_is_stored_with_the_next_op(void **state)
{
    struct contract *c = *state;

    contract_make_org(c, "org_a");
    (void)contract_make_endpoint(c, "org_a");
    (void)contract_make_call(c, "org_a", "+919876543210");
    struct delivery *delivery = contract_take(c);
    int64_t id = delivery->id;
    c->calls = 0;
    c->fail_at = 1;
    contract_answer(c, delivery, 500);
    (void)contract_make_call(c, "org_a", "+919876543210");
    assert_int_equal(contract_get_delivery(c, id).delivery.state, DELIVERY_RETRYING);
    assert_int_equal(c->handed_count, 1);
}

static void ops_keep_their_order_around_one_that_runs_alone(void **state)
{
    struct contract *c = *state;
    struct logging before, after;
    struct endpoint *disabled = endpoint_new();

    disabled->enabled = false;
    contract_make_org(c, "org_a");
    struct endpoint_write write = {.id = contract_make_endpoint(c, "org_a"),
            .org_id = STR("org_a"),
            .fields = ENDPOINT_ENABLED,
            .endpoint = disabled};
    contract_prepare(c, &write.op);
    assert_int_equal(submit(c, &before), ERR_NONE);
    assert_int_equal(store_endpoint_write(c->store, &write), ERR_NONE);
    assert_int_equal(submit(c, &after), ERR_NONE);
    contract_settle(c);
    assert_int_equal(before.drafts[0].delivery_count, 1);
    assert_int_equal(after.drafts[0].delivery_count, 0);
    endpoint_unref(write.result);
    endpoint_unref(disabled);
}

static void a_change_of_an_endpoint_that_is_not_committed_is_no_change(void **state)
{
    struct contract *c = *state;
    enum err err = ERR_UNAVAILABLE;

    contract_make_org(c, "org_a");
    int64_t id = contract_make_endpoint(c, "org_a");
    for (int64_t fail_at = 1; err != ERR_NONE; fail_at++) {
        struct endpoint *endpoint = endpoint_new();
        size_t told = c->changed_endpoints;

        endpoint->enabled = false;
        c->calls = 0;
        c->fail_at = fail_at;
        err = contract_patch_endpoint(c, id, ENDPOINT_ENABLED, endpoint);
        c->fail_at = 0;
        assert_int_equal(c->changed_endpoints, told + (err == ERR_NONE ? 1 : 0));
        (void)contract_make_call(c, "org_a", "+919876543210");
        assert_int_equal(c->handed_count, err == ERR_NONE ? 0 : 1);
        contract_answer_all(c);
        assert_true(fail_at < 100);
    }
}

static void a_second_store_on_the_same_file_is_refused(void **state)
{
    struct contract *c = *state;
    struct store *second = NULL;
    struct error why = {0};

    assert_int_equal(store_open(&c->config, &second, &why), ERR_BUSY);
    assert_null(second);
    assert_true(why.text[0] != '\0');
}

static void nothing_due_is_no_reason_for_a_turn(void **state)
{
    struct contract *c = *state;

    contract_make_org(c, "org_a");
    (void)contract_make_endpoint(c, "org_a");
    (void)contract_make_call(c, "org_a", "+919876543210");
    contract_answer(c, contract_take(c), 500);
    contract_advance(c, 1000); /* counts are written */
    assert_int_equal(store_next_due_ms(c->store), CONTRACT_START_MS + 5000);
    contract_advance(c, 4000);
    assert_int_equal(c->handed_count, 1);
    assert_true(store_next_due_ms(c->store) > CONTRACT_START_MS + 5000);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
            CONTRACT_TEST(an_op_that_fails_undoes_only_itself),
            CONTRACT_TEST(a_full_queue_refuses_ops_but_no_results),
            CONTRACT_TEST(a_draining_store_refuses_ops_hands_nothing_over_and_takes_results),
            CONTRACT_TEST(a_failed_commit_is_told_and_leaves_nothing),
            CONTRACT_TEST(a_result_outlives_failed_commits),
            CONTRACT_TEST(a_result_that_was_kept_is_stored_with_the_next_op),
            CONTRACT_TEST(ops_keep_their_order_around_one_that_runs_alone),
            CONTRACT_TEST(a_change_of_an_endpoint_that_is_not_committed_is_no_change),
            CONTRACT_TEST(a_second_store_on_the_same_file_is_refused),
            CONTRACT_TEST(nothing_due_is_no_reason_for_a_turn),
    };

    return CONTRACT_MAIN(argc, argv, tests);
}
