/* SPDX-License-Identifier: Apache-2.0 */
/* recording_link - making, reading and checking the signed links to recordings. */
#include "domain/recording_link.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "base/codec.h"
#include "domain/audio.h"

enum { LINK_SIGNATURE_DIGITS = 32, LINK_EXTENSION_MAX_BYTES = 5 };
#define CALL_ID_MAX ((INT64_C(1) << 53) - 1)

static void sign(const uint8_t key[SECRET_KEY_BYTES],
        int64_t call_id,
        int64_t generation,
        uint8_t ret_digest[SHA256_BYTES])
{
    char text[48]; /* two 64-bit numbers and a point */
    int len = snprintf(text, sizeof(text), "%lld.%lld", (long long)call_id, (long long)generation);

    codec_hmac_sha256((struct str){(const char *)key, SECRET_KEY_BYTES},
            (struct str){text, (size_t)len},
            ret_digest);
}

/* The link's half of the digest. */
static struct str half(const uint8_t digest[SHA256_BYTES])
{
    return str_slice(codec_digest_str(digest), 0, LINK_SIGNATURE_DIGITS / 2);
}

void recording_link_write(struct buf *buf,
        struct str base,
        const uint8_t key[SECRET_KEY_BYTES],
        int64_t call_id,
        int64_t generation,
        struct str content_type)
{
    uint8_t digest[SHA256_BYTES];

    sign(key, call_id, generation, digest);
    buf_add_str(buf, base);
    buf_add_text(buf, "/recordings/");
    buf_add_i64(buf, call_id);
    buf_add_char(buf, '-');
    codec_add_hex(buf, half(digest));
    buf_add_str(buf, audio_extension(content_type));
}

static bool is_hex(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return true;
}

static bool is_extension(struct str text)
{
    if (text.len < 2 || text.len > 1 + LINK_EXTENSION_MAX_BYTES || text.ptr[0] != '.')
        return false;
    for (size_t i = 1; i < text.len; i++) {
        char c = text.ptr[i];

        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')))
            return false;
    }
    return true;
}

bool recording_link_parse(struct str name, int64_t *ret_call_id, struct str *ret_signature)
{
    struct str rest = name;
    struct str number = str_split(&rest, '-');
    struct str signature = str_slice(rest, 0, LINK_SIGNATURE_DIGITS);
    int64_t call_id = 0;

    /* One text a link: no sign, no leading zeros. */
    if (number.len == 0 || number.ptr[0] < '1' || number.ptr[0] > '9' ||
            !str_to_i64(number, &call_id) || call_id > CALL_ID_MAX)
        return false;
    if (signature.len != LINK_SIGNATURE_DIGITS || !is_hex(signature) ||
            !is_extension(str_slice(rest, LINK_SIGNATURE_DIGITS, rest.len)))
        return false;
    *ret_call_id = call_id;
    *ret_signature = signature;
    return true;
}

bool recording_link_matches(const uint8_t key[SECRET_KEY_BYTES],
        int64_t call_id,
        int64_t generation,
        struct str signature)
{
    uint8_t digest[SHA256_BYTES];
    CLEANUP(buf_done) struct buf hex = {0};

    sign(key, call_id, generation, digest);
    codec_add_hex(&hex, half(digest));
    return str_equal_secret(signature, buf_str(&hex));
}
