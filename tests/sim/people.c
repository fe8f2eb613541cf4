/* SPDX-License-Identifier: Apache-2.0 */
/* people - operations with random content, and what their answers promise. */
#include "people.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/id.h"
#include "base/mem.h"
#include "store/store_call.h"
#include "store/store_contact.h"
#include "store/store_delivery.h"
#include "store/store_endpoint.h"
#include "store/store_event.h"
#include "store/store_org.h"

enum { PHONES = 5, DRAFTS_MAX = 3, EXTERNAL_IDS = 8 };

/* One operation under way; it frees itself when it is done. */
struct act {
    union {
        struct store_op op; /* what each begins with */
        struct org_create org_create;
        struct call_create call_create;
        struct recording_set recording_set;
        struct analysis_put analysis_put;
        struct contact_write contact_write;
        struct endpoint_write endpoint_write;
        struct endpoint_delete endpoint_delete;
        struct endpoint_rotate endpoint_rotate;
        struct endpoint_recover endpoint_recover;
        struct delivery_retry delivery_retry;
        struct delivery_cancel delivery_cancel;
        struct event_replay event_replay;
    };
    struct people *people;
    struct arena arena;
    struct call_draft drafts[DRAFTS_MAX];
    int64_t external[DRAFTS_MAX]; /* which external id; -1: none */
    struct analysis analysis;
    struct json *json;
    struct endpoint *endpoint; /* the wanted settings; owned */
};

static void act_done(struct store_op *op)
{
    struct act *act = op->owner;

    endpoint_unref(act->endpoint);
    json_free(act->json);
    arena_done(&act->arena);
    free(act);
}

static struct act *act_new(struct people *people)
{
    struct act *act = mem_new(sizeof(*act));

    act->people = people;
    return act;
}

/* To be called once the members of the operation are set. */
static void prepare(struct act *act, store_done *done)
{
    act->op.arena = &act->arena;
    act->op.owner = act;
    act->op.done = done;
}

/* The store is never full here. */
static void submitted(struct act *act, enum err err)
{
    if (err != ERR_NONE)
        ledger_fail(&act->people->world->ledger, "an operation was refused: %s", err_name(err));
}

static struct ledger *ledger_of(const struct act *act)
{
    return &act->people->world->ledger;
}

/* A failing database is the only reason to refuse what is right. */
static bool is_answered(const struct act *act)
{
    enum err err = act->op.err;

    if (err != ERR_NONE && err != ERR_UNAVAILABLE && err != ERR_CANCELLED && err != ERR_CONFLICT &&
            err != ERR_NOT_FOUND)
        ledger_fail(ledger_of(act), "%s: %s", err_name(err), act->op.why.text);
    return err == ERR_NONE;
}

/* ---- calls ---- */

/* I8: the same external id is the same call. */
static void draft_answered(struct act *act, const struct call_draft *draft, int64_t external)
{
    struct people *people = act->people;

    if (draft->err != ERR_NONE)
        ledger_fail(ledger_of(act), "a call was refused: %s", draft->why.text);
    if (external >= 0 && people->external_ids[external] != 0) {
        if (!draft->duplicate || draft->call_id != people->external_ids[external])
            ledger_fail(ledger_of(act), "I8: another call for the same external id");
        return;
    }
    if (external >= 0)
        people->external_ids[external] = draft->call_id;
    if (!draft->duplicate)
        ledger_answered(ledger_of(act), draft->event_id);
    if (people->call_count < CALLS_MAX)
        people->calls[people->call_count++] = draft->call_id;
}

static void calls_logged(struct store_op *op)
{
    struct act *act = op->owner;

    if (is_answered(act))
        for (size_t i = 0; i < act->call_create.draft_count; i++)
            draft_answered(act, &act->drafts[i], act->external[i]);
    act_done(op);
}

static struct str random_phone(struct act *act)
{
    int64_t n = world_pick(act->people->world, 0, PHONES - 1);

    return arena_strf(&act->arena, "+49301234560%" PRId64, n);
}

