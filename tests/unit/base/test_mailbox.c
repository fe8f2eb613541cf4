/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of base/mailbox: order, cap, closing, waiting, many threads. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mailbox.h"

struct letter {
    struct mail mail; /* first, so that a mail is its letter */
    int poster;
    int number;
};

static struct letter *letter_of(struct mail *mail)
{
    return (struct letter *)mail;
}

static void count_wake(void *ctx)
{
    atomic_fetch_add((atomic_int *)ctx, 1);
}

static void mail_comes_in_the_order_of_posting(void **state)
{
    CLEANUP_PTR(mailbox_free) struct mailbox *mailbox = mailbox_new(0, NULL, NULL);
    struct letter letters[3] = {{.number = 0}, {.number = 1}, {.number = 2}};
    struct mail *mail;

    (void)state;
    letters[0].mail.next = &letters[2].mail; /* what was there before does not matter */
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(mailbox_post(mailbox, &letters[i].mail), ERR_NONE);
    assert_int_equal(mailbox_count(mailbox), 3);
    mail = mailbox_take(mailbox, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(letter_of(mail)->number, i);
        mail = mail->next;
    }
    assert_null(mail);
    assert_int_equal(mailbox_count(mailbox), 0);
    assert_null(mailbox_take(mailbox, 0));
}

static void a_chain_is_posted_whole(void **state)
{
    CLEANUP_PTR(mailbox_free) struct mailbox *mailbox = mailbox_new(1, NULL, NULL);
    struct letter letters[3] = {0};
    struct mail *mail;

    (void)state;
    letters[1].mail.next = &letters[2].mail;
    assert_int_equal(mailbox_post(mailbox, &letters[0].mail), ERR_NONE);
    assert_true(mailbox_post_always(mailbox, &letters[1].mail));
    assert_true(mailbox_post_always(mailbox, NULL));
    assert_int_equal(mailbox_count(mailbox), 3);
    mail = mailbox_take(mailbox, 0);
    assert_ptr_equal(mail, &letters[0].mail);
    assert_ptr_equal(mail->next, &letters[1].mail);
    assert_ptr_equal(mail->next->next, &letters[2].mail);
    assert_null(mail->next->next->next);
}

static void a_full_mailbox_refuses_until_it_is_taken(void **state)
{
    CLEANUP_PTR(mailbox_free) struct mailbox *mailbox = mailbox_new(2, NULL, NULL);
    struct letter letters[3] = {0};

    (void)state;
    assert_int_equal(mailbox_post(mailbox, &letters[0].mail), ERR_NONE);
    assert_int_equal(mailbox_post(mailbox, &letters[1].mail), ERR_NONE);
    assert_int_equal(mailbox_post(mailbox, &letters[2].mail), ERR_BUSY);
    assert_int_equal(mailbox_count(mailbox), 2);
    assert_ptr_equal(mailbox_take(mailbox, 0), &letters[0].mail);
    assert_int_equal(mailbox_post(mailbox, &letters[2].mail), ERR_NONE);
    assert_ptr_equal(mailbox_take(mailbox, 0), &letters[2].mail);
}

static void a_closed_mailbox_refuses_but_gives_what_it_has(void **state)
{
    CLEANUP_PTR(mailbox_free) struct mailbox *mailbox = mailbox_new(0, NULL, NULL);
    struct letter letters[2] = {0};

    (void)state;
    assert_int_equal(mailbox_post(mailbox, &letters[0].mail), ERR_NONE);
    assert_false(mailbox_is_closed(mailbox));
    mailbox_close(mailbox);
    mailbox_close(mailbox);
    assert_true(mailbox_is_closed(mailbox));
    assert_int_equal(mailbox_post(mailbox, &letters[1].mail), ERR_CANCELLED);
    assert_false(mailbox_post_always(mailbox, &letters[1].mail));
    assert_false(mailbox_post_always(mailbox, NULL));
    assert_ptr_equal(mailbox_take(mailbox, -1), &letters[0].mail);
    assert_null(mailbox_take(mailbox, -1));
}

static void only_the_first_post_and_the_first_close_wake(void **state)
{
    atomic_int wake_count = 0;
    CLEANUP_PTR(mailbox_free)
    struct mailbox *mailbox = mailbox_new(2, count_wake, &wake_count);
    struct letter letters[4] = {0};

    (void)state;
    assert_int_equal(mailbox_post(mailbox, &letters[0].mail), ERR_NONE);
    assert_int_equal(wake_count, 1);
    assert_int_equal(mailbox_post(mailbox, &letters[1].mail), ERR_NONE);
    assert_int_equal(mailbox_post(mailbox, &letters[2].mail), ERR_BUSY);
    assert_true(mailbox_post_always(mailbox, NULL));
    assert_int_equal(wake_count, 1);
    assert_non_null(mailbox_take(mailbox, 0));
    assert_true(mailbox_post_always(mailbox, NULL));
    assert_int_equal(wake_count, 1);
    assert_true(mailbox_post_always(mailbox, &letters[3].mail));
    assert_int_equal(wake_count, 2);
    mailbox_close(mailbox);
    mailbox_close(mailbox);
    assert_int_equal(wake_count, 3);
}

struct wake_back {
    struct mailbox *mailbox;
    struct mail *taken;
};

static void take_at_once(void *ctx)
{
    struct wake_back *back = ctx;

    back->taken = mailbox_take(back->mailbox, 0);
}

static void a_wake_callback_may_use_the_mailbox(void **state)
{
    struct wake_back back = {0};
    struct letter letter = {0};
    CLEANUP_PTR(mailbox_free)
    struct mailbox *mailbox = mailbox_new(0, take_at_once, &back);

    (void)state;
    back.mailbox = mailbox;
    assert_int_equal(mailbox_post(mailbox, &letter.mail), ERR_NONE);
    assert_ptr_equal(back.taken, &letter.mail);
}

