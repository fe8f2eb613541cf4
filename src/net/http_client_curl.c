/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_client_curl - a request becomes a transfer: an easy handle from a pool, with the options
 * that never change set once. The way of a transfer:
 *
 *   start --> RESOLVING --answer--> RUNNING --libcurl's message--> ENDED --next run--> done
 *     |           |                    |                             ^
 *     |           +--timeout, cancel---+--cancel---------------------+
 *     +--literal address or cached answer: RUNNING at once; refused: ENDED at once
 *
 * Nothing but ENDED transfers are ever taken apart, and only by finish_ended(), outside of every
 * callback of libcurl: so done may start and cancel as it likes.
 *
 * Sockets are watched through fd_watch, and libcurl is told of ready ones one by one: a transfer
 * that hangs costs nothing. A name is resolved by our resolver, all its addresses are checked, and
 * the answer is put into libcurl's name cache (CURLOPT_RESOLVE) ahead of the transfer. That cache
 * never ages by itself; once an epoch one transfer carries the option that sweeps it.
 *
 * Answers of the resolver come in through resolver_inbox, which is our wake call too.
 */
#include "net/http_client_curl.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/clock.h"
#include "base/heap.h"
#include "base/mem.h"
#include "net/fd_watch.h"
#include "net/http_target.h"
#include "net/resolver_inbox.h"

enum {
    POOL_MAX = 512,          /* idle easy handles that are kept */
    EVENTS_MAX = 256,        /* descriptors a turn */
    SUPPRESSED_HEADERS = 3,  /* see suppress[] */
    EPOCH_US = 60 * 1000000, /* how often libcurl's name cache is swept */
    SWEEP_OLDER_THAN_S = 60,
    RECEIVE_BUFFER_BYTES = 16 * 1024,
    RESOLVE_ENTRY_SIZE = RESOLVER_HOST_SIZE + 16 + RESOLVER_ADDRESSES_MAX * (INET6_ADDRSTRLEN + 3),
};

struct client;
struct transfer;

enum phase { PHASE_RESOLVING, PHASE_RUNNING, PHASE_ENDED };

struct transfer {
    struct heap_item deadline; /* first: the item is the transfer; only while resolving */
    TAILQ_ENTRY(transfer) link;
    struct client *client;
    CURL *easy;
    struct http_request *request; /* NULL in the pool */
    enum phase phase;
    bool in_multi;
    bool sweeps; /* carries the option that sweeps the name cache */
    bool verdict_given;
    enum http_error verdict;
    struct http_target *target;
    uint64_t carried_version;           /* the answer that it hands to libcurl; 0: none */
    bool has_run;                       /* libcurl has begun with it, so took what it carries */
    struct resolver_question *question; /* while resolving */
    int64_t started_us;
    int64_t resolved_us;

    struct curl_slist *nodes; /* header list; the texts are the request's */
    size_t node_count;
    struct curl_slist resolve;
    char resolve_entry[RESOLVE_ENTRY_SIZE];

    bool at_block_start; /* the next header line is a status line */
    bool headers_done;
    bool cut_by_us;
    size_t header_bytes;
    size_t body_bytes;
    char error_text[CURL_ERROR_SIZE];
};
TAILQ_HEAD(transfer_list, transfer);

struct client {
    struct http_client base; /* first */
    http_target_check *check;
    void *check_ctx;
    char *user_agent;
    CURLM *multi;
    struct fd_watch *watch;
    struct resolver_inbox *inbox;
    struct http_target_table *targets;
    struct heap deadlines;
    struct transfer_list active; /* resolving and running */
    struct transfer_list ended;
    struct transfer_list pool;
    size_t pool_count;
    size_t active_count;  /* started and not done */
    int64_t timer_due_us; /* libcurl's; -1: none */
    int64_t epoch_ends_us;
    uint64_t epoch;
    bool closing;
};

static int64_t now_us(void)
{
    return clock_mono_us(clock_real());
}

static bool is_control(char c)
{
    return (unsigned char)c < ' ' || c == 0x7f;
}

/* ---------------------------------------------------------------------- ending a transfer */

