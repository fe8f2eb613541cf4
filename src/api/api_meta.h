/* SPDX-License-Identifier: Apache-2.0 */
/* api_meta - handlers: what the server says of itself. */
#pragma once

struct request;

/** GET / */
void api_meta_home(struct request *request);
/** GET /healthz */
void api_meta_healthz(struct request *request);
/** GET /readyz */
void api_meta_readyz(struct request *request);
/** GET /metrics */
void api_meta_metrics(struct request *request);
/** GET /openapi.json */
void api_meta_openapi(struct request *request);
/** GET /docs */
void api_meta_docs(struct request *request);