static void draft_call(struct act *act, size_t i)
{
    struct world *world = act->people->world;
    struct call_draft *draft = &act->drafts[i];

    *draft = (struct call_draft){
            .type = (enum call_type)world_pick(world, CALL_INCOMING, CALL_REJECTED),
            .phone = random_phone(act),
            .started_at_ms = world_now_ms(world) - 60000,
    };
    act->external[i] = -1;
    if (call_is_answered(draft->type)) {
        draft->duration_s = world_pick(world, 1, 600);
        draft->recording_expected = world_chance(world, 80);
    }
    /* One external id twice in a batch would need more than a look at the past. */
    if (i == 0 && world_chance(world, 20)) {
        act->external[i] = world_pick(world, 0, EXTERNAL_IDS - 1);
        draft->external_id = arena_strf(&act->arena, "pbx-%" PRId64, act->external[i]);
    }
}

static void log_calls(struct people *people)
{
    struct act *act = act_new(people);
    size_t count = (size_t)world_pick(people->world, 1, DRAFTS_MAX);

    for (size_t i = 0; i < count; i++)
        draft_call(act, i);
    act->call_create =
            (struct call_create){.org_id = WORLD_ORG, .drafts = act->drafts, .draft_count = count};
    prepare(act, calls_logged);
    submitted(act, store_call_create(people->world->store, &act->call_create));
}

static int64_t random_call(const struct people *people)
{
    /* Mostly new ones, so that a call has several events at once. */
    int64_t newest = (int64_t)people->call_count - 1;
    int64_t oldest = world_chance(people->world, 80) && newest > 3 ? newest - 3 : 0;

    return people->calls[world_pick(people->world, oldest, newest)];
}

static void recording_was_set(struct store_op *op)
{
    struct act *act = op->owner;

    if (is_answered(act))
        ledger_answered(ledger_of(act), act->recording_set.event_id);
    act_done(op);
}

static void set_recording(struct people *people)
{
    static const enum file_status statuses[] = {FILE_UPLOADING, FILE_FAILED, FILE_PENDING};
    struct act *act = act_new(people);

    act->recording_set = (struct recording_set){
            .org_id = WORLD_ORG,
            .call_id = random_call(people),
            .change = RECORDING_STATUS,
            .status = statuses[world_pick(people->world, 0, 2)],
    };
    if (world_chance(people->world, 50)) {
        int64_t n = world_pick(people->world, 1, 1000000);

        act->recording_set.change = RECORDING_URL;
        act->recording_set.recording.url =
                arena_strf(&act->arena, "https://pbx.example/%" PRId64 ".mp3", n);
    }
    prepare(act, recording_was_set);
    submitted(act, store_recording_set(people->world->store, &act->recording_set));
}

static void analysis_was_put(struct store_op *op)
{
    struct act *act = op->owner;

    if (is_answered(act))
        ledger_answered(ledger_of(act), act->analysis_put.event_id);
    act_done(op);
}

static void put_analysis(struct people *people)
{
    struct act *act = act_new(people);

    if (json_parse(STR("{\"status\":\"completed\",\"summary\":\"They spoke.\"}"),
                &act->json,
                NULL) != ERR_NONE)
        ledger_fail(ledger_of(act), "cannot read an analysis");
    act->analysis = (struct analysis){.status = ANALYSIS_COMPLETED, .result = act->json};
    act->analysis_put = (struct analysis_put){
            .org_id = WORLD_ORG, .call_id = random_call(people), .analysis = &act->analysis};
    prepare(act, analysis_was_put);
    submitted(act, store_analysis_put(people->world->store, &act->analysis_put));
}

static void contact_was_written(struct store_op *op)
{
    struct act *act = op->owner;

    if (is_answered(act))
        ledger_answered(ledger_of(act), act->contact_write.event_id);
    act_done(op);
}

