/* SPDX-License-Identifier: Apache-2.0 */
/*
 * effects - what a transaction will do outside the database once it is committed: deliveries to
 * hand over, notes to publish, endpoints that changed. An op that fails takes back what it added
 * since its mark. Store's writing thread only.
 */
#pragma once

#include "store/gate.h"
#include "store/store_delivery.h"

struct endpoint_change {
    int64_t endpoint_id;
    struct endpoint *endpoint; /* a reference; NULL: deleted */
    int64_t cancelled_id;      /* not 0: only this delivery of it is cancelled */
};

struct work_effects {
    struct delivery **handed; /* owned until they are handed over */
    size_t handed_count, handed_size;
    struct note *notes;
    size_t note_count, note_size;
    struct endpoint_change *changes;
    size_t change_count, change_size;
};

struct effects_mark {
    size_t handed, notes, changes;
};

/** Drops what is in it and frees; fine on a zeroed one. */
void effects_done(struct work_effects *effects);
/** take_delivery is handed over after the commit. */
void effects_hand(struct work_effects *effects, struct delivery *take_delivery);
void effects_note(struct work_effects *effects, const struct note *note);
void effects_change(struct work_effects *effects, struct endpoint_change change);
struct effects_mark effects_mark(const struct work_effects *effects);
/** Drops what came after the mark; gates learn of deliveries that will not be in memory. */
void effects_undo(struct work_effects *effects, struct gates *gates, struct effects_mark mark);
/** Carries everything out, in the order endpoints, deliveries, notes; then it is empty. */
void effects_apply(struct work_effects *effects,
        struct gates *gates,
        const struct store_config *config);

/** An in-memory delivery with references of its own to endpoint and body. */
struct delivery *delivery_new(struct endpoint *endpoint, struct blob *body);
void delivery_free(struct delivery *delivery); /* NULL is fine */
