/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of domain/address_rule. */
#include "assert_str.h"
#include "base/cleanup.h"
#include "base/rand.h"
#include "domain/address_rule.h"

static const struct address_rule NOTHING_ALLOWED = {.allowed_count = 0};

static struct address parse(const char *text)
{
    struct address address = {0};

    if (!address_parse(str_from(text), &address))
        fail_msg("%s is no address", text);
    return address;
}

static enum err check(const struct address_rule *rule, const char *text, struct error *why)
{
    struct address address = parse(text);

    return address_rule_check(rule, &address, why);
}

static void addresses_are_read_in_their_strict_forms(void **state)
{
    struct address v4 = parse("192.168.0.255");
    struct address v6 = parse("2001:DB8::1");
    struct address mixed = parse("::ffff:10.0.0.1");
    static const uint8_t v4_bytes[] = {192, 168, 0, 255};
    static const uint8_t v6_bytes[16] = {0x20, 0x01, 0x0D, 0xB8, [15] = 1};
    static const uint8_t mixed_bytes[16] = {[10] = 0xFF, 0xFF, 10, 0, 0, 1};

    (void)state;
    assert_false(v4.v6);
    assert_memory_equal(v4.bytes, v4_bytes, 4);
    assert_true(v6.v6);
    assert_memory_equal(v6.bytes, v6_bytes, 16);
    assert_true(mixed.v6);
    assert_memory_equal(mixed.bytes, mixed_bytes, 16);
}

static void looser_forms_of_addresses_are_refused(void **state)
{
    static const char *const bad[] = {
            NULL,
            "",
            " ",
            "1",
            "127.1",
            "10.0.1",
            "0x7f.0.0.1",
            "0177.0.0.1",
            "01.2.3.4",
            "2130706433",
            "1.2.3.4.5",
            "1.2.3.256",
            "1.2.3.-4",
            "1.2.3.4 ",
            " 1.2.3.4",
            "1.2.3.",
            "1..2.3",
            ":",
            ":::",
            "1::2::3",
            "fe80::1%eth0",
            "[::1]",
            "::1]",
            "12345::",
            "1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7:8:9",
            "::1.2.3",
            "localhost",
            "1:2:3:4:5:6:7:8888888888888888888888888888888888888888",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct address address = {.v6 = true};

        assert_false(address_parse(str_from(bad[i]), &address));
        assert_true(address.v6);
    }
    assert_false(address_parse(STR("127.0.0.1\0.8"), &(struct address){0}));
}

