/* SPDX-License-Identifier: Apache-2.0 */
/* probe_rig - a rig with a deliver thread. */
#include "probe_rig.h"

#include "base/cleanup.h"

/* Deliver thread; the test looks at it when the request has been answered. */
static void
answer(void *ctx, const struct http_request *request, struct http_script_answer *ret_answer)
{
    struct probe_rig *t = ctx;
    CLEANUP(buf_done) struct buf lines = {0};

    for (size_t i = 0; i < request->header_count; i++)
        buf_addf(&lines, "%s\n", request->header_lines[i]);
    t->url = arena_str(&t->arena, str_from(request->url));
    t->body = arena_str(&t->arena, request->body);
    t->lines = arena_str(&t->arena, buf_str(&lines));
    *ret_answer = t->answer;
}

static enum err open_client(void *ctx, struct http_client **ret_client, struct error *why)
{
    struct probe_rig *t = ctx;

    (void)why;
    *ret_client = http_client_scripted_new(&t->rig->clock, answer, t);
    return ERR_NONE;
}

int probe_rig_set_up(void **state)
{
    struct probe_rig *t = calloc(1, sizeof(*t));
    void *rig = NULL;
    struct error why = {0};

    assert_int_equal(rig_set_up(&rig), 0);
    t->rig = rig;
    t->answer = (struct http_script_answer){
            .status = 200, .headers = "Server: x\n", .body = STR("thank you")};

    const struct deliver_config config = {
            .threads = 1,
            .clock = &t->rig->clock.clock,
            .metrics = &t->rig->metrics,
            .own_origin = "http://callsync.test",
            .open_client = open_client,
            .open_client_ctx = t,
    };
    if (deliver_new(&config, &t->deliver, &why) != ERR_NONE ||
            deliver_start(t->deliver, t->rig->store, &why) != ERR_NONE)
        fail_msg("deliver did not start: %s", why.text);
    api_use(t->rig->api,
            &(struct api_parts){.store = t->rig->store,
                    .deliver = t->deliver,
                    .recordings = t->rig->recordings});
    *state = t;
    return 0;
}

int probe_rig_tear_down(void **state)
{
    struct probe_rig *t = *state;
    void *rig = t->rig;
    int result;

    deliver_stop(t->deliver, 0);
    result = rig_tear_down(&rig);
    deliver_free(t->deliver);
    arena_done(&t->arena);
    free(t);
    return result;
}

struct str probe_rig_sent(const struct probe_rig *t, const char *name)
{
    struct str rest = t->lines;

    while (rest.len > 0) {
        struct str value = str_split(&rest, '\n');
        struct str found = str_split(&value, ':');

        if (str_equal_nocase(found, str_from(name)))
            return str_trim(value);
    }
    return STR_NONE;
}
