/* SPDX-License-Identifier: Apache-2.0 */
/*
 * api_recording - taking in, serving and deleting the audio of calls.
 *
 * Audio goes to disk as it comes:
 *
 *   put_begin   the call is looked up, upload_begin      -> 404, 415, 503
 *   take_piece  upload_write                             -> 413, 422, 503
 *   put         upload_finish (synced on its own thread) -> 422, 503
 *               recording_set; keep_upload() once it is committed
 *
 * Whatever ends before that discards the upload.
 */
#include "api/api_recording.h"

#include <unistd.h>

#include "api/byte_range.h"
#include "api/call_json.h"
#include "api/member.h"
#include "api/problem.h"
#include "api/request.h"
#include "api/route.h"
#include "api/target.h"
#include "domain/audio.h"
#include "domain/limits.h"
#include "domain/recording_link.h"
#include "store/store_call.h"

enum { URL_MAX_BYTES = ENDPOINT_URL_MAX_BYTES, WORD_MAX_BYTES = 32 };

/* ---- PUT /v1/calls/{call_id}/recording ---- */

struct put {
    struct target target; /* first: for target_check() */
    struct recording_get get;
    struct recording_set set;
    struct upload *upload; /* NULL: the body is JSON, or the upload is kept by now */
    struct str type;
    struct str url;
};

static struct put *put_of(const struct request *request)
{
    return request->data;
}

static void render_set(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct recording_set *set = (const struct recording_set *)op;

    (void)ret_status;
    buf_add_char(ret_body, '{');
    member_i64(ret_body, "call_id", set->call_id);
    member_str(ret_body, "file_status", file_status_name(set->view.call.file_status));
    call_json_recording(ret_body, &set->view);
    member_id(ret_body, "payload_id", EVENT_ID_PREFIX, set->event_id);
    member_i64(ret_body, "deliveries", set->delivery_count);
    buf_add_char(ret_body, '}');
}

static void end_put(struct request *request)
{
    upload_discard(put_of(request)->upload);
}

/* Store thread: the database knows the new file, and no longer the old one. The same audio again
 * changes nothing, and then the copy goes. */
static void keep_upload(struct request *request)
{
    struct put *put = put_of(request);
    const struct recording_set *set = &put->set;
    struct upload *upload = put->upload;

    put->upload = NULL;
    if (upload != NULL && str_equal(set->view.call.recording.file, upload_file(upload)))
        upload_keep(upload);
    else
        upload_discard(upload);
    recordings_remove(request->parts->recordings, set->old_file);
    if (set->change == RECORDING_FETCH && request->parts->fetcher != NULL)
        fetcher_wake(request->parts->fetcher);
}

static void refuse_piece(struct request *request, enum err err, const struct error *why)
{
    if (err == ERR_LIMIT)
        request_refuse_large(request, LIMIT_RECORDING_BYTES);
    else
        problem_reply_error(request, err, why);
}

static enum err take_piece(struct http_exchange *x, struct str piece)
{
    struct request *request = x->owner;
    struct error why;
    enum err err = upload_write(put_of(request)->upload, piece, &why);

    if (err != ERR_NONE)
        refuse_piece(request, err, &why);
    return err;
}

static void call_found(struct request *request, enum err err)
{
    struct put *put = put_of(request);
    struct error why;

    if (err != ERR_NONE) {
        problem_reply_error(request, err, &put->get.op.why);
        return;
    }
    err = upload_begin(request->parts->recordings, put->get.call_id, put->type, &put->upload, &why);
    if (err != ERR_NONE)
        problem_reply_error(request, err, &why);
    else
        request->x->on_body = take_piece;
}

void api_recording_put_begin(struct request *request)
{
    struct put *put = ARENA_NEW(request->arena, struct put);
    struct str content_type = http_exchange_header(request->x, "Content-Type");

    request->data = put;
    request->end = end_put;
    if (!request_param_call_id(request, 0, &put->get.call_id))
        return;
    if (request_is_json(request)) {
        request->x->body_max_bytes = LIMIT_JSON_BODY_BYTES;
    } else if (!audio_type_parse(content_type, &put->type)) {
        problem_reply(request,
                415,
                "the body must be audio/mpeg, wav, x-wav, ogg, mp4, aac, amr, flac or webm, or "
                "application/json");
    } else if (!request_refuse_faults(request)) {
        put->get.org_id = request->org_id;
        request_look_up(request, &put->get.op, REQUEST_SUBMIT(store_recording_get), call_found);
    }
}

static void submit(struct request *request)
{
    struct recording_set *set = &put_of(request)->set;

    set->org_id = request->org_id;
    set->call_id = put_of(request)->get.call_id;
    request->stored = keep_upload;
    request_submit(request, &set->op, REQUEST_SUBMIT(store_recording_set), render_set);
}

