/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server - the whole program but its command line: builds every object, hands each what it needs,
 * and ends them in order. It owns them all, and nothing is global.
 *
 * One thread, the caller's; signals are its business too.
 */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "config.h"

struct server;

/** How often server_tick() is to be called: the grain of delayed answers. */
enum { SERVER_TICK_MS = 50 };

/**
 * Makes the data folder if need be, binds, opens what is stored, and serves. config is borrowed
 * until server_stop(). Threads inherit the caller's signal mask. ERR_UNAVAILABLE, ERR_BUSY (another
 * process uses the folder) and what else store_open() tells.
 */
MUST_CHECK enum err
server_start(const struct config *config, struct server **ret_server, struct error *why);
/** "127.0.0.1:8080": the address really bound. */
const char *server_address(const struct server *server);
/** Does what is due by time. */
void server_tick(struct server *server);
/** Takes no new requests, lets requests and attempts in flight end (10 s at most), stores
 *  everything, frees. NULL and a half-started one are fine. */
void server_stop(struct server *server);
