/* SPDX-License-Identifier: Apache-2.0 */
/* print_routes - the route table as lines of method, path and who may ask, for check_openapi.py. */
#include <stdio.h>

#include "api/route.h"

static const char *auth_word(enum route_auth auth)
{
    switch (auth) {
    case AUTH_NONE: return "none";
    case AUTH_OPTIONAL: return "optional";
    case AUTH_TOKEN: return "token";
    case AUTH_ADMIN: return "admin";
    }
    return "?";
}

static const char *body_word(enum route_body body)
{
    switch (body) {
    case BODY_NONE: return "none";
    case BODY_JSON: return "required";
    case BODY_JSON_OPTIONAL: return "optional";
    case BODY_STREAM: return "required";
    case BODY_RAW: return "optional";
    }
    return "?";
}

int main(void)
{
    size_t count;
    const struct route *routes = route_all(&count);

    for (size_t i = 0; i < count; i++)
        printf("%s\t%s\t%s\t%s\n",
                routes[i].method,
                routes[i].pattern,
                auth_word(routes[i].auth),
                body_word(routes[i].body));
    return 0;
}
