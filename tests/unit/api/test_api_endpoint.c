/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of api_endpoint - settings, secrets, targets, numbers and recovery of endpoints. */
#include "base/cleanup.h"
#include "domain/endpoint.h"
#include "rig.h"

#define ENDPOINTS "/v1/endpoints"

/* Makes an endpoint and gives its path. */
static const char *make_endpoint(struct rig *rig, const char *body)
{
    assert_int_equal(rig_ask(rig, "POST", ENDPOINTS, body), 201);
    return rig_textf(rig, ENDPOINTS "/%.*s", STR_ARG(rig_str(rig, "id")));
}

static const char *make_plain_endpoint(struct rig *rig)
{
    return make_endpoint(rig, "{\"url\":\"https://crm.test/hook\"}");
}

static bool is_null(struct rig *rig, const char *path)
{
    const struct json *value = rig_value(rig, path);

    return value != NULL && json_type(value) == JSON_NULL_TYPE;
}

static void test_a_new_endpoint_has_the_defaults_and_shows_its_secret_once(void **state)
{
    struct rig *rig = *state;
    const char *path = make_plain_endpoint(rig);

    rig_assert_str(rig, "url", "https://crm.test/hook");
    assert_true(str_starts(rig_str(rig, "id"), STR("ep_")));
    assert_true(is_null(rig, "description"));
    assert_int_equal(json_count(rig_value(rig, "events")), 0);
    assert_int_equal(json_count(rig_value(rig, "types")), 0);
    assert_true(json_bool(rig_value(rig, "enabled")));
    assert_true(is_null(rig, "disabled_reason"));
    assert_true(is_null(rig, "disabled_at"));
    assert_int_equal(rig_i64(rig, "timeout_s"), 15);
    assert_int_equal(json_count(rig_value(rig, "retry_schedule")), 9);
    rig_assert_str(rig, "retry_schedule[8]", "24h");
    assert_int_equal(rig_i64(rig, "max_in_flight"), 10);
    assert_true(is_null(rig, "rate_limit"));
    rig_assert_str(rig, "ordering", "call");
    assert_true(is_null(rig, "rotation"));
    rig_assert_str(rig, "created_at", "2026-04-28T11:58:13.000Z");
    assert_true(str_starts(rig_str(rig, "secret"), STR("whsec_")));

    struct str secret = arena_str(&rig->folder.arena, rig_str(rig, "secret"));
    assert_int_equal(rig_ask(rig, "GET", path, NULL), 200);
    assert_null(rig_value(rig, "secret"));
    assert_int_equal(rig_ask(rig, "GET", rig_textf(rig, "%s/secret", path), NULL), 200);
    rig_assert_str(rig, "secret", secret.ptr);
}

static void test_every_setting_is_kept_as_it_was_given(void **state)
{
    struct rig *rig = *state;
    const char *path = make_endpoint(rig,
            "{\"url\":\"https://crm.test/hook?a=1\",\"description\":\"CRM\","
            "\"events\":[\"ai_analysis\",\"call_logged\"],\"types\":[\"missed\"],"
            "\"secret\":\"my own secret\",\"enabled\":false,"
            "\"headers\":{\"Authorization\":\"Basic eA==\",\"X-B\":\"2\"},\"timeout_s\":30,"
            "\"retry_schedule\":[\"1s\",\"7d\"],\"max_in_flight\":100,\"rate_limit\":5,"
            "\"ordering\":\"endpoint\"}");

    for (int i = 0; i < 2; i++) {
        rig_assert_str(rig, "url", "https://crm.test/hook?a=1");
        rig_assert_str(rig, "description", "CRM");
        rig_assert_str(rig, "events[0]", "call_logged");
        rig_assert_str(rig, "events[1]", "ai_analysis");
        rig_assert_str(rig, "types[0]", "missed");
        assert_false(json_bool(rig_value(rig, "enabled")));
        rig_assert_str(rig, "disabled_reason", "manual");
        rig_assert_str(rig, "disabled_at", "2026-04-28T11:58:13.000Z");
        rig_assert_str(rig, "headers.Authorization", "Basic eA==");
        rig_assert_str(rig, "headers.X-B", "2");
        assert_int_equal(rig_i64(rig, "timeout_s"), 30);
        rig_assert_str(rig, "retry_schedule[1]", "7d");
        assert_int_equal(rig_i64(rig, "max_in_flight"), 100);
        assert_int_equal(rig_i64(rig, "rate_limit"), 5);
        rig_assert_str(rig, "ordering", "endpoint");
        assert_int_equal(rig_ask(rig, "GET", path, NULL), 200);
    }
    assert_int_equal(rig_ask(rig, "GET", rig_textf(rig, "%s/secret", path), NULL), 200);
    rig_assert_str(rig, "secret", "my own secret");
}

