/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sender - building and signing requests, and judging answers (contract 4.3 and 4.4).
 *
 *     text of a transfer:  URL NUL | our lines, each ended by NUL | the endpoint's own lines
 *
 * Own headers may carry passwords, so what is kept of a request shows "***" for their values.
 */
#include "deliver/sender.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "base/mem.h"
#include "base/rand.h"
#include "domain/secret.h"
#include "domain/signature.h"

enum {
    KEEP_BYTES = 16 * 1024,
    READ_BYTES = 64 * 1024,
    OUR_LINES_MAX = 14,
    LINES_MAX = OUR_LINES_MAX + ENDPOINT_HEADERS_MAX,
    SNAPSHOTS_MAX = 256, /* a power of two */
    SPARE_MAX = 256,     /* transfers kept for use again */
};

#define TEST_DELIVERY_ID_PREFIX DELIVERY_ID_PREFIX "test_"

/* What follows from a snapshot alone. */
struct snapshot {
    struct endpoint *endpoint; /* a reference, so that its address stays its own; NULL: none */
    struct buf key;            /* of webhook-signature */
    struct buf key_old;        /* of the secret that is being replaced */
    bool is_own_inbox;
};

/* One request, of a delivery or of a probe. */
struct transfer {
    struct http_request request;
    struct sender *sender;
    LIST_ENTRY(transfer) link; /* in flight, or spare */
    struct delivery *delivery; /* one of the two is NULL */
    struct probe *probe;
    int64_t started_at_ms;
    struct buf text;
    size_t offsets[LINES_MAX]; /* of the lines in text; they become pointers when it has stopped
                                  growing */
    const char *lines[LINES_MAX];
    size_t line_count;
    size_t our_line_count;
    size_t own_lines_at; /* offset behind our lines */
};

LIST_HEAD(transfer_list, transfer);

struct sender {
    struct http_client *client;
    const struct deliver_config *config;
    struct sender_listener listener;
    struct rand rand;
    struct id_source test_ids;
    struct transfer_list in_flight;
    size_t in_flight_count;
    struct transfer_list spare;
    size_t spare_count;
    struct snapshot snapshots[SNAPSHOTS_MAX]; /* by address; a newer one takes the place */
};

/* What a request says. */
struct message {
    const struct endpoint *endpoint;
    struct str body;
    struct str payload_id;
    enum event_kind kind;
    struct str delivery_id;
    int64_t attempt;
    bool out_of_order;
    bool is_test;
};

/* True for a URL of an inbox of this server. Stricter than need be: nothing in such a path can be
 * resolved to another one. */
static bool is_own_inbox(const char *own_origin, struct str url)
{
    struct str origin = str_from(own_origin);
    struct str folder = STR("/in/");

    if (origin.len == 0 || !str_starts(url, origin))
        return false;
    struct str path = str_slice(url, origin.len, url.len);
    if (!str_starts(path, folder) || path.len == folder.len)
        return false;
    for (size_t i = folder.len; i < path.len; i++) {
        char c = path.ptr[i];

        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                    c == '_' || c == '-'))
            return false;
    }
    return true;
}

static void
snapshot_fill(struct snapshot *snapshot, const struct endpoint *endpoint, const char *own_origin)
{
    buf_clear(&snapshot->key);
    buf_clear(&snapshot->key_old);
    secret_standard_key(endpoint->secret, &snapshot->key);
    if (endpoint->secret_old.ptr != NULL)
        secret_standard_key(endpoint->secret_old, &snapshot->key_old);
    snapshot->is_own_inbox = is_own_inbox(own_origin, endpoint->url);
}

static void snapshot_done(struct snapshot *snapshot)
{
    endpoint_unref(snapshot->endpoint);
    buf_done(&snapshot->key);
    buf_done(&snapshot->key_old);
}

static const struct snapshot *find_snapshot(struct sender *sender, struct endpoint *endpoint)
{
    uint64_t hash = (uint64_t)(uintptr_t)endpoint * UINT64_C(0x9E3779B97F4A7C15);
    struct snapshot *snapshot = &sender->snapshots[(hash >> 32) % SNAPSHOTS_MAX];

    if (snapshot->endpoint != endpoint) {
        endpoint_unref(snapshot->endpoint);
        snapshot->endpoint = endpoint_ref(endpoint);
        snapshot_fill(snapshot, endpoint, sender->config->own_origin);
    }
    return snapshot;
}

struct sender *sender_new(struct http_client *client,
        const struct deliver_config *config,
        const struct sender_listener *listener)
{
    struct sender *sender = mem_new(sizeof(*sender));

    sender->client = client;
    sender->config = config;
    sender->listener = *listener;
    rand_seed(&sender->rand, config->seed);
    LIST_INIT(&sender->in_flight);
    LIST_INIT(&sender->spare);
    return sender;
}

