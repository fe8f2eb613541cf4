/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of api_call - logging calls, one or many; listing, showing, patching. */
#include "rig.h"

#define CALL "{\"type\":\"incoming\",\"phone\":\"+919876543210\"}"

static void a_logged_call_is_201_and_shown_as_in_its_payload(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(
            rig_ask(rig,
                    "POST",
                    "/v1/calls",
                    "{\"type\":\"incoming\",\"phone\":\"+919876543210\",\"name\":\"John Doe\","
                    "\"duration\":124,\"started_at\":\"2024-04-28T11:58:00Z\","
                    "\"external_id\":\"pbx1-1\",\"staff\":{\"id\":\"emp_7721\","
                    "\"name\":\"Priya Shah\",\"email\":\"priya@example.com\"}}"),
            201);
    assert_true(rig_i64(rig, "call_id") > 0);
    assert_true(str_starts(rig_str(rig, "payload_id"), STR("wh_")));
    assert_int_equal(json_type(rig_value(rig, "deliveries")), JSON_INTEGER_TYPE);

    assert_int_equal(
            rig_ask(rig, "GET", rig_textf(rig, "/v1/calls/%d", (int)rig_i64(rig, "call_id")), NULL),
            200);
    rig_assert_str(rig, "org_id", "org_a");
    rig_assert_str(rig, "external_id", "pbx1-1");
    rig_assert_str(rig, "data.call_details.duration_total", "124");
    rig_assert_str(rig, "data.call_details.started_at", "2024-04-28T11:58:00Z");
    rig_assert_str(rig, "data.call_details.file_status", "pending");
    rig_assert_str(rig, "data.caller.name", "John Doe");
    rig_assert_str(rig, "data.staff.id", "emp_7721");
    rig_assert_str(rig, "data.identity.phone", "+919876543210");
    rig_assert_str(rig, "events[0].event", "call_logged");
    assert_int_equal(json_type(rig_value(rig, "recording")), JSON_NULL_TYPE);
    assert_int_equal(json_type(rig_value(rig, "analysis")), JSON_NULL_TYPE);
    assert_int_equal(json_type(rig_value(rig, "events[0].deliveries")), JSON_ARRAY_TYPE);
}

static void every_wrong_value_is_told_with_its_field(void **state)
{
    static const struct {
        const char *body;
        const char *field;
    } cases[] = {
            {"{}", "type"},
            {"{\"type\":\"voicemail\",\"phone\":null}", "type"},
            {"{\"type\":1,\"phone\":null}", "type"},
            {"{\"type\":\"missed\"}", "phone"},
            {"{\"type\":\"missed\",\"phone\":\"919876543210\"}", "phone"},
            {"{\"type\":\"missed\",\"phone\":\"+91 98765 43210\"}", "phone"},
            {"{\"type\":\"missed\",\"phone\":5}", "phone"},
            {"{\"type\":\"missed\",\"phone\":null,\"colour\":1}", "colour"},
            {"{\"type\":\"missed\",\"phone\":null,\"duration\":-1}", "duration"},
            {"{\"type\":\"missed\",\"phone\":null,\"duration\":86401}", "duration"},
            {"{\"type\":\"missed\",\"phone\":null,\"duration\":1.5}", "duration"},
            {"{\"type\":\"missed\",\"phone\":null,\"duration\":\"1\"}", "duration"},
            {"{\"type\":\"missed\",\"phone\":null,\"started_at\":\"yesterday\"}", "started_at"},
            {"{\"type\":\"missed\",\"phone\":null,\"name\":\"a\\nb\"}", "name"},
            {"{\"type\":\"missed\",\"phone\":null,\"staff_id\":\"a b\"}", "staff_id"},
            {"{\"type\":\"missed\",\"phone\":null,\"staff_id\":\"nobody\"}", "staff_id"},
            {"{\"type\":\"missed\",\"phone\":null,\"staff\":{}}", "staff.name"},
            {"{\"type\":\"missed\",\"phone\":null,\"staff\":{\"name\":\"A\",\"x\":1}}", "staff.x"},
            {"{\"type\":\"missed\",\"phone\":null,\"staff\":{\"name\":\"A\",\"email\":\"a\"}}",
                    "staff.email"},
            {"{\"type\":\"missed\",\"phone\":null,\"staff_id\":\"a\",\"staff\":{\"name\":\"A\"}}",
                    "staff"},
            {"{\"type\":\"missed\",\"phone\":null,\"recording\":\"later\"}", "recording"},
            {"{\"type\":\"missed\",\"phone\":null,\"recording\":5}", "recording"},
            {"{\"type\":\"missed\",\"phone\":null,\"recording\":{}}", "recording.url"},
            {"{\"type\":\"missed\",\"phone\":null,\"recording\":{\"url\":\"ftp://x/\"}}",
                    "recording.url"},
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (rig_ask(rig, "POST", "/v1/calls", cases[i].body) != 422)
            fail_msg("%s gives %.*s", cases[i].body, STR_ARG(rig_body(rig)));
        rig_assert_fault(rig, 422, cases[i].field);
    }
}

