/* SPDX-License-Identifier: Apache-2.0 */
/* http_client - the names of errors. */
#include "net/http_client.h"

const char *http_error_name(enum http_error error)
{
    switch (error) {
    case HTTP_OK: return "ok";
    case HTTP_TIMEOUT: return "timeout";
    case HTTP_DNS: return "dns";
    case HTTP_CONNECT: return "connect";
    case HTTP_TLS: return "tls";
    case HTTP_FORBIDDEN: return "forbidden";
    case HTTP_RESET: return "reset";
    case HTTP_BAD_RESPONSE: return "bad_response";
    case HTTP_CANCELLED: return "cancelled";
    case HTTP_OTHER: break;
    }
    return "other";
}
