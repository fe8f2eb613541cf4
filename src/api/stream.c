/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream - the ring of notes, the open streams, and what they write.
 *
 *     store thread --- publish ---> ring, wakes the streams of these orgs
 *     server thread <-- read ------ copies some notes out under the lock, formats them without it
 *
 * An event's id is "<boot>-<number>": the boot tells runs of the program apart, the number counts
 * notes. It says "seen everything up to here", so the start and each heartbeat give one as well.
 */
#include "api/stream.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "api/member.h"
#include "api/problem.h"
#include "base/mem.h"
#include "base/rand.h"
#include "store/store_inbox.h"

enum {
    RING_NOTES = 8192,
    STREAMS_MAX = 1000,
    NOTES_A_READ = 16,
    HEARTBEAT_MS = 15 * 1000,
    RETRY_MS = 2000, /* what a client waits before it connects again */
    BOOT_SIZE = 17,
};

struct stream {
    LIST_ENTRY(stream) link;
    struct stream_hub *hub;
    struct http_exchange *x;
    char org_id[NOTE_ORG_SIZE];
    uint64_t org_hash;
    int64_t place;    /* number of the next note to look at */
    int64_t beat;     /* the last heartbeat that was written */
    bool is_woken;    /* resumed, and has not read since */
    bool is_lost;     /* it begins with reset */
    struct buf out;   /* written, but not taken yet; the server thread's */
    size_t out_taken; /* of it */
};

struct stream_hub {
    pthread_mutex_t lock; /* guards all below, and the streams but for out */
    struct note_listener listener;
    struct metrics *metrics;
    char boot[BOOT_SIZE];
    struct note *ring;  /* note n lies at n % RING_NOTES */
    uint64_t *org_hash; /* of each note: most are of other orgs than the one that looks */
    int64_t next;       /* the number of the next note; the first is 1 */
    LIST_HEAD(, stream) streams;
    size_t stream_count;
    int64_t beat;
    int64_t beat_at_ms;
    bool is_closed;
};

/* FNV-1a. A collision costs a comparison, no more. */
static uint64_t hash_org(const char *org_id)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (; *org_id != '\0'; org_id++)
        hash = (hash ^ (uint8_t)*org_id) * UINT64_C(1099511628211);
    return hash;
}

/* Lets the stream read. The lock is held, so that the stream cannot end meanwhile. */
static void wake(struct stream *stream)
{
    if (stream->is_woken)
        return;
    stream->is_woken = true;
    http_exchange_resume(stream->x);
}

static bool
has_note_for(const struct stream_hub *hub, const struct stream *stream, int64_t from, int64_t end)
{
    for (int64_t n = from; n < end; n++)
        if (hub->org_hash[n % RING_NOTES] == stream->org_hash)
            return true;
    return false;
}

static void publish(void *ctx, const struct note *notes, size_t count)
{
    struct stream_hub *hub = ctx;
    struct stream *stream;

    pthread_mutex_lock(&hub->lock);
    int64_t from = hub->next;
    for (size_t i = 0; i < count; i++) {
        hub->ring[hub->next % RING_NOTES] = notes[i];
        hub->org_hash[hub->next % RING_NOTES] = hash_org(notes[i].org_id);
        hub->next++;
    }
    if (hub->next - from > RING_NOTES)
        from = hub->next - RING_NOTES;
    LIST_FOREACH(stream, &hub->streams, link)
    {
        if (!stream->is_woken && has_note_for(hub, stream, from, hub->next))
            wake(stream);
    }
    pthread_mutex_unlock(&hub->lock);
}

struct stream_hub *stream_hub_new(struct metrics *metrics)
{
    struct stream_hub *hub = mem_new(sizeof(*hub));
    uint64_t boot;

    rand_secret(&boot, sizeof(boot));
    (void)snprintf(hub->boot, sizeof(hub->boot), "%016llx", (unsigned long long)boot);
    pthread_mutex_init(&hub->lock, NULL);
    hub->listener = (struct note_listener){.publish = publish, .ctx = hub};
    hub->metrics = metrics;
    hub->ring = mem_new(RING_NOTES * sizeof(*hub->ring));
    hub->org_hash = mem_new(RING_NOTES * sizeof(*hub->org_hash));
    hub->next = 1;
    LIST_INIT(&hub->streams);
    return hub;
}

void stream_hub_free(struct stream_hub *hub)
{
    if (hub == NULL)
        return;
    pthread_mutex_destroy(&hub->lock);
    free(hub->ring);
    free(hub->org_hash);
    free(hub);
}

