/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of domain/token. */
#include "assert_str.h"
#include "base/cleanup.h"
#include "domain/token.h"

static void a_secret_is_cs_and_43_characters_of_base64url(void **state)
{
    CLEANUP(arena_done) struct arena arena = {0};
    struct str secret = token_secret_new(&arena);

    (void)state;
    assert_int_equal(secret.len, 46);
    assert_true(str_starts(secret, STR("cs_")));
    for (size_t i = 0; i < secret.len; i++)
        assert_non_null(strchr(
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", secret.ptr[i]));
}

static void two_secrets_differ(void **state)
{
    CLEANUP(arena_done) struct arena arena = {0};

    (void)state;
    assert_false(str_equal(token_secret_new(&arena), token_secret_new(&arena)));
}

static void the_hash_is_sha256(void **state)
{
    CLEANUP(buf_done) struct buf hex = {0};
    uint8_t hash[SHA256_BYTES];

    (void)state;
    token_hash(STR("abc"), hash); /* FIPS 180-2, appendix B.1 */
    codec_add_hex(&hex, codec_digest_str(hash));
    assert_buf(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void scopes_are_read_as_words_but_admin_is_not(void **state)
{
    static const char *const bad[] = {NULL, "", "admin", "all", "Read", "read "};
    unsigned bit = 0;

    (void)state;
    assert_true(scope_parse(STR("ingest"), &bit));
    assert_int_equal(bit, SCOPE_INGEST);
    assert_true(scope_parse(STR("manage"), &bit));
    assert_int_equal(bit, SCOPE_MANAGE);
    assert_true(scope_parse(STR("read"), &bit));
    assert_int_equal(bit, SCOPE_READ);
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_false(scope_parse(str_from(bad[i]), &bit));
    assert_int_equal(bit, SCOPE_READ);
}

static void scopes_are_written_in_one_order(void **state)
{
    static const struct {
        unsigned scopes;
        const char *json;
    } rows[] = {
            {0, "[]"},
            {SCOPE_READ, "[\"read\"]"},
            {SCOPE_READ | SCOPE_INGEST, "[\"ingest\",\"read\"]"},
            {SCOPE_ALL, "[\"ingest\",\"manage\",\"read\"]"},
            {SCOPE_ADMIN, "[]"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP(buf_done) struct buf json = {0};

        scope_write_json(&json, rows[i].scopes);
        assert_buf(json, rows[i].json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_secret_is_cs_and_43_characters_of_base64url),
            cmocka_unit_test(two_secrets_differ),
            cmocka_unit_test(the_hash_is_sha256),
            cmocka_unit_test(scopes_are_read_as_words_but_admin_is_not),
            cmocka_unit_test(scopes_are_written_in_one_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
