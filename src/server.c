/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server - the composition root.
 *
 *     start   folder, bind, keys -> objects that know nobody -> store (it knows the sink, the
 *             listener and the recordings) -> threads -> sweep -> api gets its parts -> serve
 *     stop    no new requests -> those under way end -> no new attempts -> those in flight end, their
 *             results are stored -> threads end -> memory
 *
 * The address is bound early, for the links that we make name its port.
 */
#include "server.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "api/api.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metrics.h"
#include "base/rand.h"
#include "deliver/deliver.h"
#include "keys.h"
#include "media/fetcher.h"
#include "media/recordings.h"
#include "net/http_client_curl.h"
#include "net/http_server.h"
#include "net/resolver.h"
#include "store/store.h"

enum {
    HTTP_THREADS = 2,
    HTTP_IDLE_TIMEOUT_S = 60,
    HTTP_CONNECTIONS_MIN = 64,
    HTTP_CONNECTIONS_MAX = 16384,
    DELIVER_THREADS_MAX = 8,
    DELIVER_KEPT_CONNECTIONS = 256, /* a thread */
    FETCH_KEPT_CONNECTIONS = 8,
    RESOLVER_THREADS = 4,
    STORE_READERS = 2,
    STOP_REQUESTS_MS = 5 * 1000,  /* requests under way have so long to end, and ... */
    STOP_ATTEMPTS_MS = 10 * 1000, /* ... attempts in flight so long, from the same moment on */
    STOP_ANSWERS_MS = 200,        /* at last: for answers to what the store and probes gave back */
    STOP_LOOK_MS = 5,
    PATH_SIZE = CONFIG_PATH_MAX_BYTES + 64,
    URL_SIZE = CONFIG_URL_MAX_BYTES + 1,
};

struct server {
    const struct config *config;
    bool is_serving;
    struct log log;
    struct metrics metrics;
    struct keys keys;
    char public_url[URL_SIZE];
    struct resolver *resolver;
    struct http_server *http;
    struct api *api;
    struct deliver *deliver;
    struct recordings *recordings;
    struct store *store;
    struct fetcher *fetcher;
};

/* --- what is there before the objects --- */

static enum err open_folder(const char *folder, struct error *why)
{
    struct stat status;

    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return error_set(why,
                ERR_UNAVAILABLE,
                "--data (CALLSYNC_DATA): the folder %s cannot be made: %s",
                folder,
                strerror(errno));
    if (stat(folder, &status) == 0 && !S_ISDIR(status.st_mode))
        return error_set(why, ERR_UNAVAILABLE, "--data (CALLSYNC_DATA): %s is no folder", folder);
    if (access(folder, R_OK | W_OK | X_OK) != 0)
        return error_set(why,
                ERR_UNAVAILABLE,
                "--data (CALLSYNC_DATA): the folder %s cannot be used: %s",
                folder,
                strerror(errno));
    return ERR_NONE;
}

static void open_log(struct server *server)
{
    enum config_log_format format = server->config->log_format;
    bool is_text =
            format == CONFIG_LOG_TEXT || (format == CONFIG_LOG_AUTO && isatty(STDERR_FILENO) == 1);

    server->log = (struct log){.fd = STDERR_FILENO,
            .format = is_text ? LOG_TEXT : LOG_JSON,
            .level = LOG_INFO,
            .clock = clock_real()};
}

/* Half of the files that may be open are for those who come to us; the rest is for receivers, the
 * database and recordings. */
static unsigned max_connections(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur / 2 < HTTP_CONNECTIONS_MIN)
        return HTTP_CONNECTIONS_MIN;
    if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur / 2 > HTTP_CONNECTIONS_MAX)
        return HTTP_CONNECTIONS_MAX;
    return (unsigned)(limit.rlim_cur / 2);
}

static enum err bind_http(struct server *server, struct error *why)
{
    struct http_server_config config = {
            .listen = server->config->listen,
            .threads = HTTP_THREADS,
            .max_connections = max_connections(),
            .idle_timeout_s = HTTP_IDLE_TIMEOUT_S,
    };
    struct error reason = {0};
    enum err err = http_server_bind(&config, &server->http, &reason);

    if (err != ERR_NONE)
        return error_set(why, err, "--listen (CALLSYNC_LISTEN): %s", reason.text);
    return ERR_NONE;
}

/* Every address of the machine is none that a link can name. */
static const char *reachable_host(const char *address)
{
    if (strncmp(address, "0.0.0.0:", 8) == 0)
        return "127.0.0.1";
    return strncmp(address, "[::]:", 5) == 0 ? "[::1]" : NULL;
}

