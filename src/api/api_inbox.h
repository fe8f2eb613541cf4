/* SPDX-License-Identifier: Apache-2.0 */
/* api_inbox - the requests about inboxes (/v1/inboxes), and those that arrive at one (/in/{id}). */
#pragma once

struct request;

/* The handlers of the route table (route.c). */
void api_inbox_list(struct request *request);
void api_inbox_create(struct request *request);
void api_inbox_get(struct request *request);
void api_inbox_requests(struct request *request);
void api_inbox_delete(struct request *request);
void api_inbox_receive(struct request *request);
