/* SPDX-License-Identifier: Apache-2.0 */
/* audio - the table of audio types, and how their files begin. */
#include "domain/audio.h"

#include <string.h>

static bool has_at(struct str bytes, size_t offset, struct str magic)
{
    return str_equal(str_slice(bytes, offset, magic.len), magic);
}

static unsigned byte_at(struct str bytes, size_t i)
{
    return i < bytes.len ? (unsigned char)bytes.ptr[i] : 0;
}

/* An MPEG audio frame header (ISO/IEC 11172-3 section 2.4.1.3) with no reserved value in it. */
static bool is_mpeg_frame(struct str bytes)
{
    unsigned second = byte_at(bytes, 1);
    unsigned third = byte_at(bytes, 2);

    return bytes.len >= 4 && byte_at(bytes, 0) == 0xFF && (second & 0xE0) == 0xE0 &&
           (second & 0x18) != 0x08 &&                        /* version */
           (second & 0x06) != 0 &&                           /* layer; 0 is AAC in ADTS */
           (third & 0xF0) != 0xF0 && (third & 0x0C) != 0x0C; /* bit rate, sampling rate */
}

static bool is_mpeg(struct str bytes)
{
    return has_at(bytes, 0, STR("ID3")) || is_mpeg_frame(bytes);
}

static bool is_wav(struct str bytes)
{
    return (has_at(bytes, 0, STR("RIFF")) || has_at(bytes, 0, STR("RF64"))) &&
           has_at(bytes, 8, STR("WAVE"));
}

static bool is_ogg(struct str bytes)
{
    return has_at(bytes, 0, STR("OggS"));
}

static bool is_mp4(struct str bytes)
{
    return has_at(bytes, 4, STR("ftyp"));
}

/* ADTS frames (ISO/IEC 13818-7 section 6.2), with or without an ID3 tag before them; or ADIF. */
static bool is_aac(struct str bytes)
{
    bool is_adts =
            bytes.len >= 2 && byte_at(bytes, 0) == 0xFF && (byte_at(bytes, 1) & 0xF6) == 0xF0;

    return is_adts || has_at(bytes, 0, STR("ID3")) || has_at(bytes, 0, STR("ADIF"));
}

static bool is_amr(struct str bytes)
{
    return has_at(bytes, 0, STR("#!AMR\n")) || has_at(bytes, 0, STR("#!AMR-WB\n"));
}

static bool is_flac(struct str bytes)
{
    return has_at(bytes, 0, STR("fLaC"));
}

/* EBML whose DocType, early in its header, is webm. */
static bool is_webm(struct str bytes)
{
    struct str head = str_slice(bytes, 0, AUDIO_MAGIC_BYTES);

    return has_at(head, 0, STR("\x1A\x45\xDF\xA3")) &&
           memmem(head.ptr, head.len, "webm", 4) != NULL;
}

struct audio_type {
    const char *name;
    const char *canonical;
    const char *extension;
    bool (*matches)(struct str first_bytes);
};

static const struct audio_type AUDIO_TYPES[] = {
        {"audio/mpeg", "audio/mpeg", ".mp3", is_mpeg},
        {"audio/wav", "audio/wav", ".wav", is_wav},
        {"audio/x-wav", "audio/wav", ".wav", is_wav},
        {"audio/ogg", "audio/ogg", ".ogg", is_ogg},
        {"audio/mp4", "audio/mp4", ".m4a", is_mp4},
        {"audio/aac", "audio/aac", ".aac", is_aac},
        {"audio/amr", "audio/amr", ".amr", is_amr},
        {"audio/flac", "audio/flac", ".flac", is_flac},
        {"audio/webm", "audio/webm", ".webm", is_webm},
};

static const struct audio_type *find_type(struct str content_type)
{
    struct str rest = content_type;
    struct str name = str_trim(str_split(&rest, ';'));

    for (size_t i = 0; i < sizeof(AUDIO_TYPES) / sizeof(AUDIO_TYPES[0]); i++)
        if (str_equal_nocase(name, str_from(AUDIO_TYPES[i].name)))
            return &AUDIO_TYPES[i];
    return NULL;
}

bool audio_type_parse(struct str content_type, struct str *ret_type)
{
    const struct audio_type *type = find_type(content_type);

    if (type == NULL)
        return false;
    *ret_type = str_from(type->canonical);
    return true;
}

struct str audio_extension(struct str type)
{
    const struct audio_type *found = find_type(type);

    return str_from(found != NULL ? found->extension : ".bin");
}

bool audio_matches(struct str type, struct str first_bytes)
{
    const struct audio_type *found = find_type(type);

    return found != NULL && found->matches(first_bytes);
}
