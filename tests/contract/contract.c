/* SPDX-License-Identifier: Apache-2.0 */
/* contract - the fixture of the contract tests. */
#include "contract.h"

#include "domain/limits.h"
#include "store/db.h"

static void deliver(void *ctx, struct delivery *first)
{
    struct contract *c = ctx;
    struct mail *last = c->handed != NULL ? &c->handed->op.mail : NULL;

    while (last != NULL && last->next != NULL)
        last = last->next;
    if (last != NULL)
        last->next = &first->op.mail;
    else
        c->handed = first;
    for (const struct mail *mail = &first->op.mail; mail != NULL; mail = mail->next)
        c->handed_count++;
}

static void endpoint_changed(void *ctx, struct endpoint *endpoint, bool deleted)
{
    struct contract *c = ctx;

    (void)endpoint;
    (void)deleted;
    c->changed_endpoints++;
}

/* This sink has given back, or holds for the test, what it got: there is no queue to look through. */
static void cancelled(void *ctx, int64_t endpoint_id, int64_t delivery_id)
{
    struct contract *c = ctx;

    (void)endpoint_id;
    c->cancelled_id = delivery_id;
}

static void publish(void *ctx, const struct note *notes, size_t count)
{
    struct contract *c = ctx;

    if (count > CONTRACT_NOTES_MAX - c->note_count)
        count = CONTRACT_NOTES_MAX - c->note_count;
    memcpy(&c->notes[c->note_count], notes, count * sizeof(*notes));
    c->note_count += count;
}

static void remove_file(void *ctx, struct str file)
{
    struct contract *c = ctx;

    assert_true(file.len > 0);
    c->removed_files++;
}

static struct db *wrap(void *ctx, struct db *take_db)
{
    struct contract *c = ctx;

    return db_fault_new(take_db, &c->fail_at, &c->calls);
}

static void open_store(struct contract *c)
{
    struct error why = {0};

    if (store_open(&c->config, &c->store, &why) != ERR_NONE)
        fail_msg("the store did not open: %s", why.text);
}

int contract_set_up(void **state)
{
    struct contract *c = calloc(1, sizeof(*c));

    temp_folder_init(&c->folder);
    clock_virtual_init(&c->clock, CONTRACT_START_MS);
    memset(c->seal_key, 1, sizeof(c->seal_key));
    memset(c->link_key, 2, sizeof(c->link_key));
    c->sink = (struct delivery_sink){deliver, endpoint_changed, cancelled, c};
    c->listener = (struct note_listener){publish, c};
    c->config = (struct store_config){
            .path = temp_folder_path(&c->folder, "callsync.db"),
            .public_url = "http://127.0.0.1:8080",
            .seal_key = c->seal_key,
            .link_key = c->link_key,
            .clock = &c->clock.clock,
            .metrics = &c->metrics,
            .sink = &c->sink,
            .listener = &c->listener,
            .retention_days = 30,
            .remove_file = remove_file,
            .remove_file_ctx = c,
            .wrap = wrap,
            .wrap_ctx = c,
    };
    open_store(c);
    contract_settle(c);
    *state = c;
    return 0;
}

/* Gives all that was handed over back; the members of result are the same for all. */
static void give_back(struct contract *c, enum delivery_result result)
{
    struct delivery *first = c->handed;

    for (struct delivery *d = first; d != NULL; d = (struct delivery *)d->op.mail.next) {
        d->result = result;
        d->outcome = (struct attempt_outcome){.error = ATTEMPT_OK, .status = 200};
        d->decision = (struct delivery_decision){.state = DELIVERY_DELIVERED};
        d->started_at_ms = clock_wall_ms(&c->clock.clock);
        d->duration_us = 1000;
    }
    c->handed = NULL;
    c->handed_count = 0;
    if (first != NULL)
        store_delivery_result(c->store, first);
    contract_settle(c);
}

static void close_store(struct contract *c)
{
    store_drain(c->store);
    contract_settle(c);
    give_back(c, RESULT_RETURNED);
    store_close(c->store);
    c->store = NULL;
}

int contract_tear_down(void **state)
{
    struct contract *c = *state;

    c->fail_at = 0;
    close_store(c);
    arena_done(&c->arena);
    temp_folder_done(&c->folder);
    free(c);
    return 0;
}

void contract_reopen(struct contract *c)
{
    close_store(c);
    open_store(c);
    contract_settle(c);
}

void contract_settle(struct contract *c)
{
    while (store_turn(c->store))
        ;
}

void contract_advance(struct contract *c, int64_t ms)
{
    clock_virtual_set(&c->clock, c->clock.now_ms + ms);
    contract_settle(c);
}

void contract_answer_all(struct contract *c)
{
    while (c->handed != NULL)
        give_back(c, RESULT_ATTEMPTED);
}

struct delivery *contract_take(struct contract *c)
{
    struct delivery *delivery = c->handed;

    if (delivery == NULL)
        fail_msg("nothing was handed over");
    c->handed = (struct delivery *)delivery->op.mail.next;
    c->handed_count--;
    delivery->op.mail.next = NULL;
    return delivery;
}

void contract_answer(struct contract *c, struct delivery *take_delivery, int64_t status)
{
    struct delivery *d = take_delivery;
    int64_t now_ms = clock_wall_ms(&c->clock.clock);
    bool whole = status >= 200 && status <= 299;

    d->result = RESULT_ATTEMPTED;
    d->outcome.status = status;
    d->outcome.error = whole ? ATTEMPT_OK : (status == 0 ? ATTEMPT_TIMEOUT : ATTEMPT_STATUS);
    d->decision = delivery_decide(
            &d->outcome, &d->endpoint->retry_schedule, (size_t)d->failure_count + 1, now_ms, 0);
    d->started_at_ms = now_ms;
    d->duration_us = 1000;
    store_delivery_result(c->store, d);
    contract_settle(c);
}

