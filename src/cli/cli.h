/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cli - the command line: the table of commands, and what all of them share.
 *
 * A command is a file in this folder and a row in the table of cli.c. Results go to standard
 * output, everything else to standard error.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

/** How the program ends. */
enum cli_exit { CLI_FINE = 0, CLI_FAILED = 1, CLI_WRONG_USAGE = 2 };

struct command {
    const char *name;
    const char *summary; /* behind its name in the list */
    /** argv: what stands behind the command's name. */
    enum cli_exit (*run)(int argc, char *const *argv);
    void (*help)(FILE *out);
};

/** Runs what the program's arguments ask for. */
int cli_main(int argc, char *const *argv);
/** The table; constant. */
const struct command *cli_commands(size_t *ret_count);
/** NULL when there is none of that name. */
const struct command *cli_find(const char *name);
/** Says "callsync: ..." on standard error, and returns exit. */
enum cli_exit cli_fail(enum cli_exit exit, const char *format, ...)
        __attribute__((format(printf, 2, 3)));
/** Tells what is wrong with a command's arguments, and where its help is. */
enum cli_exit cli_wrong_usage(const char *command, const char *what);

/** Starts the server. */
enum cli_exit serve_run(int argc, char *const *argv);
/** Its help. */
void serve_help(FILE *out);
/** Signs a body. */
enum cli_exit sign_run(int argc, char *const *argv);
/** Its help. */
void sign_help(FILE *out);
/** Checks a signature. */
enum cli_exit verify_run(int argc, char *const *argv);
/** Its help. */
void verify_help(FILE *out);
/** Tells about a command, or about all. */
enum cli_exit help_run(int argc, char *const *argv);
/** Its help, which is that of the whole program. */
void help_help(FILE *out);