static void test_each_wrong_setting_is_named(void **state)
{
    static const struct {
        const char *member;
        const char *field;
    } table[] = {
            {"\"colour\":1", "colour"},
            {"\"url\":7", "url"},
            {"\"url\":\"ftp://crm.test/\"", "url"},
            {"\"url\":\"https://user:pw@crm.test/\"", "url"},
            {"\"url\":\"http://10.0.0.1/\"", "url"},
            {"\"url\":\"http://[::1]/\"", "url"},
            {"\"url\":\"http://0x7f.1/\"", "url"},
            {"\"url\":\"https://private.test/\"", "url"},
            {"\"url\":\"http://callsync.test/v1/calls\"", "url"},
            {"\"url\":\"https://missing.test/\"", "url"},
            {"\"description\":\"\"", "description"},
            {"\"description\":\"a\\u0001\"", "description"},
            {"\"events\":\"call_logged\"", "events"},
            {"\"events\":[\"call_logged\",\"call_logged\"]", "events[1]"},
            {"\"events\":[7]", "events[0]"},
            {"\"types\":[\"lost\"]", "types[0]"},
            {"\"secret\":\"short\"", "secret"},
            {"\"secret\":null", "secret"},
            {"\"enabled\":null", "enabled"},
            {"\"headers\":[]", "headers"},
            {"\"headers\":{\"X-A\":7}", "headers.X-A"},
            {"\"headers\":{\"Host\":\"a\"}", "headers.Host"},
            {"\"headers\":{\"x-callsync-event\":\"a\"}", "headers.x-callsync-event"},
            {"\"headers\":{\"X-A\":\"a\\nb\"}", "headers.X-A"},
            {"\"headers\":{\"X-A\":\"1\",\"x-a\":\"2\"}", "headers.x-a"},
            {"\"timeout_s\":0", "timeout_s"},
            {"\"timeout_s\":31", "timeout_s"},
            {"\"timeout_s\":1.5", "timeout_s"},
            {"\"retry_schedule\":\"5s\"", "retry_schedule"},
            {"\"retry_schedule\":[\"5s\",5]", "retry_schedule[1]"},
            {"\"retry_schedule\":[\"8d\"]", "retry_schedule[0]"},
            {"\"max_in_flight\":0", "max_in_flight"},
            {"\"max_in_flight\":101", "max_in_flight"},
            {"\"rate_limit\":0", "rate_limit"},
            {"\"ordering\":\"random\"", "ordering"},
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        bool is_url = str_starts(str_from(table[i].member), STR("\"url\""));
        const char *url = is_url ? "" : ",\"url\":\"https://crm.test/\"";
        unsigned status =
                rig_ask(rig, "POST", ENDPOINTS, rig_textf(rig, "{%s%s}", table[i].member, url));

        if (status != 422)
            fail_msg("%s gave %u", table[i].member, status);
        rig_assert_fault(rig, 422, table[i].field);
        assert_int_equal(json_count(rig_value(rig, "errors")), 1);
    }
}

