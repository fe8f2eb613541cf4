/* SPDX-License-Identifier: Apache-2.0 */
/* api_analysis - taking in the analysis of a call. */
#include "api/api_analysis.h"

#include "api/call_json.h"
#include "api/member.h"
#include "api/request.h"
#include "domain/analysis.h"
#include "store/store_call.h"

static void render_put(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct analysis_put *put = (const struct analysis_put *)op;

    (void)ret_status;
    buf_add_char(ret_body, '{');
    member_i64(ret_body, "call_id", put->call_id);
    member_id(ret_body, "payload_id", EVENT_ID_PREFIX, put->event_id);
    member_i64(ret_body, "deliveries", put->delivery_count);
    call_json_analysis(ret_body, &put->view);
    buf_add_char(ret_body, '}');
}

void api_analysis_put(struct request *request)
{
    struct analysis_put *put = ARENA_NEW(request->arena, struct analysis_put);
    struct analysis *analysis = ARENA_NEW(request->arena, struct analysis);

    if (!request_param_call_id(request, 0, &put->call_id))
        return;
    put->org_id = request->org_id;
    put->analysis = analysis;
    analysis_read(request->json, &request->faults, analysis);
    request_submit(request, &put->op, REQUEST_SUBMIT(store_analysis_put), render_put);
}
