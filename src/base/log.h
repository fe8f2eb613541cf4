/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log - one line an event, to standard error: a name and fields, as text or as JSON.
 *
 *     log_event(log, LOG_WARN, "delivery_failed", LOG_STR("delivery", id), LOG_INT("status", 503));
 *
 *     2026-04-28T11:58:13.123Z warn delivery_failed delivery=dlv_1G status=503
 *     {"time":"2026-04-28T11:58:13.123Z","level":"warn","event":"delivery_failed","delivery":...}
 *
 * A line is written with one write(2): lines of several threads do not mix. Secrets, tokens and
 * bodies are never fields. Any thread.
 */
#pragma once

#include "base/clock.h"
#include "base/str.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_TEXT, LOG_JSON };

struct log {
    int fd; /* -1: silent */
    enum log_format format;
    enum log_level level; /* lines below are dropped */
    const struct clock *clock;
};

enum log_field_kind { LOG_FIELD_END, LOG_FIELD_STR, LOG_FIELD_INT };

struct log_field {
    enum log_field_kind kind;
    const char *name;
    struct str text;
    int64_t number;
};

#define LOG_STR(name, value)        ((struct log_field){LOG_FIELD_STR, (name), (value), 0})
#define LOG_TEXT_FIELD(name, value) LOG_STR((name), str_from(value))
#define LOG_INT(name, value)        ((struct log_field){LOG_FIELD_INT, (name), {0}, (value)})

/** Writes one line of at most 8 KiB; fields (or NULL) end with a LOG_FIELD_END, which log_event()
 *  adds. A NULL log is silent. Values are cut at 1 KiB; fields for which there is no room are left out, and
 *  "cut" is 1 then. In a text line a value with anything but plain characters is quoted, with
 *  controls as \x0a, so that no value can forge a field or a line; none is "-". */
void log_write(const struct log *log,
        enum log_level level,
        const char *event,
        const struct log_field *fields);

/* clang-format off */
#define log_event(log, level, event, ...)                                                          \
    log_write((log), (level), (event), (const struct log_field[]){__VA_ARGS__ __VA_OPT__(,) {0}})
/* clang-format on */
