/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rand - random numbers: unguessable bytes for secrets, and a seeded stream for jitter and tests.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** Unguessable bytes from OpenSSL's generator; aborts when it has none. Any thread. */
void rand_secret(void *ret_bytes, size_t len);

/** A small fast generator (xorshift64*), for jitter only; never for secrets. One thread. */
struct rand {
    uint64_t state;
};
/** Any seed, 0 too, gives a valid stream; the same seed the same stream. */
void rand_seed(struct rand *rand, uint64_t seed);
uint32_t rand_u32(struct rand *rand);
