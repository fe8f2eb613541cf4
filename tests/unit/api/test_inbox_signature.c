/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of inbox_signature - judging what a sender signed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "api/inbox_signature.h"
#include "base/cleanup.h"
#include "domain/secret.h"
#include "domain/signature.h"

#define BODY   STR("{\"event\":\"call_logged\"}")
#define SECRET STR("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
#define OTHER  STR("some other secret")

static void test_without_a_secret_nothing_is_judged(void **state)
{
    struct signature_headers headers = {.hex = STR("00")};

    (void)state;
    assert_int_equal(inbox_signature_judge(STR_NONE, &headers, BODY), SIGNATURE_UNJUDGED);
}

static void test_without_a_signature_it_is_wrong(void **state)
{
    struct signature_headers headers = {0};

    (void)state;
    assert_int_equal(inbox_signature_judge(SECRET, &headers, BODY), SIGNATURE_WRONG);
}

static void test_the_hex_signature_holds_for_the_body_it_was_made_of(void **state)
{
    char hex[SHA256_HEX_SIZE];

    (void)state;
    signature_hex(SECRET, BODY, hex);
    struct signature_headers headers = {.hex = str_from(hex)};
    assert_int_equal(inbox_signature_judge(SECRET, &headers, BODY), SIGNATURE_HOLDS);
    assert_int_equal(inbox_signature_judge(SECRET, &headers, STR("{}")), SIGNATURE_WRONG);
    assert_int_equal(inbox_signature_judge(OTHER, &headers, BODY), SIGNATURE_WRONG);
    headers = (struct signature_headers){.hex = STR("00"), .hex_next = str_from(hex)};
    assert_int_equal(inbox_signature_judge(SECRET, &headers, BODY), SIGNATURE_HOLDS);
}

static void test_one_of_several_standard_signatures_is_enough(void **state)
{
    CLEANUP(buf_done) struct buf key = {0};
    CLEANUP(buf_done) struct buf text = {0};

    (void)state;
    secret_standard_key(SECRET, &key);
    buf_add_text(&text, "v1,bm9uc2Vuc2U= ");
    signature_add_standard(&text, buf_str(&key), STR("wh_1"), 1777377493, BODY);

    struct signature_headers headers = {
            .standard = buf_str(&text), .id = STR("wh_1"), .timestamp = STR("1777377493")};
    assert_int_equal(inbox_signature_judge(SECRET, &headers, BODY), SIGNATURE_HOLDS);
    headers.timestamp = STR("1777377494");
    assert_int_equal(inbox_signature_judge(SECRET, &headers, BODY), SIGNATURE_WRONG);
    headers.timestamp = STR("soon");
    assert_int_equal(inbox_signature_judge(SECRET, &headers, BODY), SIGNATURE_WRONG);
    headers.timestamp = STR("1777377493");
    headers.id = STR_NONE;
    assert_int_equal(inbox_signature_judge(SECRET, &headers, BODY), SIGNATURE_WRONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(test_without_a_secret_nothing_is_judged),
            cmocka_unit_test(test_without_a_signature_it_is_wrong),
            cmocka_unit_test(test_the_hex_signature_holds_for_the_body_it_was_made_of),
            cmocka_unit_test(test_one_of_several_standard_signatures_is_enough),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