static void write_contact(struct people *people)
{
    struct act *act = act_new(people);
    int64_t n = world_pick(people->world, 0, PHONES - 1);

    act->contact_write = (struct contact_write){
            .mode = WRITE_PUT,
            .fields = CONTACT_ALL,
            .contact =
                    {
                            .id = arena_strf(&act->arena, "contact_%" PRId64, n),
                            .org_id = WORLD_ORG,
                            .phone = arena_strf(&act->arena, "+49301234560%" PRId64, n),
                            .name = arena_strf(&act->arena,
                                    "Caller %" PRId64,
                                    world_pick(people->world, 1, 1000000)),
                            .labels = STR("[]"),
                    },
    };
    prepare(act, contact_was_written);
    submitted(act, store_contact_write(people->world->store, &act->contact_write));
}

/* ---- endpoints ---- */

static void endpoint_was_written(struct store_op *op)
{
    struct act *act = op->owner;

    (void)is_answered(act);
    endpoint_unref(act->endpoint_write.result);
    act_done(op);
}

static void create_endpoint(struct people *people)
{
    struct world *world = people->world;
    struct act *act = act_new(people);
    struct endpoint *endpoint = endpoint_new();
    size_t schedules = 0;

    while (people->schedules[schedules] != NULL)
        schedules++;
    const char *schedule = people->schedules[world_pick(world, 0, (int64_t)schedules - 1)];
    if (retry_schedule_parse(str_from(schedule), &endpoint->retry_schedule, NULL) != ERR_NONE)
        ledger_fail(&world->ledger, "no schedule: %s", schedule);
    endpoint->url = arena_strf(&endpoint->arena, "https://r%zu.example/", people->endpoint_count++);
    endpoint->secret = STR("whsec_test");
    endpoint->max_in_flight = world_pick(world, 1, 4);
    endpoint->rate_limit = world_chance(world, 20) ? world_pick(world, 1, 20) : 0;
    endpoint->timeout_ms = world_pick(world, 2, 30) * 1000;
    endpoint->ordering =
            (enum endpoint_ordering)world_pick(world, ORDERING_CALL, ORDERING_ENDPOINT);
    if (world_chance(world, 50))
        endpoint->ordering = ORDERING_CALL;
    if (world_chance(world, 20))
        endpoint->event_mask = (unsigned)world_pick(world, 1, 15);
    if (world_chance(world, 20))
        endpoint->type_mask = (unsigned)world_pick(world, 1, 15);
    act->endpoint = endpoint;
    act->endpoint_write =
            (struct endpoint_write){.create = true, .org_id = WORLD_ORG, .endpoint = endpoint};
    prepare(act, endpoint_was_written);
    submitted(act, store_endpoint_write(world->store, &act->endpoint_write));
}

/* The newest snapshot of one that is not deleted; NULL: none was picked. */
static struct endpoint *random_endpoint(const struct people *people)
{
    size_t n = (size_t)world_pick(people->world, 0, (int64_t)people->endpoint_count - 1);
    const struct ledger_endpoint *endpoint = &people->world->ledger.endpoints[n];

    return endpoint->deleted ? NULL : endpoint->snapshot;
}

static void write_endpoint(struct people *people, struct endpoint *take_wanted, unsigned fields)
{
    struct act *act = act_new(people);

    act->endpoint = take_wanted;
    act->endpoint_write = (struct endpoint_write){
            .id = take_wanted->id,
            .org_id = WORLD_ORG,
            .fields = fields,
            .endpoint = take_wanted,
    };
    prepare(act, endpoint_was_written);
    submitted(act, store_endpoint_write(people->world->store, &act->endpoint_write));
}

static void switch_endpoint(struct people *people, bool enabled)
{
    const struct endpoint *endpoint = random_endpoint(people);

    if (endpoint == NULL)
        return;
    struct endpoint *wanted = endpoint_copy(endpoint);
    wanted->enabled = enabled;
    write_endpoint(people, wanted, ENDPOINT_ENABLED);
}

static void enable_endpoint(struct people *people)
{
    switch_endpoint(people, true);
}

static void disable_endpoint(struct people *people)
{
    switch_endpoint(people, false);
}

static void change_limits(struct people *people)
{
    const struct endpoint *endpoint = random_endpoint(people);

    if (endpoint == NULL)
        return;
    struct endpoint *wanted = endpoint_copy(endpoint);
    wanted->max_in_flight = world_pick(people->world, 1, 5);
    wanted->rate_limit = world_chance(people->world, 50) ? world_pick(people->world, 1, 30) : 0;
    write_endpoint(people, wanted, ENDPOINT_MAX_IN_FLIGHT | ENDPOINT_RATE_LIMIT);
}

