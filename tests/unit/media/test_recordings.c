/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of recordings - uploads, what stays of them, and the sweep. */
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "domain/limits.h"
#include "kept_store.h"

/* An MPEG frame header and bytes behind it, longer than what tells a type. */
#define MP3_TEXT                                                                                   \
    "ID3\x04 the audio of a call, as far as anybody can tell, and some more bytes behind it"

struct ending {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool is_ended;
    enum err err;
};

static void on_finished(void *ctx, struct upload *upload, enum err err)
{
    struct ending *ending = ctx;

    (void)upload;
    pthread_mutex_lock(&ending->lock);
    ending->is_ended = true;
    ending->err = err;
    pthread_cond_signal(&ending->ended);
    pthread_mutex_unlock(&ending->lock);
}

static enum err finish(struct upload *upload)
{
    struct ending ending = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, ERR_NONE};

    upload_finish(upload, on_finished, &ending);
    pthread_mutex_lock(&ending.lock);
    while (!ending.is_ended)
        pthread_cond_wait(&ending.ended, &ending.lock);
    pthread_mutex_unlock(&ending.lock);
    return ending.err;
}

static struct upload *begin(struct kept_store *kept, int64_t call_id, const char *type)
{
    struct upload *upload = NULL;
    struct error why;

    assert_int_equal(
            upload_begin(kept->recordings, call_id, str_from(type), &upload, &why), ERR_NONE);
    return upload;
}

static struct upload *upload_mp3(struct kept_store *kept, int64_t call_id)
{
    struct upload *upload = begin(kept, call_id, "audio/mpeg");
    struct error why;

    assert_int_equal(upload_write(upload, STR(MP3_TEXT), &why), ERR_NONE);
    assert_int_equal(finish(upload), ERR_NONE);
    return upload;
}

/* What the file holds; "" when it is gone. */
static struct str read_file(struct kept_store *kept, struct str file)
{
    char *text = arena_alloc(&kept->arena, 4096);
    int64_t size_bytes = 0;
    int fd = -1;
    struct error why;

    if (recordings_open_file(kept->recordings, file, &fd, &size_bytes, &why) != ERR_NONE) {
        assert_int_equal(why.code, ERR_NOT_FOUND);
        return STR("");
    }
    assert_int_equal(read(fd, text, 4096), size_bytes);
    close(fd);
    return (struct str){text, (size_t)size_bytes};
}

/* Runs all that waits on the recordings' thread. */
static void settle(struct kept_store *kept)
{
    struct upload *upload = begin(kept, 1, "audio/mpeg");

    (void)finish(upload);
    upload_discard(upload);
}

static void an_upload_can_be_read_before_and_after_it_is_kept(void **state)
{
    struct kept_store *kept = *state;
    struct upload *upload = upload_mp3(kept, 88231);
    struct str file = arena_str(&kept->arena, upload_file(upload));

    assert_true(str_starts(file, STR("88231-")));
    assert_true(str_ends(file, STR(".mp3")));
    assert_true(str_equal(read_file(kept, file), STR(MP3_TEXT)));
    upload_keep(upload);
    settle(kept);
    assert_true(str_equal(read_file(kept, file), STR(MP3_TEXT)));
    assert_int_equal(
            access(temp_folder_path(&kept->folder,
                           arena_strf(&kept->arena, "recordings/31/%.*s", STR_ARG(file)).ptr),
                    R_OK),
            0);
}

static void an_upload_tells_size_type_and_hash(void **state)
{
    struct kept_store *kept = *state;
    struct upload *upload = upload_mp3(kept, 1);
    uint8_t digest[SHA256_BYTES];
    CLEANUP(buf_done) struct buf hex = {0};

    codec_sha256(STR(MP3_TEXT), digest);
    codec_add_hex(&hex, codec_digest_str(digest));
    assert_int_equal(upload_size_bytes(upload), sizeof(MP3_TEXT) - 1);
    assert_true(str_is(upload_type(upload), "audio/mpeg"));
    assert_true(str_equal(upload_sha256_hex(upload), buf_str(&hex)));
    upload_discard(upload);
}

static void an_upload_in_single_bytes_is_the_same_as_in_one_piece(void **state)
{
    struct kept_store *kept = *state;
    struct upload *upload = begin(kept, 1, "audio/mpeg; codecs=mp3");
    struct error why;

    for (size_t i = 0; i < sizeof(MP3_TEXT) - 1; i++)
        assert_int_equal(upload_write(upload, str_slice(STR(MP3_TEXT), i, 1), &why), ERR_NONE);
    assert_int_equal(finish(upload), ERR_NONE);
    assert_true(str_equal(read_file(kept, upload_file(upload)), STR(MP3_TEXT)));
    upload_discard(upload);
}

static void a_discarded_upload_leaves_nothing(void **state)
{
    struct kept_store *kept = *state;
    struct upload *upload = upload_mp3(kept, 1);
    struct str file = arena_str(&kept->arena, upload_file(upload));

    upload_discard(upload);
    settle(kept);
    assert_int_equal(read_file(kept, file).len, 0);
    upload_discard(NULL);
}

