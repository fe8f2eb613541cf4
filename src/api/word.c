/* SPDX-License-Identifier: Apache-2.0 */
/* word - reading words from the query and from JSON. */
#include "api/word.h"

#define WORD_STATES "waiting, sending, retrying, held, delivered, failed, cancelled"

enum { WORD_MAX_BYTES = 64 };

int word_query_event(struct request *request, const char *name)
{
    struct str word;
    enum event_kind kind;

    if (!request_query_str(request, name, WORD_MAX_BYTES, &word))
        return -1;
    if (event_kind_parse(word, &kind))
        return (int)kind;
    faults_add(&request->faults, name, "must be one of " WORD_EVENTS);
    return -1;
}

int word_query_type(struct request *request, const char *name)
{
    struct str word;
    enum call_type type;

    if (!request_query_str(request, name, WORD_MAX_BYTES, &word))
        return -1;
    if (call_type_parse(word, &type))
        return (int)type;
    faults_add(&request->faults, name, "must be one of " WORD_TYPES);
    return -1;
}

int word_query_state(struct request *request, const char *name)
{
    struct str word;
    enum delivery_state state;

    if (!request_query_str(request, name, WORD_MAX_BYTES, &word))
        return -1;
    if (delivery_state_parse(word, &state))
        return (int)state;
    faults_add(&request->faults, name, "must be one of " WORD_STATES);
    return -1;
}

static bool read_word(struct faults *faults,
        const struct json *json,
        const char *name,
        enum member_rule rule,
        struct str *ret_word)
{
    return faults_read_str(faults, json, name, name, rule, WORD_MAX_BYTES, ret_word) == MEMBER_SET;
}

bool word_read_event(struct faults *faults,
        const struct json *json,
        const char *name,
        enum member_rule rule,
        enum event_kind *ret_kind)
{
    struct str word;

    if (!read_word(faults, json, name, rule, &word))
        return false;
    if (event_kind_parse(word, ret_kind))
        return true;
    faults_add(faults, name, "must be one of " WORD_EVENTS);
    return false;
}

bool word_read_type(struct faults *faults,
        const struct json *json,
        const char *name,
        enum member_rule rule,
        enum call_type *ret_type)
{
    struct str word;

    if (!read_word(faults, json, name, rule, &word))
        return false;
    if (call_type_parse(word, ret_type))
        return true;
    faults_add(faults, name, "must be one of " WORD_TYPES);
    return false;
}
