/* SPDX-License-Identifier: Apache-2.0 */
/* ledger - the invariants, checked at each start, each commit, and the end. */
#include "ledger.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/id.h"
#include "base/mem.h"
#include "domain/signature.h"

#define uthash_malloc(size)           mem_new(size)
#define HASH_FUNCTION(key, len, hash) HASH_SAX(key, len, hash) /* clang warns of the default one */
#include <uthash.h>

struct ledger_delivery {
    int64_t id;
    UT_hash_handle hh;
    int64_t event_id;
    size_t receiver;
    int64_t not_before_ms;  /* as its retry schedule has it */
    int64_t ended_at_ms;    /* of the newest attempt that was answered */
    int64_t retry_after_ms; /* asked for then */
    int64_t hold_until_ms;  /* asked for then */
    int64_t start_count;
    int64_t stored_count; /* attempts that were stored */
    int64_t lost_count;   /* attempts that a restart made forget */
    bool is_pending;      /* started, and not yet stored */
    bool has_succeeded;   /* the receiver answered 2xx */
};

struct ledger_event {
    int64_t id;
    UT_hash_handle hh;
    unsigned wanted; /* bits of receivers that must get it */
    unsigned maybe;  /* that changed in the same turn */
    bool is_answered;
};

void ledger_fail(const struct ledger *ledger, const char *format, ...)
{
    char text[400];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    print_error("seed %" PRIu64 ", at %" PRId64 " ms: %s\n",
            ledger->seed,
            clock_wall_ms(ledger->clock),
            text);
    fail();
    abort();
}

#define CHECK(ledger, condition, ...)                                                              \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ledger_fail((ledger), __VA_ARGS__);                                                    \
    } while (0)

void ledger_open(struct ledger *ledger)
{
    struct error why = {0};

    if (db_sqlite_open(ledger->path, false, &ledger->db, &why) != ERR_NONE)
        ledger_fail(ledger, "cannot read the database: %s", why.text);
}

void ledger_close(struct ledger *ledger)
{
    db_close(ledger->db);
    ledger->db = NULL;
}

/* Begins a read; the caller steps through the rows and ends with end_read(). */
static struct db_stmt *
begin_read(const struct ledger *ledger, const char *sql, int64_t p1, int64_t p2)
{
    struct error why = {0};

    if (db_begin(ledger->db, false, &why) != ERR_NONE)
        ledger_fail(ledger, "cannot begin to read: %s", why.text);
    struct db_stmt *stmt = db_stmt(ledger->db, sql);
    db_bind_i64(stmt, 1, p1);
    if (strstr(sql, "$2") != NULL)
        db_bind_i64(stmt, 2, p2);
    return stmt;
}

static bool next_row(const struct ledger *ledger, struct db_stmt *stmt)
{
    struct error why = {0};
    bool row = false;

    if (db_next(stmt, &row, &why) != ERR_NONE)
        ledger_fail(ledger, "cannot read: %s", why.text);
    return row;
}

static void end_read(const struct ledger *ledger, struct db_stmt *stmt)
{
    db_stop(stmt);
    db_rollback(ledger->db);
}

int64_t ledger_read(const struct ledger *ledger, const char *sql, int64_t p1, int64_t p2)
{
    struct db_stmt *stmt = begin_read(ledger, sql, p1, p2);
    int64_t value = next_row(ledger, stmt) ? db_i64(stmt, 0) : 0;

    end_read(ledger, stmt);
    return value;
}

int64_t ledger_unfinished(const struct ledger *ledger)
{
    return ledger_read(ledger, "SELECT count(*) FROM delivery WHERE state < 4 AND id <> $1", 0, 0);
}

static struct ledger_delivery *find_delivery(struct ledger *ledger, int64_t id)
{
    struct ledger_delivery *delivery = NULL;

    HASH_FIND(hh, ledger->deliveries, &id, sizeof(id), delivery);
    return delivery;
}

static struct ledger_event *find_event(struct ledger *ledger, int64_t id)
{
    struct ledger_event *event = NULL;

