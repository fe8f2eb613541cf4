/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of net/http_query: decoding, order, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "net/http_query.h"

static void parameters_are_decoded(void **state)
{
    static const struct {
        const char *text;
        const char *name;
        const char *value; /* NULL: absent */
    } rows[] = {
            {"a=1&b=2", "b", "2"},
            {"a=1&a=2", "a", "1"},
            {"q=x+y%2Bz", "q", "x y+z"},
            {"q=%41%c3%BC", "q", "A\xc3\xbc"},
            {"%61=1", "a", "1"},
            {"a", "a", ""},
            {"a=", "a", ""},
            {"a=b=c", "a", "b=c"},
            {"&&a=1&", "a", "1"},
            {"=1", "", "1"},
            {"a=1", "A", NULL},
            {"", "a", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct arena arena = {0};
        struct http_query query;
        struct str value;

        assert_int_equal(http_query_parse(&arena, str_from(rows[i].text), &query, NULL), ERR_NONE);
        value = http_query_find(&query, rows[i].name);
        if (rows[i].value == NULL)
            assert_null(value.ptr);
        else
            assert_string_equal(value.ptr, rows[i].value);
        arena_done(&arena);
    }
}

static void broken_escapes_and_nul_are_refused(void **state)
{
    static const char *const bad[] = {"a=%", "a=%4", "a=%4g", "a=%g4", "%zz=1", "a=%00", "a=b%"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct arena arena = {0};
        struct http_query query = {.count = 9};
        struct error why = {0};

        assert_int_equal(http_query_parse(&arena, str_from(bad[i]), &query, &why), ERR_INVALID);
        assert_int_equal(query.count, 9);
        assert_true(why.text[0] != '\0');
        arena_done(&arena);
    }
}

static void the_number_of_parameters_has_a_cap(void **state)
{
    struct arena arena = {0};
    struct http_query query;
    char text[4 * HTTP_QUERY_PARAMETERS_MAX + 4] = "";
    size_t len = 0;

    (void)state;
    for (int i = 0; i < HTTP_QUERY_PARAMETERS_MAX; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, i == 0 ? "a=1" : "&a=1");
    assert_int_equal(http_query_parse(&arena, str_from(text), &query, NULL), ERR_NONE);
    assert_int_equal(query.count, HTTP_QUERY_PARAMETERS_MAX);
    (void)snprintf(text + len, sizeof(text) - len, "&b");
    assert_int_equal(http_query_parse(&arena, str_from(text), &query, NULL), ERR_LIMIT);
    arena_done(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(parameters_are_decoded),
            cmocka_unit_test(broken_escapes_and_nul_are_refused),
            cmocka_unit_test(the_number_of_parameters_has_a_cap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
