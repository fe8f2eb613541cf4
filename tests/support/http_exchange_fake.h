/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_exchange_fake - plays one request to a handler from memory, as the server would.
 *
 * The test's thread is the server thread: it runs begin, the body, complete and on_resume. A
 * resume may come from any thread; every wait has a deadline.
 *
 *     struct http_exchange_fake *fake = http_exchange_fake_new("POST", "/v1/calls?x=1");
 *     http_exchange_fake_add_header(fake, "Content-Type", "application/json");
 *     http_exchange_fake_set_body(fake, STR("{}"));
 *     assert_true(http_exchange_fake_serve(fake, handler, 5000));
 *     assert_int_equal(http_exchange_fake_status(fake), 201);
 *     http_exchange_fake_free(fake);
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/http_exchange.h"

struct http_exchange_fake;

/** target: path, and "?" and query behind it. Both texts are copied. */
struct http_exchange_fake *http_exchange_fake_new(const char *method, const char *target);
/** Runs end if begin ran. A suspended exchange is waited for first, 5 s, else it aborts. */
void http_exchange_fake_free(struct http_exchange_fake *fake);
void http_exchange_fake_add_header(struct http_exchange_fake *fake,
        const char *name,
        const char *value);
/** Copied; told as Content-Length. */
void http_exchange_fake_set_body(struct http_exchange_fake *fake, struct str body);
/** Sends the body without a length, in pieces of so many bytes. */
void http_exchange_fake_set_chunked(struct http_exchange_fake *fake, size_t piece_bytes);
void http_exchange_fake_set_peer(struct http_exchange_fake *fake, const char *peer);

/** Runs the handler until it has replied; false when it had not after timeout_ms. */
bool http_exchange_fake_serve(struct http_exchange_fake *fake,
        const struct http_handler *handler,
        int64_t timeout_ms);
/** The first half alone: begin, body, complete; returns at a reply or a suspension. */
void http_exchange_fake_begin(struct http_exchange_fake *fake, const struct http_handler *handler);
/** The second half: waits for resumes and runs on_resume until there is a reply; false in time. */
bool http_exchange_fake_wait(struct http_exchange_fake *fake, int64_t timeout_ms);

/* Of the reply. */
unsigned http_exchange_fake_status(const struct http_exchange_fake *fake);
/** Bytes, or what the part of the file holds; borrowed until free. */
struct str http_exchange_fake_body(struct http_exchange_fake *fake);
/** Any case; "Content-Type" too. None when absent. */
struct str http_exchange_fake_header(const struct http_exchange_fake *fake, const char *name);
/** Reads the stream until all that came out of it so far holds text; false after timeout_ms or at
 *  the stream's end. */
bool http_exchange_fake_stream_until(struct http_exchange_fake *fake,
        const char *text,
        int64_t timeout_ms);
/** What has been read of the stream; borrowed until the next read. */
struct str http_exchange_fake_stream(const struct http_exchange_fake *fake);
/** The exchange itself, for what the above does not show. */
struct http_exchange *http_exchange_fake_exchange(struct http_exchange_fake *fake);
