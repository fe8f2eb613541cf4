/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scenarios: moments that chance seldom finds, played on purpose in the simulated world. The ledger
 * checks every invariant here, too.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "store/store_call.h"
#include "store/store_delivery.h"
#include "store/store_endpoint.h"
#include "store/store_org.h"
#include "world.h"

static const int64_t MINUTE_MS = 60 * 1000;

/* A world with one endpoint and one call, whose delivery is on its way. */
struct story {
    struct world *world;
    struct arena arena;
    int64_t endpoint_id;
    int64_t delivery_id;
};

static void ended(struct store_op *op)
{
    *(bool *)op->owner = true;
}

/* Runs the operation to its end; its error is the answer. */
static enum err run(struct story *story, struct store_op *op, enum err submitted, bool *is_done)
{
    assert_int_equal(submitted, ERR_NONE);
    world_settle(story->world);
    assert_true(*is_done);
    return op->err;
}

/* What every operation of a story begins with. */
static struct store_op op_of(struct story *story, bool *is_done)
{
    return (struct store_op){.arena = &story->arena, .done = ended, .owner = is_done};
}

static void make_org(struct story *story)
{
    bool is_done = false;
    struct org_create op = {
            .op = op_of(story, &is_done),
            .id = WORLD_ORG,
            .name = STR("Sim"),
            .token_name = STR("first"),
    };

    assert_int_equal(
            run(story, &op.op, store_org_create(story->world->store, &op), &is_done), ERR_NONE);
}

static void make_endpoint(struct story *story)
{
    bool is_done = false;
    struct endpoint *wanted = endpoint_new();
    struct endpoint_write op = {
            .op = op_of(story, &is_done),
            .create = true,
            .org_id = WORLD_ORG,
            .endpoint = wanted,
    };

    wanted->url = STR("https://r0.example/");
    wanted->secret = STR("whsec_test");
    assert_int_equal(retry_schedule_parse(STR("10s,20s"), &wanted->retry_schedule, NULL), ERR_NONE);
    assert_int_equal(
            run(story, &op.op, store_endpoint_write(story->world->store, &op), &is_done), ERR_NONE);
    story->endpoint_id = op.result->id;
    endpoint_unref(op.result);
    endpoint_unref(wanted);
}

static void log_call(struct story *story)
{
    static const char SQL[] = "SELECT id FROM delivery WHERE event_id = $1";
    bool is_done = false;
    struct call_draft draft = {.type = CALL_MISSED, .phone = STR("+493012345600")};
    struct call_create op = {
            .op = op_of(story, &is_done),
            .org_id = WORLD_ORG,
            .drafts = &draft,
            .draft_count = 1,
    };

    assert_int_equal(
            run(story, &op.op, store_call_create(story->world->store, &op), &is_done), ERR_NONE);
    story->delivery_id = ledger_read(&story->world->ledger, SQL, draft.event_id, 0);
}

static void begin(struct story *story, enum mood mood)
{
    *story = (struct story){.world = world_new(1)};
    story->world->receivers.moods[0] = mood;
    make_org(story);
    make_endpoint(story);
    log_call(story);
    assert_int_equal(story->world->ledger.start_count, 1);
}

static void finish(struct story *story)
{
    world_free(story->world);
    arena_done(&story->arena);
}

/* Until the first attempt has failed and the second one is due, but not yet done. */
static void wait_for_retry(struct story *story)
{
    struct world *world = story->world;

    world_run(world, world_now_ms(world) + 5000, false);
    assert_int_equal(world->ledger.failed_attempt_count, 1);
    while (ledger_read(&world->ledger,
                   "SELECT count(*) FROM delivery WHERE id = $1 AND due_at <= $2",
                   story->delivery_id,
                   world_now_ms(world)) == 0)
        world_skip_to_due(world, world_now_ms(world) + MINUTE_MS);
    assert_int_equal(world->ledger.start_count, 1);
}

static enum err cancel(struct story *story)
{
    bool is_done = false;
    struct delivery_cancel op = {
            .op = op_of(story, &is_done), .org_id = WORLD_ORG, .id = story->delivery_id};

    return run(story, &op.op, store_delivery_cancel(story->world->store, &op), &is_done);
}

