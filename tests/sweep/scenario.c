/* SPDX-License-Identifier: Apache-2.0 */
/* scenario - the steps of each scenario. */
#include "scenario.h"

#include "base/json.h"
#include "domain/analysis.h"
#include "domain/faults.h"
#include "store/store_call.h"
#include "store/store_contact.h"
#include "store/store_delivery.h"
#include "store/store_endpoint.h"
#include "store/store_event.h"
#include "store/store_idempotency.h"
#include "store/store_inbox.h"
#include "store/store_org.h"
#include "store/store_staff.h"

#define PHONE STR("+919876543210")

/* ---- org and endpoints ---- */

static void render_org(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct org_create *create = (const struct org_create *)op;

    *ret_status = 201;
    buf_add_str(ret_body, create->org.id);
}

/* The same key each time: done once, it gives the first answer again (I8). */
static enum err make_org(struct world *world, bool *ret_replayed)
{
    struct idempotency idempotency = {
            .org_id = STR(""), .key_hash = {1}, .body_hash = {2}, .render = render_org};
    struct org_create create = {
            .op = {.idempotency = &idempotency},
            .id = WORLD_ORG,
            .name = STR("Sweep"),
            .token_name = STR("first"),
            .token_hash = {3},
            .token_scopes = SCOPE_ALL,
    };
    enum err err = WORLD_RUN(world, store_org_create, &create);

    *ret_replayed = idempotency.replayed;
    if (err == ERR_NONE && idempotency.replayed)
        WORLD_CHECK(world,
                idempotency.status == 201 && str_equal(buf_str(&idempotency.body), WORLD_ORG));
    buf_done(&idempotency.body);
    return err;
}

static enum err create_org(struct world *world)
{
    bool replayed;
    enum err err = make_org(world, &replayed);

    WORLD_CHECK(world, !replayed);
    return err;
}

static enum err create_org_again(struct world *world)
{
    bool replayed;
    enum err err = make_org(world, &replayed);

    WORLD_CHECK(world, err != ERR_NONE || replayed);
    WORLD_CHECK(world, world_number(world, "SELECT count(*) FROM token") == 1);
    return err;
}

static enum err make_endpoint(struct world *world,
        const char *url,
        const char *schedule,
        enum endpoint_ordering ordering,
        int64_t *ret_id)
{
    CLEANUP_PTR(endpoint_unref) struct endpoint *endpoint = endpoint_new();
    struct endpoint_write write = {.create = true, .org_id = WORLD_ORG, .endpoint = endpoint};

    endpoint->org_id = WORLD_ORG;
    endpoint->url = str_from(url);
    endpoint->secret = STR("whsec_test");
    endpoint->ordering = ordering;
    assert_int_equal(
            retry_schedule_parse(str_from(schedule), &endpoint->retry_schedule, NULL), ERR_NONE);
    enum err err = WORLD_RUN(world, store_endpoint_write, &write);

    if (err == ERR_NONE)
        *ret_id = write.result->id;
    endpoint_unref(write.result);
    return err;
}

static enum err make_ok(struct world *world)
{
    return make_endpoint(
            world, "http://192.0.2.1/ok", "5s", ORDERING_CALL, &world->endpoint_ids[WORLD_OK]);
}

static enum err make_flaky(struct world *world)
{
    return make_endpoint(world,
            "http://192.0.2.1/flaky",
            "5s,5m",
            ORDERING_CALL,
            &world->endpoint_ids[WORLD_FLAKY]);
}

static enum err make_dead(struct world *world)
{
    return make_endpoint(
            world, "http://192.0.2.1/dead", "1h", ORDERING_NONE, &world->endpoint_ids[WORLD_DEAD]);
}

static enum err make_strict(struct world *world)
{
    return make_endpoint(world,
            "http://192.0.2.1/strict/flaky",
            "5s",
            ORDERING_ENDPOINT,
            &world->endpoint_ids[WORLD_STRICT]);
}

static enum err make_gone(struct world *world)
{
    return make_endpoint(world, "http://192.0.2.1/gone", "5s", ORDERING_CALL, &world->other_id);
}

/* ---- calls ---- */

static enum err log_drafts(struct world *world, struct call_draft *drafts, size_t count)
{
    struct call_create create = {.org_id = WORLD_ORG, .drafts = drafts, .draft_count = count};
    enum err err = WORLD_RUN(world, store_call_create, &create);

