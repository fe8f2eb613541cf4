/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of net/resolver: literals, the cache, sharing of lookups, caps, and the end. */
#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "net/resolver.h"

enum { DEADLINE_S = 10 };

/** What the lookup double and the test share; a lookup has no context of its own. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool gate_closed; /* lookups wait while it is */
    int lookups;
    int done;
    struct resolver_answer last;
} shared = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void lookup_double(const char *host, struct resolver_answer *ret_answer)
{
    struct sockaddr_in *address = (struct sockaddr_in *)&ret_answer->addresses[0];

    (void)pthread_mutex_lock(&shared.lock);
    shared.lookups++;
    (void)pthread_cond_broadcast(&shared.changed);
    while (shared.gate_closed)
        (void)pthread_cond_wait(&shared.changed, &shared.lock);
    (void)pthread_mutex_unlock(&shared.lock);
    if (strcmp(host, "missing.example") == 0) {
        ret_answer->err = ERR_NOT_FOUND;
        return;
    }
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(0xcb007107); /* 203.0.113.7 */
    ret_answer->err = ERR_NONE;
    ret_answer->count = 1;
}

static void note_done(void *ctx, const struct resolver_answer *answer)
{
    (void)ctx;
    (void)pthread_mutex_lock(&shared.lock);
    shared.done++;
    shared.last = *answer;
    (void)pthread_cond_broadcast(&shared.changed);
    (void)pthread_mutex_unlock(&shared.lock);
}

static void wait_for(const int *count, int target)
{
    struct timespec until;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += DEADLINE_S;
    (void)pthread_mutex_lock(&shared.lock);
    while (*count < target)
        if (pthread_cond_timedwait(&shared.changed, &shared.lock, &until) != 0)
            break;
    if (*count < target) {
        (void)pthread_mutex_unlock(&shared.lock);
        fail_msg("waited for %d in vain", target);
    }
    (void)pthread_mutex_unlock(&shared.lock);
}

static void set_gate(bool closed)
{
    (void)pthread_mutex_lock(&shared.lock);
    shared.gate_closed = closed;
    (void)pthread_cond_broadcast(&shared.changed);
    (void)pthread_mutex_unlock(&shared.lock);
}

static int set_up(void **state)
{
    (void)state;
    (void)pthread_mutex_lock(&shared.lock);
    shared.gate_closed = false;
    shared.lookups = 0;
    shared.done = 0;
    memset(&shared.last, 0, sizeof(shared.last));
    (void)pthread_mutex_unlock(&shared.lock);
    return 0;
}

static void literals_answer_at_once(void **state)
{
    struct resolver *resolver = resolver_new(1, lookup_double);
    struct resolver_answer answer;

    (void)state;
    assert_true(resolver_find(resolver, "127.0.0.1", &answer, note_done, NULL));
    assert_int_equal(answer.err, ERR_NONE);
    assert_int_equal(answer.count, 1);
    assert_int_equal(answer.addresses[0].ss_family, AF_INET);
    assert_int_equal(((const struct sockaddr_in *)&answer.addresses[0])->sin_addr.s_addr,
            htonl(INADDR_LOOPBACK));
    assert_true(resolver_find(resolver, "::1", &answer, note_done, NULL));
    assert_int_equal(answer.addresses[0].ss_family, AF_INET6);
    resolver_free(resolver);
    assert_int_equal(shared.lookups, 0);
}

static void an_answer_is_kept(void **state)
{
    struct resolver *resolver = resolver_new(2, lookup_double);
    struct resolver_answer answer = {0};

    (void)state;
    assert_false(resolver_find(resolver, "a.example", &answer, note_done, NULL));
    wait_for(&shared.done, 1);
    assert_int_equal(shared.last.err, ERR_NONE);
    assert_int_equal(shared.last.count, 1);
    assert_true(resolver_find(resolver, "a.example", &answer, note_done, NULL));
    assert_int_equal(answer.err, ERR_NONE);
    assert_memory_equal(
            &answer.addresses[0], &shared.last.addresses[0], sizeof(answer.addresses[0]));
    resolver_free(resolver);
    assert_int_equal(shared.lookups, 1);
    assert_int_equal(shared.done, 1);
}

static void a_failure_is_kept_too(void **state)
{
    struct resolver *resolver = resolver_new(1, lookup_double);
    struct resolver_answer answer = {0};

    (void)state;
    assert_false(resolver_find(resolver, "missing.example", &answer, note_done, NULL));
    wait_for(&shared.done, 1);
    assert_true(resolver_find(resolver, "missing.example", &answer, note_done, NULL));
    assert_int_equal(answer.err, ERR_NOT_FOUND);
    resolver_free(resolver);
    assert_int_equal(shared.lookups, 1);
}

