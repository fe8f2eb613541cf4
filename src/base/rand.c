/* SPDX-License-Identifier: Apache-2.0 */
/* rand - OpenSSL's generator for secrets, xorshift64* for jitter. */
#include "base/rand.h"

#include <limits.h>
#include <stdlib.h>

#include <openssl/rand.h>

void rand_secret(void *ret_bytes, size_t len)
{
    unsigned char *to = ret_bytes;

    while (len > 0) {
        size_t part = len < INT_MAX ? len : INT_MAX;

        if (RAND_bytes(to, (int)part) != 1)
            abort();
        to += part;
        len -= part;
    }
}

void rand_seed(struct rand *rand, uint64_t seed)
{
    /* One step of splitmix64, so that near seeds give far streams. */
    uint64_t mixed = seed + UINT64_C(0x9E3779B97F4A7C15);

    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94D049BB133111EB);
    mixed ^= mixed >> 31;
    rand->state = mixed != 0 ? mixed : 1; /* 0 would stay 0 for ever */
}

uint32_t rand_u32(struct rand *rand)
{
    uint64_t x = rand->state;

    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    rand->state = x;
    return (uint32_t)(x * UINT64_C(0x2545F4914F6CDD1D) >> 32);
}
