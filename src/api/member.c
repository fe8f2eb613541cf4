/* SPDX-License-Identifier: Apache-2.0 */
/* member - writing the members of an answer's JSON objects. */
#include "api/member.h"

#include "base/codec.h"
#include "base/id.h"
#include "base/json.h"
#include "base/rfc3339.h"

enum {
    HEADERS_SHOWN_MAX = 256, /* joining compares each name with all before it */
    UTF8_CHARACTER_MAX = 4,
};

/* After an opening bracket there is nothing to separate from. No value ends with one: strings end
 * with a quote, objects and arrays with a closing bracket. */
static bool is_first(const struct buf *buf)
{
    char last = buf->len > 0 ? buf->ptr[buf->len - 1] : '\0';

    return last == '{' || last == '[';
}

void member_name(struct buf *buf, const char *name)
{
    if (!is_first(buf))
        buf_add_char(buf, ',');
    json_add_string(buf, str_from(name));
    buf_add_char(buf, ':');
}

void member_str(struct buf *buf, const char *name, struct str value)
{
    member_name(buf, name);
    json_add_string(buf, value);
}

void member_i64(struct buf *buf, const char *name, int64_t value)
{
    member_name(buf, name);
    buf_add_i64(buf, value);
}

void member_i64_or_null(struct buf *buf, const char *name, int64_t value)
{
    if (value != 0)
        member_i64(buf, name, value);
    else
        member_raw(buf, name, STR_NONE);
}

void member_bool(struct buf *buf, const char *name, bool value)
{
    member_name(buf, name);
    json_add_bool(buf, value);
}

void member_time(struct buf *buf, const char *name, int64_t at_ms)
{
    if (at_ms == 0) {
        member_raw(buf, name, STR_NONE);
        return;
    }
    member_name(buf, name);
    buf_add_char(buf, '"');
    rfc3339_add_ms(buf, at_ms);
    buf_add_char(buf, '"');
}

void member_id(struct buf *buf, const char *name, const char *prefix, int64_t id)
{
    char text[ID_TEXT_SIZE];

    member_str(buf, name, id != 0 ? id_format(text, prefix, id) : STR_NONE);
}

void member_ms(struct buf *buf, const char *name, int64_t duration_us)
{
    member_name(buf, name);
    json_add_number(buf, (double)duration_us / 1000.0);
}

void member_raw(struct buf *buf, const char *name, struct str json)
{
    member_name(buf, name);
    buf_add_str(buf, json.ptr != NULL ? json : STR("null"));
}

/* "Name: value" taken apart. */
static void split_line(struct str line, struct str *ret_name, struct str *ret_value)
{
    struct str rest = line;

    *ret_name = str_split(&rest, ':');
    *ret_value = rest.ptr != NULL ? str_trim(rest) : STR("");
}

/* The values of every line from the i-th on that has this name, joined. */
static void
add_values(struct buf *buf, const struct str *lines, size_t count, size_t i, struct str wanted)
{
    CLEANUP(buf_done) struct buf joined = {0};
    bool has_one = false;

    for (; i < count; i++) {
        struct str name;
        struct str value;

        split_line(lines[i], &name, &value);
        if (!str_equal_nocase(name, wanted))
            continue;
        if (has_one)
            buf_add_text(&joined, ", ");
        buf_add_str(&joined, value);
        has_one = true;
    }
    json_add_string(buf, buf_str(&joined));
}

static bool has_name(const struct str *lines, size_t count, struct str wanted)
{
    for (size_t i = 0; i < count; i++) {
        struct str name;
        struct str value;

        split_line(lines[i], &name, &value);
        if (str_equal_nocase(name, wanted))
            return true;
    }
    return false;
}

void member_headers(struct buf *buf, const char *name, struct str text)
{
    struct str lines[HEADERS_SHOWN_MAX];
    size_t count = 0;

    if (text.ptr == NULL) {
        member_raw(buf, name, STR_NONE);
        return;
    }
    while (text.len > 0 && count < HEADERS_SHOWN_MAX)
        lines[count++] = str_split(&text, '\n');

    member_name(buf, name);
    buf_add_char(buf, '{');
    for (size_t i = 0; i < count; i++) {
        struct str key;
        struct str value;

        split_line(lines[i], &key, &value);
        if (has_name(lines, i, key))
            continue;
        member_next(buf);
        json_add_string(buf, key);
        buf_add_char(buf, ':');
        add_values(buf, lines, count, i, key);
    }
    buf_add_char(buf, '}');
}

/* Without the start of a character whose rest was cut off. */
static struct str whole_characters(struct str body)
{
    struct str shorter = body;

    for (int i = 0; i < UTF8_CHARACTER_MAX && shorter.len > 0; i++) {
        if (str_is_utf8(shorter))
            return shorter;
        shorter.len--;
    }
    return body;
}

void member_body(struct buf *buf, const char *name, struct str body, bool was_cut)
{
    struct str text = was_cut ? whole_characters(body) : body;

    if (body.ptr == NULL || str_is_utf8(text)) {
        member_str(buf, name, text);
        return;
    }
    member_name(buf, name);
    buf_add_char(buf, '"');
    codec_add_base64(buf, body);
    buf_addf(buf, "\",\"%s_encoding\":\"base64\"", name);
}

void member_list_begin(struct buf *buf)
{
    buf_add_text(buf, "{\"data\":[");
}

void member_next(struct buf *buf)
{
    if (!is_first(buf))
        buf_add_char(buf, ',');
}

void member_list_end(struct buf *buf, struct str next_cursor)
{
    buf_add_char(buf, ']');
    member_str(buf, "next_cursor", next_cursor);
    buf_add_char(buf, '}');
}
