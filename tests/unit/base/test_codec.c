/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of base/codec: published vectors, and texts that are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/codec.h"

static void assert_hex(const uint8_t digest[SHA256_BYTES], const char *expected)
{
    struct buf hex = {0};

    codec_add_hex(&hex, codec_digest_str(digest));
    buf_add_char(&hex, '\0');
    assert_string_equal(hex.ptr, expected);
    buf_done(&hex);
}

static void hex_goes_there_and_back(void **state)
{
    struct buf hex = {0};
    struct buf bytes = {0};

    (void)state;
    codec_add_hex(&hex, STR("\x00\x0f\xa5\xff"));
    assert_true(str_is(buf_str(&hex), "000fa5ff"));
    assert_int_equal(codec_read_hex(STR("000fA5Ff"), &bytes), ERR_NONE);
    assert_true(str_equal(buf_str(&bytes), STR("\x00\x0f\xa5\xff")));
    assert_int_equal(codec_read_hex(STR(""), &bytes), ERR_NONE);
    assert_int_equal(bytes.len, 4);
    buf_done(&hex);
    buf_done(&bytes);
}

static void what_is_not_hex_is_refused(void **state)
{
    static const char *const bad[] = {"0", "000", "0g", "g0", " 0", "0x", "00 ", "\xC3\xA9"};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct buf bytes = {0};

        buf_add_text(&bytes, "kept");
        assert_int_equal(codec_read_hex(str_from(bad[i]), &bytes), ERR_INVALID);
        assert_true(str_is(buf_str(&bytes), "kept"));
        buf_done(&bytes);
    }
}

/* RFC 4648 section 10. */
static const struct {
    const char *bytes;
    const char *text;
    const char *url;
} base64_vectors[] = {
        {"", "", ""},
        {"f", "Zg==", "Zg"},
        {"fo", "Zm8=", "Zm8"},
        {"foo", "Zm9v", "Zm9v"},
        {"foob", "Zm9vYg==", "Zm9vYg"},
        {"fooba", "Zm9vYmE=", "Zm9vYmE"},
        {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
        {"\xfb\xff\xfe\x3e", "+//+Pg==", "-__-Pg"},
};

static void base64_follows_the_vectors_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(base64_vectors) / sizeof(base64_vectors[0]); i++) {
        struct buf text = {0};
        struct buf url = {0};
        struct buf bytes = {0};

        codec_add_base64(&text, str_from(base64_vectors[i].bytes));
        assert_true(str_is(buf_str(&text), base64_vectors[i].text));
        codec_add_base64url(&url, str_from(base64_vectors[i].bytes));
        assert_true(str_is(buf_str(&url), base64_vectors[i].url));
        assert_int_equal(codec_read_base64(buf_str(&text), &bytes), ERR_NONE);
        assert_true(str_is(buf_str(&bytes), base64_vectors[i].bytes));
        buf_done(&text);
        buf_done(&url);
        buf_done(&bytes);
    }
}

static void every_byte_survives_base64(void **state)
{
    char all[256];
    struct buf text = {0};
    struct buf bytes = {0};

    (void)state;
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    for (size_t len = 0; len <= sizeof(all); len++) {
        buf_clear(&text);
        buf_clear(&bytes);
        codec_add_base64(&text, (struct str){all, len});
        assert_int_equal(codec_read_base64(buf_str(&text), &bytes), ERR_NONE);
        assert_int_equal(bytes.len, len);
        assert_memory_equal(len > 0 ? bytes.ptr : all, all, len);
    }
    buf_done(&text);
    buf_done(&bytes);
}

static void inexact_base64_is_refused(void **state)
{
    static const char *const bad[] = {
            "Z",
            "Zg",
            "Zg=",
            "Zm8",
            "=",
            "====",
            "Z===",
            "=Zg=",
            "Zg==Zg==", /* padding inside */
            "Zm8=Zm9v",
            "Zh==", /* bits that no byte has */
            "Zm9=",
            "Zm9v ",
            " Zm9v",
            "Zm9v\n",
            "Zm\n9",
            "-__-", /* the URL alphabet */
            "Zm9*",
            "\xC3\xA9\xC3\xA9",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct buf bytes = {0};

        buf_add_text(&bytes, "kept");
        assert_int_equal(codec_read_base64(str_from(bad[i]), &bytes), ERR_INVALID);
        assert_true(str_is(buf_str(&bytes), "kept"));
        buf_done(&bytes);
    }
}

static void the_cap_of_the_buffer_holds(void **state)
{
    struct buf small;

    (void)state;
    buf_init(&small, 2);
    assert_int_equal(codec_read_base64(STR("Zm8="), &small), ERR_NONE);
    buf_clear(&small);
    assert_int_equal(codec_read_base64(STR("Zm9v"), &small), ERR_LIMIT);
    buf_clear(&small);
    assert_int_equal(codec_read_hex(STR("000000"), &small), ERR_LIMIT);
    buf_clear(&small);
    codec_add_hex(&small, STR("ab"));
    assert_int_equal(buf_err(&small), ERR_LIMIT);
    assert_int_equal(small.len, 0);
    buf_done(&small);
}

static void sha256_follows_the_vectors(void **state)
{
    uint8_t digest[SHA256_BYTES];

    (void)state;
    /* FIPS 180-4 examples. */
    codec_sha256(STR("abc"), digest);
    assert_hex(digest, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    codec_sha256(STR_NONE, digest);
    assert_hex(digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    codec_sha256(STR("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"), digest);
    assert_hex(digest, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void hmac_follows_the_vectors(void **state)
{
    char long_key[131];
    uint8_t digest[SHA256_BYTES];

    (void)state;
    /* RFC 4231 cases 1, 2 and 6, and the empty key and message. */
    codec_hmac_sha256(STR("\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b"
                          "\x0b\x0b\x0b\x0b"),
            STR("Hi There"),
            digest);
    assert_hex(digest, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    codec_hmac_sha256(STR("Jefe"), STR("what do ya want for nothing?"), digest);
    assert_hex(digest, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(long_key, 0xaa, sizeof(long_key));
    codec_hmac_sha256((struct str){long_key, sizeof(long_key)},
            STR("Test Using Larger Than Block-Size Key - Hash Key First"),
            digest);
    assert_hex(digest, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    codec_hmac_sha256(STR_NONE, STR_NONE, digest);
    assert_hex(digest, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void hmac_over_parts_is_hmac_over_the_whole(void **state)
{
    static const struct str parts[] = {
            {"what do", 7}, {NULL, 0}, {" ya want", 8}, {"", 0}, {" for nothing?", 13}};
    uint8_t digest[SHA256_BYTES];

    (void)state;
    codec_hmac_sha256_parts(STR("Jefe"), parts, 5, digest);
    assert_hex(digest, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    codec_hmac_sha256_parts(STR(""), NULL, 0, digest);
    assert_hex(digest, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(hex_goes_there_and_back),
            cmocka_unit_test(what_is_not_hex_is_refused),
            cmocka_unit_test(base64_follows_the_vectors_both_ways),
            cmocka_unit_test(every_byte_survives_base64),
            cmocka_unit_test(inexact_base64_is_refused),
            cmocka_unit_test(the_cap_of_the_buffer_holds),
            cmocka_unit_test(sha256_follows_the_vectors),
            cmocka_unit_test(hmac_follows_the_vectors),
            cmocka_unit_test(hmac_over_parts_is_hmac_over_the_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
