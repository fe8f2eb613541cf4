/* SPDX-License-Identifier: Apache-2.0 */
/* verify - `callsync verify`: checks a signature as a receiver does, and finds the usual mistakes. */
#include <stdlib.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "cli/body.h"
#include "cli/cli.h"
#include "domain/signature.h"
#include "flags.h"

enum { FLAG_SECRET, FLAG_SIGNATURE, FLAG_COUNT };

void verify_help(FILE *out)
{
    (void)fputs(
            "Checks whether X-CallSync-Signature is right for a body, and says what the mistake is\n"
            "when it is not.\n"
            "\n"
            "Usage: callsync verify [--secret SECRET] --signature HEX [FILE]\n"
            "\n"
            "The body is the file, or else standard input, of up to 8 MiB: its raw bytes, as they\n"
            "came. It ends with 0 when the signature holds, with 1 when it does not.\n"
            "\n"
            "  --secret SECRET, or CALLSYNC_SECRET\n"
            "      The endpoint's secret. Better given as a variable, for everyone on the machine\n"
            "      can see flags.\n"
            "  --signature HEX\n"
            "      The header's value: 64 hex digits.\n",
            out);
}

/* The secret is taken as it is, wrong or not: explaining that is what the command is for. */
static enum err read_flags(int argc,
        char *const *argv,
        struct flag *flags,
        const char **ret_path,
        struct error *why)
{
    enum err err = flags_read(flags, FLAG_COUNT, argc, argv, ret_path, why);

    if (err != ERR_NONE)
        return err;
    if (flags[FLAG_SECRET].value == NULL)
        flags[FLAG_SECRET].value = getenv("CALLSYNC_SECRET");
    if (flags[FLAG_SECRET].value == NULL || flags[FLAG_SECRET].value[0] == '\0')
        return error_set(why, ERR_INVALID, "a secret is missing: --secret or CALLSYNC_SECRET");
    if (flags[FLAG_SIGNATURE].value == NULL)
        return error_set(why, ERR_INVALID, "--signature is missing");
    return ERR_NONE;
}

enum cli_exit verify_run(int argc, char *const *argv)
{
    CLEANUP(buf_done) struct buf body = {0};
    struct flag flags[FLAG_COUNT] = {{"secret", NULL}, {"signature", NULL}};
    const char *path = NULL;
    struct error why = {0};

    if (read_flags(argc, argv, flags, &path, &why) != ERR_NONE)
        return cli_wrong_usage("verify", why.text);
    if (body_read(path, &body, &why) != ERR_NONE)
        return cli_fail(CLI_FAILED, "%s", why.text);

    enum signature_mistake mistake = signature_explain(str_from(flags[FLAG_SECRET].value),
            buf_str(&body),
            str_from(flags[FLAG_SIGNATURE].value));

    if (mistake != SIGNATURE_FITS)
        return cli_fail(
                CLI_FAILED, "the signature does not hold. %s", signature_mistake_text(mistake));
    (void)puts("the signature holds");
    return CLI_FINE;
}
