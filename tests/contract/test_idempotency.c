/* SPDX-License-Identifier: Apache-2.0 */
/* Contract tests of idempotency keys (I8). */
#include "contract.h"

static void render(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct call_create *create = (const struct call_create *)op;

    *ret_status = 201;
    buf_addf(ret_body, "call %lld", (long long)create->drafts[0].call_id);
}

/* The key and body are given by a letter each. */
static struct idempotency make_key(const char *org_id, char key, char body)
{
    struct idempotency idempotency = {.org_id = str_from(org_id), .render = render};

    memset(idempotency.key_hash, key, sizeof(idempotency.key_hash));
    memset(idempotency.seal_key, key + 1, sizeof(idempotency.seal_key));
    memset(idempotency.body_hash, body, sizeof(idempotency.body_hash));
    return idempotency;
}

/* Logs a call under the key. */
static enum err log_call(struct contract *c, struct idempotency *idempotency)
{
    struct call_draft draft = {.type = CALL_MISSED, .phone = STR("+919876543210")};
    struct call_create create = {
            .op = {.idempotency = idempotency},
            .org_id = idempotency->org_id,
            .drafts = &draft,
            .draft_count = 1,
    };

    return RUN(c, store_call_create, &create);
}

static void the_same_key_and_body_give_the_first_answer_again(void **state)
{
    struct contract *c = *state;
    struct idempotency first = make_key("org_a", 'k', 'b');
    struct idempotency again = make_key("org_a", 'k', 'b');

    contract_make_org(c, "org_a");
    assert_int_equal(log_call(c, &first), ERR_NONE);
    assert_false(first.replayed);
    contract_reopen(c);
    assert_int_equal(log_call(c, &again), ERR_NONE);
    assert_true(again.replayed);
    assert_int_equal(again.status, 201);
    assert_true(str_is(buf_str(&again.body), "call 1"));
    assert_int_equal(contract_count_events(c, "org_a", -1), 1);
    buf_done(&again.body);
}

static void another_body_is_refused(void **state)
{
    struct contract *c = *state;
    struct idempotency first = make_key("org_a", 'k', 'b');
    struct idempotency other = make_key("org_a", 'k', 'x');

    contract_make_org(c, "org_a");
    assert_int_equal(log_call(c, &first), ERR_NONE);
    assert_int_equal(log_call(c, &other), ERR_INVALID);
    assert_false(other.replayed);
    assert_int_equal(contract_count_events(c, "org_a", -1), 1);
}

static void another_key_or_org_is_another_request(void **state)
{
    struct contract *c = *state;
    struct idempotency keys[] = {
            make_key("org_a", 'k', 'b'), make_key("org_a", 'l', 'b'), make_key("org_b", 'k', 'b')};

    contract_make_org(c, "org_a");
    contract_make_org(c, "org_b");
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(log_call(c, &keys[i]), ERR_NONE);
        assert_false(keys[i].replayed);
    }
    assert_int_equal(contract_count_events(c, "org_a", -1), 2);
    assert_int_equal(contract_count_events(c, "org_b", -1), 1);
}

static void a_key_is_forgotten_after_a_day(void **state)
{
    struct contract *c = *state;
    struct idempotency first = make_key("org_a", 'k', 'b');
    struct idempotency later = make_key("org_a", 'k', 'b');
    struct idempotency latest = make_key("org_a", 'k', 'x');

    contract_make_org(c, "org_a");
    assert_int_equal(log_call(c, &first), ERR_NONE);
    clock_virtual_set(&c->clock, CONTRACT_START_MS + IDEMPOTENCY_KEEP_MS - 1);
    assert_int_equal(log_call(c, &later), ERR_NONE);
    assert_true(later.replayed);
    clock_virtual_set(&c->clock, CONTRACT_START_MS + IDEMPOTENCY_KEEP_MS);
    assert_int_equal(log_call(c, &latest), ERR_NONE);
    assert_false(latest.replayed);
    buf_done(&later.body);
}