static void set_public_url(struct server *server)
{
    const char *address = http_server_address(server->http);
    const char *host = reachable_host(address);
    struct str given = server->config->public_url;

    if (given.ptr != NULL) {
        (void)snprintf(server->public_url, sizeof(server->public_url), "%.*s", STR_ARG(given));
        return;
    }
    if (host != NULL)
        (void)snprintf(server->public_url,
                sizeof(server->public_url),
                "http://%s%s",
                host,
                strrchr(address, ':'));
    else
        (void)snprintf(server->public_url, sizeof(server->public_url), "http://%s", address);
    if (host != NULL)
        log_event(&server->log,
                LOG_WARN,
                "public_url_guessed",
                LOG_TEXT_FIELD("url", server->public_url),
                LOG_STR("hint", STR("others cannot follow our links: set --public-url")));
}

/* --- outgoing requests --- */

/* I7: the one place where the rule about addresses meets connections. */
static enum err check_target(void *ctx, const struct sockaddr *target, struct error *why)
{
    const struct address_rule *rule = ctx;
    struct address address = {0};

    if (target->sa_family == AF_INET) {
        struct sockaddr_in v4;

        memcpy(&v4, target, sizeof(v4));
        memcpy(address.bytes, &v4.sin_addr, sizeof(v4.sin_addr));
    } else if (target->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;

        memcpy(&v6, target, sizeof(v6));
        address.v6 = true;
        memcpy(address.bytes, &v6.sin6_addr, sizeof(v6.sin6_addr));
    } else {
        return error_set(why, ERR_DENIED, "it is no IP address");
    }
    return address_rule_check(rule, &address, why);
}

static enum err open_client(struct server *server,
        size_t kept_connections,
        struct http_client **ret_client,
        struct error *why)
{
    struct http_client_curl_config config = {
            .check = check_target,
            .check_ctx = (void *)(uintptr_t)&server->config->allow_targets, /* only read */
            .resolver = server->resolver,
            .user_agent = "CallSync/" CALLSYNC_VERSION,
            .max_connections = kept_connections,
    };

    return http_client_curl_open(&config, ret_client, why);
}

static enum err open_deliver_client(void *ctx, struct http_client **ret_client, struct error *why)
{
    return open_client(ctx, DELIVER_KEPT_CONNECTIONS, ret_client, why);
}

/* --- the objects --- */

static unsigned deliver_threads(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    if (cores < 4)
        return 1;
    return cores / 2 < DELIVER_THREADS_MAX ? (unsigned)(cores / 2) : DELIVER_THREADS_MAX;
}

static enum err make_deliver(struct server *server, struct error *why)
{
    struct deliver_config config = {
            .threads = deliver_threads(),
            .clock = clock_real(),
            .log = &server->log,
            .metrics = &server->metrics,
            .own_origin = server->public_url,
            .open_client = open_deliver_client,
            .open_client_ctx = server,
    };

    rand_secret(&config.seed, sizeof(config.seed));
    return deliver_new(&config, &server->deliver, why);
}

static enum err make_api(struct server *server, struct error *why)
{
    struct api_config config = {
            .clock = clock_real(),
            .log = &server->log,
            .metrics = &server->metrics,
            .admin_token = server->keys.admin_token,
            .public_url = server->public_url,
            .link_key = server->keys.link,
            .idempotency_key = server->keys.idempotency,
            .rule = &server->config->allow_targets,
            .resolver = server->resolver,
    };

    return api_new(&config, &server->api, why);
}

static enum err make_recordings(struct server *server, struct error *why)
{
    char folder[PATH_SIZE];

    (void)snprintf(folder, sizeof(folder), "%s/recordings", server->config->data.ptr);
    return recordings_open(folder, &server->log, &server->recordings, why);
}

static void remove_recording(void *ctx, struct str file)
{
    recordings_remove(ctx, file);
}

static enum err make_store(struct server *server, struct error *why)
{
    struct str given = server->config->database.path;
    char path[PATH_SIZE];
    struct store_config config = {
            .path = path,
            .public_url = server->public_url,
            .seal_key = server->keys.seal,
            .link_key = server->keys.link,
            .clock = clock_real(),
            .log = &server->log,
            .metrics = &server->metrics,
            .sink = deliver_sink(server->deliver),
            .listener = api_listener(server->api),
            .retention_days = server->config->retention_days,
            .readers = STORE_READERS,
            .remove_file = remove_recording,
            .remove_file_ctx = server->recordings,
    };

    if (given.ptr != NULL)
        (void)snprintf(path, sizeof(path), "%s", given.ptr);
    else
        (void)snprintf(path, sizeof(path), "%s/callsync.db", server->config->data.ptr);

    struct error reason = {0};
    enum err err = store_open(&config, &server->store, &reason);

    if (err != ERR_NONE && given.ptr != NULL)
        return error_set(why, err, "--database (CALLSYNC_DATABASE): %s", reason.text);
    return err != ERR_NONE ? error_set(why, err, "%s", reason.text) : ERR_NONE;
}