/** The first verdict counts; libcurl's own error is only asked when there is none. */
static void give_verdict(struct transfer *transfer, enum http_error verdict, const char *detail)
{
    struct http_request *request = transfer->request;
    size_t i;

    if (transfer->verdict_given)
        return;
    transfer->verdict_given = true;
    transfer->verdict = verdict;
    for (i = 0; detail[i] != '\0' && i < HTTP_DETAIL_SIZE - 1; i++)
        request->detail[i] = is_control(detail[i]) ? ' ' : detail[i];
    request->detail[i] = '\0';
}

/** Its done runs in the next run. */
static void end(struct transfer *transfer)
{
    struct client *client = transfer->client;

    if (transfer->phase == PHASE_ENDED)
        return;
    transfer->phase = PHASE_ENDED;
    heap_remove(&client->deadlines, &transfer->deadline);
    resolver_question_forget(transfer->question);
    transfer->question = NULL;
    TAILQ_REMOVE(&client->active, transfer, link);
    TAILQ_INSERT_TAIL(&client->ended, transfer, link);
}

static void end_with(struct transfer *transfer, enum http_error verdict, const char *detail)
{
    give_verdict(transfer, verdict, detail);
    end(transfer);
}

static enum http_error error_of_code(CURLcode code, bool headers_done)
{
    switch (code) {
    case CURLE_OK: return HTTP_OK;
    case CURLE_OPERATION_TIMEDOUT: return HTTP_TIMEOUT;
    case CURLE_COULDNT_RESOLVE_HOST: return HTTP_DNS;
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED: return HTTP_CONNECT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_USE_SSL_FAILED: return HTTP_TLS;
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_PARTIAL_FILE:
    case CURLE_HTTP2_STREAM: return HTTP_RESET;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL: /* what is no HTTP at all comes as this: "HTTP/0.9" */
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_FILESIZE_EXCEEDED:
    case CURLE_HTTP2:
    case CURLE_HTTP3: return HTTP_BAD_RESPONSE;
    case CURLE_OUT_OF_MEMORY: /* libcurl's word for a header line above its own cap */
        return headers_done ? HTTP_OTHER : HTTP_BAD_RESPONSE;
    default: return HTTP_OTHER;
    }
}

static void read_address(CURL *easy, char ret_address[HTTP_ADDRESS_SIZE])
{
    char *ip = NULL;
    long port = 0;

    if (curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &ip) != CURLE_OK || ip == NULL ||
            ip[0] == '\0' || curl_easy_getinfo(easy, CURLINFO_PRIMARY_PORT, &port) != CURLE_OK)
        return;
    (void)snprintf(ret_address,
            HTTP_ADDRESS_SIZE,
            strchr(ip, ':') != NULL ? "[%s]:%ld" : "%s:%ld",
            ip,
            port);
}

/** libcurl's moment, counted from the start of the request; 0 stays 0. */
static int64_t read_time(const struct transfer *transfer, CURLINFO info)
{
    curl_off_t time_us = 0;

    if (curl_easy_getinfo(transfer->easy, info, &time_us) != CURLE_OK || time_us <= 0)
        return 0;
    return transfer->resolved_us - transfer->started_us + (int64_t)time_us;
}

static void read_times(struct transfer *transfer)
{
    struct http_times *times = &transfer->request->times;
    long connects = 0;

    assert(transfer->request != NULL);
    times->total_us = now_us() - transfer->started_us;
    if (!transfer->in_multi)
        return;
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &connects);
    if (connects > 0) {
        times->dns_us = transfer->resolved_us - transfer->started_us;
        times->connect_us = read_time(transfer, CURLINFO_CONNECT_TIME_T);
        times->tls_us = read_time(transfer, CURLINFO_APPCONNECT_TIME_T);
    }
    times->first_byte_us = read_time(transfer, CURLINFO_STARTTRANSFER_TIME_T);
}

/** libcurl says that the transfer is over. */
static void on_message(struct transfer *transfer, CURLcode code)
{
    if (transfer->phase == PHASE_ENDED)
        return;
    if (transfer->cut_by_us) {
        give_verdict(transfer, HTTP_OK, "");
    } else if (code == CURLE_OK && !transfer->headers_done) {
        give_verdict(transfer, HTTP_BAD_RESPONSE, "the answer has no final header block");
    } else {
        const char *text = transfer->error_text;

        if (code != CURLE_OK && text[0] == '\0')
            text = curl_easy_strerror(code);
        give_verdict(transfer, error_of_code(code, transfer->headers_done), text);
    }
    end(transfer);
}

