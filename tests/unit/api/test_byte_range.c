/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of byte_range. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "api/byte_range.h"

static const struct {
    const char *range; /* NULL: none */
    int64_t size_bytes;
    enum byte_range expected;
    int64_t first;
    int64_t count;
} CASES[] = {
        {NULL, 100, BYTE_RANGE_WHOLE, 0, 0},
        {"", 100, BYTE_RANGE_WHOLE, 0, 0},
        {"bytes=0-0", 100, BYTE_RANGE_PART, 0, 1},
        {"bytes=0-99", 100, BYTE_RANGE_PART, 0, 100},
        {"bytes=10-19", 100, BYTE_RANGE_PART, 10, 10},
        {"bytes=10-", 100, BYTE_RANGE_PART, 10, 90},
        {"bytes=0-", 100, BYTE_RANGE_PART, 0, 100},
        {"bytes=90-1000", 100, BYTE_RANGE_PART, 90, 10},
        {"bytes=90-99999999999999999999999", 100, BYTE_RANGE_PART, 90, 10},
        {"bytes=-10", 100, BYTE_RANGE_PART, 90, 10},
        {"bytes=-1000", 100, BYTE_RANGE_PART, 0, 100},
        {"Bytes=1-2", 100, BYTE_RANGE_PART, 1, 2},
        {"bytes=100-", 100, BYTE_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=99999999999999999999999-", 100, BYTE_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=-0", 100, BYTE_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=0-", 0, BYTE_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=-1", 0, BYTE_RANGE_UNSATISFIABLE, 0, 0},
        {"bytes=5-4", 100, BYTE_RANGE_WHOLE, 0, 0},
        {"bytes=0-1,5-6", 100, BYTE_RANGE_WHOLE, 0, 0},
        {"bytes=-", 100, BYTE_RANGE_WHOLE, 0, 0},
        {"bytes=", 100, BYTE_RANGE_WHOLE, 0, 0},
        {"bytes=a-b", 100, BYTE_RANGE_WHOLE, 0, 0},
        {"bytes=1--2", 100, BYTE_RANGE_WHOLE, 0, 0},
        {"bytes=+1-2", 100, BYTE_RANGE_WHOLE, 0, 0},
        {"bytes 1-2", 100, BYTE_RANGE_WHOLE, 0, 0},
        {"items=1-2", 100, BYTE_RANGE_WHOLE, 0, 0},
};

static void each_range_gives_the_part_of_the_file_that_it_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        int64_t first = 0;
        int64_t count = 0;
        enum byte_range found =
                byte_range_read(str_from(CASES[i].range), CASES[i].size_bytes, &first, &count);

        if (found != CASES[i].expected || first != CASES[i].first || count != CASES[i].count)
            fail_msg("\"%s\" of %d bytes gives %d, %d, %d",
                    CASES[i].range,
                    (int)CASES[i].size_bytes,
                    (int)found,
                    (int)first,
                    (int)count);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(each_range_gives_the_part_of_the_file_that_it_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