static void upload_settled(struct request *request, enum err err)
{
    struct put *put = put_of(request);

    if (err != ERR_NONE) {
        refuse_piece(request, err, upload_why(put->upload));
        return;
    }
    put->set.change = RECORDING_FILE;
    /* Copies: the upload is gone before the answer is written. */
    put->set.recording = (struct recording){
            .file = arena_str(request->arena, upload_file(put->upload)),
            .content_type = arena_str(request->arena, upload_type(put->upload)),
            .size_bytes = upload_size_bytes(put->upload),
            .sha256 = arena_str(request->arena, upload_sha256_hex(put->upload)),
    };
    submit(request);
}

/* Recordings' thread. */
static void upload_ended(void *ctx, struct upload *upload, enum err err)
{
    (void)upload;
    request_resume(ctx, err);
}

static void read_status(struct faults *faults, const struct json *json, struct recording_set *set)
{
    struct str word;

    if (faults_read_str(faults,
                json,
                "file_status",
                "file_status",
                MEMBER_OPTIONAL,
                WORD_MAX_BYTES,
                &word) != MEMBER_SET)
        return;
    set->change = RECORDING_STATUS;
    if (!file_status_parse(word, &set->status) || set->status == FILE_COMPLETED ||
            set->status == FILE_DELETED)
        faults_add(faults,
                "file_status",
                "must be one of none, pending, uploading, failed, absent (completed comes with the "
                "audio, deleted with DELETE)");
}

/* A link elsewhere is only passed on: its form is checked, not where it leads. */
static void check_link(struct request *request, struct str text)
{
    struct error why;
    struct url url;

    if (url_parse(request->arena, text, URL_MAX_BYTES, &url, &why) != ERR_NONE)
        faults_add(&request->faults, "url", "%s", why.text);
}

static void put_json(struct request *request)
{
    static const char *const members[] = {"url", "fetch", "file_status", NULL};
    struct recording_set *set = &put_of(request)->set;
    struct faults *faults = &request->faults;
    const struct json *json = request->json;
    struct str url = STR_NONE;
    bool fetch = false;

    (void)faults_check_members(faults, json, "", members);
    (void)faults_read_str(faults, json, "url", "url", MEMBER_OPTIONAL, URL_MAX_BYTES, &url);
    (void)faults_read_bool(faults, json, "fetch", "fetch", MEMBER_OPTIONAL, &fetch);
    read_status(faults, json, set);
    if (json_member(json, "url") != NULL && json_member(json, "file_status") != NULL)
        faults_add(faults, "file_status", "cannot be given together with url");
    if (json_member(json, "url") == NULL && json_member(json, "file_status") == NULL)
        faults_add(faults, "", "must have url or file_status");
    if (json_member(json, "url") == NULL && json_member(json, "fetch") != NULL)
        faults_add(faults, "fetch", "needs url");
    if (url.ptr == NULL) {
        submit(request);
        return;
    }
    set->change = fetch ? RECORDING_FETCH : RECORDING_URL;
    set->recording.url = url;
    if (fetch) {
        target_check(request, &put_of(request)->target, "url", url, submit);
        return;
    }
    check_link(request, url);
    submit(request);
}

void api_recording_put(struct request *request)
{
    struct put *put = put_of(request);

    if (put->upload == NULL) {
        if (request_read_json(request, buf_str(&request->x->body)))
            put_json(request);
        return;
    }
    request_wait(request, upload_settled);
    upload_finish(put->upload, upload_ended, request);
}

/* ---- DELETE /v1/calls/{call_id}/recording ---- */

void api_recording_delete(struct request *request)
{
    struct put *put = ARENA_NEW(request->arena, struct put);
    struct recording_set *set = &put->set;

    if (!request_param_call_id(request, 0, &set->call_id))
        return;
    request->data = put;
    request->stored = keep_upload;
    set->org_id = request->org_id;
    set->change = RECORDING_DELETE;
    request_submit_then(
            request, &set->op, REQUEST_SUBMIT(store_recording_set), request_answer_nothing);
}

/* ---- GET /v1/calls/{call_id}/recording, GET /recordings/{name} ---- */

struct get {
    struct recording_get get;
    struct str signature; /* of the link; none: a token asks */
};

static void add_headers(struct request *request, struct str etag)
{
    struct http_exchange *x = request->x;

    http_exchange_add_header(x, "Accept-Ranges", STR("bytes"));
    http_exchange_add_header(x, "Cache-Control", STR("private, max-age=0, must-revalidate"));
    http_exchange_add_header(x, "ETag", etag);
}

/* The Range header, unless If-Range names another state of the file (RFC 9110 section 13.1.5). */
static struct str wanted_range(const struct request *request, struct str etag)
{
    struct str condition = http_exchange_header(request->x, "If-Range");

