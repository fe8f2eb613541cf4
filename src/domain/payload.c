/* SPDX-License-Identifier: Apache-2.0 */
/* payload - writing the webhook's body, member by member. */
#include "domain/payload.h"

#include "base/json.h"
#include "base/rfc3339.h"

/* before is the punctuation and the name with its colon, such as ",\"name\":". */
static void add_string(struct buf *buf, const char *before, struct str value)
{
    buf_add_text(buf, before);
    json_add_string(buf, value);
}

static void add_call_details(struct buf *buf, const struct call *call, struct str recording_url)
{
    bool is_answered = call_is_answered(call->type);

    buf_add_text(buf, "{\"call_id\":");
    buf_add_i64(buf, call->id);
    add_string(buf, ",\"direction\":", call_direction(call->type));
    add_string(buf, ",\"type\":", call_type_name(call->type));
    add_string(buf, ",\"status\":", call_type_name(call->type));
    buf_add_text(buf, ",\"duration_total\":\"");
    buf_add_i64(buf, is_answered ? call->duration_s : 0);
    add_string(buf, "\",\"recording_url\":", recording_url);
    add_string(buf, ",\"file_status\":", file_status_name(call->file_status));
    buf_add_text(buf, ",\"reviewed\":");
    json_add_bool(buf, call->reviewed);
    buf_add_text(buf, ",\"started_at\":\"");
    rfc3339_add_seconds(buf, call->started_at_ms);
    buf_add_text(buf, "\"}");
}

static void add_caller(struct buf *buf, const struct call *call)
{
    add_string(buf, "{\"phone\":", call->phone);
    add_string(buf, ",\"name\":", call->name);
    buf_add_char(buf, '}');
}

static void add_identity(struct buf *buf, const struct contact *contact, struct str caller_phone)
{
    const struct contact unknown = {.phone = caller_phone};
    const struct contact *shown = contact != NULL ? contact : &unknown;

    add_string(buf, "{\"id\":", shown->id);
    add_string(buf, ",\"name\":", shown->name);
    add_string(buf, ",\"phone\":", shown->phone);
    add_string(buf, ",\"email\":", shown->email);
    add_string(buf, ",\"note\":", shown->note);
    buf_add_text(buf, ",\"labels\":");
    buf_add_str(buf, shown->labels.len > 0 ? shown->labels : STR("[]"));
    buf_add_char(buf, '}');
}

static void add_analysis(struct buf *buf, const struct payload *payload)
{
    enum analysis_status status = payload->call->analysis_status;

    if (payload->kind == EVENT_AI_ANALYSIS && payload->analysis.ptr != NULL) {
        buf_add_str(buf, payload->analysis);
        return;
    }
    add_string(buf, "{\"status\":", analysis_status_name(status));
    if (status == ANALYSIS_SKIPPED || status == ANALYSIS_FAILED)
        add_string(buf, ",\"reason\":", payload->call->analysis_reason);
    buf_add_char(buf, '}');
}

static void add_staff(struct buf *buf, const struct staff *staff)
{
    const struct staff unassigned = {0};
    const struct staff *shown = staff != NULL ? staff : &unassigned;

    add_string(buf, "{\"id\":", shown->id);
    add_string(buf, ",\"name\":", shown->name);
    add_string(buf, ",\"phone\":", shown->phone);
    add_string(buf, ",\"email\":", shown->email);
    buf_add_char(buf, '}');
}

void payload_write_data(struct buf *buf, const struct payload *payload)
{
    buf_add_text(buf, "{\"call_details\":");
    add_call_details(buf, payload->call, payload->recording_url);
    buf_add_text(buf, ",\"caller\":");
    add_caller(buf, payload->call);
    buf_add_text(buf, ",\"identity\":");
    add_identity(buf, payload->contact, payload->call->phone);
    buf_add_text(buf, ",\"ai_analysis\":");
    add_analysis(buf, payload);
    buf_add_text(buf, ",\"staff\":");
    add_staff(buf, payload->staff);
    buf_add_char(buf, '}');
}

void payload_write(struct buf *buf, const struct payload *payload)
{
    add_string(buf, "{\"event\":", event_kind_name(payload->kind));
    add_string(buf, ",\"type\":", call_type_name(payload->call->type));
    add_string(buf, ",\"org_id\":", payload->call->org_id);
    buf_add_text(buf, ",\"timestamp\":\"");
    rfc3339_add_ms(buf, payload->timestamp_ms);
    add_string(buf, "\",\"payload_id\":", payload->payload_id);
    buf_add_text(buf, ",\"data\":");
    payload_write_data(buf, payload);
    buf_add_char(buf, '}');
}
