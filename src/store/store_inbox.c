/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_inbox - operations on inboxes and the requests that came to them. What is over its time
 * counts as gone at once; retention.c removes its rows.
 */
#include "store/store_inbox.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "base/id.h"
#include "base/rand.h"
#include "store/page.h"
#include "store/store_work.h"

enum {
    INBOX_ID_CHARS = 26,               /* 5 random bits each */
    PAGE_BODIES_MAX = 8 * 1024 * 1024, /* a page of requests ends early above this */
};

#define INBOX_COLUMNS "id, org_id, secret, status, delay_ms, created_at"

static enum err read_inbox(struct store_work *work,
        const struct db_stmt *row,
        struct arena *arena,
        struct inbox *ret_inbox,
        struct error *why)
{
    struct inbox inbox = {
            .id = arena_str(arena, db_str(row, 0)),
            .org_id = arena_str(arena, db_str(row, 1)),
            .status = db_i64(row, 3),
            .delay_ms = db_i64(row, 4),
            .created_at_ms = db_i64(row, 5),
    };
    struct str sealed = db_str(row, 2);
    enum err err = ERR_NONE;

    if (sealed.ptr != NULL)
        err = secret_open(work->config->seal_key, sealed, arena, &inbox.secret, why);
    if (err == ERR_NONE)
        *ret_inbox = inbox;
    return err;
}

/* ERR_NOT_FOUND, so for another org's unless any_org. */
static enum err load(struct store_work *work,
        struct arena *arena,
        struct str org_id,
        bool any_org,
        struct str id,
        struct inbox *ret_inbox,
        struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, "SELECT " INBOX_COLUMNS " FROM inbox WHERE id = $1");
    struct inbox inbox = {0};
    bool row = false;
    enum err err;

    db_bind_str(stmt, 1, id);
    err = db_next(stmt, &row, why);
    if (err == ERR_NONE && row)
        err = read_inbox(work, stmt, arena, &inbox, why);
    db_stop(stmt);
    if (err != ERR_NONE)
        return err;
    bool is_visitors = inbox.org_id.ptr == NULL;
    bool is_over = is_visitors && inbox.created_at_ms + INBOX_KEEP_MS <= work->now_ms;
    bool is_theirs = any_org || is_visitors || str_equal(inbox.org_id, org_id);
    if (!row || is_over || !is_theirs)
        return error_set(why, ERR_NOT_FOUND, "no such inbox");
    *ret_inbox = inbox;
    return ERR_NONE;
}

/* ERR_LIMIT when the org, or all visitors together, have as many as they may. */
static enum err check_count(struct store_work *work, struct str org_id, struct error *why)
{
    static const char of_org[] = "SELECT count(*) FROM inbox WHERE org_id = $1";
    static const char of_visitors[] =
            "SELECT count(*) FROM inbox WHERE org_id IS NULL AND created_at > $1";
    bool is_visitors = org_id.ptr == NULL;
    int64_t count_max = is_visitors ? INBOXES_OF_VISITORS_MAX : INBOXES_PER_ORG_MAX;
    struct db_stmt *stmt = db_stmt(work->db, is_visitors ? of_visitors : of_org);
    int64_t count = 0;
    bool row = false;
    enum err err;

    if (is_visitors)
        db_bind_i64(stmt, 1, work->now_ms - INBOX_KEEP_MS);
    else
        db_bind_str(stmt, 1, org_id);
    err = db_next(stmt, &row, why);
    if (err == ERR_NONE && row)
        count = db_i64(stmt, 0);
    db_stop(stmt);
    if (err == ERR_NONE && count >= count_max)
        return error_set(why, ERR_LIMIT, "there are %d inboxes already", (int)count);
    return err;
}

static struct str new_id(struct arena *arena)
{
    static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    uint8_t bytes[INBOX_ID_CHARS];
    char text[INBOX_ID_CHARS + 1];

    rand_secret(bytes, sizeof(bytes));
    for (size_t i = 0; i < INBOX_ID_CHARS; i++)
        text[i] = digits[bytes[i] & 31];
    text[INBOX_ID_CHARS] = '\0';
    return arena_strf(arena, "in_%s", text);
}

static enum err insert(struct store_work *work, const struct inbox *inbox, struct error *why)
{
    CLEANUP(buf_done) struct buf sealed = {0};
    enum err err;

