/* SPDX-License-Identifier: Apache-2.0 */
/* api_token - handlers: the API tokens of an org. */
#pragma once

struct request;

/** POST /v1/tokens */
void api_token_create(struct request *request);
/** GET /v1/tokens */
void api_token_list(struct request *request);
/** DELETE /v1/tokens/{id} */
void api_token_delete(struct request *request);
