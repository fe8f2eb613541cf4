/* SPDX-License-Identifier: Apache-2.0 */
/* assert_str - comparing a str or a buffer with a text, shown when they differ. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/str.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The caller's place is passed on, so that a failure names it. NULL text means none. */
static inline void assert_str_at(struct str s, const char *text, const char *file, int line)
{
    if (str_is(s, text))
        return;
    print_error("\"%.*s\" is not \"%s\"\n", STR_ARG(s), text != NULL ? text : "(none)");
    _fail(file, line);
}

#define assert_str(s, text)   assert_str_at((s), (text), __FILE__, __LINE__)
#define assert_buf(buf, text) assert_str_at(buf_str(&(buf)), (text), __FILE__, __LINE__)
