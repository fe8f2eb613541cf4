/* SPDX-License-Identifier: Apache-2.0 */
/* rfc3339 - writing and strictly reading moments; HTTP-dates too, which share the field reader. */
#include "base/rfc3339.h"

#include <string.h>
#include <time.h>

#define LAST_MS INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, DAY_MS = 24 * 60 * MINUTE_MS };

static void add_up_to_seconds(struct buf *buf, int64_t at_ms)
{
    time_t seconds = (time_t)(at_ms / SECOND_MS);
    char text[RFC3339_SIZE];
    struct tm tm;

    (void)gmtime_r(&seconds, &tm);
    buf_add(buf, text, strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm));
}

static int64_t clamp(int64_t at_ms)
{
    if (at_ms < 0)
        return 0;
    return at_ms < LAST_MS ? at_ms : LAST_MS;
}

void rfc3339_add_ms(struct buf *buf, int64_t at_ms)
{
    int64_t shown_ms = clamp(at_ms);
    int ms = (int)(shown_ms % SECOND_MS);

    add_up_to_seconds(buf, shown_ms);
    buf_addf(buf, ".%03dZ", ms);
}

void rfc3339_add_seconds(struct buf *buf, int64_t at_ms)
{
    add_up_to_seconds(buf, clamp(at_ms));
    buf_add_char(buf, 'Z');
}

