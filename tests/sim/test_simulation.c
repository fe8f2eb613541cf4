/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Simulation: the real store and the real delivery against receivers that fail, people who change
 * their minds, a database that fails, and a program that is killed, on virtual time and from seeds.
 * The invariants I1 to I6 and I8 to I10 are checked all the while (ledger.h).
 *
 *     test_simulation               every seed
 *     test_simulation hours 17 90   seeds of one kind, from and to, to look into what failed
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "people.h"

#define MINUTE_MS (INT64_C(60) * 1000)
#define DAY_MS    (INT64_C(24) * 60 * MINUTE_MS)

struct kind {
    const char *name;
    uint64_t seeds;
    int64_t act_count;
    int64_t gap_max_ms; /* between two acts */
    const char *const *schedules;
    int64_t end_ms; /* everything must have ended so long after all receivers are well */
};

static const char *const SHORT_SCHEDULES[] = {"", "1s", "1s,2s,5s,30s", "2s,20s,5m,10m", NULL};
static const char *const LONG_SCHEDULES[] = {"5s,5m,30m,2h,5h,10h,14h,20h,24h",
        "1m,1h,12h,24h",
        "10s,20m,20m",
        NULL};

static const struct kind MINUTES = {"minutes", 200, 60, 6000, SHORT_SCHEDULES, 2 * DAY_MS};
static const struct kind HOURS = {"hours", 40, 120, 4 * MINUTE_MS, LONG_SCHEDULES, 4 * DAY_MS};
static const struct kind WEEK = {"week", 2, 300, 66 * MINUTE_MS, LONG_SCHEDULES, 6 * DAY_MS};

/* What a run was worth: a simulation in which nothing happens proves nothing. */
struct worth {
    int64_t starts;
    int64_t failed_attempts;
    int64_t crashes;
    int64_t repeats;
    int64_t out_of_order;
};

static void run_seed(const struct kind *kind, uint64_t seed, struct worth *worth)
{
    struct world *world = world_new(seed);
    struct people people = {.world = world, .schedules = kind->schedules};

    people_begin(&people, (size_t)world_pick(world, 1, 5));
    for (int64_t i = 0; i < kind->act_count; i++) {
        int64_t until_ms = world_now_ms(world) + world_pick(world, 0, kind->gap_max_ms);

        people_act(&people);
        if (world_chance(world, 25)) /* the next act comes into the same turn as what is due */
            world_skip_to_due(world, until_ms);
        else
            world_run(world, until_ms, false);
    }
    people_make_up(&people);
    world_run(world, world_now_ms(world) + kind->end_ms, true);
    if (ledger_unfinished(&world->ledger) > 0)
        ledger_fail(&world->ledger,
                "I3: %" PRId64 " deliveries do not end",
                ledger_unfinished(&world->ledger));
    ledger_check_end(&world->ledger);
    worth->starts += world->ledger.start_count;
    worth->failed_attempts += world->ledger.failed_attempt_count;
    worth->crashes += world->crash_count;
    worth->repeats += world->ledger.repeat_count;
    worth->out_of_order += world->ledger.out_of_order_count;
    world_free(world);
}

static void run_kind(const struct kind *kind, uint64_t first, uint64_t last)
{
    struct worth worth = {0};

    for (uint64_t seed = first; seed <= last; seed++)
        run_seed(kind, seed, &worth);
    print_message("%s: %" PRId64 " attempts, %" PRId64 " failed, %" PRId64 " crashes, %" PRId64
                  " repeats, %" PRId64 " out of order\n",
            kind->name,
            worth.starts,
            worth.failed_attempts,
            worth.crashes,
            worth.repeats,
            worth.out_of_order);
    assert_true(worth.failed_attempts > 0 && worth.failed_attempts < worth.starts);
}

static void minutes_of_trouble_keep_every_invariant(void **state)
{
    (void)state;
    run_kind(&MINUTES, 1, MINUTES.seeds);
}

static void hours_of_trouble_keep_every_invariant(void **state)
{
    (void)state;
    run_kind(&HOURS, 1, HOURS.seeds);
}

static void a_week_of_trouble_keeps_every_invariant(void **state)
{
    (void)state;
    run_kind(&WEEK, 1, WEEK.seeds);
}

static const struct kind *find_kind(const char *name)
{
    static const struct kind *const kinds[] = {&MINUTES, &HOURS, &WEEK};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i]->name, name) == 0)
            return kinds[i];
    return NULL;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(minutes_of_trouble_keep_every_invariant),
            cmocka_unit_test(hours_of_trouble_keep_every_invariant),
            cmocka_unit_test(a_week_of_trouble_keeps_every_invariant),
    };

    if (argc == 4 && find_kind(argv[1]) != NULL) {
        run_kind(find_kind(argv[1]), strtoull(argv[2], NULL, 10), strtoull(argv[3], NULL, 10));
        return 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
