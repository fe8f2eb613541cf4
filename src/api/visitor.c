/* SPDX-License-Identifier: Apache-2.0 */
/* visitor - telling visitors apart, and refusing what is too often. */
#include "api/visitor.h"

#include "api/problem.h"

bool visitor_asks(const struct request *request)
{
    return request->scopes == 0;
}

bool visitor_within(struct request *request, struct visitor_limit *limit)
{
    struct http_exchange *x = request->x;
    int64_t now_ms = clock_mono_us(request_config(request)->clock) / 1000;
    int64_t wait_ms = visitor_asks(request) ? visitor_limit_take(limit, x->peer, now_ms) : 0;

    if (wait_ms == 0)
        return true;

    struct str seconds = arena_strf(request->arena, "%lld", (long long)(wait_ms + 999) / 1000);
    buf_clear(&x->reply_buf);
    problem_write(&x->reply_buf,
            429,
            "that is often enough without a token: wait a moment, or sign in",
            NULL);
    http_exchange_add_header(x, "Retry-After", seconds);
    http_exchange_add_header(x, "Cache-Control", STR("no-store"));
    http_exchange_reply(x, 429, "application/problem+json", buf_str(&x->reply_buf));
    return false;
}