void contract_return(struct contract *c, struct delivery *take_delivery, int64_t due_at_ms)
{
    take_delivery->result = RESULT_RETURNED;
    take_delivery->due_at_ms = due_at_ms;
    store_delivery_result(c->store, take_delivery);
    contract_settle(c);
}

static void count_done(struct store_op *op)
{
    struct contract *c = op->owner;

    c->done_count++;
}

void contract_prepare(struct contract *c, struct store_op *op)
{
    op->arena = &c->arena;
    op->done = count_done;
    op->owner = c;
}

enum err contract_finish(struct contract *c, void *op, enum err submitted)
{
    size_t before = c->done_count;

    assert_int_equal(submitted, ERR_NONE);
    while (c->done_count == before)
        assert_true(store_turn(c->store));
    return ((struct store_op *)op)->err;
}

void contract_make_org(struct contract *c, const char *id)
{
    struct org_create create = {
            .id = str_from(id),
            .name = STR("Example"),
            .token_name = STR("first"),
            .token_scopes = SCOPE_ALL,
    };

    token_hash(str_from(id), create.token_hash);
    assert_int_equal(RUN(c, store_org_create, &create), ERR_NONE);
}

int64_t
contract_create_endpoint(struct contract *c, const char *org_id, struct endpoint *take_endpoint)
{
    struct endpoint_write write = {
            .create = true, .org_id = str_from(org_id), .endpoint = take_endpoint};

    if (take_endpoint->url.ptr == NULL)
        take_endpoint->url = STR("http://127.0.0.1:9/hook");
    if (take_endpoint->secret.ptr == NULL)
        take_endpoint->secret = STR("whsec_test");
    assert_int_equal(RUN(c, store_endpoint_write, &write), ERR_NONE);
    int64_t id = write.result->id;
    endpoint_unref(write.result);
    endpoint_unref(take_endpoint);
    return id;
}

int64_t contract_make_endpoint(struct contract *c, const char *org_id)
{
    return contract_create_endpoint(c, org_id, endpoint_new());
}

enum err contract_patch_endpoint(struct contract *c,
        int64_t id,
        unsigned fields,
        struct endpoint *take_endpoint)
{
    struct endpoint_write write = {
            .id = id, .org_id = STR("org_a"), .fields = fields, .endpoint = take_endpoint};
    enum err err = RUN(c, store_endpoint_write, &write);

    endpoint_unref(write.result);
    endpoint_unref(take_endpoint);
    return err;
}

void contract_enable(struct contract *c, int64_t id, bool enabled)
{
    struct endpoint *endpoint = endpoint_new();

    endpoint->enabled = enabled;
    assert_int_equal(contract_patch_endpoint(c, id, ENDPOINT_ENABLED, endpoint), ERR_NONE);
}

int64_t contract_make_call(struct contract *c, const char *org_id, const char *phone)
{
    struct call_draft draft = {
            .type = CALL_INCOMING,
            .phone = str_from(phone),
            .duration_s = 60,
            .recording_expected = true,
    };
    struct call_create create = {.org_id = str_from(org_id), .drafts = &draft, .draft_count = 1};

    assert_int_equal(RUN(c, store_call_create, &create), ERR_NONE);
    return draft.call_id;
}

size_t contract_count_events(struct contract *c, const char *org_id, int kind)
{
    struct event_list list = {
            .org_id = str_from(org_id),
            .kind = kind,
            .type = -1,
            .page = {.limit = LIMIT_PAGE_MAX},
    };

    assert_int_equal(RUN(c, store_event_list, &list), ERR_NONE);
    return list.count;
}

size_t contract_count_deliveries(struct contract *c, const char *org_id, int state)
{
    struct delivery_list list = {
            .org_id = str_from(org_id),
            .state = state,
            .kind = -1,
            .page = {.limit = LIMIT_PAGE_MAX},
    };

    assert_int_equal(RUN(c, store_delivery_list, &list), ERR_NONE);
    return list.count;
}

int64_t contract_set_file_status(struct contract *c, int64_t call_id, enum file_status status)
{
    struct recording_set set = {
            .org_id = STR("org_a"),
            .call_id = call_id,
            .change = RECORDING_STATUS,
            .status = status,
    };

    assert_int_equal(RUN(c, store_recording_set, &set), ERR_NONE);
    return set.event_id;
}

struct delivery_get contract_get_delivery(struct contract *c, int64_t id)
{
    struct delivery_get get = {.org_id = STR("org_a"), .id = id};

    assert_int_equal(RUN(c, store_delivery_get, &get), ERR_NONE);
    return get;
}

int64_t contract_number(struct contract *c, const char *sql)
{
    struct db *db = NULL;
    bool row = false;

    assert_int_equal(db_sqlite_open(c->config.path, false, &db, NULL), ERR_NONE);
    struct db_stmt *stmt = db_stmt(db, sql);
    assert_int_equal(db_next(stmt, &row, NULL), ERR_NONE);
    assert_true(row);
    int64_t number = db_i64(stmt, 0);
    db_close(db);
    return number;
}

bool contract_knows(int argc, char **argv)
{
    bool known = argc == 2 && strcmp(argv[1], "sqlite") == 0;

    if (!known)
        (void)fprintf(stderr, "usage: %s sqlite\n", argv[0]);
    return known;
}
