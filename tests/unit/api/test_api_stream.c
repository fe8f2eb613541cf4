/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of api_stream - that what happens in an org comes to its streams. */
#include "rig.h"

enum { DEADLINE_MS = 10000 };

static struct http_exchange_fake *open_stream(struct rig *rig)
{
    struct http_exchange_fake *fake = http_exchange_fake_new("GET", "/v1/stream");

    http_exchange_fake_add_header(
            fake, "Authorization", rig_textf(rig, "Bearer %s", rig->org_token));
    assert_true(http_exchange_fake_serve(fake, api_handler(rig->api), DEADLINE_MS));
    assert_int_equal(http_exchange_fake_status(fake), 200);
    return fake;
}

static void read_until(struct http_exchange_fake *fake, const char *text)
{
    if (!http_exchange_fake_stream_until(fake, text, DEADLINE_MS))
        fail_msg("%s did not come; this did: %.*s", text, STR_ARG(http_exchange_fake_stream(fake)));
}

static void test_what_happens_is_told_as_it_happens(void **state)
{
    struct rig *rig = *state;
    struct http_exchange_fake *fake = open_stream(rig);

    assert_int_equal(rig_ask(rig, "POST", "/v1/endpoints", "{\"url\":\"https://crm.test/\"}"), 201);
    read_until(fake, "event: endpoint\ndata: {\"endpoint_id\":\"ep_");
    read_until(fake, "\"change\":\"created\"");

    int64_t call_id = rig_make_call(rig);
    read_until(fake, "event: event\n");
    read_until(fake, rig_textf(rig, "\"call_id\":%lld", (long long)call_id));

    assert_int_equal(rig_ask(rig, "POST", "/v1/inboxes", NULL), 201);
    const char *id = rig_textf(rig, "%.*s", STR_ARG(rig_str(rig, "id")));
    assert_int_equal(rig_ask(rig, "POST", rig_textf(rig, "/in/%s", id), "{}"), 200);
    read_until(fake, rig_textf(rig, "event: inbox\ndata: {\"inbox_id\":\"%s\"", id));
    http_exchange_fake_free(fake);
}

static void test_a_stop_ends_the_stream(void **state)
{
    struct rig *rig = *state;
    struct http_exchange_fake *fake = open_stream(rig);

    api_drain(rig->api);
    assert_false(http_exchange_fake_stream_until(fake, "never", DEADLINE_MS));
    http_exchange_fake_free(fake);
}

static void test_it_takes_no_query(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_ask(rig, "GET", "/v1/stream?x=1", NULL), 422);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            RIG_TEST(test_what_happens_is_told_as_it_happens),
            RIG_TEST(test_a_stop_ends_the_stream),
            RIG_TEST(test_it_takes_no_query),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
