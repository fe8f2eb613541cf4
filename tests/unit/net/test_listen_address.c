/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of net/listen_address: what is an address to listen on, and what is bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/listen_address.h"

static void listen_addresses_are_checked(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
            {"127.0.0.1:8080", true},
            {"0.0.0.0:0", true},
            {"[::1]:8080", true},
            {"[::]:65535", true},
            {"127.0.0.1", false},
            {"127.0.0.1:", false},
            {":8080", false},
            {"127.0.0.1:65536", false},
            {"127.0.0.1:-1", false},
            {"127.0.0.1:80x", false},
            {"::1:8080", false},
            {"[::1]8080", false},
            {"[::1:8080", false},
            {"[127.0.0.1]:80", false},
            {"localhost:8080", false},
            {"", false},
            {"300.0.0.1:80", false},
            {"1111111111111111111111111111111111111111111111111111111111111:80", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct error why = {0};
        enum err err = listen_address_check(str_from(rows[i].text), &why);

        if (err != (rows[i].good ? ERR_NONE : ERR_INVALID))
            fail_msg("\"%s\": %s", rows[i].text, why.text);
        assert_int_equal(why.text[0] == '\0', rows[i].good);
    }
}

static void port_0_picks_a_port_which_is_then_taken(void **state)
{
    static const char *const hosts[] = {"127.0.0.1:", "[::1]:"};

    (void)state;
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        char any[LISTEN_ADDRESS_SIZE] = "";
        char bound[LISTEN_ADDRESS_SIZE];
        struct error why = {0};
        int fd = -1;
        int second = -1;

        (void)strcat(strcpy(any, hosts[i]), "0");
        assert_int_equal(listen_address_bind(str_from(any), &fd, &why), ERR_NONE);
        assert_true(fd >= 0);
        listen_address_of(fd, bound);
        assert_int_equal(strncmp(bound, hosts[i], strlen(hosts[i])), 0);
        assert_string_not_equal(bound, any);
        assert_int_equal(listen_address_bind(str_from(bound), &second, &why), ERR_UNAVAILABLE);
        assert_non_null(strstr(why.text, "cannot be bound"));
        assert_int_equal(second, -1);
        (void)close(fd);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(listen_addresses_are_checked),
            cmocka_unit_test(port_0_picks_a_port_which_is_then_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