    if (condition.ptr != NULL && !str_equal(condition, etag))
        return STR_NONE;
    return http_exchange_header(request->x, "Range");
}

static bool has_same(const struct request *request, struct str etag)
{
    struct str rest = http_exchange_header(request->x, "If-None-Match");

    while (rest.ptr != NULL) {
        struct str tag = str_trim(str_split(&rest, ','));

        if (str_starts(tag, STR("W/")))
            tag = str_slice(tag, 2, tag.len);
        if (str_equal(tag, etag) || str_is(tag, "*"))
            return true;
    }
    return false;
}

static void
send_file(struct request *request, const struct recording *recording, int fd, int64_t size_bytes)
{
    struct arena *arena = request->arena;
    struct http_exchange *x = request->x;
    const char *type = arena_str(arena, recording->content_type).ptr;
    struct str etag = arena_strf(arena, "\"%.*s\"", STR_ARG(recording->sha256));
    int64_t first = 0;
    int64_t count = size_bytes;

    if (has_same(request, etag)) {
        (void)close(fd);
        add_headers(request, etag);
        http_exchange_reply(x, 304, NULL, STR_NONE);
        return;
    }
    switch (byte_range_read(wanted_range(request, etag), size_bytes, &first, &count)) {
    case BYTE_RANGE_WHOLE:
        add_headers(request, etag);
        http_exchange_reply_file(x, 200, type, fd, 0, size_bytes);
        break;
    case BYTE_RANGE_PART:
        add_headers(request, etag);
        http_exchange_add_header(x,
                "Content-Range",
                arena_strf(arena,
                        "bytes %lld-%lld/%lld",
                        (long long)first,
                        (long long)(first + count - 1),
                        (long long)size_bytes));
        http_exchange_reply_file(x, 206, type, fd, first, count);
        break;
    case BYTE_RANGE_UNSATISFIABLE:
        (void)close(fd);
        http_exchange_add_header(
                x, "Content-Range", arena_strf(arena, "bytes */%lld", (long long)size_bytes));
        problem_reply(request, 416, "the file has no such bytes");
        break;
    }
}

static void serve(struct request *request, const struct recording *recording)
{
    struct error why;
    int64_t size_bytes;
    int fd;
    enum err err = recordings_open_file(
            request->parts->recordings, recording->file, &fd, &size_bytes, &why);

    if (err != ERR_NONE)
        problem_reply_error(request, err, &why);
    else
        send_file(request, recording, fd, size_bytes);
}

static void answer_token(struct request *request, enum err err)
{
    const struct recording_get *get = (const struct recording_get *)request->op;
    const struct recording *recording = &get->recording;

    if (err != ERR_NONE) {
        problem_reply_error(request, err, &get->op.why);
    } else if (recording->file.ptr != NULL) {
        serve(request, recording);
    } else if (recording->url.ptr != NULL) {
        http_exchange_add_header(request->x, "Location", arena_str(request->arena, recording->url));
        http_exchange_add_header(request->x, "Cache-Control", STR("no-store"));
        http_exchange_reply(request->x, 302, NULL, STR_NONE);
    } else {
        problem_reply(request,
                404,
                arena_strf(request->arena,
                        "the call has no audio: its file_status is %.*s",
                        STR_ARG(file_status_name(get->file_status)))
                        .ptr);
    }
}

void api_recording_get(struct request *request)
{
    struct recording_get *get = ARENA_NEW(request->arena, struct recording_get);

    if (!request_param_call_id(request, 0, &get->call_id))
        return;
    get->org_id = request->org_id;
    request_submit_then(request, &get->op, REQUEST_SUBMIT(store_recording_get), answer_token);
}

/* One answer for every link that opens nothing: it says nothing of what there is. */
static void refuse_link(struct request *request)
{
    problem_reply(request, 404, "there is no such recording");
}

static void answer_link(struct request *request, enum err err)
{
    const struct get *get = (const struct get *)request->op;
    const struct recording *recording = &get->get.recording;
    const uint8_t *key = request_config(request)->link_key;

    if (err != ERR_NONE && err != ERR_NOT_FOUND)
        problem_reply_error(request, err, &get->get.op.why);
    else if (err == ERR_NOT_FOUND || recording->file.ptr == NULL ||
             !recording_link_matches(key, get->get.call_id, recording->generation, get->signature))
        refuse_link(request);
    else
        serve(request, recording);
}

void api_recording_get_by_link(struct request *request)
{
    struct get *get = ARENA_NEW(request->arena, struct get);

    if (!recording_link_parse(request->params[0], &get->get.call_id, &get->signature)) {
        refuse_link(request);
        return;
    }
    request_submit_then(request, &get->get.op, REQUEST_SUBMIT(store_recording_get), answer_link);
}
