/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of api_recording - uploads, links, ranges, deletion. */
#include <dirent.h>

#include "rig.h"

#define MP3 "ID3\x04 the audio of a call, as far as anybody can tell, and some more bytes behind it"
enum { MP3_BYTES = sizeof(MP3) - 1 };

static const char *recording_of(struct rig *rig, int64_t call_id)
{
    return rig_textf(rig, "/v1/calls/%d/recording", (int)call_id);
}

/* Puts the audio and gives the path of its link. */
static const char *put_audio(struct rig *rig, int64_t call_id)
{
    struct str link;

    rig->content_type = "audio/mpeg";
    assert_int_equal(rig_ask(rig, "PUT", recording_of(rig, call_id), MP3), 200);
    rig->content_type = "application/json";
    link = rig_str(rig, "recording.url");
    assert_true(str_starts(link, STR("http://callsync.test/recordings/")));
    return rig_textf(rig, "%.*s", STR_ARG(str_slice(link, 20, link.len)));
}

static void put_audio_is_served_by_its_link_without_a_token(void **state)
{
    struct rig *rig = *state;
    const char *link = put_audio(rig, rig_make_call(rig));

    rig_assert_str(rig, "file_status", "completed");
    rig_assert_str(rig, "recording.content_type", "audio/mpeg");
    assert_int_equal(rig_i64(rig, "recording.size"), MP3_BYTES);
    assert_true(str_starts(rig_str(rig, "payload_id"), STR("wh_")));
    rig->token = NULL;
    assert_int_equal(rig_ask(rig, "GET", link, NULL), 200);
    assert_true(str_is(rig_body(rig), MP3));
    assert_true(str_is(rig_reply_header(rig, "Content-Type"), "audio/mpeg"));
    assert_true(str_is(rig_reply_header(rig, "Accept-Ranges"), "bytes"));
    assert_true(str_starts(rig_reply_header(rig, "Cache-Control"), STR("private")));
    assert_non_null(rig_reply_header(rig, "ETag").ptr);
    assert_int_equal(rig_ask(rig, "HEAD", link, NULL), 200);
}

static void audio_in_pieces_without_a_length_is_taken(void **state)
{
    struct rig *rig = *state;
    int64_t call_id = rig_make_call(rig);

    rig->content_type = "audio/mpeg";
    rig->chunk_bytes = 7;
    assert_int_equal(rig_ask(rig, "PUT", recording_of(rig, call_id), MP3), 411);
    rig->chunk_bytes = 7;
    rig_header(rig, "Transfer-Encoding", "chunked");
    assert_int_equal(rig_ask(rig, "PUT", recording_of(rig, call_id), MP3), 200);
    assert_int_equal(rig_ask(rig, "GET", recording_of(rig, call_id), NULL), 200);
    assert_true(str_is(rig_body(rig), MP3));
}

static void a_range_is_a_part_of_the_file(void **state)
{
    struct rig *rig = *state;
    const char *link = put_audio(rig, rig_make_call(rig));

    rig_header(rig, "Range", "bytes=4-9");
    assert_int_equal(rig_ask(rig, "GET", link, NULL), 206);
    assert_true(str_equal(rig_body(rig), str_slice(STR(MP3), 4, 6)));
    assert_true(str_is(
            rig_reply_header(rig, "Content-Range"), rig_textf(rig, "bytes 4-9/%d", MP3_BYTES)));
    rig_header(rig, "Range", "bytes=9999-");
    assert_int_equal(rig_ask(rig, "GET", link, NULL), 416);
    assert_true(str_is(
            rig_reply_header(rig, "Content-Range"), rig_textf(rig, "bytes */%d", MP3_BYTES)));
    rig_header(rig, "Range", "bytes=0-1,3-4");
    assert_int_equal(rig_ask(rig, "GET", link, NULL), 200);
}

static void conditions_compare_the_etag(void **state)
{
    struct rig *rig = *state;
    const char *link = put_audio(rig, rig_make_call(rig));

    assert_int_equal(rig_ask(rig, "GET", link, NULL), 200);

    const char *etag = rig_textf(rig, "%.*s", STR_ARG(rig_reply_header(rig, "ETag")));

    rig_header(rig, "If-None-Match", rig_textf(rig, "\"x\", W/%s", etag));
    assert_int_equal(rig_ask(rig, "GET", link, NULL), 304);
    rig_header(rig, "If-None-Match", "\"x\"");
    assert_int_equal(rig_ask(rig, "GET", link, NULL), 200);
    rig_header(rig, "If-Range", "\"x\"");
    rig_header(rig, "Range", "bytes=0-1");
    assert_int_equal(rig_ask(rig, "GET", link, NULL), 200);
    rig_header(rig, "If-Range", etag);
    rig_header(rig, "Range", "bytes=0-1");
    assert_int_equal(rig_ask(rig, "GET", link, NULL), 206);
}