/* The first and the last address of each range, and why. */
static void special_ipv4_addresses_are_forbidden(void **state)
{
    static const struct {
        const char *first;
        const char *last;
        const char *kind;
    } rows[] = {
            {"0.0.0.0", "0.255.255.255", "of this network (0.0.0.0/8)"},
            {"10.0.0.0", "10.255.255.255", "private (10.0.0.0/8)"},
            {"100.64.0.0", "100.127.255.255", "shared by a carrier (100.64.0.0/10)"},
            {"127.0.0.0", "127.255.255.255", "loopback (127.0.0.0/8)"},
            {"169.254.0.0", "169.254.169.254", "link-local (169.254.0.0/16)"},
            {"172.16.0.0", "172.31.255.255", "private (172.16.0.0/12)"},
            {"192.0.0.0", "192.0.0.255", "reserved for protocols (192.0.0.0/24)"},
            {"192.0.2.0", "192.0.2.255", "for documentation (192.0.2.0/24)"},
            {"192.88.99.0", "192.88.99.255", "a 6to4 relay (192.88.99.0/24)"},
            {"192.168.0.0", "192.168.255.255", "private (192.168.0.0/16)"},
            {"198.18.0.0", "198.19.255.255", "for benchmarks (198.18.0.0/15)"},
            {"198.51.100.0", "198.51.100.255", "for documentation (198.51.100.0/24)"},
            {"203.0.113.0", "203.0.113.255", "for documentation (203.0.113.0/24)"},
            {"224.0.0.0", "239.255.255.255", "multicast (224.0.0.0/4)"},
            {"240.0.0.0", "255.255.255.254", "reserved (240.0.0.0/4)"},
            {"255.255.255.255", "255.255.255.255", "broadcast (255.255.255.255)"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *const both[] = {rows[i].first, rows[i].last};

        for (size_t k = 0; k < COUNT(both); k++) {
            struct error why = {0};
            char wanted[ERROR_TEXT_SIZE];

            assert_int_equal(check(&NOTHING_ALLOWED, both[k], &why), ERR_DENIED);
            (void)snprintf(wanted, sizeof(wanted), "%s is %s", both[k], rows[i].kind);
            assert_string_equal(why.text, wanted);
        }
    }
}

static void special_ipv6_addresses_are_forbidden(void **state)
{
    static const struct {
        const char *address;
        const char *kind;
    } rows[] = {
            {"::", "unspecified (::)"},
            {"::1", "loopback (::1)"},
            {"64:ff9b:1::", "local NAT64 (64:ff9b:1::/48)"},
            {"64:ff9b:1:ffff:ffff:ffff:808:808", "local NAT64 (64:ff9b:1::/48)"},
            {"100::", "discarded (100::/64)"},
            {"100::ffff:ffff:ffff:ffff", "discarded (100::/64)"},
            {"100:0:0:1::1", "a dummy prefix (100:0:0:1::/64)"},
            {"2001:1::1", "reserved for protocols (2001::/23)"},
            {"2001:2::1", "reserved for protocols (2001::/23)"},
            {"2001:10::1", "reserved for protocols (2001::/23)"},
            {"2001:20::1", "reserved for protocols (2001::/23)"},
            {"2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "reserved for protocols (2001::/23)"},
            {"2001:db8::", "for documentation (2001:db8::/32)"},
            {"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "for documentation (2001:db8::/32)"},
            {"3fff::1", "for documentation (3fff::/20)"},
            {"3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "for documentation (3fff::/20)"},
            {"5f00::1", "a segment routing id (5f00::/16)"},
            {"fc00::1", "unique-local (fc00::/7)"},
            {"fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "unique-local (fc00::/7)"},
            {"fe80::1", "link-local (fe80::/10)"},
            {"febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "link-local (fe80::/10)"},
            {"fec0::1", "site-local (fec0::/10)"},
            {"feff::1", "site-local (fec0::/10)"},
            {"ff00::", "multicast (ff00::/8)"},
            {"ff02::1", "multicast (ff00::/8)"},
            {"::8.8.8.8", "reserved (outside 2000::/3)"},
            {"200::1", "reserved (outside 2000::/3)"},
            {"1fff::1", "reserved (outside 2000::/3)"},
            {"4000::1", "reserved (outside 2000::/3)"},
            {"fe00::1", "reserved (outside 2000::/3)"},
            {"64:ff9b:2::1", "reserved (outside 2000::/3)"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct error why = {0};
        char wanted[ERROR_TEXT_SIZE];

        assert_int_equal(check(&NOTHING_ALLOWED, rows[i].address, &why), ERR_DENIED);
        (void)snprintf(wanted, sizeof(wanted), "%s is %s", rows[i].address, rows[i].kind);
        assert_string_equal(why.text, wanted);
    }
}

static void ipv6_addresses_that_carry_special_ipv4_ones_are_forbidden(void **state)
{
    static const struct {
        const char *address;
        const char *kind;
    } rows[] = {
            {"::ffff:127.0.0.1",
                    "is the IPv4-mapped form of 127.0.0.1, which is loopback (127.0.0.0/8)"},
            {"::ffff:169.254.169.254",
                    "is the IPv4-mapped form of 169.254.169.254, which is link-local "
                    "(169.254.0.0/16)"},
            {"::10.0.0.1",
                    "is the IPv4-compatible form of 10.0.0.1, which is private (10.0.0.0/8)"},
            {"64:ff9b::10.0.0.1", "is the NAT64 form of 10.0.0.1, which is private (10.0.0.0/8)"},
            {"64:ff9b::", "is the NAT64 form of 0.0.0.0, which is of this network (0.0.0.0/8)"},
            {"2002:c0a8:1::1",
                    "is the 6to4 form of 192.168.0.1, which is private (192.168.0.0/16)"},
            {"2002:7f00:1::", "is the 6to4 form of 127.0.0.1, which is loopback (127.0.0.0/8)"},
            {"2001:0:a00:1:0:0:f7f7:f7f7",
                    "is the Teredo server form of 10.0.0.1, which is private (10.0.0.0/8)"},
            {"2001:0:808:808:0:0:f5ff:fffe",
                    "is the Teredo client form of 10.0.0.1, which is private (10.0.0.0/8)"},
            {"2001:0:808:808::",
                    "is the Teredo client form of 255.255.255.255, which is broadcast "
                    "(255.255.255.255)"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct error why = {0};

        assert_int_equal(check(&NOTHING_ALLOWED, rows[i].address, &why), ERR_DENIED);
        assert_non_null(strstr(why.text, rows[i].kind));
    }
}

static void public_addresses_may_be_reached(void **state)
{
    static const char *const good[] = {
            "1.0.0.0",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "191.255.255.255",
            "192.0.1.0",
            "192.0.3.0",
            "192.88.98.255",
            "192.88.100.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "198.51.99.255",
            "198.51.101.0",
            "203.0.112.255",
            "203.0.114.0",
            "223.255.255.255",
            "2000::",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2001:db7::1",
            "2001:db9::1",
            "2003::1",
            "2606:4700::1111",
            "3fff:1000::1",
            "3ffe::1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "2002:808:808::1",
            "2001:0:808:808:0:0:f7f7:f7f7",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct error why = {0};

        if (check(&NOTHING_ALLOWED, good[i], &why) != ERR_NONE)
            fail_msg("%s", why.text);
    }
}

static struct address_rule parse_rule(const char *text)
{
    struct address_rule rule = {0};

    assert_int_equal(address_rule_parse(str_from(text), &rule, NULL), ERR_NONE);
    return rule;
}

static void allowed_ranges_win(void **state)
{
    static const struct {
        const char *allowed;
        const char *address;
        enum err err;
    } rows[] = {
            {"127.0.0.0/8", "127.0.0.1", ERR_NONE},
            {"127.0.0.0/8", "127.255.255.255", ERR_NONE},
            {"127.0.0.0/8", "10.0.0.1", ERR_DENIED},
            {"127.0.0.0/8", "::1", ERR_DENIED},
            {"127.0.0.0/8", "::ffff:127.0.0.1", ERR_NONE},
            {"127.0.0.0/8", "64:ff9b::127.0.0.1", ERR_DENIED},
            {"127.0.0.0/8", "2002:7f00:1::", ERR_DENIED},
            {"127.0.0.1/8", "127.9.9.9", ERR_NONE},
            {"127.0.0.1", "127.0.0.1", ERR_NONE},
            {"127.0.0.1", "127.0.0.2", ERR_DENIED},
            {"10.2.0.0/15", "10.3.255.255", ERR_NONE},
            {"10.2.0.0/15", "10.4.0.0", ERR_DENIED},
            {"0.0.0.0/0", "192.168.1.1", ERR_NONE},
            {"0.0.0.0/0", "::1", ERR_DENIED},
            {"::/0", "::1", ERR_NONE},
            {"::/0", "127.0.0.1", ERR_DENIED},
            {"::/0", "::ffff:127.0.0.1", ERR_DENIED},
            {"::1", "::1", ERR_NONE},
            {"fd00::/8, 10.0.0.0/8", "fd12::1", ERR_NONE},
            {"fd00::/8, 10.0.0.0/8", "10.1.1.1", ERR_NONE},
            {"fd00::/8, 10.0.0.0/8", "fc00::1", ERR_DENIED},
            {"::ffff:127.0.0.0/104", "127.0.0.1", ERR_NONE},
            {"::ffff:127.0.0.0/104", "::ffff:127.0.0.1", ERR_NONE},
            {"::ffff:127.0.0.1", "127.0.0.2", ERR_DENIED},
            {"64:ff9b::/96", "64:ff9b::127.0.0.1", ERR_NONE},
            {"", "127.0.0.1", ERR_DENIED},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct address_rule rule = parse_rule(rows[i].allowed);

        if (check(&rule, rows[i].address, NULL) != rows[i].err)
            fail_msg("%s with %s", rows[i].address, rows[i].allowed);
    }
}

static void bad_ranges_are_named(void **state)
{
    static const struct {
        const char *text;
        const char *item;
    } bad[] = {
            {"localhost", "localhost"},
            {"10.0.0.0/33", "10.0.0.0/33"},
            {"fd00::/129", "fd00::/129"},
            {"10.0.0.0/", "10.0.0.0/"},
            {"10.0.0.0/-1", "10.0.0.0/-1"},
            {"10.0.0.0/+8", "10.0.0.0/+8"},
            {"10.0.0.0/08", "10.0.0.0/08"},
            {"10.0.0.0/8/8", "10.0.0.0/8/8"},
            {"10.0.0.0/255.0.0.0", "10.0.0.0/255.0.0.0"},
            {"10.0.0.0/4294967304", "10.0.0.0/4294967304"},
            {"10/8", "10/8"},
            {"127.0.0.0/8,", ""},
            {",127.0.0.0/8", ""},
            {"127.0.0.0/8,oops,::1", "oops"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct address_rule rule = {.allowed_count = 5};
        struct error why = {0};
        char wanted[ERROR_TEXT_SIZE];

        assert_int_equal(address_rule_parse(str_from(bad[i].text), &rule, &why), ERR_INVALID);
        (void)snprintf(
                wanted, sizeof(wanted), "\"%s\" is not like 10.2.0.0/16 or fd00::/8", bad[i].item);
        assert_string_equal(why.text, wanted);
        assert_int_equal(rule.allowed_count, 5);
    }
}

static void there_may_be_64_ranges_and_no_more(void **state)
{
    CLEANUP(buf_done) struct buf text = {0};
    struct address_rule rule = {0};

    (void)state;
    buf_add_text(&text, "10.0.0.0/32");
    for (int i = 1; i < ADDRESS_ALLOW_MAX; i++)
        buf_addf(&text, ",10.0.0.%d/32", i);
    assert_int_equal(address_rule_parse(buf_str(&text), &rule, NULL), ERR_NONE);
    assert_int_equal(rule.allowed_count, ADDRESS_ALLOW_MAX);
    buf_add_text(&text, ",::1");
    assert_int_equal(address_rule_parse(buf_str(&text), &rule, NULL), ERR_LIMIT);
}

/* Whatever IPv4 address is embedded, each embedding form is refused if the address itself is. */
static void no_embedded_form_is_freer_than_its_ipv4_address(void **state)
{
    struct rand rand;

    (void)state;
    rand_seed(&rand, 3);
    for (int i = 0; i < 20000; i++) {
        uint32_t bits = rand_u32(&rand);
        struct address v4 = {.bytes = {(uint8_t)(bits >> 24),
                                     (uint8_t)(bits >> 16),
                                     (uint8_t)(bits >> 8),
                                     (uint8_t)bits}};
        struct address forms[] = {
                {true, {[10] = 0xFF, [11] = 0xFF}},
                {true, {0}},
                {true, {0x00, 0x64, 0xFF, 0x9B}},
                {true, {0x20, 0x02}},
                {true, {0x20, 0x01, [4] = 8, 8, 8, 8}},
        };
        static const unsigned offsets[] = {12, 12, 12, 2, 12};

        if (address_rule_check(&NOTHING_ALLOWED, &v4, NULL) == ERR_NONE)
            continue;
        for (size_t k = 0; k < COUNT(forms); k++) {
            uint8_t mask = k == 4 ? 0xFF : 0;

            for (unsigned b = 0; b < 4; b++)
                forms[k].bytes[offsets[k] + b] = v4.bytes[b] ^ mask;
            assert_int_equal(address_rule_check(&NOTHING_ALLOWED, &forms[k], NULL), ERR_DENIED);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(addresses_are_read_in_their_strict_forms),
            cmocka_unit_test(looser_forms_of_addresses_are_refused),
            cmocka_unit_test(special_ipv4_addresses_are_forbidden),
            cmocka_unit_test(special_ipv6_addresses_are_forbidden),
            cmocka_unit_test(ipv6_addresses_that_carry_special_ipv4_ones_are_forbidden),
            cmocka_unit_test(public_addresses_may_be_reached),
            cmocka_unit_test(allowed_ranges_win),
            cmocka_unit_test(bad_ranges_are_named),
            cmocka_unit_test(there_may_be_64_ranges_and_no_more),
            cmocka_unit_test(no_embedded_form_is_freer_than_its_ipv4_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