static void transfer_free(struct transfer *transfer)
{
    if (transfer == NULL)
        return;
    curl_easy_cleanup(transfer->easy);
    free(transfer->nodes);
    free(transfer);
}

static void back_to_pool(struct transfer *transfer)
{
    struct client *client = transfer->client;

    if (client->closing || client->pool_count >= POOL_MAX) {
        transfer_free(transfer);
        return;
    }
    TAILQ_INSERT_HEAD(&client->pool, transfer, link);
    client->pool_count++;
}

static void detach(struct transfer *transfer)
{
    struct client *client = transfer->client;

    if (!transfer->in_multi)
        return;
    (void)curl_multi_remove_handle(client->multi, transfer->easy);
    transfer->in_multi = false;
    if (transfer->carried_version != 0) {
        (void)curl_easy_setopt(transfer->easy, CURLOPT_RESOLVE, NULL);
        if (transfer->has_run) {
            transfer->target->settled_version = transfer->carried_version;
            transfer->target->settled_epoch = client->epoch;
        }
    }
    if (transfer->sweeps) {
        (void)curl_easy_setopt(transfer->easy, CURLOPT_DNS_CACHE_TIMEOUT, -1L);
        client->epoch++;
    }
}

static void finish(struct transfer *transfer)
{
    struct http_request *request = transfer->request;
    struct client *client = transfer->client;

    read_times(transfer);
    if (transfer->in_multi)
        read_address(transfer->easy, request->address);
    detach(transfer);
    http_target_release(transfer->target);
    transfer->target = NULL;
    transfer->request = NULL;
    request->error = transfer->verdict;
    request->impl = NULL;
    client->active_count--;
    back_to_pool(transfer);
    request->done(request);
}

/** Only those that have ended by now: a done that starts a hopeless request does not hold us. */
static bool finish_ended(struct client *client)
{
    struct transfer_list ended = TAILQ_HEAD_INITIALIZER(ended);
    struct transfer *transfer;
    bool any = !TAILQ_EMPTY(&client->ended);

    TAILQ_CONCAT(&ended, &client->ended, link);
    while ((transfer = TAILQ_FIRST(&ended)) != NULL) {
        TAILQ_REMOVE(&ended, transfer, link);
        finish(transfer);
    }
    return any;
}

/* ------------------------------------------------------------------- libcurl's callbacks */

/** A header line without its end, joined to the last one when it is folded (RFC 9112, 5.2). */
static void add_header_line(struct buf *headers, struct str line)
{
    char *out;

    while (line.len > 0 && (line.ptr[line.len - 1] == '\n' || line.ptr[line.len - 1] == '\r'))
        line.len--;
    if (line.len > 0 && (line.ptr[0] == ' ' || line.ptr[0] == '\t') && headers->len > 0)
        headers->len--; /* the newline */
    out = buf_reserve(headers, line.len + 1);
    if (out == NULL) /* cannot be: the cap is above what on_header lets through */
        return;
    for (size_t i = 0; i < line.len; i++)
        out[i] = is_control(line.ptr[i]) ? ' ' : line.ptr[i];
    out[line.len] = '\n';
    headers->len += line.len + 1;
}

/** The empty line behind a block: of an interim answer (1xx), or of the one that counts. */
static void end_block(struct transfer *transfer)
{
    long status = 0;

    (void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 100 && status < 200) {
        transfer->at_block_start = true;
        return;
    }
    transfer->headers_done = true;
    transfer->request->status = status;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *ctx)
{
    struct transfer *transfer = (struct transfer *)ctx;
    size_t len = size * count;
    struct str line = {bytes, len};

    transfer->has_run = true;
    transfer->header_bytes += len;
    if (transfer->header_bytes > HTTP_HEADERS_MAX_BYTES) {
        give_verdict(transfer, HTTP_BAD_RESPONSE, "the answer has too many header bytes");
        return 0;
    }
    if (transfer->headers_done) /* trailers */
        return len;
    if (transfer->at_block_start) {
        transfer->at_block_start = false;
        buf_clear(&transfer->request->response_headers);
    } else if (str_is(line, "\r\n") || str_is(line, "\n")) {
        end_block(transfer);
    } else {
        add_header_line(&transfer->request->response_headers, line);
    }
    return len;
}

