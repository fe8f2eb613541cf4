/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of base/rfc3339: writing, strict reading, HTTP-dates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rfc3339.h"

static void moments_are_written_in_utc(void **state)
{
    static const struct {
        int64_t at_ms;
        const char *ms;
        const char *seconds;
    } rows[] = {
            {0, "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00Z"},
            {INT64_C(951782399999), "2000-02-28T23:59:59.999Z", "2000-02-28T23:59:59Z"},
            {INT64_C(951782400000), "2000-02-29T00:00:00.000Z", "2000-02-29T00:00:00Z"},
            {INT64_C(1777377493123), "2026-04-28T11:58:13.123Z", "2026-04-28T11:58:13Z"},
            {INT64_C(253402300799999), "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59Z"},
            /* Outside the years that are written: the nearest moment that is. */
            {-1, "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00Z"},
            {INT64_MIN, "1970-01-01T00:00:00.000Z", "1970-01-01T00:00:00Z"},
            {INT64_MAX, "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59Z"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct buf buf = {0};

        rfc3339_add_ms(&buf, rows[i].at_ms);
        assert_true(str_is(buf_str(&buf), rows[i].ms));
        assert_true(buf.len < RFC3339_SIZE);
        buf_clear(&buf);
        rfc3339_add_seconds(&buf, rows[i].at_ms);
        assert_true(str_is(buf_str(&buf), rows[i].seconds));
        buf_done(&buf);
    }
}

static void date_times_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t at_ms;
    } rows[] = {
            {"1970-01-01T00:00:00Z", 0},
            {"2026-04-28T11:58:13Z", INT64_C(1777377493000)},
            {"2026-04-28t11:58:13z", INT64_C(1777377493000)},
            {"2026-04-28T11:58:13.1Z", INT64_C(1777377493100)},
            {"2026-04-28T11:58:13.123Z", INT64_C(1777377493123)},
            {"2026-04-28T11:58:13.1239999999999999Z", INT64_C(1777377493123)},
            {"2026-04-28T11:58:13+02:00", INT64_C(1777370293000)},
            {"2026-04-28T11:58:13.5-02:30", INT64_C(1777386493500)},
            {"2026-04-28T11:58:13-00:00", INT64_C(1777377493000)},
            {"2000-02-29T23:59:59.999Z", INT64_C(951868799999)},
            {"2016-12-31T23:59:60Z", INT64_C(1483228799000)},
            {"2016-12-31T23:59:60.250Z", INT64_C(1483228799250)},
            {"2017-01-01T00:59:60+01:00", INT64_C(1483228799000)},
            {"1969-12-31T23:00:00-01:00", 0},
            {"9999-12-31T23:59:59.999Z", INT64_C(253402300799999)},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t at_ms = -1;

        assert_true(rfc3339_parse(str_from(rows[i].text), &at_ms));
        assert_int_equal(at_ms, rows[i].at_ms);
    }
}

