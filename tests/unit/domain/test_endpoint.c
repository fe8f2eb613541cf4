/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of domain/endpoint. */
#include "assert_str.h"
#include "domain/endpoint.h"

static void a_new_endpoint_has_the_defaults(void **state)
{
    CLEANUP_PTR(endpoint_unref) struct endpoint *endpoint = endpoint_new();

    (void)state;
    assert_true(endpoint->enabled);
    assert_int_equal(endpoint->disabled_reason, DISABLED_NOT);
    assert_int_equal(endpoint->timeout_ms, 15000);
    assert_int_equal(endpoint->max_in_flight, 10);
    assert_int_equal(endpoint->rate_limit, 0);
    assert_int_equal(endpoint->ordering, ORDERING_CALL);
    assert_int_equal(endpoint->retry_schedule.wait_count, 9);
    assert_true(endpoint_wants(endpoint, EVENT_CALLER_UPDATED, CALL_REJECTED));
}

static void an_endpoint_lives_until_its_last_reference(void **state)
{
    struct endpoint *endpoint = endpoint_new();

    (void)state;
    assert_ptr_equal(endpoint_ref(endpoint), endpoint);
    endpoint_unref(endpoint);
    endpoint->id = 7; /* still there: the sanitizer would tell */
    assert_int_equal(endpoint->id, 7);
    endpoint_unref(endpoint);
    endpoint_unref(NULL);
}

static struct endpoint *example(void)
{
    struct endpoint *endpoint = endpoint_new();

    endpoint->id = 42;
    endpoint->org_id = arena_str(&endpoint->arena, STR("org_1"));
    endpoint->url = arena_str(&endpoint->arena, STR("https://example.com/hook"));
    endpoint->secret = arena_str(&endpoint->arena, STR("new secret"));
    endpoint->secret_old = arena_str(&endpoint->arena, STR("old secret"));
    endpoint->header_count = 1;
    endpoint->headers[0].name = arena_str(&endpoint->arena, STR("X-Key"));
    endpoint->headers[0].value = arena_str(&endpoint->arena, STR("value"));
    endpoint->failing_count = 3;
    endpoint->retry_schedule.wait_count = 2;
    return endpoint;
}

static void a_copy_outlives_the_original(void **state)
{
    struct endpoint *original = example();

    (void)state;
    endpoint_ref(original);
    CLEANUP_PTR(endpoint_unref) struct endpoint *copy = endpoint_copy(original);
    endpoint_unref(original);
    endpoint_unref(original);

    assert_int_equal(copy->id, 42);
    assert_str(copy->org_id, "org_1");
    assert_str(copy->url, "https://example.com/hook");
    assert_str(copy->description, NULL);
    assert_str(copy->secret, "new secret");
    assert_str(copy->secret_old, "old secret");
    assert_int_equal(copy->header_count, 1);
    assert_str(copy->headers[0].name, "X-Key");
    assert_str(copy->headers[0].value, "value");
    assert_int_equal(copy->failing_count, 3);
    assert_int_equal(copy->retry_schedule.wait_count, 2);
}

static void a_copy_has_one_reference_of_its_own(void **state)
{
    CLEANUP_PTR(endpoint_unref) struct endpoint *original = example();
    struct endpoint *copy = endpoint_copy(endpoint_ref(original));

    (void)state;
    assert_int_equal(atomic_load(&copy->refs), 1);
    assert_int_equal(atomic_load(&original->refs), 2);
    endpoint_unref(copy);
    endpoint_unref(original);
}

static void an_endpoint_wants_what_its_masks_have(void **state)
{
    CLEANUP_PTR(endpoint_unref) struct endpoint *endpoint = endpoint_new();

    (void)state;
    endpoint->event_mask = 1U << EVENT_CALL_LOGGED;
    endpoint->type_mask = 1U << CALL_MISSED;
    assert_true(endpoint_wants(endpoint, EVENT_CALL_LOGGED, CALL_MISSED));
    assert_false(endpoint_wants(endpoint, EVENT_CALL_LOGGED, CALL_INCOMING));
    assert_false(endpoint_wants(endpoint, EVENT_AI_ANALYSIS, CALL_MISSED));
}

static void orderings_and_reasons_have_words(void **state)
{
    static const char *const orderings[] = {"call", "none", "endpoint"};
    static const char *const reasons[] = {NULL, "manual", "gone", "failing"};
    enum endpoint_ordering ordering = ORDERING_ENDPOINT;

    (void)state;
    for (size_t i = 0; i < COUNT(reasons); i++)
        assert_str(disabled_reason_name((enum disabled_reason)i), reasons[i]);
    assert_false(endpoint_ordering_parse(STR("fifo"), &ordering));
    assert_false(endpoint_ordering_parse(STR_NONE, &ordering));
    assert_int_equal(ordering, ORDERING_ENDPOINT);
    for (size_t i = 0; i < COUNT(orderings); i++) {
        assert_str(endpoint_ordering_name((enum endpoint_ordering)i), orderings[i]);
        assert_true(endpoint_ordering_parse(str_from(orderings[i]), &ordering));
        assert_int_equal(ordering, i);
    }
}