static void transfer_free(struct transfer *transfer)
{
    buf_done(&transfer->text);
    free(transfer);
}

static struct transfer *take_transfer(struct sender *sender)
{
    struct transfer *transfer = LIST_FIRST(&sender->spare);

    if (transfer != NULL) {
        LIST_REMOVE(transfer, link);
        sender->spare_count--;
        buf_clear(&transfer->text);
        transfer->line_count = 0;
    } else {
        transfer = mem_new(sizeof(*transfer));
        transfer->sender = sender;
    }
    LIST_INSERT_HEAD(&sender->in_flight, transfer, link);
    sender->in_flight_count++;
    return transfer;
}

static void give_transfer(struct sender *sender, struct transfer *transfer)
{
    LIST_REMOVE(transfer, link);
    sender->in_flight_count--;
    if (sender->spare_count < SPARE_MAX) {
        LIST_INSERT_HEAD(&sender->spare, transfer, link);
        sender->spare_count++;
    } else {
        transfer_free(transfer);
    }
}

void sender_interrupt(struct sender *sender)
{
    struct transfer *transfer;

    LIST_FOREACH(transfer, &sender->in_flight, link)
    http_client_cancel(sender->client, &transfer->request);
}

void sender_free(struct sender *sender)
{
    if (sender == NULL)
        return;
    sender_interrupt(sender);
    while (sender->in_flight_count > 0)
        http_client_run(sender->client, 0);
    while (!LIST_EMPTY(&sender->spare)) {
        struct transfer *transfer = LIST_FIRST(&sender->spare);

        LIST_REMOVE(transfer, link);
        transfer_free(transfer);
    }
    for (size_t i = 0; i < SNAPSHOTS_MAX; i++)
        snapshot_done(&sender->snapshots[i]);
    free(sender);
}

size_t sender_in_flight(const struct sender *sender)
{
    return sender->in_flight_count;
}

/* Starts a line; what is then added to text is its content, until end_line(). */
static struct buf *begin_line(struct transfer *transfer)
{
    assert(transfer->line_count < LINES_MAX);
    transfer->offsets[transfer->line_count++] = transfer->text.len;
    return &transfer->text;
}

static void end_line(struct transfer *transfer)
{
    buf_add_char(&transfer->text, '\0');
}

static void add_line(struct transfer *transfer, struct str name_and_colon, struct str value)
{
    struct buf *text = begin_line(transfer);

    buf_add_str(text, name_and_colon);
    buf_add_str(text, value);
    end_line(transfer);
}

static void add_number_line(struct transfer *transfer, struct str name_and_colon, int64_t value)
{
    struct buf *text = begin_line(transfer);

    buf_add_str(text, name_and_colon);
    buf_add_i64(text, value);
    end_line(transfer);
}

static void add_hex_line(struct transfer *transfer,
        struct str name_and_colon,
        struct str secret,
        struct str body)
{
    char hex[SHA256_HEX_SIZE];

    signature_hex(secret, body, hex);
    add_line(transfer, name_and_colon, (struct str){hex, SHA256_HEX_SIZE - 1});
}

static void add_signatures(struct transfer *transfer,
        const struct message *message,
        const struct snapshot *snapshot)
{
    const struct endpoint *endpoint = message->endpoint;
    bool is_overlap = endpoint->secret_old.ptr != NULL &&
                      transfer->started_at_ms < endpoint->secret_old_until_ms;
    int64_t at_seconds = transfer->started_at_ms / 1000;

    if (is_overlap) {
        add_hex_line(transfer, STR("X-CallSync-Signature: "), endpoint->secret_old, message->body);
        add_hex_line(transfer, STR("X-CallSync-Signature-Next: "), endpoint->secret, message->body);
    } else {
        add_hex_line(transfer, STR("X-CallSync-Signature: "), endpoint->secret, message->body);
    }
    add_line(transfer, STR("webhook-id: "), message->payload_id);
    add_number_line(transfer, STR("webhook-timestamp: "), at_seconds);

    struct buf *text = begin_line(transfer);
    buf_add_str(text, STR("webhook-signature: "));
    signature_add_standard(
            text, buf_str(&snapshot->key), message->payload_id, at_seconds, message->body);
    if (is_overlap) {
        buf_add_char(text, ' ');
        signature_add_standard(
                text, buf_str(&snapshot->key_old), message->payload_id, at_seconds, message->body);
    }
    end_line(transfer);
}

