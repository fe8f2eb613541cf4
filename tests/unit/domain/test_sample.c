/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sample - the samples give the bytes of the integration guide's worked payloads (known by
 * their length and their signature with the secret "whsec_test"), and take a client's data.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/rfc3339.h"
#include "domain/sample.h"
#include "domain/signature.h"

struct sample_test {
    struct arena arena;
    struct faults faults;
    struct buf body;
};

static int set_up(void **state)
{
    static struct sample_test t;

    t = (struct sample_test){0};
    faults_init(&t.faults, &t.arena);
    *state = &t;
    return 0;
}

static int tear_down(void **state)
{
    struct sample_test *t = *state;

    buf_done(&t->body);
    arena_done(&t->arena);
    return 0;
}

static const struct {
    enum call_type type;
    enum event_kind kind;
    const char *timestamp;
    const char *payload_id;
    size_t bytes;
    const char *signature;
} WORKED[] = {
        {CALL_INCOMING,
                EVENT_CALL_LOGGED,
                "2026-04-28T11:58:13.000Z",
                "wh_live_call_logged",
                780,
                "9833c5b535fbbafd719fc899ba3650e7cfabf942c420de78357515a2ccf51f45"},
        {CALL_INCOMING,
                EVENT_RECORDING_UPDATED,
                "2026-04-28T12:00:31.412Z",
                "wh_01JSYT96F8D7305E874CB94468",
                796,
                "269366db113baca20e58e6a8c5bb09dd4ff104f6d10eb698f6d259e30566e3a5"},
        {CALL_INCOMING,
                EVENT_AI_ANALYSIS,
                "2026-04-28T12:01:02.950Z",
                "wh_01JSYTFEB1991BB29A5F840EDF",
                3173,
                "d1abd1e7ee6b06e7691a8ec08ac292eed90ca7b13ceb18df232baa2643347865"},
        {CALL_INCOMING,
                EVENT_CALLER_UPDATED,
                "2026-04-28T12:10:44.007Z",
                "wh_01JSYT44524F77CF4BED1A0803",
                833,
                "52541fd9d3ad60b5f7f3d6d0adfd961d5dfb2c2c01ff2d480c5dc319cdb84d79"},
        {CALL_OUTGOING,
                EVENT_CALL_LOGGED,
                "2026-04-28T12:06:38.104Z",
                "wh_01JSYTC20230A86A28751DC069",
                732,
                "35118dab5945db79c83cd07cbafd3f65b2766fd1728c836f181f11f01df27411"},
        {CALL_OUTGOING,
                EVENT_RECORDING_UPDATED,
                "2026-04-28T12:06:52.733Z",
                "wh_01JSYT18D4C651CAF673D595EF",
                795,
                "ddb8a6e16f3ee03f6d06e93a8fd8f9781fd3a79c2883af438e4bb9ddcaea204e"},
        {CALL_OUTGOING,
                EVENT_AI_ANALYSIS,
                "2026-04-28T12:07:20.018Z",
                "wh_01JSYT7D1464D2F035BBC090D1",
                1517,
                "4bf953bfd9fb2f135403b45605c758b4db1a6392f37416045468e3c03c0e3800"},
        {CALL_OUTGOING,
                EVENT_CALLER_UPDATED,
                "2026-04-28T12:15:00.500Z",
                "wh_01JSYTE7816FDC7212BFF41FE8",
                832,
                "04676b0d5f95cddad9cbf371809699c12c71d53e2c18a5ba923358e87d0721c9"},
        {CALL_MISSED,
                EVENT_CALL_LOGGED,
                "2026-04-28T12:20:36.221Z",
                "wh_01JSYT25EEAC050ACEAF3C1EB8",
                746,
                "ccd7c49f9fe032b3dd011c38da203951df929df0d79e8d7f8d23d0597f09b76a"},
        {CALL_MISSED,
                EVENT_RECORDING_UPDATED,
                "2026-04-28T12:21:04.870Z",
                "wh_01JSYT358D07CE757EADD15FB5",
                791,
                "ac3bc45826152f93e8f5efb9cf8094a2d22f3869ef40354cf917fd8bbc0cac5e"},
        {CALL_MISSED,
                EVENT_AI_ANALYSIS,
                "2026-04-28T12:21:17.335Z",
                "wh_01JSYTCA4E3EBE3A0FD0AA459E",
                1395,
                "b984dc67d20a1fa96d3516e2896ecd43183ad3b41cb4650ecfb475a5217d8ca9"},
        {CALL_MISSED,
                EVENT_CALLER_UPDATED,
                "2026-04-28T12:25:09.640Z",
                "wh_01JSYT0F5124186426C9D7F3C2",
                828,
                "3a09fb46c962a286b748a44dff8f9ae9d0a1402638255a1aa1e3c2689aba778d"},
        {CALL_REJECTED,
                EVENT_CALL_LOGGED,
                "2026-04-28T12:31:52.090Z",
                "wh_01JSYT3F10E0C15F8C65B0AE0A",
                752,
                "11fc499ed066b382f5a43bd1323e00e8a3b0277719c7fbf76cb22671a8bd2566"},
        {CALL_REJECTED,
                EVENT_RECORDING_UPDATED,
                "2026-04-28T12:31:52.410Z",
                "wh_01JSYTD70BE25A7579902EB447",
                758,
                "a492cf31e85f0731b31531dd83960df4da83c20e79acb273b2447fbfe9f029b7"},
        {CALL_REJECTED,
                EVENT_AI_ANALYSIS,
                "2026-04-28T12:31:52.415Z",
                "wh_01JSYTBE419ABFCAFA54C3090B",
                752,
                "199f2df7575274b1144b67d53bc165a6a2db599f44c5cb40981c869e5a495884"},
        {CALL_REJECTED,
                EVENT_CALLER_UPDATED,
                "2026-04-28T12:40:33.777Z",
                "wh_01JSYT081B707D0E91C01E76E9",
                794,
                "bbb3c211196cb45feda73928c38c0af4c30cdc407bbf8346887d523a8e821265"},
};

