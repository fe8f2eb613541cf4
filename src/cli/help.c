/* SPDX-License-Identifier: Apache-2.0 */
/* help - `callsync help [COMMAND]`. */
#include "cli/cli.h"

void help_help(FILE *out)
{
    size_t count = 0;
    const struct command *commands = cli_commands(&count);

    (void)fputs("CallSync takes in phone calls and sends each change as a signed webhook.\n"
                "\n"
                "Usage: callsync COMMAND ...\n"
                "\n"
                "Commands:\n",
            out);
    for (size_t i = 0; i < count; i++)
        (void)fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
    (void)fputs("\n"
                "callsync help COMMAND tells more; callsync --version which version it is.\n"
                "It ends with 0 when all is fine, 1 when it failed, 2 when it was used wrongly.\n",
            out);
}

enum cli_exit help_run(int argc, char *const *argv)
{
    const struct command *command;

    if (argc == 0) {
        help_help(stdout);
        return CLI_FINE;
    }
    if (argc > 1)
        return cli_wrong_usage("help", "help takes one command");
    command = cli_find(argv[0]);
    if (command == NULL)
        return cli_fail(CLI_WRONG_USAGE, "there is no command %s\nSee: callsync --help", argv[0]);
    command->help(stdout);
    return CLI_FINE;
}
