/* SPDX-License-Identifier: Apache-2.0 */
/* api_stream - opening a stream of what happens in the org. */
#include "api/api_stream.h"

#include "api/state.h"
#include "api/stream.h"

void api_stream_open(struct request *request)
{
    if (!request_refuse_faults(request))
        stream_open(request->api->streams, request);
}