static void test_gives_the_bytes_of_every_worked_payload(void **state)
{
    struct sample_test *t = *state;

    for (size_t i = 0; i < sizeof(WORKED) / sizeof(WORKED[0]); i++) {
        char signature[SHA256_HEX_SIZE];
        int64_t now_ms = 0;

        assert_true(rfc3339_parse(str_from(WORKED[i].timestamp), &now_ms));
        buf_clear(&t->body);
        sample_write(&t->body,
                &t->arena,
                WORKED[i].kind,
                WORKED[i].type,
                STR_NONE,
                str_from(WORKED[i].payload_id),
                now_ms,
                NULL,
                &t->faults);
        signature_hex(STR("whsec_test"), buf_str(&t->body), signature);
        assert_int_equal(t->body.len, WORKED[i].bytes);
        assert_string_equal(signature, WORKED[i].signature);
    }
    assert_int_equal(t->faults.count, 0);
}

static void
write_with(struct sample_test *t, enum event_kind kind, enum call_type type, const char *data)
{
    struct json *json = NULL;

    if (data != NULL)
        assert_int_equal(json_parse(str_from(data), &json, NULL), ERR_NONE);
    buf_clear(&t->body);
    sample_write(&t->body,
            &t->arena,
            kind,
            type,
            STR("org_7"),
            STR("wh_test_1"),
            INT64_C(1777377493000),
            json,
            &t->faults);
    json_free(json);
    buf_add_char(&t->body, '\0');
}

static void assert_has(const struct sample_test *t, const char *part)
{
    if (strstr(t->body.ptr, part) == NULL)
        fail_msg("%s is not in %s", part, t->body.ptr);
}

static void test_is_of_the_given_org_and_payload_id(void **state)
{
    struct sample_test *t = *state;

    write_with(t, EVENT_CALL_LOGGED, CALL_INCOMING, NULL);
    assert_has(t,
            "\"org_id\":\"org_7\",\"timestamp\":\"2026-04-28T11:58:13.000Z\",\"payload_id\":\"wh_test_1\"");
}

