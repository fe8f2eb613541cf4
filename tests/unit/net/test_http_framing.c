/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of net/http_framing: which heads say beyond doubt where their body ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/http_framing.h"

enum { HEADERS_MAX = 4 };

struct row {
    const char *headers[HEADERS_MAX][2];
    bool is_http_1_0;
    const char *broken; /* a part of the reason; NULL: fine */
    int64_t content_length;
    bool is_chunked;
};

static const struct row rows[] = {
        {.headers = {{"Host", "h"}}, .content_length = -1},
        {.headers = {{"host", "h"}, {"content-length", "0"}}, .content_length = 0},
        {.headers = {{"Host", "h"}, {"Content-Length", "12"}}, .content_length = 12},
        {.headers = {{"Host", "h"}, {"Transfer-Encoding", "Chunked"}},
                .content_length = -1,
                .is_chunked = true},
        {.headers = {{"Host", "h"}, {"X", "tab\tand caf\xe9"}}, .content_length = -1},
        {.headers = {{"X", "y"}}, .is_http_1_0 = true, .content_length = -1},
        {.headers = {{"X", "y"}}, .broken = "no Host"},
        {.headers = {{"Host", "a"}, {"Host", "a"}}, .broken = "more than one Host"},
        {.headers = {{"Host", "h"}, {"Content-Length", "3"}, {"Content-Length", "3"}},
                .broken = "more than one Content-Length"},
        {.headers = {{"Host", "h"}, {"Content-Length", "3"}, {"Transfer-Encoding", "chunked"}},
                .broken = "both"},
        {.headers = {{"Host", "h"}, {"Content-Length", "-1"}}, .broken = "no number"},
        {.headers = {{"Host", "h"}, {"Content-Length", "-0"}}, .broken = "no number"},
        {.headers = {{"Host", "h"}, {"Content-Length", "+1"}}, .broken = "no number"},
        {.headers = {{"Host", "h"}, {"Content-Length", ""}}, .broken = "no number"},
        {.headers = {{"Host", "h"}, {"Content-Length", "1, 1"}}, .broken = "no number"},
        {.headers = {{"Host", "h"}, {"Content-Length", "9223372036854775808"}},
                .broken = "no number"},
        {.headers = {{"Host", "h"}, {"Transfer-Encoding", "gzip, chunked"}}, .broken = "chunked"},
        {.headers = {{"Host", "h"}, {"Transfer-Encoding", "identity"}}, .broken = "chunked"},
        {.headers = {{"Host", "h"},
                 {"Transfer-Encoding", "chunked"},
                 {"Transfer-Encoding", "chunked"}},
                .broken = "once"},
        {.headers = {{"Transfer-Encoding", "chunked"}}, .is_http_1_0 = true, .broken = "HTTP/1.1"},
        {.headers = {{"Host", "h"}, {"Content-Length ", "3"}}, .broken = "header name"},
        {.headers = {{"Host", "h"}, {"", "3"}}, .broken = "header name"},
        {.headers = {{"Host", "h"}, {"X(y)", "3"}}, .broken = "header name"},
        {.headers = {{"Host", "h"}, {"X", "a\rY: b"}}, .broken = "control character"},
};

static void each_head_is_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct http_framing framing = {0};

        for (size_t n = 0; n < HEADERS_MAX && rows[i].headers[n][0] != NULL; n++)
            http_framing_add(
                    &framing, str_from(rows[i].headers[n][0]), str_from(rows[i].headers[n][1]));
        http_framing_end(&framing, !rows[i].is_http_1_0);
        if (rows[i].broken != NULL) {
            if (framing.broken == NULL || strstr(framing.broken, rows[i].broken) == NULL)
                fail_msg("row %zu: %s", i, framing.broken);
            continue;
        }
        if (framing.broken != NULL)
            fail_msg("row %zu: %s", i, framing.broken);
        assert_int_equal(framing.content_length, rows[i].content_length);
        assert_int_equal(framing.is_chunked, rows[i].is_chunked);
    }
}

static void a_token_has_no_separators(void **state)
{
    (void)state;
    assert_true(http_framing_is_token(STR("GET")));
    assert_true(http_framing_is_token(STR("x-a!#$%&'*+.^_`|~9")));
    assert_false(http_framing_is_token(STR("")));
    assert_false(http_framing_is_token(STR("a b")));
    assert_false(http_framing_is_token(STR("a:")));
    assert_false(http_framing_is_token(STR("a\0")));
    assert_false(http_framing_is_token(STR("caf\xc3\xa9")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(each_head_is_judged),
            cmocka_unit_test(a_token_has_no_separators),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
