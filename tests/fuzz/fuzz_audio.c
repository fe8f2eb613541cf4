/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_audio - a line with a content type, then the first bytes of a file. */
#include "domain/audio.h"
#include "fuzz.h"

static void check_known(struct str type, struct str canonical, struct str bytes)
{
    struct str again = STR_NONE;
    bool matches = audio_matches(type, bytes);
    char *head = (char *)malloc(AUDIO_MAGIC_BYTES); /* exactly what may be looked at */
    struct str first = str_slice(bytes, 0, AUDIO_MAGIC_BYTES);

    assert(audio_type_parse(canonical, &again) && str_equal(again, canonical));
    assert(str_equal(audio_extension(type), audio_extension(canonical)));
    assert(!str_is(audio_extension(type), ".bin") && audio_extension(type).ptr[0] == '.');
    assert(audio_matches(canonical, bytes) == matches);
    if (head == NULL)
        abort();
    memcpy(head, first.ptr, first.len);
    assert(audio_matches(type, (struct str){head, first.len}) == matches);
    assert(!audio_matches(type, STR("")) && !audio_matches(type, STR_NONE));
    free(head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = fuzz_text(data, size);
    CLEANUP(fuzz_part_done) struct fuzz_part type = fuzz_line(&rest);
    struct str canonical = STR_NONE;

    if (audio_type_parse(type.text, &canonical)) {
        check_known(type.text, canonical, rest);
    } else {
        assert(canonical.ptr == NULL && !audio_matches(type.text, rest));
        assert(str_is(audio_extension(type.text), ".bin"));
    }
    return 0;
}
