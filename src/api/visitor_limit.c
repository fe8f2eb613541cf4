/* SPDX-License-Identifier: Apache-2.0 */
/* visitor_limit - buckets in a table with linear probing, behind a mutex. */
#include "api/visitor_limit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/codec.h"
#include "base/mem.h"
#include "base/rand.h"
#include "domain/address_rule.h"

enum {
    MINUTE_MS = 60 * 1000,
    ALL_PER_MINUTE_MAX = 1000,
    SLOTS = 4 * ALL_PER_MINUTE_MAX, /* a burst and a minute's flow are 2 * ALL_PER_MINUTE_MAX */
    NETWORK_BYTES = 8,              /* a /64 */
    KEY_BYTES = 16,
};

/* full_at_ms: when all of the budget is there again. Later than a minute from now: nothing is left. */
struct bucket {
    uint64_t visitor;
    int64_t full_at_ms;
};

struct visitor_limit {
    pthread_mutex_t lock;
    uint8_t key[KEY_BYTES]; /* so that nobody can choose addresses that share a slot */
    int64_t each_step_ms;   /* what one use takes from the budget, as time */
    int64_t all_step_ms;
    struct bucket all;
    struct bucket each[SLOTS];
};

struct visitor_limit *visitor_limit_new(int64_t each_per_minute, int64_t all_per_minute)
{
    struct visitor_limit *limit = mem_new(sizeof(*limit));

    pthread_mutex_init(&limit->lock, NULL);
    rand_secret(limit->key, sizeof(limit->key));
    limit->each_step_ms = MINUTE_MS / each_per_minute;
    limit->all_step_ms = MINUTE_MS / all_per_minute;
    return limit;
}

void visitor_limit_free(struct visitor_limit *limit)
{
    if (limit == NULL)
        return;
    pthread_mutex_destroy(&limit->lock);
    free(limit);
}

static uint64_t visitor_of(const struct visitor_limit *limit, struct str peer)
{
    const struct str key = {(const char *)limit->key, sizeof(limit->key)};
    struct address address;
    uint8_t digest[SHA256_BYTES];
    uint64_t visitor;

    if (address_parse(peer, &address) && address.v6)
        peer = (struct str){(const char *)address.bytes, NETWORK_BYTES};
    codec_hmac_sha256(key, peer, digest);
    memcpy(&visitor, digest, sizeof(visitor));
    return visitor;
}

/* The visitor's bucket, or one that is full, which is as good as new. */
static struct bucket *find(struct visitor_limit *limit, uint64_t visitor, int64_t now_ms)
{
    size_t start = (size_t)(visitor % SLOTS);
    struct bucket *place = NULL;

    for (size_t i = 0; i < SLOTS; i++) {
        struct bucket *bucket = &limit->each[(start + i) % SLOTS];
        bool is_full = bucket->full_at_ms <= now_ms;

        if (bucket->visitor == visitor && !is_full)
            return bucket;
        if (is_full && place == NULL)
            place = bucket;
        if (bucket->full_at_ms == 0)
            break; /* never used: nothing lies behind it */
    }
    if (place == NULL)
        return &limit->each[start];
    place->visitor = visitor;
    return place;
}

/* In how many ms a use of step_ms fits into the bucket. */
static int64_t wait_of(const struct bucket *bucket, int64_t step_ms, int64_t now_ms)
{
    int64_t used_ms = bucket->full_at_ms > now_ms ? bucket->full_at_ms - now_ms : 0;

    return used_ms + step_ms > MINUTE_MS ? used_ms + step_ms - MINUTE_MS : 0;
}

static void use(struct bucket *bucket, int64_t step_ms, int64_t now_ms)
{
    int64_t from_ms = bucket->full_at_ms > now_ms ? bucket->full_at_ms : now_ms;

    bucket->full_at_ms = from_ms + step_ms;
}

int64_t visitor_limit_take(struct visitor_limit *limit, struct str peer, int64_t now_ms)
{
    uint64_t visitor = visitor_of(limit, peer);

    pthread_mutex_lock(&limit->lock);
    struct bucket *bucket = find(limit, visitor, now_ms);
    int64_t each_ms = wait_of(bucket, limit->each_step_ms, now_ms);
    int64_t all_ms = wait_of(&limit->all, limit->all_step_ms, now_ms);

    if (each_ms == 0 && all_ms == 0) {
        use(bucket, limit->each_step_ms, now_ms);
        use(&limit->all, limit->all_step_ms, now_ms);
    }
    pthread_mutex_unlock(&limit->lock);
    return each_ms > all_ms ? each_ms : all_ms;
}
