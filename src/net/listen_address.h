/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listen_address - "127.0.0.1:8080" and "[::1]:0": read, bound, and written back. Any thread.
 */
#pragma once

#include "base/error.h"
#include "base/str.h"

enum { LISTEN_ADDRESS_SIZE = 64 };

/** ERR_INVALID with the reason: an IP address and a port of 0 to 65535 it must be. */
MUST_CHECK enum err listen_address_check(struct str text, struct error *why);
/** A listening TCP socket, not blocking, which the caller closes; port 0 picks one. ERR_INVALID as
 *  above, ERR_UNAVAILABLE when the system refuses. */
MUST_CHECK enum err listen_address_bind(struct str text, int *ret_fd, struct error *why);
/** Writes the address that fd is really bound to. */
void listen_address_of(int fd, char ret_text[LISTEN_ADDRESS_SIZE]);