static void what_is_no_date_time_is_refused(void **state)
{
    static const char *const bad[] = {
            "",
            "2026-04-28",
            "2026-04-28T11:58:13",
            "2026-04-28T11:58Z",
            "2026-04-28 11:58:13Z",
            "2026-4-28T11:58:13Z",
            "26-04-28T11:58:13Z",
            "+026-04-28T11:58:13Z",
            "2026-04-28T11:58:13Z ",
            " 2026-04-28T11:58:13Z",
            "2026-04-28T11:58:13ZZ",
            "2026-04-28T11:58:13.Z",
            "2026-04-28T11:58:13,5Z",
            "2026-04-28T11:58:13.5",
            "2026-04-28T11:58:13.5x",
            "2026-04-28T11:58:13+02",
            "2026-04-28T11:58:13+0200",
            "2026-04-28T11:58:13+02:000",
            "2026-04-28T11:58:13+24:00",
            "2026-04-28T11:58:13+02:60",
            "2026-04-28T11:58:13*02:00",
            "2026-00-28T11:58:13Z",
            "2026-13-28T11:58:13Z",
            "2026-04-00T11:58:13Z",
            "2026-04-31T11:58:13Z",
            "2026-02-29T11:58:13Z",
            "2100-02-29T11:58:13Z",
            "2026-04-28T24:00:00Z",
            "2026-04-28T11:60:13Z",
            "2026-04-28T11:58:61Z",
            "2026-04-28T11:58:60Z", /* no leap second ends here */
            "2016-12-31T23:59:60+01:00",
            "1969-12-31T23:59:59.999Z",
            "1970-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
            "0000-01-01T00:00:00Z",
            "2026-04-28T-1:58:13Z",
            ("\xD9\xA2"
             "026-04-28T11:58:13Z"), /* a digit, but not an ASCII one */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t at_ms = 77;

        assert_false(rfc3339_parse(str_from(bad[i]), &at_ms));
        assert_int_equal(at_ms, 77);
    }
    assert_false(rfc3339_parse(STR_NONE, &(int64_t){0}));
    assert_false(rfc3339_parse(STR("2026-04-28T11:58:13Z\0"), &(int64_t){0}));
}

static void what_is_cut_anywhere_is_refused(void **state)
{
    struct str whole = STR("2026-04-28T11:58:13.123+02:00");

    (void)state;
    for (size_t len = 0; len < whole.len; len++) {
        int64_t at_ms;

        assert_false(rfc3339_parse(str_slice(whole, 0, len), &at_ms));
    }
}

static void all_forms_of_http_dates_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t at_ms;
    } rows[] = {
            {"Sun, 06 Nov 1994 08:49:37 GMT", INT64_C(784111777000)},
            {"Sunday, 06-Nov-94 08:49:37 GMT", INT64_C(784111777000)},
            {"Sun Nov  6 08:49:37 1994", INT64_C(784111777000)},
            {"Tue, 28 Apr 2026 11:58:13 GMT", INT64_C(1777377493000)},
            {"Tuesday, 28-Apr-26 11:58:13 GMT", INT64_C(1777377493000)},
            {"Tue Apr 28 11:58:13 2026", INT64_C(1777377493000)},
            {"Sat, 31 Dec 2016 23:59:60 GMT", INT64_C(1483228799000)},
            {"Thursday, 01-Jan-70 00:00:00 GMT", 0},
            {"Tuesday, 31-Dec-69 23:59:59 GMT", INT64_C(3155759999000)},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t at_ms = -1;

        assert_true(http_date_parse(str_from(rows[i].text), &at_ms));
        assert_int_equal(at_ms, rows[i].at_ms);
    }
}

static void what_is_no_http_date_is_refused(void **state)
{
    static const char *const bad[] = {
            "",
            "120",
            "Sun",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37 GMT ",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "sun, 06 nov 1994 08:49:37 gmt",
            "Sux, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nox 1994 08:49:37 GMT",
            "Sun, 31 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 25:49:37 GMT",
            "Sun, 06 Nov 1969 08:49:37 GMT",
            "Sun, 06 Nov 94 08:49:37 GMT",
            "Sun, 06-Nov-94 08:49:37 GMT",
            "Sunday, 06 Nov 1994 08:49:37 GMT",
            "Sun Nov 6 08:49:37 1994",
            "Sun Nov  6 08:49:37 1994 GMT",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t at_ms = 77;

        assert_false(http_date_parse(str_from(bad[i]), &at_ms));
        assert_int_equal(at_ms, 77);
    }
    assert_false(http_date_parse(STR_NONE, &(int64_t){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(moments_are_written_in_utc),
            cmocka_unit_test(date_times_are_read),
            cmocka_unit_test(what_is_no_date_time_is_refused),
            cmocka_unit_test(what_is_cut_anywhere_is_refused),
            cmocka_unit_test(all_forms_of_http_dates_are_read),
            cmocka_unit_test(what_is_no_http_date_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
