/* SPDX-License-Identifier: Apache-2.0 */
/* error - filling a struct error, so that its text is always one clean line. */
#include "base/error.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/str.h"

/* True when the text ends inside the character that starts at that offset. */
static bool is_cut_at(struct str text, size_t at)
{
    for (size_t i = at + 1; i < text.len; i++)
        if (((unsigned char)text.ptr[i] & 0xC0) != 0x80)
            return false;
    return (unsigned char)text.ptr[at] >= 0xC0 && text.len - at <= 3;
}

/* The text may quote what a peer sent: no control characters, nothing that is no UTF-8, and no half
 * character where it was cut. */
static void tidy(char *text)
{
    struct str all = str_from(text);

    for (size_t at = 0; at < all.len;) {
        size_t len = str_utf8_len(all, at);

        if (len == 0 && is_cut_at(all, at)) {
            text[at] = '\0';
            return;
        }
        if (len == 0)
            text[at] = '?';
        else if ((unsigned char)text[at] < 0x20 || text[at] == 0x7f)
            text[at] = ' ';
        at += len > 0 ? len : 1;
    }
}

/* All but the code. */
static void fill(struct error *why, const char *field, const char *format, va_list args)
        __attribute__((format(printf, 3, 0)));

static void fill(struct error *why, const char *field, const char *format, va_list args)
{
    /* Made aside, because an argument may be the text or field that is replaced. */
    struct error made = {.code = why->code};

    (void)vsnprintf(made.text, sizeof(made.text), format, args);
    (void)snprintf(made.field, sizeof(made.field), "%s", field);
    tidy(made.text);
    tidy(made.field);
    *why = made;
}

enum err error_set(struct error *why, enum err code, const char *format, ...)
{
    if (why != NULL) {
        va_list args;

        va_start(args, format);
        fill(why, "", format, args);
        va_end(args);
        why->code = code;
    }
    return code;
}

enum err
error_set_field(struct error *why, enum err code, const char *field, const char *format, ...)
{
    if (why != NULL) {
        va_list args;

        va_start(args, format);
        fill(why, field, format, args);
        va_end(args);
        why->code = code;
    }
    return code;
}

const char *err_name(enum err err)
{
    switch (err) {
    case ERR_NONE: return "none";
    case ERR_INVALID: return "invalid";
    case ERR_DENIED: return "denied";
    case ERR_NOT_FOUND: return "not_found";
    case ERR_CONFLICT: return "conflict";
    case ERR_LIMIT: return "limit";
    case ERR_BUSY: return "busy";
    case ERR_TIMEOUT: return "timeout";
    case ERR_CANCELLED: return "cancelled";
    case ERR_UNAVAILABLE: return "unavailable";
    case ERR_CORRUPT: return "corrupt";
    }
    return "unknown";
}
