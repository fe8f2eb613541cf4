/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock - where the time comes from, so that a test can make a week pass in a second.
 *
 * wall_ms is for what is stored and shown (Unix milliseconds, can jump); mono_us is for durations
 * (never jumps, no meaning of its own). Reading is safe on any thread.
 */
#pragma once

#include <stdint.h>

struct clock {
    int64_t (*wall_ms)(const struct clock *clock);
    int64_t (*mono_us)(const struct clock *clock);
};

/** The machine's clock; a constant, never freed. */
const struct clock *clock_real(void);

/** A clock that stands still until the test moves it; both times move together. One thread sets. */
struct clock_virtual {
    struct clock clock; /* pass &v.clock */
    int64_t now_ms;     /* read and written atomically */
};
void clock_virtual_init(struct clock_virtual *v, int64_t now_ms);
void clock_virtual_set(struct clock_virtual *v, int64_t now_ms);

static inline int64_t clock_wall_ms(const struct clock *clock)
{
    return clock->wall_ms(clock);
}

static inline int64_t clock_mono_us(const struct clock *clock)
{
    return clock->mono_us(clock);
}
