/* SPDX-License-Identifier: Apache-2.0 */
/* api_analysis - handlers: the analysis of a call. */
#pragma once

struct request;

/** PUT /v1/calls/{call_id}/analysis */
void api_analysis_put(struct request *request);
