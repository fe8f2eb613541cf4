/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve - `callsync serve`: reads the settings, starts the server, and waits for a signal.
 *
 * SIGTERM and SIGINT are blocked before any thread is made and taken by this one alone. The first
 * begins an orderly stop; for the second they are let through to a handler that ends the process at
 * once, which loses nothing (I5).
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/cli.h"
#include "config.h"
#include "server.h"

void serve_help(FILE *out)
{
    size_t count = 0;
    const struct config_setting *settings = config_settings(&count);

    (void)fputs("Starts the server.\n"
                "\n"
                "Usage: callsync serve [--SETTING VALUE] ...\n"
                "\n"
                "Flags go before environment variables, and these before defaults. What may be\n"
                "given follows in brackets.\n",
            out);
    for (size_t i = 0; i < count; i++)
        (void)fprintf(out,
                "\n  --%s %s, or %s\n      %s\n      [%s]\n      Default: %s\n",
                settings[i].flag,
                settings[i].value,
                settings[i].variable,
                settings[i].meaning,
                settings[i].bounds,
                settings[i].shown != NULL ? settings[i].shown : settings[i].fallback);
    (void)fputs(
            "\n"
            "When it is ready it prints one line: callsync: listening on http://ADDRESS:PORT\n"
            "SIGTERM and SIGINT let requests and attempts in flight end, 10 s at most; a second\n"
            "one ends it at once. Nothing is lost either way.\n",
            out);
}

static void end_at_once(int signal)
{
    (void)signal;
    _exit(CLI_FAILED);
}

static void set_stop_signals(sigset_t *ret_signals)
{
    (void)sigemptyset(ret_signals);
    (void)sigaddset(ret_signals, SIGTERM);
    (void)sigaddset(ret_signals, SIGINT);
}

/* Ignored: a peer that is gone, or a file that may not grow, is an error of the write, not a
 * signal. */
static void prepare_signals(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction end = {.sa_handler = end_at_once};
    sigset_t stop;

    set_stop_signals(&stop);
    (void)sigaction(SIGPIPE, &ignore, NULL);
    (void)sigaction(SIGXFSZ, &ignore, NULL);
    (void)sigprocmask(SIG_BLOCK, &stop, NULL);
    (void)sigaction(SIGTERM, &end, NULL);
    (void)sigaction(SIGINT, &end, NULL);
}

/* Each client and each receiver needs a file descriptor. */
static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* Ticks until SIGTERM or SIGINT comes; a further one then ends the process. */
static void tick_until_stopped(struct server *server)
{
    const struct timespec tick = {.tv_nsec = SERVER_TICK_MS * 1000L * 1000L};
    sigset_t stop;

    set_stop_signals(&stop);
    while (sigtimedwait(&stop, NULL, &tick) < 0 && (errno == EAGAIN || errno == EINTR))
        server_tick(server);
    (void)sigprocmask(SIG_UNBLOCK, &stop, NULL);
}

enum cli_exit serve_run(int argc, char *const *argv)
{
    CLEANUP(config_done) struct config config = {0};
    struct server *server = NULL;
    struct error why = {0};

    if (config_read(argc, argv, environ, &config, &why) != ERR_NONE)
        return cli_wrong_usage("serve", why.text);
    (void)umask(077); /* whatever is written is nobody else's business */
    raise_file_limit();
    prepare_signals();
    if (server_start(&config, &server, &why) != ERR_NONE)
        return cli_fail(CLI_FAILED, "%s", why.text);
    (void)printf("callsync: listening on http://%s\n", server_address(server));
    (void)fflush(stdout);
    tick_until_stopped(server);
    server_stop(server);
    return CLI_FINE;
}
