/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_header - a line with a header's name, then its value: what passes can neither end the line
 * that it is written to nor take the place of a header of ours.
 */
#include "domain/endpoint.h"
#include "fuzz.h"

static void check_passed(struct str name, struct str value)
{
    static const char *const ours[] = {"content-type",
            "user-agent",
            "webhook-id",
            "webhook-timestamp",
            "webhook-signature",
            "host",
            "content-length",
            "transfer-encoding",
            "connection",
            "x-callsync-signature",
            "x-callsync-test"};

    assert(name.len >= 1 && name.len <= ENDPOINT_HEADER_NAME_MAX_BYTES);
    assert(value.len >= 1 && value.len <= ENDPOINT_HEADER_VALUE_MAX_BYTES);
    for (size_t i = 0; i < name.len; i++)
        assert(name.ptr[i] > ' ' && name.ptr[i] < 0x7F && name.ptr[i] != ':');
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        assert(!str_equal_nocase(name, str_from(ours[i])));
    assert(str_find_char(value, '\r', 0) < 0 && str_find_char(value, '\n', 0) < 0);
    assert(str_find_char(value, '\0', 0) < 0 && str_equal(str_trim(value), value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str value = fuzz_text(data, size);
    CLEANUP(fuzz_part_done) struct fuzz_part name = fuzz_line(&value);
    struct error why = {0};
    enum err err = endpoint_check_header(name.text, value, &why);

    if (err == ERR_NONE) {
        check_passed(name.text, value);
    } else {
        assert(err == ERR_INVALID);
        fuzz_check_why(err, &why);
    }
    return 0;
}
