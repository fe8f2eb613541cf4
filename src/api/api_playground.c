/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_playground - sample payloads for the page's visitors.
 *
 * A visitor may send to an inbox of this server only, and not too often: this server is nobody's
 * tool to reach others with.
 */
#include "api/api_playground.h"

#include "api/probe_answer.h"
#include "api/problem.h"
#include "api/request.h"
#include "api/state.h"
#include "api/target.h"
#include "api/visitor.h"
#include "api/word.h"
#include "domain/limits.h"
#include "domain/sample.h"
#include "domain/secret.h"
#include "store/store_inbox.h"

/* Which sample. */
struct choice {
    enum event_kind kind;
    enum call_type type;
};

static struct choice read_choice(struct request *request)
{
    struct choice choice = {EVENT_CALL_LOGGED, CALL_INCOMING};
    struct faults *faults = &request->faults;

    (void)word_read_event(faults, request->json, "event", MEMBER_REQUIRED, &choice.kind);
    (void)word_read_type(faults, request->json, "type", MEMBER_REQUIRED, &choice.type);
    return choice;
}

static int64_t now_of(const struct request *request)
{
    return clock_wall_ms(request_config(request)->clock);
}

void api_playground_preview(struct request *request)
{
    static const char *const names[] = {"event", "type", "data", NULL};
    struct faults *faults = &request->faults;
    struct buf *body = &request->x->reply_buf;
    const struct json *data = NULL;
    struct choice choice = read_choice(request);
    int64_t now_ms = now_of(request);

    (void)faults_check_members(faults, request->json, "", names);
    (void)faults_read_json(
            faults, request->json, "data", "data", MEMBER_OPTIONAL, JSON_OBJECT_TYPE, &data);
    sample_write(body,
            request->arena,
            choice.kind,
            choice.type,
            request->org_id,
            sample_payload_id(request->arena, now_ms),
            now_ms,
            data,
            faults);
    if (!request_refuse_faults(request))
        request_reply_json(request, 200, buf_str(body));
}

struct sending {
    struct target target; /* first: target_check() finds it through request->data */
    struct choice choice;
    struct str url;
    struct str secret;     /* none: the inbox', or one is made */
    struct str body;       /* what to send */
    struct str payload_id; /* of the body */
    bool is_secret_made;
    struct inbox_get inbox;
};

static void send_sample(struct request *request, const struct sending *sending)
{
    struct endpoint *endpoint = endpoint_new();

    endpoint->url = arena_str(&endpoint->arena, sending->url);
    endpoint->org_id = arena_str(&endpoint->arena, request->org_id);
    endpoint->secret = arena_str(&endpoint->arena, sending->secret);
    probe_answer(request,
            &(struct sample_send){
                    .take_endpoint = endpoint,
                    .kind = sending->choice.kind,
                    .payload_id = sending->payload_id,
                    .body = sending->body,
                    .told_secret = sending->is_secret_made ? sending->secret : STR_NONE,
            });
}

static void make_secret(struct request *request, struct sending *sending)
{
    sending->secret = secret_new(request->arena);
    sending->is_secret_made = true;
}

/* An inbox of somebody else counts as one without a secret: nobody is to sign in its name. */
static void inbox_found(struct request *request, enum err err)
{
    struct sending *sending = request->data;

    if (err != ERR_NONE && err != ERR_NOT_FOUND) {
        problem_reply_error(request, err, &request->op->why);
        return;
    }
    if (err == ERR_NONE && sending->inbox.inbox.secret.ptr != NULL)
        sending->secret = sending->inbox.inbox.secret;
    else
        make_secret(request, sending);
    send_sample(request, sending);
}

/* The id in the URL of an inbox. */
static struct str inbox_id_of(const struct url *url)
{
    struct str path = str_slice(url->path, sizeof("/in/") - 1, url->path.len);

    return str_split(&path, '?');
}