static void test_a_name_that_cannot_be_looked_up_now_is_taken(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_ask(rig, "POST", ENDPOINTS, "{\"url\":\"https://later.test/\"}"), 201);
}

static void test_all_faults_are_told_at_once(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_ask(rig,
                             "POST",
                             ENDPOINTS,
                             "{\"url\":\"https://private.test/\",\"timeout_s\":0,\"types\":[1],"
                             "\"x\":1}"),
            422);
    assert_int_equal(json_count(rig_value(rig, "errors")), 4);
    assert_int_equal(rig_ask(rig, "POST", ENDPOINTS, "{}"), 422);
    rig_assert_fault(rig, 422, "url");
}

static const char *with_many(struct rig *rig, int count)
{
    CLEANUP(buf_done) struct buf headers = {0};
    CLEANUP(buf_done) struct buf waits = {0};

    for (int i = 0; i < count; i++) {
        buf_addf(&headers, "%s\"X-%d\":\"v\"", i > 0 ? "," : "", i);
        buf_addf(&waits, "%s\"%ds\"", i > 0 ? "," : "", i + 1);
    }
    return rig_textf(rig,
            "{\"url\":\"https://crm.test/\",\"headers\":{%.*s},\"retry_schedule\":[%.*s]}",
            STR_ARG(buf_str(&headers)),
            STR_ARG(buf_str(&waits)));
}

static void test_there_is_room_for_20_headers_and_20_waits(void **state)
{
    struct rig *rig = *state;

    (void)make_endpoint(rig, with_many(rig, 20));
    assert_int_equal(json_count(rig_value(rig, "headers")), 20);
    assert_int_equal(json_count(rig_value(rig, "retry_schedule")), 20);
    assert_int_equal(rig_ask(rig, "POST", ENDPOINTS, with_many(rig, 21)), 422);
    assert_int_equal(json_count(rig_value(rig, "errors")), 2);
}

static void test_an_own_inbox_is_always_a_target(void **state)
{
    static const struct {
        const char *url;
        bool is_fine;
    } table[] = {
            {"http://callsync.test/in/in_0123", true},
            {"http://callsync.test/in/in_0123?x=1", true},
            {"http://callsync.test/in/", false},
            {"http://callsync.test/in/../v1/calls", false},
            {"http://callsync.test/in/%2e%2e/v1/calls", false},
            {"http://callsync.test/in/in_1/x", false},
            {"http://callsync.test/v1/calls", false},
            {"http://callsync.test:8081/in/in_0123", false},
            {"https://callsync.test/in/in_0123", false},
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        unsigned status =
                rig_ask(rig, "POST", ENDPOINTS, rig_textf(rig, "{\"url\":\"%s\"}", table[i].url));

        if (status != (table[i].is_fine ? 201 : 422))
            fail_msg("%s gave %u", table[i].url, status);
    }
}

static void test_a_change_touches_what_it_names_and_nothing_else(void **state)
{
    struct rig *rig = *state;
    const char *path = make_endpoint(rig,
            "{\"url\":\"https://crm.test/hook\",\"description\":\"CRM\",\"rate_limit\":5,"
            "\"headers\":{\"X-A\":\"1\"},\"events\":[\"call_logged\"]}");

    clock_virtual_set(&rig->clock, RIG_START_MS + 1000);
    assert_int_equal(rig_ask(rig, "PATCH", path, "{\"timeout_s\":7}"), 200);
    assert_int_equal(rig_i64(rig, "timeout_s"), 7);
    rig_assert_str(rig, "url", "https://crm.test/hook");
    rig_assert_str(rig, "description", "CRM");
    rig_assert_str(rig, "headers.X-A", "1");
    assert_int_equal(rig_i64(rig, "rate_limit"), 5);
    rig_assert_str(rig, "created_at", "2026-04-28T11:58:13.000Z");
    rig_assert_str(rig, "updated_at", "2026-04-28T11:58:14.000Z");
    assert_null(rig_value(rig, "secret"));

    assert_int_equal(rig_ask(rig,
                             "PATCH",
                             path,
                             "{\"rate_limit\":null,\"description\":null,\"headers\":{},"
                             "\"events\":[],\"url\":\"https://erp.test/\"}"),
            200);
    assert_true(is_null(rig, "rate_limit"));
    assert_true(is_null(rig, "description"));
    assert_int_equal(json_count(rig_value(rig, "headers")), 0);
    assert_int_equal(json_count(rig_value(rig, "events")), 0);
    rig_assert_str(rig, "url", "https://erp.test/");
    assert_int_equal(rig_i64(rig, "timeout_s"), 7);
}

