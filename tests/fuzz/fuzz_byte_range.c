/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_byte_range - a line with a file's size, then a Range header: a part lies in the file. */
#include "api/byte_range.h"
#include "fuzz.h"

static void check_range(struct str range, int64_t size_bytes)
{
    int64_t first = -77;
    int64_t count = -77;

    if (byte_range_read(range, size_bytes, &first, &count) != BYTE_RANGE_PART) {
        assert(first == -77 && count == -77);
        return;
    }
    assert(first >= 0 && first < size_bytes && count >= 1 && count <= size_bytes - first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = fuzz_text(data, size);
    CLEANUP(fuzz_part_done) struct fuzz_part line = fuzz_line(&rest);
    CLEANUP(fuzz_part_done) struct fuzz_part range = fuzz_line(&rest);
    int64_t size_bytes = 0;

    (void)str_to_i64(line.text, &size_bytes);
    check_range(range.text, size_bytes >= 0 ? size_bytes : 0);
    check_range(range.text, 0);
    check_range(range.text, 1);
    check_range(range.text, INT64_MAX);
    return 0;
}
