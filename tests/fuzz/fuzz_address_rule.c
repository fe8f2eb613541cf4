/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_address_rule - a line of allowed networks and a line with an address: what a rule allows is
 * what one of its networks covers, and what is written of an address reads back as it.
 */
#include <arpa/inet.h>

#include "domain/address_rule.h"
#include "fuzz.h"

static bool is_mapped(const struct address *address)
{
    static const uint8_t prefix[12] = {[10] = 0xFF, [11] = 0xFF};

    return address->v6 && memcmp(address->bytes, prefix, sizeof(prefix)) == 0;
}

/* An IPv4-mapped address is its IPv4 address. */
static struct address plain(const struct address *address)
{
    struct address v4 = {0};

    if (!is_mapped(address))
        return *address;
    memcpy(v4.bytes, address->bytes + 12, 4);
    return v4;
}

static bool covers(const struct address_range *range, const struct address *address)
{
    if (range->address.v6 != address->v6)
        return false;
    for (unsigned i = 0; i < range->prefix_bits; i++) {
        uint8_t difference = range->address.bytes[i / 8] ^ address->bytes[i / 8];

        if ((difference >> (7 - i % 8) & 1) != 0)
            return false;
    }
    return true;
}

static bool is_covered(const struct address_rule *rule, const struct address *address)
{
    struct address wanted = plain(address);

    for (size_t i = 0; i < rule->allowed_count; i++)
        if (covers(&rule->allowed[i], &wanted))
            return true;
    return false;
}

static void check_rule(struct str text, struct address_rule *rule)
{
    struct error why = {0};
    enum err err;

    rule->allowed_count = 77;
    err = address_rule_parse(text, rule, &why);
    if (err != ERR_NONE) {
        assert(rule->allowed_count == 77 && (err == ERR_INVALID || err == ERR_LIMIT));
        fuzz_check_why(err, &why);
        rule->allowed_count = 0;
        return;
    }
    assert(rule->allowed_count <= ADDRESS_ALLOW_MAX);
    for (size_t i = 0; i < rule->allowed_count; i++) {
        const struct address_range *range = &rule->allowed[i];

        assert(range->prefix_bits <= (range->address.v6 ? 128 : 32));
        if (is_mapped(&range->address))
            continue; /* an IPv6 network, of which the IPv4 addresses in it are no part */
        err = address_rule_check(rule, &range->address, &why);
        assert(err == ERR_NONE);
    }
}

static void check_written(const struct address *address)
{
    char text[INET6_ADDRSTRLEN];
    struct address again;
    const char *written =
            inet_ntop(address->v6 ? AF_INET6 : AF_INET, address->bytes, text, sizeof(text));

    assert(written != NULL && address_parse(str_from(text), &again));
    assert(again.v6 == address->v6 && memcmp(again.bytes, address->bytes, 16) == 0);
}

static void check_verdict(const struct address_rule *rule, const struct address *address)
{
    const struct address_rule none = {0};
    struct address v4 = plain(address);
    struct error why = {0};
    enum err strict = address_rule_check(&none, address, &why);
    enum err loose = address_rule_check(rule, address, NULL);

    if (strict != ERR_NONE)
        fuzz_check_why(strict, &why);
    assert(strict == ERR_NONE || strict == ERR_DENIED);
    assert(loose == (is_covered(rule, address) ? ERR_NONE : strict));
    assert(address_rule_check(&none, &v4, NULL) == strict);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = fuzz_text(data, size);
    CLEANUP(fuzz_part_done) struct fuzz_part networks = fuzz_line(&rest);
    CLEANUP(fuzz_part_done) struct fuzz_part text = fuzz_line(&rest);
    struct address untouched = {.v6 = true, .bytes = {77}};
    struct address address = untouched;
    struct address_rule rule;

    check_rule(networks.text, &rule);
    if (!address_parse(text.text, &address)) {
        assert(address.v6 && memcmp(address.bytes, untouched.bytes, 16) == 0);
        return 0;
    }
    check_written(&address);
    check_verdict(&rule, &address);
    return 0;
}