static void test_a_change_is_checked_like_a_creation(void **state)
{
    struct rig *rig = *state;
    const char *path = make_plain_endpoint(rig);

    assert_int_equal(rig_ask(rig, "PATCH", path, "{\"url\":\"https://private.test/\"}"), 422);
    rig_assert_fault(rig, 422, "url");
    assert_int_equal(rig_ask(rig, "PATCH", path, "{\"secret\":\"another secret\"}"), 422);
    rig_assert_fault(rig, 422, "secret");
    assert_int_equal(rig_ask(rig, "GET", path, NULL), 200);
    rig_assert_str(rig, "url", "https://crm.test/hook");
}

static void test_disabling_and_enabling_is_told(void **state)
{
    struct rig *rig = *state;
    const char *path = make_plain_endpoint(rig);

    assert_int_equal(rig_ask(rig, "PATCH", path, "{\"enabled\":false}"), 200);
    rig_assert_str(rig, "disabled_reason", "manual");
    assert_false(is_null(rig, "disabled_at"));
    assert_int_equal(rig_ask(rig, "PATCH", path, "{\"enabled\":true}"), 200);
    assert_true(is_null(rig, "disabled_reason"));
    assert_true(is_null(rig, "disabled_at"));
}

static void test_the_list_goes_from_new_to_old_in_pages(void **state)
{
    struct rig *rig = *state;

    for (int i = 0; i < 3; i++)
        (void)make_endpoint(rig, rig_textf(rig, "{\"url\":\"https://crm.test/%d\"}", i));
    assert_int_equal(rig_ask(rig, "GET", ENDPOINTS "?limit=2", NULL), 200);
    assert_int_equal(json_count(rig_value(rig, "data")), 2);
    rig_assert_str(rig, "data[0].url", "https://crm.test/2");

    struct str cursor = rig_str(rig, "next_cursor");
    const char *next = rig_textf(rig, ENDPOINTS "?limit=2&cursor=%.*s", STR_ARG(cursor));
    assert_int_equal(rig_ask(rig, "GET", next, NULL), 200);
    assert_int_equal(json_count(rig_value(rig, "data")), 1);
    rig_assert_str(rig, "data[0].url", "https://crm.test/0");
    assert_true(is_null(rig, "next_cursor"));
    assert_int_equal(rig_ask(rig, "GET", ENDPOINTS "?limit=0&sort=up", NULL), 422);
    assert_int_equal(json_count(rig_value(rig, "errors")), 2);
}

static void test_without_manage_header_values_are_hidden(void **state)
{
    struct rig *rig = *state;
    const char *path = make_endpoint(
            rig, "{\"url\":\"https://crm.test/\",\"headers\":{\"Authorization\":\"secret\"}}");
    char token[RIG_TOKEN_SIZE];

    rig_make_token(rig, "[\"read\"]", token);
    rig->token = token;
    assert_int_equal(rig_ask(rig, "GET", path, NULL), 200);
    rig_assert_str(rig, "headers.Authorization", "***");
    assert_int_equal(rig_ask(rig, "GET", ENDPOINTS, NULL), 200);
    rig_assert_str(rig, "data[0].headers.Authorization", "***");
    assert_int_equal(rig_ask(rig, "GET", rig_textf(rig, "%s/secret", path), NULL), 403);
}

