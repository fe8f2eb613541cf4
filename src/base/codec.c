/* SPDX-License-Identifier: Apache-2.0 */
/* codec - hex, base64, SHA-256 and HMAC-SHA256. */
#include "base/codec.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

void codec_add_hex(struct buf *buf, struct str bytes)
{
    static const char hex[] = "0123456789abcdef";
    char *to = buf_reserve(buf, bytes.len <= SIZE_MAX / 2 ? bytes.len * 2 : SIZE_MAX);

    if (to == NULL)
        return;
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char byte = (unsigned char)bytes.ptr[i];

        *to++ = hex[byte >> 4];
        *to++ = hex[byte & 15];
    }
    buf->len += bytes.len * 2;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

enum err codec_read_hex(struct str text, struct buf *ret_bytes)
{
    char *to;

    if (text.len % 2 != 0)
        return ERR_INVALID;
    to = buf_reserve(ret_bytes, text.len / 2);
    if (to == NULL)
        return buf_err(ret_bytes);
    for (size_t i = 0; i < text.len; i += 2) {
        int high = hex_value(text.ptr[i]);
        int low = hex_value(text.ptr[i + 1]);

        if (high < 0 || low < 0)
            return ERR_INVALID;
        *to++ = (char)(high * 16 + low);
    }
    ret_bytes->len += text.len / 2;
    return ERR_NONE;
}

static const char base64_alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64url_alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Up to three bytes as four digits; what is missing counts as zero bits. */
static void encode_group(const char *bytes, size_t count, const char *alphabet, char ret_text[4])
{
    uint32_t bits = 0;

    for (size_t i = 0; i < 3; i++)
        bits = bits << 8 | (i < count ? (unsigned char)bytes[i] : 0);
    for (size_t i = 0; i < 4; i++)
        ret_text[i] = alphabet[bits >> (18 - 6 * i) & 63];
}

static void add_base64(struct buf *buf, struct str bytes, const char *alphabet, bool padded)
{
    size_t whole = bytes.len / 3;
    size_t left = bytes.len % 3;
    char *to = buf_reserve(buf, whole < SIZE_MAX / 4 - 1 ? whole * 4 + 4 : SIZE_MAX);
    size_t len = whole * 4;

    if (to == NULL)
        return;
    for (size_t i = 0; i < whole; i++)
        encode_group(bytes.ptr + i * 3, 3, alphabet, to + i * 4);
    if (left > 0) {
        encode_group(bytes.ptr + whole * 3, left, alphabet, to + len);
        if (padded)
            memset(to + len + left + 1, '=', 3 - left);
        len += padded ? 4 : left + 1;
    }
    buf->len += len;
}

void codec_add_base64(struct buf *buf, struct str bytes)
{
    add_base64(buf, bytes, base64_alphabet, true);
}

void codec_add_base64url(struct buf *buf, struct str bytes)
{
    add_base64(buf, bytes, base64url_alphabet, false);
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

/* Four digits, of which the last padding ones are "=", as 3 - padding bytes. */
static bool decode_group(const char *text, size_t padding, char *ret_bytes)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < 4; i++) {
        int value = i < 4 - padding ? base64_value(text[i]) : 0;

        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
    }
    for (size_t i = 0; i < 3 - padding; i++)
        ret_bytes[i] = (char)(bits >> (16 - 8 * i) & 255);
    /* The bits behind the last byte must be zero, or two texts would mean the same bytes. */
    return (bits & ((UINT32_C(1) << 8 * padding) - 1)) == 0;
}

enum err codec_read_base64(struct str text, struct buf *ret_bytes)
{
    size_t padding = 0;
    size_t len;
    char *to;

    if (text.len % 4 != 0)
        return ERR_INVALID;
    while (padding < 2 && padding < text.len && text.ptr[text.len - 1 - padding] == '=')
        padding++;
    len = text.len / 4 * 3 - padding;
    to = buf_reserve(ret_bytes, len);
    if (to == NULL)
        return buf_err(ret_bytes);
    for (size_t i = 0; i < text.len / 4; i++) {
        bool last = i == text.len / 4 - 1;

        if (!decode_group(text.ptr + i * 4, last ? padding : 0, to + i * 3))
            return ERR_INVALID;
    }
    ret_bytes->len += len;
    return ERR_NONE;
}

/* OpenSSL fails here only without memory or without its default provider: nothing could be signed. */
static void require(int ok)
{
    if (ok != 1)
        abort();
}

void codec_sha256(struct str bytes, uint8_t ret_digest[SHA256_BYTES])
{
    require(EVP_Digest(
            bytes.ptr != NULL ? bytes.ptr : "", bytes.len, ret_digest, NULL, EVP_sha256(), NULL));
}

void codec_hmac_sha256(struct str key, struct str bytes, uint8_t ret_digest[SHA256_BYTES])
{
    codec_hmac_sha256_parts(key, &bytes, 1, ret_digest);
}

void codec_hmac_sha256_parts(struct str key,
        const struct str *parts,
        size_t part_count,
        uint8_t ret_digest[SHA256_BYTES])
{
    char digest_name[] = "SHA256";
    OSSL_PARAM params[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name, 0),
            OSSL_PARAM_construct_end(),
    };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(mac);
    /* A NULL key would mean "the key of before" to OpenSSL. */
    const char *key_ptr = key.ptr != NULL ? key.ptr : "";
    size_t len = 0;

    require(ctx != NULL);
    require(EVP_MAC_init(ctx, (const unsigned char *)key_ptr, key.len, params));
    for (size_t i = 0; i < part_count; i++)
        if (parts[i].len > 0)
            require(EVP_MAC_update(ctx, (const unsigned char *)parts[i].ptr, parts[i].len));
    require(EVP_MAC_final(ctx, ret_digest, &len, SHA256_BYTES));
    EVP_MAC_CTX_free(ctx);
    EVP_MAC_free(mac);
}