static bool keep_body(struct transfer *transfer, struct str piece)
{
    struct http_request *request = transfer->request;
    size_t kept = request->response_body.len;
    size_t room = request->keep_bytes > kept ? request->keep_bytes - kept : 0;

    buf_add_str(&request->response_body, str_slice(piece, 0, room));
    if (piece.len > room)
        request->body_cut = true;
    if (buf_err(&request->response_body) == ERR_NONE)
        return true;
    give_verdict(transfer, HTTP_OTHER, "the body is larger than a buffer can be");
    return false;
}

/** Returns len to go on, anything else to end the transfer. */
static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
    struct transfer *transfer = (struct transfer *)ctx;
    struct http_request *request = transfer->request;
    size_t len = size * count;
    struct str piece = {bytes, len};
    bool is_over = false;
    bool ok;

    if (transfer->phase == PHASE_ENDED) /* cancelled by its own on_body */
        return 0;
    if (request->read_bytes > 0 && len > request->read_bytes - transfer->body_bytes) {
        piece.len = request->read_bytes - transfer->body_bytes;
        is_over = true;
    }
    transfer->body_bytes += piece.len;
    if (request->on_body != NULL && request->status >= 200 && request->status < 300) {
        ok = request->on_body(request, piece);
        if (!ok)
            give_verdict(transfer, HTTP_OTHER, "the body was refused by its receiver");
    } else {
        ok = keep_body(transfer, piece);
    }
    if (!ok)
        return 0;
    if (is_over) {
        request->body_cut = true;
        transfer->cut_by_us = true;
        return 0;
    }
    return len;
}

static bool is_allowed(struct transfer *transfer, const struct sockaddr *address)
{
    struct client *client = transfer->client;
    struct error why = {0};

    if (transfer->request->any_target)
        return true;
    if (client->check(client->check_ctx, address, &why) == ERR_NONE)
        return true;
    give_verdict(transfer, HTTP_FORBIDDEN, why.text);
    return false;
}

/* The last word on an address: whatever way it took to here, it is looked at before connecting. */
static curl_socket_t on_open(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct transfer *transfer = (struct transfer *)ctx;
    int fd;

    (void)purpose;
    transfer->has_run = true;
    if (!is_allowed(transfer, &address->addr))
        return CURL_SOCKET_BAD;
    fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
    if (fd >= 0)
        fd_watch_adopt(transfer->client->watch, fd);
    return fd;
}

static int on_close(void *ctx, curl_socket_t fd)
{
    struct client *client = (struct client *)ctx;

    fd_watch_forget(client->watch, fd);
    return close(fd);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
    struct client *client = (struct client *)ctx;
    unsigned wanted = 0;

    (void)easy;
    (void)socket_ctx;
    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
        wanted |= FD_WATCH_READ;
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
        wanted |= FD_WATCH_WRITE;
    /* A refusal can only be a lack of memory or watches: the transfer then ends by its timeout. */
    (void)fd_watch_set(client->watch, fd, wanted);
    return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *ctx)
{
    struct client *client = (struct client *)ctx;

    (void)multi;
    client->timer_due_us = timeout_ms < 0 ? -1 : now_us() + (int64_t)timeout_ms * 1000;
    return 0;
}

/* -------------------------------------------------------------------- starting a transfer */

static bool set_constant_options(struct transfer *transfer)
{
    struct client *client = transfer->client;
    CURL *easy = transfer->easy;
    CURLcode code = CURLE_OK;

    /* Each returns 0 when fine: one sum, one check. */
    code |= curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    code |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error_text);
    code |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    code |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    code |= curl_easy_setopt(easy, CURLOPT_PROXY, "");
    code |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    code |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    code |= curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
    code |= curl_easy_setopt(easy, CURLOPT_HTTP_CONTENT_DECODING, 0L);
    code |= curl_easy_setopt(easy, CURLOPT_HTTP_TRANSFER_DECODING, 1L);
    code |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    code |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    code |= curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    code |= curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)RECEIVE_BUFFER_BYTES);
    code |= curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, -1L);
    code |= curl_easy_setopt(easy, CURLOPT_USERAGENT, client->user_agent);
    code |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    code |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    code |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    code |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
    code |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    code |= curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
    /* A connection outlives its transfer, so its close belongs to the client. */
    code |= curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    code |= curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, client);
    return code == CURLE_OK;
}

