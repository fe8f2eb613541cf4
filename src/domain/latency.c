/* SPDX-License-Identifier: Apache-2.0 */
/* latency - how long attempts took, as counts in buckets. */
#include "domain/latency.h"

#include <string.h>

#include "base/cleanup.h"

enum { FIRST_BOUND_US = 500 };

int64_t latency_bound_us(int i)
{
    int64_t bound_us = FIRST_BOUND_US;

    while (i-- > 0)
        bound_us += bound_us / 2;
    return bound_us;
}

void latency_add(struct latency *latency, int64_t duration_us)
{
    int64_t bound_us = FIRST_BOUND_US;
    int i = 0;

    while (i < LATENCY_BUCKETS - 1 && duration_us > bound_us) {
        bound_us += bound_us / 2;
        i++;
    }
    latency->count[i]++;
}

void latency_merge(struct latency *into, const struct latency *from)
{
    for (int i = 0; i < LATENCY_BUCKETS; i++)
        into->count[i] += from->count[i];
}

int64_t latency_percentile_us(const struct latency *latency, double share)
{
    int64_t total = 0;
    int64_t seen = 0;

    for (int i = 0; i < LATENCY_BUCKETS; i++)
        total += latency->count[i];
    if (total == 0)
        return 0;
    for (int i = 0; i < LATENCY_BUCKETS; i++) {
        seen += latency->count[i];
        if (latency->count[i] > 0 && (double)seen >= share * (double)total)
            return latency_bound_us(i);
    }
    return latency_bound_us(LATENCY_BUCKETS - 1);
}

void latency_write(struct buf *buf, const struct latency *latency)
{
    bool first = true;

    for (int i = 0; i < LATENCY_BUCKETS; i++) {
        if (latency->count[i] == 0)
            continue;
        if (!first)
            buf_add_char(buf, ',');
        buf_add_i64(buf, i);
        buf_add_char(buf, ':');
        buf_add_i64(buf, latency->count[i]);
        first = false;
    }
}

/* A sum of all counts never overflows. */
#define COUNT_MAX (INT64_MAX / LATENCY_BUCKETS)

enum err latency_parse(struct str text, struct latency *ret_latency)
{
    CLEANUP(buf_done) struct buf again = {0};
    struct latency parsed = {0};
    struct str rest = text;

    while (rest.len > 0) {
        struct str count_text = str_split(&rest, ',');
        struct str bucket_text = str_split(&count_text, ':');
        int64_t bucket;
        int64_t count;

        if (!str_to_i64(bucket_text, &bucket) || !str_to_i64(count_text, &count) || bucket < 0 ||
                bucket >= LATENCY_BUCKETS || count <= 0 || count > COUNT_MAX)
            return ERR_CORRUPT;
        parsed.count[bucket] = count;
    }
    /* A bucket twice or out of order, a comma at the end, zeros in front: not ours. */
    latency_write(&again, &parsed);
    if (!str_equal(buf_str(&again), text))
        return ERR_CORRUPT;
    *ret_latency = parsed;
    return ERR_NONE;
}