    for (size_t i = 0; i < count && err == ERR_NONE; i++) {
        if (drafts[i].err != ERR_NONE || drafts[i].duplicate)
            continue;
        world_expect_call(world, drafts[i].call_id);
        world_expect_event(world, drafts[i].event_id, drafts[i].delivery_count);
    }
    return err;
}

static struct call_draft a_draft(const char *external_id)
{
    return (struct call_draft){
            .type = CALL_INCOMING,
            .phone = PHONE,
            .name = STR("John Doe"),
            .duration_s = 124,
            .external_id = str_from(external_id),
            .recording_expected = true,
    };
}

static enum err log_call(struct world *world)
{
    struct call_draft draft = a_draft("pbx-1");

    draft.has_staff = true;
    draft.staff = (struct staff){.name = STR("Rahul Sharma"), .phone = STR("+918877665544")};
    enum err err = log_drafts(world, &draft, 1);

    WORLD_CHECK(world, err != ERR_NONE || (!draft.duplicate && draft.delivery_count == 4));
    return err;
}

/* I8: the same external id is the same call. */
static enum err log_call_again(struct world *world)
{
    struct call_draft draft = a_draft("pbx-1");
    enum err err = log_drafts(world, &draft, 1);

    if (err == ERR_NONE)
        WORLD_CHECK(world,
                draft.duplicate && draft.call_id == world->call_ids[0] &&
                        draft.event_id == world->events[0].id);
    return err;
}

static enum err log_another(struct world *world)
{
    struct call_draft draft = a_draft(NULL);

    return log_drafts(world, &draft, 1);
}

/* One of them is refused for itself, one is there already. */
static enum err log_batch(struct world *world)
{
    struct call_draft drafts[] = {
            a_draft("pbx-2"), a_draft("pbx-1"), a_draft("pbx-3"), a_draft("pbx-4")};

    drafts[2].staff_id = STR("nobody");
    drafts[3].type = CALL_MISSED;
    enum err err = log_drafts(world, drafts, sizeof(drafts) / sizeof(drafts[0]));

    if (err == ERR_NONE)
        WORLD_CHECK(world,
                drafts[0].err == ERR_NONE && drafts[1].duplicate && drafts[2].err == ERR_INVALID &&
                        drafts[3].err == ERR_NONE);
    return err;
}

static enum err patch_call(struct world *world)
{
    struct call_patch patch = {.org_id = WORLD_ORG,
            .id = world->call_ids[0],
            .fields = CALL_REVIEWED | CALL_STAFF_ID,
            .reviewed = true};

    return WORLD_RUN(world, store_call_patch, &patch);
}

/* ---- recordings, analyses ---- */

static enum err set_recording(struct world *world, struct recording_set *set, bool emits)
{
    set->org_id = WORLD_ORG;
    set->call_id = world->call_ids[0];
    enum err err = WORLD_RUN(world, store_recording_set, set);

    if (err == ERR_NONE) {
        WORLD_CHECK(world, (set->event_id != 0) == emits);
        if (emits)
            world_expect_event(world, set->event_id, set->delivery_count);
    }
    return err;
}

static enum err start_upload(struct world *world)
{
    struct recording_set set = {.change = RECORDING_STATUS, .status = FILE_UPLOADING};

    return set_recording(world, &set, true);
}

static struct recording_set with_file(void)
{
    return (struct recording_set){
            .change = RECORDING_FILE,
            .recording = {.file = STR("1.mp3"),
                    .content_type = STR("audio/mpeg"),
                    .size_bytes = 1000,
                    .sha256 = STR("00ff")},
    };
}

static enum err put_file(struct world *world)
{
    struct recording_set set = with_file();

    return set_recording(world, &set, true);
}

static enum err put_file_again(struct world *world)
{
    struct recording_set set = with_file();

    return set_recording(world, &set, false);
}

static enum err delete_recording(struct world *world)
{
    struct recording_set set = {.change = RECORDING_DELETE};
    enum err err = set_recording(world, &set, true);

    WORLD_CHECK(world, err != ERR_NONE || str_is(set.old_file, "1.mp3"));
    return err;
}

