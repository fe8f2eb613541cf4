/* SPDX-License-Identifier: Apache-2.0 */
/* resolver_inbox - a mailbox and an eventfd, counted: the owner and each open question hold them. */
#include "net/resolver_inbox.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mailbox.h"
#include "base/mem.h"

struct resolver_question {
    struct mail mail; /* first: the mail is the question */
    struct resolver_inbox *inbox;
    void *asker; /* the owner's thread's; NULL: forgotten */
    struct resolver_answer answer;
};

struct resolver_inbox {
    _Atomic unsigned refs; /* the owner's and one a question */
    struct resolver *resolver;
    struct mailbox *mailbox;
    int wake_fd;
    /* Most questions are answered at once and leave what was made for them unused: it is kept for
     * the next. */
    struct resolver_question *spare;
};

static void ring(void *ctx)
{
    resolver_inbox_ring((const struct resolver_inbox *)ctx);
}

struct resolver_inbox *resolver_inbox_new(struct resolver *resolver)
{
    struct resolver_inbox *inbox;
    int wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (wake_fd < 0)
        return NULL;
    inbox = (struct resolver_inbox *)mem_new(sizeof(*inbox));
    atomic_init(&inbox->refs, 1);
    inbox->resolver = resolver;
    inbox->wake_fd = wake_fd;
    inbox->mailbox = mailbox_new(0, ring, inbox);
    return inbox;
}

static void unref(struct resolver_inbox *inbox)
{
    if (atomic_fetch_sub(&inbox->refs, 1) != 1)
        return;
    mailbox_free(inbox->mailbox);
    (void)close(inbox->wake_fd);
    free(inbox);
}

int resolver_inbox_fd(const struct resolver_inbox *inbox)
{
    return inbox->wake_fd;
}

void resolver_inbox_ring(const struct resolver_inbox *inbox)
{
    uint64_t one = 1;
    ssize_t written;

    do {
        written = write(inbox->wake_fd, &one, sizeof(one));
    } while (written < 0 && errno == EINTR);
}

void resolver_inbox_silence(const struct resolver_inbox *inbox)
{
    uint64_t rings;
    ssize_t got;

    do {
        got = read(inbox->wake_fd, &rings, sizeof(rings));
    } while (got < 0 && errno == EINTR);
}

/* On a resolver thread. */
static void on_answer(void *ctx, const struct resolver_answer *answer)
{
    struct resolver_question *question = (struct resolver_question *)ctx;
    struct resolver_inbox *inbox = question->inbox;

    question->answer = *answer;
    if (!mailbox_post_always(inbox->mailbox, &question->mail))
        free(question);
    unref(inbox);
}

struct resolver_question *resolver_inbox_ask(struct resolver_inbox *inbox,
        const char *host,
        void *asker,
        struct resolver_answer *ret_answer)
{
    struct resolver_question *question = inbox->spare;

    if (question == NULL)
        question = (struct resolver_question *)mem_new(sizeof(*question));
    inbox->spare = NULL;
    question->inbox = inbox;
    question->asker = asker;
    atomic_fetch_add(&inbox->refs, 1);
    if (!resolver_find(inbox->resolver, host, ret_answer, on_answer, question))
        return question;
    unref(inbox);
    inbox->spare = question;
    return NULL;
}

void resolver_question_forget(struct resolver_question *question)
{
    if (question != NULL)
        question->asker = NULL;
}

void resolver_inbox_take(struct resolver_inbox *inbox,
        void (*take)(void *asker, const struct resolver_answer *answer))
{
    struct mail *mail = mailbox_take(inbox->mailbox, 0);

    while (mail != NULL) {
        struct resolver_question *question = (struct resolver_question *)mail;

        mail = mail->next;
        if (question->asker != NULL)
            take(question->asker, &question->answer);
        free(question);
    }
}

static void ignore(void *asker, const struct resolver_answer *answer)
{
    (void)asker;
    (void)answer;
}

void resolver_inbox_close(struct resolver_inbox *inbox)
{
    if (inbox == NULL)
        return;
    mailbox_close(inbox->mailbox);
    resolver_inbox_take(inbox, ignore);
    free(inbox->spare);
    unref(inbox);
}