    if (inbox->secret.ptr != NULL)
        secret_seal(work->config->seal_key, inbox->secret, &sealed);
    err = buf_err(&sealed);
    if (err != ERR_NONE)
        return error_set_field(why, err, "secret", "is too long");
    struct db_stmt *stmt = db_stmt(
            work->db, "INSERT INTO inbox (" INBOX_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6)");
    db_bind_str(stmt, 1, inbox->id);
    db_bind_str(stmt, 2, inbox->org_id);
    db_bind_bytes(stmt, 3, inbox->secret.ptr != NULL ? buf_str(&sealed) : STR_NONE);
    db_bind_i64(stmt, 4, inbox->status);
    db_bind_i64(stmt, 5, inbox->delay_ms);
    db_bind_i64(stmt, 6, inbox->created_at_ms);
    return db_run(stmt, NULL, why);
}

static enum err run_create(struct store_work *work, struct store_op *op, struct error *why)
{
    struct inbox_create *create = (struct inbox_create *)op;
    enum err err = check_count(work, create->inbox.org_id, why);

    if (err != ERR_NONE)
        return err;
    create->inbox.id = new_id(op->arena);
    create->inbox.org_id = arena_str(op->arena, create->inbox.org_id);
    create->inbox.secret = arena_str(op->arena, create->inbox.secret);
    create->inbox.created_at_ms = work->now_ms;
    return insert(work, &create->inbox, why);
}

static enum err run_get(struct store_work *work, struct store_op *op, struct error *why)
{
    struct inbox_get *get = (struct inbox_get *)op;

    return load(work, op->arena, get->org_id, get->any_org, get->id, &get->inbox, why);
}

static enum err run_list(struct store_work *work, struct store_op *op, struct error *why)
{
    struct inbox_list *list = (struct inbox_list *)op;
    int64_t before_ms = 0;
    struct str before_id = STR_NONE;
    size_t count = 0;
    bool row = false;
    enum err err = page_read_pair(&list->page, &before_ms, &before_id, why);

    if (err != ERR_NONE)
        return err;
    list->page.next_cursor = STR_NONE;
    list->inboxes = arena_alloc(op->arena, (size_t)list->page.limit * sizeof(*list->inboxes));
    struct db_stmt *stmt = db_stmt(work->db,
            "SELECT " INBOX_COLUMNS " FROM inbox"
            " WHERE org_id = $1 AND (created_at, id) < ($2, $3)"
            " ORDER BY created_at DESC, id DESC LIMIT $4");
    db_bind_str(stmt, 1, list->org_id);
    db_bind_i64(stmt, 2, before_ms);
    db_bind_str(stmt, 3, before_id);
    db_bind_i64(stmt, 4, list->page.limit + 1);
    while ((err = db_next(stmt, &row, why)) == ERR_NONE && row) {
        if (count == (size_t)list->page.limit) {
            const struct inbox *last = &list->inboxes[count - 1];

            page_set_pair(&list->page, op->arena, last->created_at_ms, last->id);
            break;
        }
        err = read_inbox(work, stmt, op->arena, &list->inboxes[count], why);
        if (err != ERR_NONE)
            break;
        count++;
    }
    db_stop(stmt);
    list->count = count;
    return err;
}

/* sql is a statement on the inbox $1. */
static enum err
run_on_inbox(struct store_work *work, const char *sql, struct str id, struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, sql);

    db_bind_str(stmt, 1, id);
    return db_run(stmt, NULL, why);
}

static enum err run_delete(struct store_work *work, struct store_op *op, struct error *why)
{
    struct inbox_delete *delete = (struct inbox_delete *)op;
    struct inbox inbox = {0};
    enum err err = load(work, op->arena, delete->org_id, false, delete->id, &inbox, why);

    if (err == ERR_NONE)
        err = run_on_inbox(work, "DELETE FROM inbox_request WHERE inbox_id = $1", inbox.id, why);
    if (err == ERR_NONE)
        err = run_on_inbox(work, "DELETE FROM inbox WHERE id = $1", inbox.id, why);
    return err;
}

static enum err insert_request(struct store_work *work,
        struct str inbox_id,
        const struct inbox_request *request,
        struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db,
            "INSERT INTO inbox_request (id, inbox_id, method, headers, body, signature_ok)"
            " VALUES ($1, $2, $3, $4, $5, $6)");

    db_bind_i64(stmt, 1, request->id);
    db_bind_str(stmt, 2, inbox_id);
    db_bind_str(stmt, 3, request->method);
    db_bind_str(stmt, 4, request->headers);
    db_bind_bytes(stmt, 5, request->body.ptr != NULL ? request->body : STR(""));
    if (request->signature != SIGNATURE_UNJUDGED)
        db_bind_i64(stmt, 6, request->signature);
    return db_run(stmt, NULL, why);
}