static enum err put_analysis_text(struct world *world, const char *text)
{
    CLEANUP_PTR(json_free) struct json *json = NULL;
    struct analysis analysis = {0};
    struct faults faults;
    struct analysis_put put = {
            .org_id = WORLD_ORG, .call_id = world->call_ids[0], .analysis = &analysis};

    faults_init(&faults, &world->arena);
    assert_int_equal(json_parse(str_from(text), &json, NULL), ERR_NONE);
    analysis_read(json, &faults, &analysis);
    assert_int_equal(faults.count, 0);
    enum err err = WORLD_RUN(world, store_analysis_put, &put);

    if (err == ERR_NONE && put.event_id != 0)
        world_expect_event(world, put.event_id, put.delivery_count);
    return err;
}

static enum err start_analysis(struct world *world)
{
    return put_analysis_text(world, "{\"status\":\"processing\"}");
}

static enum err put_analysis(struct world *world)
{
    return put_analysis_text(world, "{\"status\":\"completed\",\"summary\":\"An order.\"}");
}

static enum err check_analysis(struct world *world)
{
    WORLD_CHECK(world, world_number(world, "SELECT max(analysis_version) FROM call") == 2);
    return ERR_NONE;
}

/* ---- contacts, staff ---- */

static enum err write_contact(struct world *world, enum write_mode mode, const char *name)
{
    struct contact_write write = {
            .mode = mode,
            .fields = mode == WRITE_PATCH ? CONTACT_NAME : CONTACT_ALL,
            .contact = {.id = STR("contact_1"),
                    .org_id = WORLD_ORG,
                    .name = str_from(name),
                    .phone = PHONE,
                    .labels = STR("[\"vip\"]")},
    };
    enum err err = WORLD_RUN(world, store_contact_write, &write);

    if (err == ERR_NONE) {
        WORLD_CHECK(world, write.event_id != 0);
        world_expect_event(world, write.event_id, write.delivery_count);
    }
    return err;
}

static enum err create_contact(struct world *world)
{
    return write_contact(world, WRITE_CREATE, "John");
}

static enum err rename_contact(struct world *world)
{
    return write_contact(world, WRITE_PATCH, "John Doe");
}

static enum err delete_contact(struct world *world)
{
    struct contact_delete delete = {.org_id = WORLD_ORG, .id = STR("contact_1")};
    enum err err = WORLD_RUN(world, store_contact_delete, &delete);

    if (err == ERR_NONE) {
        int64_t event_id = world_number(world, "SELECT max(id) FROM event");

        WORLD_CHECK(world,
                world_number(world, "SELECT kind FROM event ORDER BY id DESC LIMIT 1") ==
                        EVENT_CALLER_UPDATED);
        world_expect_event(world, event_id, 4);
    }
    return err;
}

static enum err write_staff(struct world *world)
{
    struct staff_write write = {
            .mode = WRITE_PUT,
            .fields = STAFF_ALL,
            .staff = {.id = STR("emp_1"), .org_id = WORLD_ORG, .name = STR("Asha")},
    };

    return WORLD_RUN(world, store_staff_write, &write);
}

static enum err delete_staff(struct world *world)
{
    struct staff_delete delete = {.org_id = WORLD_ORG, .id = STR("emp_1")};

    return WORLD_RUN(world, store_staff_delete, &delete);
}

/* ---- deliveries by hand ---- */

static enum err cancel_delivery(struct world *world)
{
    struct delivery_cancel cancel = {
            .org_id = WORLD_ORG,
            .id = world_number(world, "SELECT min(id) FROM delivery WHERE state = 2"),
    };

    WORLD_CHECK(world, cancel.id > 0);
    enum err err = WORLD_RUN(world, store_delivery_cancel, &cancel);

    WORLD_CHECK(world, err != ERR_NONE || cancel.delivery.state == DELIVERY_CANCELLED);
    return err;
}

static enum err retry_delivery(struct world *world, int64_t id)
{
    struct delivery_retry retry = {.org_id = WORLD_ORG, .id = id};

    WORLD_CHECK(world, id > 0);
    return WORLD_RUN(world, store_delivery_retry, &retry);
}

static enum err retry_waiting(struct world *world)
{
    return retry_delivery(
            world, world_number(world, "SELECT max(id) FROM delivery WHERE state = 2"));
}

static enum err retry_failed(struct world *world)
{
    return retry_delivery(
            world, world_number(world, "SELECT min(id) FROM delivery WHERE state = 5"));
}

