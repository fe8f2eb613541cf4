/* SPDX-License-Identifier: Apache-2.0 */
/* api_meta - health, metrics, and the API's own description. */
#include "api/api_meta.h"

#include "api/openapi.h"
#include "api/problem.h"
#include "api/request.h"

static void reply(struct request *request, const char *content_type, struct str body)
{
    http_exchange_add_header(request->x, "Cache-Control", STR("no-store"));
    http_exchange_reply(request->x, 200, content_type, body);
}

void api_meta_home(struct request *request)
{
    reply(request,
            "text/plain; charset=utf-8",
            STR("CallSync sends every change of your calls as a signed webhook.\n"
                "\n"
                "/docs          the API, to read\n"
                "/openapi.json  the API, for programs\n"
                "/healthz       is it running\n"
                "/readyz        can it store\n"
                "/metrics       for Prometheus\n"));
}

void api_meta_healthz(struct request *request)
{
    request_reply_json(request, 200, STR("{\"status\":\"ok\"}"));
}

void api_meta_readyz(struct request *request)
{
    if (store_is_healthy(request->parts->store))
        request_reply_json(request, 200, STR("{\"status\":\"ok\"}"));
    else
        problem_reply(request, 503, "the database cannot be written");
}

void api_meta_metrics(struct request *request)
{
    struct buf *body = &request->x->reply_buf;

    metrics_write(body, request_config(request)->metrics);
    reply(request, "text/plain; version=0.0.4; charset=utf-8", buf_str(body));
}

void api_meta_openapi(struct request *request)
{
    reply(request, "application/json", openapi_json());
}

void api_meta_docs(struct request *request)
{
    http_exchange_add_header(request->x, "Content-Security-Policy", openapi_page_policy());
    reply(request, "text/html; charset=utf-8", openapi_page());
}
