/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fetcher - one thread around an http_client, with what it has learnt from the database in memory.
 *
 *          start                body ends            synced             committed
 *   DUE ----------> DOWNLOADING ---------> SETTLING ---------> STORING ----------> forgotten
 *    ^                   |                    |                   |
 *    +---- a try is left + -------------------+-------------------+
 *                        none left -> GIVING_UP: file_status failed -> forgotten
 *
 * A fetch has at most one thing under way. What other threads do for it (recordings, store) ends in
 * an arrival, which the thread handles.
 */
#include "media/fetcher.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <uthash.h>

#include "base/heap.h"
#include "base/mem.h"
#include "domain/audio.h"
#include "domain/limits.h"
#include "store/store_call.h"

enum {
    ACTIVE_MAX = 4,
    KNOWN_MAX = 1024,
    LIST_LIMIT = 100,
    TRIES_MAX = 5,
    TIMEOUT_MS = 15 * 60 * 1000,
    STORE_AGAIN_MS = 60 * 1000,
    LOOK_AGAIN_MS = 60 * 1000, /* a wake that could not be followed is made up for by then */
};

static const int64_t WAITS_MS[TRIES_MAX - 1] = {5000, 30000, 120000, 600000};

enum fetch_state { FETCH_DUE, FETCH_DOWNLOADING, FETCH_SETTLING, FETCH_STORING, FETCH_GIVING_UP };

struct arrival {
    struct arrival *next;
    void (*handle)(struct fetcher *fetcher, struct arrival *arrival);
};

struct fetch {
    struct arrival arrival; /* first */
    struct heap_item due;   /* while FETCH_DUE */
    UT_hash_handle hh;
    struct fetcher *fetcher;
    struct arena arena; /* url */
    int64_t call_id;
    struct str url;
    enum fetch_state state;
    int tries;
    bool hopeless; /* another try would end the same */
    struct http_request request;
    char head[AUDIO_MAGIC_BYTES]; /* the first bytes, until the type is known by them */
    size_t head_len;
    struct upload *upload;
    enum err settled;
    struct arena op_arena;
    struct recording_set set;
    struct error why;
};

struct fetcher {
    struct fetcher_config config;
    pthread_mutex_t lock; /* guards arrivals */
    struct arrival *arrivals;
    pthread_t thread;
    atomic_bool stopping;
    atomic_bool woken;

    /* the thread's */
    struct fetch *fetches; /* by call id */
    struct heap due;
    size_t active_count; /* downloads */
    size_t abroad_count; /* arrivals that are to come */
    bool is_listing;
    bool list_again;
    struct arrival listed;
    struct arena list_arena;
    struct fetch_list list;
};

static int64_t now_ms(const struct fetcher *fetcher)
{
    return clock_wall_ms(fetcher->config.clock);
}

static struct fetch *fetch_of(struct arrival *arrival)
{
    return (struct fetch *)arrival;
}

/* Any thread. It wakes with the lock held: once the last arrival was taken, nobody is inside any
 * more, and the fetcher may be freed. */
static void arrive(struct fetcher *fetcher, struct arrival *arrival)
{
    (void)pthread_mutex_lock(&fetcher->lock);
    arrival->next = fetcher->arrivals;
    fetcher->arrivals = arrival;
    http_client_wake(fetcher->config.client);
    (void)pthread_mutex_unlock(&fetcher->lock);
}

/* ---- a fetch ends, or waits ---- */

static void drop_upload(struct fetch *fetch)
{
    upload_discard(fetch->upload);
    fetch->upload = NULL;
    fetch->head_len = 0;
}

static void forget(struct fetch *fetch)
{
    struct fetcher *fetcher = fetch->fetcher;

    drop_upload(fetch);
    heap_remove(&fetcher->due, &fetch->due);
    HASH_DEL(fetcher->fetches, fetch);
    arena_done(&fetch->op_arena);
    arena_done(&fetch->arena);
    free(fetch);
}

static void wait_until(struct fetch *fetch, int64_t at_ms)
{
    fetch->state = FETCH_DUE;
    heap_set(&fetch->fetcher->due, &fetch->due, at_ms);
}

