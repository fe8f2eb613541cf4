/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of base/blob: bytes with many owners. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/blob.h"

static void a_blob_holds_a_copy(void **state)
{
    char original[] = "body";
    CLEANUP_PTR(blob_unref) struct blob *blob = blob_new((struct str){original, 4});

    (void)state;
    original[0] = 'x';
    assert_true(str_is(blob_str(blob), "body"));
}

static void an_empty_blob_is_not_none(void **state)
{
    struct blob *blob = blob_new(STR_NONE);

    (void)state;
    assert_true(str_is(blob_str(blob), ""));
    blob_unref(blob);
    blob_unref(NULL);
}

static void it_lives_until_the_last_owner_leaves(void **state)
{
    struct blob *blob = blob_new(STR("shared"));

    (void)state;
    assert_ptr_equal(blob_ref(blob), blob);
    blob_unref(blob);
    assert_true(str_is(blob_str(blob), "shared"));
    blob_unref(blob);
}

static void *own_for_a_while(void *arg)
{
    struct blob *blob = arg;
    size_t sum = 0;

    for (int i = 0; i < 10000; i++) {
        struct blob *mine = blob_ref(blob);

        sum += blob_str(mine).len;
        blob_unref(mine);
    }
    blob_unref(blob);
    return (void *)sum;
}

static void owners_may_be_on_any_thread(void **state)
{
    struct blob *blob = blob_new(STR("1234567"));
    pthread_t threads[4];

    (void)state;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, own_for_a_while, blob_ref(blob)), 0);
    blob_unref(blob);
    for (size_t i = 0; i < 4; i++) {
        void *sum = NULL;

        assert_int_equal(pthread_join(threads[i], &sum), 0);
        assert_int_equal((size_t)sum, 70000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_blob_holds_a_copy),
            cmocka_unit_test(an_empty_blob_is_not_none),
            cmocka_unit_test(it_lives_until_the_last_owner_leaves),
            cmocka_unit_test(owners_may_be_on_any_thread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
