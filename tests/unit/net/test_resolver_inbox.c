/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of net/resolver_inbox: answers come to the loop, forgotten ones do not, and a lookup
 * may end after its inbox. */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/resolver_inbox.h"

enum { DEADLINE_MS = 10000 };

/** Lookups wait while it is closed. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool closed;
} gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void set_gate(bool closed)
{
    (void)pthread_mutex_lock(&gate.lock);
    gate.closed = closed;
    (void)pthread_cond_broadcast(&gate.changed);
    (void)pthread_mutex_unlock(&gate.lock);
}

static void lookup_double(const char *host, struct resolver_answer *ret_answer)
{
    (void)host;
    (void)pthread_mutex_lock(&gate.lock);
    while (gate.closed)
        (void)pthread_cond_wait(&gate.changed, &gate.lock);
    (void)pthread_mutex_unlock(&gate.lock);
    ret_answer->err = ERR_NONE;
    ret_answer->count = 1;
    ret_answer->addresses[0].ss_family = AF_INET;
}

static bool is_readable(const struct resolver_inbox *inbox, int timeout_ms)
{
    struct pollfd poll_fd = {.fd = resolver_inbox_fd(inbox), .events = POLLIN};

    return poll(&poll_fd, 1, timeout_ms) == 1;
}

static void count_answer(void *asker, const struct resolver_answer *answer)
{
    assert_int_equal(answer->err, ERR_NONE);
    (*(int *)asker)++;
}

static void an_answer_makes_the_descriptor_readable(void **state)
{
    struct resolver *resolver = resolver_new(1, lookup_double);
    struct resolver_inbox *inbox = resolver_inbox_new(resolver);
    struct resolver_answer answer;
    int count = 0;

    (void)state;
    assert_non_null(resolver_inbox_ask(inbox, "a.example", &count, &answer));
    assert_true(is_readable(inbox, DEADLINE_MS));
    resolver_inbox_silence(inbox);
    assert_false(is_readable(inbox, 0));
    resolver_inbox_take(inbox, count_answer);
    assert_int_equal(count, 1);
    /* Now it is known, and so is an address. */
    assert_null(resolver_inbox_ask(inbox, "a.example", &count, &answer));
    assert_int_equal(answer.count, 1);
    assert_null(resolver_inbox_ask(inbox, "127.0.0.1", &count, &answer));
    resolver_inbox_take(inbox, count_answer);
    assert_int_equal(count, 1);
    resolver_inbox_close(inbox);
    resolver_free(resolver);
}

static void a_forgotten_question_is_not_answered(void **state)
{
    struct resolver *resolver = resolver_new(1, lookup_double);
    struct resolver_inbox *inbox = resolver_inbox_new(resolver);
    struct resolver_answer answer;
    int count = 0;

    (void)state;
    resolver_question_forget(resolver_inbox_ask(inbox, "a.example", &count, &answer));
    resolver_question_forget(NULL);
    assert_true(is_readable(inbox, DEADLINE_MS));
    resolver_inbox_take(inbox, count_answer);
    assert_int_equal(count, 0);
    resolver_inbox_close(inbox);
    resolver_free(resolver);
}

static void a_lookup_may_end_after_its_inbox(void **state)
{
    struct resolver *resolver = resolver_new(1, lookup_double);
    struct resolver_inbox *inbox = resolver_inbox_new(resolver);
    struct resolver_answer answer;
    int count = 0;

    (void)state;
    set_gate(true);
    assert_non_null(resolver_inbox_ask(inbox, "a.example", &count, &answer));
    resolver_inbox_close(inbox);
    resolver_inbox_close(NULL);
    set_gate(false);
    resolver_free(resolver);
    assert_int_equal(count, 0);
}

static void a_ring_wakes_until_it_is_silenced(void **state)
{
    struct resolver *resolver = resolver_new(0, lookup_double);
    struct resolver_inbox *inbox = resolver_inbox_new(resolver);

    (void)state;
    assert_false(is_readable(inbox, 0));
    resolver_inbox_ring(inbox);
    resolver_inbox_ring(inbox);
    assert_true(is_readable(inbox, 0));
    resolver_inbox_silence(inbox);
    assert_false(is_readable(inbox, 0));
    resolver_inbox_close(inbox);
    resolver_free(resolver);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(an_answer_makes_the_descriptor_readable),
            cmocka_unit_test(a_forgotten_question_is_not_answered),
            cmocka_unit_test(a_lookup_may_end_after_its_inbox),
            cmocka_unit_test(a_ring_wakes_until_it_is_silenced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