static struct transfer *transfer_new(struct client *client)
{
    struct transfer *transfer = (struct transfer *)mem_new(sizeof(*transfer));

    transfer->client = client;
    transfer->easy = curl_easy_init();
    if (transfer->easy == NULL || !set_constant_options(transfer))
        abort(); /* only without memory */
    return transfer;
}

static struct transfer *take_transfer(struct client *client)
{
    struct transfer *transfer = TAILQ_FIRST(&client->pool);

    if (transfer == NULL)
        return transfer_new(client);
    TAILQ_REMOVE(&client->pool, transfer, link);
    client->pool_count--;
    return transfer;
}

/** libcurl's list type has no const; it only reads. */
static char *unconst(const char *text)
{
    return (char *)(uintptr_t)text;
}

static void set_headers(struct transfer *transfer)
{
    /* A header with nothing behind the colon tells libcurl not to add its own. */
    static const char *const suppress[SUPPRESSED_HEADERS] = {"Accept:", "Expect:", "Content-Type:"};
    const struct http_request *request = transfer->request;
    size_t count = SUPPRESSED_HEADERS + request->header_count;

    if (transfer->node_count < count) {
        transfer->nodes =
                (struct curl_slist *)mem_resize(transfer->nodes, count, sizeof(transfer->nodes[0]));
        transfer->node_count = count;
    }
    for (size_t i = 0; i < count; i++) {
        const char *line = i < SUPPRESSED_HEADERS ? suppress[i]
                                                  : request->header_lines[i - SUPPRESSED_HEADERS];

        transfer->nodes[i].data = unconst(line);
        transfer->nodes[i].next = i + 1 < count ? &transfer->nodes[i + 1] : NULL;
    }
}

static CURLcode set_method(struct transfer *transfer)
{
    const struct http_request *request = transfer->request;
    bool has_body = request->body.ptr != NULL || strcmp(request->method, "POST") == 0;
    CURL *easy = transfer->easy;
    CURLcode code = CURLE_OK;

    code |= curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L); /* undoes NOBODY and POST */
    if (strcmp(request->method, "HEAD") == 0) {
        code |= curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (has_body) {
        code |= curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
        code |= curl_easy_setopt(
                easy, CURLOPT_POSTFIELDS, request->body.ptr != NULL ? request->body.ptr : "");
    }
    /* libcurl's own word where it has one; else the caller's. */
    code |= curl_easy_setopt(easy,
            CURLOPT_CUSTOMREQUEST,
            strcmp(request->method, has_body ? "POST" : "GET") == 0 ? NULL : request->method);
    return code;
}

static void write_resolve_entry(struct transfer *transfer)
{
    const struct http_target *target = transfer->target;
    const struct resolver_answer *answer = target->pinned;
    size_t used = (size_t)snprintf(transfer->resolve_entry,
            RESOLVE_ENTRY_SIZE,
            "+%s:%u",
            target->url.host.ptr,
            target->url.port);

    for (size_t i = 0; i < answer->count; i++) {
        const struct sockaddr_storage *address = &answer->addresses[i];
        bool is_v6 = address->ss_family == AF_INET6;
        const void *binary =
                is_v6 ? (const void *)&((const struct sockaddr_in6 *)address)->sin6_addr
                      : (const void *)&((const struct sockaddr_in *)address)->sin_addr;
        char text[INET6_ADDRSTRLEN] = "";

        (void)inet_ntop(address->ss_family, binary, text, sizeof(text));
        used += (size_t)snprintf(transfer->resolve_entry + used,
                RESOLVE_ENTRY_SIZE - used,
                is_v6 ? "%c[%s]" : "%c%s",
                i == 0 ? ':' : ',',
                text);
        assert(used < RESOLVE_ENTRY_SIZE);
    }
}

