/* SPDX-License-Identifier: Apache-2.0 */
/*
 * address_rule - which IP addresses outgoing requests may reach (contract 4.5).
 *
 * Forbidden unless allowed by a CIDR of the operator: loopback, private, link-local, CGNAT,
 * multicast, reserved, documentation, 0.0.0.0/8, unique-local, and IPv4 addresses of these kinds
 * embedded in IPv6 (mapped, compatible, NAT64, 6to4, Teredo). Sources: the IANA special-purpose
 * registries (RFC 6890). Pure; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

struct address {
    bool v6;
    uint8_t bytes[16]; /* network order; 4 used for IPv4 */
};

struct address_range {
    struct address address;
    unsigned prefix_bits;
};

enum { ADDRESS_ALLOW_MAX = 64 };

/** The operator's exceptions. A plain value. */
struct address_rule {
    struct address_range allowed[ADDRESS_ALLOW_MAX];
    size_t allowed_count;
};

/** Reads "127.0.0.0/8,10.2.0.0/16,fd00::/8"; an address alone is /32 or /128; "" allows none.
 *  ERR_INVALID names the bad item; ERR_LIMIT above ADDRESS_ALLOW_MAX. */
MUST_CHECK enum err
address_rule_parse(struct str text, struct address_rule *ret_rule, struct error *why);
/** Reads a dotted quad (four decimal parts, nothing looser) or an IPv6 address without zone. */
bool address_parse(struct str text, struct address *ret_address);
/** ERR_DENIED with the kind in *why ("10.0.0.1 is private (10.0.0.0/8)"). */
MUST_CHECK enum err address_rule_check(const struct address_rule *rule,
        const struct address *address,
        struct error *why);
