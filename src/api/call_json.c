/* SPDX-License-Identifier: Apache-2.0 */
/* call_json - writing calls as answers show them. */
#include "api/call_json.h"

#include "api/member.h"
#include "domain/payload.h"

void call_json_begin(struct buf *buf, const struct call_view *view)
{
    const struct payload payload = {
            .kind = EVENT_CALL_LOGGED,
            .call = &view->call,
            .contact = view->has_contact ? &view->contact : NULL,
            .staff = view->has_staff ? &view->staff : NULL,
            .recording_url = view->recording_url,
    };

    buf_add_char(buf, '{');
    member_i64(buf, "call_id", view->call.id);
    member_str(buf, "org_id", view->call.org_id);
    member_str(buf, "external_id", view->call.external_id);
    member_time(buf, "created_at", view->call.created_at_ms);
    member_name(buf, "data");
    payload_write_data(buf, &payload);
}

void call_json_recording(struct buf *buf, const struct call_view *view)
{
    const struct recording *recording = &view->call.recording;

    if (view->recording_url.ptr == NULL) {
        member_raw(buf, "recording", STR_NONE);
        return;
    }
    member_name(buf, "recording");
    buf_add_char(buf, '{');
    member_str(buf, "url", view->recording_url);
    member_str(buf, "content_type", recording->content_type);
    member_i64_or_null(buf, "size", recording->size_bytes);
    member_str(buf, "sha256", recording->sha256);
    buf_add_char(buf, '}');
}

void call_json_analysis(struct buf *buf, const struct call_view *view)
{
    member_raw(buf, "analysis", view->analysis_result);
}
