/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_route - lines with a method and a path: what is found has the path's shape. */
#include "api/route.h"
#include "base/buf.h"
#include "fuzz.h"

enum { PARAMS_MAX = 8, ALLOW_SIZE = 128 };

/* The pattern with the parameters in their places is the path again. */
static void check_path(const char *pattern, struct str path, const struct str *params)
{
    CLEANUP(buf_done) struct buf again = {0};
    struct str rest = str_from(pattern);
    bool is_first = true;

    while (rest.ptr != NULL) {
        struct str part = str_split(&rest, '/');
        bool is_param = part.len > 0 && part.ptr[0] == '{';

        if (is_param)
            assert(params->len > 0 && params->ptr >= path.ptr &&
                    params->ptr + params->len <= path.ptr + path.len);
        buf_add_text(&again, is_first ? "" : "/");
        buf_add_str(&again, is_param ? *params++ : part);
        is_first = false;
    }
    assert(str_equal(buf_str(&again), path));
}

/* Each of the methods that are told is one that the path takes. */
static void check_allow(const char *allow, struct str path)
{
    struct str rest = str_from(allow);

    assert(strlen(allow) > 0 && strlen(allow) < ALLOW_SIZE - 1);
    while (rest.ptr != NULL) {
        struct str params[PARAMS_MAX];
        char unused[ALLOW_SIZE];
        bool known = false;
        struct str method = str_trim(str_split(&rest, ','));

        assert(route_find(method, path, params, &known, unused, sizeof(unused)) != NULL && known);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = fuzz_text(data, size);
    CLEANUP(fuzz_part_done) struct fuzz_part method = fuzz_line(&rest);
    CLEANUP(fuzz_part_done) struct fuzz_part path = fuzz_line(&rest);
    struct str params[PARAMS_MAX] = {0};
    char allow[ALLOW_SIZE] = "";
    bool known = false;
    const struct route *route =
            route_find(method.text, path.text, params, &known, allow, sizeof(allow));

    if (route != NULL) {
        assert(known && route->handle != NULL);
        check_path(route->pattern, path.text, params);
    } else if (known) {
        check_allow(allow, path.text);
    }
    return 0;
}