static enum err retry_cancelled(struct world *world)
{
    return retry_delivery(
            world, world_number(world, "SELECT min(id) FROM delivery WHERE state = 6"));
}

static enum err check_gone(struct world *world)
{
    WORLD_CHECK(world,
            world_number(world, "SELECT disabled_reason FROM endpoint WHERE enabled = 0") ==
                    DISABLED_GONE);
    return ERR_NONE;
}

/* ---- endpoints ---- */

static enum err enable(struct world *world, enum world_receiver receiver, bool enabled)
{
    CLEANUP_PTR(endpoint_unref) struct endpoint *values = endpoint_new();
    struct endpoint_write write = {
            .id = world->endpoint_ids[receiver],
            .org_id = WORLD_ORG,
            .fields = ENDPOINT_ENABLED,
            .endpoint = values,
    };

    values->enabled = enabled;
    enum err err = WORLD_RUN(world, store_endpoint_write, &write);

    endpoint_unref(write.result);
    return err;
}

static enum err disable_ok(struct world *world)
{
    return enable(world, WORLD_OK, false);
}

static enum err enable_ok(struct world *world)
{
    return enable(world, WORLD_OK, true);
}

static enum err disable_flaky(struct world *world)
{
    return enable(world, WORLD_FLAKY, false);
}

static enum err enable_flaky(struct world *world)
{
    return enable(world, WORLD_FLAKY, true);
}

/* While it is disabled nothing of it is sent, and nothing is lost. */
static enum err check_held(struct world *world)
{
    WORLD_CHECK(world,
            world_number(world,
                    "SELECT count(*) FROM delivery d JOIN endpoint p ON p.id = d.endpoint_id"
                    " WHERE p.enabled = 0 AND d.state = 2") == 1);
    return ERR_NONE;
}

static enum err
recover(struct world *world, enum world_receiver receiver, enum recover_what what, int64_t wanted)
{
    struct endpoint_recover recover = {
            .org_id = WORLD_ORG, .id = world->endpoint_ids[receiver], .what = what};
    enum err err = WORLD_RUN(world, store_endpoint_recover, &recover);

    WORLD_CHECK(world, err != ERR_NONE || recover.delivery_count == wanted);
    return err;
}

static enum err recover_missed(struct world *world)
{
    enum err err = recover(world, WORLD_OK, RECOVER_MISSED, 1);

    if (err == ERR_NONE)
        world->events[world->event_count - 1].delivery_count++;
    return err;
}

static enum err recover_failed(struct world *world)
{
    return recover(world, WORLD_DEAD, RECOVER_FAILED, 2);
}

static enum err replay_event(struct world *world)
{
    struct event_replay replay = {.org_id = WORLD_ORG, .id = world->events[0].id};
    enum err err = WORLD_RUN(world, store_event_replay, &replay);

    WORLD_CHECK(world, err != ERR_NONE || replay.delivery_count == 4);
    return err;
}

static enum err rotate_secret(struct world *world)
{
    struct endpoint_rotate rotate = {
            .org_id = WORLD_ORG,
            .id = world->endpoint_ids[WORLD_OK],
            .secret = STR("whsec_next"),
            .overlap_s = 3600,
    };
    enum err err = WORLD_RUN(world, store_endpoint_rotate, &rotate);

    endpoint_unref(rotate.endpoint);
    return err;
}

static enum err delete_endpoint(struct world *world)
{
    struct endpoint_delete delete = {.org_id = WORLD_ORG, .id = world->endpoint_ids[WORLD_DEAD]};

    return WORLD_RUN(world, store_endpoint_delete, &delete);
}

/* ---- tokens, inboxes, keys ---- */

static enum err create_token(struct world *world)
{
    struct token_create create = {
            .org_id = WORLD_ORG, .name = STR("second"), .hash = {9}, .scopes = SCOPE_READ};
    enum err err = WORLD_RUN(world, store_token_create, &create);

    if (err == ERR_NONE)
        world->other_id = create.token.id;
    return err;
}

static enum err find_token(struct world *world)
{
    struct token_find find = {.hash = {9}};

    return WORLD_RUN(world, store_token_find, &find);
}

static enum err delete_token(struct world *world)
{
    struct token_delete delete = {.org_id = WORLD_ORG, .id = world->other_id};