static void test_takes_members_of_data_and_keeps_the_others(void **state)
{
    struct sample_test *t = *state;

    write_with(t,
            EVENT_CALL_LOGGED,
            CALL_OUTGOING,
            "{\"call_details\":{\"call_id\":7,\"duration_total\":\"9\",\"reviewed\":true,"
            "\"type\":\"outgoing\",\"recording_url\":\"https://a.example/b.mp3\","
            "\"file_status\":\"completed\",\"started_at\":\"2025-01-01T00:00:00Z\"},"
            "\"caller\":{\"name\":null,\"phone\":\"+4930123456\"},"
            "\"identity\":{\"labels\":[\"a\",\"b\"]},"
            "\"ai_analysis\":{\"status\":\"failed\",\"reason\":\"too_noisy\"},"
            "\"staff\":{\"id\":null,\"email\":\"r@a.example\"}}");
    assert_int_equal(t->faults.count, 0);
    assert_has(t,
            "\"call_details\":{\"call_id\":7,\"direction\":\"outgoing\",\"type\":\"outgoing\","
            "\"status\":\"outgoing\",\"duration_total\":\"9\",\"recording_url\":"
            "\"https://a.example/b.mp3\",\"file_status\":\"completed\",\"reviewed\":true,"
            "\"started_at\":\"2025-01-01T00:00:00Z\"}");
    assert_has(t, "\"caller\":{\"phone\":\"+4930123456\",\"name\":null}");
    assert_has(t,
            "\"name\":\"John Doe\",\"phone\":\"+4930123456\",\"email\":\"john.doe@example.com\"");
    assert_has(t, "\"labels\":[\"a\",\"b\"]");
    assert_has(t, "\"ai_analysis\":{\"status\":\"failed\",\"reason\":\"too_noisy\"}");
    assert_has(t, "\"staff\":{\"id\":null,\"name\":\"Rahul Sharma\"");
}

static void test_writes_a_whole_analysis_of_data(void **state)
{
    struct sample_test *t = *state;

    write_with(t,
            EVENT_AI_ANALYSIS,
            CALL_INCOMING,
            "{\"ai_analysis\":{\"status\":\"completed\",\"summary\":\"Short\"}}");
    assert_int_equal(t->faults.count, 0);
    assert_has(t, "\"summary\":\"Short\",\"sentiment\":null");
}

static void test_names_every_fault_of_data(void **state)
{
    static const struct {
        const char *data;
        const char *field;
    } table[] = {
            {"{\"nobody\":{}}", "data.nobody"},
            {"{\"staff\":7}", "data.staff"},
            {"{\"staff\":{\"age\":7}}", "data.staff.age"},
            {"{\"call_details\":{\"type\":\"outgoing\"}}", "data.call_details.type"},
            {"{\"call_details\":{\"direction\":7}}", "data.call_details.direction"},
            {"{\"call_details\":{\"duration_total\":\"-1\"}}", "data.call_details.duration_total"},
            {"{\"call_details\":{\"duration_total\":\"1.5\"}}", "data.call_details.duration_total"},
            {"{\"call_details\":{\"call_id\":0}}", "data.call_details.call_id"},
            {"{\"call_details\":{\"file_status\":\"lost\"}}", "data.call_details.file_status"},
            {"{\"identity\":{\"labels\":[1]}}", "data.identity.labels"},
            {"{\"ai_analysis\":{\"status\":\"done\"}}", "data.ai_analysis.status"},
            {"{\"ai_analysis\":{\"summary\":\"x\"}}", "data.ai_analysis.summary"},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct sample_test *t = *state;

        faults_init(&t->faults, &t->arena);
        write_with(t, EVENT_CALL_LOGGED, CALL_INCOMING, table[i].data);
        assert_int_equal(t->faults.count, 1);
        assert_int_equal(t->faults.items[0].field.len, strlen(table[i].field));
        assert_memory_equal(
                t->faults.items[0].field.ptr, table[i].field, t->faults.items[0].field.len);
    }
}

static void test_collects_the_faults_of_all_members(void **state)
{
    struct sample_test *t = *state;

    write_with(t,
            EVENT_AI_ANALYSIS,
            CALL_MISSED,
            "{\"caller\":{\"phone\":7},\"call_details\":{\"duration_total\":\"5\"},"
            "\"ai_analysis\":{\"status\":\"pending\"},\"extra\":1}");
    assert_int_equal(t->faults.count, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(
                    test_gives_the_bytes_of_every_worked_payload, set_up, tear_down),
            cmocka_unit_test_setup_teardown(
                    test_is_of_the_given_org_and_payload_id, set_up, tear_down),
            cmocka_unit_test_setup_teardown(
                    test_takes_members_of_data_and_keeps_the_others, set_up, tear_down),
            cmocka_unit_test_setup_teardown(
                    test_writes_a_whole_analysis_of_data, set_up, tear_down),
            cmocka_unit_test_setup_teardown(test_names_every_fault_of_data, set_up, tear_down),
            cmocka_unit_test_setup_teardown(
                    test_collects_the_faults_of_all_members, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
