/* SPDX-License-Identifier: Apache-2.0 */
/* world - the store under test, its receivers, and the look at its database from outside. */
#include "world.h"

#include <unistd.h>

#include "domain/endpoint.h"
#include "store/db.h"
#include "store/store_delivery.h"

enum { TURNS_MAX = 1000, JUMPS_MAX = 200, FILE_MAX_BYTES = 4 * 1024 * 1024 };

#define START_MS    INT64_C(1777377493000)
#define SETTLE_MS   INT64_C(1000)
#define ANY_RANDOM  UINT32_C(0x80000000)
#define HOLD_ASK_MS INT64_C(30000)

void world_check_that(const struct world *world,
        bool holds,
        const char *what,
        const char *file,
        int line)
{
    if (holds)
        return;
    print_error("database call %lld of %lld failed before this\n",
            (long long)world->fail_at,
            (long long)world->calls);
    _assert_true(0, what, file, line);
}

/* ---- receivers ---- */

static struct attempt_outcome answer(const struct delivery *delivery)
{
    struct str url = delivery->endpoint->url;

    if (str_ends(url, STR("/dead")))
        return (struct attempt_outcome){.error = ATTEMPT_STATUS, .status = 500};
    if (str_ends(url, STR("/gone")))
        return (struct attempt_outcome){.error = ATTEMPT_STATUS, .status = 410};
    if (str_ends(url, STR("/flaky")) && delivery->attempt_count == 0)
        return (struct attempt_outcome){
                .error = ATTEMPT_STATUS, .status = 503, .retry_after_ms = HOLD_ASK_MS};
    return (struct attempt_outcome){.status = 200};
}

static void deliver(void *ctx, struct delivery *first)
{
    struct world *world = ctx;
    int64_t now_ms = clock_wall_ms(&world->clock.clock);

    for (struct mail *mail = &first->op.mail; mail != NULL; mail = mail->next) {
        struct delivery *delivery = (struct delivery *)mail;

        delivery->result = RESULT_ATTEMPTED;
        delivery->outcome = answer(delivery);
        delivery->decision = delivery_decide(&delivery->outcome,
                &delivery->endpoint->retry_schedule,
                (size_t)delivery->failure_count + 1,
                now_ms,
                ANY_RANDOM);
        delivery->started_at_ms = now_ms;
        delivery->duration_us = 1500;
        buf_add_text(&delivery->request_headers, "Content-Type: application/json\n");
        buf_add_text(&delivery->response_body, "answer");
        world->attempt_count++;
    }
    store_delivery_result(world->store, first);
}

static void endpoint_changed(void *ctx, struct endpoint *endpoint, bool deleted)
{
    (void)ctx;
    (void)endpoint;
    (void)deleted;
}

/* This sink has given back, or holds for the test, what it got: there is no queue to look through. */
static void cancelled(void *ctx, int64_t endpoint_id, int64_t delivery_id)
{
    (void)ctx;
    (void)endpoint_id;
    (void)delivery_id;
}

/* ---- opening and closing ---- */

static struct db *wrap(void *ctx, struct db *take_db)
{
    struct world *world = ctx;

    return db_fault_new(take_db, &world->fail_at, &world->calls);
}

static void copy_database(struct world *world, const struct world *from)
{
    char *bytes = malloc(FILE_MAX_BYTES);
    FILE *in = fopen(from->config.path, "rb");
    FILE *out = fopen(world->config.path, "wb");

    assert_true(bytes != NULL && in != NULL && out != NULL);
    size_t len = fread(bytes, 1, FILE_MAX_BYTES, in);
    assert_true(len > 0 && len < FILE_MAX_BYTES);
    assert_int_equal(fwrite(bytes, 1, len, out), len);
    (void)fclose(in);
    (void)fclose(out);
    free(bytes);
    memcpy(world->endpoint_ids, from->endpoint_ids, sizeof(world->endpoint_ids));
}

void world_init(struct world *world, const struct world *begin_with)
{
    memset(world, 0, sizeof(*world));
    temp_folder_init(&world->folder);
    clock_virtual_init(&world->clock, START_MS);
    memset(world->seal_key, 1, sizeof(world->seal_key));
    memset(world->link_key, 2, sizeof(world->link_key));
    world->sink = (struct delivery_sink){deliver, endpoint_changed, cancelled, world};
    world->config = (struct store_config){
            .path = temp_folder_path(&world->folder, "callsync.db"),
            .public_url = "http://127.0.0.1:8080",
            .seal_key = world->seal_key,
            .link_key = world->link_key,
            .clock = &world->clock.clock,
            .metrics = &world->metrics,
            .sink = &world->sink,
            .retention_days = 30,
            .wrap = wrap,
            .wrap_ctx = world,
    };
    if (begin_with != NULL)
        copy_database(world, begin_with);
}