    return WORLD_RUN(world, store_token_delete, &delete);
}

static enum err create_inbox(struct world *world)
{
    struct inbox_create create = {.inbox = {.org_id = WORLD_ORG, .status = 200}};
    enum err err = WORLD_RUN(world, store_inbox_create, &create);

    if (err == ERR_NONE)
        world->text = create.inbox.id;
    return err;
}

static enum err receive_request(struct world *world)
{
    struct inbox_receive receive = {
            .inbox_id = world->text,
            .request = {.method = STR("POST"), .headers = STR("A: b\n"), .body = STR("{}")},
    };

    return WORLD_RUN(world, store_inbox_receive, &receive);
}

static enum err delete_inbox(struct world *world)
{
    struct inbox_delete delete = {.org_id = WORLD_ORG, .id = world->text};

    return WORLD_RUN(world, store_inbox_delete, &delete);
}

static enum err begin_key(struct world *world)
{
    struct idempotency idempotency = {.org_id = WORLD_ORG, .key_hash = {4}};
    struct idempotency_mark mark = {.op = {.idempotency = &idempotency}};
    enum err err = WORLD_RUN(world, store_idempotency_begin, &mark);

    WORLD_CHECK(world, !idempotency.replayed);
    return err;
}

static enum err finish_key(struct world *world)
{
    struct idempotency idempotency = {.org_id = WORLD_ORG, .key_hash = {4}, .status = 200};
    struct idempotency_mark mark = {.op = {.idempotency = &idempotency}};

    buf_add_text(&idempotency.body, "answer");
    enum err err = WORLD_RUN(world, store_idempotency_finish, &mark);

    buf_done(&idempotency.body);
    return err;
}

/* ---- reading ---- */

static enum err read_call(struct world *world)
{
    struct call_get get = {.org_id = WORLD_ORG, .id = world->call_ids[0]};
    enum err err = WORLD_RUN(world, store_call_get, &get);

    WORLD_CHECK(world, err != ERR_NONE || (get.event_count == 1 && get.delivery_count == 4));
    return err;
}

static enum err list_calls(struct world *world)
{
    struct call_list list = {
            .org_id = WORLD_ORG,
            .type = -1,
            .file_status = -1,
            .analysis_status = -1,
            .reviewed = -1,
            .page = {.limit = 1},
    };
    enum err err = WORLD_RUN(world, store_call_list, &list);

    WORLD_CHECK(world, err != ERR_NONE || list.count == 1);
    return err;
}

static enum err read_event(struct world *world)
{
    struct event_get get = {.org_id = WORLD_ORG, .id = world->events[0].id};
    enum err err = WORLD_RUN(world, store_event_get, &get);

    WORLD_CHECK(world, err != ERR_NONE || get.endpoint_count == 4);
    return err;
}

static enum err list_events(struct world *world)
{
    struct event_list list = {.org_id = WORLD_ORG, .kind = -1, .type = -1, .page = {.limit = 5}};
    enum err err = WORLD_RUN(world, store_event_list, &list);

    WORLD_CHECK(world, err != ERR_NONE || list.count == 1);
    return err;
}

static enum err list_deliveries(struct world *world)
{
    struct delivery_list list = {
            .org_id = WORLD_ORG, .state = DELIVERY_RETRYING, .kind = -1, .page = {.limit = 5}};
    enum err err = WORLD_RUN(world, store_delivery_list, &list);

    WORLD_CHECK(world, err != ERR_NONE || list.count == 3);
    return err;
}

static enum err read_delivery(struct world *world)
{
    struct delivery_get get = {
            .org_id = WORLD_ORG, .id = world_number(world, "SELECT min(id) FROM delivery")};
    enum err err = WORLD_RUN(world, store_delivery_get, &get);

    WORLD_CHECK(world, err != ERR_NONE || get.attempt_count == 1);
    return err;
}

static enum err read_endpoint(struct world *world)
{
    struct endpoint_get get = {.org_id = WORLD_ORG, .id = world->endpoint_ids[WORLD_OK]};
    enum err err = WORLD_RUN(world, store_endpoint_get, &get);

    WORLD_CHECK(world, (err == ERR_NONE) == (get.endpoint != NULL));
    endpoint_unref(get.endpoint);
    return err;
}

