/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sample - the example calls, one a call type, and what a client may put in place of their data.
 *
 * The tables are the worked payloads of the integration guide; payload.c turns them into bytes.
 */
#include "domain/sample.h"

#include <string.h>

#include "base/rfc3339.h"
#include "domain/analysis.h"
#include "domain/limits.h"
#include "domain/payload.h"

enum { SAMPLE_URL_MAX_BYTES = 2048, CALL_ID_MAX_BITS = 53 };

#define SAMPLE_RECORDINGS "https://r2.callsyncapp.com/UPTOWN/8/2026_04/"

/* How each analysis begins; completed_at, which follows, is the event's moment. */
#define ANALYSIS_HEAD                                                                              \
    "{\"status\":\"completed\",\"version\":1,\"language\":\"en\",\"completed_at\":"

/* A call type's example. */
struct example {
    int64_t call_id;
    int64_t duration_s;
    int64_t started_at_ms;
    const char *recording_url; /* NULL: never one */
    bool is_recorded_at_once;  /* the recording is there when the call is logged */
    const char *analysis; /* what follows its completed_at; NULL: skipped, without a recording */
};

static const struct example EXAMPLES[CALL_TYPE_COUNT] = {
        [CALL_INCOMING] =
                {
                        .call_id = 88231,
                        .duration_s = 124,
                        .started_at_ms = INT64_C(1714305480000),
                        .recording_url = SAMPLE_RECORDINGS "rec_88231.mp3",
                        .is_recorded_at_once = true,
                        .analysis =
                                ",\"engine\":\"local/pocketsphinx+rules\""
                                ",\"summary\":\"John Doe ordered ten boxes of paper and complained that the "
                                "last delivery was late and two boxes were damaged. Staff apologised, "
                                "promised a refund, Friday delivery, an invoice by email and a call back "
                                "tomorrow.\""
                                ",\"sentiment\":{\"label\":\"positive\",\"score\":0.31,\"caller\":0.25"
                                ",\"staff\":0.24},\"topics\":[\"order\",\"delivery\",\"refund\""
                                ",\"invoice\"],\"action_items\":[{\"owner\":\"staff\""
                                ",\"text\":\"refund the two damaged boxes\",\"due\":null}"
                                ",{\"owner\":\"staff\",\"text\":\"send the invoice by email\""
                                ",\"due\":null},{\"owner\":\"staff\""
                                ",\"text\":\"call back tomorrow at ten\",\"due\":\"2026-04-29\"}]"
                                ",\"score\":{\"value\":86,\"max\":100},\"talk\":{\"staff_seconds\":56.4"
                                ",\"caller_seconds\":51.3,\"silence_seconds\":16.3"
                                ",\"staff_ratio\":0.52}"
                                ",\"transcript\":{\"text\":\"good morning thank you for calling this is "
                                "robert how can i help you today. hello this is john doe i would like to "
                                "order ten boxes of paper. the last delivery was late and two boxes were "
                                "damaged i was quite unhappy about that. i am very sorry to hear that i "
                                "will refund the two damage boxes today. sam cube that is great can you "
                                "deliver the new order by friday. yes we can deliver on friday morning i "
                                "will send you the invoice by mail this afternoon. perfect please call "
                                "me back tomorrow to confirm. i will call you back tomorrow and ten "
                                "thank you goodbye\""
                                ",\"segments\":[{\"speaker\":\"staff\",\"start\":1,\"end\":6.22"
                                ",\"text\":\"good morning thank you for calling this is robert how can i "
                                "help you today\"}"
                                ",{\"speaker\":\"caller\",\"start\":6.84,\"end\":11.54"
                                ",\"text\":\"hello this is john doe i would like to order ten boxes of paper\"}"
                                ",{\"speaker\":\"caller\",\"start\":12.28,\"end\":18.22"
                                ",\"text\":\"the last delivery was late and two boxes were damaged i was "
                                "quite unhappy about that\"}"
                                ",{\"speaker\":\"staff\",\"start\":18.84,\"end\":23.38"
                                ",\"text\":\"i am very sorry to hear that i will refund the two damage "
                                "boxes today\"}"
                                ",{\"speaker\":\"caller\",\"start\":24,\"end\":27.98"
                                ",\"text\":\"sam cube that is great can you deliver the new order by friday\"}"
                                ",{\"speaker\":\"staff\",\"start\":28.56,\"end\":34.46"
                                ",\"text\":\"yes we can deliver on friday morning i will send you the "
                                "invoice by mail this afternoon\"}"
                                ",{\"speaker\":\"caller\",\"start\":35.12,\"end\":38.32"
                                ",\"text\":\"perfect please call me back tomorrow to confirm\"}"
                                ",{\"speaker\":\"staff\",\"start\":38.9,\"end\":42.84"
                                ",\"text\":\"i will call you back tomorrow and ten thank you goodbye\"}]}"
                                ",\"error\":null}",
                },
        [CALL_OUTGOING] =
                {
                        .call_id = 88232,
                        .duration_s = 67,
                        .started_at_ms = INT64_C(1777377930000),
                        .recording_url = SAMPLE_RECORDINGS "rec_88232.mp3",
                        .analysis =
                                ",\"engine\":\"openai/whisper-1+gpt-4o-mini\""
                                ",\"summary\":\"Rahul confirmed the Friday delivery with John Doe.\""
                                ",\"sentiment\":{\"label\":\"neutral\",\"score\":0.04,\"caller\":0.1"
                                ",\"staff\":0},\"topics\":[\"delivery\"],\"action_items\":[]"
                                ",\"score\":{\"value\":74,\"max\":100},\"talk\":{\"staff_seconds\":33"
                                ",\"caller_seconds\":21.5,\"silence_seconds\":12.5"
                                ",\"staff_ratio\":0.61}"
                                ",\"transcript\":{\"text\":\"Hello John, this is Rahul. Your order arrives on "
                                "Friday. Thank you, that works for me.\""
                                ",\"segments\":[{\"speaker\":\"staff\",\"start\":1.2,\"end\":6.4"
                                ",\"text\":\"Hello John, this is Rahul. Your order arrives on Friday.\"}"
                                ",{\"speaker\":\"caller\",\"start\":7.1,\"end\":10"
                                ",\"text\":\"Thank you, that works for me.\"}]},\"error\":null}",
                },
        [CALL_MISSED] =
                {
                        .call_id = 88233,
                        .started_at_ms = INT64_C(1777378811000),
                        .recording_url = SAMPLE_RECORDINGS "rec_88233_vm.mp3",
                        .analysis =
                                ",\"engine\":\"local/pocketsphinx+rules\""
                                ",\"summary\":\"Voicemail: John Doe asks to be called back.\""
                                ",\"sentiment\":{\"label\":\"neutral\",\"score\":0,\"caller\":0"
                                ",\"staff\":null},\"topics\":[\"call back\"]"
                                ",\"action_items\":[{\"owner\":\"staff\",\"text\":\"call John Doe back\""
                                ",\"due\":null}],\"score\":null,\"talk\":{\"staff_seconds\":0"
                                ",\"caller_seconds\":9.8,\"silence_seconds\":2.2,\"staff_ratio\":0}"
                                ",\"transcript\":{\"text\":\"hello this is john doe please call me back\""
                                ",\"segments\":[{\"speaker\":\"caller\",\"start\":0.9,\"end\":5.1"
                                ",\"text\":\"hello this is john doe please call me back\"}]}"
                                ",\"error\":null}",
                },
        [CALL_REJECTED] =
                {
                        .call_id = 88234,
                        .started_at_ms = INT64_C(1777379505000),
                },
};