static void test_what_is_of_another_org_is_404_on_every_path(void **state)
{
    static const struct {
        const char *method;
        const char *below;
        const char *body;
    } table[] = {
            {"GET", "", NULL},
            {"PATCH", "", "{}"},
            {"DELETE", "", NULL},
            {"GET", "/secret", NULL},
            {"POST", "/secret/rotate", "{}"},
            {"POST", "/test", "{}"},
            {"GET", "/stats", NULL},
            {"POST", "/recover", "{\"since\":\"2026-04-28T00:00:00Z\",\"what\":\"all\"}"},
    };
    struct rig *rig = *state;
    const char *path = make_plain_endpoint(rig);
    char other[RIG_TOKEN_SIZE];

    rig_make_org(rig, "org_b", other);
    rig->token = other;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const char *targets[] = {rig_textf(rig, "%s%s", path, table[i].below),
                rig_textf(rig, ENDPOINTS "/ep_0000000000000%s", table[i].below),
                rig_textf(rig, ENDPOINTS "/x%s", table[i].below)};

        for (size_t j = 0; j < 3; j++) {
            unsigned status = rig_ask(rig, table[i].method, targets[j], table[i].body);

            if (status != 404)
                fail_msg("%s %s gave %u", table[i].method, targets[j], status);
        }
    }
}

static void test_a_deleted_endpoint_is_gone(void **state)
{
    struct rig *rig = *state;
    const char *path = make_plain_endpoint(rig);

    assert_int_equal(rig_ask(rig, "DELETE", path, NULL), 204);
    assert_int_equal(rig_body(rig).len, 0);
    assert_int_equal(rig_ask(rig, "GET", path, NULL), 404);
    assert_int_equal(rig_ask(rig, "DELETE", path, NULL), 404);
}

static void test_a_rotation_tells_the_new_secret_and_its_end(void **state)
{
    struct rig *rig = *state;
    const char *path = make_plain_endpoint(rig);
    const char *rotate = rig_textf(rig, "%s/secret/rotate", path);

    assert_int_equal(
            rig_ask(rig, "POST", rotate, "{\"secret\":\"the new secret\",\"overlap_s\":60}"), 200);
    rig_assert_str(rig, "secret", "the new secret");
    rig_assert_str(rig, "rotation.until", "2026-04-28T11:59:13.000Z");
    assert_int_equal(rig_ask(rig, "POST", rotate, NULL), 409);
    clock_virtual_set(&rig->clock, RIG_START_MS + 60000);
    assert_int_equal(rig_ask(rig, "GET", path, NULL), 200);
    assert_true(is_null(rig, "rotation"));
    assert_int_equal(rig_ask(rig, "POST", rotate, "{\"overlap_s\":0}"), 200);
    assert_true(str_starts(rig_str(rig, "secret"), STR("whsec_")));
    assert_true(is_null(rig, "rotation"));
    assert_int_equal(rig_ask(rig, "POST", rotate, "{\"overlap_s\":604801,\"secret\":\"x\"}"), 422);
    assert_int_equal(json_count(rig_value(rig, "errors")), 2);
}

static void test_the_same_key_gives_the_same_secret_again(void **state)
{
    struct rig *rig = *state;

    rig_header(rig, "Idempotency-Key", "k");
    (void)make_plain_endpoint(rig);

    struct str first = arena_str(&rig->folder.arena, rig_body(rig));
    rig_header(rig, "Idempotency-Key", "k");
    (void)make_plain_endpoint(rig);
    assert_true(str_equal(rig_body(rig), first));
    assert_true(str_is(rig_reply_header(rig, "Idempotency-Replayed"), "true"));
    assert_int_equal(rig_ask(rig, "GET", ENDPOINTS, NULL), 200);
    assert_int_equal(json_count(rig_value(rig, "data")), 1);
}