static void all_faults_come_at_once(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_ask(rig,
                             "POST",
                             "/v1/calls?x=1",
                             "{\"type\":\"x\",\"phone\":\"1\",\"duration\":-1,\"colour\":1}"),
            422);
    assert_int_equal(json_count(rig_value(rig, "errors")), 5);
}

static void the_same_external_id_gives_the_first_call_with_200(void **state)
{
    struct rig *rig = *state;
    const char *body = "{\"type\":\"missed\",\"phone\":null,\"external_id\":\"x1\"}";
    char other[RIG_TOKEN_SIZE];

    assert_int_equal(rig_ask(rig, "POST", "/v1/calls", body), 201);

    int64_t call_id = rig_i64(rig, "call_id");
    const char *payload_id = rig_textf(rig, "%.*s", STR_ARG(rig_str(rig, "payload_id")));

    assert_int_equal(rig_ask(rig, "POST", "/v1/calls", body), 200);
    assert_int_equal(rig_i64(rig, "call_id"), call_id);
    rig_assert_str(rig, "payload_id", payload_id);
    rig_make_org(rig, "org_b", other);
    rig->token = other;
    assert_int_equal(rig_ask(rig, "POST", "/v1/calls", body), 201);
    assert_int_not_equal(rig_i64(rig, "call_id"), call_id);
}

static void what_recording_says_gives_the_file_status(void **state)
{
    static const struct {
        const char *call;
        const char *status;
    } cases[] = {
            {"{\"type\":\"incoming\",\"phone\":null}", "pending"},
            {"{\"type\":\"outgoing\",\"phone\":null}", "pending"},
            {"{\"type\":\"missed\",\"phone\":null}", "none"},
            {"{\"type\":\"rejected\",\"phone\":null}", "none"},
            {"{\"type\":\"incoming\",\"phone\":null,\"recording\":null}", "pending"},
            {"{\"type\":\"incoming\",\"phone\":null,\"recording\":\"none\"}", "none"},
            {"{\"type\":\"missed\",\"phone\":null,\"recording\":\"expected\"}", "pending"},
            {"{\"type\":\"incoming\",\"phone\":null,"
             "\"recording\":{\"url\":\"https://pbx.test/1.mp3\"}}",
                    "completed"},
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(rig_ask(rig, "POST", "/v1/calls", cases[i].call), 201);
        assert_int_equal(rig_ask(rig,
                                 "GET",
                                 rig_textf(rig, "/v1/calls/%d", (int)rig_i64(rig, "call_id")),
                                 NULL),
                200);
        rig_assert_str(rig, "data.call_details.file_status", cases[i].status);
    }
    rig_assert_str(rig, "recording.url", "https://pbx.test/1.mp3");
}

static void each_call_of_a_batch_has_its_own_result(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(
            rig_ask(rig,
                    "POST",
                    "/v1/calls/batch",
                    "{\"calls\":[{\"type\":\"missed\",\"phone\":null,\"external_id\":\"b1\"},"
                    "{\"type\":\"x\",\"phone\":\"1\"},7,"
                    "{\"type\":\"missed\",\"phone\":null,\"staff_id\":\"nobody\"},"
                    "{\"type\":\"missed\",\"phone\":null,\"external_id\":\"b1\"}]}"),
            200);
    assert_int_equal(rig_i64(rig, "results[0].status"), 201);
    assert_int_equal(rig_i64(rig, "results[1].status"), 422);
    rig_assert_str(rig, "results[1].errors[0].field", "type");
    rig_assert_str(rig, "results[1].errors[1].field", "phone");
    assert_int_equal(rig_i64(rig, "results[2].status"), 422);
    assert_int_equal(rig_i64(rig, "results[3].status"), 422);
    rig_assert_str(rig, "results[3].errors[0].field", "staff_id");
    assert_int_equal(rig_i64(rig, "results[4].status"), 200);
    assert_int_equal(rig_i64(rig, "results[4].call_id"), rig_i64(rig, "results[0].call_id"));
}

