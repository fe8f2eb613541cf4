/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolver - a table of names under one lock. A name is either being looked up, with those who wait for it
 * in a list, or it has an answer that is good until a moment. Several who ask for the same name
 * at once share one lookup.
 */
#include "net/resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

/* The default one falls through switch labels without saying so. */
#define HASH_FUNCTION(key, len, hash) HASH_OAT(key, len, hash)
#include <uthash.h>

#include "base/clock.h"
#include "base/mem.h"

enum {
    NAMES_MAX = 10000,
    QUEUE_MAX = 1000,
    GOOD_FOR_US = 30 * 1000 * 1000,
    FAILURE_FOR_US = 2 * 1000 * 1000,
};

struct waiter {
    SLIST_ENTRY(waiter) link;
    resolver_done *done;
    void *ctx;
};
SLIST_HEAD(waiter_list, waiter);

struct name {
    UT_hash_handle hh;
    STAILQ_ENTRY(name) queue_link;
    char host[RESOLVER_HOST_SIZE];
    bool pending; /* in the queue or at a thread; then not to be freed */
    int64_t good_until_us;
    struct resolver_answer answer;
    struct waiter_list waiters;
};

struct resolver {
    resolver_lookup *lookup;
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t has_work;
    bool stopping;
    struct name *names;
    STAILQ_HEAD(, name) queue;
    size_t queue_count;
    unsigned thread_count;
    pthread_t threads[];
};

static void copy_answer(struct resolver_answer *to, const struct resolver_answer *from)
{
    /* Only what is filled: an answer is 2 KiB, nearly all of it empty. */
    to->err = from->err;
    to->count = from->count;
    memcpy(to->addresses, from->addresses, from->count * sizeof(from->addresses[0]));
}

static bool read_literal(const char *host, struct resolver_answer *ret_answer)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

    memset(&ret_answer->addresses[0], 0, sizeof(ret_answer->addresses[0]));
    if (inet_pton(AF_INET, host, &v4.sin_addr) == 1)
        memcpy(&ret_answer->addresses[0], &v4, sizeof(v4));
    else if (inet_pton(AF_INET6, host, &v6.sin6_addr) == 1)
        memcpy(&ret_answer->addresses[0], &v6, sizeof(v6));
    else
        return false;
    ret_answer->err = ERR_NONE;
    ret_answer->count = 1;
    return true;
}

static void lookup_by_system(const char *host, struct resolver_answer *ret_answer)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    int code = getaddrinfo(host, NULL, &hints, &found);

    ret_answer->count = 0;
    for (struct addrinfo *i = found; i != NULL && ret_answer->count < RESOLVER_ADDRESSES_MAX;
            i = i->ai_next) {
        struct sockaddr_storage *address = &ret_answer->addresses[ret_answer->count];

        if (i->ai_family != AF_INET && i->ai_family != AF_INET6)
            continue;
        memset(address, 0, sizeof(*address));
        memcpy(address, i->ai_addr, i->ai_addrlen);
        ret_answer->count++;
    }
    if (found != NULL)
        freeaddrinfo(found);
    if (code == 0)
        ret_answer->err = ret_answer->count > 0 ? ERR_NONE : ERR_NOT_FOUND;
    else
        ret_answer->err = code == EAI_NONAME || code == EAI_NODATA || code == EAI_ADDRFAMILY
                                  ? ERR_NOT_FOUND
                                  : ERR_UNAVAILABLE;
}

static void tell(struct waiter_list *waiters, const struct resolver_answer *answer)
{
    struct waiter *waiter;

    while ((waiter = SLIST_FIRST(waiters)) != NULL) {
        SLIST_REMOVE_HEAD(waiters, link);
        waiter->done(waiter->ctx, answer);
        free(waiter);
    }
}

/* Called and returns with the lock held. */
static void look_up_next(struct resolver *resolver)
{
    struct name *name = STAILQ_FIRST(&resolver->queue);
    struct waiter_list waiters;
    struct resolver_answer answer = {.err = ERR_UNAVAILABLE};

    STAILQ_REMOVE_HEAD(&resolver->queue, queue_link);
    resolver->queue_count--;
    (void)pthread_mutex_unlock(&resolver->lock);

    resolver->lookup(name->host, &answer);

    (void)pthread_mutex_lock(&resolver->lock);
    copy_answer(&name->answer, &answer);
    name->good_until_us =
            clock_mono_us(clock_real()) + (answer.err == ERR_NONE ? GOOD_FOR_US : FAILURE_FOR_US);
    name->pending = false;
    waiters = name->waiters;
    SLIST_INIT(&name->waiters);
    (void)pthread_mutex_unlock(&resolver->lock);

    tell(&waiters, &answer);
    (void)pthread_mutex_lock(&resolver->lock);
}

