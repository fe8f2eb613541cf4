/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sender - turns a delivery (or a probe) into a signed HTTP request, and its answer into an outcome.
 * One a deliver thread.
 *
 * The hot path: what depends on a snapshot alone is worked out once a snapshot, and the memory of a
 * request is used again for the next one.
 */
#pragma once

#include "deliver/deliver.h"
#include "store/store_delivery.h"

struct sender;

/** Who is told, inside http_client_run(). */
struct sender_listener {
    /** The attempt has ended (RESULT_ATTEMPTED) and everything of its result is filled in; or we
     *  interrupted it (RESULT_RETURNED, due now): the receiver may have got it or not, and nothing
     *  is counted. */
    void (*ended)(void *ctx, struct delivery *delivery);
    /** Its out members are filled in; done has not run. */
    void (*probe_ended)(void *ctx, struct probe *probe);
    void *ctx;
};

/** All three are borrowed. */
struct sender *sender_new(struct http_client *client,
        const struct deliver_config *config,
        const struct sender_listener *listener);
/** Interrupts what is in flight (the listener is told), then frees. NULL is fine. */
void sender_free(struct sender *sender);
void sender_send(struct sender *sender, struct delivery *delivery);
void sender_probe(struct sender *sender, struct probe *probe);
/** Interrupts everything in flight: the listener is told in the next run of the client. */
void sender_interrupt(struct sender *sender);
/** Deliveries and probes. */
size_t sender_in_flight(const struct sender *sender);
