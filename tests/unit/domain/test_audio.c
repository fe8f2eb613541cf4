/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of domain/audio. */
#include "assert_str.h"
#include "domain/audio.h"

static void types_are_read_without_parameters_in_any_case(void **state)
{
    static const struct {
        const char *text;
        const char *type;
        const char *extension;
    } rows[] = {
            {"audio/mpeg", "audio/mpeg", ".mp3"},
            {"audio/wav", "audio/wav", ".wav"},
            {"audio/x-wav", "audio/wav", ".wav"},
            {"Audio/OGG; codecs=opus", "audio/ogg", ".ogg"},
            {"audio/mp4", "audio/mp4", ".m4a"},
            {"audio/aac", "audio/aac", ".aac"},
            {"audio/amr", "audio/amr", ".amr"},
            {"audio/flac", "audio/flac", ".flac"},
            {"audio/webm ;codecs=opus", "audio/webm", ".webm"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str type = STR_NONE;

        assert_true(audio_type_parse(str_from(rows[i].text), &type));
        assert_str(type, rows[i].type);
        assert_str(audio_extension(type), rows[i].extension);
    }
}

static void other_types_are_refused(void **state)
{
    static const char *const bad[] = {NULL,
            "",
            "audio",
            "audio/",
            "audio/midi",
            "video/mp4",
            "application/json",
            "; audio/wav"};

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct str type = STR("before");

        assert_false(audio_type_parse(str_from(bad[i]), &type));
        assert_str(type, "before");
        assert_str(audio_extension(str_from(bad[i])), ".bin");
        assert_false(audio_matches(str_from(bad[i]), STR("RIFF....WAVE")));
    }
}

#define EBML "\x1A\x45\xDF\xA3\x9F\x42\x86\x81\x01\x42\xF7\x81\x01\x42\xF2\x81\x04\x42\xF3\x81\x08"

static const struct {
    const char *type;
    struct str bytes;
} FILES[] = {
        {"audio/mpeg", {"ID3\x04\x00", 5}},
        {"audio/mpeg", {"\xFF\xFB\x90\x64", 4}}, /* MPEG 1, layer III */
        {"audio/mpeg", {"\xFF\xF3\x40\xC4", 4}}, /* MPEG 2, layer III */
        {"audio/mpeg", {"\xFF\xFD\x90\x64", 4}}, /* MPEG 1, layer II */
        {"audio/wav", {"RIFF\x24\x00\x00\x00WAVEfmt ", 16}},
        {"audio/wav", {"RF64\xFF\xFF\xFF\xFFWAVEds64", 16}},
        {"audio/ogg", {"OggS\x00\x02", 6}},
        {"audio/mp4",
                {"\x00\x00\x00\x20"
                 "ftypM4A ",
                        12}},
        {"audio/aac", {"\xFF\xF1\x50\x80", 4}},
        {"audio/aac", {"\xFF\xF9\x50\x80", 4}},
        {"audio/aac", {"ADIF", 4}},
        {"audio/amr", {"#!AMR\n", 6}},
        {"audio/amr", {"#!AMR-WB\n", 9}},
        {"audio/flac", {"fLaC\x00", 5}},
        {"audio/webm", {EBML "\x42\x82\x84webm", 28}},
};

static void files_begin_as_their_type_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(FILES); i++)
        assert_true(audio_matches(str_from(FILES[i].type), FILES[i].bytes));
}

static void a_file_that_is_cut_short_does_not_match(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(FILES); i++) {
        struct str type = str_from(FILES[i].type);

        assert_false(audio_matches(type, STR_NONE));
        assert_false(audio_matches(type, STR("")));
        assert_false(audio_matches(type, str_slice(FILES[i].bytes, 0, 1)));
    }
}

static void a_file_of_another_type_does_not_match(void **state)
{
    static const struct {
        const char *type;
        struct str bytes;
    } rows[] = {
            {"audio/mpeg", {"<html><body>", 12}},
            {"audio/mpeg", {"\xFF\xF1\x50\x80", 4}}, /* AAC */
            {"audio/mpeg", {"\xFF\xEB\x90\x64", 4}}, /* reserved version */
            {"audio/mpeg", {"\xFF\xFB\xF0\x64", 4}}, /* bit rate that does not exist */
            {"audio/mpeg", {"\xFF\xFB\x9C\x64", 4}}, /* sampling rate that does not exist */
            {"audio/mpeg", {"\xFF\xFF\xFF\xFF", 4}},
            {"audio/aac", {"\xFF\xFB\x90\x64", 4}}, /* MP3 */
            {"audio/wav",
                    {"RIFF\x24\x00\x00\x00"
                     "AVI LIST",
                            16}},
            {"audio/webm", {EBML "\x42\x82\x88matroska", 32}},
            {"audio/mp4", {"ftypM4A \x00\x00\x00\x00", 12}},
            {"audio/ogg", {"fLaC\x00\x00", 6}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_false(audio_matches(str_from(rows[i].type), rows[i].bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(types_are_read_without_parameters_in_any_case),
            cmocka_unit_test(other_types_are_refused),
            cmocka_unit_test(files_begin_as_their_type_says),
            cmocka_unit_test(a_file_that_is_cut_short_does_not_match),
            cmocka_unit_test(a_file_of_another_type_does_not_match),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
