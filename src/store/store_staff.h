/* SPDX-License-Identifier: Apache-2.0 */
/* store_staff - operations on staff. See store.h for how an operation runs. */
#pragma once

#include "domain/staff.h"
#include "store/store.h"

/* Which members of a change are given; the others stay (PATCH) or become none (PUT sets all). */
enum staff_field { STAFF_NAME = 1, STAFF_PHONE = 2, STAFF_EMAIL = 4, STAFF_ALL = 7 };

enum write_mode {
    WRITE_CREATE, /* ERR_CONFLICT when the id exists; id none: made */
    WRITE_PUT,    /* created or replaced */
    WRITE_PATCH,  /* ERR_NOT_FOUND when it does not exist */
};

struct staff_write {
    struct store_op op;
    enum write_mode mode;
    unsigned fields;    /* bits of enum staff_field */
    struct staff staff; /* in: id, org_id and the given members; out: as it now is */
    bool created;       /* out */
};
MUST_CHECK enum err store_staff_write(struct store *store, struct staff_write *op);

struct staff_get {
    struct store_op op;
    struct str org_id;
    struct str id;
    struct staff staff; /* out */
};
MUST_CHECK enum err store_staff_get(struct store *store, struct staff_get *op);

struct staff_list {
    struct store_op op;
    struct str org_id;
    struct str q; /* none: all; else part of name, phone, email or id, any ASCII case */
    struct page page;
    struct staff *staff; /* out */
    size_t count;        /* out */
};
MUST_CHECK enum err store_staff_list(struct store *store, struct staff_list *op);

/** Calls that name it become unassigned in later payloads. ERR_NOT_FOUND. */
struct staff_delete {
    struct store_op op;
    struct str org_id;
    struct str id;
};
MUST_CHECK enum err store_staff_delete(struct store *store, struct staff_delete *op);
