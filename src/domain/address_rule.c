/* SPDX-License-Identifier: Apache-2.0 */
/*
 * address_rule - the tables of forbidden addresses, and the IPv4 addresses that hide in IPv6 ones.
 *
 * IPv6 outside 2000::/3 is not global unicast and forbidden as a whole; the rows above that one are
 * there to name the kind.
 */
#include "domain/address_rule.h"

#include <arpa/inet.h>
#include <string.h>

enum { ADDRESS_TEXT_MAX_BYTES = INET6_ADDRSTRLEN - 1, MAPPED_PREFIX_BITS = 96 };

struct forbidden {
    uint8_t bytes[16];
    unsigned prefix_bits;
    const char *kind;
};

/* IANA IPv4 Special-Purpose Address Registry, and multicast (RFC 5771). First match wins. */
static const struct forbidden FORBIDDEN_V4[] = {
        {{0}, 8, "of this network (0.0.0.0/8)"},
        {{10}, 8, "private (10.0.0.0/8)"},
        {{100, 64}, 10, "shared by a carrier (100.64.0.0/10)"},
        {{127}, 8, "loopback (127.0.0.0/8)"},
        {{169, 254}, 16, "link-local (169.254.0.0/16)"},
        {{172, 16}, 12, "private (172.16.0.0/12)"},
        {{192, 0, 0}, 24, "reserved for protocols (192.0.0.0/24)"},
        {{192, 0, 2}, 24, "for documentation (192.0.2.0/24)"},
        {{192, 88, 99}, 24, "a 6to4 relay (192.88.99.0/24)"},
        {{192, 168}, 16, "private (192.168.0.0/16)"},
        {{198, 18}, 15, "for benchmarks (198.18.0.0/15)"},
        {{198, 51, 100}, 24, "for documentation (198.51.100.0/24)"},
        {{203, 0, 113}, 24, "for documentation (203.0.113.0/24)"},
        {{224}, 4, "multicast (224.0.0.0/4)"},
        {{255, 255, 255, 255}, 32, "broadcast (255.255.255.255)"},
        {{240}, 4, "reserved (240.0.0.0/4)"},
};

/* IANA IPv6 Special-Purpose Address Registry, and RFC 4291, RFC 3879. First match wins. */
static const struct forbidden FORBIDDEN_V6[] = {
        {{0}, 128, "unspecified (::)"},
        {{[15] = 1}, 128, "loopback (::1)"},
        {{0x00, 0x64, 0xFF, 0x9B, 0x00, 0x01}, 48, "local NAT64 (64:ff9b:1::/48)"},
        {{0x01, 0x00}, 64, "discarded (100::/64)"},
        {{0x01, 0x00, [7] = 0x01}, 64, "a dummy prefix (100:0:0:1::/64)"},
        {{0x20, 0x01, 0x0D, 0xB8}, 32, "for documentation (2001:db8::/32)"},
        {{0x3F, 0xFF}, 20, "for documentation (3fff::/20)"},
        {{0x5F, 0x00}, 16, "a segment routing id (5f00::/16)"},
        {{0xFC}, 7, "unique-local (fc00::/7)"},
        {{0xFE, 0x80}, 10, "link-local (fe80::/10)"},
        {{0xFE, 0xC0}, 10, "site-local (fec0::/10)"},
        {{0xFF}, 8, "multicast (ff00::/8)"},
};

/* Teredo is a part of it, and was looked at before. */
static const struct forbidden PROTOCOLS_V6 = {{0x20, 0x01},
        23,
        "reserved for protocols (2001::/23)"};
static const struct forbidden GLOBAL_UNICAST_V6 = {{0x20}, 3, ""};

/* Where IPv6 addresses carry an IPv4 address that packets to them may end up at. */
struct embedding {
    uint8_t bytes[16];
    unsigned prefix_bits;
    unsigned offset; /* of the IPv4 address */
    uint8_t mask;    /* xor-ed over each of its bytes */
    bool is_global;  /* may be reached if the IPv4 address may */
    const char *name;
};

