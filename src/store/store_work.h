/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_work - what a running operation has at hand: the connection, the moment, new ids, notes,
 * and the emission of events. For store_<noun>.c only; store threads only.
 *
 * Effects outside the database (notes, deliveries to hand over, changed endpoints) are collected
 * here; they take place after the commit, and are dropped when the op or the commit fails.
 */
#pragma once

#include "domain/payload.h"
#include "store/db.h"
#include "store/store.h"
#include "store/store_call.h"

struct gates; /* gate.h */

struct store_work {
    struct store *store;
    const struct store_config *config;
    struct db *db;
    int64_t now_ms; /* the same for the whole transaction */

    /* of the store's writing thread; NULL while reading */
    struct gates *gates; /* endpoints, and how many of their deliveries are in memory */
    struct work_effects *effects;
};

/** When this run of the program opened the store. */
int64_t work_started_ms(const struct store_work *work);
/** A new id of now. */
int64_t work_new_id(struct store_work *work);
/** The next call id. */
MUST_CHECK enum err work_new_call_id(struct store_work *work, int64_t *ret_id, struct error *why);

/** Tells those who watch, after the commit. at_ms is filled with now. */
void work_note(struct store_work *work, const struct note *note);
/** The same, addressed to this org. */
void work_note_org(struct store_work *work, const struct note *note, struct str org_id);

/** The endpoint has this new snapshot (reference taken; NULL: it is deleted), after the commit.
 *  Only in ops with alone. change is the note's text: "created", "updated", "disabled", "enabled",
 *  "deleted". */
void work_endpoint_changed(struct store_work *work,
        int64_t endpoint_id,
        struct endpoint *take_endpoint,
        const char *change);

/** Loads a call with its contact, staff, link and analysis. org_id none: any org. ERR_NOT_FOUND. */
MUST_CHECK enum err work_load_call(struct store_work *work,
        struct arena *arena,
        struct str org_id,
        int64_t call_id,
        struct call_view *ret_view,
        struct error *why);

/**
 * Emits an event of the call: stores the payload bytes and a delivery for each enabled endpoint of
 * the org that wants it, and hands over what there is room for. analysis: the whole object for
 * EVENT_AI_ANALYSIS, none: short form. view shows the call as it now is.
 */
MUST_CHECK enum err work_emit(struct store_work *work,
        enum event_kind kind,
        const struct call_view *view,
        struct str analysis,
        int64_t *ret_event_id,
        int64_t *ret_delivery_count,
        struct error *why);

/** Emits caller_updated with the newest call of that phone; nothing (ERR_NONE, *ret_event_id 0) when
 *  there is none. The contact is read from the database as it now is. */
MUST_CHECK enum err work_emit_caller_updated(struct store_work *work,
        struct arena *arena,
        struct str org_id,
        struct str phone,
        int64_t *ret_event_id,
        int64_t *ret_delivery_count,
        struct error *why);

/* Small helpers for straight-line SQL. */

/** Fills op.err ... and queues: the body of every store_<noun>_<verb>(). */
MUST_CHECK enum err
store_submit_run(struct store *store, struct store_op *op, store_run *run, bool reads);

/** Appends a LIKE pattern that finds q anywhere, with \ as escape character. */
struct str work_like(struct arena *arena, struct str q);

/** Writes the staff member of a call draft (found by id, else phone, else e-mail, else made).
 *  For store_call.c; implemented in store_staff.c. Gives it as it now is. */
MUST_CHECK enum err work_put_staff(struct store_work *work,
        struct arena *arena,
        struct str org_id,
        const struct staff *draft,
        struct staff *ret_staff,
        struct error *why);
/** ERR_NOT_FOUND. In store_staff.c. */
MUST_CHECK enum err work_load_staff(struct store_work *work,
        struct arena *arena,
        struct str org_id,
        struct str id,
        struct staff *ret_staff,
        struct error *why);
/** By id, or (id none) by phone. ERR_NOT_FOUND. In store_contact.c. */
MUST_CHECK enum err work_load_contact(struct store_work *work,
        struct arena *arena,
        struct str org_id,
        struct str id,
        struct str phone,
        struct contact *ret_contact,
        struct error *why);

/* store_idempotency.c, for store.c. */
/** Before the op: may set idempotency->replayed (then the op does not run), or fail. */
MUST_CHECK enum err
work_idempotency_look(struct store_work *work, struct store_op *op, struct error *why);
/** After the op ran well: renders and stores its answer. */
MUST_CHECK enum err
work_idempotency_keep(struct store_work *work, struct store_op *op, struct error *why);
/** When the store opens: deletes the marks of requests that a crash or stop cut off. */
MUST_CHECK enum err work_idempotency_forget_running(struct store_work *work, struct error *why);