static void *work(void *ctx)
{
    struct resolver *resolver = (struct resolver *)ctx;

    (void)pthread_setname_np(pthread_self(), "resolver");
    (void)pthread_mutex_lock(&resolver->lock);
    while (!resolver->stopping)
        if (STAILQ_EMPTY(&resolver->queue))
            (void)pthread_cond_wait(&resolver->has_work, &resolver->lock);
        else
            look_up_next(resolver);
    (void)pthread_mutex_unlock(&resolver->lock);
    return NULL;
}

struct resolver *resolver_new(unsigned threads, resolver_lookup *lookup)
{
    struct resolver *resolver =
            (struct resolver *)mem_new(sizeof(*resolver) + threads * sizeof(pthread_t));

    resolver->lookup = lookup != NULL ? lookup : lookup_by_system;
    (void)pthread_mutex_init(&resolver->lock, NULL);
    (void)pthread_cond_init(&resolver->has_work, NULL);
    STAILQ_INIT(&resolver->queue);
    for (unsigned i = 0; i < threads; i++)
        if (pthread_create(&resolver->threads[resolver->thread_count], NULL, work, resolver) == 0)
            resolver->thread_count++;
    return resolver;
}

void resolver_free(struct resolver *resolver)
{
    static const struct resolver_answer cancelled = {.err = ERR_CANCELLED};
    struct name *name;
    struct name *next;

    if (resolver == NULL)
        return;
    (void)pthread_mutex_lock(&resolver->lock);
    resolver->stopping = true;
    (void)pthread_cond_broadcast(&resolver->has_work);
    (void)pthread_mutex_unlock(&resolver->lock);
    for (unsigned i = 0; i < resolver->thread_count; i++)
        (void)pthread_join(resolver->threads[i], NULL);
    HASH_ITER (hh, resolver->names, name, next) {
        HASH_DEL(resolver->names, name);
        tell(&name->waiters, &cancelled);
        free(name);
    }
    (void)pthread_cond_destroy(&resolver->has_work);
    (void)pthread_mutex_destroy(&resolver->lock);
    free(resolver);
}

/* Makes room by forgetting the name that has been in the table for longest. */
static void forget_oldest(struct resolver *resolver)
{
    struct name *name;
    struct name *next;

    HASH_ITER (hh, resolver->names, name, next) {
        if (!name->pending) {
            HASH_DEL(resolver->names, name);
            free(name);
            return;
        }
    }
}

static struct name *add_name(struct resolver *resolver, const char *host, size_t len)
{
    struct name *name = (struct name *)mem_new(sizeof(*name));

    if (HASH_COUNT(resolver->names) >= NAMES_MAX)
        forget_oldest(resolver);
    memcpy(name->host, host, len);
    SLIST_INIT(&name->waiters);
    HASH_ADD_KEYPTR(hh, resolver->names, name->host, len, name);
    return name;
}

/* Called with the lock held. True: answered. */
static bool find_or_queue(struct resolver *resolver,
        const char *host,
        struct resolver_answer *ret_answer,
        resolver_done *done,
        void *ctx)
{
    size_t len = strlen(host);
    struct waiter *waiter;
    struct name *name;

    HASH_FIND(hh, resolver->names, host, len, name);
    if (name != NULL && !name->pending && clock_mono_us(clock_real()) < name->good_until_us) {
        copy_answer(ret_answer, &name->answer);
        return true;
    }
    if (name == NULL || !name->pending) {
        if (resolver->queue_count >= QUEUE_MAX) {
            ret_answer->err = ERR_BUSY;
            ret_answer->count = 0;
            return true;
        }
        if (name == NULL)
            name = add_name(resolver, host, len);
        name->pending = true;
        STAILQ_INSERT_TAIL(&resolver->queue, name, queue_link);
        resolver->queue_count++;
        (void)pthread_cond_signal(&resolver->has_work);
    }
    waiter = (struct waiter *)mem_new(sizeof(*waiter));
    waiter->done = done;
    waiter->ctx = ctx;
    SLIST_INSERT_HEAD(&name->waiters, waiter, link);
    return false;
}

bool resolver_find(struct resolver *resolver,
        const char *host,
        struct resolver_answer *ret_answer,
        resolver_done *done,
        void *ctx)
{
    bool answered;

    if (read_literal(host, ret_answer))
        return true;
    if (host[0] == '\0' || strlen(host) >= RESOLVER_HOST_SIZE) {
        ret_answer->err = ERR_NOT_FOUND;
        ret_answer->count = 0;
        return true;
    }
    (void)pthread_mutex_lock(&resolver->lock);
    answered = find_or_queue(resolver, host, ret_answer, done, ctx);
    (void)pthread_mutex_unlock(&resolver->lock);
    return answered;
}
