/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of route - finding routes, and what the table must hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "api/request.h"
#include "api/route.h"

enum { ALLOW_SIZE = 128 };

struct finding {
    const struct route *route;
    struct str params[REQUEST_PARAMS_MAX];
    bool path_known;
    char allow[ALLOW_SIZE];
};

static struct finding find(const char *method, const char *path)
{
    struct finding finding = {0};

    finding.route = route_find(str_from(method),
            str_from(path),
            finding.params,
            &finding.path_known,
            finding.allow,
            sizeof(finding.allow));
    return finding;
}

static void a_path_finds_its_route_and_parameter(void **state)
{
    struct finding finding = find("GET", "/v1/calls/88231/recording");

    (void)state;
    assert_string_equal(finding.route->pattern, "/v1/calls/{call_id}/recording");
    assert_true(str_is(finding.params[0], "88231"));
    assert_string_equal(find("GET", "/").route->pattern, "/");
}

static void a_literal_goes_before_a_parameter(void **state)
{
    (void)state;
    assert_string_equal(find("POST", "/v1/calls/batch").route->pattern, "/v1/calls/batch");
    assert_null(find("GET", "/v1/calls/batch").route);
    assert_string_equal(find("GET", "/v1/calls/batch").allow, "POST");
}

static void unknown_paths_find_nothing(void **state)
{
    static const char *const paths[] = {"",
            "*",
            "/v1",
            "/v1/calls/",
            "/v1/calls//recording",
            "//v1/calls",
            "/V1/calls",
            "/v1/calls/1/recording/x",
            "/in/",
            "/recordings"};

    (void)state;
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct finding finding = find("GET", paths[i]);

        assert_null(finding.route);
        assert_false(finding.path_known);
    }
}

static void a_wrong_method_lists_the_right_ones(void **state)
{
    struct finding finding = find("PUT", "/v1/contacts/c1/");

    (void)state;
    assert_false(finding.path_known);
    finding = find("POST", "/v1/contacts/c1");
    assert_null(finding.route);
    assert_true(finding.path_known);
    assert_string_equal(finding.allow, "GET, HEAD, PUT, PATCH, DELETE");
}

static void a_list_of_methods_is_cut_at_its_room(void **state)
{
    struct str params[REQUEST_PARAMS_MAX];
    bool path_known;
    char allow[8];

    (void)state;
    assert_null(route_find(
            STR("BREW"), STR("/v1/contacts/c1"), params, &path_known, allow, sizeof(allow)));
    assert_string_equal(allow, "GET, HE");
}

static void a_head_is_a_get(void **state)
{
    (void)state;
    assert_ptr_equal(find("HEAD", "/v1/calls").route, find("GET", "/v1/calls").route);
    assert_null(find("HEAD", "/v1/calls/batch").route);
}

static void an_inbox_takes_any_method(void **state)
{
    (void)state;
    assert_string_equal(find("POST", "/in/in_x").route->pattern, "/in/{id}");
    assert_string_equal(find("BREW", "/in/in_x").route->pattern, "/in/{id}");
}

static void every_row_is_whole(void **state)
{
    size_t count;
    const struct route *routes = route_all(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        const struct route *route = &routes[i];

        assert_non_null(route->handle);
        assert_int_equal(route->begin != NULL, route->body == BODY_STREAM);
        assert_int_equal(route->scope != 0, route->auth != AUTH_NONE);
        /* What may change something is never open to all, but for the inboxes and the preview. */
        if (strcmp(route->method, "GET") != 0 && route->auth == AUTH_NONE)
            assert_true(strcmp(route->method, "*") == 0 ||
                        strcmp(route->pattern, "/v1/playground/preview") == 0);
        for (size_t j = 0; j < i; j++)
            assert_false(strcmp(routes[j].method, route->method) == 0 &&
                         strcmp(routes[j].pattern, route->pattern) == 0);
    }
}

static void each_row_is_found_by_its_own_pattern(void **state)
{
    size_t count;
    const struct route *routes = route_all(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        const char *method = strcmp(routes[i].method, "*") == 0 ? "POST" : routes[i].method;

        assert_ptr_equal(find(method, routes[i].pattern).route, &routes[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_path_finds_its_route_and_parameter),
            cmocka_unit_test(a_literal_goes_before_a_parameter),
            cmocka_unit_test(unknown_paths_find_nothing),
            cmocka_unit_test(a_wrong_method_lists_the_right_ones),
            cmocka_unit_test(a_list_of_methods_is_cut_at_its_room),
            cmocka_unit_test(a_head_is_a_get),
            cmocka_unit_test(an_inbox_takes_any_method),
            cmocka_unit_test(every_row_is_whole),
            cmocka_unit_test(each_row_is_found_by_its_own_pattern),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
