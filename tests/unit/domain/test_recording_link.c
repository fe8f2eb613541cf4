/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of domain/recording_link. */
#include "assert_str.h"
#include "base/cleanup.h"
#include "domain/recording_link.h"

static const uint8_t KEY[SECRET_KEY_BYTES] = {1, 2, 3};
static const uint8_t OTHER_KEY[SECRET_KEY_BYTES] = {1, 2, 4};

/* What stands behind "/recordings/" in the link that was written. */
static struct str write_name(struct buf *link, int64_t call_id, int64_t generation)
{
    recording_link_write(link, STR_NONE, KEY, call_id, generation, STR("audio/mpeg"));
    return str_slice(buf_str(link), strlen("/recordings/"), link->len);
}

static void a_link_is_the_base_and_the_signed_path(void **state)
{
    CLEANUP(buf_done) struct buf link = {0};

    (void)state;
    recording_link_write(&link, STR("https://calls.example.com"), KEY, 88231, 0, STR("audio/mpeg"));
    /* HMAC-SHA256 of "88231.0", made with Python's hmac module */
    assert_buf(link,
            "https://calls.example.com/recordings/88231-85e44eadb09be94519f49aa922e04f69.mp3");
}

static void a_written_link_is_read_back_and_matches(void **state)
{
    static const int64_t ids[] = {1, 88231, (INT64_C(1) << 53) - 1};

    (void)state;
    for (size_t i = 0; i < COUNT(ids); i++) {
        CLEANUP(buf_done) struct buf link = {0};
        int64_t call_id = 0;
        struct str signature = STR_NONE;

        assert_true(recording_link_parse(write_name(&link, ids[i], 3), &call_id, &signature));
        assert_int_equal(call_id, ids[i]);
        assert_true(recording_link_matches(KEY, call_id, 3, signature));
    }
}

static void a_link_dies_with_its_call_generation_and_key(void **state)
{
    CLEANUP(buf_done) struct buf link = {0};
    int64_t call_id = 0;
    struct str signature = STR_NONE;

    (void)state;
    assert_true(recording_link_parse(write_name(&link, 88231, 3), &call_id, &signature));
    assert_false(recording_link_matches(KEY, 88231, 4, signature));
    assert_false(recording_link_matches(KEY, 88232, 3, signature));
    assert_false(recording_link_matches(OTHER_KEY, 88231, 3, signature));
    assert_false(recording_link_matches(KEY, 88231, 3, str_slice(signature, 0, 31)));
    assert_false(recording_link_matches(KEY, 88231, 3, STR_NONE));
}

#define HEX_32 "0123456789abcdef0123456789abcdef"

static void other_names_are_refused_and_change_nothing(void **state)
{
    static const char *const bad[] = {
            NULL,
            "",
            "88231",
            "88231-",
            "88231-" HEX_32,
            "88231-" HEX_32 ".",
            "88231-" HEX_32 "0.mp3",
            "88231-" HEX_32 ".mp3/..",
            "88231-" HEX_32 ".MP3",
            "88231-" HEX_32 ".toolong",
            "88231-0123456789ABCDEF0123456789ABCDEF.mp3",
            "88231-0123456789abcdef0123456789abcde.mp3",
            "-" HEX_32 ".mp3",
            "-1-" HEX_32 ".mp3",
            "0-" HEX_32 ".mp3",
            "088231-" HEX_32 ".mp3",
            "+88231-" HEX_32 ".mp3",
            "9007199254740992-" HEX_32 ".mp3",
            "99999999999999999999-" HEX_32 ".mp3",
            "../88231-" HEX_32 ".mp3",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        int64_t call_id = 7;
        struct str signature = STR("before");

        assert_false(recording_link_parse(str_from(bad[i]), &call_id, &signature));
        assert_int_equal(call_id, 7);
        assert_str(signature, "before");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_link_is_the_base_and_the_signed_path),
            cmocka_unit_test(a_written_link_is_read_back_and_matches),
            cmocka_unit_test(a_link_dies_with_its_call_generation_and_key),
            cmocka_unit_test(other_names_are_refused_and_change_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
