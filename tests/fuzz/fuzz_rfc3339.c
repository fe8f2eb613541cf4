/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_rfc3339 - any text as a moment: what is read is written as a text of the same moment. */
#include "base/rfc3339.h"
#include "fuzz.h"

#define UNTOUCHED INT64_C(-77)
/* The end of the year 9999. */
#define LAST_MS INT64_C(253402300799999)

static int64_t parse(struct str text)
{
    int64_t at_ms = UNTOUCHED;
    bool ok = rfc3339_parse(text, &at_ms);

    assert(ok ? at_ms >= 0 && at_ms <= LAST_MS : at_ms == UNTOUCHED);
    return at_ms;
}

static void check_round_trip(int64_t at_ms)
{
    CLEANUP(buf_done) struct buf exact = {0};
    CLEANUP(buf_done) struct buf cut = {0};

    rfc3339_add_ms(&exact, at_ms);
    rfc3339_add_seconds(&cut, at_ms);
    assert(exact.len == strlen("2026-04-28T11:58:13.000Z") && parse(buf_str(&exact)) == at_ms);
    assert(cut.len == strlen("2026-04-28T11:58:13Z"));
    assert(parse(buf_str(&cut)) == at_ms - at_ms % 1000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = fuzz_text(data, size);
    int64_t at_ms = parse(text);
    int64_t http_ms = UNTOUCHED;

    if (at_ms != UNTOUCHED)
        check_round_trip(at_ms);
    if (http_date_parse(text, &http_ms)) {
        assert(at_ms == UNTOUCHED && http_ms >= 0 && http_ms <= LAST_MS && http_ms % 1000 == 0);
        check_round_trip(http_ms);
    } else {
        assert(http_ms == UNTOUCHED);
    }
    return 0;
}