static void add_own_headers(struct transfer *transfer, const struct endpoint *endpoint)
{
    for (size_t i = 0; i < endpoint->header_count; i++) {
        struct buf *text = begin_line(transfer);

        buf_add_str(text, endpoint->headers[i].name);
        buf_add_str(text, STR(": "));
        buf_add_str(text, endpoint->headers[i].value);
        end_line(transfer);
    }
}

static void
add_lines(struct transfer *transfer, const struct message *message, const struct snapshot *snapshot)
{
    add_line(transfer, STR("Content-Type: "), STR("application/json"));
    add_line(transfer, STR("User-Agent: "), STR("CallSync/" CALLSYNC_VERSION));
    add_line(transfer, STR("X-CallSync-Event: "), event_kind_name(message->kind));
    add_line(transfer, STR("X-CallSync-Delivery: "), message->delivery_id);
    add_number_line(transfer, STR("X-CallSync-Attempt: "), message->attempt);
    if (message->out_of_order)
        add_line(transfer, STR("X-CallSync-Out-Of-Order: "), STR("1"));
    if (message->is_test)
        add_line(transfer, STR("X-CallSync-Test: "), STR("1"));
    add_signatures(transfer, message, snapshot);
    transfer->our_line_count = transfer->line_count;
    transfer->own_lines_at = transfer->text.len;
    add_own_headers(transfer, message->endpoint);
}

static void transfer_done(struct http_request *request);

static void
start(struct transfer *transfer, const struct message *message, const struct snapshot *snapshot)
{
    buf_add_str(&transfer->text, message->endpoint->url);
    buf_add_char(&transfer->text, '\0');
    add_lines(transfer, message, snapshot);
    assert(buf_err(&transfer->text) == ERR_NONE); /* every part has its cap */
    for (size_t i = 0; i < transfer->line_count; i++)
        transfer->lines[i] = transfer->text.ptr + transfer->offsets[i];
    transfer->request = (struct http_request){
            .method = "POST",
            .url = transfer->text.ptr,
            .header_lines = transfer->lines,
            .header_count = transfer->line_count,
            .body = message->body,
            .timeout_ms = message->endpoint->timeout_ms,
            .keep_bytes = KEEP_BYTES,
            .read_bytes = READ_BYTES,
            .any_target = snapshot->is_own_inbox,
            .done = transfer_done,
            .owner = transfer,
    };
    http_client_start(transfer->sender->client, &transfer->request);
}

void sender_send(struct sender *sender, struct delivery *delivery)
{
    struct transfer *transfer = take_transfer(sender);
    char delivery_id[ID_TEXT_SIZE];
    char payload_id[ID_TEXT_SIZE];
    struct message message = {
            .endpoint = delivery->endpoint,
            .body = blob_str(delivery->body),
            .payload_id = id_format(payload_id, EVENT_ID_PREFIX, delivery->event_id),
            .kind = delivery->kind,
            .delivery_id = id_format(delivery_id, DELIVERY_ID_PREFIX, delivery->id),
            .attempt = delivery->attempt_count + 1,
            .out_of_order = delivery->out_of_order,
    };

    transfer->delivery = delivery;
    transfer->probe = NULL;
    transfer->started_at_ms = clock_wall_ms(sender->config->clock);
    start(transfer, &message, find_snapshot(sender, delivery->endpoint));
}

void sender_probe(struct sender *sender, struct probe *probe)
{
    struct transfer *transfer = take_transfer(sender);
    /* Its own, for the endpoint is only borrowed. */
    CLEANUP(snapshot_done) struct snapshot snapshot = {0};
    char delivery_id[ID_TEXT_SIZE];

    transfer->delivery = NULL;
    transfer->probe = probe;
    transfer->started_at_ms = clock_wall_ms(sender->config->clock);

    int64_t id = id_next(&sender->test_ids, transfer->started_at_ms);
    struct message message = {
            .endpoint = probe->endpoint,
            .body = probe->body,
            .payload_id = probe->payload_id,
            .kind = probe->kind,
            .delivery_id = id_format(delivery_id, TEST_DELIVERY_ID_PREFIX, id),
            .attempt = 1,
            .is_test = true,
    };

    snapshot_fill(&snapshot, probe->endpoint, sender->config->own_origin);
    start(transfer, &message, &snapshot);
}

/* Gives the lines that were sent, one a line of text, without the values of own headers. */
static void add_request_headers(struct buf *buf, const struct transfer *transfer)
{
    size_t ours_at = transfer->offsets[0];
    size_t ours_len = transfer->own_lines_at - ours_at;
    char *to = buf_reserve(buf, ours_len);

    if (to == NULL)
        return;
    memcpy(to, transfer->text.ptr + ours_at, ours_len);
    for (size_t i = 1; i < transfer->our_line_count; i++)
        to[transfer->offsets[i] - ours_at - 1] = '\n';
    to[ours_len - 1] = '\n';
    buf->len += ours_len;
    for (size_t i = transfer->our_line_count; i < transfer->line_count; i++) {
        const char *line = transfer->lines[i];

        buf_add(buf, line, (size_t)(strchr(line, ':') - line));
        buf_add_str(buf, STR(": ***\n"));
    }
}