    HASH_FIND(hh, ledger->events, &id, sizeof(id), event);
    return event;
}

static struct ledger_delivery *need_delivery(struct ledger *ledger, int64_t id)
{
    struct ledger_delivery *delivery = find_delivery(ledger, id);

    if (delivery == NULL) {
        delivery = mem_new(sizeof(*delivery));
        delivery->id = id;
        HASH_ADD(hh, ledger->deliveries, id, sizeof(delivery->id), delivery);
    }
    return delivery;
}

void ledger_done(struct ledger *ledger)
{
    struct ledger_delivery *delivery, *next_delivery;
    struct ledger_event *event, *next_event;

    HASH_ITER (hh, ledger->deliveries, delivery, next_delivery) {
        HASH_DEL(ledger->deliveries, delivery);
        free(delivery);
    }
    HASH_ITER (hh, ledger->events, event, next_event) {
        HASH_DEL(ledger->events, event);
        free(event);
    }
    for (size_t i = 0; i < RECEIVERS_MAX; i++)
        endpoint_unref(ledger->endpoints[i].snapshot);
    ledger_close(ledger);
}

void ledger_turn(struct ledger *ledger)
{
    ledger->turn++;
}

void ledger_endpoint_changed(struct ledger *ledger, struct endpoint *endpoint, bool deleted)
{
    struct ledger_endpoint *mine = &ledger->endpoints[receivers_number(endpoint->url.ptr)];

    if (mine->snapshot == NULL || mine->snapshot->enabled_at_ms != endpoint->enabled_at_ms) {
        mine->hold_until_ms = 0; /* a person enabled it: its health begins anew */
        mine->committed_hold_until_ms = 0;
    }
    endpoint_unref(mine->snapshot);
    mine->snapshot = endpoint_ref(endpoint);
    mine->deleted = deleted;
    mine->changed_in_turn = ledger->turn;
}

/* I2: who wanted it then. Whether a change in the same turn came before or after is not told. */
static void note_event(struct ledger *ledger, const struct note *note)
{
    struct ledger_event *event = mem_new(sizeof(*event));

    event->id = note->event_id;
    for (size_t i = 0; i < RECEIVERS_MAX; i++) {
        const struct ledger_endpoint *endpoint = &ledger->endpoints[i];

        if (endpoint->snapshot == NULL)
            continue;
        if (endpoint->changed_in_turn == ledger->turn)
            event->maybe |= 1U << i;
        else if (!endpoint->deleted && endpoint->snapshot->enabled &&
                 endpoint_wants(endpoint->snapshot, note->event_kind, note->call_type))
            event->wanted |= 1U << i;
    }
    CHECK(ledger, find_event(ledger, event->id) == NULL, "an event was published twice");
    HASH_ADD(hh, ledger->events, id, sizeof(event->id), event);
}

static int64_t max_i64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void note_attempt(struct ledger *ledger, const struct note *note)
{
    struct ledger_delivery *delivery = find_delivery(ledger, note->delivery_id);

    CHECK(ledger, delivery != NULL, "an attempt was stored that nobody got");
    CHECK(ledger, delivery->is_pending, "an attempt was stored twice");
    struct ledger_endpoint *endpoint = &ledger->endpoints[delivery->receiver];
    delivery->is_pending = false;
    delivery->stored_count++;
    endpoint->committed_hold_until_ms =
            max_i64(endpoint->committed_hold_until_ms, delivery->hold_until_ms);
    if (note->state != DELIVERY_RETRYING)
        return;
    int64_t failures = ledger_read(
            ledger, "SELECT failure_count FROM delivery WHERE id = $1", note->delivery_id, 0);
    const struct retry_schedule *schedule = &endpoint->snapshot->retry_schedule;
    if (failures >= 1 && (size_t)failures <= schedule->wait_count)
        delivery->not_before_ms = delivery->ended_at_ms + max_i64(schedule->wait_ms[failures - 1],
                                                                  delivery->retry_after_ms);
}

void ledger_note(struct ledger *ledger, const struct note *note)
{
    if (note->kind == NOTE_EVENT)
        note_event(ledger, note);
    else if (note->kind == NOTE_ATTEMPT)
        note_attempt(ledger, note);
}

