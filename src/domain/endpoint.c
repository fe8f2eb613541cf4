/* SPDX-License-Identifier: Apache-2.0 */
/* endpoint - the life of a snapshot, the words of its settings, and which headers it may send. */
#include "domain/endpoint.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const struct str ORDERING_NAMES[] = {
        [ORDERING_CALL] = {"call", 4},
        [ORDERING_NONE] = {"none", 4},
        [ORDERING_ENDPOINT] = {"endpoint", 8},
};

enum { ORDERING_COUNT = sizeof(ORDERING_NAMES) / sizeof(ORDERING_NAMES[0]) };

/* What we set ourselves, and what belongs to the connection (RFC 9110 sections 7.6.1 and 10.1.1).
 * X-CallSync-* is ours as a whole. */
static const char *const RESERVED_HEADERS[] = {
        "Content-Type",
        "User-Agent",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
        "Host",
        "Content-Length",
        "Transfer-Encoding",
        "Connection",
        "Keep-Alive",
        "Proxy-Connection",
        "Expect",
        "TE",
        "Trailer",
        "Upgrade",
};

static struct endpoint *allocate(void)
{
    struct endpoint *endpoint = mem_new(sizeof(*endpoint));

    atomic_init(&endpoint->refs, 1);
    arena_init(&endpoint->arena);
    return endpoint;
}

struct endpoint *endpoint_new(void)
{
    struct endpoint *endpoint = allocate();

    endpoint->enabled = true;
    endpoint->timeout_ms = ENDPOINT_TIMEOUT_DEFAULT_S * INT64_C(1000);
    endpoint->retry_schedule = retry_schedule_default();
    endpoint->max_in_flight = ENDPOINT_IN_FLIGHT_DEFAULT;
    return endpoint;
}

struct endpoint *endpoint_ref(struct endpoint *endpoint)
{
    atomic_fetch_add_explicit(&endpoint->refs, 1, memory_order_relaxed);
    return endpoint;
}

void endpoint_unref(struct endpoint *endpoint)
{
    if (endpoint == NULL ||
            atomic_fetch_sub_explicit(&endpoint->refs, 1, memory_order_acq_rel) != 1)
        return;
    arena_done(&endpoint->arena);
    free(endpoint);
}

struct endpoint *endpoint_copy(const struct endpoint *endpoint)
{
    struct endpoint *copy = allocate();
    size_t values = offsetof(struct endpoint, id); /* refs and arena are the copy's own */

    memcpy((char *)copy + values, (const char *)endpoint + values, sizeof(*copy) - values);
    copy->org_id = arena_str(&copy->arena, endpoint->org_id);
    copy->url = arena_str(&copy->arena, endpoint->url);
    copy->description = arena_str(&copy->arena, endpoint->description);
    copy->secret = arena_str(&copy->arena, endpoint->secret);
    copy->secret_old = arena_str(&copy->arena, endpoint->secret_old);
    for (size_t i = 0; i < endpoint->header_count; i++) {
        copy->headers[i].name = arena_str(&copy->arena, endpoint->headers[i].name);
        copy->headers[i].value = arena_str(&copy->arena, endpoint->headers[i].value);
    }
    return copy;
}

bool endpoint_wants(const struct endpoint *endpoint, enum event_kind kind, enum call_type type)
{
    return event_filter_wants(endpoint->event_mask, endpoint->type_mask, kind, type);
}

struct str endpoint_ordering_name(enum endpoint_ordering ordering)
{
    assert((unsigned)ordering < ORDERING_COUNT);
    return ORDERING_NAMES[ordering];
}

bool endpoint_ordering_parse(struct str word, enum endpoint_ordering *ret_ordering)
{
    for (int i = 0; i < ORDERING_COUNT; i++) {
        if (str_equal(ORDERING_NAMES[i], word)) {
            *ret_ordering = (enum endpoint_ordering)i;
            return true;
        }
    }
    return false;
}

struct str disabled_reason_name(enum disabled_reason reason)
{
    switch (reason) {
    case DISABLED_NOT: break;
    case DISABLED_MANUAL: return STR("manual");
    case DISABLED_GONE: return STR("gone");
    case DISABLED_FAILING: return STR("failing");
    }
    return STR_NONE;
}

/* tchar of RFC 9110 section 5.6.2. */
static bool is_token_char(char c)
{
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
        return true;
    return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static enum err check_header_name(struct str name, struct error *why)
{
    if (name.len < 1 || name.len > ENDPOINT_HEADER_NAME_MAX_BYTES)
        return error_set(why,
                ERR_INVALID,
                "a header's name must be 1 to %d bytes",
                ENDPOINT_HEADER_NAME_MAX_BYTES);
    for (size_t i = 0; i < name.len; i++) {
        if (!is_token_char(name.ptr[i]))
            return error_set(why,
                    ERR_INVALID,
                    "a header's name must be letters, digits and !#$%%&'*+-.^_`|~");
    }
    bool is_ours = str_equal_nocase(str_slice(name, 0, 11), STR("X-CallSync-"));
    for (size_t i = 0; i < sizeof(RESERVED_HEADERS) / sizeof(RESERVED_HEADERS[0]); i++)
        is_ours = is_ours || str_equal_nocase(name, str_from(RESERVED_HEADERS[i]));
    if (is_ours)
        return error_set(
                why, ERR_INVALID, "the header %.*s is set by CallSync itself", STR_ARG(name));
    return ERR_NONE;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static enum err check_header_value(struct str value, struct error *why)
{
    if (value.len < 1 || value.len > ENDPOINT_HEADER_VALUE_MAX_BYTES)
        return error_set(why,
                ERR_INVALID,
                "a header's value must be 1 to %d bytes",
                ENDPOINT_HEADER_VALUE_MAX_BYTES);
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];

        if ((c < 0x20 && c != '\t') || c == 0x7F)
            return error_set(why, ERR_INVALID, "a header's value must have no control characters");
    }
    if (is_blank(value.ptr[0]) || is_blank(value.ptr[value.len - 1]))
        return error_set(
                why, ERR_INVALID, "a header's value must not begin or end with a space or tab");
    return ERR_NONE;
}

enum err endpoint_check_header(struct str name, struct str value, struct error *why)
{
    enum err err = check_header_name(name, why);

    return err != ERR_NONE ? err : check_header_value(value, why);
}