/* The sample under way: plain values that data may replace, and the payload made of them. */
struct draft {
    struct arena *arena;
    struct faults *faults;
    enum event_kind kind;
    int64_t now_ms;
    const struct json *part; /* the member of data that is being read */
    struct call call;
    struct contact contact;
    struct staff staff;
    struct str recording_url;
    struct str analysis; /* the whole object; none: the short form */
};

static struct str example_analysis(struct draft *draft, const struct example *example)
{
    CLEANUP(buf_done) struct buf text = {0};

    buf_add_text(&text, ANALYSIS_HEAD "\"");
    rfc3339_add_seconds(&text, draft->now_ms);
    buf_add_char(&text, '"');
    buf_add_text(&text, example->analysis);
    return arena_str(draft->arena, buf_str(&text));
}

/* What has happened to the call by the time of this event: first it is logged, then recorded, then
 * analysed, and at last listened to, together with a change of the contact. */
static void draft_example(struct draft *draft, enum call_type type, struct str org_id)
{
    const struct example *example = &EXAMPLES[type];
    bool is_logged_only = draft->kind == EVENT_CALL_LOGGED;
    bool is_analysed = draft->kind == EVENT_AI_ANALYSIS || draft->kind == EVENT_CALLER_UPDATED;
    bool has_file =
            example->recording_url != NULL && (!is_logged_only || example->is_recorded_at_once);
    struct call *call = &draft->call;

    *call = (struct call){
            .id = example->call_id,
            .org_id = org_id,
            .type = type,
            .phone = STR("+919876543210"),
            .name = STR("John Doe"),
            .duration_s = example->duration_s,
            .started_at_ms = example->started_at_ms,
            .reviewed = has_file && draft->kind == EVENT_CALLER_UPDATED,
            .file_status = FILE_NONE,
            .analysis_status = ANALYSIS_PENDING,
    };
    if (has_file) {
        call->file_status = FILE_COMPLETED;
        draft->recording_url = str_from(example->recording_url);
    } else if (call_is_answered(type)) {
        call->file_status = FILE_PENDING;
    } else {
        call->analysis_status = ANALYSIS_SKIPPED;
        call->analysis_reason = STR("no_recording");
    }
    if (is_analysed && example->analysis != NULL) {
        call->analysis_status = ANALYSIS_COMPLETED;
        draft->analysis = example_analysis(draft, example);
    }
}

