/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of net/url: what is taken apart how, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/url.h"

enum { MAX_BYTES = 2048 };

static void assert_str(struct str s, const char *text)
{
    assert_non_null(s.ptr);
    assert_int_equal(s.len, strlen(text));
    assert_memory_equal(s.ptr, text, s.len);
    assert_int_equal(s.ptr[s.len], '\0');
}

static void a_good_url_is_taken_apart(void **state)
{
    static const struct {
        const char *text;
        bool https;
        const char *host;
        bool is_v4;
        bool is_v6;
        unsigned port;
        const char *path;
        const char *whole;
    } good[] = {
            {"https://example.com",
                    true,
                    "example.com",
                    false,
                    false,
                    443,
                    "/",
                    "https://example.com/"},
            {"HTTP://Example.COM:8080/a?b=c",
                    false,
                    "example.com",
                    false,
                    false,
                    8080,
                    "/a?b=c",
                    "http://example.com:8080/a?b=c"},
            {"http://192.0.2.1/", false, "192.0.2.1", true, false, 80, "/", "http://192.0.2.1/"},
            {"http://2130706433/", false, "127.0.0.1", true, false, 80, "/", "http://127.0.0.1/"},
            {"http://0x7f.1/x", false, "127.0.0.1", true, false, 80, "/x", "http://127.0.0.1/x"},
            {"http://0177.0.0.1/x",
                    false,
                    "127.0.0.1",
                    true,
                    false,
                    80,
                    "/x",
                    "http://127.0.0.1/x"},
            {"http://127.1", false, "127.0.0.1", true, false, 80, "/", "http://127.0.0.1/"},
            {"http://[::1]:9/", false, "::1", false, true, 9, "/", "http://[::1]:9/"},
            {"https://[2001:DB8::1]/", true, "2001:db8::1", false, true, 443, "/", NULL},
            {"http://[::ffff:10.0.0.1]/", false, "::ffff:10.0.0.1", false, true, 80, "/", NULL},
            {"https://xn--mnchen-3ya.de/", true, "xn--mnchen-3ya.de", false, false, 443, "/", NULL},
            {"https://a_b.example/p/../q", true, "a_b.example", false, false, 443, "/q", NULL},
            {"https://h.example/%41?x=%20",
                    true,
                    "h.example",
                    false,
                    false,
                    443,
                    "/%41?x=%20",
                    NULL},
            {"https://h%2eexample/", true, "h.example", false, false, 443, "/", NULL},
            {"https://h.example?x=1", true, "h.example", false, false, 443, "/?x=1", NULL},
            {"http://h.example/a?",
                    false,
                    "h.example",
                    false,
                    false,
                    80,
                    "/a",
                    "http://h.example/a"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct arena arena = {0};
        struct error why = {0};
        struct url url;

        if (url_parse(&arena, str_from(good[i].text), MAX_BYTES, &url, &why) != ERR_NONE)
            fail_msg("%s: %s", good[i].text, why.text);
        assert_int_equal(url.https, good[i].https);
        assert_str(url.host, good[i].host);
        assert_int_equal(url.host_is_v4, good[i].is_v4);
        assert_int_equal(url.host_is_v6, good[i].is_v6);
        assert_int_equal(url.port, good[i].port);
        assert_str(url.path, good[i].path);
        if (good[i].whole != NULL)
            assert_str(url.whole, good[i].whole);
        arena_done(&arena);
    }
}

static void a_bad_url_is_refused_with_the_reason(void **state)
{
    static const struct {
        const char *text;
        const char *reason; /* a part of it */
    } bad[] = {
            {"", "empty"},
            {"example.com", "http://"},
            {"ftp://example.com/", "http://"},
            {"javascript:alert(1)", "http://"},
            {"http:/example.com", "http://"},
            {"http://", "no host"},
            {"https://?x", "no host"},
            {"http:///etc/passwd", "no host"},
            {"https://user@example.com/", "user information"},
            {"https://user:pass@example.com/", "user information"},
            {"https://@example.com/", "user information"},
            {"https://example.com/#top", "fragment"},
            {"https://exa mple.com/", "space"},
            {"https://example.com/\n", "control"},
            {"https://example.com/\x7f", "control"},
            {"https://example.com\\@evil.example/", "backslash"},
            {"https://m\xc3\xbcnchen.de/", "punycode"},
            {"https://example.com:0/", "port"},
            {"https://example.com:65536/", "cannot be read"},
            {"https://example.com:-1/", "cannot be read"},
            {"https://example.com:x/", "cannot be read"},
            {"https://example.com./", "part that is empty"},
            {"https://a..b/", "part that is empty"},
            {"https://exa*mple.com/", "cannot be read"},
            {"https://exa~mple.com/", "character"},
            {"http://[fe80::1%25eth0]/", "zone"},
            {"http://[::1/", "cannot be read"},
            {"http://[gg::1]/", "cannot be read"},
            {"http://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example/",
                    "63 bytes"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct arena arena = {0};
        struct error why = {0};
        struct url url = {.port = 7};

        if (url_parse(&arena, str_from(bad[i].text), MAX_BYTES, &url, &why) != ERR_INVALID)
            fail_msg("%s was taken", bad[i].text);
        if (strstr(why.text, bad[i].reason) == NULL)
            fail_msg("%s: \"%s\" does not say \"%s\"", bad[i].text, why.text, bad[i].reason);
        assert_int_equal(url.port, 7);
        arena_done(&arena);
    }
}

static void a_url_above_the_cap_is_refused(void **state)
{
    struct arena arena = {0};
    struct error why = {0};
    struct url url;

    (void)state;
    assert_int_equal(url_parse(&arena, STR("http://a.example/12"), 19, &url, &why), ERR_NONE);
    assert_int_equal(url_parse(&arena, STR("http://a.example/123"), 19, &url, &why), ERR_INVALID);
    assert_string_equal(why.text, "the URL is longer than 19 bytes");
    arena_done(&arena);
}

static void a_nul_inside_is_refused(void **state)
{
    struct arena arena = {0};
    struct url url;

    (void)state;
    assert_int_equal(
            url_parse(&arena, STR("http://a.example/\0x"), MAX_BYTES, &url, NULL), ERR_INVALID);
    arena_done(&arena);
}

static void raw_utf8_in_the_path_is_escaped(void **state)
{
    struct arena arena = {0};
    struct url url;

    (void)state;
    assert_int_equal(url_parse(&arena, STR("http://a.example/\xc3\xbc?q=\xc3\xbc"), 99, &url, NULL),
            ERR_NONE);
    assert_str(url.whole, "http://a.example/%c3%bc?q=%c3%bc");
    arena_done(&arena);
}

static void origins_differ_by_scheme_host_and_port(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        bool same;
    } pairs[] = {
            {"http://a.example/x", "http://A.example:80/y?z", true},
            {"http://a.example", "https://a.example", false},
            {"https://a.example", "https://a.example:8443", false},
            {"https://a.example", "https://b.example", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        struct arena arena = {0};
        struct url a;
        struct url b;

        assert_int_equal(url_parse(&arena, str_from(pairs[i].a), 99, &a, NULL), ERR_NONE);
        assert_int_equal(url_parse(&arena, str_from(pairs[i].b), 99, &b, NULL), ERR_NONE);
        assert_int_equal(url_same_origin(&a, &b), pairs[i].same);
        arena_done(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_good_url_is_taken_apart),
            cmocka_unit_test(a_bad_url_is_refused_with_the_reason),
            cmocka_unit_test(a_url_above_the_cap_is_refused),
            cmocka_unit_test(a_nul_inside_is_refused),
            cmocka_unit_test(raw_utf8_in_the_path_is_escaped),
            cmocka_unit_test(origins_differ_by_scheme_host_and_port),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
