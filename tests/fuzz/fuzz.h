/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz - what the fuzz targets share: the entry that each defines, and its input as text.
 *
 * A target states with assert() what must hold for any bytes. libFuzzer calls it with bytes it makes
 * up, replay.c with the files of the corpus. A target that needs several texts takes one a line.
 */
#pragma once

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/str.h"

/** Always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline struct str fuzz_text(const uint8_t *data, size_t size)
{
    return size > 0 ? (struct str){(const char *)data, size} : STR("");
}

/* A part of the input in memory of exactly its size, so that AddressSanitizer sees a read behind
 * it. */
struct fuzz_part {
    char *ptr;
    struct str text;
};

static inline void fuzz_part_done(struct fuzz_part *part)
{
    free(part->ptr);
}

/** Cuts the next line (without its end) off *rest, which is "" and not none when none is left. */
static inline struct fuzz_part fuzz_line(struct str *rest)
{
    struct str line = str_split(rest, '\n');
    struct fuzz_part part = {.ptr = (char *)malloc(line.len)};

    if (part.ptr == NULL)
        abort();
    memcpy(part.ptr, line.ptr, line.len);
    part.text = (struct str){part.ptr, line.len};
    if (rest->ptr == NULL)
        *rest = STR("");
    return part;
}

/** What a failure must leave: a code, and a sentence on one line of UTF-8. */
static inline void fuzz_check_why(enum err err, const struct error *why)
{
    assert(err != ERR_NONE && why->code == err);
    assert(why->text[0] != '\0' && strchr(why->text, '\n') == NULL);
    assert(str_is_utf8(str_from(why->text)) && str_is_utf8(str_from(why->field)));
}
