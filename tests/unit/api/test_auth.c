/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of auth - reading the header, and what is remembered for how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/auth.h"
#include "domain/token.h"

#define TOKEN "cs_0123456789abcdefghijklmnopqrstuvwxyzABCDE-_"

static int set_up(void **state)
{
    *state = auth_new("the admin's");
    return 0;
}

static int tear_down(void **state)
{
    auth_free(*state);
    return 0;
}

static void each_authorization_is_what_it_says(void **state)
{
    static const struct {
        const char *authorization;
        enum credential expected;
    } cases[] = {
            {NULL, CREDENTIAL_NONE},
            {"", CREDENTIAL_BROKEN},
            {"Bearer", CREDENTIAL_BROKEN},
            {"Bearer ", CREDENTIAL_BROKEN},
            {"Basic " TOKEN, CREDENTIAL_BROKEN},
            {TOKEN, CREDENTIAL_BROKEN},
            {"Bearer " TOKEN, CREDENTIAL_TOKEN},
            {"bearer   " TOKEN " ", CREDENTIAL_TOKEN},
            {"Bearer " TOKEN "x", CREDENTIAL_BROKEN},
            {"Bearer cs_!123456789abcdefghijklmnopqrstuvwxyzABCDE-_", CREDENTIAL_BROKEN},
            {"Bearer the admin's", CREDENTIAL_ADMIN},
            {"Bearer The admin's", CREDENTIAL_BROKEN},
    };
    uint8_t hash[SHA256_BYTES];

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(
                auth_read(*state, str_from(cases[i].authorization), hash), cases[i].expected);
}

static void a_kept_token_is_found_until_it_is_forgotten(void **state)
{
    struct auth *auth = *state;
    uint8_t hash[SHA256_BYTES];
    char org_id[AUTH_ORG_SIZE];
    unsigned scopes = 0;

    token_hash(STR(TOKEN), hash);
    assert_false(auth_find_token(auth, hash, org_id, &scopes));
    auth_keep_token(auth, auth_age(auth), hash, STR("org_a"), SCOPE_READ);
    assert_true(auth_find_token(auth, hash, org_id, &scopes));
    assert_string_equal(org_id, "org_a");
    assert_int_equal(scopes, SCOPE_READ);
    auth_forget_token(auth, hash);
    assert_false(auth_find_token(auth, hash, org_id, &scopes));
}

static void a_look_up_from_before_a_deletion_is_not_kept(void **state)
{
    struct auth *auth = *state;
    uint8_t hash[SHA256_BYTES];
    char org_id[AUTH_ORG_SIZE];
    unsigned scopes;
    uint64_t age = auth_age(auth);

    token_hash(STR(TOKEN), hash);
    auth_forget_token(auth, hash);
    auth_keep_token(auth, age, hash, STR("org_a"), SCOPE_READ);
    assert_false(auth_find_token(auth, hash, org_id, &scopes));
}

static void forgetting_an_org_forgets_its_tokens_alone(void **state)
{
    struct auth *auth = *state;
    uint8_t hash[SHA256_BYTES] = {1};
    uint8_t other[SHA256_BYTES] = {2};
    char org_id[AUTH_ORG_SIZE];
    unsigned scopes;

    auth_keep_org(auth, auth_age(auth), STR("org_a"));
    auth_keep_token(auth, auth_age(auth), hash, STR("org_a"), SCOPE_READ);
    auth_keep_token(auth, auth_age(auth), other, STR("org_b"), SCOPE_READ);
    assert_true(auth_knows_org(auth, STR("org_a")));
    auth_forget_org(auth, STR("org_a"));
    assert_false(auth_knows_org(auth, STR("org_a")));
    assert_false(auth_find_token(auth, hash, org_id, &scopes));
    assert_true(auth_find_token(auth, other, org_id, &scopes));
}

static void an_orgs_id_is_no_token_and_a_token_no_orgs_id(void **state)
{
    struct auth *auth = *state;
    uint8_t hash[SHA256_BYTES];
    char org_id[AUTH_ORG_SIZE];
    unsigned scopes;

    token_hash(STR(TOKEN), hash);
    auth_keep_org(auth, auth_age(auth), STR(TOKEN));
    assert_false(auth_find_token(auth, hash, org_id, &scopes));
    auth_forget_org(auth, STR(TOKEN));
    auth_keep_token(auth, auth_age(auth), hash, STR("org_a"), SCOPE_READ);
    assert_false(auth_knows_org(auth, STR(TOKEN)));
}

static void when_it_is_full_the_oldest_goes(void **state)
{
    struct auth *auth = *state;
    uint8_t hash[SHA256_BYTES] = {0};
    char org_id[AUTH_ORG_SIZE];
    unsigned scopes;

    for (unsigned i = 0; i <= AUTH_KEPT_MAX; i++) {
        memcpy(hash, &i, sizeof(i));
        auth_keep_token(auth, auth_age(auth), hash, STR("org_a"), SCOPE_READ);
    }
    assert_true(auth_find_token(auth, hash, org_id, &scopes));
    memset(hash, 0, sizeof(hash));
    assert_false(auth_find_token(auth, hash, org_id, &scopes));
    hash[0] = 1;
    assert_true(auth_find_token(auth, hash, org_id, &scopes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(each_authorization_is_what_it_says, set_up, tear_down),
            cmocka_unit_test_setup_teardown(
                    a_kept_token_is_found_until_it_is_forgotten, set_up, tear_down),
            cmocka_unit_test_setup_teardown(
                    a_look_up_from_before_a_deletion_is_not_kept, set_up, tear_down),
            cmocka_unit_test_setup_teardown(
                    forgetting_an_org_forgets_its_tokens_alone, set_up, tear_down),
            cmocka_unit_test_setup_teardown(
                    an_orgs_id_is_no_token_and_a_token_no_orgs_id, set_up, tear_down),
            cmocka_unit_test_setup_teardown(when_it_is_full_the_oldest_goes, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
