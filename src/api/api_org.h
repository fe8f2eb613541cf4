/* SPDX-License-Identifier: Apache-2.0 */
/* api_org - handlers: orgs, for the admin. */
#pragma once

struct request;

/** POST /v1/orgs */
void api_org_create(struct request *request);
/** GET /v1/orgs */
void api_org_list(struct request *request);
/** GET /v1/orgs/{id} */
void api_org_get(struct request *request);
/** DELETE /v1/orgs/{id} */
void api_org_delete(struct request *request);
