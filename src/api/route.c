/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route - the table, and matching a path against it, segment by segment.
 *
 * The rows of one pattern stand together, and a pattern with a literal segment stands before one
 * that takes anything there: the first pattern that fits a path is the path's.
 */
#include "api/route.h"

#include <stdio.h>
#include <string.h>

#include "api/api_analysis.h"
#include "api/api_call.h"
#include "api/api_contact.h"
#include "api/api_delivery.h"
#include "api/api_endpoint.h"
#include "api/api_event.h"
#include "api/api_inbox.h"
#include "api/api_meta.h"
#include "api/api_org.h"
#include "api/api_playground.h"
#include "api/api_recording.h"
#include "api/api_staff.h"
#include "api/api_stream.h"
#include "api/api_token.h"
#include "api/request.h"
#include "domain/limits.h"
#include "store/store_inbox.h"

/* clang-format off */
#define INGEST SCOPE_INGEST
#define MANAGE SCOPE_MANAGE
#define READ   SCOPE_READ
#define BATCH  LIMIT_BATCH_BODY_BYTES
#define INBOX  INBOX_BODY_MAX_BYTES

static const struct route ROUTES[] = {
    /* method, pattern, auth, scope, body, max_body_bytes, one_op, handle, begin */
    {"POST", "/v1/calls", AUTH_TOKEN, INGEST, BODY_JSON, 0, true, api_call_create, NULL},
    {"GET", "/v1/calls", AUTH_TOKEN, READ, BODY_NONE, 0, true, api_call_list, NULL},
    {"POST", "/v1/calls/batch", AUTH_TOKEN, INGEST, BODY_JSON, BATCH, true, api_call_batch, NULL},
    {"GET", "/v1/calls/{call_id}", AUTH_TOKEN, READ, BODY_NONE, 0, true, api_call_get, NULL},
    {"PATCH", "/v1/calls/{call_id}", AUTH_TOKEN, INGEST, BODY_JSON, 0, true, api_call_patch, NULL},
    {"GET", "/v1/calls/{call_id}/recording", AUTH_TOKEN, READ, BODY_NONE, 0, true, api_recording_get, NULL},
    {"PUT", "/v1/calls/{call_id}/recording", AUTH_TOKEN, INGEST, BODY_STREAM, 0, true, api_recording_put, api_recording_put_begin},
    {"DELETE", "/v1/calls/{call_id}/recording", AUTH_TOKEN, INGEST, BODY_NONE, 0, true, api_recording_delete, NULL},
    {"PUT", "/v1/calls/{call_id}/analysis", AUTH_TOKEN, INGEST, BODY_JSON, 0, true, api_analysis_put, NULL},

    {"GET", "/v1/contacts", AUTH_TOKEN, READ, BODY_NONE, 0, true, api_contact_list, NULL},
    {"POST", "/v1/contacts", AUTH_TOKEN, INGEST, BODY_JSON, 0, true, api_contact_create, NULL},
    {"GET", "/v1/contacts/{id}", AUTH_TOKEN, READ, BODY_NONE, 0, true, api_contact_get, NULL},
    {"PUT", "/v1/contacts/{id}", AUTH_TOKEN, INGEST, BODY_JSON, 0, true, api_contact_put, NULL},
    {"PATCH", "/v1/contacts/{id}", AUTH_TOKEN, INGEST, BODY_JSON, 0, true, api_contact_patch, NULL},
    {"DELETE", "/v1/contacts/{id}", AUTH_TOKEN, INGEST, BODY_NONE, 0, true, api_contact_delete, NULL},

    {"GET", "/v1/staff", AUTH_TOKEN, READ, BODY_NONE, 0, true, api_staff_list, NULL},
    {"POST", "/v1/staff", AUTH_TOKEN, INGEST, BODY_JSON, 0, true, api_staff_create, NULL},
    {"GET", "/v1/staff/{id}", AUTH_TOKEN, READ, BODY_NONE, 0, true, api_staff_get, NULL},
    {"PUT", "/v1/staff/{id}", AUTH_TOKEN, INGEST, BODY_JSON, 0, true, api_staff_put, NULL},
    {"PATCH", "/v1/staff/{id}", AUTH_TOKEN, INGEST, BODY_JSON, 0, true, api_staff_patch, NULL},
    {"DELETE", "/v1/staff/{id}", AUTH_TOKEN, INGEST, BODY_NONE, 0, true, api_staff_delete, NULL},

    {"GET", "/v1/endpoints", AUTH_TOKEN, READ | MANAGE, BODY_NONE, 0, true, api_endpoint_list, NULL},
    {"POST", "/v1/endpoints", AUTH_TOKEN, MANAGE, BODY_JSON, 0, true, api_endpoint_create, NULL},
    {"GET", "/v1/endpoints/{id}", AUTH_TOKEN, READ | MANAGE, BODY_NONE, 0, true, api_endpoint_get, NULL},
    {"PATCH", "/v1/endpoints/{id}", AUTH_TOKEN, MANAGE, BODY_JSON, 0, true, api_endpoint_patch, NULL},
    {"DELETE", "/v1/endpoints/{id}", AUTH_TOKEN, MANAGE, BODY_NONE, 0, true, api_endpoint_delete, NULL},
    {"GET", "/v1/endpoints/{id}/secret", AUTH_TOKEN, MANAGE, BODY_NONE, 0, true, api_endpoint_secret_get, NULL},
    {"POST", "/v1/endpoints/{id}/secret/rotate", AUTH_TOKEN, MANAGE, BODY_JSON_OPTIONAL, 0, true, api_endpoint_rotate, NULL},
    {"POST", "/v1/endpoints/{id}/test", AUTH_TOKEN, MANAGE, BODY_JSON_OPTIONAL, 0, false, api_endpoint_test, NULL},
    {"GET", "/v1/endpoints/{id}/stats", AUTH_TOKEN, READ | MANAGE, BODY_NONE, 0, true, api_endpoint_stats, NULL},
    {"POST", "/v1/endpoints/{id}/recover", AUTH_TOKEN, MANAGE, BODY_JSON, 0, true, api_endpoint_recover, NULL},

    {"GET", "/v1/events", AUTH_TOKEN, READ, BODY_NONE, 0, true, api_event_list, NULL},
    {"GET", "/v1/events/{payload_id}", AUTH_TOKEN, READ, BODY_NONE, 0, true, api_event_get, NULL},
    {"POST", "/v1/events/{payload_id}/replay", AUTH_TOKEN, MANAGE, BODY_JSON_OPTIONAL, 0, true, api_event_replay, NULL},
    {"GET", "/v1/deliveries", AUTH_TOKEN, READ | MANAGE, BODY_NONE, 0, true, api_delivery_list, NULL},
    {"GET", "/v1/deliveries/{id}", AUTH_TOKEN, READ | MANAGE, BODY_NONE, 0, true, api_delivery_get, NULL},
    {"POST", "/v1/deliveries/{id}/retry", AUTH_TOKEN, MANAGE, BODY_NONE, 0, true, api_delivery_retry, NULL},
    {"POST", "/v1/deliveries/{id}/cancel", AUTH_TOKEN, MANAGE, BODY_NONE, 0, true, api_delivery_cancel, NULL},

    {"POST", "/v1/playground/preview", AUTH_NONE, 0, BODY_JSON, 0, false, api_playground_preview, NULL},
    {"POST", "/v1/playground/send", AUTH_OPTIONAL, MANAGE, BODY_JSON, 0, false, api_playground_send, NULL},

    {"GET", "/v1/inboxes", AUTH_TOKEN, READ | MANAGE, BODY_NONE, 0, true, api_inbox_list, NULL},
    {"POST", "/v1/inboxes", AUTH_OPTIONAL, MANAGE, BODY_JSON_OPTIONAL, 0, true, api_inbox_create, NULL},
    {"GET", "/v1/inboxes/{id}", AUTH_OPTIONAL, READ | MANAGE, BODY_NONE, 0, true, api_inbox_get, NULL},
    {"DELETE", "/v1/inboxes/{id}", AUTH_OPTIONAL, MANAGE, BODY_NONE, 0, true, api_inbox_delete, NULL},
    {"GET", "/v1/inboxes/{id}/requests", AUTH_OPTIONAL, READ | MANAGE, BODY_NONE, 0, true, api_inbox_requests, NULL},
    {"*", "/in/{id}", AUTH_NONE, 0, BODY_RAW, INBOX, true, api_inbox_receive, NULL},

    {"GET", "/v1/stream", AUTH_TOKEN, READ, BODY_NONE, 0, false, api_stream_open, NULL},

    {"GET", "/v1/tokens", AUTH_TOKEN, MANAGE, BODY_NONE, 0, true, api_token_list, NULL},
    {"POST", "/v1/tokens", AUTH_TOKEN, MANAGE, BODY_JSON, 0, true, api_token_create, NULL},
    {"DELETE", "/v1/tokens/{id}", AUTH_TOKEN, MANAGE, BODY_NONE, 0, true, api_token_delete, NULL},

    {"GET", "/v1/orgs", AUTH_ADMIN, SCOPE_ADMIN, BODY_NONE, 0, true, api_org_list, NULL},
    {"POST", "/v1/orgs", AUTH_ADMIN, SCOPE_ADMIN, BODY_JSON, 0, true, api_org_create, NULL},
    {"GET", "/v1/orgs/{id}", AUTH_ADMIN, SCOPE_ADMIN, BODY_NONE, 0, true, api_org_get, NULL},
    {"DELETE", "/v1/orgs/{id}", AUTH_ADMIN, SCOPE_ADMIN, BODY_NONE, 0, true, api_org_delete, NULL},

    {"GET", "/recordings/{name}", AUTH_NONE, 0, BODY_NONE, 0, true, api_recording_get_by_link, NULL},

    {"GET", "/", AUTH_NONE, 0, BODY_NONE, 0, true, api_meta_home, NULL},
    {"GET", "/healthz", AUTH_NONE, 0, BODY_NONE, 0, true, api_meta_healthz, NULL},
    {"GET", "/readyz", AUTH_NONE, 0, BODY_NONE, 0, true, api_meta_readyz, NULL},
    {"GET", "/metrics", AUTH_NONE, 0, BODY_NONE, 0, true, api_meta_metrics, NULL},
    {"GET", "/openapi.json", AUTH_NONE, 0, BODY_NONE, 0, true, api_meta_openapi, NULL},
    {"GET", "/docs", AUTH_NONE, 0, BODY_NONE, 0, true, api_meta_docs, NULL},
};
/* clang-format on */

