/* SPDX-License-Identifier: Apache-2.0 */
/*
 * field - reading the members that several resources have: texts, phones, e-mail addresses, ids.
 *
 * Each is faults_read_str() with the rule of its kind: what breaks the rule is a fault under path,
 * and counts as absent. *ret_value is touched only for MEMBER_SET. Pure; any thread.
 */
#pragma once

#include "domain/faults.h"

/** What is read, and from where. */
struct field {
    struct faults *faults;
    const struct json *json;
    const char *path; /* of the object, before the member's name: "" or "staff." */
};

/** 1 to max_bytes bytes without control characters, but newline and tab when multiline. */
enum member_state field_text(const struct field *field,
        const char *name,
        enum member_rule rule,
        size_t max_bytes,
        struct str *ret_value);
/** The same, with newlines and tabs. */
enum member_state field_note(const struct field *field,
        const char *name,
        enum member_rule rule,
        size_t max_bytes,
        struct str *ret_value);
/** E.164 or a short code. */
enum member_state field_phone(const struct field *field,
        const char *name,
        enum member_rule rule,
        struct str *ret_value);
/** An e-mail address. */
enum member_state field_email(const struct field *field,
        const char *name,
        enum member_rule rule,
        struct str *ret_value);
/** An id that a client may give. */
enum member_state
field_id(const struct field *field, const char *name, enum member_rule rule, struct str *ret_value);
