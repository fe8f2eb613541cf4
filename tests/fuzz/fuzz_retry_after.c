/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_retry_after - any header value as Retry-After: never negative, never above the cap. */
#include "base/rfc3339.h"
#include "domain/retry_schedule.h"
#include "fuzz.h"

static int64_t wait_ms(struct str value, int64_t now_ms)
{
    int64_t wait = retry_after_parse(value, now_ms);

    assert(wait >= 0 && wait <= RETRY_AFTER_MAX_MS);
    return wait;
}

static int64_t cap(int64_t wait)
{
    return wait < 0 ? 0 : wait < RETRY_AFTER_MAX_MS ? wait : RETRY_AFTER_MAX_MS;
}

static bool is_digits(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return text.len > 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t nows_ms[] = {0, INT64_C(784111777000), INT64_C(253402300799999)};
    struct str value = fuzz_text(data, size);
    struct str text = str_trim(value);
    int64_t number = 0;
    int64_t at_ms = 0;

    for (size_t i = 0; i < sizeof(nows_ms) / sizeof(nows_ms[0]); i++) {
        int64_t wait = wait_ms(value, nows_ms[i]);

        if (is_digits(text))
            assert(wait == (str_to_i64(text, &number) && number < 86400 ? number * 1000
                                                                        : RETRY_AFTER_MAX_MS));
        else
            assert(wait == (http_date_parse(text, &at_ms) ? cap(at_ms - nows_ms[i]) : 0));
    }
    return 0;
}
