/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The failure sweep: each scenario runs again and again, while in run i database call i fails, until
 * a run has no failure. The operation under way reports it and has changed nothing; repeated it
 * works; in the end everything that was reported as done is there (I1, I2, I8) and has ended (I3).
 * With an argument the store crashes right after the failure and is opened again (I5).
 */
#include <unistd.h>

#include "scenario.h"

enum { RUNS_MAX = 5000, STEPS_MAX = 16, NAME_SIZE = 128 };

/* A step makes at most so many calls more than it did when nothing failed. */
enum { MORE_CALLS_MAX = 16 };

struct sweep {
    const struct scenario *scenario;
    const struct world *begin_with;
    bool crash;
    char name[NAME_SIZE];
    int64_t step_calls[STEPS_MAX]; /* that each step made when nothing failed */
    struct world world;
};

static bool has_failed(const struct world *world)
{
    return world->fail_at != 0 && world->calls >= world->fail_at;
}

static void recover(struct sweep *sweep)
{
    struct world *world = &sweep->world;

    if (!sweep->crash || world->store == NULL)
        return;
    world_crash(world);
    WORLD_CHECK(world, world_open(world) == ERR_NONE);
    world_settle(world);
}

static void run_step(struct sweep *sweep, size_t i)
{
    const struct step *step = &sweep->scenario->steps[i];
    struct world *world = &sweep->world;
    bool failed_before = has_failed(world);
    int64_t calls_left = world->fail_at - world->calls;
    bool may_fail = calls_left > 0 && calls_left <= sweep->step_calls[i] + MORE_CALLS_MAX;
    int64_t calls_before = world->calls;
    uint8_t before[SHA256_BYTES];
    uint8_t after[SHA256_BYTES];

    if (may_fail)
        world_digest(world, before);
    enum err err = step->run(world);

    if (world->fail_at == 0)
        sweep->step_calls[i] = world->calls - calls_before;
    if (err == ERR_NONE) {
        WORLD_CHECK(world, has_failed(world) == failed_before); /* else nobody was told */
        return;
    }
    WORLD_CHECK(world, err == ERR_UNAVAILABLE && has_failed(world) && !failed_before && may_fail);
    if (world->store != NULL) {
        world_digest(world, after);
        WORLD_CHECK(world, memcmp(before, after, SHA256_BYTES) == 0);
    }
    recover(sweep);
    WORLD_CHECK(world, step->run(world) == ERR_NONE);
}

/* True when the failure came while nobody was waiting for an answer. */
static void pass_time(struct sweep *sweep, int64_t ms)
{
    struct world *world = &sweep->world;
    bool failed_before = has_failed(world);

    world_pass(world, ms);
    if (has_failed(world) && !failed_before)
        recover(sweep);
}

/* Returns whether there was a failure. fail_at 0: there is none. */
static bool run_once(struct sweep *sweep, int64_t fail_at)
{
    const struct step *steps = sweep->scenario->steps;
    struct world *world = &sweep->world;

    world_init(world, sweep->begin_with);
    if (sweep->begin_with != NULL) {
        WORLD_CHECK(world, world_open(world) == ERR_NONE);
        world_settle(world);
    }
    world->calls = 0;
    world->fail_at = fail_at;
    for (size_t i = 0; steps[i].name != NULL; i++) {
        assert_true(i < STEPS_MAX);
        if (steps[i].run != NULL)
            run_step(sweep, i);
        pass_time(sweep, steps[i].sleep_ms);
    }
    bool failed = has_failed(world);

    world_end_deliveries(world);
    world_check(world);
    world_done(world);
    return failed;
}

static void sweep_all(void **state)
{
    struct sweep *sweep = *state;
    int64_t fail_at = 1;

    assert_false(run_once(sweep, 0));
    while (run_once(sweep, fail_at))
        assert_true(++fail_at < RUNS_MAX);
    print_message("%lld database calls\n", (long long)fail_at - 1);
    assert_true(fail_at > 1);
}

/* Runs are many and small: a file system in memory saves waiting for a disk. */
static void prefer_memory(void)
{
    if (access("/dev/shm", W_OK) == 0)
        (void)setenv("TMPDIR", "/dev/shm", 0);
}

/* What most scenarios begin with. */
static void prepare(struct world *world)
{
    world_init(world, NULL);
    assert_int_equal(world_open(world), ERR_NONE);
    scenario_prepare(world);
    world_crash(world);
}

static struct CMUnitTest
make_test(struct sweep *sweep, const struct scenario *scenario, const struct world *prepared)
{
    sweep->scenario = scenario;
    sweep->begin_with = scenario->is_empty ? NULL : prepared;
    (void)snprintf(sweep->name,
            NAME_SIZE,
            "%s, and any one database call fails%s",
            scenario->name,
            sweep->crash ? " and the store crashes" : "");
    return (struct CMUnitTest){sweep->name, sweep_all, NULL, NULL, sweep};
}

/* With an argument the store crashes after the failure. */
int main(int argc, char **argv)
{
    size_t count = 0;
    const struct scenario *scenarios = scenario_all(&count);
    struct world *prepared = calloc(1, sizeof(*prepared));
    struct sweep *sweeps = calloc(count, sizeof(*sweeps));
    struct CMUnitTest *tests = calloc(count, sizeof(*tests));

    (void)argv;
    assert_true(prepared != NULL && sweeps != NULL && tests != NULL);
    prefer_memory();
    prepare(prepared);
    for (size_t i = 0; i < count; i++) {
        sweeps[i].crash = argc > 1;
        tests[i] = make_test(&sweeps[i], &scenarios[i], prepared);
    }
    int result = _cmocka_run_group_tests("sweep", tests, count, NULL, NULL);

    world_done(prepared);
    free(prepared);
    free(tests);
    free(sweeps);
    return result;
}
