/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The failure sweep: each scenario runs again and again, while in run i database call i fails, until
 * a run has no failure. The operation under way reports it and has changed nothing; repeated it
 * works; in the end everything that was reported as done is there (I1, I2, I8) and has ended (I3).
 * In a second sweep the store crashes right after the failure and is opened again (I5).
 */
#include <unistd.h>

#include "scenario.h"

/* How far before its call a failure may be to be in this step: no step makes as many calls. */
enum { STEP_CALLS_MAX = 150, RUNS_MAX = 5000 };

struct sweep {
    const struct scenario *scenario;
    bool crash;
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

static void run_step(struct sweep *sweep, const struct step *step)
{
    struct world *world = &sweep->world;
    bool failed_before = has_failed(world);
    bool may_fail = !failed_before && world->fail_at - world->calls <= STEP_CALLS_MAX;
    uint8_t before[SHA256_BYTES];
    uint8_t after[SHA256_BYTES];

    if (may_fail)
        world_digest(world, before);
    enum err err = step->run(world);

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

/* Returns whether there was a failure. */
static bool run_once(struct sweep *sweep, int64_t fail_at)
{
    struct world *world = &sweep->world;

    world_init(world);
    if (!sweep->scenario->is_empty) {
        WORLD_CHECK(world, world_open(world) == ERR_NONE);
        world_settle(world);
        scenario_prepare(world);
    }
    world->calls = 0;
    world->fail_at = fail_at;
    for (const struct step *step = sweep->scenario->steps; step->name != NULL; step++) {
        if (step->run != NULL)
            run_step(sweep, step);
        pass_time(sweep, step->sleep_ms);
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

    while (run_once(sweep, fail_at))
        assert_true(++fail_at < RUNS_MAX);
    print_message("%lld database calls\n", (long long)fail_at - 1);
    assert_true(fail_at > 1);
}

enum { NAME_SIZE = 128 };

/* Runs are many and small: a file system in memory saves waiting for a disk. */
static void prefer_memory(void)
{
    if (access("/dev/shm", W_OK) == 0)
        (void)setenv("TMPDIR", "/dev/shm", 0);
}

int main(void)
{
    size_t count = 0;
    const struct scenario *scenarios = scenario_all(&count);
    struct sweep *sweeps = calloc(2 * count, sizeof(*sweeps));
    struct CMUnitTest *tests = calloc(2 * count, sizeof(*tests));
    char(*names)[NAME_SIZE] = calloc(2 * count, sizeof(*names));

    assert_true(sweeps != NULL && tests != NULL && names != NULL);
    prefer_memory();
    for (size_t i = 0; i < 2 * count; i++) {
        sweeps[i].scenario = &scenarios[i / 2];
        sweeps[i].crash = i % 2 != 0;
        (void)snprintf(names[i],
                NAME_SIZE,
                "%s, and any one database call fails%s",
                scenarios[i / 2].name,
                sweeps[i].crash ? " and the store crashes after it" : "");
        tests[i] = (struct CMUnitTest){names[i], sweep_all, NULL, NULL, &sweeps[i]};
    }
    int result = _cmocka_run_group_tests("sweep", tests, 2 * count, NULL, NULL);

    free(names);
    free(tests);
    free(sweeps);
    return result;
}