static void a_batch_of_one_that_is_refused_is_still_200(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_ask(rig,
                             "POST",
                             "/v1/calls/batch",
                             "{\"calls\":[{\"type\":\"missed\",\"phone\":null,"
                             "\"staff_id\":\"nobody\"}]}"),
            200);
    assert_int_equal(rig_i64(rig, "results[0].status"), 422);
    assert_int_equal(rig_ask(rig, "POST", "/v1/calls/batch", "{\"calls\":[{}]}"), 200);
    assert_int_equal(rig_i64(rig, "results[0].status"), 422);
}

static void a_batch_has_1_to_1000_calls(void **state)
{
    struct rig *rig = *state;
    struct buf body = {0};

    buf_add_text(&body, "{\"calls\":[1");
    for (int i = 0; i < 1000; i++)
        buf_add_text(&body, ",1");
    buf_add_text(&body, "]}");
    assert_int_equal(rig_ask_bytes(rig, "POST", "/v1/calls/batch", buf_str(&body)), 422);
    rig_assert_fault(rig, 422, "calls");
    assert_int_equal(rig_ask(rig, "POST", "/v1/calls/batch", "{\"calls\":[]}"), 422);
    assert_int_equal(rig_ask(rig, "POST", "/v1/calls/batch", "{}"), 422);
    buf_done(&body);
}

static void when_a_batch_cannot_be_stored_it_is_503(void **state)
{
    struct rig *rig = *state;

    store_drain(rig->store);
    assert_int_equal(rig_ask(rig, "POST", "/v1/calls/batch", "{\"calls\":[" CALL "]}"), 503);
}

static void pages_go_from_new_to_old_and_stay_stable(void **state)
{
    struct rig *rig = *state;
    int64_t ids[3];

    for (size_t i = 0; i < 3; i++)
        ids[i] = rig_make_call(rig);
    assert_int_equal(rig_ask(rig, "GET", "/v1/calls?limit=2", NULL), 200);
    assert_int_equal(rig_i64(rig, "data[0].call_id"), ids[2]);
    assert_int_equal(rig_i64(rig, "data[1].call_id"), ids[1]);

    const char *next =
            rig_textf(rig, "/v1/calls?limit=2&cursor=%.*s", STR_ARG(rig_str(rig, "next_cursor")));

    (void)rig_make_call(rig);
    assert_int_equal(rig_ask(rig, "GET", next, NULL), 200);
    assert_int_equal(json_count(rig_value(rig, "data")), 1);
    assert_int_equal(rig_i64(rig, "data[0].call_id"), ids[0]);
    assert_int_equal(json_type(rig_value(rig, "next_cursor")), JSON_NULL_TYPE);
    assert_int_equal(rig_ask(rig, "GET", "/v1/calls?cursor=nonsense", NULL), 422);
    rig_assert_fault(rig, 422, "cursor");
}

static void each_filter_finds_what_it_names(void **state)
{
    static const struct {
        const char *query;
        size_t count;
    } cases[] = {
            {"phone=%2B919876543210", 1},
            {"type=missed", 1},
            {"file_status=pending", 1},
            {"analysis_status=pending", 1},
            {"reviewed=false", 2},
            {"reviewed=true", 0},
            {"staff_id=emp_1", 1},
            {"contact_id=nobody", 0},
            {"since=2024-01-01T00:00:00Z&until=2024-12-31T00:00:00Z", 1},
            {"q=John", 1},
    };
    struct rig *rig = *state;

    assert_int_equal(rig_ask(rig,
                             "POST",
                             "/v1/calls",
                             "{\"type\":\"incoming\",\"phone\":\"+919876543210\",\"name\":\"John\","
                             "\"started_at\":\"2024-04-28T11:58:00Z\","
                             "\"staff\":{\"id\":\"emp_1\",\"name\":\"A\"}}"),
            201);
    assert_int_equal(
            rig_ask(rig, "POST", "/v1/calls", "{\"type\":\"missed\",\"phone\":null}"), 201);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(
                rig_ask(rig, "GET", rig_textf(rig, "/v1/calls?%s", cases[i].query), NULL), 200);
        if (json_count(rig_value(rig, "data")) != cases[i].count)
            fail_msg("%s finds %.*s", cases[i].query, STR_ARG(rig_body(rig)));
    }
}

