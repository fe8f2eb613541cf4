/* SPDX-License-Identifier: Apache-2.0 */
/* sign - `callsync sign`: prints the headers that prove a body to be CallSync's. */
#include <stdlib.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/body.h"
#include "cli/cli.h"
#include "domain/limits.h"
#include "domain/secret.h"
#include "domain/signature.h"
#include "flags.h"

enum { FLAG_SECRET, FLAG_ID, FLAG_TIMESTAMP, FLAG_COUNT };

void sign_help(FILE *out)
{
    (void)fputs(
            "Signs a body, byte by byte as it is, and prints the header of a webhook.\n"
            "\n"
            "Usage: callsync sign [--secret SECRET] [--id ID [--timestamp SECONDS]] [FILE]\n"
            "\n"
            "The body is the file, or else standard input, of up to 8 MiB.\n"
            "\n"
            "  --secret SECRET, or CALLSYNC_SECRET\n"
            "      The endpoint's secret, 8 to 256 printable ASCII characters. Better given as a\n"
            "      variable, for everyone on the machine can see flags.\n"
            "  --id ID\n"
            "      Prints the headers of Standard Webhooks too, for this payload_id.\n"
            "  --timestamp SECONDS\n"
            "      Their time, in seconds since 1970. Default: now\n",
            out);
}

struct order {
    struct str secret;
    struct str id; /* none: no Standard Webhooks */
    int64_t at_seconds;
};

static enum err read_order(const struct flag *flags, struct order *ret_order, struct error *why)
{
    const char *secret = flags[FLAG_SECRET].value;
    const char *timestamp = flags[FLAG_TIMESTAMP].value;
    struct order order = {.id = str_from(flags[FLAG_ID].value)};
    enum err err;

    order.secret = str_from(secret != NULL ? secret : getenv("CALLSYNC_SECRET"));
    order.at_seconds = clock_wall_ms(clock_real()) / 1000;
    if (order.secret.ptr == NULL)
        return error_set(why, ERR_INVALID, "a secret is missing: --secret or CALLSYNC_SECRET");
    err = secret_check(order.secret, why);
    if (err == ERR_NONE && order.id.ptr != NULL)
        err = limits_check_id(order.id, why);
    if (err != ERR_NONE)
        return err;
    if (timestamp != NULL && order.id.ptr == NULL)
        return error_set(why, ERR_INVALID, "--timestamp needs --id");
    if (timestamp != NULL &&
            (!str_to_i64(str_from(timestamp), &order.at_seconds) || order.at_seconds < 0))
        return error_set(why, ERR_INVALID, "--timestamp must be whole seconds since 1970");
    *ret_order = order;
    return ERR_NONE;
}

static void print_headers(const struct order *order, struct str body)
{
    CLEANUP(buf_done) struct buf key = {0};
    CLEANUP(buf_done) struct buf signature = {0};
    char hex[SHA256_HEX_SIZE];

    signature_hex(order->secret, body, hex);
    (void)printf("X-CallSync-Signature: %s\n", hex);
    if (order->id.ptr == NULL)
        return;
    secret_standard_key(order->secret, &key);
    signature_add_standard(&signature, buf_str(&key), order->id, order->at_seconds, body);
    (void)printf("webhook-id: %.*s\nwebhook-timestamp: %lld\nwebhook-signature: %.*s\n",
            STR_ARG(order->id),
            (long long)order->at_seconds,
            STR_ARG(buf_str(&signature)));
}

enum cli_exit sign_run(int argc, char *const *argv)
{
    CLEANUP(buf_done) struct buf body = {0};
    struct flag flags[FLAG_COUNT] = {{"secret", NULL}, {"id", NULL}, {"timestamp", NULL}};
    const char *path = NULL;
    struct order order = {0};
    struct error why = {0};

    if (flags_read(flags, FLAG_COUNT, argc, argv, &path, &why) != ERR_NONE ||
            read_order(flags, &order, &why) != ERR_NONE)
        return cli_wrong_usage("sign", why.text);
    if (body_read(path, &body, &why) != ERR_NONE)
        return cli_fail(CLI_FAILED, "%s", why.text);
    print_headers(&order, buf_str(&body));
    return CLI_FINE;
}
