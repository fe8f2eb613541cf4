/* SPDX-License-Identifier: Apache-2.0 */
/* limits - the checks that several nouns share. */
#include "domain/limits.h"

static bool is_id_char(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
}

enum err limits_check_id(struct str id, struct error *why)
{
    bool ok = id.len >= 1 && id.len <= LIMIT_CLIENT_ID_BYTES;

    for (size_t i = 0; ok && i < id.len; i++)
        ok = is_id_char((unsigned char)id.ptr[i]);
    if (!ok)
        return error_set(why,
                ERR_INVALID,
                "must be 1 to %d characters of A-Z a-z 0-9 _ . -",
                LIMIT_CLIENT_ID_BYTES);
    return ERR_NONE;
}

/* U+0000 to U+001F, U+007F, and U+0080 to U+009F, which UTF-8 writes as C2 80 to C2 9F. */
static bool is_control_at(struct str text, size_t i)
{
    unsigned char c = (unsigned char)text.ptr[i];

    if (c == 0xC2 && i + 1 < text.len)
        return (unsigned char)text.ptr[i + 1] < 0xA0;
    return c < 0x20 || c == 0x7F;
}

enum err limits_check_text(struct str text, size_t max_bytes, bool multiline, struct error *why)
{
    if (text.len < 1 || text.len > max_bytes)
        return error_set(why, ERR_INVALID, "must be 1 to %zu bytes", max_bytes);
    for (size_t i = 0; i < text.len; i++) {
        if (multiline && (text.ptr[i] == '\n' || text.ptr[i] == '\t'))
            continue;
        if (is_control_at(text, i))
            return error_set(why,
                    ERR_INVALID,
                    multiline ? "must have no control characters but newline and tab"
                              : "must have no control characters");
    }
    return ERR_NONE;
}

enum err limits_check_email(struct str email, struct error *why)
{
    ptrdiff_t at = str_find_char(email, '@', 0);

    if (email.len > LIMIT_EMAIL_BYTES)
        return error_set(why, ERR_INVALID, "must be at most %d bytes", LIMIT_EMAIL_BYTES);
    if (at < 1 || (size_t)at + 1 == email.len || str_find_char(email, '@', (size_t)at + 1) >= 0)
        return error_set(why, ERR_INVALID, "must be like name@example.com");
    for (size_t i = 0; i < email.len; i++)
        if (email.ptr[i] == ' ' || is_control_at(email, i))
            return error_set(why, ERR_INVALID, "must have no spaces or control characters");
    return ERR_NONE;
}
