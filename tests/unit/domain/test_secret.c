/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of domain/secret. */
#include "assert_str.h"
#include "base/cleanup.h"
#include "base/codec.h"
#include "domain/secret.h"

static const uint8_t KEY[SECRET_KEY_BYTES] = {1, 2, 3};
static const uint8_t OTHER_KEY[SECRET_KEY_BYTES] = {1, 2, 4};

/* len times "x" in ret_text, which has room for it. */
static struct str repeat(char *ret_text, size_t len)
{
    memset(ret_text, 'x', len);
    return (struct str){ret_text, len};
}

static void a_new_secret_is_whsec_and_32_bytes_of_base64(void **state)
{
    CLEANUP(arena_done) struct arena arena = {0};
    CLEANUP(buf_done) struct buf key = {0};
    struct str secret = secret_new(&arena);

    (void)state;
    assert_true(str_starts(secret, STR("whsec_")));
    assert_int_equal(secret.len, 6 + 44);
    assert_int_equal(codec_read_base64(str_slice(secret, 6, 44), &key), ERR_NONE);
    assert_int_equal(key.len, 32);
    assert_int_equal(secret_check(secret, NULL), ERR_NONE);
    assert_false(str_equal(secret, secret_new(&arena)));
}

static void a_clients_secret_is_8_to_256_printable_characters(void **state)
{
    static const char *const bad[] = {
            NULL, "", "1234567", "1234567\n", "1234567\x7F", "12345678\t", "1234567\xC3\xA4"};
    char text[SECRET_MAX_BYTES + 1];
    struct error why = {0};

    (void)state;
    assert_int_equal(secret_check(STR("12345678"), NULL), ERR_NONE);
    assert_int_equal(secret_check(STR(" !\"#$%~ "), NULL), ERR_NONE);
    assert_int_equal(secret_check(repeat(text, SECRET_MAX_BYTES), NULL), ERR_NONE);
    assert_int_equal(secret_check(repeat(text, SECRET_MAX_BYTES + 1), &why), ERR_INVALID);
    assert_string_equal(why.text, "must be 8 to 256 printable ASCII characters");
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(secret_check(str_from(bad[i]), NULL), ERR_INVALID);
    assert_int_equal(secret_check(STR("12345678\0"), NULL), ERR_INVALID);
}

static void the_standard_key_is_the_decoded_part_or_the_text(void **state)
{
    static const struct {
        const char *secret;
        const char *key;
    } rows[] = {
            {"whsec_aGVsbG8gd29ybGQ=", "hello world"},
            {"plain secret", "plain secret"},
            {"aGVsbG8gd29ybGQ=", "aGVsbG8gd29ybGQ="},
            {"whsec_not base64!", "whsec_not base64!"},
            {"whsec_aGVsbG8gd29ybGQ", "whsec_aGVsbG8gd29ybGQ"},
            {"whsec_", "whsec_"},
            {"WHSEC_aGVsbG8gd29ybGQ=", "WHSEC_aGVsbG8gd29ybGQ="},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(buf_done) struct buf key = {0};

        secret_standard_key(str_from(rows[i].secret), &key);
        assert_buf(key, rows[i].key);
    }
}

static void what_was_sealed_is_opened_with_the_same_key(void **state)
{
    static const char *const plains[] = {"", "x", "whsec_dGVzdCB0ZXN0IHRlc3Q="};
    CLEANUP(arena_done) struct arena arena = {0};

    (void)state;
    for (size_t i = 0; i < COUNT(plains); i++) {
        CLEANUP(buf_done) struct buf sealed = {0};
        struct str plain = STR_NONE;

        secret_seal(KEY, str_from(plains[i]), &sealed);
        assert_int_equal(sealed.len, 12 + strlen(plains[i]) + 16);
        assert_int_equal(secret_open(KEY, buf_str(&sealed), &arena, &plain, NULL), ERR_NONE);
        assert_str(plain, plains[i]);
    }
}

