/* SPDX-License-Identifier: Apache-2.0 */
/*
 * analysis - the AI analysis of a call: reading a result that a client puts, and writing the
 * `ai_analysis` object of the payload (contract 4.2) from it.
 *
 * Pure; any thread.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "domain/call.h"

enum {
    ANALYSIS_TOPICS_MAX = 64,
    ANALYSIS_ACTIONS_MAX = 64,
    ANALYSIS_SEGMENTS_MAX = 10000,
    ANALYSIS_SUMMARY_MAX_BYTES = 16 * 1024,
    ANALYSIS_TRANSCRIPT_MAX_BYTES = 512 * 1024, /* of the text, and of all segments' together */
    ANALYSIS_REASON_MAX_BYTES = 256,
    ANALYSIS_LANGUAGE_MAX_BYTES = 16,
    ANALYSIS_ENGINE_MAX_BYTES = 256,
    ANALYSIS_TOPIC_MAX_BYTES = 256,
    ANALYSIS_ACTION_MAX_BYTES = 1024,
    ANALYSIS_ERROR_MAX_BYTES = 1024,
    ANALYSIS_SCORE_MAX = 1000000,
};

struct faults; /* domain/faults.h */

/** What was put: members are borrowed from the document, checked, and otherwise as they came. */
struct analysis {
    enum analysis_status status; /* processing, completed, failed or skipped */
    struct str reason;           /* for failed and skipped; none else */
    const struct json *result;   /* the object that came */
};

/**
 * Checks a PUT /v1/calls/{id}/analysis body. Adds every fault (unknown members, types, ranges) to
 * *faults under its path, such as "sentiment.score" or "transcript.segments[3].start".
 * *ret_analysis is set only when no fault was added. Only status is required: everything else may
 * be left out or null, but an action item's text, a score's value and max, a segment's text.
 * version and completed_at may be given, but version is ours to set.
 */
void analysis_read(const struct json *json, struct faults *faults, struct analysis *ret_analysis);

/** Appends the whole object in the contract's member order; what is missing is null (topics,
 *  action_items and segments: []). A skipped or failed one is written whole, too, with "reason"
 *  (null when not given) after status. completed_at is the moment that was given, else
 *  completed_at_ms, in whole seconds UTC; null while processing. */
void analysis_write(struct buf *buf,
        const struct analysis *analysis,
        int64_t version,
        int64_t completed_at_ms);