static void delete_endpoint(struct people *people)
{
    const struct endpoint *endpoint = random_endpoint(people);

    if (endpoint == NULL || people->endpoint_count >= RECEIVERS_MAX)
        return;
    struct act *act = act_new(people);
    act->endpoint_delete = (struct endpoint_delete){.org_id = WORLD_ORG, .id = endpoint->id};
    prepare(act, act_done);
    submitted(act, store_endpoint_delete(people->world->store, &act->endpoint_delete));
    create_endpoint(people);
}

static void endpoint_was_rotated(struct store_op *op)
{
    struct act *act = op->owner;

    (void)is_answered(act);
    endpoint_unref(act->endpoint_rotate.endpoint);
    act_done(op);
}

static void rotate_secret(struct people *people)
{
    const struct endpoint *endpoint = random_endpoint(people);

    if (endpoint == NULL)
        return;
    struct act *act = act_new(people);
    act->endpoint_rotate = (struct endpoint_rotate){
            .org_id = WORLD_ORG,
            .id = endpoint->id,
            .secret = arena_strf(
                    &act->arena, "secret number %" PRId64, world_pick(people->world, 1, 1000000)),
            .overlap_s = world_pick(people->world, 0, 600),
    };
    prepare(act, endpoint_was_rotated);
    submitted(act, store_endpoint_rotate(people->world->store, &act->endpoint_rotate));
}

/* ---- by hand ---- */

static void recovered(struct store_op *op)
{
    struct act *act = op->owner;

    if (is_answered(act))
        ledger_forget_waits(ledger_of(act), 0, 0, act->endpoint_recover.id);
    act_done(op);
}

static void recover(struct people *people)
{
    const struct endpoint *endpoint = random_endpoint(people);

    if (endpoint == NULL)
        return;
    struct act *act = act_new(people);
    act->endpoint_recover = (struct endpoint_recover){
            .org_id = WORLD_ORG,
            .id = endpoint->id,
            .since_ms = world_now_ms(people->world) - world_pick(people->world, 1, 7200) * 1000,
            .what = (enum recover_what)world_pick(people->world, RECOVER_FAILED, RECOVER_ALL),
    };
    prepare(act, recovered);
    submitted(act, store_endpoint_recover(people->world->store, &act->endpoint_recover));
}

/* A delivery that is stored, preferably an unfinished or a failed one; 0: there is none. */
static int64_t random_delivery(const struct people *people)
{
    static const char SQL_ANY[] = "SELECT id FROM delivery WHERE id > $1 ORDER BY id LIMIT 1";
    static const char SQL_BAD[] = "SELECT id FROM delivery WHERE id > $1 AND state <> 4"
                                  " ORDER BY id LIMIT 1";
    const struct ledger *ledger = &people->world->ledger;
    int64_t now_ms = world_now_ms(people->world);
    int64_t after = id_floor(now_ms - world_pick(people->world, 0, 3600) * 1000);

    return ledger_read(ledger, world_chance(people->world, 80) ? SQL_BAD : SQL_ANY, after, 0);
}

static void delivery_was_retried(struct store_op *op)
{
    struct act *act = op->owner;

    if (is_answered(act))
        ledger_forget_waits(ledger_of(act), act->delivery_retry.id, 0, 0);
    act_done(op);
}

static void retry_delivery(struct people *people)
{
    struct act *act = act_new(people);
    bool regrets = people->regretted_id != 0 && world_chance(people->world, 30);

    act->delivery_retry = (struct delivery_retry){
            .org_id = WORLD_ORG,
            .id = regrets ? people->regretted_id : random_delivery(people),
    };
    prepare(act, delivery_was_retried);
    submitted(act, store_delivery_retry(people->world->store, &act->delivery_retry));
}

