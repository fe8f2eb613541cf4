/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of domain/signature: published vectors, and the mistakes that are recognized. */
#include "assert_str.h"
#include "base/cleanup.h"
#include "domain/secret.h"
#include "domain/signature.h"

#define SECRET STR("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")
#define BODY   STR("{\"a\":\"\xC3\xBC/b\",\"n\":[1,2.5],\"o\":{},\"e\":[]}")

/* RFC 4231, test cases 1, 2 and 6: HMAC-SHA256. */
static void the_hex_signature_is_hmac_sha256(void **state)
{
    char long_key[131];
    char hex[SHA256_HEX_SIZE];

    (void)state;
    memset(long_key, 0x0B, 20);
    signature_hex((struct str){long_key, 20}, STR("Hi There"), hex);
    assert_string_equal(hex, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    signature_hex(STR("Jefe"), STR("what do ya want for nothing?"), hex);
    assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(long_key, 0xAA, sizeof(long_key));
    signature_hex((struct str){long_key, sizeof(long_key)},
            STR("Test Using Larger Than Block-Size Key - Hash Key First"),
            hex);
    assert_string_equal(hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

/* The example of the Standard Webhooks specification. */
static void the_standard_signature_is_that_of_standard_webhooks(void **state)
{
    CLEANUP(buf_done) struct buf key = {0};
    CLEANUP(buf_done) struct buf signature = {0};

    (void)state;
    secret_standard_key(SECRET, &key);
    signature_add_standard(&signature,
            buf_str(&key),
            STR("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk"),
            1649367553,
            STR("{\"email\":\"test@example.com\",\"username\":\"test_user\"}"));
    assert_buf(signature, "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=");
}

static void a_signature_matches_in_either_case_and_only_whole(void **state)
{
    static const struct {
        const char *signature;
        bool matches;
    } rows[] = {
            {"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", true},
            {"5BDCC146BF60754E6A042426089575C75A003F089D2739839DEC58B964EC3843", true},
            {"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3844", false},
            {"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec384", false},
            {"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec38433", false},
            {"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec384g", false},
            {" 5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec384", false},
            {"", false},
            {NULL, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(signature_hex_matches(STR("Jefe"),
                                 STR("what do ya want for nothing?"),
                                 str_from(rows[i].signature)),
                rows[i].matches);
}

/* The usual forms of a signature. */
enum form { FORM_HEX, FORM_BASE64, FORM_BASE64URL, FORM_COUNT };

static void write_signature(struct buf *buf,
        struct str key,
        struct str body,
        enum form form,
        const char *prefix)
{
    uint8_t digest[SHA256_BYTES];

    codec_hmac_sha256(key, body, digest);
    buf_add_text(buf, prefix);
    switch (form) {
    case FORM_HEX: codec_add_hex(buf, codec_digest_str(digest)); break;
    case FORM_BASE64: codec_add_base64(buf, codec_digest_str(digest)); break;
    case FORM_BASE64URL:
    case FORM_COUNT: codec_add_base64url(buf, codec_digest_str(digest)); break;
    }
}

/* What is explained when signed_body was signed, and body is at hand. */
static enum signature_mistake explain_body(struct str signed_body, struct str body)
{
    CLEANUP(buf_done) struct buf signature = {0};

    write_signature(&signature, SECRET, signed_body, FORM_HEX, "");
    return signature_explain(SECRET, body, buf_str(&signature));
}

static void a_right_signature_fits(void **state)
{
    (void)state;
    assert_int_equal(explain_body(BODY, BODY), SIGNATURE_FITS);
    assert_int_equal(explain_body(STR(""), STR("")), SIGNATURE_FITS);
}

static void nothing_explains_another_body_secret_or_garbage(void **state)
{
    static const char *const garbage[] = {NULL,
            "",
            "x",
            "sha256=",
            "v1,",
            "zz344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            "zZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kk!=",
            "zZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3K=="};
    CLEANUP(buf_done) struct buf signature = {0};

    (void)state;
    assert_int_equal(explain_body(STR("{\"a\":2}"), BODY), SIGNATURE_NO_MATCH);
    assert_int_equal(explain_body(STR(""), BODY), SIGNATURE_NO_MATCH);
    write_signature(&signature, STR("another secret"), BODY, FORM_HEX, "");
    assert_int_equal(signature_explain(SECRET, BODY, buf_str(&signature)), SIGNATURE_NO_MATCH);
    for (size_t i = 0; i < COUNT(garbage); i++)
        assert_int_equal(signature_explain(SECRET, BODY, str_from(garbage[i])), SIGNATURE_NO_MATCH);
}

static void changes_of_the_body_are_recognized(void **state)
{
    static const struct {
        const char *was_signed;
        const char *at_hand;
        enum signature_mistake mistake;
    } rows[] = {
            {"text", "text\n", SIGNATURE_TRAILING_NEWLINE},
            {"text", "text\r\n", SIGNATURE_TRAILING_NEWLINE},
            {"", "\n", SIGNATURE_TRAILING_NEWLINE},
            {"text\n", "text", SIGNATURE_MISSING_NEWLINE},
            {"text\r\n", "text", SIGNATURE_MISSING_NEWLINE},
            {"a\nb\nc", "a\r\nb\r\nc", SIGNATURE_CRLF},
            {"a\r\nb\r\n\r\nc", "a\nb\n\nc", SIGNATURE_CRLF},
            {"a\r\nb", "a\nb", SIGNATURE_CRLF},
            {"{\"a\":1}", "{ \"a\" : 1 }\n", SIGNATURE_RESERIALIZED},
            {"text", "text ", SIGNATURE_NO_MATCH},
            {"text", "text\n\n\n", SIGNATURE_NO_MATCH},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(explain_body(str_from(rows[i].was_signed), str_from(rows[i].at_hand)),
                rows[i].mistake);
}

/* BODY as other libraries write it. */
static const char *const REWRITTEN[] = {
        /* Python: json.dumps(x), with ensure_ascii=False, with indent 2 and 4 */
        "{\"a\": \"\\u00fc/b\", \"n\": [1, 2.5], \"o\": {}, \"e\": []}",
        "{\"a\": \"\xC3\xBC/b\", \"n\": [1, 2.5], \"o\": {}, \"e\": []}",
        "{\n  \"a\": \"\\u00fc/b\",\n  \"n\": [\n    1,\n    2.5\n  ],\n  \"o\": {},\n  \"e\": []\n}",
        "{\n    \"a\": \"\xC3\xBC/b\",\n    \"n\": [\n        1,\n        2.5\n    ],\n    \"o\": "
        "{},\n    \"e\": []\n}",
        /* JavaScript: JSON.stringify(x, null, 2) */
        "{\n  \"a\": \"\xC3\xBC/b\",\n  \"n\": [\n    1,\n    2.5\n  ],\n  \"o\": {},\n  \"e\": []\n}",
        /* PHP: json_encode(x), with JSON_UNESCAPED_UNICODE, with JSON_PRETTY_PRINT */
        "{\"a\":\"\\u00fc\\/b\",\"n\":[1,2.5],\"o\":{},\"e\":[]}",
        "{\"a\":\"\xC3\xBC\\/b\",\"n\":[1,2.5],\"o\":{},\"e\":[]}",
        "{\n    \"a\": \"\\u00fc\\/b\",\n    \"n\": [\n        1,\n        2.5\n    ],\n    \"o\": "
        "{},\n    \"e\": []\n}",
        /* compact ASCII */
        "{\"a\":\"\\u00fc/b\",\"n\":[1,2.5],\"o\":{},\"e\":[]}",
};

static void json_that_was_written_again_is_recognized_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(REWRITTEN); i++) {
        struct str rewritten = str_from(REWRITTEN[i]);

        assert_int_equal(explain_body(BODY, rewritten), SIGNATURE_RESERIALIZED);
        assert_int_equal(explain_body(rewritten, BODY), SIGNATURE_RESERIALIZED);
    }
}

static void escapes_and_large_characters_survive_being_written_again(void **state)
{
    (void)state;
    assert_int_equal(explain_body(STR("[\"\\ud83d\\udcde \\\"\\\\/\\n\\u20ac\"]"),
                             STR("[ \"\xF0\x9F\x93\x9E \\\"\\\\/\\n\xE2\x82\xAC\" ]")),
            SIGNATURE_RESERIALIZED);
    assert_int_equal(explain_body(STR("{\"a,b:{\": \"}],\\\"\"}"), STR("{\"a,b:{\":\"}],\\\"\"}")),
            SIGNATURE_RESERIALIZED);
    assert_int_equal(explain_body(STR("[[], [[]], {\"a\": {}}]"), STR("[[],[[]],{\"a\":{}}]")),
            SIGNATURE_RESERIALIZED);
}

/* Keys that a signer may have used instead of SECRET's text. */
static const struct {
    struct str key;
    enum signature_mistake mistake;
} WRONG_KEYS[] = {
        {{"\x0B\x61\x55\xB0\x14\x08\x86\xBB\x1C\x0A\x19\x50\x20\xC5\x7E\x6F\x9B\x12\x62\xCA\x68\x6F"
          "\xBA\x03",
                 24},
                SIGNATURE_SECRET_DECODED},
        {{"C2FVsBQIhrscChlQIMV+b5sSYspob7oD", 32}, SIGNATURE_SECRET_NO_PREFIX},
        {{"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD\n", 39}, SIGNATURE_SECRET_SPACE},
        {{"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD\r\n", 40}, SIGNATURE_SECRET_SPACE},
        {{"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD ", 39}, SIGNATURE_SECRET_SPACE},
};

static void wrong_keys_are_recognized_in_every_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(WRONG_KEYS); i++) {
        for (int form = 0; form < FORM_COUNT; form++) {
            CLEANUP(buf_done) struct buf signature = {0};

            write_signature(&signature, WRONG_KEYS[i].key, BODY, (enum form)form, "");
            assert_int_equal(
                    signature_explain(SECRET, BODY, buf_str(&signature)), WRONG_KEYS[i].mistake);
        }
    }
}

static void white_space_around_the_secret_at_hand_is_recognized(void **state)
{
    static const char *const spaced[] = {
            "a secret of mine\n", " a secret of mine", "\ta secret of mine \r\n"};
    CLEANUP(buf_done) struct buf signature = {0};

    (void)state;
    write_signature(&signature, STR("a secret of mine"), BODY, FORM_HEX, "");
    for (size_t i = 0; i < COUNT(spaced); i++)
        assert_int_equal(signature_explain(str_from(spaced[i]), BODY, buf_str(&signature)),
                SIGNATURE_SECRET_SPACE);
}

static void other_forms_of_the_signature_are_recognized(void **state)
{
    static const struct {
        enum form form;
        const char *prefix;
        enum signature_mistake mistake;
    } rows[] = {
            {FORM_BASE64, "", SIGNATURE_BASE64},
            {FORM_BASE64URL, "", SIGNATURE_BASE64},
            {FORM_HEX, "sha256=", SIGNATURE_PREFIXED},
            {FORM_HEX, "SHA256=", SIGNATURE_PREFIXED},
            {FORM_HEX, "v1=", SIGNATURE_PREFIXED},
            {FORM_HEX, "v1,", SIGNATURE_PREFIXED},
            {FORM_HEX, " ", SIGNATURE_PREFIXED},
            {FORM_BASE64, "v1,", SIGNATURE_PREFIXED},
            {FORM_BASE64, "sha256= ", SIGNATURE_PREFIXED},
            {FORM_HEX, "md5=", SIGNATURE_NO_MATCH},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(buf_done) struct buf signature = {0};

        write_signature(&signature, SECRET, BODY, rows[i].form, rows[i].prefix);
        assert_int_equal(signature_explain(SECRET, BODY, buf_str(&signature)), rows[i].mistake);
    }
}

static void a_mistake_of_the_body_is_named_before_one_of_the_key_or_form(void **state)
{
    static const struct {
        const char *was_signed;
        const char *at_hand;
        enum signature_mistake mistake;
    } rows[] = {
            {"{\"a\":1}", "{\"a\":1}\n", SIGNATURE_TRAILING_NEWLINE},
            {"{\"a\":1}\n", "{\"a\":1}", SIGNATURE_MISSING_NEWLINE},
            {"{\"a\":1,\n\"b\":2}", "{\"a\":1,\r\n\"b\":2}", SIGNATURE_CRLF},
            {"{\"a\": 1}", "{\"a\":1}", SIGNATURE_RESERIALIZED},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t k = 0; k < COUNT(WRONG_KEYS); k++) {
            CLEANUP(buf_done) struct buf signature = {0};

            write_signature(&signature,
                    WRONG_KEYS[k].key,
                    str_from(rows[i].was_signed),
                    FORM_BASE64,
                    "v1,");
            assert_int_equal(
                    signature_explain(SECRET, str_from(rows[i].at_hand), buf_str(&signature)),
                    rows[i].mistake);
        }
    }
}

static void each_mistake_has_its_own_sentence(void **state)
{
    (void)state;
    for (int i = SIGNATURE_FITS; i <= SIGNATURE_NO_MATCH; i++) {
        const char *text = signature_mistake_text((enum signature_mistake)i);

        assert_true(str_ends(str_from(text), STR(".")));
        for (int k = 0; k < i; k++)
            assert_string_not_equal(text, signature_mistake_text((enum signature_mistake)k));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_hex_signature_is_hmac_sha256),
            cmocka_unit_test(the_standard_signature_is_that_of_standard_webhooks),
            cmocka_unit_test(a_signature_matches_in_either_case_and_only_whole),
            cmocka_unit_test(a_right_signature_fits),
            cmocka_unit_test(nothing_explains_another_body_secret_or_garbage),
            cmocka_unit_test(changes_of_the_body_are_recognized),
            cmocka_unit_test(json_that_was_written_again_is_recognized_both_ways),
            cmocka_unit_test(escapes_and_large_characters_survive_being_written_again),
            cmocka_unit_test(wrong_keys_are_recognized_in_every_form),
            cmocka_unit_test(white_space_around_the_secret_at_hand_is_recognized),
            cmocka_unit_test(other_forms_of_the_signature_are_recognized),
            cmocka_unit_test(a_mistake_of_the_body_is_named_before_one_of_the_key_or_form),
            cmocka_unit_test(each_mistake_has_its_own_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