void world_done(struct world *world)
{
    store_close(world->store);
    db_close(world->outside);
    arena_done(&world->arena);
    temp_folder_done(&world->folder);
}

enum err world_open(struct world *world)
{
    struct error why = {0};
    enum err err = store_open(&world->config, &world->store, &why);

    WORLD_CHECK(world, (err == ERR_NONE) == (world->store != NULL));
    return err;
}

void world_crash(struct world *world)
{
    store_close(world->store);
    world->store = NULL;
    world->crashed = true;
}

/* ---- running ---- */

static void count_done(struct store_op *op)
{
    struct world *world = op->owner;

    world->done_count++;
}

void world_prepare(struct world *world, struct store_op *op)
{
    op->arena = &world->arena;
    op->done = count_done;
    op->owner = world;
}

enum err world_finish(struct world *world, struct store_op *op, enum err submitted)
{
    size_t before = world->done_count;

    WORLD_CHECK(world, submitted == ERR_NONE);
    for (int i = 0; world->done_count == before; i++) {
        WORLD_CHECK(world, i < TURNS_MAX);
        (void)store_turn(world->store);
    }
    WORLD_CHECK(world, world->done_count == before + 1);
    return op->err;
}

void world_settle(struct world *world)
{
    for (int i = 0;; i++) {
        int64_t now_ms = clock_wall_ms(&world->clock.clock);

        WORLD_CHECK(world, i < TURNS_MAX);
        if (store_turn(world->store))
            continue;
        int64_t due_ms = store_next_due_ms(world->store);
        if (due_ms > now_ms + SETTLE_MS)
            return;
        /* It said there was nothing to do now, so it must not call for a turn now. */
        WORLD_CHECK(world, due_ms > now_ms);
        clock_virtual_set(&world->clock, due_ms);
    }
}

static void set_time(struct world *world, int64_t now_ms)
{
    clock_virtual_set(&world->clock, now_ms);
    world_settle(world);
}

/* Goes from due moment to due moment, until until_ms or until nothing is open. */
static void go_on(struct world *world, int64_t until_ms)
{
    static const char SQL[] = "SELECT min(d.due_at) FROM delivery d"
                              " JOIN endpoint p ON p.id = d.endpoint_id AND p.enabled = 1"
                              " WHERE d.state < 4";

    world_settle(world);
    for (int i = 0;; i++) {
        int64_t now_ms = clock_wall_ms(&world->clock.clock);
        int64_t due_ms = world_number(world, SQL);
        int64_t next_ms = due_ms > now_ms ? due_ms : now_ms + WORLD_HOUR_MS;

        if (due_ms <= 0 || next_ms > until_ms)
            return;
        WORLD_CHECK(world, i < JUMPS_MAX); /* I3: something is stuck */
        set_time(world, next_ms);
    }
}

void world_pass(struct world *world, int64_t ms)
{
    int64_t until_ms = clock_wall_ms(&world->clock.clock) + ms;

    go_on(world, until_ms);
    if (clock_wall_ms(&world->clock.clock) < until_ms)
        set_time(world, until_ms);
}

void world_end_deliveries(struct world *world)
{
    go_on(world, INT64_MAX);
}

/* ---- what is expected ---- */

void world_expect_call(struct world *world, int64_t call_id)
{
    assert_true(world->call_count < WORLD_CALLS_MAX);
    world->call_ids[world->call_count++] = call_id;
}

void world_expect_event(struct world *world, int64_t event_id, int64_t delivery_count)
{
    assert_true(world->event_count < WORLD_EVENTS_MAX);
    world->events[world->event_count++] = (struct expected_event){event_id, delivery_count};
}

static struct db *outside(struct world *world)
{
    if (world->outside == NULL)
        WORLD_CHECK(world,
                db_sqlite_open(world->config.path, false, &world->outside, NULL) == ERR_NONE);
    return world->outside;
}

