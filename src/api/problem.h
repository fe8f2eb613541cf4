/* SPDX-License-Identifier: Apache-2.0 */
/*
 * problem - errors as application/problem+json (RFC 9457): type, title, status, detail, and errors
 * with a field and a message each.
 */
#pragma once

#include "api/request.h"

/** Answers with a problem; detail is for people and may be NULL. */
void problem_reply(struct request *request, unsigned status, const char *detail);
/** 422 with all collected faults. */
void problem_reply_faults(struct request *request);
/** The status that fits the error of an operation: INVALID 422, DENIED 403, NOT_FOUND 404, CONFLICT
 *  409, LIMIT 422, BUSY and UNAVAILABLE and CANCELLED 503 with Retry-After, CORRUPT 500 without
 *  detail. field and text go into errors. */
void problem_reply_error(struct request *request, enum err err, const struct error *why);
/** Answers with a problem where no request is at hand. */
void problem_send(struct http_exchange *x,
        unsigned status,
        const char *detail,
        const struct faults *faults);
/** The status of problem_reply_error(). */
unsigned problem_status(enum err err);
/** Appends "errors":[{"field":...,"message":...}]. */
void problem_write_errors(struct buf *buf, const struct faults *faults);
/** Writes the body alone; detail NULL is null, faults NULL are none. */
void problem_write(struct buf *buf,
        unsigned status,
        const char *detail,
        const struct faults *faults);
const char *problem_title(unsigned status);
