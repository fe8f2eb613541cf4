/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of member - members of an answer's objects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "api/member.h"
#include "base/cleanup.h"

static void assert_text(const struct buf *buf, const char *expected)
{
    if (!str_is(buf_str(buf), expected))
        fail_msg("%.*s\nis not\n%s", STR_ARG(buf_str(buf)), expected);
}

static void test_commas_separate_members_but_not_before_the_first(void **state)
{
    CLEANUP(buf_done) struct buf buf = {0};

    (void)state;
    buf_add_char(&buf, '{');
    member_str(&buf, "a", STR("x{"));
    member_str(&buf, "b", STR_NONE);
    member_i64(&buf, "c", -7);
    member_i64_or_null(&buf, "d", 0);
    member_bool(&buf, "e", true);
    member_name(&buf, "f");
    buf_add_char(&buf, '{');
    member_raw(&buf, "g", STR("[1]"));
    buf_add_text(&buf, "}}");
    assert_text(&buf, "{\"a\":\"x{\",\"b\":null,\"c\":-7,\"d\":null,\"e\":true,\"f\":{\"g\":[1]}}");
}

static void test_times_and_ids_of_zero_are_null(void **state)
{
    CLEANUP(buf_done) struct buf buf = {0};

    (void)state;
    buf_add_char(&buf, '{');
    member_time(&buf, "a", 0);
    member_time(&buf, "b", INT64_C(1777377493000));
    member_id(&buf, "c", "ep_", 0);
    member_id(&buf, "d", "ep_", 31);
    member_ms(&buf, "e", 84250);
    buf_add_char(&buf, '}');
    assert_text(&buf,
            "{\"a\":null,\"b\":\"2026-04-28T11:58:13.000Z\",\"c\":null,\"d\":\"ep_000000000000Z\","
            "\"e\":84.25}");
}

static void test_a_list_has_its_items_and_the_cursor(void **state)
{
    CLEANUP(buf_done) struct buf buf = {0};

    (void)state;
    member_list_begin(&buf);
    member_list_end(&buf, STR_NONE);
    member_list_begin(&buf);
    for (int i = 0; i < 2; i++) {
        member_next(&buf);
        buf_add_text(&buf, "{}");
    }
    member_list_end(&buf, STR("c1"));
    assert_text(
            &buf, "{\"data\":[],\"next_cursor\":null}{\"data\":[{},{}],\"next_cursor\":\"c1\"}");
}

static void test_headers_become_an_object_and_repeated_ones_are_joined(void **state)
{
    static const struct {
        const char *lines;
        const char *expected;
    } table[] = {
            {"", "{\"h\":{}"},
            {"Date: today\n", "{\"h\":{\"Date\":\"today\"}"},
            {"Date: today", "{\"h\":{\"Date\":\"today\"}"},
            {"A: 1\nB: x: y\na: 2\n", "{\"h\":{\"A\":\"1, 2\",\"B\":\"x: y\"}"},
            {"A:\n", "{\"h\":{\"A\":\"\"}"},
            {"A: \xff\n", "{\"h\":{\"A\":\"\xef\xbf\xbd\"}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        CLEANUP(buf_done) struct buf buf = {0};

        buf_add_char(&buf, '{');
        member_headers(&buf, "h", str_from(table[i].lines));
        assert_text(&buf, table[i].expected);
    }
}

static void test_no_more_than_256_header_lines_are_shown(void **state)
{
    CLEANUP(buf_done) struct buf lines = {0};
    CLEANUP(buf_done) struct buf buf = {0};

    (void)state;
    for (int i = 0; i < 300; i++)
        buf_addf(&lines, "n%d: v\n", i);
    buf_add_char(&buf, '{');
    member_headers(&buf, "h", buf_str(&lines));
    assert_non_null(memmem(buf.ptr, buf.len, "\"n255\"", 6));
    assert_null(memmem(buf.ptr, buf.len, "\"n256\"", 6));
}

static void test_a_body_is_text_or_base64(void **state)
{
    static const struct {
        struct str body;
        bool was_cut;
        const char *expected;
    } table[] = {
            {{"", 0}, false, "{\"b\":\"\""},
            {{"ok \xc3\xa4", 5}, false, "{\"b\":\"ok \xc3\xa4\""},
            {{"\x00\xff", 2}, false, "{\"b\":\"AP8=\",\"b_encoding\":\"base64\""},
            {{"ok \xc3", 4}, false, "{\"b\":\"b2sgww==\",\"b_encoding\":\"base64\""},
            {{"ok \xc3", 4}, true, "{\"b\":\"ok \""},
            {{"\xff\xff\xff\xff\xff", 5}, true, "{\"b\":\"//////8=\",\"b_encoding\":\"base64\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        CLEANUP(buf_done) struct buf buf = {0};

        buf_add_char(&buf, '{');
        member_body(&buf, "b", table[i].body, table[i].was_cut);
        assert_text(&buf, table[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_commas_separate_members_but_not_before_the_first),
            cmocka_unit_test(test_times_and_ids_of_zero_are_null),
            cmocka_unit_test(test_a_list_has_its_items_and_the_cursor),
            cmocka_unit_test(test_headers_become_an_object_and_repeated_ones_are_joined),
            cmocka_unit_test(test_no_more_than_256_header_lines_are_shown),
            cmocka_unit_test(test_a_body_is_text_or_base64),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