void ledger_answered(struct ledger *ledger, int64_t event_id)
{
    if (event_id == 0)
        return;
    struct ledger_event *event = find_event(ledger, event_id);
    CHECK(ledger, event != NULL, "an event was answered before it was published");
    event->is_answered = true;
}

void ledger_forget_waits(struct ledger *ledger,
        int64_t delivery_id,
        int64_t event_id,
        int64_t endpoint_id)
{
    struct ledger_delivery *delivery, *next;

    for (size_t i = 0; i < RECEIVERS_MAX; i++) {
        struct ledger_endpoint *endpoint = &ledger->endpoints[i];

        if (endpoint->snapshot != NULL && (event_id > 0 || endpoint->snapshot->id == endpoint_id))
            endpoint->was_recovered = true;
    }
    HASH_ITER (hh, ledger->deliveries, delivery, next) {
        const struct endpoint *endpoint = ledger->endpoints[delivery->receiver].snapshot;

        if (delivery->id != delivery_id && delivery->event_id != event_id &&
                (endpoint == NULL || endpoint->id != endpoint_id))
            continue;
        delivery->not_before_ms = 0;
    }
}

void ledger_restarted(struct ledger *ledger)
{
    struct ledger_delivery *delivery, *next;

    HASH_ITER (hh, ledger->deliveries, delivery, next) {
        if (delivery->is_pending)
            delivery->lost_count++;
        delivery->is_pending = false;
    }
    for (size_t i = 0; i < RECEIVERS_MAX; i++) {
        ledger->endpoints[i].in_flight = 0;
        ledger->endpoints[i].hold_until_ms = ledger->endpoints[i].committed_hold_until_ms;
    }
    ledger->restarted_at_ms = clock_wall_ms(ledger->clock);
}

static int64_t header_id(const struct ledger *ledger,
        const struct http_request *request,
        const char *name,
        const char *prefix)
{
    int64_t id = 0;

    CHECK(ledger,
            id_parse(receivers_header(request, name), prefix, &id),
            "the header %s is missing or wrong",
            name);
    return id;
}

/* I10, and that the receiver can verify it. */
static void check_bytes(const struct ledger *ledger,
        const struct flight *flight,
        const struct endpoint *endpoint)
{
    const struct http_request *request = flight->request;
    int64_t event_id = header_id(ledger, request, "webhook-id", EVENT_ID_PREFIX);
    struct db_stmt *stmt = begin_read(ledger, "SELECT body FROM event WHERE id = $1", event_id, 0);
    struct str signature = receivers_header(request, "X-CallSync-Signature");
    bool is_overlap = flight->started_at_ms < endpoint->secret_old_until_ms;

    CHECK(ledger, next_row(ledger, stmt), "an event was sent that is not stored"); /* I1 */
    CHECK(ledger,
            str_equal(db_str(stmt, 0), request->body),
            "I10: the bytes sent are not the bytes stored");
    end_read(ledger, stmt);
    CHECK(ledger,
            signature_hex_matches(
                    is_overlap ? endpoint->secret_old : endpoint->secret, request->body, signature),
            "the signature does not fit");
}

/* I9, against what the database has. An earlier one that a person set going again after this one was
 * handed over does not count: it was too late for it. (An id holds the moment that it was made.) */
#define SQL_EARLIER                                                                                \
    "SELECT count(*) FROM delivery d JOIN delivery mine ON mine.id = $1"                           \
    " WHERE d.endpoint_id = mine.endpoint_id AND d.state < 4 AND (d.queued_at < mine.queued_at OR" \
    " (d.queued_at = mine.queued_at AND"                                                           \
    " (d.queued_at <> d.id >> 21 OR d.id < mine.id)"                                               \
    " AND (d.queued_at = d.id >> 21 OR mine.queued_at <> mine.id >> 21)))"