static void a_request_that_failed_may_be_tried_again_under_its_key(void **state)
{
    struct contract *c = *state;
    struct idempotency idempotency = make_key("org_a", 'k', 'b');
    int64_t fail_at = 0;
    enum err err;

    contract_make_org(c, "org_a");
    do {
        c->calls = 0;
        c->fail_at = ++fail_at;
        err = log_call(c, &idempotency);
        c->fail_at = 0;
        assert_false(idempotency.replayed);
        assert_int_equal(contract_count_events(c, "org_a", -1), err == ERR_NONE ? 1 : 0);
    } while (err != ERR_NONE);
    assert_true(fail_at > 5);
}

static enum err begin(struct contract *c, struct idempotency *idempotency)
{
    struct idempotency_mark mark = {.op = {.idempotency = idempotency}};

    return RUN(c, store_idempotency_begin, &mark);
}

static enum err
finish(struct contract *c, struct idempotency *idempotency, int64_t status, const char *body)
{
    struct idempotency_mark mark = {.op = {.idempotency = idempotency}};

    idempotency->status = status;
    buf_clear(&idempotency->body);
    buf_add_text(&idempotency->body, body);
    return RUN(c, store_idempotency_finish, &mark);
}

static void while_the_first_runs_the_key_is_taken(void **state)
{
    struct contract *c = *state;
    struct idempotency first = make_key("org_a", 'k', 'b');
    struct idempotency second = make_key("org_a", 'k', 'b');

    assert_int_equal(begin(c, &first), ERR_NONE);
    assert_false(first.replayed);
    assert_int_equal(begin(c, &second), ERR_CONFLICT);
    assert_int_equal(finish(c, &first, 200, "sent"), ERR_NONE);
    assert_int_equal(begin(c, &second), ERR_NONE);
    assert_true(second.replayed);
    assert_int_equal(second.status, 200);
    assert_true(str_is(buf_str(&second.body), "sent"));
    buf_done(&first.body);
    buf_done(&second.body);
}

static void a_request_that_was_not_answered_frees_its_key(void **state)
{
    struct contract *c = *state;
    struct idempotency key = make_key("org_a", 'k', 'b');

    assert_int_equal(begin(c, &key), ERR_NONE);
    assert_int_equal(finish(c, &key, 0, ""), ERR_NONE);
    assert_int_equal(begin(c, &key), ERR_NONE);
    contract_reopen(c); /* as after a crash */
    assert_int_equal(begin(c, &key), ERR_NONE);
    assert_false(key.replayed);
    clock_virtual_set(&c->clock, CONTRACT_START_MS + HOUR_MS); /* longer than any request */
    assert_int_equal(begin(c, &key), ERR_NONE);
    assert_false(key.replayed);
    buf_done(&key.body);
}

static void an_answer_cannot_be_read_without_the_clients_key(void **state)
{
    struct contract *c = *state;
    struct idempotency first = make_key("org_a", 'k', 'b');
    struct idempotency forged = make_key("org_a", 'k', 'b');

    assert_int_equal(begin(c, &first), ERR_NONE);
    assert_int_equal(finish(c, &first, 201, "cs_secret"), ERR_NONE);
    forged.seal_key[0] ^= 1;
    assert_int_equal(begin(c, &forged), ERR_CORRUPT);
    assert_false(forged.replayed);
    buf_done(&first.body);
    buf_done(&forged.body);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
            CONTRACT_TEST(the_same_key_and_body_give_the_first_answer_again),
            CONTRACT_TEST(another_body_is_refused),
            CONTRACT_TEST(another_key_or_org_is_another_request),
            CONTRACT_TEST(a_key_is_forgotten_after_a_day),
            CONTRACT_TEST(a_request_that_failed_may_be_tried_again_under_its_key),
            CONTRACT_TEST(while_the_first_runs_the_key_is_taken),
            CONTRACT_TEST(a_request_that_was_not_answered_frees_its_key),
            CONTRACT_TEST(an_answer_cannot_be_read_without_the_clients_key),
    };

    return CONTRACT_MAIN(argc, argv, tests);
}
