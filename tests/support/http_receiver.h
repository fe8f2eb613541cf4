/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_receiver - a receiver of requests with a page for each way in which one can answer, and
 * fail to: "/ok", "/chunked", "/reset", "/endless-headers" ... (the table in http_receiver.c).
 */
#pragma once

#include <stdbool.h>

struct http_receiver;

/** Listens on a free port of 127.0.0.1. */
struct http_receiver *http_receiver_new(void);
/** Its connections must have been closed by the other side. NULL is fine. */
void http_receiver_free(struct http_receiver *receiver);
unsigned http_receiver_port(const struct http_receiver *receiver);
/** Connections taken so far. */
unsigned http_receiver_connections(struct http_receiver *receiver);
/** True when text stood somewhere in what came since the start or the last forget. */
bool http_receiver_saw(struct http_receiver *receiver, const char *text);
void http_receiver_forget(struct http_receiver *receiver);
