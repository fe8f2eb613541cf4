/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_codec - any text as base64 and as hex: there is one text for given bytes (but for the case
 * of hex), and what is refused leaves the buffer as it was.
 */
#include "base/codec.h"
#include "fuzz.h"

typedef enum err decode_fn(struct str text, struct buf *ret_bytes);
typedef void encode_fn(struct buf *buf, struct str bytes);

static const char BEFORE[] = "before";

/* Decodes behind bytes that must stay; returns the part that was appended. */
static enum err append(decode_fn *decode, struct str text, struct buf *buf, struct str *ret_bytes)
{
    buf_add_text(buf, BEFORE);

    enum err err = decode(text, buf);

    assert(buf->len >= strlen(BEFORE) && memcmp(buf->ptr, BEFORE, strlen(BEFORE)) == 0);
    *ret_bytes = str_slice(buf_str(buf), strlen(BEFORE), buf->len);
    assert(err == ERR_NONE || ret_bytes->len == 0);
    return err;
}

static void check_text(decode_fn *decode, encode_fn *encode, struct str text)
{
    CLEANUP(buf_done) struct buf buf = {0};
    CLEANUP(buf_done) struct buf again = {0};
    CLEANUP(buf_done) struct buf small = {0};
    struct str bytes;
    struct str unused;
    enum err err = append(decode, text, &buf, &bytes);

    if (err != ERR_NONE) {
        assert(err == ERR_INVALID);
        return;
    }
    encode(&again, bytes);
    assert(encode == codec_add_hex ? str_equal_nocase(buf_str(&again), text)
                                   : str_equal(buf_str(&again), text));
    if (bytes.len > 0) {
        buf_init(&small, strlen(BEFORE) + bytes.len - 1);
        err = append(decode, text, &small, &unused);
        assert(err == ERR_LIMIT);
    }
}

static void check_bytes(decode_fn *decode, encode_fn *encode, struct str bytes)
{
    CLEANUP(buf_done) struct buf text = {0};
    CLEANUP(buf_done) struct buf buf = {0};
    struct str again;

    encode(&text, bytes);
    enum err err = append(decode, buf_str(&text), &buf, &again);

    assert(err == ERR_NONE && str_equal(again, bytes));
}

static void check_base64url(struct str bytes)
{
    CLEANUP(buf_done) struct buf text = {0};

    codec_add_base64url(&text, bytes);
    assert(text.len == (bytes.len * 4 + 2) / 3);
    for (size_t i = 0; i < text.len; i++)
        assert(strchr("+/=", text.ptr[i]) == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = fuzz_text(data, size);

    check_text(codec_read_base64, codec_add_base64, text);
    check_text(codec_read_hex, codec_add_hex, text);
    check_bytes(codec_read_base64, codec_add_base64, text);
    check_bytes(codec_read_hex, codec_add_hex, text);
    check_base64url(text);
    return 0;
}
