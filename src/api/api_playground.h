/* SPDX-License-Identifier: Apache-2.0 */
/* api_playground - looking at sample payloads and sending one anywhere: /v1/playground. */
#pragma once

struct request;

/* The handlers of the route table (route.c). */
void api_playground_preview(struct request *request);
void api_playground_send(struct request *request);
