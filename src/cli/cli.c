/* SPDX-License-Identifier: Apache-2.0 */
/* cli - finds the command and runs it. */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

static const struct command COMMANDS[] = {
        {"serve", "start the server", serve_run, serve_help},
        {"sign", "sign a body as CallSync does", sign_run, sign_help},
        {"verify", "check a signature, and say what is wrong with it", verify_run, verify_help},
        {"help", "tell about a command", help_run, help_help},
};

enum { COMMAND_COUNT = sizeof(COMMANDS) / sizeof(COMMANDS[0]) };

const struct command *cli_commands(size_t *ret_count)
{
    *ret_count = COMMAND_COUNT;
    return COMMANDS;
}

const struct command *cli_find(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(COMMANDS[i].name, name) == 0)
            return &COMMANDS[i];
    return NULL;
}

enum cli_exit cli_fail(enum cli_exit exit, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)fputs("callsync: ", stderr);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
    return exit;
}

enum cli_exit cli_wrong_usage(const char *command, const char *what)
{
    return cli_fail(CLI_WRONG_USAGE, "%s\nSee: callsync help %s", what, command);
}

/* True for "--help" among the arguments, as far as they can be flags. */
static bool asks_for_help(int argc, char *const *argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0)
            return true;
    return false;
}

static enum cli_exit run(int argc, char *const *argv)
{
    const struct command *command;

    if (argc < 2) {
        help_help(stderr);
        return CLI_WRONG_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        (void)puts("callsync " CALLSYNC_VERSION);
        return CLI_FINE;
    }
    if (strcmp(argv[1], "--help") == 0) {
        help_help(stdout);
        return CLI_FINE;
    }
    command = cli_find(argv[1]);
    if (command == NULL)
        return cli_fail(CLI_WRONG_USAGE, "there is no command %s\nSee: callsync --help", argv[1]);
    if (asks_for_help(argc - 2, argv + 2)) {
        command->help(stdout);
        return CLI_FINE;
    }
    return command->run(argc - 2, argv + 2);
}

int cli_main(int argc, char *const *argv)
{
    enum cli_exit exit = run(argc, argv);

    /* Who redirects a result wants to know that it did not arrive. */
    if ((fflush(stdout) != 0 || ferror(stdout) != 0) && exit == CLI_FINE)
        exit = cli_fail(CLI_FAILED, "standard output cannot be written");
    return (int)exit;
}
