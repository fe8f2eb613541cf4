/* SPDX-License-Identifier: Apache-2.0 */
/*
 * target - checking a URL that a client names as a target, before it is stored or sent to: its form,
 * and every address that its host has. What is connected to is checked again each time.
 */
#pragma once

#include "api/request.h"
#include "net/resolver.h"
#include "net/url.h"

/** The handler's data begins with it: request->data points here while the check is under way. */
struct target {
    struct url url;    /* out: when it could be read */
    bool is_own_inbox; /* out: an inbox of this server, which needs no check of addresses */
    const char *field; /* the member that holds the URL, for faults */
    struct resolver_answer answer;
    void (*then)(struct request *request);
};

/**
 * Reads text and checks it. Adds a fault to the request for what is wrong with it; a name that
 * cannot be looked up just now is no fault. Then runs `then`: at once, or later on the server's
 * thread when a name had to be looked up.
 */
void target_check(struct request *request,
        struct target *target,
        const char *field,
        struct str text,
        void (*then)(struct request *request));
