/* SPDX-License-Identifier: Apache-2.0 */
/* target - reading the URL, looking its host up, and judging the addresses. */
#include "api/target.h"

#include <netinet/in.h>
#include <string.h>

#include "api/state.h"
#include "domain/address_rule.h"
#include "domain/endpoint.h"

static struct address address_of(const struct sockaddr_storage *from)
{
    struct address address = {0};

    if (from->ss_family == AF_INET6) {
        struct sockaddr_in6 v6;

        memcpy(&v6, from, sizeof(v6));
        address.v6 = true;
        memcpy(address.bytes, &v6.sin6_addr, sizeof(v6.sin6_addr));
    } else {
        struct sockaddr_in v4;

        memcpy(&v4, from, sizeof(v4));
        memcpy(address.bytes, &v4.sin_addr, sizeof(v4.sin_addr));
    }
    return address;
}

static void judge(struct request *request, const struct target *target)
{
    const struct resolver_answer *answer = &target->answer;
    struct error why;

    if (answer->err == ERR_NOT_FOUND) {
        faults_add(&request->faults,
                target->field,
                "the host %.*s does not resolve: check its spelling",
                STR_ARG(target->url.host));
        return;
    }
    if (answer->err != ERR_NONE)
        return; /* not known now; each connection is checked */
    for (size_t i = 0; i < answer->count; i++) {
        struct address address = address_of(&answer->addresses[i]);

        if (address_rule_check(request_config(request)->rule, &address, &why) == ERR_NONE)
            continue;
        faults_add(&request->faults, target->field, "may not be a target: %s", why.text);
        return; /* one address is enough, and names can have many */
    }
}

static void looked_up(struct request *request, enum err err)
{
    struct target *target = request->data;

    (void)err; /* the answer has its own */
    judge(request, target);
    target->then(request);
}

/* Resolver's thread. */
static void resolved(void *ctx, const struct resolver_answer *answer)
{
    struct request *request = ctx;
    struct target *target = request->data;

    target->answer = *answer;
    request_resume(request, ERR_NONE);
}

void target_check(struct request *request,
        struct target *target,
        const char *field,
        struct str text,
        void (*then)(struct request *request))
{
    struct error why;

    target->field = field;
    target->then = then;
    request->data = target;
    if (url_parse(request->arena, text, ENDPOINT_URL_MAX_BYTES, &target->url, &why) != ERR_NONE) {
        faults_add(&request->faults, field, "%s", why.text);
        then(request);
        return;
    }
    target->is_own_inbox = services_own_inbox(&request->api->services, &target->url);
    if (target->is_own_inbox) {
        then(request);
        return;
    }
    request_wait(request, looked_up);

    const char *host = arena_str(request->arena, target->url.host).ptr;
    if (resolver_find(request_config(request)->resolver, host, &target->answer, resolved, request))
        request_resume(request, ERR_NONE);
}