static bool next_row(struct world *world, struct db_stmt *stmt)
{
    bool row = false;

    WORLD_CHECK(world, db_next(stmt, &row, NULL) == ERR_NONE);
    return row;
}

int64_t world_number(struct world *world, const char *sql)
{
    struct db_stmt *stmt = db_stmt(outside(world), sql);
    int64_t number = next_row(world, stmt) ? db_i64(stmt, 0) : -1;

    db_stop(stmt);
    return number;
}

static void add_rows(struct world *world, struct db *db, const char *sql, struct buf *buf)
{
    struct db_stmt *stmt = db_stmt(db, sql);

    while (next_row(world, stmt)) {
        buf_add_str(buf, db_str(stmt, 0));
        buf_add_char(buf, '\n');
    }
}

/* For each table the SELECT that gives its rows as texts, in a fixed order. */
static const char SQL_SELECTS[] =
        "SELECT (SELECT 'SELECT ' || group_concat('quote(' || name || ')', ' || '','' || ')"
        " || ' FROM ' || t.name || ' ORDER BY 1' FROM pragma_table_info(t.name))"
        " FROM sqlite_master t WHERE t.type = 'table' ORDER BY t.name";

void world_digest(struct world *world, uint8_t ret_digest[SHA256_BYTES])
{
    CLEANUP(buf_done) struct buf selects = {0};
    CLEANUP(buf_done) struct buf rows = {0};

    memset(ret_digest, 0, SHA256_BYTES);
    if (access(world->config.path, F_OK) != 0)
        return;
    struct db *db = outside(world);
    add_rows(world, db, SQL_SELECTS, &selects);
    struct str rest = buf_str(&selects);
    while (rest.len > 0) {
        struct str sql = str_split(&rest, '\n');

        add_rows(world, db, arena_str(&world->arena, sql).ptr, &rows);
    }
    assert_int_equal(buf_err(&rows), ERR_NONE);
    codec_sha256(buf_str(&rows), ret_digest);
}

static int64_t count_by_id(struct world *world, const char *sql, int64_t id)
{
    struct db_stmt *stmt = db_stmt(outside(world), sql);

    db_bind_i64(stmt, 1, id);
    int64_t count = next_row(world, stmt) ? db_i64(stmt, 0) : -1;
    db_stop(stmt);
    return count;
}

void world_check(struct world *world)
{
    /* I1, I8: what was answered is there, once. */
    for (size_t i = 0; i < world->call_count; i++)
        WORLD_CHECK(world,
                count_by_id(world, "SELECT count(*) FROM call WHERE id = $1", world->call_ids[i]) ==
                        1);
    WORLD_CHECK(
            world, world_number(world, "SELECT count(*) FROM call") == (int64_t)world->call_count);
    /* I2: with its event, and a delivery for each endpoint that wanted it (of which an index lets
     * no two be there). */
    for (size_t i = 0; i < world->event_count; i++) {
        const struct expected_event *event = &world->events[i];

        WORLD_CHECK(world,
                count_by_id(world, "SELECT count(*) FROM event WHERE id = $1", event->id) == 1);
        WORLD_CHECK(world,
                count_by_id(world,
                        "SELECT count(*) FROM delivery WHERE event_id = $1",
                        event->id) == event->delivery_count);
    }
    /* I3: each has ended, after an attempt, and its attempts are there. */
    WORLD_CHECK(world, world_number(world, "SELECT count(*) FROM delivery WHERE state < 4") == 0);
    WORLD_CHECK(world,
            world_number(world,
                    "SELECT count(*) FROM delivery WHERE state IN (4, 5)"
                    " AND attempt_count = 0") == 0);
    WORLD_CHECK(world,
            world_number(world,
                    "SELECT count(*) FROM delivery d WHERE attempt_count <>"
                    " (SELECT count(*) FROM attempt a WHERE a.delivery_id = d.id)") == 0);
    WORLD_CHECK(world, metrics_get(&world->metrics, METRIC_DELIVERIES_IN_MEMORY) == 0);
    /* Counts live in memory for a second: only a crash may lose some. */
    if (!world->crashed)
        WORLD_CHECK(world,
                world_number(world,
                        "SELECT (SELECT coalesce(sum(delivered + failed), 0) FROM endpoint_stat) -"
                        " (SELECT count(*) FROM attempt a JOIN endpoint p ON p.id = a.endpoint_id)") ==
                        0);
}