/* Store thread. */
static void set_done(struct store_op *op)
{
    struct fetch *fetch = op->owner;

    arrive(fetch->fetcher, &fetch->arrival);
}

/* Stores fetch->set; handle runs with its result in set.op.err. */
static void submit_set(struct fetch *fetch,
        void (*handle)(struct fetcher *fetcher, struct arrival *arrival))
{
    struct recording_set *set = &fetch->set;

    arena_done(&fetch->op_arena);
    set->op = (struct store_op){.arena = &fetch->op_arena, .done = set_done, .owner = fetch};
    set->call_id = fetch->call_id;
    set->only_fetch_url = fetch->url;
    fetch->arrival.handle = handle;
    fetch->fetcher->abroad_count++;

    enum err err = store_recording_set(fetch->fetcher->config.store, set);
    if (err != ERR_NONE) {
        set->op.err = err;
        arrive(fetch->fetcher, &fetch->arrival);
    }
}

/* True when nobody waits for this fetch any more: the call is gone, or has other wishes. */
static bool is_unwanted(enum err err)
{
    return err == ERR_CONFLICT || err == ERR_NOT_FOUND;
}

static void gave_up(struct fetcher *fetcher, struct arrival *arrival)
{
    struct fetch *fetch = fetch_of(arrival);
    enum err err = fetch->set.op.err;

    fetcher->abroad_count--;
    if (err == ERR_NONE || is_unwanted(err)) {
        fetcher->list_again = fetcher->list_again || is_unwanted(err);
        forget(fetch);
    } else {
        wait_until(fetch, now_ms(fetcher) + STORE_AGAIN_MS);
    }
}

static void give_up(struct fetch *fetch)
{
    fetch->state = FETCH_GIVING_UP;
    fetch->set = (struct recording_set){.change = RECORDING_STATUS, .status = FILE_FAILED};
    submit_set(fetch, gave_up);
}

/* This try came to nothing; fetch->why says why. */
static void fail_try(struct fetch *fetch)
{
    struct fetcher *fetcher = fetch->fetcher;
    bool is_last = fetch->hopeless || fetch->tries >= TRIES_MAX;

    drop_upload(fetch);
    log_event(fetcher->config.log,
            LOG_WARN,
            is_last ? "recording_fetch_given_up" : "recording_fetch_failed",
            LOG_INT("call", fetch->call_id),
            LOG_INT("try", fetch->tries),
            LOG_TEXT_FIELD("why", fetch->why.text));
    if (is_last)
        give_up(fetch);
    else
        wait_until(fetch, now_ms(fetcher) + WAITS_MS[fetch->tries - 1]);
}

/* ---- storing ---- */

static void stored(struct fetcher *fetcher, struct arrival *arrival)
{
    struct fetch *fetch = fetch_of(arrival);
    const struct recording_set *set = &fetch->set;
    enum err err = set->op.err;

    fetcher->abroad_count--;
    if (err == ERR_NONE) {
        if (str_equal(set->view.call.recording.file, upload_file(fetch->upload))) {
            upload_keep(fetch->upload);
            fetch->upload = NULL;
        }
        recordings_remove(fetcher->config.recordings, set->old_file);
        forget(fetch);
    } else if (is_unwanted(err)) {
        fetcher->list_again = true;
        forget(fetch);
    } else {
        fetch->why = set->op.why;
        fail_try(fetch);
    }
}

static void settled(struct fetcher *fetcher, struct arrival *arrival)
{
    struct fetch *fetch = fetch_of(arrival);

    fetcher->abroad_count--;
    if (fetch->settled != ERR_NONE) {
        fetch->why = *upload_why(fetch->upload);
        fetch->hopeless = fetch->settled == ERR_INVALID;
        fail_try(fetch);
        return;
    }
    fetch->state = FETCH_STORING;
    fetch->set = (struct recording_set){
            .change = RECORDING_FILE,
            .recording =
                    {
                            .file = upload_file(fetch->upload),
                            .content_type = upload_type(fetch->upload),
                            .size_bytes = upload_size_bytes(fetch->upload),
                            .sha256 = upload_sha256_hex(fetch->upload),
                    },
    };
    submit_set(fetch, stored);
}

