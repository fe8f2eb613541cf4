/* SPDX-License-Identifier: Apache-2.0 */
/* clock - the machine's clock, and one that a test moves. */
#include "base/clock.h"

#include <stddef.h>
#include <time.h>

static int64_t real_wall_ms(const struct clock *clock)
{
    struct timespec now;

    (void)clock;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t real_mono_us(const struct clock *clock)
{
    struct timespec now;

    (void)clock;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

const struct clock *clock_real(void)
{
    static const struct clock real = {real_wall_ms, real_mono_us};

    return &real;
}

static int64_t virtual_wall_ms(const struct clock *clock)
{
    const struct clock_virtual *v =
            (const void *)((const char *)clock - offsetof(struct clock_virtual, clock));

    return __atomic_load_n(&v->now_ms, __ATOMIC_ACQUIRE);
}

static int64_t virtual_mono_us(const struct clock *clock)
{
    return virtual_wall_ms(clock) * 1000;
}

void clock_virtual_init(struct clock_virtual *v, int64_t now_ms)
{
    v->clock = (struct clock){virtual_wall_ms, virtual_mono_us};
    clock_virtual_set(v, now_ms);
}

void clock_virtual_set(struct clock_virtual *v, int64_t now_ms)
{
    __atomic_store_n(&v->now_ms, now_ms, __ATOMIC_RELEASE);
}
