/* SPDX-License-Identifier: Apache-2.0 */
/* api_endpoint - the requests about endpoints: /v1/endpoints and what lies below it. */
#pragma once

struct request;

/* The handlers of the route table (route.c). */
void api_endpoint_list(struct request *request);
void api_endpoint_get(struct request *request);
void api_endpoint_create(struct request *request);
void api_endpoint_patch(struct request *request);
void api_endpoint_delete(struct request *request);
void api_endpoint_secret_get(struct request *request);
void api_endpoint_rotate(struct request *request);
void api_endpoint_test(struct request *request);
void api_endpoint_stats(struct request *request);
void api_endpoint_recover(struct request *request);
