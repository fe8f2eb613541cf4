/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of net/http_target: finding again, forgetting, and the versions of answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "net/http_target.h"

static void the_same_url_is_the_same_target(void **state)
{
    struct http_target_table *table = http_target_table_new();
    struct http_target *a = NULL;
    struct http_target *b = NULL;
    struct http_target *c = NULL;

    (void)state;
    assert_int_equal(http_target_use(table, "http://a.example/x", &a, NULL), ERR_NONE);
    assert_int_equal(http_target_use(table, "http://a.example/x", &b, NULL), ERR_NONE);
    assert_int_equal(http_target_use(table, "http://10.0.0.1/x", &c, NULL), ERR_NONE);
    assert_ptr_equal(a, b);
    assert_ptr_not_equal(a, c);
    assert_false(a->is_literal);
    assert_true(c->is_literal);
    assert_string_equal(a->url.host.ptr, "a.example");
    http_target_release(a);
    http_target_release(b);
    http_target_release(c);
    http_target_release(NULL);
    http_target_table_free(table);
}

static void what_is_no_url_is_refused(void **state)
{
    struct http_target_table *table = http_target_table_new();
    struct http_target *target = NULL;
    struct error why = {0};

    (void)state;
    assert_int_equal(http_target_use(table, "nonsense", &target, &why), ERR_INVALID);
    assert_true(why.text[0] != '\0');
    assert_null(target);
    http_target_table_free(table);
}

static void the_oldest_unused_is_forgotten_and_never_one_in_use(void **state)
{
    struct http_target_table *table = http_target_table_new();
    struct http_target *used = NULL;
    struct http_target *first = NULL;
    struct http_target *again = NULL;
    struct resolver_answer answer = {.count = 1};
    char url[64];

    (void)state;
    assert_int_equal(http_target_use(table, "http://used.example/", &used, NULL), ERR_NONE);
    http_target_set_answer(used, &answer);
    assert_int_equal(http_target_use(table, "http://first.example/", &first, NULL), ERR_NONE);
    http_target_set_answer(first, &answer);
    http_target_release(first);
    for (int i = 0; i < HTTP_TARGETS_MAX; i++) {
        struct http_target *other = NULL;

        (void)snprintf(url, sizeof(url), "http://h%d.example/", i);
        assert_int_equal(http_target_use(table, url, &other, NULL), ERR_NONE);
        http_target_release(other);
    }
    assert_int_equal(http_target_use(table, "http://used.example/", &again, NULL), ERR_NONE);
    assert_ptr_equal(again, used);
    assert_int_equal(again->pin_version, 1);
    http_target_release(again);
    /* It is read anew, so it knows of no answer. */
    assert_int_equal(http_target_use(table, "http://first.example/", &again, NULL), ERR_NONE);
    assert_int_equal(again->pin_version, 0);
    http_target_release(again);
    http_target_release(used);
    http_target_table_free(table);
}

static void only_another_answer_is_a_new_version(void **state)
{
    struct http_target_table *table = http_target_table_new();
    struct http_target *target = NULL;
    struct resolver_answer answer = {.count = 2};

    (void)state;
    assert_int_equal(http_target_use(table, "http://a.example/", &target, NULL), ERR_NONE);
    assert_int_equal(target->pin_version, 0);
    http_target_set_answer(target, &answer);
    assert_int_equal(target->pin_version, 1);
    http_target_set_answer(target, &answer);
    assert_int_equal(target->pin_version, 1);
    answer.addresses[1].ss_family = AF_INET;
    http_target_set_answer(target, &answer);
    assert_int_equal(target->pin_version, 2);
    answer.count = 1;
    http_target_set_answer(target, &answer);
    assert_int_equal(target->pin_version, 3);
    assert_int_equal(target->pinned->count, 1);
    http_target_release(target);
    http_target_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_same_url_is_the_same_target),
            cmocka_unit_test(what_is_no_url_is_refused),
            cmocka_unit_test(the_oldest_unused_is_forgotten_and_never_one_in_use),
            cmocka_unit_test(only_another_answer_is_a_new_version),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
