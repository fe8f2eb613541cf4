/* SPDX-License-Identifier: Apache-2.0 */
/* api_recording - handlers: recordings. */
#pragma once

struct request;

/** PUT /v1/calls/{call_id}/recording, before its body */
void api_recording_put_begin(struct request *request);
/** PUT /v1/calls/{call_id}/recording */
void api_recording_put(struct request *request);
/** GET /v1/calls/{call_id}/recording */
void api_recording_get(struct request *request);
/** DELETE /v1/calls/{call_id}/recording */
void api_recording_delete(struct request *request);
/** GET /recordings/{name} */
void api_recording_get_by_link(struct request *request);
