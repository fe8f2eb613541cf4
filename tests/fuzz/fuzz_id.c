/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_id - any text as an id: one that is read is written as the same text, but for its case. */
#include "base/id.h"
#include "fuzz.h"

#define UNTOUCHED INT64_C(-77)

static void check_text(struct str text, const char *prefix)
{
    int64_t id = UNTOUCHED;
    char again[ID_TEXT_SIZE];

    if (!id_parse(text, prefix, &id)) {
        assert(id == UNTOUCHED);
        return;
    }
    assert(id >= 0 && id_at_ms(id) >= 0);
    assert(str_equal_nocase(id_format(again, prefix, id), text));
}

static void check_number(int64_t id)
{
    char text[ID_TEXT_SIZE];
    int64_t again = UNTOUCHED;
    bool ok = id_parse(id_format(text, "dlv_", id), "dlv_", &again);

    assert(ok && again == id);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const prefixes[] = {"", "dlv_", "wh_", "wh_test_"};
    uint64_t number = 0;

    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
        check_text(fuzz_text(data, size), prefixes[i]);
    memcpy(&number, data, size < sizeof(number) ? size : sizeof(number));
    check_number((int64_t)(number & INT64_MAX));
    return 0;
}
