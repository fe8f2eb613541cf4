/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kept_store - a store on threads of its own with one org, for tests of what the media layer keeps.
 * Operations are run and waited for; events are counted as their notes come.
 */
#pragma once

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/metrics.h"
#include "media/recordings.h"
#include "store/store_call.h"
#include "support/temp_folder.h"

#define KEPT_ORG      "org_a"
#define KEPT_START_MS INT64_C(1777377493000)

struct kept_store {
    struct temp_folder folder;
    struct clock_virtual clock;
    struct metrics metrics;
    struct delivery_sink sink;
    struct note_listener listener;
    struct store *store;
    struct recordings *recordings;
    struct arena arena; /* what operations give */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t done_count;
    size_t event_count;
};

int kept_store_set_up(void **state);
int kept_store_tear_down(void **state);
/** Readies an op; then submit it and call kept_store_finish(). */
void kept_store_prepare(struct kept_store *kept, struct store_op *op);
/** Waits for the op, and gives its error. */
enum err kept_store_finish(struct kept_store *kept, struct store_op *op, enum err submitted);
#define KEPT_RUN(kept, verb, noun)                                                                 \
    (kept_store_prepare((kept), &(noun)->op),                                                      \
            kept_store_finish((kept), &(noun)->op, verb((kept)->store, (noun))))
/** Logs an answered call and gives its id. */
int64_t kept_store_make_call(struct kept_store *kept);
/** What the store knows of the call's recording. */
struct recording_get kept_store_recording(struct kept_store *kept, int64_t call_id);
/** Waits until so many events were emitted in all; fails after 10 s. */
void kept_store_wait_events(struct kept_store *kept, size_t count);

#define KEPT_TEST(name)                                                                            \
    cmocka_unit_test_setup_teardown(name, kept_store_set_up, kept_store_tear_down)
