/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_recording_link - any name of a recording's link: what is read makes the name again. */
#include "domain/recording_link.h"
#include "fuzz.h"

#define UNTOUCHED INT64_C(-77)

static const uint8_t KEY[SECRET_KEY_BYTES] = {1, 2, 3};

static void check_name(struct str name)
{
    CLEANUP(buf_done) struct buf start = {0};
    int64_t call_id = UNTOUCHED;
    struct str signature = STR_NONE;

    if (!recording_link_parse(name, &call_id, &signature)) {
        assert(call_id == UNTOUCHED && signature.ptr == NULL);
        return;
    }
    assert(call_id >= 1 && call_id < (INT64_C(1) << 53) && signature.len == 32);
    buf_addf(&start, "%lld-%.*s.", (long long)call_id, STR_ARG(signature));
    assert(str_starts(name, buf_str(&start)));
    assert(str_find_char(name, '/', 0) < 0 && str_find_char(name, '\0', 0) < 0);
}

/* A link of ours is read, and fits its call and generation alone. */
static void check_ours(int64_t call_id, int64_t generation)
{
    CLEANUP(buf_done) struct buf link = {0};
    int64_t read_id = 0;
    struct str signature = STR_NONE;
    const struct str base = STR("https://calls.example.com");

    recording_link_write(&link, base, KEY, call_id, generation, STR("audio/ogg"));
    struct str name = str_slice(buf_str(&link), base.len + strlen("/recordings/"), link.len);
    bool ok = recording_link_parse(name, &read_id, &signature);

    assert(ok && read_id == call_id);
    assert(recording_link_matches(KEY, call_id, generation, signature));
    assert(!recording_link_matches(KEY, call_id, generation + 1, signature));
    assert(!recording_link_matches(KEY, call_id + 1, generation, signature));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t number = 0;

    check_name(fuzz_text(data, size));
    memcpy(&number, data, size < sizeof(number) ? size : sizeof(number));
    check_ours((int64_t)(number % ((UINT64_C(1) << 53) - 1)) + 1, (int64_t)(number >> 60));
    return 0;
}