static void draft_people(struct draft *draft)
{
    bool is_updated = draft->kind == EVENT_CALLER_UPDATED;

    draft->contact = (struct contact){
            .id = STR("contact_9921"),
            .name = STR("John Doe"),
            .phone = draft->call.phone,
            .email = STR("john.doe@example.com"),
            .note = is_updated ? STR("VIP Corporate Account. Prefers calls before noon")
                               : STR("VIP Corporate Account"),
            .labels = is_updated ? STR("[\"high-value\",\"priority\",\"follow-up\"]")
                                 : STR("[\"high-value\",\"priority\"]"),
    };
    draft->staff = (struct staff){
            .id = STR("emp_7721"),
            .name = STR("Rahul Sharma"),
            .phone = STR("+918877665544"),
            .email = STR("rahul@company.com"),
    };
}

/* Reads a member that may be null, which then is none in the payload. */
static void read_text(struct draft *draft, const char *name, size_t max_bytes, struct str *ret_text)
{
    enum member_state state = faults_read_str(
            draft->faults, draft->part, name, name, MEMBER_NULLABLE, max_bytes, ret_text);

    if (state == MEMBER_NULL)
        *ret_text = STR_NONE;
}

/* direction, type and status follow from the call's type: they may be said, but not changed. */
static void check_fixed(struct draft *draft, const char *name, struct str wanted)
{
    const struct json *value = json_member(draft->part, name);

    if (value != NULL && !str_equal(json_str(value), wanted))
        faults_add(draft->faults, name, "must be \"%.*s\" for this call type", STR_ARG(wanted));
}

static void read_duration(struct draft *draft)
{
    struct str text = STR_NONE;
    int64_t duration_s = -1;
    int64_t max_s = call_is_answered(draft->call.type) ? CALL_DURATION_MAX_S : 0;

    if (faults_read_str(draft->faults,
                draft->part,
                "duration_total",
                "duration_total",
                MEMBER_OPTIONAL,
                LIMIT_NAME_BYTES,
                &text) != MEMBER_SET)
        return;
    if (!str_to_i64(text, &duration_s) || text.ptr[0] == '-' || duration_s > max_s) {
        faults_add(draft->faults,
                "duration_total",
                "must be whole seconds from \"0\" to \"%lld\"",
                (long long)max_s);
        return;
    }
    draft->call.duration_s = duration_s;
}