const struct note_listener *stream_hub_listener(struct stream_hub *hub)
{
    return &hub->listener;
}

void stream_hub_tick(struct stream_hub *hub, int64_t now_ms)
{
    struct stream *stream;

    pthread_mutex_lock(&hub->lock);
    if (now_ms - hub->beat_at_ms >= HEARTBEAT_MS) {
        hub->beat_at_ms = now_ms;
        hub->beat++;
        LIST_FOREACH(stream, &hub->streams, link)
        wake(stream);
    }
    pthread_mutex_unlock(&hub->lock);
}

void stream_hub_close(struct stream_hub *hub)
{
    struct stream *stream;

    pthread_mutex_lock(&hub->lock);
    hub->is_closed = true;
    LIST_FOREACH(stream, &hub->streams, link)
    wake(stream);
    pthread_mutex_unlock(&hub->lock);
}

static void add_id(struct stream *stream, int64_t number)
{
    buf_addf(&stream->out, "id: %s-%lld\n", stream->hub->boot, (long long)number);
}

static void add_event(struct buf *buf, const struct note *note)
{
    member_id(buf, "payload_id", EVENT_ID_PREFIX, note->event_id);
    member_str(buf, "event", event_kind_name(note->event_kind));
    member_str(buf, "type", call_type_name(note->call_type));
    member_i64(buf, "call_id", note->call_id);
}

static void add_attempt(struct buf *buf, const struct note *note)
{
    member_id(buf, "delivery_id", DELIVERY_ID_PREFIX, note->delivery_id);
    member_id(buf, "endpoint_id", ENDPOINT_ID_PREFIX, note->endpoint_id);
    member_id(buf, "payload_id", EVENT_ID_PREFIX, note->event_id);
    member_str(buf, "event", event_kind_name(note->event_kind));
    member_i64(buf, "call_id", note->call_id);
    member_i64(buf, "number", note->number);
    member_str(buf, "state", delivery_state_name(note->state));
    member_i64_or_null(buf, "status_code", note->status);
    member_str(buf, "error", attempt_error_name(note->error));
    member_ms(buf, "duration_ms", note->duration_us);
}

static void add_endpoint(struct buf *buf, const struct note *note)
{
    member_id(buf, "endpoint_id", ENDPOINT_ID_PREFIX, note->endpoint_id);
    member_str(buf, "change", str_from(note->text));
}

static void add_inbox(struct buf *buf, const struct note *note)
{
    member_str(buf, "inbox_id", str_from(note->text));
    member_id(buf, "request_id", INBOX_REQUEST_ID_PREFIX, note->delivery_id);
}

static void add_note(struct stream *stream, const struct note *note, int64_t number)
{
    static const struct {
        const char *name;
        void (*add)(struct buf *buf, const struct note *note);
    } kinds[] = {
            [NOTE_EVENT] = {"event", add_event},
            [NOTE_ATTEMPT] = {"attempt", add_attempt},
            [NOTE_ENDPOINT] = {"endpoint", add_endpoint},
            [NOTE_INBOX] = {"inbox", add_inbox},
    };
    struct buf *out = &stream->out;

    add_id(stream, number);
    buf_addf(out, "event: %s\ndata: {", kinds[note->kind].name);
    kinds[note->kind].add(out, note);
    member_time(out, "at", note->at_ms);
    buf_add_text(out, "}\n\n");
}

/* What a stream has to write now. */
struct reading {
    struct note notes[NOTES_A_READ];
    int64_t numbers[NOTES_A_READ];
    size_t count;
    bool is_lost;
    bool is_beat;
    bool is_closed;
    int64_t seen; /* the number up to which everything has been looked at */
};

/* Copies what is next out of the ring. The lock is held. */
static void look(struct stream *stream, struct reading *reading)
{
    struct stream_hub *hub = stream->hub;

    stream->is_woken = false;
    if (stream->place < hub->next - RING_NOTES)
        stream->is_lost = true;
    reading->is_lost = stream->is_lost;
    if (stream->is_lost)
        stream->place = hub->next;
    stream->is_lost = false;

    for (; stream->place < hub->next && reading->count < NOTES_A_READ; stream->place++) {
        size_t at = (size_t)(stream->place % RING_NOTES);

        if (hub->org_hash[at] != stream->org_hash ||
                strcmp(hub->ring[at].org_id, stream->org_id) != 0)
            continue;
        reading->notes[reading->count] = hub->ring[at];
        reading->numbers[reading->count++] = stream->place;
    }
    reading->seen = stream->place - 1;
    reading->is_beat = stream->beat != hub->beat;
    stream->beat = hub->beat;
    reading->is_closed = hub->is_closed;
}

