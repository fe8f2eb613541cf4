/* SPDX-License-Identifier: Apache-2.0 */
/* field - a string that is read, then held against the rule of its kind. */
#include "api/field.h"

#include <stdio.h>

#include "domain/limits.h"
#include "domain/phone.h"

enum { PATH_SIZE = 128, PHONE_MAX_BYTES = 64 };

enum kind { KIND_TEXT, KIND_NOTE, KIND_PHONE, KIND_EMAIL, KIND_ID };

static enum err check(enum kind kind, struct str value, size_t max_bytes, struct error *why)
{
    switch (kind) {
    case KIND_TEXT: return limits_check_text(value, max_bytes, false, why);
    case KIND_NOTE: return limits_check_text(value, max_bytes, true, why);
    case KIND_PHONE: return phone_check(value, why);
    case KIND_EMAIL: return limits_check_email(value, why);
    case KIND_ID: return limits_check_id(value, why);
    }
    return ERR_NONE;
}

static enum member_state read_field(const struct field *field,
        const char *name,
        enum member_rule rule,
        enum kind kind,
        size_t max_bytes,
        struct str *ret_value)
{
    char path[PATH_SIZE];
    struct error why;
    struct str value;

    (void)snprintf(path, sizeof(path), "%s%s", field->path, name);

    enum member_state state =
            faults_read_str(field->faults, field->json, name, path, rule, max_bytes, &value);

    if (state != MEMBER_SET)
        return state;
    if (check(kind, value, max_bytes, &why) != ERR_NONE) {
        faults_add(field->faults, path, "%s", why.text);
        return MEMBER_ABSENT;
    }
    *ret_value = value;
    return MEMBER_SET;
}

enum member_state field_text(const struct field *field,
        const char *name,
        enum member_rule rule,
        size_t max_bytes,
        struct str *ret_value)
{
    return read_field(field, name, rule, KIND_TEXT, max_bytes, ret_value);
}

enum member_state field_note(const struct field *field,
        const char *name,
        enum member_rule rule,
        size_t max_bytes,
        struct str *ret_value)
{
    return read_field(field, name, rule, KIND_NOTE, max_bytes, ret_value);
}

enum member_state field_phone(const struct field *field,
        const char *name,
        enum member_rule rule,
        struct str *ret_value)
{
    return read_field(field, name, rule, KIND_PHONE, PHONE_MAX_BYTES, ret_value);
}

enum member_state field_email(const struct field *field,
        const char *name,
        enum member_rule rule,
        struct str *ret_value)
{
    return read_field(field, name, rule, KIND_EMAIL, LIMIT_EMAIL_BYTES, ret_value);
}

enum member_state
field_id(const struct field *field, const char *name, enum member_rule rule, struct str *ret_value)
{
    return read_field(field, name, rule, KIND_ID, LIMIT_CLIENT_ID_BYTES, ret_value);
}