/* Recordings' thread. */
static void upload_ended(void *ctx, struct upload *upload, enum err err)
{
    struct fetch *fetch = ctx;

    (void)upload;
    fetch->settled = err;
    arrive(fetch->fetcher, &fetch->arrival);
}

/* ---- downloading ---- */

/* The value of Content-Type among "Name: value\n" lines, or none. */
static struct str content_type_of(const struct buf *headers)
{
    struct str rest = buf_str(headers);

    while (rest.ptr != NULL) {
        struct str value = str_split(&rest, '\n');
        struct str name = str_split(&value, ':');

        if (str_equal_nocase(name, STR("Content-Type")))
            return str_trim(value);
    }
    return STR_NONE;
}

/* The type that the server tells when the bytes are of it, else the one that they are of. */
static bool find_type(const struct fetch *fetch, struct str *ret_type)
{
    static const char *const types[] = {"audio/mpeg",
            "audio/wav",
            "audio/ogg",
            "audio/mp4",
            "audio/flac",
            "audio/amr",
            "audio/webm",
            "audio/aac"};
    struct str head = {fetch->head, fetch->head_len};

    if (audio_type_parse(content_type_of(&fetch->request.response_headers), ret_type) &&
            audio_matches(*ret_type, head))
        return true;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        *ret_type = str_from(types[i]);
        if (audio_matches(*ret_type, head))
            return true;
    }
    return false;
}

/* Notes what went wrong with the bytes; the try then ends. */
static bool take(struct fetch *fetch, enum err err)
{
    fetch->hopeless = err == ERR_INVALID || err == ERR_LIMIT;
    return err == ERR_NONE;
}

/* The head is there: it tells the type, and is the file's beginning. */
static bool begin_upload(struct fetch *fetch)
{
    struct str type;

    if (!find_type(fetch, &type))
        return take(fetch,
                error_set(
                        &fetch->why, ERR_INVALID, "what came is no audio of a type that we take"));

    enum err err = upload_begin(
            fetch->fetcher->config.recordings, fetch->call_id, type, &fetch->upload, &fetch->why);
    if (err == ERR_NONE)
        err = upload_write(fetch->upload, (struct str){fetch->head, fetch->head_len}, &fetch->why);
    return take(fetch, err);
}

static bool on_body(struct http_request *request, struct str piece)
{
    struct fetch *fetch = request->owner;

    if (fetch->upload == NULL) {
        struct str head = str_slice(piece, 0, sizeof(fetch->head) - fetch->head_len);

        memcpy(fetch->head + fetch->head_len, head.ptr, head.len);
        fetch->head_len += head.len;
        piece = str_slice(piece, head.len, piece.len);
        if (fetch->head_len < sizeof(fetch->head))
            return true;
        if (!begin_upload(fetch))
            return false;
    }
    return take(fetch, upload_write(fetch->upload, piece, &fetch->why));
}

/* True when the whole file is there, a very short one, too. */
static bool has_file(struct fetch *fetch)
{
    const struct http_request *request = &fetch->request;

    if (request->error != HTTP_OK && request->error != HTTP_OTHER)
        fetch->why.text[0] = '\0'; /* not about the bytes */
    if (request->error != HTTP_OK) {
        if (fetch->why.text[0] == '\0')
            (void)error_set(&fetch->why,
                    ERR_UNAVAILABLE,
                    "%s %s",
                    http_error_name(request->error),
                    request->detail);
        return false;
    }
    if (request->status < 200 || request->status > 299) {
        (void)error_set(
                &fetch->why, ERR_UNAVAILABLE, "it answered %lld", (long long)request->status);
        return false;
    }
    return fetch->upload != NULL || begin_upload(fetch);
}

