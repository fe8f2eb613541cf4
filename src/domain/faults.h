/* SPDX-License-Identifier: Apache-2.0 */
/*
 * faults - all that is wrong with a request, collected, so that one answer names everything.
 *
 * Also the small readers of JSON members that every resource uses: each takes one member, checks
 * it, adds a fault that names the field, and says whether the member was there and right. A member
 * that is absent is no fault unless it is required. Lifetime: the request's arena.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"

enum { FAULTS_MAX = 50 }; /* more are counted, not kept */

struct fault {
    struct str field;   /* "staff.phone", "calls[3].type"; "" for the whole body */
    struct str message; /* one sentence without a full stop */
};

struct faults {
    struct arena *arena;
    struct fault items[FAULTS_MAX];
    size_t count;      /* may be above FAULTS_MAX */
    struct str prefix; /* put before every field, such as "calls[3]." ; none: nothing */
};

/** None yet; messages go to the arena. */
void faults_init(struct faults *faults, struct arena *arena);
/** Adds one; above FAULTS_MAX it is only counted. The prefix goes before field. */
void faults_add(struct faults *faults, const char *field, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/** Adds a fault for each member of json that is not in names (NULL-ended list): "unknown member".
 *  path is put before the member's name ("" or "staff."). Adds one and returns false when json is
 *  no object. */
bool faults_check_members(struct faults *faults,
        const struct json *json,
        const char *path,
        const char *const *names);

enum member_rule { MEMBER_OPTIONAL, MEMBER_REQUIRED, MEMBER_NULLABLE, MEMBER_REQUIRED_NULLABLE };

/** What a member was: absent, null (only where allowed), or a value that has been set. A fault
 *  counts as absent. */
enum member_state { MEMBER_ABSENT, MEMBER_NULL, MEMBER_SET };

/** name is the member, path its full name for the fault. *ret_value is touched only for MEMBER_SET.
 *  Strings: at most max_bytes, 1 byte at least; valid UTF-8 is given by the parser. */
enum member_state faults_read_str(struct faults *faults,
        const struct json *json,
        const char *name,
        const char *path,
        enum member_rule rule,
        size_t max_bytes,
        struct str *ret_value);
enum member_state faults_read_i64(struct faults *faults,
        const struct json *json,
        const char *name,
        const char *path,
        enum member_rule rule,
        int64_t min,
        int64_t max,
        int64_t *ret_value);
enum member_state faults_read_bool(struct faults *faults,
        const struct json *json,
        const char *name,
        const char *path,
        enum member_rule rule,
        bool *ret_value);
/** RFC 3339. */
enum member_state faults_read_time(struct faults *faults,
        const struct json *json,
        const char *name,
        const char *path,
        enum member_rule rule,
        int64_t *ret_at_ms);
/** The value itself when it has that type. JSON_REAL_TYPE means any number, whole ones too. */
enum member_state faults_read_json(struct faults *faults,
        const struct json *json,
        const char *name,
        const char *path,
        enum member_rule rule,
        enum json_type type,
        const struct json **ret_value);