static void bytes_of_another_type_are_refused(void **state)
{
    struct kept_store *kept = *state;
    struct upload *upload = begin(kept, 1, "audio/wav");
    struct error why;

    assert_int_equal(upload_write(upload, STR(MP3_TEXT), &why), ERR_INVALID);
    assert_non_null(strstr(why.text, "audio/wav"));
    upload_discard(upload);
    /* Too few bytes to be judged while they come are judged at the end. */
    upload = begin(kept, 1, "audio/wav");
    assert_int_equal(upload_write(upload, STR("ID3"), &why), ERR_NONE);
    assert_int_equal(finish(upload), ERR_INVALID);
    upload_discard(upload);
}

static void an_empty_upload_is_refused_at_its_end(void **state)
{
    struct kept_store *kept = *state;
    struct upload *upload = begin(kept, 1, "audio/mpeg");

    assert_int_equal(finish(upload), ERR_INVALID);
    assert_string_equal(upload_why(upload)->text, "the recording is empty");
    upload_discard(upload);
}

static void an_upload_over_the_limit_is_refused(void **state)
{
    struct kept_store *kept = *state;
    struct upload *upload = begin(kept, 1, "audio/mpeg");
    struct error why;

    /* Only the length is looked at. */
    assert_int_equal(
            upload_write(upload, (struct str){MP3_TEXT, (size_t)LIMIT_RECORDING_BYTES + 1}, &why),
            ERR_LIMIT);
    upload_discard(upload);
}

static void names_that_are_none_of_ours_open_nothing(void **state)
{
    struct kept_store *kept = *state;
    static const char *const names[] = {"",
            "..",
            "../callsync.db",
            "1-../../../../../../../etc/passwd",
            "0-01234567890123456789012345.mp3",
            "1-0123456789012345678901234/.mp3",
            "1-01234567890123456789012345/mp3",
            "1-01234567890123456789012345.mp3"};
    struct error why;
    int64_t size_bytes;
    int fd;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(
                recordings_open_file(kept->recordings, str_from(names[i]), &fd, &size_bytes, &why),
                ERR_NOT_FOUND);
}

static void a_removed_file_is_gone_wherever_it_was(void **state)
{
    struct kept_store *kept = *state;
    struct upload *in_place = upload_mp3(kept, 7);
    struct upload *incoming = upload_mp3(kept, 7);
    struct str first = arena_str(&kept->arena, upload_file(in_place));
    struct str second = arena_str(&kept->arena, upload_file(incoming));

    upload_keep(in_place);
    recordings_remove(kept->recordings, first);
    recordings_remove(kept->recordings, second);
    recordings_remove(kept->recordings, STR_NONE);
    settle(kept);
    assert_int_equal(read_file(kept, first).len, 0);
    assert_int_equal(read_file(kept, second).len, 0);
    upload_discard(incoming);
}

static void a_folder_that_cannot_be_made_is_an_error(void **state)
{
    struct kept_store *kept = *state;
    struct recordings *recordings = NULL;
    struct error why;

    assert_int_equal(recordings_open(temp_folder_path(&kept->folder, "callsync.db/recordings"),
                             NULL,
                             &recordings,
                             &why),
            ERR_UNAVAILABLE);
    assert_null(recordings);
}

static void the_sweep_moves_what_is_known_and_removes_what_is_not(void **state)
{
    struct kept_store *kept = *state;
    int64_t call_id = kept_store_make_call(kept);
    struct upload *known = upload_mp3(kept, call_id);
    struct upload *unknown = upload_mp3(kept, call_id);
    struct recording_set set = {
            .org_id = STR(KEPT_ORG),
            .call_id = call_id,
            .change = RECORDING_FILE,
            .recording = {.file = upload_file(known),
                    .content_type = upload_type(known),
                    .size_bytes = upload_size_bytes(known),
                    .sha256 = upload_sha256_hex(known)},
    };
    struct error why;

    assert_int_equal(KEPT_RUN(kept, store_recording_set, &set), ERR_NONE);
    assert_int_equal(recordings_sweep(kept->recordings, kept->store, &why), ERR_NONE);
    assert_true(str_equal(read_file(kept, upload_file(known)), STR(MP3_TEXT)));
    assert_int_equal(read_file(kept, upload_file(unknown)).len, 0);
    assert_int_not_equal(access(temp_folder_path(&kept->folder,
                                        arena_strf(&kept->arena,
                                                "recordings/incoming/%.*s",
                                                STR_ARG(upload_file(known)))
                                                .ptr),
                                 R_OK),
            0);
    /* The uploads' own ends find nothing more to do. */
    upload_keep(known);
    upload_discard(unknown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            KEPT_TEST(an_upload_can_be_read_before_and_after_it_is_kept),
            KEPT_TEST(an_upload_tells_size_type_and_hash),
            KEPT_TEST(an_upload_in_single_bytes_is_the_same_as_in_one_piece),
            KEPT_TEST(a_discarded_upload_leaves_nothing),
            KEPT_TEST(bytes_of_another_type_are_refused),
            KEPT_TEST(an_empty_upload_is_refused_at_its_end),
            KEPT_TEST(an_upload_over_the_limit_is_refused),
            KEPT_TEST(names_that_are_none_of_ours_open_nothing),
            KEPT_TEST(a_removed_file_is_gone_wherever_it_was),
            KEPT_TEST(a_folder_that_cannot_be_made_is_an_error),
            KEPT_TEST(the_sweep_moves_what_is_known_and_removes_what_is_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