static void a_wrong_link_opens_nothing(void **state)
{
    struct rig *rig = *state;
    int64_t call_id = rig_make_call(rig);
    char *link = (char *)(uintptr_t)put_audio(rig, call_id);
    char *digit = strchr(link, '-') + 1;

    *digit = *digit == '0' ? '1' : '0';
    assert_int_equal(rig_ask(rig, "GET", link, NULL), 404);
    assert_int_equal(rig_ask(rig, "GET", "/recordings/x.mp3", NULL), 404);
    assert_int_equal(rig_ask(rig, "GET", "/recordings/..%2Fcallsync.db", NULL), 404);
    assert_int_equal(
            rig_ask(rig, "GET", rig_textf(rig, "/recordings/999999-%032d.mp3", 0), NULL), 404);
}

static void a_deleted_recording_is_gone_and_so_is_its_link(void **state)
{
    struct rig *rig = *state;
    int64_t call_id = rig_make_call(rig);
    const char *link = put_audio(rig, call_id);

    assert_int_equal(rig_ask(rig, "DELETE", recording_of(rig, call_id), NULL), 204);
    assert_int_equal(rig_ask(rig, "GET", link, NULL), 404);
    assert_int_equal(rig_ask(rig, "GET", recording_of(rig, call_id), NULL), 404);
    assert_non_null(strstr(rig_str(rig, "detail").ptr, "deleted"));
    const char *newer = put_audio(rig, call_id);
    assert_string_not_equal(newer, link);
    assert_int_equal(rig_ask(rig, "GET", link, NULL), 404);
    assert_int_equal(rig_ask(rig, "GET", newer, NULL), 200);
}

static void the_same_audio_again_emits_nothing_and_stays_readable(void **state)
{
    struct rig *rig = *state;
    int64_t call_id = rig_make_call(rig);

    (void)put_audio(rig, call_id);
    const char *link = put_audio(rig, call_id);
    assert_int_equal(json_type(rig_value(rig, "payload_id")), JSON_NULL_TYPE);
    assert_int_equal(rig_ask(rig, "GET", link, NULL), 200);
    assert_true(str_is(rig_body(rig), MP3));
}

static void bytes_that_are_not_the_type_are_422_and_other_types_415(void **state)
{
    struct rig *rig = *state;
    const char *target = recording_of(rig, rig_make_call(rig));

    rig->content_type = "audio/wav";
    assert_int_equal(rig_ask(rig, "PUT", target, MP3), 422);
    assert_int_equal(rig_ask(rig, "PUT", target, "ID3"), 422);
    rig->content_type = "audio/mpeg";
    assert_int_equal(rig_ask(rig, "PUT", target, ""), 422);
    rig->content_type = "text/html";
    assert_int_equal(rig_ask(rig, "PUT", target, MP3), 415);
    rig->content_type = NULL;
    assert_int_equal(rig_ask(rig, "PUT", target, MP3), 415);
    assert_int_equal(rig_ask(rig, "GET", target, NULL), 404);
}

static void a_recording_that_is_announced_as_too_large_is_413(void **state)
{
    struct rig *rig = *state;
    struct http_exchange_fake *fake =
            http_exchange_fake_new("PUT", recording_of(rig, rig_make_call(rig)));

    http_exchange_fake_add_header(
            fake, "Authorization", rig_textf(rig, "Bearer %s", rig->org_token));
    http_exchange_fake_add_header(fake, "Content-Type", "audio/mpeg");
    http_exchange_fake_exchange(fake)->content_length = INT64_C(536870913);
    assert_true(http_exchange_fake_serve(fake, api_handler(rig->api), 5000));
    assert_int_equal(http_exchange_fake_status(fake), 413);
    http_exchange_fake_free(fake);
}

static void a_recording_of_no_call_is_404_before_its_body_is_read(void **state)
{
    struct rig *rig = *state;

    rig->content_type = "audio/mpeg";
    assert_int_equal(rig_ask(rig, "PUT", "/v1/calls/999999/recording", MP3), 404);
    assert_int_equal(rig_ask(rig, "PUT", "/v1/calls/x/recording", MP3), 404);
    assert_int_equal(rig_ask(rig, "GET", "/v1/calls/999999/recording", NULL), 404);
    assert_int_equal(rig_ask(rig, "DELETE", "/v1/calls/999999/recording", NULL), 404);
    rig->token = NULL;
    assert_int_equal(rig_ask(rig, "PUT", "/v1/calls/1/recording", MP3), 401);
}

static void a_link_elsewhere_is_passed_on(void **state)
{
    struct rig *rig = *state;
    const char *target = recording_of(rig, rig_make_call(rig));

    assert_int_equal(rig_ask(rig, "PUT", target, "{\"url\":\"https://pbx.test/a.mp3\"}"), 200);
    rig_assert_str(rig, "file_status", "completed");
    rig_assert_str(rig, "recording.url", "https://pbx.test/a.mp3");
    assert_int_equal(rig_ask(rig, "GET", target, NULL), 302);
    assert_true(str_is(rig_reply_header(rig, "Location"), "https://pbx.test/a.mp3"));
}

