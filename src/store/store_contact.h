/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_contact - operations on contacts. A write that changes what a payload shows emits
 * caller_updated with the newest call of the contact's phone, in the same transaction; a contact
 * without a call, or a write that changes nothing, emits nothing.
 */
#pragma once

#include "domain/contact.h"
#include "store/store.h"
#include "store/store_staff.h"

enum contact_field {
    CONTACT_NAME = 1,
    CONTACT_PHONE = 2,
    CONTACT_EMAIL = 4,
    CONTACT_NOTE = 8,
    CONTACT_LABELS = 16,
    CONTACT_ALL = 31,
};

/** ERR_CONFLICT (field "phone") when another contact of the org has this phone; ERR_CONFLICT
 *  (field "id"), ERR_NOT_FOUND as enum write_mode says. */
struct contact_write {
    struct store_op op;
    enum write_mode mode;
    unsigned fields;        /* bits of enum contact_field */
    struct contact contact; /* in: id, org_id and the given members; out: as it now is */
    bool created;           /* out */
    int64_t event_id;       /* out: 0 when nothing was emitted */
    int64_t delivery_count; /* out */
};
MUST_CHECK enum err store_contact_write(struct store *store, struct contact_write *op);

struct contact_get {
    struct store_op op;
    struct str org_id;
    struct str id;
    struct contact contact; /* out */
};
MUST_CHECK enum err store_contact_get(struct store *store, struct contact_get *op);

struct contact_list {
    struct store_op op;
    struct str org_id;
    struct str phone; /* none: any */
    struct str q;     /* none: all; else part of name, phone, email or id, any ASCII case */
    struct page page;
    struct contact *contacts; /* out */
    size_t count;             /* out */
};
MUST_CHECK enum err store_contact_list(struct store *store, struct contact_list *op);

/** Emits caller_updated when it has a call: the identity is then an unknown caller's.
 *  ERR_NOT_FOUND. */
struct contact_delete {
    struct store_op op;
    struct str org_id;
    struct str id;
};
MUST_CHECK enum err store_contact_delete(struct store *store, struct contact_delete *op);