static const struct embedding EMBEDDINGS[] = {
        {{[10] = 0xFF, [11] = 0xFF}, 96, 12, 0, true, "IPv4-mapped"},
        {{0x00, 0x64, 0xFF, 0x9B}, 96, 12, 0, true, "NAT64"}, /* RFC 6052 */
        {{0x20, 0x02}, 16, 2, 0, true, "6to4"},               /* RFC 3056 */
        {{0x20, 0x01}, 32, 4, 0, true, "Teredo server"},      /* RFC 4380 section 4 */
        {{0x20, 0x01}, 32, 12, 0xFF, true, "Teredo client"},
        {{0}, 96, 12, 0, false, "IPv4-compatible"}, /* RFC 4291 2.5.5.1 */
};

static bool prefix_equal(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned whole = bits / 8;
    unsigned rest = bits % 8;

    if (memcmp(a, b, whole) != 0)
        return false;
    return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

bool address_parse(struct str text, struct address *ret_address)
{
    char copy[ADDRESS_TEXT_MAX_BYTES + 1];
    struct address parsed = {0};

    if (text.len == 0 || text.len > ADDRESS_TEXT_MAX_BYTES || str_find_char(text, '\0', 0) >= 0)
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    parsed.v6 = str_find_char(text, ':', 0) >= 0;
    if (inet_pton(parsed.v6 ? AF_INET6 : AF_INET, copy, parsed.bytes) != 1)
        return false;
    *ret_address = parsed;
    return true;
}

/* An IPv4-mapped address is that IPv4 address to the kernel, and so it is here. */
static bool is_mapped(const struct address *address)
{
    return address->v6 &&
           prefix_equal(address->bytes, EMBEDDINGS[0].bytes, EMBEDDINGS[0].prefix_bits);
}

static struct address embedded(const struct address *address, const struct embedding *embedding)
{
    struct address v4 = {0};

    for (unsigned i = 0; i < 4; i++)
        v4.bytes[i] = address->bytes[embedding->offset + i] ^ embedding->mask;
    return v4;
}

static struct address unmapped(const struct address *address)
{
    return is_mapped(address) ? embedded(address, &EMBEDDINGS[0]) : *address;
}

/* Reads 0 .. max in plain digits. */
static bool parse_bits(struct str text, unsigned max, unsigned *ret_bits)
{
    unsigned bits = 0;

    if (text.len < 1 || text.len > 3 || (text.len > 1 && text.ptr[0] == '0'))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        bits = bits * 10 + (unsigned)(text.ptr[i] - '0');
    }
    if (bits > max)
        return false;
    *ret_bits = bits;
    return true;
}

static bool parse_range(struct str item, struct address_range *ret_range)
{
    struct address_range range = {0};
    struct str bits = item;
    struct str address = str_split(&bits, '/');

    if (!address_parse(address, &range.address))
        return false;
    range.prefix_bits = range.address.v6 ? 128 : 32;
    if (bits.ptr != NULL && !parse_bits(bits, range.prefix_bits, &range.prefix_bits))
        return false;
    if (is_mapped(&range.address) && range.prefix_bits >= MAPPED_PREFIX_BITS) {
        range.address = unmapped(&range.address);
        range.prefix_bits -= MAPPED_PREFIX_BITS;
    }
    *ret_range = range;
    return true;
}

enum err address_rule_parse(struct str text, struct address_rule *ret_rule, struct error *why)
{
    struct address_rule rule = {0};
    struct str rest = text;

    while (text.len > 0 && rest.ptr != NULL) {
        struct str item = str_trim(str_split(&rest, ','));
        struct address_range range;

        if (!parse_range(item, &range))
            return error_set(why,
                    ERR_INVALID,
                    "\"%.*s\" is not like 10.2.0.0/16 or fd00::/8",
                    STR_ARG(str_slice(item, 0, 60)));
        if (rule.allowed_count == ADDRESS_ALLOW_MAX)
            return error_set(why, ERR_LIMIT, "more than %d address ranges", ADDRESS_ALLOW_MAX);
        rule.allowed[rule.allowed_count++] = range;
    }
    *ret_rule = rule;
    return ERR_NONE;
}

