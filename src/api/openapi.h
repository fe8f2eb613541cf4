/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openapi - the API's description (doc/openapi.yaml) as the build embeds it. Constants; any thread.
 * The code is made by tools/embed_openapi.py.
 */
#pragma once

#include "base/str.h"

/** OpenAPI 3.1, as JSON. */
struct str openapi_json(void);
/** The same as an HTML page. */
struct str openapi_page(void);
/** The page's Content-Security-Policy. */
struct str openapi_page_policy(void);
