/* SPDX-License-Identifier: Apache-2.0 */
/* faults - collecting what is wrong with a request, and the readers of its members. */
#include "domain/faults.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/rfc3339.h"

/* A member's name comes from the peer: what is shown of it is cut. */
enum { FIELD_SIZE = 256, MESSAGE_SIZE = 256 };

void faults_init(struct faults *faults, struct arena *arena)
{
    *faults = (struct faults){.arena = arena};
}

/* What snprintf() left in text, without half a UTF-8 character at its cut end. */
static struct str whole_characters(const char *text, int wanted, size_t size)
{
    size_t len = wanted < 0 ? 0 : (size_t)wanted;

    if (len >= size) {
        len = size - 1;
        while (len > 0 && !str_is_utf8((struct str){text, len}))
            len--;
    }
    return (struct str){text, len};
}

/* Keeps the fault of field `path` + `name`; a "." at the end names the object before it. */
static void keep(struct faults *faults, const char *path, struct str name, struct str message)
{
    char text[FIELD_SIZE];

    if (faults->count++ >= FAULTS_MAX)
        return;

    int wanted = snprintf(
            text, sizeof(text), "%.*s%s%.*s", STR_ARG(faults->prefix), path, STR_ARG(name));
    struct str field = whole_characters(text, wanted, sizeof(text));

    if (name.len == 0 && str_ends(field, STR(".")))
        field.len--;
    faults->items[faults->count - 1] = (struct fault){
            .field = arena_str(faults->arena, field),
            .message = arena_str(faults->arena, message),
    };
}

void faults_add(struct faults *faults, const char *field, const char *format, ...)
{
    char text[MESSAGE_SIZE];
    va_list args;

    va_start(args, format);
    int wanted = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    keep(faults, field, STR_NONE, whole_characters(text, wanted, sizeof(text)));
}

static bool is_listed(struct str name, const char *const *names)
{
    for (; *names != NULL; names++)
        if (str_is(name, *names))
            return true;
    return false;
}

bool faults_check_members(struct faults *faults,
        const struct json *json,
        const char *path,
        const char *const *names)
{
    struct str name;
    const struct json *value;

    if (json_type(json) != JSON_OBJECT_TYPE) {
        faults_add(faults, path, "must be an object");
        return false;
    }
    for (size_t i = 0; json_member_at(json, i, &name, &value); i++)
        if (!is_listed(name, names))
            keep(faults, path, name, STR("unknown member"));
    return true;
}

static bool is_nullable(enum member_rule rule)
{
    return rule == MEMBER_NULLABLE || rule == MEMBER_REQUIRED_NULLABLE;
}

static bool is_required(enum member_rule rule)
{
    return rule == MEMBER_REQUIRED || rule == MEMBER_REQUIRED_NULLABLE;
}

/* MEMBER_SET: *ret_value is a member of a type yet to be checked. */
static enum member_state look_up(struct faults *faults,
        const struct json *json,
        const char *name,
        const char *path,
        enum member_rule rule,
        const struct json **ret_value)
{
    const struct json *value = json_member(json, name);

    if (value == NULL) {
        if (is_required(rule))
            faults_add(faults, path, "is required");
        return MEMBER_ABSENT;
    }
    if (json_type(value) == JSON_NULL_TYPE && is_nullable(rule))
        return MEMBER_NULL;
    *ret_value = value;
    return MEMBER_SET;
}

__attribute__((format(printf, 4, 5))) static enum member_state
refuse(struct faults *faults, const char *path, enum member_rule rule, const char *format, ...)
{
    char wanted[MESSAGE_SIZE / 2];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(wanted, sizeof(wanted), format, args);
    va_end(args);
    faults_add(faults, path, "must be %s%s", wanted, is_nullable(rule) ? ", or null" : "");
    return MEMBER_ABSENT;
}

enum member_state faults_read_str(struct faults *faults,
        const struct json *json,
        const char *name,
        const char *path,
        enum member_rule rule,
        size_t max_bytes,
        struct str *ret_value)
{
    const struct json *value = NULL;
    enum member_state state = look_up(faults, json, name, path, rule, &value);

    if (state != MEMBER_SET)
        return state;

    struct str text = json_str(value);
    if (json_type(value) != JSON_STRING_TYPE || text.len < 1 || text.len > max_bytes)
        return refuse(faults, path, rule, "a string of 1 to %zu bytes", max_bytes);
    *ret_value = text;
    return MEMBER_SET;
}

enum member_state faults_read_i64(struct faults *faults,
        const struct json *json,
        const char *name,
        const char *path,
        enum member_rule rule,
        int64_t min,
        int64_t max,
        int64_t *ret_value)
{
    const struct json *value = NULL;
    enum member_state state = look_up(faults, json, name, path, rule, &value);

    if (state != MEMBER_SET)
        return state;

    int64_t number = json_i64(value);
    if (json_type(value) != JSON_INTEGER_TYPE || number < min || number > max)
        return refuse(faults,
                path,
                rule,
                "a whole number from %lld to %lld",
                (long long)min,
                (long long)max);
    *ret_value = number;
    return MEMBER_SET;
}

enum member_state faults_read_bool(struct faults *faults,
        const struct json *json,
        const char *name,
        const char *path,
        enum member_rule rule,
        bool *ret_value)
{
    const struct json *value = NULL;
    enum member_state state =
            faults_read_json(faults, json, name, path, rule, JSON_BOOL_TYPE, &value);

    if (state == MEMBER_SET)
        *ret_value = json_bool(value);
    return state;
}

enum member_state faults_read_time(struct faults *faults,
        const struct json *json,
        const char *name,
        const char *path,
        enum member_rule rule,
        int64_t *ret_at_ms)
{
    const struct json *value = NULL;
    enum member_state state = look_up(faults, json, name, path, rule, &value);

    if (state != MEMBER_SET)
        return state;
    if (!rfc3339_parse(json_str(value), ret_at_ms))
        return refuse(faults, path, rule, "an RFC 3339 time such as \"2026-04-28T11:58:13Z\"");
    return MEMBER_SET;
}

static const char *type_words(enum json_type type)
{
    switch (type) {
    case JSON_NULL_TYPE: return "null";
    case JSON_BOOL_TYPE: return "true or false";
    case JSON_INTEGER_TYPE: return "a whole number";
    case JSON_REAL_TYPE: return "a number";
    case JSON_STRING_TYPE: return "a string";
    case JSON_ARRAY_TYPE: return "an array";
    case JSON_OBJECT_TYPE: return "an object";
    }
    return "of another type";
}

enum member_state faults_read_json(struct faults *faults,
        const struct json *json,
        const char *name,
        const char *path,
        enum member_rule rule,
        enum json_type type,
        const struct json **ret_value)
{
    const struct json *value = NULL;
    enum member_state state = look_up(faults, json, name, path, rule, &value);

    if (state != MEMBER_SET)
        return state;

    enum json_type found = json_type(value);
    bool fits = found == type || (type == JSON_REAL_TYPE && found == JSON_INTEGER_TYPE);
    if (!fits)
        return refuse(faults, path, rule, "%s", type_words(type));
    *ret_value = value;
    return MEMBER_SET;
}
