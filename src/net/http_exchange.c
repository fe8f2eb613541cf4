/* SPDX-License-Identifier: Apache-2.0 */
/* http_exchange - filling in the reply, and passing on to the driver. */
#include "net/http_exchange.h"

#include <assert.h>

struct str http_exchange_header(const struct http_exchange *x, const char *name)
{
    return x->ops->header(x, name);
}

struct str http_exchange_query(const struct http_exchange *x, const char *name)
{
    return x->ops->query(x, name);
}

void http_exchange_reply(struct http_exchange *x,
        unsigned status,
        const char *content_type,
        struct str body)
{
    assert(x->reply.kind == HTTP_REPLY_NONE);
    x->reply.kind = HTTP_REPLY_BYTES;
    x->reply.status = status;
    x->reply.content_type = content_type;
    x->reply.body = body;
}

void http_exchange_add_header(struct http_exchange *x, const char *name, struct str value)
{
    assert(x->reply.header_count < HTTP_REPLY_HEADERS_MAX && value.ptr != NULL);
    x->reply.headers[x->reply.header_count++] = (struct http_reply_header){name, value};
}

void http_exchange_reply_file(struct http_exchange *x,
        unsigned status,
        const char *content_type,
        int fd,
        int64_t offset_bytes,
        int64_t size_bytes)
{
    assert(x->reply.kind == HTTP_REPLY_NONE);
    assert(fd >= 0 && offset_bytes >= 0 && size_bytes >= 0);
    x->reply.kind = HTTP_REPLY_FILE;
    x->reply.status = status;
    x->reply.content_type = content_type;
    x->reply.fd = fd;
    x->reply.offset_bytes = offset_bytes;
    x->reply.size_bytes = size_bytes;
}

void http_exchange_reply_stream(struct http_exchange *x,
        unsigned status,
        const char *content_type,
        ptrdiff_t (*read)(struct http_exchange *x, char *ret_bytes, size_t max))
{
    assert(x->reply.kind == HTTP_REPLY_NONE);
    x->reply.kind = HTTP_REPLY_STREAM;
    x->reply.status = status;
    x->reply.content_type = content_type;
    x->reply.read = read;
}

void http_exchange_suspend(struct http_exchange *x, void (*on_resume)(struct http_exchange *x))
{
    assert(x->reply.kind == HTTP_REPLY_NONE);
    x->on_resume = on_resume;
    x->ops->suspend(x);
}

void http_exchange_resume(struct http_exchange *x)
{
    x->ops->resume(x);
}