static enum err start_fetcher(struct server *server, struct error *why)
{
    struct fetcher_config config = {
            .store = server->store,
            .recordings = server->recordings,
            .clock = clock_real(),
            .log = &server->log,
    };
    enum err err = open_client(server, FETCH_KEPT_CONNECTIONS, &config.client, why);

    return err == ERR_NONE ? fetcher_start(&config, &server->fetcher, why) : err;
}

static void use_parts(struct server *server)
{
    struct api_parts parts = {
            .store = server->store,
            .deliver = server->deliver,
            .recordings = server->recordings,
            .fetcher = server->fetcher,
    };

    api_use(server->api, &parts);
}

/* --- start and stop --- */

static enum err prepare(struct server *server, struct error *why)
{
    const struct config *config = server->config;
    enum err err = open_folder(config->data.ptr, why);

    if (err == ERR_NONE)
        err = bind_http(server, why);
    if (err == ERR_NONE)
        err = keys_open(config->data.ptr, config->admin_token, &server->keys, why);
    if (err != ERR_NONE)
        return err;
    set_public_url(server);
    server->resolver = resolver_new(RESOLVER_THREADS, NULL);
    err = make_deliver(server, why);
    if (err == ERR_NONE)
        err = make_api(server, why);
    if (err == ERR_NONE)
        err = make_recordings(server, why);
    if (err == ERR_NONE)
        err = make_store(server, why);
    return err;
}

static enum err run(struct server *server, struct error *why)
{
    enum err err = deliver_start(server->deliver, server->store, why);

    if (err == ERR_NONE)
        err = store_start(server->store, why);
    /* Before anything can be uploaded or fetched: it removes what the database does not know. */
    if (err == ERR_NONE)
        err = recordings_sweep(server->recordings, server->store, why);
    if (err == ERR_NONE)
        err = start_fetcher(server, why);
    if (err != ERR_NONE)
        return err;
    use_parts(server);
    return http_server_serve(server->http, api_handler(server->api), why);
}

enum err server_start(const struct config *config, struct server **ret_server, struct error *why)
{
    struct server *server = mem_new(sizeof(*server));
    enum err err;

    server->config = config;
    open_log(server);
    err = prepare(server, why);
    if (err == ERR_NONE)
        err = run(server, why);
    if (err != ERR_NONE) {
        server_stop(server);
        return err;
    }
    server->is_serving = true;
    log_event(&server->log,
            LOG_INFO,
            "server_started",
            LOG_STR("version", STR(CALLSYNC_VERSION)),
            LOG_TEXT_FIELD("listen", http_server_address(server->http)),
            LOG_TEXT_FIELD("public_url", server->public_url));
    *ret_server = server;
    return ERR_NONE;
}

const char *server_address(const struct server *server)
{
    return http_server_address(server->http);
}

void server_tick(struct server *server)
{
    api_tick(server->api);
}

static int64_t now_ms(void)
{
    return clock_mono_us(clock_real()) / 1000;
}

/* Nobody tells us when the last request has ended, and this happens once: so it looks now and then. */
static void wait_for_requests(const struct server *server, int64_t until_ms)
{
    struct timespec pause = {.tv_nsec = STOP_LOOK_MS * 1000L * 1000};

    while (http_server_active(server->http) > 0 && now_ms() < until_ms)
        (void)nanosleep(&pause, NULL);
}

static int64_t at_least_0(int64_t ms)
{
    return ms > 0 ? ms : 0;
}

/* Ends what moves. The store goes before the HTTP server, for it sets suspended requests going
 * again; what requests may still touch (the fetcher, uploads) goes after it. */
static void end_activity(struct server *server)
{
    int64_t started_ms = now_ms();

    if (server->api != NULL)
        api_drain(server->api);
    if (server->http != NULL) {
        http_server_quiesce(server->http);
        wait_for_requests(server, started_ms + STOP_REQUESTS_MS);
    }
    if (server->store != NULL)
        store_drain(server->store);
    if (server->deliver != NULL)
        deliver_stop(server->deliver, at_least_0(started_ms + STOP_ATTEMPTS_MS - now_ms()));
    if (server->store != NULL)
        store_stop(server->store);
    if (server->http != NULL)
        wait_for_requests(server, now_ms() + STOP_ANSWERS_MS);
    http_server_stop(server->http);
    fetcher_stop(server->fetcher);
}

void server_stop(struct server *server)
{
    if (server == NULL)
        return;

    const struct log *log = server->is_serving ? &server->log : NULL;

    log_event(log, LOG_INFO, "server_stopping");
    end_activity(server);
    recordings_close(server->recordings);
    store_close(server->store);
    api_free(server->api);
    deliver_free(server->deliver);
    resolver_free(server->resolver);
    log_event(log, LOG_INFO, "server_stopped");
    keys_done(&server->keys);
    free(server);
}
