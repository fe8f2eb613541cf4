/* SPDX-License-Identifier: Apache-2.0 */
/* timers - a heap of moments behind a mutex. */
#include "api/timers.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"

struct timers {
    pthread_mutex_t lock;
    struct heap heap; /* of struct timer, by their first member */
    bool is_drained;
};

struct timers *timers_new(void)
{
    struct timers *timers = mem_new(sizeof(*timers));

    pthread_mutex_init(&timers->lock, NULL);
    return timers;
}

void timers_free(struct timers *timers)
{
    if (timers == NULL)
        return;
    assert(timers->heap.count == 0);
    heap_done(&timers->heap);
    pthread_mutex_destroy(&timers->lock);
    free(timers);
}

bool timers_add(struct timers *timers, struct timer *timer, int64_t at_ms)
{
    pthread_mutex_lock(&timers->lock);
    bool has_room = !timers->is_drained && timers->heap.count < TIMERS_MAX;
    if (has_room)
        heap_set(&timers->heap, &timer->due, at_ms);
    pthread_mutex_unlock(&timers->lock);
    return has_room;
}

/* Takes the earliest timer out, when it is due by then; NULL else. */
static struct timer *take_due(struct timers *timers, int64_t now_ms)
{
    struct heap_item *item;

    pthread_mutex_lock(&timers->lock);
    item = heap_first(&timers->heap);
    if (item != NULL && item->at_ms <= now_ms)
        heap_remove(&timers->heap, item);
    else
        item = NULL;
    pthread_mutex_unlock(&timers->lock);
    return (struct timer *)item;
}

void timers_tick(struct timers *timers, int64_t now_ms)
{
    struct timer *timer;

    while ((timer = take_due(timers, now_ms)) != NULL)
        timer->fire(timer);
}

void timers_drain(struct timers *timers)
{
    pthread_mutex_lock(&timers->lock);
    timers->is_drained = true;
    pthread_mutex_unlock(&timers->lock);
    timers_tick(timers, INT64_MAX);
}
