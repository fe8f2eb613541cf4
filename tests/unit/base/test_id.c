/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of base/id: order, clocks that go back, and the text form. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/id.h"

#define NOW_MS INT64_C(1777377493123)

static void an_id_tells_when_and_where_it_was_made(void **state)
{
    struct id_source source = {.node = 37};
    int64_t id = id_next(&source, NOW_MS);

    (void)state;
    assert_int_equal(id, NOW_MS << 21 | 37 << 15);
    assert_int_equal(id_at_ms(id), NOW_MS);
}

static void ids_of_one_millisecond_count_up(void **state)
{
    struct id_source source = {.node = 63};
    int64_t first = id_next(&source, NOW_MS);

    (void)state;
    assert_int_equal(id_next(&source, NOW_MS), first + 1);
    assert_int_equal(id_next(&source, NOW_MS), first + 2);
    assert_int_equal(id_next(&source, NOW_MS + 1), first + (1 << 21));
}

static void a_clock_that_goes_back_repeats_nothing(void **state)
{
    struct id_source source = {.node = 5};
    int64_t first = id_next(&source, NOW_MS);

    (void)state;
    assert_int_equal(id_next(&source, NOW_MS - 3600000), first + 1);
    assert_int_equal(id_next(&source, 0), first + 2);
    assert_int_equal(id_next(&source, -1), first + 3);
    assert_int_equal(id_next(&source, NOW_MS), first + 4);
}

static void a_full_millisecond_rolls_into_the_next(void **state)
{
    struct id_source source = {.node = 5};
    int64_t last = id_next(&source, NOW_MS);

    (void)state;
    for (int i = 1; i < 32768; i++)
        last = id_next(&source, NOW_MS);
    assert_int_equal(id_at_ms(last), NOW_MS);
    assert_int_equal(last & 0x7FFF, 0x7FFF);
    last = id_next(&source, NOW_MS);
    assert_int_equal(last, (NOW_MS + 1) << 21 | 5 << 15);
    assert_int_equal(id_next(&source, NOW_MS + 1), last + 1);
}

static void an_id_of_another_node_is_passed_too(void **state)
{
    /* What was last may come from the database, where another node wrote it. */
    struct id_source low = {.last = NOW_MS << 21 | 9 << 15 | 3, .node = 2};
    struct id_source high = {.last = NOW_MS << 21 | 9 << 15 | 3, .node = 12};

    (void)state;
    assert_int_equal(id_next(&low, NOW_MS), (NOW_MS + 1) << 21 | 2 << 15);
    assert_int_equal(id_next(&high, NOW_MS), NOW_MS << 21 | 12 << 15);
}

static void an_id_is_never_zero(void **state)
{
    struct id_source source = {0};

    (void)state;
    assert_true(id_next(&source, 0) > 0);
}

static void the_floor_is_below_every_id_of_its_moment(void **state)
{
    struct id_source source = {.node = 0};
    int64_t before;

    (void)state;
    before = id_next(&source, NOW_MS - 1);
    assert_true(id_floor(NOW_MS) > before);
    assert_true(id_floor(NOW_MS) <= id_next(&source, NOW_MS));
    assert_int_equal(id_floor(-5), 0);
    assert_int_equal(id_floor(INT64_MAX), INT64_MAX);
    assert_int_equal(id_at_ms(id_floor((INT64_C(1) << 42) - 1)), (INT64_C(1) << 42) - 1);
}

static void the_text_form_is_prefix_and_thirteen_digits(void **state)
{
    static const struct {
        int64_t id;
        const char *text;
    } rows[] = {
            {0, "dlv_0000000000000"},
            {1, "dlv_0000000000001"},
            {31, "dlv_000000000000Z"},
            {32, "dlv_0000000000010"},
            {INT64_C(0x1234567890ABCDEF), "dlv_14D2PF28AQKFF"},
            {INT64_MAX, "dlv_7ZZZZZZZZZZZZ"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[ID_TEXT_SIZE];
        struct str written = id_format(text, "dlv_", rows[i].id);
        int64_t id = -1;

        assert_string_equal(text, rows[i].text);
        assert_ptr_equal(written.ptr, text);
        assert_int_equal(written.len, strlen(text));
        assert_true(id_parse(written, "dlv_", &id));
        assert_int_equal(id, rows[i].id);
    }
}

static void text_sorts_as_the_numbers_do(void **state)
{
    struct id_source source = {.node = 1};
    char before[ID_TEXT_SIZE] = "";

    (void)state;
    for (int64_t ms = 1; ms < NOW_MS; ms = ms * 3 + 1) {
        char text[ID_TEXT_SIZE];

        id_format(text, "wh_test_", id_next(&source, ms));
        assert_true(strcmp(before, text) < 0);
        memcpy(before, text, sizeof(before));
    }
}

static void digits_are_read_in_either_case(void **state)
{
    int64_t id = -1;

    (void)state;
    assert_true(id_parse(STR("dlv_14d2pf28aqkff"), "dlv_", &id));
    assert_int_equal(id, INT64_C(0x1234567890ABCDEF));
}

static void anything_else_is_refused(void **state)
{
    static const char *const bad[] = {
            "",
            "dlv_",
            "14D2PF28AQKFF",
            "DLV_14D2PF28AQKFF",
            "evt_14D2PF28AQKFF",
            "dlv_14D2PF28AQKF",
            "dlv_14D2PF28AQKFFF",
            "dlv_14D2PF28AQKF ",
            "dlv_14D2PF28AQKFI", /* not digits: I L O U */
            "dlv_14D2PF28AQKFL",
            "dlv_14D2PF28AQKFO",
            "dlv_14D2PF28AQKFu",
            "dlv_-4D2PF28AQKFF",
            "dlv_8000000000000", /* more than 63 bits */
            "dlv_ZZZZZZZZZZZZZ",
    };
    int64_t id = 77;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(id_parse(str_from(bad[i]), "dlv_", &id));
    assert_false(id_parse(STR("dlv_14D2PF28AQKF\0"), "dlv_", &id));
    assert_false(id_parse(STR_NONE, "dlv_", &id));
    assert_int_equal(id, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(an_id_tells_when_and_where_it_was_made),
            cmocka_unit_test(ids_of_one_millisecond_count_up),
            cmocka_unit_test(a_clock_that_goes_back_repeats_nothing),
            cmocka_unit_test(a_full_millisecond_rolls_into_the_next),
            cmocka_unit_test(an_id_of_another_node_is_passed_too),
            cmocka_unit_test(an_id_is_never_zero),
            cmocka_unit_test(the_floor_is_below_every_id_of_its_moment),
            cmocka_unit_test(the_text_form_is_prefix_and_thirteen_digits),
            cmocka_unit_test(text_sorts_as_the_numbers_do),
            cmocka_unit_test(digits_are_read_in_either_case),
            cmocka_unit_test(anything_else_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