/** Hands the checked addresses to libcurl's name cache, unless they are known to be there. */
static CURLcode set_addresses(struct transfer *transfer)
{
    const struct http_target *target = transfer->target;

    transfer->carried_version = 0;
    if (target->is_literal || (target->settled_version == target->pin_version &&
                                      target->settled_epoch == transfer->client->epoch))
        return CURLE_OK;
    write_resolve_entry(transfer);
    transfer->resolve = (struct curl_slist){transfer->resolve_entry, NULL};
    transfer->carried_version = target->pin_version;
    return curl_easy_setopt(transfer->easy, CURLOPT_RESOLVE, &transfer->resolve);
}

static CURLcode set_sweep(struct transfer *transfer)
{
    struct client *client = transfer->client;

    transfer->sweeps = transfer->started_us >= client->epoch_ends_us;
    if (!transfer->sweeps)
        return CURLE_OK;
    client->epoch_ends_us = transfer->started_us + EPOCH_US;
    return curl_easy_setopt(transfer->easy, CURLOPT_DNS_CACHE_TIMEOUT, (long)SWEEP_OLDER_THAN_S);
}

static int64_t time_left_ms(const struct transfer *transfer)
{
    return transfer->request->timeout_ms - (now_us() - transfer->started_us) / 1000;
}

/** All is checked: off it goes. */
static void launch(struct transfer *transfer)
{
    struct client *client = transfer->client;
    CURL *easy = transfer->easy;
    int64_t left_ms = time_left_ms(transfer);
    CURLcode code = CURLE_OK;

    if (left_ms <= 0) {
        end_with(transfer, HTTP_TIMEOUT, "the time was up before a connection was tried");
        return;
    }
    transfer->resolved_us = transfer->question != NULL ? now_us() : transfer->started_us;
    transfer->question = NULL;
    heap_remove(&client->deadlines, &transfer->deadline);
    set_headers(transfer);
    code |= curl_easy_setopt(easy, CURLOPT_URL, transfer->target->url.whole.ptr);
    code |= set_method(transfer);
    code |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->nodes);
    code |= curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)left_ms);
    code |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)left_ms);
    code |= set_addresses(transfer);
    code |= set_sweep(transfer);
    transfer->phase = PHASE_RUNNING;
    transfer->in_multi = true; /* detach() then undoes the options too */
    if (code != CURLE_OK || curl_multi_add_handle(client->multi, easy) != CURLM_OK)
        end_with(transfer, HTTP_OTHER, "libcurl does not take the request");
}

/** Checks every address of the answer: one that is forbidden forbids them all. */
static void use_answer(struct transfer *transfer, const struct resolver_answer *answer)
{
    if (answer->err == ERR_CANCELLED || answer->err == ERR_BUSY) {
        end_with(transfer, HTTP_OTHER, "too many names are being resolved");
        return;
    }
    if (answer->err != ERR_NONE || answer->count == 0) {
        end_with(transfer,
                HTTP_DNS,
                answer->err == ERR_UNAVAILABLE ? "the host's name cannot be resolved now"
                                               : "the host's name has no address");
        return;
    }
    for (size_t i = 0; i < answer->count; i++) {
        if (!is_allowed(transfer, (const struct sockaddr *)&answer->addresses[i])) {
            end(transfer);
            return;
        }
    }
    if (!transfer->target->is_literal)
        http_target_set_answer(transfer->target, answer);
    launch(transfer);
}

static void resolve(struct transfer *transfer)
{
    struct client *client = transfer->client;
    struct resolver_answer answer;

    transfer->question =
            resolver_inbox_ask(client->inbox, transfer->target->url.host.ptr, transfer, &answer);
    if (transfer->question != NULL)
        heap_set(&client->deadlines,
                &transfer->deadline,
                transfer->started_us / 1000 + transfer->request->timeout_ms);
    else
        use_answer(transfer, &answer);
}

