/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flags - the arguments of a command: "--name value" or "--name=value", and what is no flag.
 */
#pragma once

#include <stddef.h>

#include "base/error.h"

/** A flag that takes a value; the last one given holds. */
struct flag {
    const char *name;  /* without "--" */
    const char *value; /* out: borrowed from the arguments; untouched when it is not given */
};

/**
 * Reads the arguments of the command (without its name) into flags. One operand (an argument
 * that is no flag, or anything behind "--") goes to *ret_operand, which stays untouched when there
 * is none; with ret_operand NULL none is taken. ERR_INVALID says which argument is wrong and where
 * to read on.
 */
MUST_CHECK enum err flags_read(struct flag *flags,
        size_t count,
        int argc,
        char *const *argv,
        const char **ret_operand,
        struct error *why);
