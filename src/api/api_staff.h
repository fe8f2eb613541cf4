/* SPDX-License-Identifier: Apache-2.0 */
/* api_staff - handlers: staff. */
#pragma once

struct request;

/** GET /v1/staff */
void api_staff_list(struct request *request);
/** POST /v1/staff */
void api_staff_create(struct request *request);
/** GET /v1/staff/{id} */
void api_staff_get(struct request *request);
/** PUT /v1/staff/{id} */
void api_staff_put(struct request *request);
/** PATCH /v1/staff/{id} */
void api_staff_patch(struct request *request);
/** DELETE /v1/staff/{id} */
void api_staff_delete(struct request *request);