static void reset_request(struct http_request *request, struct transfer *transfer)
{
    request->error = HTTP_OK;
    request->status = 0;
    buf_clear(&request->response_headers);
    request->response_headers.max_bytes = HTTP_HEADERS_MAX_BYTES;
    buf_clear(&request->response_body);
    request->response_body.max_bytes = request->keep_bytes;
    request->body_cut = false;
    request->detail[0] = '\0';
    request->address[0] = '\0';
    request->times = (struct http_times){0};
    request->impl = transfer;
}

static void reset_transfer(struct transfer *transfer, struct http_request *request)
{
    transfer->request = request;
    transfer->phase = PHASE_RESOLVING;
    transfer->in_multi = false;
    transfer->sweeps = false;
    transfer->carried_version = 0;
    transfer->has_run = false;
    transfer->verdict_given = false;
    transfer->verdict = HTTP_OK;
    transfer->started_us = now_us();
    transfer->resolved_us = transfer->started_us;
    transfer->at_block_start = true;
    transfer->headers_done = false;
    transfer->cut_by_us = false;
    transfer->header_bytes = 0;
    transfer->body_bytes = 0;
    transfer->error_text[0] = '\0';
}

static void client_start(struct http_client *base, struct http_request *request)
{
    struct client *client = (struct client *)base;
    struct transfer *transfer = take_transfer(client);
    struct error why = {0};

    reset_request(request, transfer);
    reset_transfer(transfer, request);
    client->active_count++;
    TAILQ_INSERT_TAIL(&client->active, transfer, link);
    if (client->closing)
        end_with(transfer, HTTP_CANCELLED, "the client is being closed");
    else if (http_target_use(client->targets, request->url, &transfer->target, &why) != ERR_NONE)
        end_with(transfer, HTTP_OTHER, why.text);
    else
        resolve(transfer);
}

static void client_cancel(struct http_client *base, struct http_request *request)
{
    struct transfer *transfer = (struct transfer *)request->impl;

    (void)base;
    if (transfer != NULL && transfer->phase != PHASE_ENDED) {
        transfer->verdict_given = false; /* whatever it was: the caller gave up first */
        end_with(transfer, HTTP_CANCELLED, "cancelled");
    }
}

/* ------------------------------------------------------------------------------- the loop */

static void take_answer(void *asker, const struct resolver_answer *answer)
{
    use_answer((struct transfer *)asker, answer);
}

static void drop_overdue(struct client *client)
{
    struct heap_item *item;

    while ((item = heap_first(&client->deadlines)) != NULL && item->at_ms * 1000 <= now_us())
        end_with((struct transfer *)item,
                HTTP_TIMEOUT,
                "the time was up before the host's name was resolved");
}

static void take_messages(struct client *client)
{
    CURLMsg *message;
    int left = 0;

    while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
        char *transfer = NULL;

        if (message->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        on_message((struct transfer *)(void *)transfer, message->data.result);
    }
}

/** Milliseconds, rounded up, until something of ours is due, timeout_ms at most. */
static int64_t wait_ms(const struct client *client, int64_t timeout_ms)
{
    const struct heap_item *first = heap_first(&client->deadlines);
    int64_t due_us = client->timer_due_us;
    int64_t left_ms;

    if (!TAILQ_EMPTY(&client->ended))
        return 0;
    if (first != NULL && (due_us < 0 || first->at_ms * 1000 < due_us))
        due_us = first->at_ms * 1000;
    if (due_us < 0)
        return timeout_ms;
    left_ms = (due_us - now_us() + 999) / 1000;
    if (left_ms < 0)
        left_ms = 0;
    return timeout_ms >= 0 && timeout_ms < left_ms ? timeout_ms : left_ms;
}

static void move_sockets(struct client *client, int64_t timeout_ms)
{
    struct fd_event events[EVENTS_MAX];
    size_t count = fd_watch_wait(client->watch, timeout_ms, events, EVENTS_MAX);
    int running;

    for (size_t i = 0; i < count; i++) {
        int mask = ((events[i].what & FD_WATCH_READ) != 0 ? CURL_CSELECT_IN : 0) |
                   ((events[i].what & FD_WATCH_WRITE) != 0 ? CURL_CSELECT_OUT : 0) |
                   ((events[i].what & FD_WATCH_ERROR) != 0 ? CURL_CSELECT_ERR : 0);

        if (events[i].fd == resolver_inbox_fd(client->inbox))
            resolver_inbox_silence(client->inbox);
        else
            (void)curl_multi_socket_action(client->multi, events[i].fd, mask, &running);
    }
}