static void target_checked(struct request *request)
{
    struct sending *sending = request->data;

    if (request_refuse_faults(request))
        return;
    if (sending->secret.ptr != NULL) {
        send_sample(request, sending);
    } else if (sending->target.is_own_inbox) {
        sending->inbox.org_id = request->org_id;
        sending->inbox.id = inbox_id_of(&sending->target.url);
        request_submit_then(
                request, &sending->inbox.op, REQUEST_SUBMIT(store_inbox_get), inbox_found);
    } else {
        make_secret(request, sending);
        send_sample(request, sending);
    }
}

/* The payload_id that the text carries, when it can stand in a header and says that it is a sample. */
static struct str payload_id_of(const struct json *json)
{
    struct str id = json_str(json_member(json, "payload_id"));
    bool is_ours =
            str_starts(id, STR(EVENT_TEST_ID_PREFIX)) && limits_check_id(id, NULL) == ERR_NONE;

    return is_ours ? id : STR_NONE;
}

/* The text that the client gives, byte by byte, or else the sample. */
static void read_body(struct request *request, struct sending *sending)
{
    struct arena *arena = request->arena;
    int64_t now_ms = now_of(request);
    CLEANUP(buf_done) struct buf text = {0};
    CLEANUP_PTR(json_free) struct json *json = NULL;
    struct error why;

    sending->payload_id = sample_payload_id(arena, now_ms);
    if (faults_read_str(&request->faults,
                request->json,
                "body",
                "body",
                MEMBER_OPTIONAL,
                LIMIT_JSON_BODY_BYTES,
                &sending->body) == MEMBER_SET) {
        if (json_parse(sending->body, &json, &why) != ERR_NONE)
            faults_add(&request->faults, "body", "is no JSON: %s", why.text);
        struct str given = arena_str(arena, payload_id_of(json));
        if (given.ptr != NULL)
            sending->payload_id = given;
        return;
    }
    sample_write(&text,
            arena,
            sending->choice.kind,
            sending->choice.type,
            request->org_id,
            sending->payload_id,
            now_ms,
            NULL,
            &request->faults);
    sending->body = arena_str(arena, buf_str(&text));
}

static void read_secret(struct request *request, struct sending *sending)
{
    struct error why;

    if (faults_read_str(&request->faults,
                request->json,
                "secret",
                "secret",
                MEMBER_OPTIONAL,
                SECRET_MAX_BYTES,
                &sending->secret) == MEMBER_SET &&
            secret_check(sending->secret, &why) != ERR_NONE)
        faults_add(&request->faults, "secret", "%s", why.text);
}

/* True when a visitor may send there; else answers 401. No name is looked up for visitors. */
static bool may_send(struct request *request, const struct sending *sending)
{
    struct url url;

    if (!visitor_asks(request))
        return true;
    if (url_parse(request->arena, sending->url, ENDPOINT_URL_MAX_BYTES, &url, NULL) == ERR_NONE &&
            services_own_inbox(&request->api->services, &url))
        return true;
    http_exchange_add_header(request->x, "WWW-Authenticate", STR("Bearer realm=\"callsync\""));
    problem_reply(request,
            401,
            "without a token a sample goes to a test inbox of this server only: make one with POST "
            "/v1/inboxes, or send a token");
    return false;
}

void api_playground_send(struct request *request)
{
    static const char *const names[] = {"event", "type", "url", "secret", "body", NULL};
    struct sending *sending = ARENA_NEW(request->arena, struct sending);
    struct faults *faults = &request->faults;

    sending->choice = read_choice(request);
    (void)faults_check_members(faults, request->json, "", names);
    read_secret(request, sending);
    read_body(request, sending);
    if (faults_read_str(faults,
                request->json,
                "url",
                "url",
                MEMBER_REQUIRED,
                ENDPOINT_URL_MAX_BYTES,
                &sending->url) != MEMBER_SET) {
        (void)request_refuse_faults(request);
        return;
    }
    if (may_send(request, sending) && visitor_within(request, request->api->services.sends))
        target_check(request, &sending->target, "url", sending->url, target_checked);
}