/* Reads exactly width digits off the front of *rest. */
static bool read_digits(struct str *rest, size_t width, int *ret_value)
{
    int value = 0;

    if (rest->len < width)
        return false;
    for (size_t i = 0; i < width; i++) {
        char c = rest->ptr[i];

        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *rest = str_slice(*rest, width, rest->len);
    *ret_value = value;
    return true;
}

/* Reads one of the words off the front of *rest. */
static bool read_word(struct str *rest, const char *const *words, int count, int *ret_index)
{
    for (int i = 0; i < count; i++) {
        struct str word = str_from(words[i]);

        if (str_starts(*rest, word)) {
            *rest = str_slice(*rest, word.len, rest->len);
            *ret_index = i;
            return true;
        }
    }
    return false;
}

static const char *const short_days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const long_days[] =
        {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
static const char *const months[] =
        {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* Reads one field. Kinds are strptime's, without its locale and its leniency:
 * Y year, y its last two digits, m month, b its name, d day, e day with a space for a leading zero,
 * H M S time, a and A names of days (which day it was is not checked). */
static bool read_field(struct str *rest, char kind, struct tm *tm)
{
    bool ok = false;
    int unused;

    switch (kind) {
    case 'Y':
        ok = read_digits(rest, 4, &tm->tm_year);
        tm->tm_year -= 1900;
        return ok;
    case 'y':
        ok = read_digits(rest, 2, &tm->tm_year);
        /* Two digits are 1970 to 2069: others could not be said here. */
        tm->tm_year += tm->tm_year < 70 ? 100 : 0;
        return ok;
    case 'm':
        ok = read_digits(rest, 2, &tm->tm_mon);
        tm->tm_mon -= 1;
        return ok;
    case 'e':
        if (rest->len > 0 && rest->ptr[0] == ' ') {
            *rest = str_slice(*rest, 1, rest->len);
            return read_digits(rest, 1, &tm->tm_mday);
        }
        return read_digits(rest, 2, &tm->tm_mday);
    case 'b': return read_word(rest, months, 12, &tm->tm_mon);
    case 'd': return read_digits(rest, 2, &tm->tm_mday);
    case 'H': return read_digits(rest, 2, &tm->tm_hour);
    case 'M': return read_digits(rest, 2, &tm->tm_min);
    case 'S': return read_digits(rest, 2, &tm->tm_sec);
    case 'a': return read_word(rest, short_days, 7, &unused);
    default: return read_word(rest, long_days, 7, &unused);
    }
}

/* Reads fields ("%Y") and literal characters off the front of *rest. */
static bool read_pattern(struct str *rest, const char *pattern, struct tm *ret_tm)
{
    *ret_tm = (struct tm){0};
    for (const char *p = pattern; *p != '\0'; p++) {
        if (*p == '%') {
            p++;
            if (!read_field(rest, *p, ret_tm))
                return false;
        } else {
            if (rest->len == 0 || rest->ptr[0] != *p)
                return false;
            *rest = str_slice(*rest, 1, rest->len);
        }
    }
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month] + (month == 1 && leap ? 1 : 0);
}

static bool is_date_time(const struct tm *tm)
{
    return tm->tm_mon >= 0 && tm->tm_mon < 12 && tm->tm_mday >= 1 &&
           tm->tm_mday <= days_in_month(tm->tm_year + 1900, tm->tm_mon) && tm->tm_hour < 24 &&
           tm->tm_min < 60 && tm->tm_sec <= 60;
}

/* The moment of a checked tm that is offset_ms ahead of UTC. A leap second exists only as the last
 * second of a day in UTC, and is the second before. */
static bool to_ms(struct tm tm, int fraction_ms, int offset_ms, int64_t *ret_at_ms)
{
    bool leap_second = tm.tm_sec == 60;
    int64_t at_ms;

    if (!is_date_time(&tm))
        return false;
    tm.tm_sec -= leap_second ? 1 : 0;
    at_ms = (int64_t)timegm(&tm) * SECOND_MS + fraction_ms - offset_ms;
    if (at_ms < 0 || at_ms > LAST_MS || (leap_second && at_ms % DAY_MS < DAY_MS - SECOND_MS))
        return false;
    *ret_at_ms = at_ms;
    return true;
}

/* ".123456" or nothing; digits behind the third are cut. */
static bool read_fraction(struct str *rest, int *ret_ms)
{
    int scale = 100;
    int ms = 0;
    size_t i = 1;

    *ret_ms = 0;
    if (rest->len == 0 || rest->ptr[0] != '.')
        return true;
    for (; i < rest->len && rest->ptr[i] >= '0' && rest->ptr[i] <= '9'; i++) {
        ms += (rest->ptr[i] - '0') * scale;
        scale /= 10;
    }
    *rest = str_slice(*rest, i, rest->len);
    *ret_ms = ms;
    return i > 1;
}

/* "Z", or "+02:00": ahead of UTC. */
static bool read_offset(struct str *rest, int *ret_ms)
{
    struct tm tm;
    int sign;

    if (rest->len == 0)
        return false;
    if (rest->len == 1) {
        *ret_ms = 0;
        return rest->ptr[0] == 'Z' || rest->ptr[0] == 'z';
    }
    sign = rest->ptr[0] == '-' ? -1 : 1;
    if (sign > 0 && rest->ptr[0] != '+')
        return false;
    *rest = str_slice(*rest, 1, rest->len);
    if (!read_pattern(rest, "%H:%M", &tm) || rest->len > 0 || tm.tm_hour > 23 || tm.tm_min > 59)
        return false;
    *ret_ms = sign * (tm.tm_hour * 60 + tm.tm_min) * MINUTE_MS;
    return true;
}

bool rfc3339_parse(struct str text, int64_t *ret_at_ms)
{
    int fraction_ms = 0;
    int offset_ms = 0;
    struct tm tm;
    struct tm time;

    if (!read_pattern(&text, "%Y-%m-%d", &tm) || text.len == 0 ||
            (text.ptr[0] != 'T' && text.ptr[0] != 't'))
        return false;
    text = str_slice(text, 1, text.len);
    if (!read_pattern(&text, "%H:%M:%S", &time) || !read_fraction(&text, &fraction_ms) ||
            !read_offset(&text, &offset_ms))
        return false;
    tm.tm_hour = time.tm_hour;
    tm.tm_min = time.tm_min;
    tm.tm_sec = time.tm_sec;
    return to_ms(tm, fraction_ms, offset_ms, ret_at_ms);
}

bool http_date_parse(struct str text, int64_t *ret_at_ms)
{
    /* The form of today, and the two old ones of RFC 850 and of asctime(). */
    static const char *const patterns[] = {
            "%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"};

    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        struct str rest = text;
        struct tm tm;

        if (read_pattern(&rest, patterns[i], &tm) && rest.len == 0)
            return to_ms(tm, 0, 0, ret_at_ms);
    }
    return false;
}