static bool is_allowed(const struct address_rule *rule, const struct address *address)
{
    for (size_t i = 0; i < rule->allowed_count; i++) {
        const struct address_range *range = &rule->allowed[i];

        if (range->address.v6 == address->v6 &&
                prefix_equal(range->address.bytes, address->bytes, range->prefix_bits))
            return true;
    }
    return false;
}

/* The kind in the table, or NULL. */
static const char *
find_kind(const struct forbidden *table, size_t count, const struct address *address)
{
    for (size_t i = 0; i < count; i++)
        if (prefix_equal(table[i].bytes, address->bytes, table[i].prefix_bits))
            return table[i].kind;
    return NULL;
}

static const char *find_kind_v4(const struct address *v4)
{
    return find_kind(FORBIDDEN_V4, sizeof(FORBIDDEN_V4) / sizeof(FORBIDDEN_V4[0]), v4);
}

static enum err deny(struct error *why, const struct address *address, const char *kind)
{
    char text[INET6_ADDRSTRLEN] = "";

    (void)inet_ntop(address->v6 ? AF_INET6 : AF_INET, address->bytes, text, sizeof(text));
    return error_set(why, ERR_DENIED, "%s is %s", text, kind);
}

static enum err deny_embedded(struct error *why,
        const struct address *address,
        const struct embedding *embedding,
        const char *kind)
{
    char outer[INET6_ADDRSTRLEN] = "";
    char inner[INET_ADDRSTRLEN] = "";
    struct address v4 = embedded(address, embedding);

    (void)inet_ntop(AF_INET6, address->bytes, outer, sizeof(outer));
    (void)inet_ntop(AF_INET, v4.bytes, inner, sizeof(inner));
    return error_set(why,
            ERR_DENIED,
            "%s is the %s form of %s, which is %s",
            outer,
            embedding->name,
            inner,
            kind);
}

/* ERR_DENIED; or ERR_NONE, and *ret_is_global when the address carries only addresses that may be
 * reached, in a form that may be. */
static enum err
check_embedded(const struct address *address, bool *ret_is_global, struct error *why)
{
    bool is_global = false;

    for (size_t i = 0; i < sizeof(EMBEDDINGS) / sizeof(EMBEDDINGS[0]); i++) {
        const struct embedding *embedding = &EMBEDDINGS[i];

        if (!prefix_equal(embedding->bytes, address->bytes, embedding->prefix_bits))
            continue;
        struct address v4 = embedded(address, embedding);
        const char *kind = find_kind_v4(&v4);

        if (kind != NULL)
            return deny_embedded(why, address, embedding, kind);
        is_global = embedding->is_global;
    }
    *ret_is_global = is_global;
    return ERR_NONE;
}

static enum err check_v6(const struct address *address, struct error *why)
{
    bool is_global = false;
    const char *kind =
            find_kind(FORBIDDEN_V6, sizeof(FORBIDDEN_V6) / sizeof(FORBIDDEN_V6[0]), address);

    if (kind != NULL)
        return deny(why, address, kind);

    enum err err = check_embedded(address, &is_global, why);
    if (err != ERR_NONE || is_global)
        return err;
    kind = find_kind(&PROTOCOLS_V6, 1, address);
    if (kind != NULL)
        return deny(why, address, kind);
    if (find_kind(&GLOBAL_UNICAST_V6, 1, address) == NULL)
        return deny(why, address, "reserved (outside 2000::/3)");
    return ERR_NONE;
}

enum err address_rule_check(const struct address_rule *rule,
        const struct address *address,
        struct error *why)
{
    struct address plain = unmapped(address);

    if (is_allowed(rule, &plain))
        return ERR_NONE;
    if (address->v6)
        return check_v6(address, why);

    const char *kind = find_kind_v4(address);
    return kind != NULL ? deny(why, address, kind) : ERR_NONE;
}
