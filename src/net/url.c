/* SPDX-License-Identifier: Apache-2.0 */
/* url - libcurl's parser, with the checks around it that it leaves to us. */
#include "net/url.h"

#include <arpa/inet.h>
#include <string.h>

#include <curl/curl.h>

#include "base/cleanup.h"

enum { HOST_MAX_BYTES = 253, LABEL_MAX_BYTES = 63 };

DEFINE_CLEANUP(CURLU, curl_url_cleanup)

static enum err invalid(struct error *why, const char *reason)
{
    return error_set(why, ERR_INVALID, "the URL %s", reason);
}

/* What libcurl would let pass or silently mend, and we want to see mended by its author. */
static enum err check_text(struct str text, size_t max_bytes, struct error *why)
{
    struct str http = str_slice(text, 0, 7);
    struct str https = str_slice(text, 0, 8);
    size_t i;

    if (text.len == 0)
        return invalid(why, "is empty");
    if (text.len > max_bytes)
        return error_set(why, ERR_INVALID, "the URL is longer than %zu bytes", max_bytes);
    for (i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (c <= ' ' || c == 0x7f)
            return invalid(why, "has a space or a control character");
        if (c == '\\')
            return invalid(why, "has a backslash");
        if (c == '#')
            return invalid(why, "has a fragment (\"#\"), which is never sent");
    }
    if (str_equal_nocase(http, STR("http://")))
        i = http.len;
    else if (str_equal_nocase(https, STR("https://")))
        i = https.len;
    else
        return invalid(why, "does not start with http:// or https://");
    if (i == text.len || text.ptr[i] == '/' || text.ptr[i] == '?')
        return invalid(why, "has no host");
    for (; i < text.len && text.ptr[i] != '/' && text.ptr[i] != '?'; i++) {
        if (text.ptr[i] == '@')
            return invalid(why, "has user information (\"@\" before the path)");
        if ((unsigned char)text.ptr[i] >= 0x80)
            return invalid(why, "has a host in Unicode: write it in punycode (xn--...)");
    }
    return ERR_NONE;
}

static bool is_host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* A name as DNS can hold it; address literals have been told apart before. */
static enum err check_name(struct str host, struct error *why)
{
    struct str rest = host;

    if (host.len == 0 || host.len > HOST_MAX_BYTES)
        return invalid(why, "has a host that is empty or longer than 253 bytes");
    while (rest.ptr != NULL) {
        struct str label = str_split(&rest, '.');

        if (label.len == 0 || label.len > LABEL_MAX_BYTES)
            return invalid(why, "has a host with a part that is empty or longer than 63 bytes");
        for (size_t i = 0; i < label.len; i++)
            if (!is_host_char(label.ptr[i]))
                return invalid(why, "has a character in its host that no host name has");
    }
    return ERR_NONE;
}

/** Copies a part to the arena; none when the URL lacks it. */
static struct str part_of(CURLU *parsed, CURLUPart part, unsigned flags, struct arena *arena)
{
    char *text = NULL;
    struct str copy = STR_NONE;

    if (curl_url_get(parsed, part, &text, flags) == CURLUE_OK)
        copy = arena_str(arena, str_from(text));
    curl_free(text);
    return copy;
}

static struct str lower_case(struct arena *arena, struct str text)
{
    char *out = (char *)arena_alloc(arena, text.len + 1);

    for (size_t i = 0; i < text.len; i++)
        out[i] = (char)(text.ptr[i] >= 'A' && text.ptr[i] <= 'Z' ? text.ptr[i] + ('a' - 'A')
                                                                 : text.ptr[i]);
    return (struct str){out, text.len};
}

static enum err read_host(struct arena *arena, CURLU *parsed, struct url *url, struct error *why)
{
    struct str host = part_of(parsed, CURLUPART_HOST, 0, arena);
    unsigned char binary[16];

    if (part_of(parsed, CURLUPART_ZONEID, 0, arena).ptr != NULL)
        return invalid(why, "has an IPv6 zone");
    if (host.len >= 2 && host.ptr[0] == '[')
        host = arena_str(arena, str_slice(host, 1, host.len - 2));
    url->host = lower_case(arena, host);
    url->host_is_v4 = inet_pton(AF_INET, url->host.ptr, binary) == 1;
    url->host_is_v6 = inet_pton(AF_INET6, url->host.ptr, binary) == 1;
    if (url->host_is_v4 || url->host_is_v6)
        return ERR_NONE;
    return check_name(url->host, why);
}

static enum err read_port(struct arena *arena, CURLU *parsed, struct url *url, struct error *why)
{
    int64_t port = 0;

    if (!str_to_i64(part_of(parsed, CURLUPART_PORT, CURLU_DEFAULT_PORT, arena), &port) ||
            port < 1 || port > 65535)
        return invalid(why, "has a port outside 1 to 65535");
    url->port = (unsigned)port;
    return ERR_NONE;
}

static enum err read_parts(struct arena *arena, CURLU *parsed, struct url *url, struct error *why)
{
    enum err err = read_host(arena, parsed, url, why);
    struct str query;

    if (err == ERR_NONE)
        err = read_port(arena, parsed, url, why);
    if (err != ERR_NONE)
        return err;
    /* The host goes back in lower case, so that equal hosts share connections and DNS answers. */
    if (!url->host_is_v6 && curl_url_set(parsed, CURLUPART_HOST, url->host.ptr, 0) != CURLUE_OK)
        return invalid(why, "has a host that cannot be used");
    url->https = str_is(part_of(parsed, CURLUPART_SCHEME, 0, arena), "https");
    url->path = part_of(parsed, CURLUPART_PATH, 0, arena);
    query = part_of(parsed, CURLUPART_QUERY, 0, arena);
    if (query.len > 0) /* a lone "?" is not in url->whole either */
        url->path = arena_strf(arena, "%s?%s", url->path.ptr, query.ptr);
    url->whole = part_of(parsed, CURLUPART_URL, 0, arena);
    if (url->path.ptr == NULL || url->whole.ptr == NULL)
        return invalid(why, "cannot be read");
    return ERR_NONE;
}

enum err url_parse(struct arena *arena,
        struct str text,
        size_t max_bytes,
        struct url *ret_url,
        struct error *why)
{
    CLEANUP_PTR(curl_url_cleanup) CURLU *parsed = NULL;
    struct url url = {0};
    CURLUcode code;
    enum err err = check_text(text, max_bytes, why);

    if (err != ERR_NONE)
        return err;
    parsed = curl_url();
    if (parsed == NULL)
        return error_set(why, ERR_UNAVAILABLE, "libcurl has no memory to read a URL");
    code = curl_url_set(parsed,
            CURLUPART_URL,
            arena_str(arena, text).ptr,
            CURLU_URLENCODE | CURLU_DISALLOW_USER);
    if (code != CURLUE_OK)
        return error_set(why, ERR_INVALID, "the URL cannot be read: %s", curl_url_strerror(code));
    err = read_parts(arena, parsed, &url, why);
    if (err == ERR_NONE)
        *ret_url = url;
    return err;
}

bool url_same_origin(const struct url *a, const struct url *b)
{
    return a->https == b->https && a->port == b->port && str_equal(a->host, b->host);
}
