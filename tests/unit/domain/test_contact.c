/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of domain/contact. */
#include "assert_str.h"
#include "domain/contact.h"

static struct contact example(void)
{
    return (struct contact){
            .id = STR("contact_1"),
            .org_id = STR("org_1"),
            .name = STR("Name"),
            .phone = STR("+919876543210"),
            .email = STR("name@example.com"),
            .note = STR("note"),
            .labels = STR("[\"a\"]"),
    };
}

static void each_shown_member_makes_a_difference(void **state)
{
    const struct contact a = example();
    struct contact b = example();
    struct str *const members[] = {&b.id, &b.name, &b.phone, &b.email, &b.note, &b.labels};

    (void)state;
    assert_true(contact_equal(&a, &b));
    for (size_t i = 0; i < COUNT(members); i++) {
        struct str before = *members[i];

        *members[i] = STR("other");
        assert_false(contact_equal(&a, &b));
        *members[i] = before;
    }
    assert_true(contact_equal(&a, &b));
}

static void an_empty_text_is_not_the_same_as_none(void **state)
{
    struct contact a = example();
    struct contact b = example();

    (void)state;
    a.note = STR("");
    b.note = STR_NONE;
    assert_false(contact_equal(&a, &b));
}

static void what_receivers_do_not_see_makes_no_difference(void **state)
{
    struct contact a = example();
    struct contact b = example();

    (void)state;
    b.created_at_ms = 1;
    b.updated_at_ms = 2;
    assert_true(contact_equal(&a, &b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(each_shown_member_makes_a_difference),
            cmocka_unit_test(an_empty_text_is_not_the_same_as_none),
            cmocka_unit_test(what_receivers_do_not_see_makes_no_difference),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