static enum attempt_error attempt_error_of(const struct http_request *request)
{
    switch (request->error) {
    case HTTP_OK:
        return request->status >= 200 && request->status <= 299 ? ATTEMPT_OK : ATTEMPT_STATUS;
    case HTTP_TIMEOUT: return ATTEMPT_TIMEOUT;
    case HTTP_DNS: return ATTEMPT_DNS;
    case HTTP_CONNECT: return ATTEMPT_CONNECT;
    case HTTP_TLS: return ATTEMPT_TLS;
    case HTTP_FORBIDDEN: return ATTEMPT_FORBIDDEN;
    case HTTP_RESET: return ATTEMPT_RESET;
    case HTTP_BAD_RESPONSE: return ATTEMPT_BAD_RESPONSE;
    case HTTP_CANCELLED: return ATTEMPT_INTERRUPTED;
    case HTTP_OTHER: break;
    }
    return ATTEMPT_OTHER;
}

/* The value of the first header of that name in "Name: value\n" lines; none when there is none. */
static struct str find_header(struct str lines, struct str name)
{
    while (lines.len > 0) {
        struct str line = str_split(&lines, '\n');
        ptrdiff_t colon = str_find_char(line, ':', 0);

        if (colon >= 0 && str_equal_nocase(str_slice(line, 0, (size_t)colon), name))
            return str_trim(str_slice(line, (size_t)colon + 1, line.len));
    }
    return STR_NONE;
}

static struct attempt_outcome judge(const struct http_request *request, int64_t now_ms)
{
    struct attempt_outcome outcome = {
            .error = attempt_error_of(request),
            .status = request->status,
    };

    if (outcome.error != ATTEMPT_OK)
        outcome.retry_after_ms = retry_after_parse(
                find_header(buf_str(&request->response_headers), STR("Retry-After")), now_ms);
    return outcome;
}

/* Passes the memory of a buffer on. */
static struct buf take_buf(struct buf *buf)
{
    struct buf taken = *buf;

    buf_init(buf, 0);
    return taken;
}

static void end_delivery(struct transfer *transfer, int64_t now_ms)
{
    struct sender *sender = transfer->sender;
    struct http_request *request = &transfer->request;
    struct delivery *delivery = transfer->delivery;

    if (request->error == HTTP_CANCELLED) {
        delivery->result = RESULT_RETURNED;
        delivery->due_at_ms = now_ms;
        return;
    }
    delivery->result = RESULT_ATTEMPTED;
    delivery->outcome = judge(request, now_ms);
    delivery->decision = delivery_decide(&delivery->outcome,
            &delivery->endpoint->retry_schedule,
            (size_t)delivery->failure_count + 1,
            now_ms,
            rand_u32(&sender->rand));
    delivery->started_at_ms = transfer->started_at_ms;
    delivery->duration_us = request->times.total_us;
    buf_add_text(&delivery->detail, request->detail);
    add_request_headers(&delivery->request_headers, transfer);
    delivery->response_headers = take_buf(&request->response_headers);
    delivery->response_body = take_buf(&request->response_body);
}

static void end_probe(struct transfer *transfer, int64_t now_ms)
{
    struct http_request *request = &transfer->request;
    struct probe *probe = transfer->probe;

    probe->outcome = judge(request, now_ms);
    probe->times = request->times;
    probe->started_at_ms = transfer->started_at_ms;
    buf_add_text(&probe->detail, request->detail);
    add_request_headers(&probe->request_headers, transfer);
    probe->response_headers = take_buf(&request->response_headers);
    probe->response_body = take_buf(&request->response_body);
    probe->body_cut = request->body_cut;
}

static void transfer_done(struct http_request *request)
{
    struct transfer *transfer = request->owner;
    struct sender *sender = transfer->sender;
    struct delivery *delivery = transfer->delivery;
    struct probe *probe = transfer->probe;
    int64_t now_ms = clock_wall_ms(sender->config->clock);

    if (delivery != NULL)
        end_delivery(transfer, now_ms);
    else
        end_probe(transfer, now_ms);
    buf_done(&request->response_headers);
    buf_done(&request->response_body);
    give_transfer(sender, transfer);
    if (delivery != NULL)
        sender->listener.ended(sender->listener.ctx, delivery);
    else
        sender->listener.probe_ended(sender->listener.ctx, probe);
}
