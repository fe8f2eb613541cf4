/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_sample - two digits for event and call type, then the data that a client puts in place of the
 * sample's: whatever it is, what is written is a payload.
 */
#include "base/json.h"
#include "domain/sample.h"
#include "fuzz.h"

#define NOW_MS INT64_C(1777377493000)

static void check_names(const struct json *json, const char *const *names, size_t count)
{
    assert(json_type(json) == JSON_OBJECT_TYPE && json_count(json) == count);
    for (size_t i = 0; i < count; i++) {
        const struct json *value = NULL;
        struct str name = STR_NONE;

        assert(json_member_at(json, i, &name, &value) && str_is(name, names[i]));
    }
}

static void check_payload(const struct json *json)
{
    static const char *const whole[] = {
            "event", "type", "org_id", "timestamp", "payload_id", "data"};
    static const char *const parts[] = {
            "call_details", "caller", "identity", "ai_analysis", "staff"};

    check_names(json, whole, sizeof(whole) / sizeof(whole[0]));
    check_names(json_member(json, "data"), parts, sizeof(parts) / sizeof(parts[0]));
}

static void check_sample(enum event_kind kind, enum call_type type, const struct json *data)
{
    CLEANUP(arena_done) struct arena arena = {0};
    CLEANUP(buf_done) struct buf body = {0};
    CLEANUP(buf_done) struct buf again = {0};
    CLEANUP_PTR(json_free) struct json *json = NULL;
    struct faults faults;

    faults_init(&faults, &arena);
    sample_write(
            &body, &arena, kind, type, STR("org_fuzz"), STR("wh_test_1"), NOW_MS, data, &faults);
    enum err err = json_parse(buf_str(&body), &json, NULL);

    assert(buf_err(&body) == ERR_NONE && err == ERR_NONE && faults.prefix.len == 0);
    for (size_t i = 0; i < faults.count && i < FAULTS_MAX; i++)
        assert(str_starts(faults.items[i].field, STR("data")) && faults.items[i].message.len > 0);
    check_payload(json);
    json_add_value(&again, json); /* I10: already as it would be written */
    assert(str_equal(buf_str(&body), buf_str(&again)));
}

static unsigned digit(const char *text, size_t len, size_t i)
{
    return i < len ? (unsigned)(unsigned char)text[i] - '0' : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = fuzz_text(data, size);
    CLEANUP(fuzz_part_done) struct fuzz_part choice = fuzz_line(&rest);
    CLEANUP_PTR(json_free) struct json *json = NULL;

    if (json_parse(rest, &json, NULL) != ERR_NONE)
        return 0;
    check_sample((enum event_kind)(digit(choice.text.ptr, choice.text.len, 0) % EVENT_KIND_COUNT),
            (enum call_type)(digit(choice.text.ptr, choice.text.len, 1) % CALL_TYPE_COUNT),
            json);
    return 0;
}