static void check_order(struct ledger *ledger,
        const struct flight *flight,
        const struct ledger_delivery *delivery)
{
    static const char SQL_OF_CALL[] =
            SQL_EARLIER " AND d.call_id = mine.call_id AND d.event_id < mine.event_id";
    static const char SQL_OF_ENDPOINT[] = SQL_EARLIER " AND d.id < mine.id";
    const struct ledger_endpoint *endpoint = &ledger->endpoints[flight->receiver];
    bool is_flagged = receivers_header(flight->request, "X-CallSync-Out-Of-Order").ptr != NULL;
    enum endpoint_ordering ordering = endpoint->snapshot->ordering;

    if (is_flagged) {
        int64_t queued_at_ms = ledger_read(
                ledger, "SELECT queued_at FROM delivery WHERE id = $1", delivery->id, 0);

        ledger->out_of_order_count++;
        CHECK(ledger, ordering == ORDERING_CALL, "out of order without an order");
        CHECK(ledger,
                flight->started_at_ms >= queued_at_ms + DELIVERY_ORDER_HOLD_MS,
                "I9: out of order before 15 minutes passed");
    } else if (ordering != ORDERING_NONE) {
        int64_t earlier = ledger_read(
                ledger, ordering == ORDERING_CALL ? SQL_OF_CALL : SQL_OF_ENDPOINT, delivery->id, 0);

        CHECK(ledger, earlier == 0, "I9: %" PRId64 " earlier ones are unfinished", earlier);
    }
}

static void check_endpoint(const struct ledger *ledger, const struct flight *flight)
{
    const struct ledger_endpoint *endpoint = &ledger->endpoints[flight->receiver];

    CHECK(ledger, endpoint->snapshot != NULL, "sent to an endpoint that never was");
    CHECK(ledger, !endpoint->deleted, "sent to a deleted endpoint");
    CHECK(ledger, endpoint->snapshot->enabled, "sent to a disabled endpoint");
    CHECK(ledger,
            endpoint->in_flight < endpoint->snapshot->max_in_flight,
            "I6: %" PRId64 " attempts at once",
            endpoint->in_flight + 1);
    CHECK(ledger,
            flight->started_at_ms >= endpoint->hold_until_ms,
            "I4: sent %" PRId64 " ms before the hold's end",
            endpoint->hold_until_ms - flight->started_at_ms);
}

void ledger_started(void *ctx, const struct flight *flight)
{
    struct ledger *ledger = ctx;
    struct ledger_endpoint *endpoint = &ledger->endpoints[flight->receiver];
    int64_t id = header_id(ledger, flight->request, "X-CallSync-Delivery", DELIVERY_ID_PREFIX);
    struct ledger_delivery *delivery = need_delivery(ledger, id);
    int64_t state = ledger_read(ledger, "SELECT state FROM delivery WHERE id = $1", id, 0);

    delivery->receiver = flight->receiver;
    delivery->event_id = header_id(ledger, flight->request, "webhook-id", EVENT_ID_PREFIX);
    check_endpoint(ledger, flight);
    check_bytes(ledger, flight, endpoint->snapshot);
    check_order(ledger, flight, delivery);
    CHECK(ledger,
            state == DELIVERY_SENDING || state == DELIVERY_CANCELLED,
            "I5: sent while it was in state %" PRId64,
            state);
    CHECK(ledger, !delivery->is_pending, "I5: sent twice at once");
    CHECK(ledger,
            flight->started_at_ms >= delivery->not_before_ms,
            "I4: sent %" PRId64 " ms before it was due",
            delivery->not_before_ms - flight->started_at_ms);
    delivery->is_pending = true;
    delivery->start_count++;
    endpoint->in_flight++;
    ledger->start_count++;
}

