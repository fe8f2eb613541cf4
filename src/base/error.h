/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error - how a function says that it failed, and why.
 *
 * A function that can fail returns `enum err`. If a person will want to know why, its last
 * parameter is a `struct error *` that the caller owns (usually on its stack); it is written
 * exactly when the function fails, and NULL means "not wanted". The text is for people: no code
 * reads it back. `field` names the setting or JSON member at fault, "" when there is none.
 */
#pragma once

#define MUST_CHECK __attribute__((warn_unused_result))

enum err {
    ERR_NONE = 0,    /* it worked */
    ERR_INVALID,     /* the input breaks a rule; the same input fails again */
    ERR_DENIED,      /* the caller may not do this */
    ERR_NOT_FOUND,   /* no such row */
    ERR_CONFLICT,    /* exists already, or changed under us */
    ERR_LIMIT,       /* a configured cap was reached */
    ERR_BUSY,        /* try again soon: lock, full queue */
    ERR_TIMEOUT,     /* the deadline passed first */
    ERR_CANCELLED,   /* the caller gave up, or we are stopping */
    ERR_UNAVAILABLE, /* a peer or resource (database, disk, receiver, resolver) cannot be used */
    ERR_CORRUPT,     /* stored data is not what we wrote */
};

enum { ERROR_TEXT_SIZE = 240, ERROR_FIELD_SIZE = 64 };

struct error {
    enum err code;
    char text[ERROR_TEXT_SIZE];   /* one sentence, one line of UTF-8, cut if too long */
    char field[ERROR_FIELD_SIZE]; /* such as "staff.phone"; "" when no field is to blame */
};

/** Fills *why unless it is NULL, with no field. Returns code: "return error_set(...)" reads well. */
enum err error_set(struct error *why, enum err code, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/** Like error_set, and names the field that is at fault. */
enum err
error_set_field(struct error *why, enum err code, const char *field, const char *format, ...)
        __attribute__((format(printf, 4, 5)));

/** A short stable word for logs and metrics: "invalid", "not_found" ... Never NULL. */
const char *err_name(enum err err);
