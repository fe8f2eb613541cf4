/* SPDX-License-Identifier: Apache-2.0 */
/* http_query - splitting and percent-decoding in one pass. */
#include "net/http_query.h"

/** The value of a hex digit, or -1. */
static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static enum err
decode(struct arena *arena, struct str text, struct str *ret_decoded, struct error *why)
{
    char *out = (char *)arena_alloc(arena, text.len + 1);
    size_t len = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (c == '+') {
            c = ' ';
        } else if (c == '%') {
            int high = text.len - i > 2 ? hex_value(text.ptr[i + 1]) : -1;
            int low = text.len - i > 2 ? hex_value(text.ptr[i + 2]) : -1;

            if (high < 0 || low < 0)
                return error_set(why, ERR_INVALID, "the query has a broken percent-escape");
            c = (char)(high * 16 + low);
            i += 2;
        }
        if (c == '\0')
            return error_set(why, ERR_INVALID, "the query has a NUL");
        out[len++] = c;
    }
    *ret_decoded = (struct str){out, len};
    return ERR_NONE;
}

static size_t count_parts(struct str text)
{
    size_t count = 1;

    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == '&';
    return count;
}

enum err http_query_parse(struct arena *arena,
        struct str text,
        struct http_query *ret_query,
        struct error *why)
{
    struct http_query query = {0};
    size_t parts = count_parts(text);

    if (text.len == 0) {
        *ret_query = query;
        return ERR_NONE;
    }
    if (parts > HTTP_QUERY_PARAMETERS_MAX)
        return error_set(why,
                ERR_LIMIT,
                "the query has more than %d parameters",
                (int)HTTP_QUERY_PARAMETERS_MAX);
    query.parameters = (struct http_query_parameter *)arena_alloc(
            arena, parts * sizeof(struct http_query_parameter));
    while (text.ptr != NULL) {
        struct str value = str_split(&text, '&');
        struct str name;
        enum err err;

        if (value.len == 0)
            continue;
        name = str_split(&value, '=');
        err = decode(arena, name, &query.parameters[query.count].name, why);
        if (err == ERR_NONE)
            err = decode(arena, value, &query.parameters[query.count].value, why);
        if (err != ERR_NONE)
            return err;
        query.count++;
    }
    *ret_query = query;
    return ERR_NONE;
}

struct str http_query_find(const struct http_query *query, const char *name)
{
    for (size_t i = 0; i < query->count; i++)
        if (str_is(query->parameters[i].name, name))
            return query->parameters[i].value;
    return STR_NONE;
}
