/* SPDX-License-Identifier: Apache-2.0 */
/* api_contact - handlers: contacts. */
#pragma once

struct request;

/** GET /v1/contacts */
void api_contact_list(struct request *request);
/** POST /v1/contacts */
void api_contact_create(struct request *request);
/** GET /v1/contacts/{id} */
void api_contact_get(struct request *request);
/** PUT /v1/contacts/{id} */
void api_contact_put(struct request *request);
/** PATCH /v1/contacts/{id} */
void api_contact_patch(struct request *request);
/** DELETE /v1/contacts/{id} */
void api_contact_delete(struct request *request);