static void those_who_ask_at_once_share_a_lookup(void **state)
{
    struct resolver *resolver = resolver_new(2, lookup_double);
    struct resolver_answer answer;

    (void)state;
    set_gate(true);
    for (int i = 0; i < 5; i++)
        assert_false(resolver_find(resolver, "a.example", &answer, note_done, NULL));
    set_gate(false);
    wait_for(&shared.done, 5);
    resolver_free(resolver);
    assert_int_equal(shared.lookups, 1);
    assert_int_equal(shared.done, 5);
}

static void a_slow_name_does_not_hold_up_a_cached_one(void **state)
{
    struct resolver *resolver = resolver_new(1, lookup_double);
    struct resolver_answer answer;

    (void)state;
    assert_false(resolver_find(resolver, "fast.example", &answer, note_done, NULL));
    wait_for(&shared.done, 1);
    set_gate(true);
    assert_false(resolver_find(resolver, "slow.example", &answer, note_done, NULL));
    wait_for(&shared.lookups, 2);
    assert_true(resolver_find(resolver, "fast.example", &answer, note_done, NULL));
    set_gate(false);
    resolver_free(resolver);
    assert_int_equal(shared.done, 2);
}

static void too_many_names_are_refused_as_busy(void **state)
{
    struct resolver *resolver = resolver_new(1, lookup_double);
    struct resolver_answer answer;
    char host[32];
    int queued = 0;

    (void)state;
    set_gate(true);
    assert_false(resolver_find(resolver, "first.example", &answer, note_done, NULL));
    wait_for(&shared.lookups, 1); /* out of the queue, at the thread */
    for (; queued < 2000; queued++) {
        (void)snprintf(host, sizeof(host), "h%d.example", queued);
        if (resolver_find(resolver, host, &answer, note_done, NULL))
            break;
    }
    assert_int_equal(queued, 1000);
    assert_int_equal(answer.err, ERR_BUSY);
    set_gate(false);
    resolver_free(resolver);
    assert_int_equal(shared.done, 1001); /* each was told, by an answer or by the end */
}

static void the_end_tells_those_who_still_wait(void **state)
{
    struct resolver *resolver = resolver_new(0, lookup_double);
    struct resolver_answer answer;

    (void)state;
    assert_false(resolver_find(resolver, "a.example", &answer, note_done, NULL));
    resolver_free(resolver);
    assert_int_equal(shared.done, 1);
    assert_int_equal(shared.last.err, ERR_CANCELLED);
}

static void an_impossible_host_is_not_found(void **state)
{
    struct resolver *resolver = resolver_new(0, lookup_double);
    struct resolver_answer answer;
    char host[RESOLVER_HOST_SIZE + 1];

    (void)state;
    memset(host, 'a', sizeof(host));
    host[RESOLVER_HOST_SIZE] = '\0';
    assert_true(resolver_find(resolver, host, &answer, note_done, NULL));
    assert_int_equal(answer.err, ERR_NOT_FOUND);
    assert_true(resolver_find(resolver, "", &answer, note_done, NULL));
    assert_int_equal(answer.err, ERR_NOT_FOUND);
    resolver_free(resolver);
}

static void the_system_knows_localhost(void **state)
{
    struct resolver *resolver = resolver_new(1, NULL);
    struct resolver_answer answer;

    (void)state;
    assert_false(resolver_find(resolver, "localhost", &answer, note_done, NULL));
    wait_for(&shared.done, 1);
    assert_int_equal(shared.last.err, ERR_NONE);
    assert_true(shared.last.count >= 1);
    resolver_free(resolver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup(literals_answer_at_once, set_up),
            cmocka_unit_test_setup(an_answer_is_kept, set_up),
            cmocka_unit_test_setup(a_failure_is_kept_too, set_up),
            cmocka_unit_test_setup(those_who_ask_at_once_share_a_lookup, set_up),
            cmocka_unit_test_setup(a_slow_name_does_not_hold_up_a_cached_one, set_up),
            cmocka_unit_test_setup(too_many_names_are_refused_as_busy, set_up),
            cmocka_unit_test_setup(the_end_tells_those_who_still_wait, set_up),
            cmocka_unit_test_setup(an_impossible_host_is_not_found, set_up),
            cmocka_unit_test_setup(the_system_knows_localhost, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
