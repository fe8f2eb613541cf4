/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_idempotency - the same Idempotency-Key and body gives the first answer again (I8).
 *
 * An op that carries a struct idempotency is looked up before it runs: a known key with the same
 * body gives back the stored answer and the op does not run; with another body the op fails with
 * ERR_INVALID, field "Idempotency-Key"; a key whose first request is still running is ERR_CONFLICT.
 * After the op ran, render makes its answer, which is stored in the same transaction: a crash
 * leaves both or neither.
 *
 * Answers can hold secrets (a new token's), so they are sealed with a key that is derived from the
 * client's key, which itself is only kept as a hash. Keys are per org and live 24 hours.
 */
#pragma once

#include "base/buf.h"
#include "base/codec.h"
#include "store/store.h"

#define IDEMPOTENCY_KEEP_MS (INT64_C(24) * 3600 * 1000)

struct idempotency {
    struct str org_id;
    uint8_t key_hash[SHA256_BYTES];     /* SHA-256 of the key, and of method and path */
    uint8_t seal_key[SECRET_KEY_BYTES]; /* HMAC of the key under a key of ours */
    uint8_t body_hash[SHA256_BYTES];
    /** Makes the answer of an op that ended with ERR_NONE; on the store thread, pure. */
    void (*render)(struct store_op *op, int64_t *ret_status, struct buf *ret_body);

    bool replayed;   /* out: the two below are the first answer's */
    int64_t status;  /* out */
    struct buf body; /* out; the caller frees with buf_done */
};

/** For requests that are no single operation (a test sent to an endpoint): begin marks the key as
 *  running, or gives the stored answer (op.idempotency->replayed); op.err as above. finish stores
 *  the answer (op.idempotency->status, body), or with status 0 forgets the key. Marks that a crash
 *  left behind are forgotten at the next start. */
struct idempotency_mark {
    struct store_op op; /* with op.idempotency */
};
MUST_CHECK enum err store_idempotency_begin(struct store *store, struct idempotency_mark *op);
MUST_CHECK enum err store_idempotency_finish(struct store *store, struct idempotency_mark *op);
