/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailbox - the queue between threads: many post, one takes everything at once.
 *
 * Nodes are embedded in the caller's structs and belong to the mailbox until taken. Order is kept
 * per poster. With a cap, mailbox_post refuses when full; mailbox_post_always never refuses and is
 * for answers whose number is bounded elsewhere. After mailbox_close every post is refused.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

struct mail {
    struct mail *next;
};

struct mailbox;

/** Called, if not NULL, after a post made an empty mailbox non-empty, and after it was closed (to
 *  wake a poll loop); on the thread that did it, without a lock held. */
typedef void mailbox_wake(void *ctx);

/** max_count 0: no cap. */
struct mailbox *mailbox_new(size_t max_count, mailbox_wake *wake, void *wake_ctx);
/** Only when no thread can be inside a call any more. What is still in it is forgotten; NULL is
 *  fine. */
void mailbox_free(struct mailbox *mailbox);
DEFINE_CLEANUP(struct mailbox, mailbox_free)
/** ERR_BUSY when full, ERR_CANCELLED when closed; the mail is then still the caller's. */
MUST_CHECK enum err mailbox_post(struct mailbox *mailbox, struct mail *mail);
/** Posts a whole chain (linked by next) under one lock, however full; false when closed. */
MUST_CHECK bool mailbox_post_always(struct mailbox *mailbox, struct mail *first);
/** Waits until there is mail, or timeout_ms passed (0: do not wait, -1: for ever), or it is closed.
 *  Returns the chain in order of posting, NULL when there was none. Only the one taker. */
struct mail *mailbox_take(struct mailbox *mailbox, int64_t timeout_ms);
/** Ends waiting and refuses all later posts. Any thread. */
void mailbox_close(struct mailbox *mailbox);
bool mailbox_is_closed(struct mailbox *mailbox);
size_t mailbox_count(struct mailbox *mailbox);
