/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream - GET /v1/stream: what happens in an org, as Server-Sent Events (WHATWG HTML, 9.2).
 *
 * The store's notes go into a ring of the newest 8,192; each open stream has its place in the ring
 * and writes what is of its org. Last-Event-ID resumes where the ring still reaches; where it does
 * not, the first event is `reset`, so that the client loads anew. A stream that is too slow for the
 * ring gets `reset` as well. A comment with the newest id every 15 s keeps proxies from closing, and
 * keeps the id of a quiet org from growing too old.
 */
#pragma once

#include "api/request.h"

struct stream_hub;

/** Without a stream. Counts the open ones in metrics. */
struct stream_hub *stream_hub_new(struct metrics *metrics);
/** Every stream must have ended. NULL is fine. */
void stream_hub_free(struct stream_hub *hub);
/** What feeds it: to give to the store. */
const struct note_listener *stream_hub_listener(struct stream_hub *hub);
/** Heartbeats. Any one thread. */
void stream_hub_tick(struct stream_hub *hub, int64_t now_ms);
/** Ends every stream. */
void stream_hub_close(struct stream_hub *hub);
/** Answers the request with a stream. 503 when 1,000 are open. */
void stream_open(struct stream_hub *hub, struct request *request);