void ledger_ended(void *ctx, const struct flight *flight)
{
    struct ledger *ledger = ctx;
    struct ledger_endpoint *endpoint = &ledger->endpoints[flight->receiver];
    struct ledger_delivery *delivery = find_delivery(
            ledger, header_id(ledger, flight->request, "X-CallSync-Delivery", DELIVERY_ID_PREFIX));
    bool is_success = flight->error == HTTP_OK && flight->status >= 200 && flight->status <= 299;

    endpoint->in_flight--;
    delivery->ended_at_ms = clock_wall_ms(ledger->clock);
    delivery->retry_after_ms = flight->retry_after_s * 1000;
    delivery->hold_until_ms = 0;
    if (flight->retry_after_s > 0) /* only 429 and 503 ask for it here */
        delivery->hold_until_ms = delivery->ended_at_ms + delivery->retry_after_ms;
    endpoint->hold_until_ms = max_i64(endpoint->hold_until_ms, delivery->hold_until_ms);
    delivery->has_succeeded = delivery->has_succeeded || is_success;
    ledger->delivered_count += is_success;
    ledger->failed_attempt_count += !is_success;
}

/* I1, I2: whoever wanted the event has one delivery of it. */
static void check_event(const struct ledger *ledger, const struct ledger_event *event)
{
    unsigned allowed = event->wanted | event->maybe;
    unsigned found = 0;

    if (event->is_answered)
        CHECK(ledger,
                ledger_read(ledger, "SELECT count(*) FROM event WHERE id = $1", event->id, 0) == 1,
                "I1: an event that was answered is gone");
    for (unsigned i = 0; i < RECEIVERS_MAX; i++) {
        const struct ledger_endpoint *endpoint = &ledger->endpoints[i];

        if (endpoint->snapshot == NULL)
            continue;
        int64_t count = ledger_read(ledger,
                "SELECT count(*) FROM delivery WHERE event_id = $1 AND endpoint_id = $2",
                event->id,
                endpoint->snapshot->id);
        CHECK(ledger, count <= 1, "I2: two deliveries of one event");
        if (count == 1)
            found |= 1U << i;
        if (endpoint->was_recovered)
            allowed |= 1U << i;
    }
    CHECK(ledger,
            (found & event->wanted) == event->wanted,
            "I2: receivers %x wanted the event, %x have it",
            event->wanted,
            found);
    CHECK(ledger,
            (found & ~allowed) == 0,
            "I2: receivers %x have an event that only %x wanted",
            found,
            event->wanted);
}

/* I3 and I5, of one row of the database. */
static void check_delivery(struct ledger *ledger, struct db_stmt *row)
{
    int64_t id = db_i64(row, 0);
    int64_t state = db_i64(row, 1);
    int64_t attempt_count = db_i64(row, 2);
    int64_t attempt_rows = db_i64(row, 3);
    const struct ledger_delivery *delivery = find_delivery(ledger, id);
    int64_t starts = delivery != NULL ? delivery->start_count : 0;
    int64_t lost = delivery != NULL ? delivery->lost_count : 0;

    ledger->repeat_count += lost;
    CHECK(ledger,
            state == DELIVERY_DELIVERED || state == DELIVERY_FAILED || state == DELIVERY_CANCELLED,
            "I3: a delivery ends in state %" PRId64,
            state);
    CHECK(ledger,
            state == DELIVERY_CANCELLED || attempt_rows > 0,
            "I3: a delivery ended without an attempt");
    CHECK(ledger,
            state != DELIVERY_DELIVERED || delivery->has_succeeded,
            "I3: delivered, but the receiver did not accept it");
    CHECK(ledger, attempt_count == attempt_rows, "attempts are counted wrong");
    CHECK(ledger,
            starts == attempt_rows + lost,
            "I5: %" PRId64 " attempts, but %" PRId64 " are stored and %" PRId64 " were interrupted",
            starts,
            attempt_rows,
            lost);
}

void ledger_check_end(struct ledger *ledger)
{
    static const char SQL[] = "SELECT d.id, d.state, d.attempt_count,"
                              " (SELECT count(*) FROM attempt a WHERE a.delivery_id = d.id)"
                              " FROM delivery d WHERE d.id > $1 ORDER BY d.id";
    struct ledger_event *event, *next;
    struct db_stmt *stmt = begin_read(ledger, SQL, 0, 0);

    while (next_row(ledger, stmt))
        check_delivery(ledger, stmt);
    end_read(ledger, stmt);
    HASH_ITER (hh, ledger->events, event, next)
        check_event(ledger, event);
}
