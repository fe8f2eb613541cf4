/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_str - any bytes as UTF-8, held against a plain reading of RFC 3629; and as a number. */
#include <errno.h>

#include "base/str.h"
#include "fuzz.h"

static size_t encoded_len(uint32_t code)
{
    if (code < 0x80)
        return 1;
    if (code < 0x800)
        return 2;
    return code < 0x10000 ? 3 : 4;
}

/* The length of the character at the start of s, by its code point; 0 for none. */
static size_t reference_len(struct str s)
{
    unsigned char first = s.len > 0 ? (unsigned char)s.ptr[0] : 0xFF;
    size_t len = first < 0x80 ? 1 : first < 0xC0 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    uint32_t code = len == 1 ? first : first & (0xFFU >> (len + 1));

    if (len == 0 || len > s.len || first >= 0xF8)
        return 0;
    for (size_t i = 1; i < len; i++) {
        if (((unsigned char)s.ptr[i] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | ((unsigned char)s.ptr[i] & 0x3F);
    }
    if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF) || encoded_len(code) != len)
        return 0;
    return len;
}

static void check_utf8(struct str text)
{
    bool ok = true;

    for (size_t at = 0; at < text.len;) {
        size_t len = reference_len(str_slice(text, at, text.len));

        assert(str_utf8_len(text, at) == len);
        ok = ok && len > 0;
        at += len > 0 ? len : 1;
    }
    assert(str_utf8_len(text, text.len) == 0);
    assert(str_is_utf8(text) == ok);
}

/* The same as strtoll() says of the texts that it shares with us. */
static void check_number(struct str text)
{
    char copy[64] = "";
    int64_t value = -77;
    bool ok = str_to_i64(text, &value);
    size_t digits = text.len > 0 && text.ptr[0] == '-' ? 1 : 0;

    assert(ok || value == -77);
    if (text.len == 0 || text.len >= sizeof(copy))
        return;
    memcpy(copy, text.ptr, text.len);
    if (copy[digits] == '\0' || strspn(copy + digits, "0123456789") != text.len - digits) {
        assert(!ok);
        return;
    }
    errno = 0;
    long long wanted = strtoll(copy, NULL, 10);
    assert(ok == (errno == 0) && (!ok || value == wanted));
}

/* Parts and separators together are the whole again. */
static void check_split(struct str text)
{
    struct str rest = text;
    size_t len = 0;
    size_t count = 0;

    for (; rest.ptr != NULL; count++) {
        struct str part = str_split(&rest, ',');

        assert(str_find_char(part, ',', 0) < 0);
        len += part.len;
    }
    assert(len + count - 1 == text.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = fuzz_text(data, size);

    check_utf8(text);
    check_number(text);
    check_split(text);
    return 0;
}