static void test_the_numbers_come_in_the_buckets_of_the_window(void **state)
{
    static const struct {
        const char *query;
        const char *window;
        int64_t bucket_s;
        size_t count;
    } table[] = {
            {"", "24h", 3600, 24},
            {"?window=1h", "1h", 300, 12},
            {"?window=24h", "24h", 3600, 24},
            {"?window=7d", "7d", 21600, 28},
    };
    struct rig *rig = *state;
    const char *path = make_plain_endpoint(rig);

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        assert_int_equal(
                rig_ask(rig, "GET", rig_textf(rig, "%s/stats%s", path, table[i].query), NULL), 200);
        rig_assert_str(rig, "window", table[i].window);
        assert_int_equal(rig_i64(rig, "bucket_s"), table[i].bucket_s);
        assert_int_equal(json_count(rig_value(rig, "buckets")), table[i].count);
        assert_int_equal(rig_i64(rig, "attempts"), 0);
        assert_true(is_null(rig, "success_rate"));
        assert_true(is_null(rig, "p95_ms"));
        assert_true(is_null(rig, "last_success_at"));
    }
    assert_int_equal(rig_ask(rig, "GET", rig_textf(rig, "%s/stats?window=2h", path), NULL), 422);
    rig_assert_fault(rig, 422, "window");
}

static void test_recovering_makes_deliveries_of_what_was_missed(void **state)
{
    struct rig *rig = *state;

    (void)rig_make_call(rig);
    clock_virtual_set(&rig->clock, RIG_START_MS + 1000);

    const char *path = make_plain_endpoint(rig);
    const char *recover = rig_textf(rig, "%s/recover", path);
    assert_int_equal(rig_ask(rig,
                             "POST",
                             recover,
                             "{\"since\":\"2026-04-28T00:00:00Z\",\"what\":\"missed\"}"),
            202);
    assert_int_equal(rig_i64(rig, "deliveries"), 1);
    assert_int_equal(rig_ask(rig, "POST", recover, "{\"what\":\"some\",\"x\":1}"), 422);
    assert_int_equal(json_count(rig_value(rig, "errors")), 3);
    assert_int_equal(rig_ask(rig,
                             "POST",
                             recover,
                             "{\"since\":\"2026-04-28T00:00:00Z\",\"what\":\"all\","
                             "\"until\":\"2026-04-28T00:00:00Z\"}"),
            422);
    rig_assert_fault(rig, 422, "until");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            RIG_TEST(test_a_new_endpoint_has_the_defaults_and_shows_its_secret_once),
            RIG_TEST(test_every_setting_is_kept_as_it_was_given),
            RIG_TEST(test_each_wrong_setting_is_named),
            RIG_TEST(test_a_name_that_cannot_be_looked_up_now_is_taken),
            RIG_TEST(test_all_faults_are_told_at_once),
            RIG_TEST(test_there_is_room_for_20_headers_and_20_waits),
            RIG_TEST(test_an_own_inbox_is_always_a_target),
            RIG_TEST(test_a_change_touches_what_it_names_and_nothing_else),
            RIG_TEST(test_a_change_is_checked_like_a_creation),
            RIG_TEST(test_disabling_and_enabling_is_told),
            RIG_TEST(test_the_list_goes_from_new_to_old_in_pages),
            RIG_TEST(test_without_manage_header_values_are_hidden),
            RIG_TEST(test_what_is_of_another_org_is_404_on_every_path),
            RIG_TEST(test_a_deleted_endpoint_is_gone),
            RIG_TEST(test_a_rotation_tells_the_new_secret_and_its_end),
            RIG_TEST(test_the_same_key_gives_the_same_secret_again),
            RIG_TEST(test_the_numbers_come_in_the_buckets_of_the_window),
            RIG_TEST(test_recovering_makes_deliveries_of_what_was_missed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
