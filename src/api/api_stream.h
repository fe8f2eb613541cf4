/* SPDX-License-Identifier: Apache-2.0 */
/* api_stream - the request for a stream: GET /v1/stream. */
#pragma once

struct request;

/** The handler of the route table (route.c). */
void api_stream_open(struct request *request);