static void waiting_ends_when_its_time_is_over(void **state)
{
    CLEANUP_PTR(mailbox_free) struct mailbox *mailbox = mailbox_new(0, NULL, NULL);
    int64_t start_us = clock_mono_us(clock_real());

    (void)state;
    assert_null(mailbox_take(mailbox, 20));
    assert_true(clock_mono_us(clock_real()) - start_us >= 20000);
}

static void mail_that_is_there_is_not_waited_for(void **state)
{
    CLEANUP_PTR(mailbox_free) struct mailbox *mailbox = mailbox_new(0, NULL, NULL);
    struct letter letter = {0};

    (void)state;
    assert_int_equal(mailbox_post(mailbox, &letter.mail), ERR_NONE);
    assert_ptr_equal(mailbox_take(mailbox, INT64_MAX), &letter.mail);
}

static void *close_it(void *arg)
{
    mailbox_close(arg);
    return NULL;
}

static void closing_ends_waiting(void **state)
{
    static const int64_t timeouts_ms[] = {-1, INT64_MAX};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        CLEANUP_PTR(mailbox_free) struct mailbox *mailbox = mailbox_new(0, NULL, NULL);
        pthread_t thread;

        assert_int_equal(pthread_create(&thread, NULL, close_it, mailbox), 0);
        assert_null(mailbox_take(mailbox, timeouts_ms[i]));
        assert_true(mailbox_is_closed(mailbox));
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
}

enum { POSTER_COUNT = 4, LETTER_COUNT = 5000 };

struct poster {
    struct mailbox *mailbox;
    struct letter letters[LETTER_COUNT];
};

static void *post_all(void *arg)
{
    struct poster *poster = arg;

    for (int i = 0; i < LETTER_COUNT; i++) {
        struct mail *mail = &poster->letters[i].mail;

        if (i % 2 == 0 && !mailbox_post_always(poster->mailbox, mail))
            return NULL;
        while (i % 2 == 1 && mailbox_post(poster->mailbox, mail) != ERR_NONE)
            (void)sched_yield(); /* the taker makes room */
    }
    return NULL;
}

/* Takes until all is there; the letters of each poster must come in its order. */
static void take_all(struct mailbox *mailbox, int64_t timeout_ms)
{
    int next_number[POSTER_COUNT] = {0};
    int taken = 0;

    while (taken < POSTER_COUNT * LETTER_COUNT) {
        struct mail *mail = mailbox_take(mailbox, timeout_ms);

        while (mail != NULL) {
            struct letter *letter = letter_of(mail);

            mail = mail->next;
            assert_int_equal(letter->number, next_number[letter->poster]);
            next_number[letter->poster]++;
            taken++;
        }
    }
    assert_null(mailbox_take(mailbox, 0));
}

static void many_threads_lose_nothing_and_keep_their_order(void **state)
{
    static struct poster posters[POSTER_COUNT];
    static const int64_t timeouts_ms[] = {-1, 1, 0};

    (void)state;
    for (size_t round = 0; round < 3; round++) {
        atomic_int wake_count = 0;
        CLEANUP_PTR(mailbox_free)
        struct mailbox *mailbox = mailbox_new(64, count_wake, &wake_count);
        pthread_t threads[POSTER_COUNT];

        for (int p = 0; p < POSTER_COUNT; p++) {
            posters[p].mailbox = mailbox;
            for (int i = 0; i < LETTER_COUNT; i++)
                posters[p].letters[i] = (struct letter){.poster = p, .number = i};
            assert_int_equal(pthread_create(&threads[p], NULL, post_all, &posters[p]), 0);
        }
        take_all(mailbox, timeouts_ms[round]);
        for (int p = 0; p < POSTER_COUNT; p++)
            assert_int_equal(pthread_join(threads[p], NULL), 0);
        assert_true(atomic_load(&wake_count) > 0);
    }
}

struct pair {
    struct mailbox *there;
    struct mailbox *back;
};

static void *send_back(void *arg)
{
    struct pair *pair = arg;

    for (;;) {
        struct mail *mail = mailbox_take(pair->there, -1);

        if (mail == NULL)
            return NULL;
        if (!mailbox_post_always(pair->back, mail))
            return NULL;
    }
}

static void each_post_wakes_the_thread_that_waits(void **state)
{
    struct pair pair = {mailbox_new(0, NULL, NULL), mailbox_new(0, NULL, NULL)};
    struct letter letter = {0};
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, send_back, &pair), 0);
    for (int i = 0; i < 2000; i++) {
        assert_int_equal(mailbox_post(pair.there, &letter.mail), ERR_NONE);
        assert_ptr_equal(mailbox_take(pair.back, -1), &letter.mail);
    }
    mailbox_close(pair.there);
    assert_int_equal(pthread_join(thread, NULL), 0);
    mailbox_free(pair.there);
    mailbox_free(pair.back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(mail_comes_in_the_order_of_posting),
            cmocka_unit_test(a_chain_is_posted_whole),
            cmocka_unit_test(a_full_mailbox_refuses_until_it_is_taken),
            cmocka_unit_test(a_closed_mailbox_refuses_but_gives_what_it_has),
            cmocka_unit_test(only_the_first_post_and_the_first_close_wake),
            cmocka_unit_test(a_wake_callback_may_use_the_mailbox),
            cmocka_unit_test(waiting_ends_when_its_time_is_over),
            cmocka_unit_test(mail_that_is_there_is_not_waited_for),
            cmocka_unit_test(closing_ends_waiting),
            cmocka_unit_test(many_threads_lose_nothing_and_keep_their_order),
            cmocka_unit_test(each_post_wakes_the_thread_that_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