static void download_done(struct http_request *request)
{
    struct fetch *fetch = request->owner;
    struct fetcher *fetcher = fetch->fetcher;
    bool is_there = has_file(fetch);

    fetcher->active_count--;
    buf_done(&request->response_headers);
    buf_done(&request->response_body);
    if (request->error == HTTP_CANCELLED) {
        forget(fetch);
    } else if (!is_there) {
        fetch->hopeless = fetch->hopeless || request->error == HTTP_FORBIDDEN;
        fail_try(fetch);
    } else {
        fetch->state = FETCH_SETTLING;
        fetch->arrival.handle = settled;
        fetcher->abroad_count++;
        upload_finish(fetch->upload, upload_ended, fetch);
    }
}

static void start(struct fetch *fetch)
{
    static const char *const headers[] = {"Accept: audio/*"};
    struct fetcher *fetcher = fetch->fetcher;

    fetch->state = FETCH_DOWNLOADING;
    fetch->tries++;
    fetch->hopeless = false;
    fetch->why = (struct error){0};
    fetch->request = (struct http_request){
            .method = "GET",
            .url = fetch->url.ptr,
            .header_lines = headers,
            .header_count = 1,
            .timeout_ms = TIMEOUT_MS,
            .on_body = on_body,
            .done = download_done,
            .owner = fetch,
    };
    fetcher->active_count++;
    http_client_start(fetcher->config.client, &fetch->request);
}

/* ---- what is to be fetched ---- */

static void add(struct fetcher *fetcher, const struct fetch_job *job)
{
    struct fetch *fetch = NULL;

    HASH_FIND(hh, fetcher->fetches, &job->call_id, sizeof(job->call_id), fetch);
    if (fetch != NULL)
        return;
    fetch = mem_new(sizeof(*fetch));
    fetch->fetcher = fetcher;
    fetch->call_id = job->call_id;
    fetch->url = arena_str(&fetch->arena, job->url);
    HASH_ADD(hh, fetcher->fetches, call_id, sizeof(fetch->call_id), fetch);
    wait_until(fetch, now_ms(fetcher));
}

/* Store thread. */
static void list_done(struct store_op *op)
{
    struct fetcher *fetcher = op->owner;

    arrive(fetcher, &fetcher->listed);
}

static void listed(struct fetcher *fetcher, struct arrival *arrival);

static void list_after(struct fetcher *fetcher, int64_t call_id)
{
    struct fetch_list *list = &fetcher->list;

    arena_done(&fetcher->list_arena);
    *list = (struct fetch_list){
            .op = {.arena = &fetcher->list_arena, .done = list_done, .owner = fetcher},
            .after_call_id = call_id,
            .limit = LIST_LIMIT,
    };
    fetcher->is_listing = true;
    fetcher->listed.handle = listed;
    fetcher->abroad_count++;

    enum err err = store_fetch_list(fetcher->config.store, list);
    if (err != ERR_NONE) {
        list->op.err = err;
        arrive(fetcher, &fetcher->listed);
    }
}

/* A page came. What there is no room for stays in the database, and is found by a later look. */
static void listed(struct fetcher *fetcher, struct arrival *arrival)
{
    const struct fetch_list *list = &fetcher->list;

    (void)arrival;
    fetcher->abroad_count--;
    fetcher->is_listing = false;
    if (list->op.err != ERR_NONE || atomic_load(&fetcher->stopping))
        return;
    for (size_t i = 0; i < list->count && HASH_COUNT(fetcher->fetches) < KNOWN_MAX; i++)
        add(fetcher, &list->jobs[i]);
    if (list->count == LIST_LIMIT && HASH_COUNT(fetcher->fetches) < KNOWN_MAX)
        list_after(fetcher, list->jobs[list->count - 1].call_id);
}

/* ---- the thread ---- */

static void handle_arrivals(struct fetcher *fetcher)
{
    struct arrival *arrival;

    (void)pthread_mutex_lock(&fetcher->lock);
    arrival = fetcher->arrivals;
    fetcher->arrivals = NULL;
    (void)pthread_mutex_unlock(&fetcher->lock);
    while (arrival != NULL) {
        struct arrival *next = arrival->next;

        arrival->handle(fetcher, arrival);
        arrival = next;
    }
}

static struct fetch *first_due(const struct fetcher *fetcher)
{
    struct heap_item *item = heap_first(&fetcher->due);

