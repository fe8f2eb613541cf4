/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_latency - any text as stored latencies: only what we write is read, and it is written so. */
#include "domain/latency.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = fuzz_text(data, size);
    struct latency latency = {.count = {-77}};
    CLEANUP(buf_done) struct buf again = {0};
    enum err err = latency_parse(text, &latency);
    int64_t last_us = 0;

    if (err != ERR_NONE) {
        assert(err == ERR_CORRUPT && latency.count[0] == -77);
        return 0;
    }
    latency_write(&again, &latency);
    assert(str_equal(buf_str(&again), text));
    for (int i = 0; i <= 10; i++) {
        int64_t share_us = latency_percentile_us(&latency, i / 10.0);

        assert(share_us >= last_us && (share_us > 0) == (text.len > 0));
        last_us = share_us;
    }
    return 0;
}
