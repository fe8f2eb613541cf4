/* SPDX-License-Identifier: Apache-2.0 */
/* world - putting the parts together, and moving them. */
#include "world.h"

#include <stdlib.h>

#include "base/mem.h"
#include "store/db.h"

enum { TURNS_AT_ONCE_MAX = 100000, LOOK_MS = 60 * 1000 };

static const int64_t BEGIN_MS = INT64_C(1777377493000);

int64_t world_now_ms(const struct world *world)
{
    return clock_wall_ms(&world->clock.clock);
}

int64_t world_pick(struct world *world, int64_t from, int64_t to)
{
    return from + rand_u32(&world->rand) % (to - from + 1);
}

bool world_chance(struct world *world, int64_t percent)
{
    return world_pick(world, 1, 100) <= percent;
}

static void sink_deliver(void *ctx, struct delivery *first)
{
    struct world *world = ctx;
    const struct delivery_sink *sink = deliver_sink(world->deliver);

    sink->deliver(sink->ctx, first);
}

static void sink_endpoint_changed(void *ctx, struct endpoint *endpoint, bool deleted)
{
    struct world *world = ctx;
    const struct delivery_sink *sink = deliver_sink(world->deliver);

    ledger_endpoint_changed(&world->ledger, endpoint, deleted);
    sink->endpoint_changed(sink->ctx, endpoint, deleted);
}

static void sink_cancelled(void *ctx, int64_t endpoint_id, int64_t delivery_id)
{
    struct world *world = ctx;
    const struct delivery_sink *sink = deliver_sink(world->deliver);

    sink->cancelled(sink->ctx, endpoint_id, delivery_id);
}

static void publish(void *ctx, const struct note *notes, size_t count)
{
    struct world *world = ctx;

    for (size_t i = 0; i < count; i++)
        ledger_note(&world->ledger, &notes[i]);
}

static struct db *wrap(void *ctx, struct db *take_db)
{
    struct world *world = ctx;

    return db_fault_new(take_db, &world->fault_at, &world->fault_calls);
}

static void open_program(struct world *world)
{
    const struct deliver_config deliver_config = {
            .threads = 1,
            .clock = &world->clock.clock,
            .log = &world->log,
            .metrics = &world->metrics,
            .own_origin = "http://127.0.0.1:8080",
            .seed = rand_u32(&world->rand),
            .open_client = receivers_open_client,
            .open_client_ctx = &world->receivers,
    };
    const struct store_config store_config = {
            .path = world->path,
            .public_url = "http://127.0.0.1:8080",
            .seal_key = world->seal_key,
            .link_key = world->link_key,
            .clock = &world->clock.clock,
            .log = &world->log,
            .metrics = &world->metrics,
            .sink = &world->sink,
            .listener = &world->listener,
            .retention_days = 30,
            .memory_max = (size_t)world_pick(world, 1, 60),
            .wrap = wrap,
            .wrap_ctx = world,
    };
    struct error why = {0};

    world->fault_at = 0;
    if (deliver_new(&deliver_config, &world->deliver, &why) != ERR_NONE ||
            store_open(&store_config, &world->store, &why) != ERR_NONE)
        ledger_fail(&world->ledger, "cannot start: %s", why.text);
    deliver_use_store(world->deliver, world->store);
    ledger_open(&world->ledger);
}

struct world *world_new(uint64_t seed)
{
    struct world *world = mem_new(sizeof(*world));

    temp_folder_init(&world->folder);
    world->path = temp_folder_path(&world->folder, "callsync.db");
    clock_virtual_init(&world->clock, BEGIN_MS);
    rand_seed(&world->rand, seed);
    world->log = (struct log){.fd = -1, .level = LOG_ERROR, .clock = &world->clock.clock};
    world->ledger =
            (struct ledger){.seed = seed, .clock = &world->clock.clock, .path = world->path};
    world->receivers = (struct receivers){
            .clock = &world->clock.clock,
            .started = ledger_started,
            .ended = ledger_ended,
            .ctx = &world->ledger,
    };
    rand_seed(&world->receivers.rand, ~seed);
    world->sink =
            (struct delivery_sink){sink_deliver, sink_endpoint_changed, sink_cancelled, world};
    world->listener = (struct note_listener){publish, world};
    open_program(world);
    return world;
}

/* Drops what is in memory: what is not in the database is lost. */
static void kill_program(struct world *world)
{
    ledger_close(&world->ledger);
    store_stop(world->store);
    deliver_free(world->deliver);
    store_close(world->store);
    world->deliver = NULL;
    world->store = NULL;
}

void world_crash(struct world *world)
{
    kill_program(world);
    world->crash_in = 0;
    world->crash_count++;
    ledger_restarted(&world->ledger);
    open_program(world);
}

void world_restart(struct world *world)
{
    world->fault_at = 0;
    store_drain(world->store);
    while (store_turn(world->store))
        ledger_turn(&world->ledger);
    deliver_stop(world->deliver, 0);
    while (store_turn(world->store))
        ledger_turn(&world->ledger);
    kill_program(world);
    ledger_restarted(&world->ledger);
    open_program(world);
}

void world_free(struct world *world)
{
    kill_program(world);
    ledger_done(&world->ledger);
    temp_folder_done(&world->folder);
    free(world);
}

/* One turn of a part; the program may die after it. */
static bool turn(struct world *world, bool is_stores)
{
    bool worked;

    if (is_stores) {
        ledger_turn(&world->ledger);
        worked = store_turn(world->store);
    } else {
        worked = deliver_turn(world->deliver);
    }
    if (world->crash_in > 0 && --world->crash_in == 0) {
        world_crash(world);
        return true;
    }
    return worked;
}

void world_settle(struct world *world)
{
    for (int i = 0; i < TURNS_AT_ONCE_MAX; i++) {
        bool store_worked = turn(world, true);
        bool deliver_worked = turn(world, false);

        if (!store_worked && !deliver_worked)
            return;
    }
    ledger_fail(&world->ledger, "there is no end of work at one moment");
}

static int64_t min_i64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t next_ms(const struct world *world)
{
    int64_t due_ms = min_i64(store_next_due_ms(world->store), deliver_next_due_ms(world->deliver));

    return min_i64(due_ms, receivers_next_due_ms(&world->receivers));
}

void world_skip_to_due(struct world *world, int64_t until_ms)
{
    int64_t due_ms = min_i64(next_ms(world), until_ms);

    if (due_ms > world_now_ms(world))
        clock_virtual_set(&world->clock, due_ms);
}

void world_run(struct world *world, int64_t until_ms, bool until_done)
{
    int64_t look_at_ms = world_now_ms(world);

    world_settle(world);
    for (;;) {
        int64_t due_ms = next_ms(world);

        if (until_done && world_now_ms(world) >= look_at_ms) {
            if (ledger_unfinished(&world->ledger) == 0 &&
                    receivers_next_due_ms(&world->receivers) == INT64_MAX)
                return;
            look_at_ms = world_now_ms(world) + LOOK_MS;
        }
        if (due_ms > until_ms)
            break;
        if (due_ms > world_now_ms(world))
            clock_virtual_set(&world->clock, due_ms);
        world_settle(world);
    }
    if (until_ms > world_now_ms(world))
        clock_virtual_set(&world->clock, until_ms);
    world_settle(world);
}
