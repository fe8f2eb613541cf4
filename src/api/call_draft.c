/* SPDX-License-Identifier: Apache-2.0 */
/* call_draft - the members of a call to log, checked but for what only the database knows. */
#include "api/call_draft.h"

#include "api/field.h"
#include "domain/limits.h"
#include "net/url.h"

enum { RECORDING_URL_MAX_BYTES = 2048, WORD_MAX_BYTES = 32 };

static bool read_type(const struct field *field, struct call_draft *draft)
{
    struct str word;

    if (faults_read_str(field->faults,
                field->json,
                "type",
                "type",
                MEMBER_REQUIRED,
                WORD_MAX_BYTES,
                &word) != MEMBER_SET)
        return false;
    if (!call_type_parse(word, &draft->type)) {
        faults_add(field->faults, "type", "must be one of incoming, outgoing, missed, rejected");
        return false;
    }
    return true;
}

static void read_staff(const struct field *field, struct call_draft *draft)
{
    static const char *const members[] = {"id", "name", "phone", "email", NULL};
    const struct json *staff = NULL;

    (void)field_id(field, "staff_id", MEMBER_NULLABLE, &draft->staff_id);
    if (faults_read_json(field->faults,
                field->json,
                "staff",
                "staff",
                MEMBER_NULLABLE,
                JSON_OBJECT_TYPE,
                &staff) != MEMBER_SET)
        return;
    if (draft->staff_id.ptr != NULL)
        faults_add(field->faults, "staff", "cannot be given together with staff_id");

    const struct field inner = {field->faults, staff, "staff."};

    draft->has_staff = true;
    (void)faults_check_members(field->faults, staff, "staff.", members);
    (void)field_id(&inner, "id", MEMBER_NULLABLE, &draft->staff.id);
    (void)field_text(&inner, "name", MEMBER_REQUIRED, LIMIT_NAME_BYTES, &draft->staff.name);
    (void)field_phone(&inner, "phone", MEMBER_NULLABLE, &draft->staff.phone);
    (void)field_email(&inner, "email", MEMBER_NULLABLE, &draft->staff.email);
}

/* The link is only passed on to receivers: its form is checked, not where it leads. */
static void
read_recording_url(struct faults *faults, const struct json *recording, struct call_draft *draft)
{
    static const char *const members[] = {"url", NULL};
    struct str text = STR_NONE;
    struct error why;
    struct url url;

    (void)faults_check_members(faults, recording, "recording.", members);
    if (faults_read_str(faults,
                recording,
                "url",
                "recording.url",
                MEMBER_REQUIRED,
                RECORDING_URL_MAX_BYTES,
                &text) != MEMBER_SET)
        return;
    if (url_parse(faults->arena, text, RECORDING_URL_MAX_BYTES, &url, &why) != ERR_NONE)
        faults_add(faults, "recording.url", "%s", why.text);
    else
        draft->recording_url = text;
}

static void read_recording(const struct field *field, struct call_draft *draft, bool is_answered)
{
    const struct json *recording = json_member(field->json, "recording");
    struct str word = recording != NULL ? json_str(recording) : STR_NONE;

    draft->recording_expected = is_answered;
    if (recording == NULL || json_type(recording) == JSON_NULL_TYPE)
        return;
    draft->recording_expected = str_is(word, "expected");
    if (json_type(recording) == JSON_OBJECT_TYPE)
        read_recording_url(field->faults, recording, draft);
    else if (!draft->recording_expected && !str_is(word, "none"))
        faults_add(field->faults,
                "recording",
                "must be \"expected\", \"none\" or an object with a url");
}

void call_draft_read(const struct json *json, struct faults *faults, struct call_draft *draft)
{
    static const char *const members[] = {"type",
            "phone",
            "name",
            "duration",
            "started_at",
            "staff_id",
            "staff",
            "external_id",
            "recording",
            NULL};
    const struct field field = {faults, json, ""};

    if (!faults_check_members(faults, json, "", members))
        return;

    bool has_type = read_type(&field, draft);

    (void)field_phone(&field, "phone", MEMBER_REQUIRED_NULLABLE, &draft->phone);
    (void)field_text(&field, "name", MEMBER_NULLABLE, CALL_NAME_MAX_BYTES, &draft->name);
    (void)faults_read_i64(faults,
            json,
            "duration",
            "duration",
            MEMBER_OPTIONAL,
            0,
            CALL_DURATION_MAX_S,
            &draft->duration_s);
    (void)faults_read_time(
            faults, json, "started_at", "started_at", MEMBER_NULLABLE, &draft->started_at_ms);
    (void)field_text(&field,
            "external_id",
            MEMBER_NULLABLE,
            CALL_EXTERNAL_ID_MAX_BYTES,
            &draft->external_id);
    read_staff(&field, draft);
    read_recording(&field, draft, has_type && call_is_answered(draft->type));
}
