/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fetcher - downloads recordings that a client gave by URL with "fetch": true.
 *
 * What is to be fetched stands in the database (call.recording_fetch_url), so a restart goes on with
 * it. One thread, a few downloads at a time, each tried 5 times with growing waits (5 s, 30 s, 2 m,
 * 10 m), then file_status becomes failed. The audio type comes from Content-Type, or, where that is
 * no audio type, from the magic bytes. Targets are checked as for deliveries.
 */
#pragma once

#include "media/recordings.h"
#include "net/http_client.h"

struct fetcher;

struct fetcher_config {
    struct store *store;
    struct recordings *recordings;
    const struct clock *clock;
    const struct log *log;
    struct http_client *client; /* taken */
};

/** Starts the thread, which looks for what is to be fetched. ERR_UNAVAILABLE without one; the client is
 *  freed then. */
MUST_CHECK enum err
fetcher_start(const struct fetcher_config *config, struct fetcher **ret_fetcher, struct error *why);
/** There may be something new to fetch. Any thread. */
void fetcher_wake(struct fetcher *fetcher);
/** Ends what is under way (it is done again at the next start). NULL is fine. */
void fetcher_stop(struct fetcher *fetcher);