static void a_url_to_fetch_is_uploading_unless_it_is_forbidden(void **state)
{
    struct rig *rig = *state;
    const char *target = recording_of(rig, rig_make_call(rig));

    assert_int_equal(
            rig_ask(rig, "PUT", target, "{\"url\":\"https://private.test/a\",\"fetch\":true}"),
            422);
    rig_assert_fault(rig, 422, "url");
    assert_int_equal(
            rig_ask(rig, "PUT", target, "{\"url\":\"http://127.0.0.1/a\",\"fetch\":true}"), 422);
    assert_int_equal(
            rig_ask(rig, "PUT", target, "{\"url\":\"https://pbx.test/a\",\"fetch\":true}"), 200);
    rig_assert_str(rig, "file_status", "uploading");
}

static void a_file_status_alone_can_be_set(void **state)
{
    struct rig *rig = *state;
    const char *target = recording_of(rig, rig_make_call(rig));

    assert_int_equal(rig_ask(rig, "PUT", target, "{\"file_status\":\"absent\"}"), 200);
    rig_assert_str(rig, "file_status", "absent");
    assert_true(rig_str(rig, "payload_id").len > 0);
    assert_int_equal(rig_ask(rig, "PUT", target, "{\"file_status\":\"absent\"}"), 200);
    assert_int_equal(json_type(rig_value(rig, "payload_id")), JSON_NULL_TYPE);
}

static void wrong_json_is_422(void **state)
{
    static const char *const wrong[] = {"{}",
            "{\"file_status\":\"completed\"}",
            "{\"file_status\":\"deleted\"}",
            "{\"file_status\":\"x\"}",
            "{\"file_status\":\"absent\",\"url\":\"https://pbx.test/a\"}",
            "{\"file_status\":\"absent\",\"fetch\":true}",
            "{\"url\":\"nonsense\"}",
            "{\"url\":\"https://pbx.test/a\",\"fetch\":1}",
            "{\"url\":\"https://pbx.test/a\",\"x\":1}"};
    struct rig *rig = *state;
    const char *target = recording_of(rig, rig_make_call(rig));

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        if (rig_ask(rig, "PUT", target, wrong[i]) != 422)
            fail_msg("%s gives %.*s", wrong[i], STR_ARG(rig_body(rig)));
    assert_int_equal(rig_ask(rig, "PUT", target, "{"), 400);
}

static size_t count_incoming(struct rig *rig)
{
    DIR *folder = opendir(temp_folder_path(&rig->folder, "recordings/incoming"));
    size_t count = 0;
    const struct dirent *entry;

    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL)
        count += entry->d_name[0] != '.' ? 1 : 0;
    closedir(folder);
    return count;
}

static void an_upload_that_is_refused_leaves_no_file(void **state)
{
    struct rig *rig = *state;
    int64_t call_id = rig_make_call(rig);

    rig->content_type = "audio/wav";
    for (int i = 0; i < 5; i++)
        assert_int_equal(rig_ask(rig, "PUT", recording_of(rig, call_id), MP3), 422);
    /* The recordings' thread takes its work in order: before this ends, the others are gone. */
    (void)put_audio(rig, call_id);
    assert_true(count_incoming(rig) <= 1);
}

static void an_upload_whose_client_goes_away_ends(void **state)
{
    struct rig *rig = *state;
    struct http_exchange_fake *fake =
            http_exchange_fake_new("PUT", recording_of(rig, rig_make_call(rig)));

    http_exchange_fake_add_header(
            fake, "Authorization", rig_textf(rig, "Bearer %s", rig->org_token));
    http_exchange_fake_add_header(fake, "Content-Type", "audio/mpeg");
    http_exchange_fake_set_body(fake, STR(MP3));
    http_exchange_fake_begin(fake, api_handler(rig->api));
    http_exchange_fake_free(fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            RIG_TEST(put_audio_is_served_by_its_link_without_a_token),
            RIG_TEST(audio_in_pieces_without_a_length_is_taken),
            RIG_TEST(a_range_is_a_part_of_the_file),
            RIG_TEST(conditions_compare_the_etag),
            RIG_TEST(a_wrong_link_opens_nothing),
            RIG_TEST(a_deleted_recording_is_gone_and_so_is_its_link),
            RIG_TEST(the_same_audio_again_emits_nothing_and_stays_readable),
            RIG_TEST(bytes_that_are_not_the_type_are_422_and_other_types_415),
            RIG_TEST(a_recording_that_is_announced_as_too_large_is_413),
            RIG_TEST(a_recording_of_no_call_is_404_before_its_body_is_read),
            RIG_TEST(a_link_elsewhere_is_passed_on),
            RIG_TEST(a_url_to_fetch_is_uploading_unless_it_is_forbidden),
            RIG_TEST(a_file_status_alone_can_be_set),
            RIG_TEST(wrong_json_is_422),
            RIG_TEST(an_upload_that_is_refused_leaves_no_file),
            RIG_TEST(an_upload_whose_client_goes_away_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
