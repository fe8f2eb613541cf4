/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolver_inbox - asks a resolver for a thread that sits in a poll loop, and brings the answers
 * back to it.
 *
 * Its descriptor becomes readable when an answer has come, or somebody rang: it is the loop's wake
 * call too. A question may outlive the inbox: the lookup then ends into nothing. One thread, but
 * for resolver_inbox_ring().
 */
#pragma once

#include "net/resolver.h"

struct resolver_inbox;
struct resolver_question; /* asked and not yet answered */

/** The resolver is borrowed. NULL when the system gives no descriptor. */
struct resolver_inbox *resolver_inbox_new(struct resolver *resolver);
/** Answers still to come are thrown away. NULL is fine. */
void resolver_inbox_close(struct resolver_inbox *inbox);
int resolver_inbox_fd(const struct resolver_inbox *inbox);
/** Makes the descriptor readable. Any thread. */
void resolver_inbox_ring(const struct resolver_inbox *inbox);
/** Makes it unreadable again, until the next answer or ring. */
void resolver_inbox_silence(const struct resolver_inbox *inbox);
/** NULL: *ret_answer was filled at once. Else the answer comes through resolver_inbox_take(), with
 *  this asker, unless resolver_question_forget() comes first. */
struct resolver_question *resolver_inbox_ask(struct resolver_inbox *inbox,
        const char *host,
        void *asker,
        struct resolver_answer *ret_answer);
/** The asker is not to be called any more. NULL is fine. */
void resolver_question_forget(struct resolver_question *question);
/** Calls take for each answer that has come; its question is gone after that. */
void resolver_inbox_take(struct resolver_inbox *inbox,
        void (*take)(void *asker, const struct resolver_answer *answer));
