/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe_answer - sends a sample once and answers the request with what came of it: the test of an
 * endpoint, and the playground.
 */
#pragma once

#include "api/request.h"
#include "base/id.h"
#include "domain/endpoint.h"
#include "domain/event.h"

/** A sample to send. In the request's arena; stays put until the request ends. */
struct sample_send {
    struct endpoint *take_endpoint; /* a reference, taken */
    enum event_kind kind;
    struct str payload_id;
    struct str body;
    struct str told_secret; /* made for this one request, so the answer tells it; none: not */
};

/** A new payload_id for a sample. */
struct str sample_payload_id(struct arena *arena, int64_t now_ms);

/** Sends it, and answers 200 with the attempt, whether it was delivered or not; 503 when too many
 *  are under way. Takes request->data and request->end. */
void probe_answer(struct request *request, const struct sample_send *send);
