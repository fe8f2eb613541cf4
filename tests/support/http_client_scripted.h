/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_client_scripted - an http_client on virtual time, whose receivers are a function.
 *
 * The script decides at the start of each request what will become of it and when; a run ends
 * those whose moment has come by the clock, and never waits. The test moves the clock to
 * http_client_scripted_due_ms(). One thread, but for wake.
 */
#pragma once

#include "base/clock.h"
#include "net/http_client.h"

/** Zeroed, it is an answer at once with status 0; the script fills in what it wants. */
struct http_script_answer {
    int64_t after_ms; /* from the start; -1: never. Above the request's timeout: HTTP_TIMEOUT then */
    enum http_error error;
    const char *detail;  /* with an error; NULL: its name */
    int64_t status;      /* with HTTP_OK */
    const char *headers; /* "Name: value\n" lines; NULL: none */
    struct str body;     /* copied */
};

/** Sees the request, borrowed for the call. */
typedef void
http_script(void *ctx, const struct http_request *request, struct http_script_answer *ret_answer);

/** The clock is borrowed. Free with http_client_free(). */
struct http_client *
http_client_scripted_new(const struct clock_virtual *clock, http_script *script, void *ctx);
/** The virtual moment at which the next run will have something to do; -1: nothing is under way. */
int64_t http_client_scripted_due_ms(const struct http_client *client);