static void cancel_delivery(struct people *people)
{
    struct act *act = act_new(people);

    act->delivery_cancel =
            (struct delivery_cancel){.org_id = WORLD_ORG, .id = random_delivery(people)};
    people->regretted_id = act->delivery_cancel.id;
    prepare(act, act_done);
    submitted(act, store_delivery_cancel(people->world->store, &act->delivery_cancel));
}

static void event_was_replayed(struct store_op *op)
{
    struct act *act = op->owner;

    if (is_answered(act))
        ledger_forget_waits(ledger_of(act), 0, act->event_replay.id, 0);
    act_done(op);
}

static void replay_event(struct people *people)
{
    static const char SQL[] = "SELECT event_id FROM delivery WHERE id = $1";
    struct act *act = act_new(people);
    int64_t delivery_id = random_delivery(people);

    act->event_replay = (struct event_replay){
            .org_id = WORLD_ORG,
            .id = ledger_read(&people->world->ledger, SQL, delivery_id, 0),
    };
    prepare(act, event_was_replayed);
    submitted(act, store_event_replay(people->world->store, &act->event_replay));
}

/* ---- accidents ---- */

static void crash_soon(struct people *people)
{
    people->world->crash_in = world_pick(people->world, 1, 12);
}

static void restart(struct people *people)
{
    world_restart(people->world);
}

static void break_database(struct people *people)
{
    people->world->fault_at = people->world->fault_calls + world_pick(people->world, 1, 200);
}

void people_upset_receiver(struct people *people)
{
    struct world *world = people->world;
    size_t n = (size_t)world_pick(world, 0, (int64_t)people->endpoint_count - 1);
    enum mood mood = (enum mood)world_pick(world, MOOD_HEALTHY, MOOD_GONE);

    /* A receiver that is gone ends everything: it is to be rare. */
    if (mood == MOOD_GONE && world_chance(world, 70))
        mood = MOOD_FLAKY;
    world->receivers.moods[n] = mood;
}

void people_act(struct people *people)
{
    static const struct {
        int64_t weight;
        void (*act)(struct people *people);
    } rows[] = {
            {40, log_calls},
            {20, set_recording},
            {12, put_analysis},
            {12, write_contact},
            {12, people_upset_receiver},
            {4, enable_endpoint},
            {3, disable_endpoint},
            {4, change_limits},
            {1, delete_endpoint},
            {2, rotate_secret},
            {2, recover},
            {6, retry_delivery},
            {3, cancel_delivery},
            {3, replay_event},
            {3, crash_soon},
            {1, restart},
            {2, break_database},
    };
    int64_t sum = 0;
    size_t i = 0;

    for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++)
        sum += rows[k].weight;
    int64_t n = world_pick(people->world, 1, sum);
    while (n > rows[i].weight)
        n -= rows[i++].weight;
    if (people->call_count == 0)
        i = 0;
    rows[i].act(people);
}

static void org_was_created(struct store_op *op)
{
    struct act *act = op->owner;

    if (op->err != ERR_NONE)
        ledger_fail(ledger_of(act), "no org: %s", op->why.text);
    act_done(op);
}

void people_begin(struct people *people, size_t endpoint_count)
{
    struct act *act = act_new(people);

    act->org_create =
            (struct org_create){.id = WORLD_ORG, .name = STR("Sim"), .token_name = STR("first")};
    prepare(act, org_was_created);
    submitted(act, store_org_create(people->world->store, &act->org_create));
    for (size_t i = 0; i < endpoint_count; i++)
        create_endpoint(people);
    world_settle(people->world);
}

void people_make_up(struct people *people)
{
    struct world *world = people->world;

    world->fault_at = 0;
    world->crash_in = 0;
    for (size_t i = 0; i < RECEIVERS_MAX; i++) {
        const struct ledger_endpoint *endpoint = &world->ledger.endpoints[i];

        world->receivers.moods[i] = MOOD_HEALTHY;
        if (endpoint->snapshot == NULL || endpoint->deleted)
            continue;
        struct endpoint *wanted = endpoint_copy(endpoint->snapshot);
        wanted->enabled = true;
        write_endpoint(people, wanted, ENDPOINT_ENABLED);
    }
    world_settle(world);
}