static void read_file_status(struct draft *draft)
{
    struct str word;

    if (faults_read_str(draft->faults,
                draft->part,
                "file_status",
                "file_status",
                MEMBER_OPTIONAL,
                LIMIT_NAME_BYTES,
                &word) == MEMBER_SET &&
            !file_status_parse(word, &draft->call.file_status))
        faults_add(draft->faults,
                "file_status",
                "must be one of none, pending, uploading, completed, failed, absent, deleted");
}

static void read_call_details(struct draft *draft)
{
    static const char *const names[] = {"call_id",
            "direction",
            "type",
            "status",
            "duration_total",
            "recording_url",
            "file_status",
            "reviewed",
            "started_at",
            NULL};
    struct call *call = &draft->call;
    struct faults *faults = draft->faults;

    (void)faults_check_members(faults, draft->part, "", names);
    (void)faults_read_i64(faults,
            draft->part,
            "call_id",
            "call_id",
            MEMBER_OPTIONAL,
            1,
            (INT64_C(1) << CALL_ID_MAX_BITS) - 1,
            &call->id);
    check_fixed(draft, "direction", call_direction(call->type));
    check_fixed(draft, "type", call_type_name(call->type));
    check_fixed(draft, "status", call_type_name(call->type));
    read_duration(draft);
    read_text(draft, "recording_url", SAMPLE_URL_MAX_BYTES, &draft->recording_url);
    read_file_status(draft);
    (void)faults_read_bool(
            faults, draft->part, "reviewed", "reviewed", MEMBER_OPTIONAL, &call->reviewed);
    (void)faults_read_time(
            faults, draft->part, "started_at", "started_at", MEMBER_OPTIONAL, &call->started_at_ms);
}

static void read_caller(struct draft *draft)
{
    static const char *const names[] = {"phone", "name", NULL};

    (void)faults_check_members(draft->faults, draft->part, "", names);
    read_text(draft, "phone", LIMIT_NAME_BYTES, &draft->call.phone);
    read_text(draft, "name", CALL_NAME_MAX_BYTES, &draft->call.name);
    /* A contact is found by the phone, so the two go together; identity, read next, may differ. */
    draft->contact.phone = draft->call.phone;
}

static void read_labels(struct draft *draft)
{
    const struct json *labels = NULL;
    CLEANUP(buf_done) struct buf text = {0};
    bool ok = true;

    if (faults_read_json(draft->faults,
                draft->part,
                "labels",
                "labels",
                MEMBER_OPTIONAL,
                JSON_ARRAY_TYPE,
                &labels) != MEMBER_SET)
        return;
    ok = json_count(labels) <= CONTACT_LABELS_MAX;
    for (size_t i = 0; ok && i < json_count(labels); i++) {
        struct str label = json_str(json_item(labels, i));

        ok = label.len >= 1 && label.len <= CONTACT_LABEL_MAX_BYTES;
    }
    if (!ok) {
        faults_add(draft->faults,
                "labels",
                "must be at most %d strings of 1 to %d bytes",
                CONTACT_LABELS_MAX,
                CONTACT_LABEL_MAX_BYTES);
        return;
    }
    json_add_value(&text, labels);
    draft->contact.labels = arena_str(draft->arena, buf_str(&text));
}

static void read_identity(struct draft *draft)
{
    static const char *const names[] = {"id", "name", "phone", "email", "note", "labels", NULL};
    struct contact *contact = &draft->contact;

    (void)faults_check_members(draft->faults, draft->part, "", names);
    read_text(draft, "id", LIMIT_CLIENT_ID_BYTES, &contact->id);
    read_text(draft, "name", LIMIT_NAME_BYTES, &contact->name);
    read_text(draft, "phone", LIMIT_NAME_BYTES, &contact->phone);
    read_text(draft, "email", LIMIT_EMAIL_BYTES, &contact->email);
    read_text(draft, "note", CONTACT_NOTE_MAX_BYTES, &contact->note);
    read_labels(draft);
}

