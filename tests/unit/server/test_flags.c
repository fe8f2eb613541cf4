/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of flags: both ways to write a flag, operands, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "flags.h"

enum { ARGS_MAX = 6 };

struct row {
    const char *args[ARGS_MAX]; /* NULL-ended */
    const char *color;
    const char *size;
    const char *operand;
    const char *fault; /* part of the text; NULL: none */
};

static void flags_and_operands_are_read_as_users_write_them(void **state)
{
    static const struct row ROWS[] = {
            {{NULL}, NULL, NULL, NULL, NULL},
            {{"--color", "red"}, "red", NULL, NULL, NULL},
            {{"--color=red", "--size", "3"}, "red", "3", NULL, NULL},
            {{"--color="}, "", NULL, NULL, NULL},
            {{"--color", ""}, "", NULL, NULL, NULL},
            {{"--color=a=b"}, "a=b", NULL, NULL, NULL},
            {{"--color", "--size"}, "--size", NULL, NULL, NULL},
            {{"--color", "red", "--color", "blue"}, "blue", NULL, NULL, NULL},
            {{"file", "--size", "3"}, NULL, "3", "file", NULL},
            {{"-"}, NULL, NULL, "-", NULL},
            {{"--", "--color"}, NULL, NULL, "--color", NULL},
            {{"--color"}, NULL, NULL, NULL, "--color needs a value"},
            {{"--colour", "red"}, NULL, NULL, NULL, "no flag --colour"},
            {{"--colour=red"}, NULL, NULL, NULL, "no flag --colour"},
            {{"--col", "red"}, NULL, NULL, NULL, "no flag --col"},
            {{"-c"}, NULL, NULL, NULL, "no flag -c"},
            {{"one", "two"}, NULL, NULL, "one", "\"two\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        const struct row *row = &ROWS[i];
        struct flag flags[] = {{"color", NULL}, {"size", NULL}};
        char texts[ARGS_MAX][16];
        char *argv[ARGS_MAX];
        const char *operand = NULL;
        struct error why = {0};
        int argc = 0;

        for (; argc < ARGS_MAX && row->args[argc] != NULL; argc++)
            argv[argc] = strcpy(texts[argc], row->args[argc]);

        enum err err = flags_read(flags, 2, argc, argv, &operand, &why);

        if (row->fault != NULL) {
            assert_int_equal(err, ERR_INVALID);
            assert_non_null(strstr(why.text, row->fault));
            continue;
        }
        assert_int_equal(err, ERR_NONE);
        assert_true(str_equal(str_from(flags[0].value), str_from(row->color)));
        assert_true(str_equal(str_from(flags[1].value), str_from(row->size)));
        assert_true(str_equal(str_from(operand), str_from(row->operand)));
    }
}

static void an_operand_is_refused_where_none_is_taken(void **state)
{
    char text[] = "file";
    char *argv[] = {text};
    struct error why = {0};

    (void)state;
    assert_int_equal(flags_read(NULL, 0, 1, argv, NULL, &why), ERR_INVALID);
    assert_non_null(strstr(why.text, "\"file\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(flags_and_operands_are_read_as_users_write_them),
            cmocka_unit_test(an_operand_is_refused_where_none_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
