/* SPDX-License-Identifier: Apache-2.0 */
/*
 * state - what the API holds from start to end, shared by its requests. For api.c and the few files
 * that need more than request->parts and request_config().
 */
#pragma once

#include <stdatomic.h>

#include "api/api.h"
#include "api/auth.h"
#include "api/services.h"
#include "api/stream.h"

struct api {
    struct api_config config; /* constant */
    struct api_parts parts;   /* constant once api_use() was called */
    struct http_handler handler;
    struct auth *auth;
    struct services services;
    struct stream_hub *streams;
    atomic_bool draining;
};
