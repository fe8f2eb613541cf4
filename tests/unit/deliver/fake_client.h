/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_client - an http_client without a network: it keeps what is started until the test answers
 * it, or answers everything by itself.
 *
 * run() tells what was answered or cancelled. When there is nothing to tell it waits until it is woken
 * if it may wait for ever, and not at all else.
 */
#pragma once

#include <pthread.h>

#include "net/http_client.h"

enum { FAKE_REQUESTS_MAX = 256 };

struct fake_answer {
    enum http_error error;
    int64_t status;
    const char *headers; /* "Name: value\n" lines; NULL: none */
    const char *body;    /* NULL: none */
    const char *detail;  /* NULL: none */
};

struct fake_client {
    struct http_client client;                        /* first */
    struct http_request *requests[FAKE_REQUESTS_MAX]; /* active, in the order of starts */
    struct fake_answer answers[FAKE_REQUESTS_MAX];
    bool is_answered[FAKE_REQUESTS_MAX];
    size_t count;
    size_t started_count; /* ever */
    int64_t auto_status;  /* not 0: each request gets this status by itself */

    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool is_woken;
};

struct fake_client *fake_client_new(void); /* http_client_free() frees it */
/** The next run ends the active request at that place in this way. */
void fake_client_answer(struct fake_client *fake, size_t place, struct fake_answer answer);
