/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_http_query - any text as a query: what is read, escaped and read again, is the same. */
#include "base/buf.h"
#include "fuzz.h"
#include "net/http_query.h"

static void add_escaped(struct buf *buf, struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        buf_addf(buf, "%%%02X", (unsigned)(unsigned char)text.ptr[i]);
}

static void check_parameter(const struct http_query_parameter *parameter)
{
    assert(strlen(parameter->name.ptr) == parameter->name.len);
    assert(strlen(parameter->value.ptr) == parameter->value.len);
}

static void check_again(const struct http_query *query, struct arena *arena)
{
    CLEANUP(buf_done) struct buf text = {0};
    struct http_query again = {0};

    for (size_t i = 0; i < query->count; i++) {
        buf_add_text(&text, i > 0 ? "&" : "");
        add_escaped(&text, query->parameters[i].name);
        buf_add_char(&text, '=');
        add_escaped(&text, query->parameters[i].value);
    }
    enum err err = http_query_parse(arena, buf_str(&text), &again, NULL);

    assert(err == ERR_NONE && again.count == query->count);
    for (size_t i = 0; i < query->count; i++) {
        assert(str_equal(again.parameters[i].name, query->parameters[i].name));
        assert(str_equal(again.parameters[i].value, query->parameters[i].value));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_done) struct arena arena = {0};
    struct http_query query = {.count = 77};
    struct error why = {0};
    enum err err = http_query_parse(&arena, fuzz_text(data, size), &query, &why);

    if (err != ERR_NONE) {
        assert(query.count == 77 && (err == ERR_INVALID || err == ERR_LIMIT));
        fuzz_check_why(err, &why);
        return 0;
    }
    assert(query.count <= HTTP_QUERY_PARAMETERS_MAX);
    for (size_t i = 0; i < query.count; i++)
        check_parameter(&query.parameters[i]);
    if (query.count > 0)
        assert(str_equal(
                http_query_find(&query, query.parameters[0].name.ptr), query.parameters[0].value));
    check_again(&query, &arena);
    return 0;
}