/* Writes what is next into out, which is empty. False: the stream is over. */
static bool write_next(struct stream *stream)
{
    struct reading reading = {0};

    pthread_mutex_lock(&stream->hub->lock);
    look(stream, &reading);
    pthread_mutex_unlock(&stream->hub->lock);

    if (reading.is_closed)
        return false;
    if (reading.is_lost) {
        add_id(stream, reading.seen);
        buf_add_text(&stream->out, "event: reset\ndata: {}\n\n");
    }
    for (size_t i = 0; i < reading.count; i++)
        add_note(stream, &reading.notes[i], reading.numbers[i]);
    if (reading.is_beat && reading.count == 0) {
        buf_add_text(&stream->out, ":\n");
        add_id(stream, reading.seen);
        buf_add_char(&stream->out, '\n');
    }
    return true;
}

static struct stream *stream_of(const struct http_exchange *x)
{
    const struct request *request = x->owner;

    return request->data;
}

static ptrdiff_t read_stream(struct http_exchange *x, char *ret_bytes, size_t max)
{
    struct stream *stream = stream_of(x);
    struct buf *out = &stream->out;

    if (stream->out_taken == out->len) {
        buf_clear(out);
        stream->out_taken = 0;
        if (!write_next(stream))
            return -1;
    }

    size_t len = out->len - stream->out_taken;
    if (len > max)
        len = max;
    if (len > 0)
        memcpy(ret_bytes, out->ptr + stream->out_taken, len);
    stream->out_taken += len;
    return (ptrdiff_t)len;
}

static void end(struct request *request)
{
    struct stream *stream = request->data;
    struct stream_hub *hub = stream->hub;

    pthread_mutex_lock(&hub->lock);
    LIST_REMOVE(stream, link);
    hub->stream_count--;
    pthread_mutex_unlock(&hub->lock);
    metrics_add(hub->metrics, METRIC_STREAMS_OPEN, -1);
    buf_done(&stream->out);
    free(stream);
}

/* The number after which to go on, from a Last-Event-ID. False: not of this run, or not in the ring
 *  any more. The lock is held. */
static bool find_place(const struct stream_hub *hub, struct str last_id, int64_t *ret_place)
{
    struct str rest = last_id;
    struct str boot = str_split(&rest, '-');
    int64_t number;

    if (!str_is(boot, hub->boot) || !str_to_i64(rest, &number))
        return false;
    if (number < 0 || number >= hub->next || number + 1 < hub->next - RING_NOTES)
        return false;
    *ret_place = number + 1;
    return true;
}

/* Puts the stream among the open ones, at its place. False: there are too many. */
static bool join(struct stream *stream, struct str last_id)
{
    struct stream_hub *hub = stream->hub;

    pthread_mutex_lock(&hub->lock);
    bool has_room = hub->stream_count < STREAMS_MAX && !hub->is_closed;
    if (has_room) {
        stream->place = hub->next;
        stream->beat = hub->beat;
        stream->is_woken = true; /* it reads first of all; only then may it be resumed */
        if (last_id.ptr != NULL)
            stream->is_lost = !find_place(hub, last_id, &stream->place);
        LIST_INSERT_HEAD(&hub->streams, stream, link);
        hub->stream_count++;
    }
    pthread_mutex_unlock(&hub->lock);
    return has_room;
}

void stream_open(struct stream_hub *hub, struct request *request)
{
    struct stream *stream = mem_new(sizeof(*stream));
    struct str last_id = http_exchange_header(request->x, "Last-Event-ID");

    stream->hub = hub;
    stream->x = request->x;
    (void)snprintf(stream->org_id, sizeof(stream->org_id), "%.*s", STR_ARG(request->org_id));
    stream->org_hash = hash_org(stream->org_id);
    if (!join(stream, last_id)) {
        free(stream);
        problem_reply_error(request, ERR_BUSY, NULL);
        return;
    }
    metrics_add(hub->metrics, METRIC_STREAMS_OPEN, 1);
    request->data = stream;
    request->end = end;
    buf_addf(&stream->out, "retry: %d\n", RETRY_MS);
    if (!stream->is_lost)
        add_id(stream, stream->place - 1);
    buf_add_char(&stream->out, '\n');
    http_exchange_reply_stream(request->x, 200, "text/event-stream", read_stream);
    http_exchange_add_header(request->x, "Cache-Control", STR("no-store"));
    /* Proxies of the nginx kind hold an answer back until it ends, unless they are told. */
    http_exchange_add_header(request->x, "X-Accel-Buffering", STR("no"));
}