static enum err retry(struct story *story)
{
    bool is_done = false;
    struct delivery_retry op = {
            .op = op_of(story, &is_done), .org_id = WORLD_ORG, .id = story->delivery_id};

    return run(story, &op.op, store_delivery_retry(story->world->store, &op), &is_done);
}

static enum err switch_endpoint(struct story *story, bool enabled)
{
    bool is_done = false;
    struct endpoint *wanted = endpoint_new();
    struct endpoint_write op = {
            .op = op_of(story, &is_done),
            .org_id = WORLD_ORG,
            .id = story->endpoint_id,
            .fields = ENDPOINT_ENABLED,
            .endpoint = wanted,
    };

    wanted->enabled = enabled;
    enum err err = run(story, &op.op, store_endpoint_write(story->world->store, &op), &is_done);
    endpoint_unref(op.result);
    endpoint_unref(wanted);
    return err;
}

static void a_cancelled_delivery_starts_anew_only_when_its_attempt_has_ended(void **state)
{
    struct story story;

    (void)state;
    begin(&story, MOOD_SLOW);
    assert_int_equal(cancel(&story), ERR_NONE);
    assert_int_equal(retry(&story), ERR_CONFLICT);
    world_run(story.world, world_now_ms(story.world) + MINUTE_MS, false);
    assert_int_equal(story.world->ledger.start_count, 1);
    assert_int_equal(retry(&story), ERR_NONE);
    assert_int_equal(story.world->ledger.start_count, 2);
    finish(&story);
}

static void an_endpoint_disabled_when_a_retry_is_due_gets_nothing_more(void **state)
{
    struct story story;

    (void)state;
    begin(&story, MOOD_ERRORS);
    wait_for_retry(&story);
    assert_int_equal(switch_endpoint(&story, false), ERR_NONE);
    world_run(story.world, world_now_ms(story.world) + MINUTE_MS, false);
    assert_int_equal(story.world->ledger.start_count, 1);
    assert_int_equal(switch_endpoint(&story, true), ERR_NONE);
    assert_int_equal(story.world->ledger.start_count, 2);
    finish(&story);
}

static void enabling_an_endpoint_ends_its_hold(void **state)
{
    struct story story;

    (void)state;
    begin(&story, MOOD_HELD);
    world_run(story.world, world_now_ms(story.world) + 5000, false);
    assert_int_equal(retry(&story), ERR_NONE); /* it still has to wait for the hold's end */
    ledger_forget_waits(&story.world->ledger, story.delivery_id, 0, 0);
    assert_int_equal(story.world->ledger.start_count, 1);
    assert_int_equal(switch_endpoint(&story, false), ERR_NONE);
    assert_int_equal(switch_endpoint(&story, true), ERR_NONE);
    assert_int_equal(story.world->ledger.start_count, 2);
    finish(&story);
}

static void a_draining_store_does_not_work_on_what_is_due(void **state)
{
    struct story story;
    int turns = 0;

    (void)state;
    begin(&story, MOOD_ERRORS);
    wait_for_retry(&story);
    store_drain(story.world->store);
    while (turns < 10 && store_turn(story.world->store))
        turns++;
    assert_in_range(turns, 1, 9);
    finish(&story);
}

static void an_attempt_that_a_crash_interrupts_is_repeated_once(void **state)
{
    struct story story;

    (void)state;
    begin(&story, MOOD_SLOW);
    world_crash(story.world);
    world_run(story.world, world_now_ms(story.world) + MINUTE_MS, true);
    assert_int_equal(ledger_unfinished(&story.world->ledger), 0);
    ledger_check_end(&story.world->ledger);
    assert_int_equal(story.world->ledger.start_count, 2);
    assert_int_equal(story.world->ledger.repeat_count, 1);
    finish(&story);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_cancelled_delivery_starts_anew_only_when_its_attempt_has_ended),
            cmocka_unit_test(an_endpoint_disabled_when_a_retry_is_due_gets_nothing_more),
            cmocka_unit_test(enabling_an_endpoint_ends_its_hold),
            cmocka_unit_test(a_draining_store_does_not_work_on_what_is_due),
            cmocka_unit_test(an_attempt_that_a_crash_interrupts_is_repeated_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
