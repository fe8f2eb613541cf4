/* SPDX-License-Identifier: Apache-2.0 */
/* flags - one walk over the arguments. */
#include "flags.h"

#include <stdbool.h>
#include <string.h>

#include "base/str.h"

static struct flag *find(struct flag *flags, size_t count, struct str name)
{
    for (size_t i = 0; i < count; i++)
        if (str_is(name, flags[i].name))
            return &flags[i];
    return NULL;
}

/* Reads the flag at argv[at]; *ret_used is how many arguments it took. */
static enum err read_flag(struct flag *flags,
        size_t count,
        int argc,
        char *const *argv,
        int *ret_used,
        struct error *why)
{
    struct str value = str_from(argv[0] + 2);
    struct str name = str_split(&value, '=');
    struct flag *flag = find(flags, count, name);

    if (flag == NULL)
        return error_set(why, ERR_INVALID, "there is no flag --%.*s", STR_ARG(name));
    if (value.ptr == NULL && argc < 2)
        return error_set(why, ERR_INVALID, "--%s needs a value", flag->name);
    flag->value = value.ptr != NULL ? value.ptr : argv[1];
    *ret_used = value.ptr != NULL ? 1 : 2;
    return ERR_NONE;
}

enum err flags_read(struct flag *flags,
        size_t count,
        int argc,
        char *const *argv,
        const char **ret_operand,
        struct error *why)
{
    bool only_operands = false;
    bool has_operand = false;

    for (int at = 0; at < argc;) {
        bool is_flag = !only_operands && strncmp(argv[at], "--", 2) == 0;
        int used = 1;

        if (is_flag && argv[at][2] == '\0') {
            only_operands = true;
        } else if (is_flag) {
            enum err err = read_flag(flags, count, argc - at, argv + at, &used, why);

            if (err != ERR_NONE)
                return err;
        } else if (!only_operands && argv[at][0] == '-' && argv[at][1] != '\0') {
            return error_set(why, ERR_INVALID, "there is no flag %s", argv[at]);
        } else if (ret_operand == NULL || has_operand) {
            return error_set(why, ERR_INVALID, "\"%s\" is one argument too many", argv[at]);
        } else {
            *ret_operand = argv[at];
            has_operand = true;
        }
        at += used;
    }
    return ERR_NONE;
}
