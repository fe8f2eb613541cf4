/* SPDX-License-Identifier: Apache-2.0 */
/* api_event - the requests about events: /v1/events and what lies below it. */
#pragma once

struct request;

/* The handlers of the route table (route.c). */
void api_event_list(struct request *request);
void api_event_get(struct request *request);
void api_event_replay(struct request *request);
