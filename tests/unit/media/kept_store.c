/* SPDX-License-Identifier: Apache-2.0 */
/* kept_store - the fixture of the media layer's tests. */
#include "kept_store.h"

#include <time.h>

#include "store/store_org.h"

enum { DEADLINE_S = 10 };

static void deliver(void *ctx, struct delivery *first)
{
    (void)ctx;
    (void)first; /* there is no endpoint */
}

static void endpoint_changed(void *ctx, struct endpoint *endpoint, bool deleted)
{
    (void)ctx;
    (void)endpoint;
    (void)deleted;
}

/* This sink has given back, or holds for the test, what it got: there is no queue to look through. */
static void cancelled(void *ctx, int64_t endpoint_id, int64_t delivery_id)
{
    (void)ctx;
    (void)endpoint_id;
    (void)delivery_id;
}

static void publish(void *ctx, const struct note *notes, size_t count)
{
    struct kept_store *kept = ctx;

    pthread_mutex_lock(&kept->lock);
    for (size_t i = 0; i < count; i++)
        kept->event_count += notes[i].kind == NOTE_EVENT ? 1 : 0;
    pthread_cond_broadcast(&kept->changed);
    pthread_mutex_unlock(&kept->lock);
}

static void op_done(struct store_op *op)
{
    struct kept_store *kept = op->owner;

    pthread_mutex_lock(&kept->lock);
    kept->done_count++;
    pthread_cond_broadcast(&kept->changed);
    pthread_mutex_unlock(&kept->lock);
}

/* Waits until *count is at least wanted. */
static void wait_for(struct kept_store *kept, const size_t *count, size_t wanted)
{
    struct timespec deadline;
    int rc = 0;

    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += DEADLINE_S;
    pthread_mutex_lock(&kept->lock);
    while (*count < wanted && rc == 0)
        rc = pthread_cond_timedwait(&kept->changed, &kept->lock, &deadline);
    pthread_mutex_unlock(&kept->lock);
    assert_int_equal(rc, 0);
}

void kept_store_prepare(struct kept_store *kept, struct store_op *op)
{
    op->arena = &kept->arena;
    op->done = op_done;
    op->owner = kept;
}

enum err kept_store_finish(struct kept_store *kept, struct store_op *op, enum err submitted)
{
    assert_int_equal(submitted, ERR_NONE);
    wait_for(kept, &kept->done_count, 1);
    kept->done_count = 0;
    return op->err;
}

void kept_store_wait_events(struct kept_store *kept, size_t count)
{
    wait_for(kept, &kept->event_count, count);
}

int kept_store_set_up(void **state)
{
    static const uint8_t key[SECRET_KEY_BYTES] = {1, 2, 3};
    struct kept_store *kept = calloc(1, sizeof(*kept));
    struct org_create org = {.id = STR(KEPT_ORG), .name = STR("Org"), .token_name = STR("t")};
    struct error why = {0};

    temp_folder_init(&kept->folder);
    clock_virtual_init(&kept->clock, KEPT_START_MS);
    pthread_mutex_init(&kept->lock, NULL);
    pthread_cond_init(&kept->changed, NULL);
    kept->sink = (struct delivery_sink){deliver, endpoint_changed, cancelled, kept};
    kept->listener = (struct note_listener){publish, kept};

    const struct store_config config = {
            .path = temp_folder_path(&kept->folder, "callsync.db"),
            .public_url = "http://callsync.test",
            .seal_key = key,
            .link_key = key,
            .clock = &kept->clock.clock,
            .metrics = &kept->metrics,
            .sink = &kept->sink,
            .listener = &kept->listener,
            .retention_days = 30,
    };
    assert_int_equal(store_open(&config, &kept->store, &why), ERR_NONE);
    assert_int_equal(store_start(kept->store, &why), ERR_NONE);
    assert_int_equal(
            recordings_open(
                    temp_folder_path(&kept->folder, "recordings"), NULL, &kept->recordings, &why),
            ERR_NONE);
    assert_int_equal(KEPT_RUN(kept, store_org_create, &org), ERR_NONE);
    *state = kept;
    return 0;
}

int kept_store_tear_down(void **state)
{
    struct kept_store *kept = *state;

    recordings_close(kept->recordings);
    store_drain(kept->store);
    store_stop(kept->store);
    store_close(kept->store);
    pthread_cond_destroy(&kept->changed);
    pthread_mutex_destroy(&kept->lock);
    arena_done(&kept->arena);
    temp_folder_done(&kept->folder);
    free(kept);
    return 0;
}

int64_t kept_store_make_call(struct kept_store *kept)
{
    struct call_draft draft = {
            .type = CALL_INCOMING,
            .phone = STR("+919876543210"),
            .recording_expected = true,
    };
    struct call_create create = {.org_id = STR(KEPT_ORG), .drafts = &draft, .draft_count = 1};

    assert_int_equal(KEPT_RUN(kept, store_call_create, &create), ERR_NONE);
    return draft.call_id;
}

struct recording_get kept_store_recording(struct kept_store *kept, int64_t call_id)
{
    struct recording_get get = {.call_id = call_id};

    assert_int_equal(KEPT_RUN(kept, store_recording_get, &get), ERR_NONE);
    return get;
}
