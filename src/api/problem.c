/* SPDX-License-Identifier: Apache-2.0 */
/* problem - writing problems: titles by status, faults as errors. */
#include "api/problem.h"

#include "api/route.h"

static const struct {
    unsigned status;
    const char *title;
} TITLES[] = {
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {414, "URI Too Long"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {422, "Unprocessable Content"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {503, "Service Unavailable"},
};

#define PROBLEM_TYPE "application/problem+json"
/* Seconds until trying again is worth it: a full queue empties within this. */
#define RETRY_AFTER "1"

const char *problem_title(unsigned status)
{
    for (size_t i = 0; i < sizeof(TITLES) / sizeof(TITLES[0]); i++)
        if (TITLES[i].status == status)
            return TITLES[i].title;
    return "Error";
}

static void add_errors(struct buf *buf, const struct faults *faults)
{
    size_t kept = faults == NULL ? 0 : faults->count < FAULTS_MAX ? faults->count : FAULTS_MAX;

    buf_add_char(buf, '[');
    for (size_t i = 0; i < kept; i++) {
        buf_add_text(buf, i == 0 ? "{\"field\":" : ",{\"field\":");
        json_add_string(buf, faults->items[i].field);
        buf_add_text(buf, ",\"message\":");
        json_add_string(buf, faults->items[i].message);
        buf_add_char(buf, '}');
    }
    buf_add_char(buf, ']');
}

void problem_write_errors(struct buf *buf, const struct faults *faults)
{
    buf_add_text(buf, "\"errors\":");
    add_errors(buf, faults);
}

void problem_write(struct buf *buf,
        unsigned status,
        const char *detail,
        const struct faults *faults)
{
    buf_add_text(buf, "{\"type\":\"about:blank\",\"title\":");
    json_add_string(buf, str_from(problem_title(status)));
    buf_add_text(buf, ",\"status\":");
    buf_add_i64(buf, status);
    buf_add_text(buf, ",\"detail\":");
    json_add_string(buf, str_from(detail));
    buf_add_char(buf, ',');
    problem_write_errors(buf, faults);
    buf_add_char(buf, '}');
}

void problem_send(struct http_exchange *x,
        unsigned status,
        const char *detail,
        const struct faults *faults)
{
    buf_clear(&x->reply_buf);
    problem_write(&x->reply_buf, status, detail, faults);
    if (status == 429 || status == 503)
        http_exchange_add_header(x, "Retry-After", STR(RETRY_AFTER));
    http_exchange_add_header(x, "Cache-Control", STR("no-store"));
    http_exchange_reply(x, status, PROBLEM_TYPE, buf_str(&x->reply_buf));
}

void problem_reply(struct request *request, unsigned status, const char *detail)
{
    request_release_key(request);
    problem_send(request->x, status, detail, NULL);
}

void problem_reply_faults(struct request *request)
{
    size_t count = request->faults.count;
    struct str detail = count == 1 ? STR("one value is wrong")
                                   : arena_strf(request->arena, "%zu values are wrong", count);

    request_release_key(request);
    problem_send(request->x, 422, detail.ptr, &request->faults);
}

unsigned problem_status(enum err err)
{
    switch (err) {
    case ERR_INVALID:
    case ERR_LIMIT: return 422;
    case ERR_DENIED: return 403;
    case ERR_NOT_FOUND: return 404;
    case ERR_CONFLICT: return 409;
    case ERR_BUSY:
    case ERR_TIMEOUT:
    case ERR_CANCELLED:
    case ERR_UNAVAILABLE: return 503;
    case ERR_NONE:
    case ERR_CORRUPT: break;
    }
    return 500;
}

/* What may be said of a failure: nothing of the inside of the server. */
static const char *public_detail(enum err err, const struct error *why)
{
    switch (problem_status(err)) {
    case 500: return NULL;
    case 503:
        return err == ERR_BUSY        ? "too much waits to be stored; try again soon"
               : err == ERR_CANCELLED ? "the server is stopping; try again soon"
                                      : "it cannot be stored now; try again soon";
    default: return why != NULL && why->text[0] != '\0' ? why->text : NULL;
    }
}

void problem_reply_error(struct request *request, enum err err, const struct error *why)
{
    unsigned status = problem_status(err);
    const char *detail = public_detail(err, why);

    if (status >= 500)
        log_event(request_config(request)->log,
                LOG_WARN,
                "request_failed",
                LOG_STR("method", request->x->method),
                LOG_TEXT_FIELD("route", request->route->pattern),
                LOG_INT("status", status),
                LOG_TEXT_FIELD("error", err_name(err)),
                LOG_TEXT_FIELD("why", why != NULL ? why->text : ""));
    if (status < 500 && why != NULL && (why->field[0] != '\0' || status == 422)) {
        request->faults.count = 0;
        request->faults.prefix = STR_NONE;
        faults_add(&request->faults, why->field, "%s", detail != NULL ? detail : "is refused");
        request_release_key(request);
        problem_send(request->x, status, detail, &request->faults);
        return;
    }
    problem_reply(request, status, detail);
}
