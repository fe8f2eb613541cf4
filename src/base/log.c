/* SPDX-License-Identifier: Apache-2.0 */
/* log - building one line in memory, in either format, and writing it at once. */
#include "base/log.h"

#include <errno.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/rfc3339.h"

enum {
    LINE_MAX_BYTES = 8192, /* with its newline */
    TAIL_BYTES = 16,       /* kept free for what ends a line that is cut */
    VALUE_MAX_BYTES = 1024,
};

static const char *level_name(enum log_level level)
{
    switch (level) {
    case LOG_DEBUG: return "debug";
    case LOG_INFO: return "info";
    case LOG_WARN: return "warn";
    case LOG_ERROR: return "error";
    }
    return "error";
}

/* Bytes of the character at that offset if it may stand in a text line as it is, else 0: controls
 * (the C1 set too, which terminals obey) and bytes that are no UTF-8 may not. */
static size_t printable_len(struct str s, size_t at)
{
    size_t len = str_utf8_len(s, at);
    unsigned char first = (unsigned char)s.ptr[at];

    if (len == 1)
        return first >= 0x20 && first != 0x7f ? 1 : 0;
    return first == 0xC2 && len == 2 && (unsigned char)s.ptr[at + 1] < 0xA0 ? 0 : len;
}

/* True when the value needs no quotes: a reader, or a person, cannot take it for something else. */
static bool is_bare(struct str value)
{
    for (size_t at = 0; at < value.len;) {
        size_t len = printable_len(value, at);

        if (len == 0 || str_find_char(STR(" \"=\\"), value.ptr[at], 0) >= 0)
            return false;
        at += len;
    }
    return value.len > 0 && !str_is(value, "-");
}

static void add_quoted(struct buf *line, struct str value)
{
    buf_add_char(line, '"');
    for (size_t at = 0; at < value.len;) {
        size_t len = printable_len(value, at);
        char c = value.ptr[at];

        if (len == 0) {
            buf_addf(line, "\\x%02x", (unsigned)(unsigned char)c);
            at++;
            continue;
        }
        if (c == '"' || c == '\\')
            buf_add_char(line, '\\');
        buf_add_str(line, str_slice(value, at, len));
        at += len;
    }
    buf_add_char(line, '"');
}

static void add_text_value(struct buf *line, struct str value)
{
    if (value.ptr == NULL)
        buf_add_char(line, '-');
    else if (is_bare(value))
        buf_add_str(line, value);
    else
        add_quoted(line, value);
}

/* The start of s, without half a character at its end. */
static struct str cut_value(struct str s)
{
    size_t len = VALUE_MAX_BYTES;

    if (s.len <= VALUE_MAX_BYTES)
        return s;
    while (len > VALUE_MAX_BYTES - 3 && ((unsigned char)s.ptr[len] & 0xC0) == 0x80)
        len--;
    return str_slice(s, 0, len);
}

static void add_field(struct buf *line, enum log_format format, const struct log_field *field)
{
    if (format == LOG_JSON) {
        buf_add_char(line, ',');
        json_add_string(line, str_from(field->name));
        buf_add_char(line, ':');
    } else {
        buf_add_char(line, ' ');
        buf_add_text(line, field->name);
        buf_add_char(line, '=');
    }
    if (field->kind == LOG_FIELD_INT)
        buf_add_i64(line, field->number);
    else if (format == LOG_JSON)
        json_add_string(line, cut_value(field->text));
    else
        add_text_value(line, cut_value(field->text));
}

static void
add_head(struct buf *line, const struct log *log, enum log_level level, const char *event)
{
    bool is_json = log->format == LOG_JSON;

    buf_add_text(line, is_json ? "{\"time\":\"" : "");
    rfc3339_add_ms(line, clock_wall_ms(log->clock));
    buf_add_text(line, is_json ? "\",\"level\":\"" : " ");
    buf_add_text(line, level_name(level));
    buf_add_text(line, is_json ? "\",\"event\":" : " ");
    if (is_json)
        json_add_string(line, str_from(event));
    else
        buf_add_text(line, event);
}

/* False when not all fields found room; whole fields are left out then, so the line stays valid. */
static bool add_fields(struct buf *line, enum log_format format, const struct log_field *fields)
{
    for (const struct log_field *field = fields; field->kind != LOG_FIELD_END; field++) {
        size_t before = line->len;

        add_field(line, format, field);
        if (buf_err(line) != ERR_NONE) {
            line->len = before;
            line->err = ERR_NONE;
            return false;
        }
    }
    return true;
}

/* A log that cannot be written has nowhere to complain. */
static void write_line(int fd, struct str line)
{
    while (line.len > 0) {
        ssize_t written = write(fd, line.ptr, line.len);

        if (written > 0)
            line = str_slice(line, (size_t)written, line.len);
        else if (written == 0 || errno != EINTR)
            return;
    }
}

void log_write(const struct log *log,
        enum log_level level,
        const char *event,
        const struct log_field *fields)
{
    CLEANUP(buf_done) struct buf line = {.max_bytes = LINE_MAX_BYTES - TAIL_BYTES};
    bool is_whole;

    if (log == NULL || log->fd < 0 || level < log->level)
        return;
    add_head(&line, log, level, event);
    is_whole = fields == NULL || add_fields(&line, log->format, fields);
    line.max_bytes = LINE_MAX_BYTES;
    if (!is_whole)
        buf_add_text(&line, log->format == LOG_JSON ? ",\"cut\":1" : " cut=1");
    buf_add_text(&line, log->format == LOG_JSON ? "}\n" : "\n");
    write_line(log->fd, buf_str(&line));
}