static enum err list_endpoints(struct world *world)
{
    struct endpoint_list list = {.org_id = WORLD_ORG, .page = {.limit = 3}};
    enum err err = WORLD_RUN(world, store_endpoint_list, &list);

    WORLD_CHECK(world, list.count == (err == ERR_NONE ? 3 : 0));
    for (size_t i = 0; i < list.count; i++)
        endpoint_unref(list.endpoints[i]);
    return err;
}

static enum err read_stats(struct world *world)
{
    struct endpoint_stats stats = {
            .org_id = WORLD_ORG,
            .id = world->endpoint_ids[WORLD_OK],
            .window_ms = 12 * (int64_t)STAT_BUCKET_MS,
            .bucket_count = 12,
    };
    enum err err = WORLD_RUN(world, store_endpoint_stats, &stats);

    WORLD_CHECK(world, err != ERR_NONE || stats.buckets[11].delivered == 1);
    return err;
}

/* ---- the end of things ---- */

/* After a day an expected recording and its analysis count as failed, each with its event. */
static enum err check_watchdog(struct world *world)
{
    WORLD_CHECK(world, world_number(world, "SELECT count(*) FROM call WHERE file_status = 4") == 1);
    WORLD_CHECK(world, world_number(world, "SELECT count(*) FROM event WHERE kind = 1") == 1);
    WORLD_CHECK(world, world_number(world, "SELECT count(*) FROM event WHERE kind = 2") == 1);
    return ERR_NONE;
}

/* What is older than 30 days is gone, but for calls. */
static enum err check_retention(struct world *world)
{
    WORLD_CHECK(world, world_number(world, "SELECT count(*) FROM attempt") == 0);
    WORLD_CHECK(world, world_number(world, "SELECT count(*) FROM delivery") == 0);
    WORLD_CHECK(world, world_number(world, "SELECT count(*) FROM event") == 0);
    WORLD_CHECK(world, world_number(world, "SELECT count(*) FROM call") == 1);
    WORLD_CHECK(world, world_number(world, "SELECT count(*) FROM idempotency") == 0);
    world->event_count = 0;
    return ERR_NONE;
}

static enum err delete_org(struct world *world)
{
    struct org_delete delete = {.id = WORLD_ORG};

    return WORLD_RUN(world, store_org_delete, &delete);
}

static enum err check_purge(struct world *world)
{
    WORLD_CHECK(world, world_number(world, "SELECT count(*) FROM purge") == 0);
    WORLD_CHECK(world, world_number(world, "SELECT count(*) FROM call") == 0);
    WORLD_CHECK(world, world_number(world, "SELECT count(*) FROM event") == 0);
    WORLD_CHECK(world, world_number(world, "SELECT count(*) FROM delivery") == 0);
    WORLD_CHECK(world, world_number(world, "SELECT count(*) FROM attempt") == 0);
    WORLD_CHECK(world, world_number(world, "SELECT count(*) FROM endpoint") == 0);
    world->event_count = 0;
    world->call_count = 0;
    return ERR_NONE;
}

/* ---- the scenarios ---- */

static const struct step OPENING[] = {
        {"open", world_open, 0},
        {"create org", create_org, 0},
        {"create org again", create_org_again, 0},
        {"make endpoint", make_ok, 0},
        {"make strict endpoint", make_strict, 0},
        {NULL, NULL, 0},
};

static const struct step LOGGING[] = {
        {"log a call", log_call, 0},
        {"log it again", log_call_again, 0},
        {"log a batch", log_batch, 10000},
        {NULL, NULL, 0},
};

static const struct step CHANGING[] = {
        {"log a call", log_call, 0},
        {"start its upload", start_upload, 0},
        {"put its file", put_file, 0},
        {"put it again", put_file_again, 0},
        {"start its analysis", start_analysis, 0},
        {"put its analysis", put_analysis, 0},
        {"put another", put_analysis, 0},
        {"versions", check_analysis, 60000},
        {"delete its recording", delete_recording, 0},
        {"patch it", patch_call, 0},
        {NULL, NULL, 0},
};

static const struct step PEOPLE[] = {
        {"log a call", log_call, 0},
        {"create its contact", create_contact, 0},
        {"rename it", rename_contact, 0},
        {"delete it", delete_contact, 0},
        {"write staff", write_staff, 0},
        {"delete staff", delete_staff, 0},
        {NULL, NULL, 0},
};