static void the_same_secret_is_never_sealed_the_same_way(void **state)
{
    CLEANUP(buf_done) struct buf a = {0};
    CLEANUP(buf_done) struct buf b = {0};

    (void)state;
    secret_seal(KEY, STR("the same secret"), &a);
    secret_seal(KEY, STR("the same secret"), &b);
    assert_false(str_equal(buf_str(&a), buf_str(&b)));
}

static void sealing_appends_and_respects_the_cap(void **state)
{
    CLEANUP(buf_done) struct buf sealed = {0};

    (void)state;
    buf_init(&sealed, 40);
    buf_add_text(&sealed, "before");
    secret_seal(KEY, STR("123456"), &sealed);
    assert_int_equal(sealed.len, 6 + 12 + 6 + 16);
    assert_int_equal(buf_err(&sealed), ERR_NONE);
    secret_seal(KEY, STR("123456"), &sealed);
    assert_int_equal(buf_err(&sealed), ERR_LIMIT);
    assert_int_equal(sealed.len, 6 + 12 + 6 + 16);
}

static void any_changed_bit_or_cut_is_corrupt(void **state)
{
    CLEANUP(arena_done) struct arena arena = {0};
    CLEANUP(buf_done) struct buf sealed = {0};
    struct str plain = STR("before");
    struct error why = {0};

    (void)state;
    secret_seal(KEY, STR("secret"), &sealed);
    assert_int_equal(secret_open(OTHER_KEY, buf_str(&sealed), &arena, &plain, &why), ERR_CORRUPT);
    assert_string_equal(why.text, "a secret was not sealed with this key");
    for (size_t i = 0; i < sealed.len; i++) {
        sealed.ptr[i] = (char)(sealed.ptr[i] ^ 0x10);
        assert_int_equal(secret_open(KEY, buf_str(&sealed), &arena, &plain, NULL), ERR_CORRUPT);
        sealed.ptr[i] = (char)(sealed.ptr[i] ^ 0x10);
        assert_int_equal(secret_open(KEY, str_slice(buf_str(&sealed), 0, i), &arena, &plain, NULL),
                ERR_CORRUPT);
    }
    assert_int_equal(secret_open(KEY, STR_NONE, &arena, &plain, NULL), ERR_CORRUPT);
    assert_str(plain, "before");
}

/* RFC 5869, appendix A.3: no salt, no info. */
static void keys_are_derived_by_hkdf_sha256(void **state)
{
    CLEANUP(buf_done) struct buf hex = {0};
    uint8_t key[SECRET_KEY_BYTES];
    char master[22];

    (void)state;
    memset(master, 0x0B, sizeof(master));
    secret_derive_key((struct str){master, sizeof(master)}, "", key);
    codec_add_hex(&hex, (struct str){(const char *)key, sizeof(key)});
    assert_buf(hex, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d");
}

static void keys_differ_by_purpose_and_master(void **state)
{
    uint8_t a[SECRET_KEY_BYTES];
    uint8_t b[SECRET_KEY_BYTES];

    (void)state;
    secret_derive_key(STR("master"), "seal", a);
    secret_derive_key(STR("master"), "link", b);
    assert_memory_not_equal(a, b, sizeof(a));
    secret_derive_key(STR("other master"), "seal", b);
    assert_memory_not_equal(a, b, sizeof(a));
    secret_derive_key(STR("master"), "seal", b);
    assert_memory_equal(a, b, sizeof(a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_new_secret_is_whsec_and_32_bytes_of_base64),
            cmocka_unit_test(a_clients_secret_is_8_to_256_printable_characters),
            cmocka_unit_test(the_standard_key_is_the_decoded_part_or_the_text),
            cmocka_unit_test(what_was_sealed_is_opened_with_the_same_key),
            cmocka_unit_test(the_same_secret_is_never_sealed_the_same_way),
            cmocka_unit_test(sealing_appends_and_respects_the_cap),
            cmocka_unit_test(any_changed_bit_or_cut_is_corrupt),
            cmocka_unit_test(keys_are_derived_by_hkdf_sha256),
            cmocka_unit_test(keys_differ_by_purpose_and_master),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