static void move_timers(struct client *client)
{
    int running;

    if (client->timer_due_us < 0 || client->timer_due_us > now_us())
        return;
    client->timer_due_us = -1;
    (void)curl_multi_socket_action(client->multi, CURL_SOCKET_TIMEOUT, 0, &running);
}

static void client_run(struct http_client *base, int64_t timeout_ms)
{
    struct client *client = (struct client *)base;

    /* What is due at once, newly started requests above all, does not have to wait for a look at
     * the sockets. */
    move_timers(client);
    take_messages(client);
    move_sockets(client, finish_ended(client) ? 0 : wait_ms(client, timeout_ms));
    resolver_inbox_take(client->inbox, take_answer);
    drop_overdue(client);
    move_timers(client);
    take_messages(client);
    (void)finish_ended(client);
}

static void client_wake(struct http_client *base)
{
    resolver_inbox_ring(((const struct client *)base)->inbox);
}

static size_t client_active(const struct http_client *base)
{
    return ((const struct client *)base)->active_count;
}

/* ----------------------------------------------------------------------- open and release */

static void client_free(struct http_client *base)
{
    struct client *client = (struct client *)base;
    struct transfer *transfer;

    client->closing = true;
    do {
        while ((transfer = TAILQ_FIRST(&client->active)) != NULL)
            end_with(transfer, HTTP_CANCELLED, "the client is being closed");
    } while (finish_ended(client));
    while ((transfer = TAILQ_FIRST(&client->pool)) != NULL) {
        TAILQ_REMOVE(&client->pool, transfer, link);
        transfer_free(transfer);
    }
    if (client->multi != NULL)
        (void)curl_multi_cleanup(client->multi); /* closes the connections: needs the watch */
    resolver_inbox_close(client->inbox);
    fd_watch_close(client->watch);
    http_target_table_free(client->targets);
    heap_done(&client->deadlines);
    free(client->user_agent);
    free(client);
    curl_global_cleanup();
}

static const struct http_client_ops client_ops = {
        .start = client_start,
        .cancel = client_cancel,
        .run = client_run,
        .wake = client_wake,
        .active = client_active,
        .free = client_free,
};

static bool set_up_multi(struct client *client, size_t max_connections)
{
    CURLMcode code = CURLM_OK;

    client->multi = curl_multi_init();
    if (client->multi == NULL)
        return false;
    code |= curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    code |= curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client);
    code |= curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    code |= curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client);
    code |= curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)max_connections);
    return code == CURLM_OK;
}

enum err http_client_curl_open(const struct http_client_curl_config *config,
        struct http_client **ret_client,
        struct error *why)
{
    struct client *client;
    enum err err;

    assert(config->check != NULL && config->resolver != NULL);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return error_set(why, ERR_UNAVAILABLE, "libcurl cannot be set up");
    client = (struct client *)mem_new(sizeof(*client));
    client->base.ops = &client_ops;
    client->check = config->check;
    client->check_ctx = config->check_ctx;
    client->timer_due_us = -1;
    client->epoch_ends_us = now_us() + EPOCH_US;
    client->targets = http_target_table_new();
    TAILQ_INIT(&client->active);
    TAILQ_INIT(&client->ended);
    TAILQ_INIT(&client->pool);
    client->user_agent = strdup(config->user_agent != NULL ? config->user_agent : "");
    client->inbox = resolver_inbox_new(config->resolver);
    err = fd_watch_open(&client->watch, why);
    if (err == ERR_NONE &&
            (client->user_agent == NULL || client->inbox == NULL ||
                    !set_up_multi(client, config->max_connections) ||
                    !fd_watch_set(client->watch, resolver_inbox_fd(client->inbox), FD_WATCH_READ)))
        err = error_set(why, ERR_UNAVAILABLE, "an HTTP client cannot be set up");
    if (err != ERR_NONE) {
        client_free(&client->base);
        return err;
    }
    *ret_client = &client->base;
    return ERR_NONE;
}
