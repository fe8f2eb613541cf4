/* SPDX-License-Identifier: Apache-2.0 */
/* contact - a known caller: `identity` in the payload. A plain value; strings are borrowed. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

enum { CONTACT_LABELS_MAX = 32, CONTACT_LABEL_MAX_BYTES = 64, CONTACT_NOTE_MAX_BYTES = 4096 };

struct contact {
    struct str id;
    struct str org_id;
    struct str name;   /* none: not known */
    struct str phone;  /* E.164 or short code; never none, unique in the org */
    struct str email;  /* none: not known */
    struct str note;   /* none: none */
    struct str labels; /* a compact JSON array of strings as it goes into the payload; "[]" */
    int64_t created_at_ms;
    int64_t updated_at_ms;
};

/** True when what a payload shows of the two is the same (id, name, phone, email, note, labels). */
bool contact_equal(const struct contact *a, const struct contact *b);