const struct route *route_all(size_t *ret_count)
{
    *ret_count = sizeof(ROUTES) / sizeof(ROUTES[0]);
    return ROUTES;
}

/* Takes the part before the next "/" off *rest; false when nothing is left. */
static bool next_segment(struct str *rest, struct str *ret_segment)
{
    if (rest->ptr == NULL)
        return false;
    *ret_segment = str_split(rest, '/');
    return true;
}

static bool pattern_matches(const char *pattern, struct str path, struct str *ret_params)
{
    struct str wanted = str_from(pattern);
    struct str wanted_part;
    struct str part;
    size_t param_count = 0;

    while (next_segment(&wanted, &wanted_part)) {
        if (!next_segment(&path, &part))
            return false;
        if (wanted_part.len > 0 && wanted_part.ptr[0] == '{') {
            if (part.len == 0)
                return false;
            ret_params[param_count++] = part;
        } else if (!str_equal(wanted_part, part)) {
            return false;
        }
    }
    return path.ptr == NULL;
}

/* A HEAD is a GET without its body, which the server leaves out. */
static bool takes_method(const struct route *route, struct str method)
{
    return strcmp(route->method, "*") == 0 || str_is(method, route->method) ||
           (str_is(method, "HEAD") && strcmp(route->method, "GET") == 0);
}