/* In ai_analysis the whole result; in the other events status and reason alone. */
static void read_analysis(struct draft *draft)
{
    static const char *const names[] = {"status", "reason", NULL};
    struct call *call = &draft->call;
    struct str word;

    if (draft->kind == EVENT_AI_ANALYSIS) {
        struct analysis analysis = {0};
        size_t faults_before = draft->faults->count;
        CLEANUP(buf_done) struct buf text = {0};

        analysis_read(draft->part, draft->faults, &analysis);
        if (draft->faults->count != faults_before)
            return;
        analysis_write(&text, &analysis, 1, draft->now_ms);
        draft->analysis = arena_str(draft->arena, buf_str(&text));
        return;
    }
    (void)faults_check_members(draft->faults, draft->part, "", names);
    if (faults_read_str(draft->faults,
                draft->part,
                "status",
                "status",
                MEMBER_OPTIONAL,
                LIMIT_NAME_BYTES,
                &word) == MEMBER_SET &&
            !analysis_status_parse(word, &call->analysis_status))
        faults_add(draft->faults,
                "status",
                "must be one of pending, processing, completed, failed, skipped");
    read_text(draft, "reason", ANALYSIS_REASON_MAX_BYTES, &call->analysis_reason);
}

static void read_staff(struct draft *draft)
{
    static const char *const names[] = {"id", "name", "phone", "email", NULL};
    struct staff *staff = &draft->staff;

    (void)faults_check_members(draft->faults, draft->part, "", names);
    read_text(draft, "id", LIMIT_CLIENT_ID_BYTES, &staff->id);
    read_text(draft, "name", LIMIT_NAME_BYTES, &staff->name);
    read_text(draft, "phone", LIMIT_NAME_BYTES, &staff->phone);
    read_text(draft, "email", LIMIT_EMAIL_BYTES, &staff->email);
}

/* The members of data, in the order in which they are read: caller before identity. */
static const struct {
    const char *name;
    void (*read)(struct draft *draft);
} PARTS[] = {
        {"call_details", read_call_details},
        {"caller", read_caller},
        {"identity", read_identity},
        {"ai_analysis", read_analysis},
        {"staff", read_staff},
};

static void read_data(struct draft *draft, const struct json *data)
{
    static const char *const names[] = {
            "call_details", "caller", "identity", "ai_analysis", "staff", NULL};
    struct faults *faults = draft->faults;
    struct str outer = faults->prefix;

    faults->prefix = arena_strf(draft->arena, "%.*sdata.", STR_ARG(outer));
    if (faults_check_members(faults, data, "", names)) {
        struct str inner = faults->prefix;

        for (size_t i = 0; i < sizeof(PARTS) / sizeof(PARTS[0]); i++) {
            const char *name = PARTS[i].name;

            if (faults_read_json(faults,
                        data,
                        name,
                        name,
                        MEMBER_OPTIONAL,
                        JSON_OBJECT_TYPE,
                        &draft->part) != MEMBER_SET)
                continue;
            faults->prefix = arena_strf(draft->arena, "%.*s%s.", STR_ARG(inner), name);
            PARTS[i].read(draft);
            faults->prefix = inner;
        }
    }
    faults->prefix = outer;
}

void sample_write(struct buf *buf,
        struct arena *arena,
        enum event_kind kind,
        enum call_type type,
        struct str org_id,
        struct str payload_id,
        int64_t now_ms,
        const struct json *data,
        struct faults *faults)
{
    struct draft draft = {.arena = arena, .faults = faults, .kind = kind, .now_ms = now_ms};

    draft_example(&draft, type, org_id.ptr != NULL ? org_id : STR("org_demo_123"));
    draft_people(&draft);
    if (data != NULL)
        read_data(&draft, data);

    payload_write(buf,
            &(struct payload){
                    .kind = kind,
                    .call = &draft.call,
                    .contact = &draft.contact,
                    .staff = &draft.staff,
                    .timestamp_ms = now_ms,
                    .payload_id = payload_id,
                    .recording_url = draft.recording_url,
                    .analysis = draft.analysis,
            });
}
