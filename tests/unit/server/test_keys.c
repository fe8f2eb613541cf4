/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of keys: made once, with mode 0600, and never made anew over what is there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "keys.h"

enum { TEXT_SIZE = 512 };

struct place {
    char folder[TEXT_SIZE];
    char path[TEXT_SIZE + 64]; /* of the file last asked for */
};

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    const char *base = getenv("TMPDIR");

    assert_non_null(place);
    (void)snprintf(place->folder,
            sizeof(place->folder),
            "%s/callsync-keys-XXXXXX",
            base != NULL ? base : "/tmp");
    assert_non_null(mkdtemp(place->folder));
    *state = place;
    return 0;
}

static const char *path_of(struct place *place, const char *name)
{
    (void)snprintf(place->path, sizeof(place->path), "%s/%s", place->folder, name);
    return place->path;
}

static int tear_down(void **state)
{
    struct place *place = *state;

    (void)unlink(path_of(place, "key"));
    (void)unlink(path_of(place, "admin-token"));
    assert_int_equal(rmdir(place->folder), 0); /* nothing else was left behind */
    free(place);
    return 0;
}

static void write_file(struct place *place, const char *name, const char *bytes, size_t len)
{
    FILE *file = fopen(path_of(place, name), "w");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static bool exists(struct place *place, const char *name)
{
    return access(path_of(place, name), F_OK) == 0;
}

static void the_first_start_makes_a_key_and_a_token_for_the_owner_alone(void **state)
{
    struct place *place = *state;
    CLEANUP(keys_done) struct keys keys = {0};
    struct stat status;

    assert_int_equal(keys_open(place->folder, STR_NONE, &keys, NULL), ERR_NONE);
    assert_int_equal(stat(path_of(place, "key"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(status.st_size, 32);
    assert_int_equal(stat(path_of(place, "admin-token"), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_memory_equal(keys.admin_token, "cs_", 3);
    assert_int_equal(strlen(keys.admin_token), 46);
    assert_memory_not_equal(keys.seal, keys.link, SECRET_KEY_BYTES);
    assert_memory_not_equal(keys.seal, keys.idempotency, SECRET_KEY_BYTES);
    assert_memory_not_equal(keys.link, keys.idempotency, SECRET_KEY_BYTES);
}

static void a_later_start_finds_the_same(void **state)
{
    struct place *place = *state;
    CLEANUP(keys_done) struct keys first = {0};
    CLEANUP(keys_done) struct keys second = {0};

    assert_int_equal(keys_open(place->folder, STR_NONE, &first, NULL), ERR_NONE);
    assert_int_equal(keys_open(place->folder, STR_NONE, &second, NULL), ERR_NONE);
    assert_memory_equal(&first, &second, sizeof(first));
}

static void another_installation_has_other_keys(void **state)
{
    struct place *place = *state;
    CLEANUP(keys_done) struct keys first = {0};
    CLEANUP(keys_done) struct keys second = {0};

    assert_int_equal(keys_open(place->folder, STR_NONE, &first, NULL), ERR_NONE);
    assert_int_equal(unlink(path_of(place, "key")), 0);
    assert_int_equal(unlink(path_of(place, "admin-token")), 0);
    assert_int_equal(keys_open(place->folder, STR_NONE, &second, NULL), ERR_NONE);
    assert_memory_not_equal(first.seal, second.seal, SECRET_KEY_BYTES);
    assert_string_not_equal(first.admin_token, second.admin_token);
}

static void a_given_token_is_taken_and_no_file_is_made_for_it(void **state)
{
    struct place *place = *state;
    CLEANUP(keys_done) struct keys keys = {0};

    assert_int_equal(keys_open(place->folder, STR("given-by-the-operator"), &keys, NULL), ERR_NONE);
    assert_string_equal(keys.admin_token, "given-by-the-operator");
    assert_false(exists(place, "admin-token"));
    assert_true(exists(place, "key"));
}

static void a_token_written_by_hand_may_end_with_any_line_end(void **state)
{
    static const char *const TEXTS[] = {
            "written-by-hand-1", "written-by-hand-1\n", "written-by-hand-1\r\n"};
    struct place *place = *state;

    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++) {
        CLEANUP(keys_done) struct keys keys = {0};

        write_file(place, "admin-token", TEXTS[i], strlen(TEXTS[i]));
        assert_int_equal(keys_open(place->folder, STR_NONE, &keys, NULL), ERR_NONE);
        assert_string_equal(keys.admin_token, "written-by-hand-1");
    }
}

static void a_token_file_that_holds_no_token_is_named(void **state)
{
    struct place *place = *state;
    struct keys keys = {0};
    struct error why = {0};

    write_file(place, "admin-token", "", 0);
    assert_int_equal(keys_open(place->folder, STR_NONE, &keys, &why), ERR_CORRUPT);
    assert_non_null(strstr(why.text, "admin-token"));
}

static void a_key_of_another_length_is_refused_and_left_as_it_is(void **state)
{
    static const char BYTES[600] = {0};
    static const size_t LENGTHS[] = {0, 31, 33, 600};
    struct place *place = *state;

    for (size_t i = 0; i < sizeof(LENGTHS) / sizeof(LENGTHS[0]); i++) {
        struct keys keys = {0};
        struct error why = {0};
        struct stat status;

        write_file(place, "key", BYTES, LENGTHS[i]);
        assert_int_equal(keys_open(place->folder, STR_NONE, &keys, &why), ERR_CORRUPT);
        assert_non_null(strstr(why.text, "/key"));
        assert_int_equal(stat(path_of(place, "key"), &status), 0);
        assert_int_equal(status.st_size, LENGTHS[i]);
    }
}

static void a_folder_that_is_not_there_is_told(void **state)
{
    struct place *place = *state;
    struct keys keys = {0};
    struct error why = {0};

    assert_int_equal(keys_open(path_of(place, "nowhere"), STR_NONE, &keys, &why), ERR_UNAVAILABLE);
    assert_non_null(strstr(why.text, "nowhere/key cannot be made"));
}

int main(void)
{
#define WITH_PLACE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
            WITH_PLACE(the_first_start_makes_a_key_and_a_token_for_the_owner_alone),
            WITH_PLACE(a_later_start_finds_the_same),
            WITH_PLACE(another_installation_has_other_keys),
            WITH_PLACE(a_given_token_is_taken_and_no_file_is_made_for_it),
            WITH_PLACE(a_token_written_by_hand_may_end_with_any_line_end),
            WITH_PLACE(a_token_file_that_holds_no_token_is_named),
            WITH_PLACE(a_key_of_another_length_is_refused_and_left_as_it_is),
            WITH_PLACE(a_folder_that_is_not_there_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