static void a_wrong_filter_is_422(void **state)
{
    static const char *const wrong[] = {"type=x",
            "file_status=x",
            "analysis_status=x",
            "reviewed=1",
            "since=x",
            "until=x",
            "q=",
            "phone=%FF"};
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_int_equal(rig_ask(rig, "GET", rig_textf(rig, "/v1/calls?%s", wrong[i]), NULL), 422);
}

static void a_call_of_another_org_is_404(void **state)
{
    struct rig *rig = *state;
    char other[RIG_TOKEN_SIZE];
    const char *target = rig_textf(rig, "/v1/calls/%d", (int)rig_make_call(rig));

    rig_make_org(rig, "org_b", other);
    rig->token = other;
    assert_int_equal(rig_ask(rig, "GET", target, NULL), 404);
    assert_int_equal(rig_ask(rig, "PATCH", target, "{\"reviewed\":true}"), 404);
    assert_int_equal(rig_ask(rig, "GET", "/v1/calls/999999", NULL), 404);
    assert_int_equal(rig_ask(rig, "GET", "/v1/calls/0", NULL), 404);
    assert_int_equal(rig_ask(rig, "GET", "/v1/calls/abc", NULL), 404);
    assert_int_equal(rig_ask(rig, "GET", "/v1/calls/9007199254740992", NULL), 404);
}

static void a_patch_sets_reviewed_and_staff(void **state)
{
    struct rig *rig = *state;
    const char *target = rig_textf(rig, "/v1/calls/%d", (int)rig_make_call(rig));

    assert_int_equal(rig_ask(rig, "POST", "/v1/staff", "{\"id\":\"emp_1\",\"name\":\"A\"}"), 201);
    assert_int_equal(
            rig_ask(rig, "PATCH", target, "{\"reviewed\":true,\"staff_id\":\"emp_1\"}"), 200);
    assert_true(json_bool(rig_value(rig, "data.call_details.reviewed")));
    rig_assert_str(rig, "data.staff.id", "emp_1");
    assert_int_equal(rig_ask(rig, "PATCH", target, "{\"staff_id\":null}"), 200);
    assert_null(rig_str(rig, "data.staff.id").ptr);
    assert_true(json_bool(rig_value(rig, "data.call_details.reviewed")));
    assert_int_equal(rig_ask(rig, "PATCH", target, "{\"reviewed\":1}"), 422);
    assert_int_equal(rig_ask(rig, "PATCH", target, "{\"duration\":1}"), 422);
    assert_int_equal(rig_ask(rig, "PATCH", target, "{\"staff_id\":\"nobody\"}"), 422);
    rig_assert_fault(rig, 422, "staff_id");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            RIG_TEST(a_logged_call_is_201_and_shown_as_in_its_payload),
            RIG_TEST(every_wrong_value_is_told_with_its_field),
            RIG_TEST(all_faults_come_at_once),
            RIG_TEST(the_same_external_id_gives_the_first_call_with_200),
            RIG_TEST(what_recording_says_gives_the_file_status),
            RIG_TEST(each_call_of_a_batch_has_its_own_result),
            RIG_TEST(a_batch_of_one_that_is_refused_is_still_200),
            RIG_TEST(a_batch_has_1_to_1000_calls),
            RIG_TEST(when_a_batch_cannot_be_stored_it_is_503),
            RIG_TEST(pages_go_from_new_to_old_and_stay_stable),
            RIG_TEST(each_filter_finds_what_it_names),
            RIG_TEST(a_wrong_filter_is_422),
            RIG_TEST(a_call_of_another_org_is_404),
            RIG_TEST(a_patch_sets_reviewed_and_staff),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
