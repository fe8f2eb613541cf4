/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of base/json: strict reading, and the bytes of JSON.stringify. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"

static struct json *parsed(const char *text)
{
    struct json *json = NULL;

    assert_int_equal(json_parse(str_from(text), &json, NULL), ERR_NONE);
    return json;
}

static void assert_refused(struct str text, const char *expected_reason)
{
    struct json *json = NULL;
    struct error why = {0};

    assert_int_equal(json_parse(text, &json, &why), ERR_INVALID);
    assert_null(json);
    assert_int_equal(why.code, ERR_INVALID);
    if (strstr(why.text, expected_reason) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", expected_reason, why.text);
    assert_int_equal(json_parse(text, &json, NULL), ERR_INVALID);
}

static void every_type_is_told(void **state)
{
    static const struct {
        const char *text;
        enum json_type type;
        const char *name;
    } rows[] = {
            {"null", JSON_NULL_TYPE, "null"},
            {"true", JSON_BOOL_TYPE, "boolean"},
            {"false", JSON_BOOL_TYPE, "boolean"},
            {"-7", JSON_INTEGER_TYPE, "number"},
            {"7.0", JSON_REAL_TYPE, "number"},
            {"7e0", JSON_REAL_TYPE, "number"},
            {"\"\"", JSON_STRING_TYPE, "string"},
            {" [ ] ", JSON_ARRAY_TYPE, "array"},
            {"\t{\r\n}", JSON_OBJECT_TYPE, "object"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CLEANUP_PTR(json_free) struct json *json = parsed(rows[i].text);

        assert_int_equal(json_type(json), rows[i].type);
        assert_string_equal(json_type_name(json), rows[i].name);
    }
}

static void values_are_read(void **state)
{
    CLEANUP_PTR(json_free)
    struct json *json = parsed("{\"s\":\"a\\u00e9\\ud83d\\udcde/\",\"i\":-9223372036854775808,"
                               "\"r\":1.5,\"t\":true,\"f\":false,\"n\":null,\"a\":[1,[]]}");

    (void)state;
    assert_true(str_is(json_str(json_member(json, "s")), "a\xC3\xA9\xF0\x9F\x93\x9E/"));
    assert_int_equal(json_i64(json_member(json, "i")), INT64_MIN);
    assert_true(json_number(json_member(json, "i")) < -9e18);
    assert_true(json_number(json_member(json, "r")) == 1.5);
    assert_int_equal(json_i64(json_member(json, "r")), 0);
    assert_true(json_bool(json_member(json, "t")));
    assert_false(json_bool(json_member(json, "f")));
    assert_int_equal(json_count(json), 7);
    assert_int_equal(json_count(json_member(json, "a")), 2);
    assert_int_equal(json_i64(json_item(json_member(json, "a"), 0)), 1);
    assert_null(json_item(json_member(json, "a"), 2));
}

static void a_value_of_another_type_reads_as_nothing(void **state)
{
    CLEANUP_PTR(json_free) struct json *number = parsed("1");
    CLEANUP_PTR(json_free) struct json *text = parsed("\"true\"");
    const struct json *values[] = {number, text, NULL};
    struct str name;
    const struct json *value;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        assert_null(json_member(values[i], "a"));
        assert_false(json_member_at(values[i], 0, &name, &value));
        assert_null(json_item(values[i], 0));
        assert_int_equal(json_count(values[i]), 0);
        assert_false(json_bool(values[i]));
    }
    assert_null(json_str(number).ptr);
    assert_null(json_str(NULL).ptr);
    assert_int_equal(json_i64(text), 0);
    assert_true(json_number(text) == 0);
    assert_true(json_number(NULL) == 0);
    json_free(NULL);
}

static void members_come_in_the_order_of_the_text(void **state)
{
    static const char *const names[] = {"z", "a", "10", "2", ""};
    CLEANUP_PTR(json_free) struct json *json = parsed("{\"z\":0,\"a\":1,\"10\":2,\"2\":3,\"\":4}");
    const struct json *value = NULL;
    struct str name = STR_NONE;

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        assert_true(json_member_at(json, i, &name, &value));
        assert_true(str_is(name, names[i]));
        assert_int_equal(json_i64(value), i);
    }
    assert_false(json_member_at(json, 5, &name, &value));
    assert_true(str_is(name, ""));
}

