/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret - making and checking endpoints' secrets, and sealing them for the database.
 *
 *     sealed: nonce (12 bytes) | ciphertext (as long as the plain text) | tag (16 bytes)
 */
#include "domain/secret.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "base/cleanup.h"
#include "base/codec.h"
#include "base/rand.h"

enum { SECRET_RANDOM_BYTES = 32, NONCE_BYTES = 12, TAG_BYTES = 16 };

#define SECRET_PREFIX STR("whsec_")

DEFINE_CLEANUP(EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)
DEFINE_CLEANUP(EVP_KDF, EVP_KDF_free)
DEFINE_CLEANUP(EVP_KDF_CTX, EVP_KDF_CTX_free)

struct str secret_new(struct arena *arena)
{
    uint8_t bytes[SECRET_RANDOM_BYTES];
    CLEANUP(buf_done) struct buf text = {0};

    rand_secret(bytes, sizeof(bytes));
    buf_add_str(&text, SECRET_PREFIX);
    codec_add_base64(&text, (struct str){(const char *)bytes, sizeof(bytes)});
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return arena_str(arena, buf_str(&text));
}

enum err secret_check(struct str secret, struct error *why)
{
    bool ok = secret.len >= SECRET_MIN_BYTES && secret.len <= SECRET_MAX_BYTES;

    for (size_t i = 0; ok && i < secret.len; i++)
        ok = secret.ptr[i] >= 0x20 && secret.ptr[i] <= 0x7E;
    if (!ok)
        return error_set(why,
                ERR_INVALID,
                "must be %d to %d printable ASCII characters",
                SECRET_MIN_BYTES,
                SECRET_MAX_BYTES);
    return ERR_NONE;
}

void secret_standard_key(struct str secret, struct buf *ret_key)
{
    CLEANUP(buf_done) struct buf decoded = {0};
    struct str rest = str_slice(secret, SECRET_PREFIX.len, secret.len);

    if (str_starts(secret, SECRET_PREFIX) && rest.len > 0 &&
            codec_read_base64(rest, &decoded) == ERR_NONE)
        buf_add_str(ret_key, buf_str(&decoded));
    else
        buf_add_str(ret_key, secret);
}

/* OpenSSL fails here only when it is out of memory or broken: no state to go on from. */
static void must(int result)
{
    if (result != 1)
        abort();
}

void secret_seal(const uint8_t key[SECRET_KEY_BYTES], struct str plain, struct buf *ret_sealed)
{
    CLEANUP_PTR(EVP_CIPHER_CTX_free) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t nonce[NONCE_BYTES];
    int len = 0;

    must(ctx != NULL && plain.len <= INT_MAX);
    unsigned char *to =
            (unsigned char *)buf_reserve(ret_sealed, NONCE_BYTES + plain.len + TAG_BYTES);
    if (to == NULL)
        return; /* the buffer remembers that it is full */

    rand_secret(nonce, sizeof(nonce));
    memcpy(to, nonce, sizeof(nonce));
    to += NONCE_BYTES;
    must(EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce));
    if (plain.len > 0) {
        must(EVP_EncryptUpdate(ctx, to, &len, (const unsigned char *)plain.ptr, (int)plain.len));
        to += len;
    }
    must(EVP_EncryptFinal_ex(ctx, to, &len));
    must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, to));
    ret_sealed->len += NONCE_BYTES + plain.len + TAG_BYTES;
}

/* True when the tag is that of the bytes under the key; ret_plain has room for cipher.len. */
static bool decrypt(const uint8_t key[SECRET_KEY_BYTES],
        struct str nonce,
        struct str cipher,
        struct str tag,
        unsigned char *ret_plain)
{
    CLEANUP_PTR(EVP_CIPHER_CTX_free) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    unsigned char tag_copy[TAG_BYTES];
    int len = 0;

    must(ctx != NULL);
    memcpy(tag_copy, tag.ptr, TAG_BYTES);
    must(EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, (const unsigned char *)nonce.ptr));
    must(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, tag_copy));
    if (cipher.len > 0)
        must(EVP_DecryptUpdate(
                ctx, ret_plain, &len, (const unsigned char *)cipher.ptr, (int)cipher.len));
    return EVP_DecryptFinal_ex(ctx, ret_plain + len, &len) == 1;
}

enum err secret_open(const uint8_t key[SECRET_KEY_BYTES],
        struct str sealed,
        struct arena *arena,
        struct str *ret_plain,
        struct error *why)
{
    if (sealed.len < NONCE_BYTES + TAG_BYTES || sealed.len > INT_MAX)
        return error_set(why, ERR_CORRUPT, "a sealed secret has %zu bytes", sealed.len);

    size_t plain_len = sealed.len - NONCE_BYTES - TAG_BYTES;
    unsigned char *plain = (unsigned char *)arena_alloc(arena, plain_len + 1); /* and NUL */

    if (!decrypt(key,
                str_slice(sealed, 0, NONCE_BYTES),
                str_slice(sealed, NONCE_BYTES, plain_len),
                str_slice(sealed, NONCE_BYTES + plain_len, TAG_BYTES),
                plain)) {
        OPENSSL_cleanse(plain, plain_len);
        return error_set(why, ERR_CORRUPT, "a secret was not sealed with this key");
    }
    *ret_plain = (struct str){(const char *)plain, plain_len};
    return ERR_NONE;
}

void secret_derive_key(struct str master, const char *purpose, uint8_t ret_key[SECRET_KEY_BYTES])
{
    CLEANUP_PTR(EVP_KDF_free) EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    CLEANUP_PTR(EVP_KDF_CTX_free) EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    CLEANUP(buf_done) struct buf inputs = {0}; /* OSSL_PARAM takes no const pointers */
    char digest[] = "SHA256";

    buf_add_str(&inputs, master);
    buf_add_text(&inputs, purpose);
    must(kdf != NULL && ctx != NULL && buf_err(&inputs) == ERR_NONE);
    OSSL_PARAM params[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
            OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, inputs.ptr, master.len),
            OSSL_PARAM_construct_octet_string(
                    OSSL_KDF_PARAM_INFO, inputs.ptr + master.len, inputs.len - master.len),
            OSSL_PARAM_construct_end(),
    };
    must(EVP_KDF_derive(ctx, ret_key, SECRET_KEY_BYTES, params));
    OPENSSL_cleanse(inputs.ptr, inputs.len);
}
