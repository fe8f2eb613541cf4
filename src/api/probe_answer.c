/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe_answer - a probe for a request: started on the server's thread, done on a deliver thread,
 * answered on the server's.
 */
#include "api/probe_answer.h"

#include <assert.h>

#include "api/member.h"
#include "api/problem.h"
#include "base/rand.h"
#include "deliver/deliver.h"

enum { RANDOM_ID_BITS = 21 }; /* what an id has below its time */

struct sending {
    struct probe probe;
    struct str told_secret;
};

struct str sample_payload_id(struct arena *arena, int64_t now_ms)
{
    char text[ID_TEXT_SIZE];
    uint32_t random;

    rand_secret(&random, sizeof(random));
    random &= (UINT32_C(1) << RANDOM_ID_BITS) - 1;
    return arena_str(
            arena, id_format(text, EVENT_TEST_ID_PREFIX, id_floor(now_ms) | (int64_t)random));
}

static void write_request(struct buf *buf, const struct probe *probe)
{
    member_name(buf, "request");
    buf_add_text(buf, "{\"method\":\"POST\"");
    member_str(buf, "url", probe->endpoint->url);
    member_headers(buf, "headers", buf_str(&probe->request_headers));
    member_str(buf, "body", probe->body);
    buf_add_char(buf, '}');
}

static void write_response(struct buf *buf, const struct probe *probe)
{
    if (probe->outcome.status == 0) {
        member_raw(buf, "response", STR_NONE);
        return;
    }
    member_name(buf, "response");
    buf_add_char(buf, '{');
    member_headers(buf, "headers", buf_str(&probe->response_headers));
    member_body(buf, "body", buf_str(&probe->response_body), probe->body_cut);
    member_bool(buf, "body_cut", probe->body_cut);
    buf_add_char(buf, '}');
}

static void write_times(struct buf *buf, const struct http_times *times)
{
    member_name(buf, "times");
    buf_add_char(buf, '{');
    member_ms(buf, "dns_ms", times->dns_us);
    member_ms(buf, "connect_ms", times->connect_us);
    member_ms(buf, "tls_ms", times->tls_us);
    member_ms(buf, "first_byte_ms", times->first_byte_us);
    member_ms(buf, "total_ms", times->total_us);
    buf_add_char(buf, '}');
}

static void write_attempt(struct buf *buf, const struct sending *sending)
{
    const struct probe *probe = &sending->probe;
    struct str detail = buf_str(&probe->detail);

    buf_add_char(buf, '{');
    member_bool(buf, "ok", attempt_succeeded(&probe->outcome));
    member_i64_or_null(buf, "status_code", probe->outcome.status);
    member_ms(buf, "duration_ms", probe->times.total_us);
    member_str(buf, "error", attempt_error_name(probe->outcome.error));
    member_str(buf, "detail", detail.len > 0 ? detail : STR_NONE);
    member_time(buf, "started_at", probe->started_at_ms);
    write_request(buf, probe);
    write_response(buf, probe);
    write_times(buf, &probe->times);
    member_name(buf, "next");
    retry_schedule_write_json(buf, &probe->endpoint->retry_schedule);
    if (sending->told_secret.ptr != NULL)
        member_str(buf, "secret", sending->told_secret);
    buf_add_char(buf, '}');
}

static void answer(struct request *request, enum err err)
{
    const struct sending *sending = request->data;
    struct buf *body = &request->x->reply_buf;

    if (err == ERR_NONE) {
        write_attempt(body, sending);
        err = buf_err(body);
    }
    if (err != ERR_NONE)
        problem_reply_error(request, err, NULL);
    else
        request_reply_json(request, 200, buf_str(body));
}

/* Deliver thread. */
static void probed(struct probe *probe)
{
    request_resume(probe->owner, ERR_NONE);
}

static void end(struct request *request)
{
    struct sending *sending = request->data;

    probe_done(&sending->probe);
    endpoint_unref(sending->probe.endpoint);
}

void probe_answer(struct request *request, const struct sample_send *send)
{
    struct sending *sending = ARENA_NEW(request->arena, struct sending);
    struct probe *probe = &sending->probe;

    assert(request->end == NULL);
    probe->endpoint = send->take_endpoint;
    probe->kind = send->kind;
    probe->payload_id = send->payload_id;
    probe->body = send->body;
    probe->done = probed;
    probe->owner = request;
    sending->told_secret = send->told_secret;
    request->data = sending;
    request->end = end;
    request_wait(request, answer);

    enum err err = deliver_probe(request->parts->deliver, probe);
    if (err != ERR_NONE)
        request_resume(request, err);
}
