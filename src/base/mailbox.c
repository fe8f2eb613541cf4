/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mailbox - a singly linked list under a mutex.
 *
 * The taker says when it sleeps, so that a post costs no system call while it is busy; one signal
 * is sent for each sleep. Signals and wake calls come after the lock is given back, so that the
 * woken thread does not run into it.
 */
#include "base/mailbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"

struct mailbox {
    pthread_mutex_t lock; /* guards all below but the constants */
    pthread_cond_t filled;
    struct mail *first;
    struct mail **end; /* where the next mail is hung */
    size_t count;
    bool has_sleeper;
    bool is_closed;

    /* Constant. */
    size_t max_count;
    mailbox_wake *wake;
    void *wake_ctx;
};

struct mailbox *mailbox_new(size_t max_count, mailbox_wake *wake, void *wake_ctx)
{
    struct mailbox *mailbox = mem_new(sizeof(*mailbox));
    pthread_condattr_t attr;

    mailbox->end = &mailbox->first;
    mailbox->max_count = max_count;
    mailbox->wake = wake;
    mailbox->wake_ctx = wake_ctx;
    if (pthread_mutex_init(&mailbox->lock, NULL) != 0 || pthread_condattr_init(&attr) != 0 ||
            pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) != 0 ||
            pthread_cond_init(&mailbox->filled, &attr) != 0)
        abort(); /* only without memory */
    (void)pthread_condattr_destroy(&attr);
    return mailbox;
}

void mailbox_free(struct mailbox *mailbox)
{
    if (mailbox == NULL)
        return;
    (void)pthread_cond_destroy(&mailbox->filled);
    (void)pthread_mutex_destroy(&mailbox->lock);
    free(mailbox);
}

static void lock(struct mailbox *mailbox)
{
    (void)pthread_mutex_lock(&mailbox->lock);
}

/* What to do once the lock is given back. */
struct wakeup {
    bool signal;
    bool wake;
};

static void unlock_and_wake(struct mailbox *mailbox, struct wakeup wakeup)
{
    (void)pthread_mutex_unlock(&mailbox->lock);
    if (wakeup.signal)
        (void)pthread_cond_signal(&mailbox->filled);
    if (wakeup.wake && mailbox->wake != NULL)
        mailbox->wake(mailbox->wake_ctx);
}

/* Lock held. The sleeper is woken once: who posts next need not. */
static bool rouse(struct mailbox *mailbox)
{
    bool has_sleeper = mailbox->has_sleeper;

    mailbox->has_sleeper = false;
    return has_sleeper;
}

/* Lock held. */
static struct wakeup
append(struct mailbox *mailbox, struct mail *first, struct mail *last, size_t count)
{
    struct wakeup wakeup = {.signal = rouse(mailbox), .wake = mailbox->first == NULL};

    last->next = NULL;
    *mailbox->end = first;
    mailbox->end = &last->next;
    mailbox->count += count;
    return wakeup;
}

enum err mailbox_post(struct mailbox *mailbox, struct mail *mail)
{
    struct wakeup wakeup = {0};
    enum err err = ERR_NONE;

    lock(mailbox);
    if (mailbox->is_closed)
        err = ERR_CANCELLED;
    else if (mailbox->max_count > 0 && mailbox->count >= mailbox->max_count)
        err = ERR_BUSY;
    else
        wakeup = append(mailbox, mail, mail, 1);
    unlock_and_wake(mailbox, wakeup);
    return err;
}

bool mailbox_post_always(struct mailbox *mailbox, struct mail *first)
{
    struct wakeup wakeup = {0};
    struct mail *last = first;
    size_t count = 1;
    bool is_open;

    while (last != NULL && last->next != NULL) {
        last = last->next;
        count++;
    }
    lock(mailbox);
    is_open = !mailbox->is_closed;
    if (is_open && first != NULL)
        wakeup = append(mailbox, first, last, count);
    unlock_and_wake(mailbox, wakeup);
    return is_open;
}

static struct timespec deadline_in(int64_t timeout_ms)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += (time_t)(timeout_ms / 1000);
    at.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (at.tv_nsec >= 1000000000) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000;
    }
    return at;
}

/* Lock held. Sleeps until there is mail, or it is closed, or the time is over. */
static void wait_for_mail(struct mailbox *mailbox, int64_t timeout_ms)
{
    struct timespec deadline = {0};
    int rc = 0;

    if (timeout_ms > 0)
        deadline = deadline_in(timeout_ms);
    while (mailbox->first == NULL && !mailbox->is_closed && rc != ETIMEDOUT) {
        mailbox->has_sleeper = true;
        rc = timeout_ms < 0 ? pthread_cond_wait(&mailbox->filled, &mailbox->lock)
                            : pthread_cond_timedwait(&mailbox->filled, &mailbox->lock, &deadline);
    }
    mailbox->has_sleeper = false;
}

struct mail *mailbox_take(struct mailbox *mailbox, int64_t timeout_ms)
{
    struct mail *first;

    lock(mailbox);
    if (timeout_ms != 0)
        wait_for_mail(mailbox, timeout_ms);
    first = mailbox->first;
    mailbox->first = NULL;
    mailbox->end = &mailbox->first;
    mailbox->count = 0;
    (void)pthread_mutex_unlock(&mailbox->lock);
    return first;
}

void mailbox_close(struct mailbox *mailbox)
{
    struct wakeup wakeup;

    lock(mailbox);
    wakeup = (struct wakeup){.signal = rouse(mailbox), .wake = !mailbox->is_closed};
    mailbox->is_closed = true;
    unlock_and_wake(mailbox, wakeup);
}

bool mailbox_is_closed(struct mailbox *mailbox)
{
    bool is_closed;

    lock(mailbox);
    is_closed = mailbox->is_closed;
    (void)pthread_mutex_unlock(&mailbox->lock);
    return is_closed;
}

size_t mailbox_count(struct mailbox *mailbox)
{
    size_t count;

    lock(mailbox);
    count = mailbox->count;
    (void)pthread_mutex_unlock(&mailbox->lock);
    return count;
}
