/* SPDX-License-Identifier: Apache-2.0 */
/* rate_limit - the generic cell rate algorithm in whole microseconds. */
#include "deliver/rate_limit.h"

enum { SECOND_US = 1000000, BURSTS_PER_SECOND = 10 };

void rate_limit_set(struct rate_limit *rate, int64_t per_second)
{
    rate->per_second = per_second;
    if (per_second == 0)
        rate->next_at_us = 0;
}

/* Rounded up, so that the rate is never passed. */
static int64_t interval_us(const struct rate_limit *rate)
{
    return (SECOND_US + rate->per_second - 1) / rate->per_second;
}

/* How far next_at_us may run ahead of the clock: the burst but for its first start. */
static int64_t tolerance_us(const struct rate_limit *rate)
{
    int64_t burst = rate->per_second / BURSTS_PER_SECOND;

    return burst > 1 ? (burst - 1) * interval_us(rate) : 0;
}

int64_t rate_limit_take(struct rate_limit *rate, int64_t now_ms)
{
    if (rate->per_second == 0)
        return 0;

    int64_t now_us = now_ms * 1000;
    int64_t latest_us = now_us + tolerance_us(rate) + interval_us(rate);

    if (rate->next_at_us > latest_us) /* the clock went back, or the rate was raised */
        rate->next_at_us = latest_us;
    int64_t early_us = rate->next_at_us - tolerance_us(rate) - now_us;
    if (early_us > 0)
        return (early_us + 999) / 1000;
    rate->next_at_us = (rate->next_at_us > now_us ? rate->next_at_us : now_us) + interval_us(rate);
    return 0;
}

int64_t rate_limit_idle_at_ms(const struct rate_limit *rate)
{
    return (rate->next_at_us + 999) / 1000;
}