static enum err drop_oldest(struct store_work *work, struct str inbox_id, struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db,
            "DELETE FROM inbox_request WHERE inbox_id = $1 AND id <="
            " (SELECT id FROM inbox_request WHERE inbox_id = $1"
            " ORDER BY id DESC LIMIT 1 OFFSET $2)");

    db_bind_str(stmt, 1, inbox_id);
    db_bind_i64(stmt, 2, INBOX_REQUESTS_MAX);
    return db_run(stmt, NULL, why);
}

static enum err run_receive(struct store_work *work, struct store_op *op, struct error *why)
{
    struct inbox_receive *receive = (struct inbox_receive *)op;
    struct note note = {.kind = NOTE_INBOX};
    struct inbox inbox = {0};
    enum err err = load(work, op->arena, STR_NONE, true, receive->inbox_id, &inbox, why);

    if (err != ERR_NONE)
        return err;
    receive->request.id = work_new_id(work);
    err = insert_request(work, inbox.id, &receive->request, why);
    if (err == ERR_NONE)
        err = drop_oldest(work, inbox.id, why);
    if (err != ERR_NONE)
        return err;
    note.delivery_id = receive->request.id;
    (void)snprintf(note.text, sizeof(note.text), "%.*s", STR_ARG(inbox.id));
    (void)snprintf(note.org_id, sizeof(note.org_id), "%.*s", STR_ARG(inbox.org_id));
    work_note(work, &note);
    return ERR_NONE;
}

static struct inbox_request read_request(const struct db_stmt *row, struct arena *arena)
{
    return (struct inbox_request){
            .id = db_i64(row, 0),
            .method = arena_str(arena, db_str(row, 1)),
            .headers = arena_str(arena, db_str(row, 2)),
            .body = arena_str(arena, db_str(row, 3)),
            .signature = (enum signature_judgement)db_i64(row, 4),
    };
}

/* Bodies can be large: a page of them is bounded in bytes, too, but has one at least. */
static enum err
read_requests(struct inbox_request_list *list, struct db_stmt *stmt, struct error *why)
{
    size_t count = 0, bytes = 0;
    bool row = false;
    enum err err;

    while ((err = db_next(stmt, &row, why)) == ERR_NONE && row) {
        if (count == (size_t)list->page.limit || bytes >= PAGE_BODIES_MAX) {
            page_set_number(&list->page, list->op.arena, list->requests[count - 1].id);
            db_stop(stmt);
            break;
        }
        list->requests[count] = read_request(stmt, list->op.arena);
        bytes += list->requests[count].headers.len + list->requests[count].body.len;
        count++;
    }
    list->count = count;
    return err;
}

static enum err run_request_list(struct store_work *work, struct store_op *op, struct error *why)
{
    struct inbox_request_list *list = (struct inbox_request_list *)op;
    struct inbox inbox = {0};
    int64_t before_id = 0;
    enum err err = page_read_number(&list->page, &before_id, why);

    if (err == ERR_NONE)
        err = load(work, op->arena, list->org_id, false, list->inbox_id, &inbox, why);
    if (err != ERR_NONE)
        return err;
    list->page.next_cursor = STR_NONE;
    list->requests = arena_alloc(op->arena, (size_t)list->page.limit * sizeof(*list->requests));
    struct db_stmt *stmt = db_stmt(work->db,
            "SELECT id, method, headers, body, coalesce(signature_ok, -1) FROM inbox_request"
            " WHERE inbox_id = $1 AND id < $2 AND id >= $3 ORDER BY id DESC LIMIT $4");
    db_bind_str(stmt, 1, inbox.id);
    db_bind_i64(stmt, 2, before_id);
    db_bind_i64(stmt, 3, id_floor(work->now_ms - INBOX_KEEP_MS));
    db_bind_i64(stmt, 4, list->page.limit + 1);
    return read_requests(list, stmt, why);
}

enum err store_inbox_create(struct store *store, struct inbox_create *op)
{
    return store_submit_run(store, &op->op, run_create, false);
}

enum err store_inbox_get(struct store *store, struct inbox_get *op)
{
    return store_submit_run(store, &op->op, run_get, true);
}

enum err store_inbox_list(struct store *store, struct inbox_list *op)
{
    return store_submit_run(store, &op->op, run_list, true);
}

enum err store_inbox_delete(struct store *store, struct inbox_delete *op)
{
    return store_submit_run(store, &op->op, run_delete, false);
}

enum err store_inbox_receive(struct store *store, struct inbox_receive *op)
{
    return store_submit_run(store, &op->op, run_receive, false);
}

enum err store_inbox_request_list(struct store *store, struct inbox_request_list *op)
{
    return store_submit_run(store, &op->op, run_request_list, true);
}
