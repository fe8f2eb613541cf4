/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call_json - calls in answers: what a payload says of them as `data`, and what stands around it.
 * Pure; any thread.
 */
#pragma once

#include "base/buf.h"
#include "store/store_call.h"

/** Appends call_id, org_id, external_id, created_at and data: an object left open. */
void call_json_begin(struct buf *buf, const struct call_view *view);
/** Appends recording, null when there is none: {"url","content_type","size","sha256"}. */
void call_json_recording(struct buf *buf, const struct call_view *view);
/** Appends analysis, the whole latest result, null when there never was one. */
void call_json_analysis(struct buf *buf, const struct call_view *view);
