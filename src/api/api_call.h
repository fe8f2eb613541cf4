/* SPDX-License-Identifier: Apache-2.0 */
/* api_call - handlers: calls. */
#pragma once

struct request;

/** POST /v1/calls */
void api_call_create(struct request *request);
/** POST /v1/calls/batch */
void api_call_batch(struct request *request);
/** GET /v1/calls */
void api_call_list(struct request *request);
/** GET /v1/calls/{call_id} */
void api_call_get(struct request *request);
/** PATCH /v1/calls/{call_id} */
void api_call_patch(struct request *request);