    return item == NULL ? NULL : (struct fetch *)((char *)item - offsetof(struct fetch, due));
}

static void start_due(struct fetcher *fetcher)
{
    struct fetch *fetch;

    while (fetcher->active_count < ACTIVE_MAX && (fetch = first_due(fetcher)) != NULL &&
            fetch->due.at_ms <= now_ms(fetcher)) {
        heap_remove(&fetcher->due, &fetch->due);
        if (fetch->hopeless || fetch->tries >= TRIES_MAX)
            give_up(fetch); /* that it failed could not be stored before */
        else
            start(fetch);
    }
}

static int64_t wait_ms(const struct fetcher *fetcher)
{
    const struct fetch *fetch = first_due(fetcher);
    int64_t left = LOOK_AGAIN_MS;

    if (fetch != NULL && fetcher->active_count < ACTIVE_MAX)
        left = fetch->due.at_ms - now_ms(fetcher);
    return left < 0 ? 0 : left < LOOK_AGAIN_MS ? left : LOOK_AGAIN_MS;
}

static void cancel_all(struct fetcher *fetcher)
{
    struct fetch *fetch;
    struct fetch *next;

    HASH_ITER (hh, fetcher->fetches, fetch, next)
        if (fetch->state == FETCH_DOWNLOADING)
            http_client_cancel(fetcher->config.client, &fetch->request);
}

static void *work(void *ctx)
{
    struct fetcher *fetcher = ctx;
    int64_t looked_at_ms = 0;

    (void)pthread_setname_np(pthread_self(), "fetcher");
    while (!atomic_load(&fetcher->stopping)) {
        handle_arrivals(fetcher);

        bool is_time = atomic_exchange(&fetcher->woken, false) || fetcher->list_again ||
                       looked_at_ms + LOOK_AGAIN_MS <= now_ms(fetcher);
        if (is_time && fetcher->is_listing) {
            fetcher->list_again = true;
        } else if (is_time) {
            fetcher->list_again = false;
            looked_at_ms = now_ms(fetcher);
            list_after(fetcher, 0);
        }
        start_due(fetcher);
        http_client_run(fetcher->config.client, wait_ms(fetcher));
    }
    cancel_all(fetcher);
    while (fetcher->active_count > 0 || fetcher->abroad_count > 0) {
        handle_arrivals(fetcher);
        if (fetcher->active_count > 0 || fetcher->abroad_count > 0)
            http_client_run(fetcher->config.client, -1);
    }
    return NULL;
}

static void free_fetcher(struct fetcher *fetcher)
{
    struct fetch *fetch;
    struct fetch *next;

    HASH_ITER (hh, fetcher->fetches, fetch, next)
        forget(fetch);
    http_client_free(fetcher->config.client);
    heap_done(&fetcher->due);
    arena_done(&fetcher->list_arena);
    (void)pthread_mutex_destroy(&fetcher->lock);
    free(fetcher);
}

enum err
fetcher_start(const struct fetcher_config *config, struct fetcher **ret_fetcher, struct error *why)
{
    struct fetcher *fetcher = mem_new(sizeof(*fetcher));

    fetcher->config = *config;
    if (pthread_mutex_init(&fetcher->lock, NULL) != 0)
        abort(); /* only without memory */
    atomic_init(&fetcher->woken, true);
    if (pthread_create(&fetcher->thread, NULL, work, fetcher) != 0) {
        free_fetcher(fetcher);
        return error_set(why, ERR_UNAVAILABLE, "no thread for fetching recordings");
    }
    *ret_fetcher = fetcher;
    return ERR_NONE;
}

void fetcher_wake(struct fetcher *fetcher)
{
    atomic_store(&fetcher->woken, true);
    http_client_wake(fetcher->config.client);
}

void fetcher_stop(struct fetcher *fetcher)
{
    if (fetcher == NULL)
        return;
    atomic_store(&fetcher->stopping, true);
    http_client_wake(fetcher->config.client);
    (void)pthread_join(fetcher->thread, NULL);
    free_fetcher(fetcher);
}