static const struct step RESULTS[] = {
        {"make an endpoint that is gone", make_gone, 0},
        {"log a call", log_another, 0},
        {"gone", check_gone, 0},
        {"cancel a delivery", cancel_delivery, 0},
        {"hasten another", retry_waiting, 60000},
        {"retry the cancelled one", retry_cancelled, 2 * 3600 * 1000},
        {"retry a failed one", retry_failed, 0},
        {NULL, NULL, 0},
};

static const struct step SETTINGS[] = {
        {"disable an endpoint", disable_ok, 0},
        {"log a call", log_another, 0},
        {"enable it", enable_ok, 0},
        {"recover what it missed", recover_missed, 0},
        {"disable one with a delivery", disable_flaky, 3600 * 1000},
        {"held", check_held, 0},
        {"enable it", enable_flaky, 60000},
        {"rotate a secret", rotate_secret, 0},
        {NULL, NULL, 0},
};

static const struct step REPEATING[] = {
        {"log a call", log_another, 60000},
        {"log another", log_another, 3 * 3600 * 1000},
        {"recover failed ones", recover_failed, 0},
        {"replay an event", replay_event, 60000},
        {"delete an endpoint", delete_endpoint, 0},
        {NULL, NULL, 0},
};

static const struct step READING[] = {
        {"log a call", log_another, 0},
        {"read a call", read_call, 0},
        {"list calls", list_calls, 0},
        {"read an event", read_event, 0},
        {"list events", list_events, 0},
        {"list deliveries", list_deliveries, 0},
        {"read a delivery", read_delivery, 0},
        {"read an endpoint", read_endpoint, 0},
        {"list endpoints", list_endpoints, 0},
        {"read its counts", read_stats, 0},
        {NULL, NULL, 0},
};

static const struct step KEEPING[] = {
        {"create a token", create_token, 0},
        {"find it", find_token, 0},
        {"delete it", delete_token, 0},
        {"create an inbox", create_inbox, 0},
        {"send to it", receive_request, 0},
        {"delete it", delete_inbox, 0},
        {"begin a key", begin_key, 0},
        {"finish it", finish_key, 0},
        {NULL, NULL, 0},
};

static const struct step GROWING_OLD[] = {
        {"log a call", log_call, 3 * 3600 * 1000},
        {"a day passes", NULL, 25 * 3600 * 1000},
        {"what a failure kept goes a minute later", NULL, 2 * 60 * 1000},
        {"watchdog", check_watchdog, 3 * 3600 * 1000},
        {"a month passes", NULL, INT64_C(32) * 24 * 3600 * 1000},
        {"what a failure kept goes a day later", NULL, INT64_C(25) * 3600 * 1000},
        {"and a minute", NULL, 2 * 60 * 1000},
        {"retention", check_retention, 0},
        {NULL, NULL, 0},
};

static const struct step LEAVING[] = {
        {"log a call", log_call, 0},
        {"delete the org", delete_org, 2 * 60 * 1000},
        {"two minutes pass", NULL, 2 * 60 * 1000},
        {"purge", check_purge, 0},
        {NULL, NULL, 0},
};

static const struct scenario SCENARIOS[] = {
        {"a store is opened", true, OPENING},
        {"calls are logged", false, LOGGING},
        {"a call changes", false, CHANGING},
        {"people change", false, PEOPLE},
        {"attempts end", false, RESULTS},
        {"endpoints change", false, SETTINGS},
        {"events are sent again", false, REPEATING},
        {"things are read", false, READING},
        {"tokens, inboxes and keys are kept", false, KEEPING},
        {"things grow old", false, GROWING_OLD},
        {"an org leaves", false, LEAVING},
};

const struct scenario *scenario_all(size_t *ret_count)
{
    *ret_count = sizeof(SCENARIOS) / sizeof(SCENARIOS[0]);
    return SCENARIOS;
}

void scenario_prepare(struct world *world)
{
    assert_int_equal(create_org(world), ERR_NONE);
    assert_int_equal(make_ok(world), ERR_NONE);
    assert_int_equal(make_flaky(world), ERR_NONE);
    assert_int_equal(make_dead(world), ERR_NONE);
    assert_int_equal(make_strict(world), ERR_NONE);
    world_settle(world);
}
