/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_signature - lines with a secret and a signature, then a body: signatures made with the usual
 * mistakes are explained by them, whatever secret and body are.
 */
#include "base/json.h"
#include "domain/secret.h"
#include "domain/signature.h"
#include "fuzz.h"

static struct str sign(struct str secret, struct str body, char ret_hex[SHA256_HEX_SIZE])
{
    signature_hex(secret, body, ret_hex);
    return (struct str){ret_hex, SHA256_HEX_SIZE - 1};
}

static void check_forms(struct str secret, struct str body)
{
    uint8_t digest[SHA256_BYTES];
    char hex[SHA256_HEX_SIZE];
    struct str right = sign(secret, body, hex);
    CLEANUP(buf_done) struct buf prefixed = {0};
    CLEANUP(buf_done) struct buf base64 = {0};

    assert(signature_hex_matches(secret, body, right));
    assert(signature_explain(secret, body, right) == SIGNATURE_FITS);
    buf_add_text(&prefixed, "sha256=");
    buf_add_str(&prefixed, right);
    assert(!signature_hex_matches(secret, body, buf_str(&prefixed)));
    assert(signature_explain(secret, body, buf_str(&prefixed)) == SIGNATURE_PREFIXED);
    codec_hmac_sha256(secret, body, digest);
    codec_add_base64(&base64, codec_digest_str(digest));
    assert(signature_explain(secret, body, buf_str(&base64)) == SIGNATURE_BASE64);
}

static void check_bodies(struct str secret, struct str body)
{
    char hex[SHA256_HEX_SIZE];
    CLEANUP(buf_done) struct buf longer = {0};
    CLEANUP(buf_done) struct buf compact = {0};
    CLEANUP_PTR(json_free) struct json *json = NULL;

    buf_add_str(&longer, body);
    buf_add_char(&longer, '\n');
    struct str signature = sign(secret, buf_str(&longer), hex);
    assert(signature_explain(secret, body, signature) == SIGNATURE_MISSING_NEWLINE);
    signature = sign(secret, body, hex);
    if (!str_ends(body, STR("\r"))) /* else what was added looks like a part of CRLF */
        assert(signature_explain(secret, buf_str(&longer), signature) ==
                SIGNATURE_TRAILING_NEWLINE);

    if (json_parse(body, &json, NULL) == ERR_NONE) {
        json_add_value(&compact, json);
        signature = sign(secret, buf_str(&compact), hex);
        assert(signature_explain(secret, body, signature) != SIGNATURE_NO_MATCH);
    }
}

static void check_key(struct str secret)
{
    CLEANUP(buf_done) struct buf key = {0};
    CLEANUP(buf_done) struct buf again = {0};

    secret_standard_key(secret, &key);
    if (str_equal(buf_str(&key), secret))
        return;
    buf_add_text(&again, "whsec_");
    codec_add_base64(&again, buf_str(&key));
    assert(key.len > 0 && str_equal(buf_str(&again), secret));
}

static void check_seal(struct str secret, struct str other)
{
    static const uint8_t key[SECRET_KEY_BYTES] = {7};
    CLEANUP(buf_done) struct buf sealed = {0};
    CLEANUP(arena_done) struct arena arena = {0};
    struct str plain = STR_NONE;

    enum err err = secret_open(key, other, &arena, &plain, NULL);
    assert(err == ERR_CORRUPT && plain.ptr == NULL);
    secret_seal(key, secret, &sealed);
    err = secret_open(key, buf_str(&sealed), &arena, &plain, NULL);
    assert(err == ERR_NONE && str_equal(plain, secret));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str body = fuzz_text(data, size);
    CLEANUP(fuzz_part_done) struct fuzz_part secret = fuzz_line(&body);
    CLEANUP(fuzz_part_done) struct fuzz_part signature = fuzz_line(&body);
    enum signature_mistake mistake = signature_explain(secret.text, body, signature.text);

    assert(mistake <= SIGNATURE_NO_MATCH && signature_mistake_text(mistake)[0] != '\0');
    assert((mistake == SIGNATURE_FITS) == signature_hex_matches(secret.text, body, signature.text));
    check_forms(secret.text, body);
    check_bodies(secret.text, body);
    check_key(secret.text);
    check_seal(secret.text, signature.text);
    return 0;
}