/* "GET, HEAD, POST" of the rows of one pattern. */
static void
list_methods(const struct route *first, const struct route *end, char *ret_allow, size_t allow_size)
{
    size_t used = 0;

    ret_allow[0] = '\0';
    for (const struct route *row = first;
            row < end && strcmp(row->pattern, first->pattern) == 0 && used < allow_size;
            row++) {
        const char *also = strcmp(row->method, "GET") == 0 ? ", HEAD" : "";
        int len = snprintf(ret_allow + used,
                allow_size - used,
                "%s%s%s",
                used > 0 ? ", " : "",
                row->method,
                also);

        used += len > 0 ? (size_t)len : 0;
    }
}

const struct route *route_find(struct str method,
        struct str path,
        struct str *ret_params,
        bool *ret_path_known,
        char *ret_allow,
        size_t allow_size)
{
    const struct route *end = ROUTES + sizeof(ROUTES) / sizeof(ROUTES[0]);
    const struct route *first = ROUTES;

    while (first < end && !pattern_matches(first->pattern, path, ret_params))
        first++;
    *ret_path_known = first < end;
    for (const struct route *row = first; row < end && strcmp(row->pattern, first->pattern) == 0;
            row++)
        if (takes_method(row, method))
            return row;
    if (*ret_path_known)
        list_methods(first, end, ret_allow, allow_size);
    return NULL;
}