static void own_headers_may_be_any_token_with_visible_text(void **state)
{
    static const struct {
        const char *name;
        const char *value;
    } good[] = {
            {"X-Api-Key", "abc"},
            {"authorization", "Bearer a.b-c_d~e+f/g="},
            {"x!#$%&'*+-.^_`|~9", "a b\tc"},
            {"X-Name", "J\xC3\xBCrgen"},
            {"X-CallSyncs", "not ours"},
            {"webhook-id-2", "not ours"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++)
        assert_int_equal(
                endpoint_check_header(str_from(good[i].name), str_from(good[i].value), NULL),
                ERR_NONE);
}

static void headers_of_ours_and_of_the_connection_are_refused(void **state)
{
    static const char *const ours[] = {
            "Content-Type",
            "content-type",
            "User-Agent",
            "X-CallSync-Signature",
            "x-callsync-signature-next",
            "X-CallSync-Anything",
            "webhook-id",
            "Webhook-Timestamp",
            "WEBHOOK-SIGNATURE",
            "Host",
            "Content-Length",
            "Transfer-Encoding",
            "Connection",
            "Keep-Alive",
            "Proxy-Connection",
            "Expect",
            "TE",
            "Trailer",
            "Upgrade",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(ours); i++) {
        struct error why = {0};
        char wanted[ERROR_TEXT_SIZE];

        (void)snprintf(wanted, sizeof(wanted), "the header %s is set by CallSync itself", ours[i]);
        assert_int_equal(endpoint_check_header(str_from(ours[i]), STR("value"), &why), ERR_INVALID);
        assert_string_equal(why.text, wanted);
    }
}

static void malformed_headers_are_refused_with_the_rule(void **state)
{
    static const char *const token = "a header's name must be letters, digits and !#$%&'*+-.^_`|~";
    static const char *const controls = "a header's value must have no control characters";
    static const char *const ends = "a header's value must not begin or end with a space or tab";
    static const struct {
        struct str name;
        struct str value;
        const char *why;
    } rows[] = {
            {{"", 0}, {"v", 1}, "a header's name must be 1 to 64 bytes"},
            {{"X Key", 5}, {"v", 1}, token},
            {{"X-Key:", 6}, {"v", 1}, token},
            {{"X-Key\r\nHost", 11}, {"v", 1}, token},
            {{"X\0Key", 5}, {"v", 1}, token},
            {{"X-\xC3\xA4", 4}, {"v", 1}, token},
            {{"X-Key", 5}, {"", 0}, "a header's value must be 1 to 1024 bytes"},
            {{"X-Key", 5}, {"a\r\nHost: b", 10}, controls},
            {{"X-Key", 5}, {"a\nb", 3}, controls},
            {{"X-Key", 5}, {"a\0b", 3}, controls},
            {{"X-Key", 5}, {"a\x7F", 2}, controls},
            {{"X-Key", 5}, {" a", 2}, ends},
            {{"X-Key", 5}, {"a\t", 2}, ends},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct error why = {0};

        assert_int_equal(endpoint_check_header(rows[i].name, rows[i].value, &why), ERR_INVALID);
        assert_string_equal(why.text, rows[i].why);
    }
}

static void headers_have_a_length(void **state)
{
    char text[ENDPOINT_HEADER_VALUE_MAX_BYTES + 1];
    struct str all = {text, sizeof(text)};

    (void)state;
    memset(text, 'a', sizeof(text));
    assert_int_equal(endpoint_check_header(str_slice(all, 0, 64),
                             str_slice(all, 0, ENDPOINT_HEADER_VALUE_MAX_BYTES),
                             NULL),
            ERR_NONE);
    assert_int_equal(endpoint_check_header(str_slice(all, 0, 65), STR("v"), NULL), ERR_INVALID);
    assert_int_equal(endpoint_check_header(STR("X-Key"), all, NULL), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_new_endpoint_has_the_defaults),
            cmocka_unit_test(an_endpoint_lives_until_its_last_reference),
            cmocka_unit_test(a_copy_outlives_the_original),
            cmocka_unit_test(a_copy_has_one_reference_of_its_own),
            cmocka_unit_test(an_endpoint_wants_what_its_masks_have),
            cmocka_unit_test(orderings_and_reasons_have_words),
            cmocka_unit_test(own_headers_may_be_any_token_with_visible_text),
            cmocka_unit_test(headers_of_ours_and_of_the_connection_are_refused),
            cmocka_unit_test(malformed_headers_are_refused_with_the_rule),
            cmocka_unit_test(headers_have_a_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