static void what_is_not_strict_json_is_refused(void **state)
{
    static const struct {
        const char *text;
        const char *reason;
    } rows[] = {
            {"", "line 1, column 0: "},
            {" ", "line 1"},
            {"{", "line 1"},
            {"{\"a\":1,}", "line 1, column 8: "},
            {"{\"a\" 1}", "':' expected"},
            {"{a:1}", "string or '}' expected"},
            {"[1,]", "line 1, column 4: "},
            {"[1\n,\n2 3]", "line 3, column 3: "},
            {"1 2", "end of file expected"},
            {"{} x", "end of file expected"},
            {"nul", "invalid token"},
            {"NaN", "invalid token"},
            {"Infinity", "invalid token"},
            {"'a'", "invalid token"},
            {"01", "line 1"},
            {"+1", "invalid token"},
            {".5", "invalid token"},
            {"1.", "invalid token"},
            {"1e", "invalid token"},
            {"-", "invalid token"},
            {"// c\n1", "invalid token"},
            {"\xEF\xBB\xBF{}", "invalid token"},
            {"{\"a\":1,\"b\":2,\"a\":3}", "duplicate object key"},
            {"{\"a\":1,\"\\u0061\":3}", "duplicate object key"},
            {"\"a\nb\"", "unexpected newline"},
            {"\"a\tb\"", "control character 0x9"},
            {"\"\\x\"", "invalid escape"},
            {"\"\\u12g4\"", "invalid escape"},
            {"\"\\u0000\"", "\\u0000 is not allowed"},
            {"{\"\\u0000\":1}", "NUL byte in object key"},
            {"\"abc", "premature end of input"},
            {"\"abc\\", "invalid escape"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_refused(str_from(rows[i].text), rows[i].reason);
    assert_refused(STR_NONE, "line 1");
    assert_refused(STR("1\0"), "line 1, column 2: a NUL byte");
    assert_refused(STR("[1\0,2]"), "line 1, column 3: a NUL byte");
    assert_refused(STR("\"a\0b\""), "control character 0x0");
}

static void broken_unicode_is_refused(void **state)
{
    static const char *const bad[] = {
            "\"\\ud800\"",        /* high surrogate alone */
            "\"\\udc00\"",        /* low surrogate alone */
            "\"\\udc00\\ud800\"", /* swapped */
            "\"\\ud800\\ud800\"",
            "\"\\ud800x\"",
            "\"\\ud800\\n\"",
            "\"\xFF\"",
            "\"\x80\"",
            "\"\xC0\x80\"",
            "\"\xC3\"",
            "\"\xED\xA0\x80\"",
            "\"\xF4\x90\x80\x80\"",
            "{\"\xFF\":1}",
            "\xFF",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_refused(str_from(bad[i]), "line 1");
}

static void numbers_that_nothing_can_hold_are_refused(void **state)
{
    CLEANUP_PTR(json_free) struct json *tiny = parsed("1e-999");
    CLEANUP_PTR(json_free) struct json *largest = parsed("[9223372036854775807,1e308]");

    (void)state;
    assert_refused(STR("1e309"), "real number overflow");
    assert_refused(STR("[-1e999]"), "real number overflow");
    assert_refused(STR("9223372036854775808"), "too big integer");
    assert_refused(STR("-9223372036854775809"), "too big negative integer");
    assert_true(json_number(tiny) == 0);
    assert_int_equal(json_i64(json_item(largest, 0)), INT64_MAX);
}

/* depth times open, then the same number of times close. */
static void nest(struct buf *buf, size_t depth, const char *open, const char *close)
{
    for (size_t i = 0; i < depth; i++)
        buf_add_text(buf, open);
    buf_add_char(buf, '0');
    for (size_t i = 0; i < depth; i++)
        buf_add_text(buf, close);
}

static void nesting_ends_at_32_levels(void **state)
{
    struct json *json = NULL;
    struct buf buf = {0};

    (void)state;
    nest(&buf, 32, "[", "]");
    assert_int_equal(json_parse(buf_str(&buf), &json, NULL), ERR_NONE);
    json_free(json);
    buf_clear(&buf);
    nest(&buf, 33, "[", "]");
    assert_refused(buf_str(&buf), "line 1, column 33: nested deeper than 32 levels");
    buf_clear(&buf);
    buf_add_text(&buf, "[\"\xC3\xA9\",\n");
    nest(&buf, 32, "{\"a\":", "}");
    buf_add_char(&buf, ']');
    assert_refused(buf_str(&buf), "line 2, column 156: nested deeper than 32 levels");
    buf_done(&buf);
}

static void brackets_in_strings_nest_nothing(void **state)
{
    CLEANUP_PTR(json_free)
    struct json *json =
            parsed("[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\",\"\\\"[[[[[[[[[[[[\\\\\","
                   "\"{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{\",[],[],[],[],[],[],[],"
                   "[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]");

    (void)state;
    assert_int_equal(json_count(json), 30);
}

static void a_megabyte_of_brackets_is_refused(void **state)
{
    struct buf buf = {0};

    (void)state;
    memset(buf_reserve(&buf, 1 << 20), '[', 1 << 20);
    buf.len = 1 << 20;
    assert_refused(buf_str(&buf), "nested deeper than 32 levels");
    buf_done(&buf);
}

static void an_object_has_at_most_1024_members(void **state)
{
    struct json *json = NULL;
    struct buf buf = {0};

    (void)state;
    buf_add_text(&buf, "[{\"0\":[0,0,0]");
    for (int i = 1; i < 1024; i++)
        buf_addf(&buf, ",\"%d\":{}", i);
    buf_add_text(&buf, "}]");
    assert_int_equal(json_parse(buf_str(&buf), &json, NULL), ERR_NONE);
    assert_int_equal(json_count(json_item(json, 0)), 1024);
    json_free(json);
    buf.len -= 2;
    buf_add_text(&buf, ",\"x\":1}]");
    assert_refused(buf_str(&buf), "an object with more than 1024 members");
    buf_done(&buf);
}

static void an_array_may_be_long(void **state)
{
    struct json *json = NULL;
    struct buf buf = {0};

    (void)state;
    buf_add_text(&buf, "[0");
    for (int i = 1; i < 5000; i++)
        buf_add_text(&buf, ",{}");
    buf_add_char(&buf, ']');
    assert_int_equal(json_parse(buf_str(&buf), &json, NULL), ERR_NONE);
    assert_int_equal(json_count(json), 5000);
    json_free(json);
    buf_done(&buf);
}

static void a_text_that_is_cut_anywhere_is_refused(void **state)
{
    struct str whole = STR("{\"a\":[1.5e3,true,null,\"\\ud83d\\udcde\xC3\xA9\"],\"b\":{}}");
    struct json *json = NULL;

    (void)state;
    assert_int_equal(json_parse(whole, &json, NULL), ERR_NONE);
    json_free(json);
    for (size_t len = 0; len < whole.len; len++)
        assert_refused(str_slice(whole, 0, len), "line 1");
}

static void strings_are_escaped_as_javascript_does(void **state)
{
    static const struct {
        struct str s;
        const char *text;
    } rows[] = {
            {{NULL, 0}, "null"},
            {{"", 0}, "\"\""},
            {{"plain", 5}, "\"plain\""},
            {{"a/b", 3}, "\"a/b\""},
            {{"\"\\", 2}, "\"\\\"\\\\\""},
            {{"\b\f\n\r\t", 5}, "\"\\b\\f\\n\\r\\t\""},
            {{"\0\x01\x0b\x1f", 4}, "\"\\u0000\\u0001\\u000b\\u001f\""},
            {{"\x7f", 1}, "\"\x7f\""},
            {{"\xC3\xA9\xE2\x80\xA8\xF0\x9F\x93\x9E", 9},
                    "\"\xC3\xA9\xE2\x80\xA8\xF0\x9F\x93\x9E\""},
            {{"a\xFFz", 3}, "\"a\xEF\xBF\xBDz\""},
            {{"\xE2\x82", 2}, "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf buf = {0};

        json_add_string(&buf, rows[i].s);
        assert_true(str_is(buf_str(&buf), rows[i].text));
        buf_done(&buf);
    }
}

static void numbers_are_written_as_javascript_does(void **state)
{
    /* The texts are what a JavaScript engine gives. */
    static const struct {
        double number;
        const char *text;
    } rows[] = {
            {0.0, "0"},
            {-0.0, "0"},
            {1.0, "1"},
            {-1.0, "-1"},
            {0.1, "0.1"},
            {-0.1, "-0.1"},
            {1.5, "1.5"},
            {4.35, "4.35"},
            {123456.789, "123456.789"},
            {0.30000000000000004, "0.30000000000000004"},
            {33.333333333333336, "33.333333333333336"},
            {999999999999999.9, "999999999999999.9"},
            {1e15, "1000000000000000"},
            {9007199254740991.0, "9007199254740991"},
            {9007199254740993.0, "9007199254740992"},
            {1e20, "100000000000000000000"},
            {123456789012345680000.0, "123456789012345680000"},
            {999999999999999900000.0, "999999999999999900000"},
            {1e21, "1e+21"},
            {-2.5e25, "-2.5e+25"},
            {1e300, "1e+300"},
            {1.7976931348623157e308, "1.7976931348623157e+308"},
            {1e-6, "0.000001"},
            {0.000001234, "0.000001234"},
            {1e-7, "1e-7"},
            {-1e-7, "-1e-7"},
            {1.5e-7, "1.5e-7"},
            {123e-20, "1.23e-18"},
            {2.2250738585072014e-308, "2.2250738585072014e-308"},
            {2.225073858507201e-308, "2.225073858507201e-308"},
            {5e-324, "5e-324"},
            /* Powers of two, for which the nearest of 16 digits reads back as another number. */
            {0x1p-1017, "7.120236347223045e-307"},
            {0x1p-1007, "7.291122019556398e-304"},
            {(double)NAN, "null"},
            {(double)INFINITY, "null"},
            {-(double)INFINITY, "null"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf buf = {0};

        json_add_number(&buf, rows[i].number);
        buf_add_char(&buf, '\0');
        assert_string_equal(buf.ptr, rows[i].text);
        buf_done(&buf);
    }
}

static void a_value_is_written_as_it_was_read(void **state)
{
    static const struct {
        const char *text;
        const char *written;
    } rows[] = {
            {"null", "null"},
            {" { \"b\" : [ true , false , null ] , \"a\" : { } } ",
                    "{\"b\":[true,false,null],\"a\":{}}"},
            {"[1.0,-0,-0.0,1E2,12345678901234567,0.10,1e-9]",
                    "[1,0,0,100,12345678901234567,0.1,1e-9]"},
            {"\"\\u00e9\\/\\u001f\\ud83d\\udcde\"", "\"\xC3\xA9/\\u001f\xF0\x9F\x93\x9E\""},
            {"[]", "[]"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CLEANUP_PTR(json_free) struct json *json = parsed(rows[i].text);
        struct buf buf = {0};

        json_add_value(&buf, json);
        buf_add_char(&buf, '\0');
        assert_string_equal(buf.ptr, rows[i].written);
        buf_done(&buf);
    }
}

static void booleans_are_words(void **state)
{
    struct buf buf = {0};

    (void)state;
    json_add_bool(&buf, true);
    json_add_bool(&buf, false);
    assert_true(str_is(buf_str(&buf), "truefalse"));
    buf_done(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(every_type_is_told),
            cmocka_unit_test(values_are_read),
            cmocka_unit_test(a_value_of_another_type_reads_as_nothing),
            cmocka_unit_test(members_come_in_the_order_of_the_text),
            cmocka_unit_test(what_is_not_strict_json_is_refused),
            cmocka_unit_test(broken_unicode_is_refused),
            cmocka_unit_test(numbers_that_nothing_can_hold_are_refused),
            cmocka_unit_test(nesting_ends_at_32_levels),
            cmocka_unit_test(brackets_in_strings_nest_nothing),
            cmocka_unit_test(a_megabyte_of_brackets_is_refused),
            cmocka_unit_test(an_object_has_at_most_1024_members),
            cmocka_unit_test(an_array_may_be_long),
            cmocka_unit_test(a_text_that_is_cut_anywhere_is_refused),
            cmocka_unit_test(strings_are_escaped_as_javascript_does),
            cmocka_unit_test(numbers_are_written_as_javascript_does),
            cmocka_unit_test(a_value_is_written_as_it_was_read),
            cmocka_unit_test(booleans_are_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
