/* SPDX-License-Identifier: Apache-2.0 */
/* http_framing - counting the headers that matter, then judging them together. */
#include "net/http_framing.h"

#include <stddef.h>
#include <string.h>

static bool is_token_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

bool http_framing_is_token(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_token_char(s.ptr[i]))
            return false;
    return s.len > 0;
}

static void note_broken(struct http_framing *framing, const char *why)
{
    if (framing->broken == NULL)
        framing->broken = why;
}

void http_framing_add(struct http_framing *framing, struct str name, struct str value)
{
    /* A blank before the colon, or a bare CR in a value, is one header to some and another, or
     * two, to others: that is how requests are smuggled. */
    if (!http_framing_is_token(name))
        note_broken(framing, "a header name has a character that none may have");
    for (size_t i = 0; i < value.len; i++)
        if ((unsigned char)value.ptr[i] < ' ' && value.ptr[i] != '\t')
            note_broken(framing, "a header value has a control character");
    if (str_equal_nocase(name, STR("Host"))) {
        framing->host_count++;
    } else if (str_equal_nocase(name, STR("Content-Length"))) {
        framing->length_count++;
        framing->length = value;
    } else if (str_equal_nocase(name, STR("Transfer-Encoding"))) {
        framing->encoding_count++;
        framing->encoding = value;
    }
}

static void read_length(struct http_framing *framing)
{
    framing->content_length = -1;
    if (framing->length_count == 0)
        return;
    if (framing->length_count > 1)
        note_broken(framing, "there is more than one Content-Length");
    else if (!str_to_i64(framing->length, &framing->content_length) ||
             framing->content_length < 0 || framing->length.ptr[0] == '-')
        note_broken(framing, "Content-Length is no number that we can take");
}

static void read_encoding(struct http_framing *framing, bool is_http_1_1)
{
    framing->is_chunked = framing->encoding_count > 0;
    if (!framing->is_chunked)
        return;
    if (framing->length_count > 0)
        note_broken(framing, "there are both Content-Length and Transfer-Encoding");
    if (framing->encoding_count > 1 || !is_http_1_1 ||
            !str_equal_nocase(framing->encoding, STR("chunked")))
        note_broken(framing, "Transfer-Encoding may only be \"chunked\", once, in HTTP/1.1");
}

void http_framing_end(struct http_framing *framing, bool is_http_1_1)
{
    if (is_http_1_1 && framing->host_count == 0)
        note_broken(framing, "there is no Host header");
    if (framing->host_count > 1)
        note_broken(framing, "there is more than one Host header");
    read_length(framing);
    read_encoding(framing, is_http_1_1);
}
