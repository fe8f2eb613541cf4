/* SPDX-License-Identifier: Apache-2.0 */
/* api_delivery - the requests about deliveries: /v1/deliveries and what lies below it. */
#pragma once

struct request;

/* The handlers of the route table (route.c). */
void api_delivery_list(struct request *request);
void api_delivery_get(struct request *request);
void api_delivery_retry(struct request *request);
void api_delivery_cancel(struct request *request);
