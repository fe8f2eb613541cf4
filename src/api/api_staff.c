/* SPDX-License-Identifier: Apache-2.0 */
/* api_staff - writing, showing and deleting staff. */
#include "api/api_staff.h"

#include "api/field.h"
#include "api/member.h"
#include "api/problem.h"
#include "api/request.h"
#include "domain/limits.h"
#include "store/store_staff.h"

static void write_staff(struct buf *buf, const struct staff *staff)
{
    buf_add_char(buf, '{');
    member_str(buf, "id", staff->id);
    member_str(buf, "name", staff->name);
    member_str(buf, "phone", staff->phone);
    member_str(buf, "email", staff->email);
    member_time(buf, "created_at", staff->created_at_ms);
    member_time(buf, "updated_at", staff->updated_at_ms);
    buf_add_char(buf, '}');
}

static void render_written(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct staff_write *write = (const struct staff_write *)op;

    *ret_status = write->created ? 201 : 200;
    write_staff(ret_body, &write->staff);
}

/* Reads the members into write; a member that is given counts as a field. */
static void read_staff(struct request *request, struct staff_write *write)
{
    const struct field field = {&request->faults, request->json, ""};
    enum member_rule name_rule = write->mode == WRITE_PATCH ? MEMBER_OPTIONAL : MEMBER_REQUIRED;
    struct staff *staff = &write->staff;

    if (field_text(&field, "name", name_rule, LIMIT_NAME_BYTES, &staff->name) != MEMBER_ABSENT)
        write->fields |= STAFF_NAME;
    if (field_phone(&field, "phone", MEMBER_NULLABLE, &staff->phone) != MEMBER_ABSENT)
        write->fields |= STAFF_PHONE;
    if (field_email(&field, "email", MEMBER_NULLABLE, &staff->email) != MEMBER_ABSENT)
        write->fields |= STAFF_EMAIL;
    if (write->mode != WRITE_PATCH)
        write->fields = STAFF_ALL;
}

static struct staff_write *new_write(struct request *request, enum write_mode mode)
{
    struct staff_write *write = ARENA_NEW(request->arena, struct staff_write);

    write->mode = mode;
    write->staff.org_id = request->org_id;
    return write;
}

void api_staff_create(struct request *request)
{
    static const char *const members[] = {"id", "name", "phone", "email", NULL};
    struct staff_write *write = new_write(request, WRITE_CREATE);
    const struct field field = {&request->faults, request->json, ""};

    (void)faults_check_members(&request->faults, request->json, "", members);
    (void)field_id(&field, "id", MEMBER_NULLABLE, &write->staff.id);
    read_staff(request, write);
    request_submit(request, &write->op, REQUEST_SUBMIT(store_staff_write), render_written);
}

/* PUT and PATCH: the id is the path's. */
static void change(struct request *request, enum write_mode mode)
{
    static const char *const members[] = {"name", "phone", "email", NULL};
    struct staff_write *write = new_write(request, mode);
    struct error why;

    write->staff.id = request->params[0];
    if (limits_check_id(write->staff.id, &why) != ERR_NONE) {
        if (mode == WRITE_PATCH) {
            problem_reply(request, 404, "there is no such staff member");
            return;
        }
        faults_add(&request->faults, "id", "%s", why.text);
    }
    (void)faults_check_members(&request->faults, request->json, "", members);
    read_staff(request, write);
    request_submit(request, &write->op, REQUEST_SUBMIT(store_staff_write), render_written);
}

void api_staff_put(struct request *request)
{
    change(request, WRITE_PUT);
}

void api_staff_patch(struct request *request)
{
    change(request, WRITE_PATCH);
}

static void render_staff(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct staff_get *get = (const struct staff_get *)op;

    (void)ret_status;
    write_staff(ret_body, &get->staff);
}

void api_staff_get(struct request *request)
{
    struct staff_get *get = ARENA_NEW(request->arena, struct staff_get);

    get->org_id = request->org_id;
    get->id = request->params[0];
    request_submit(request, &get->op, REQUEST_SUBMIT(store_staff_get), render_staff);
}

static void render_list(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct staff_list *list = (const struct staff_list *)op;

    (void)ret_status;
    member_list_begin(ret_body);
    for (size_t i = 0; i < list->count; i++) {
        member_next(ret_body);
        write_staff(ret_body, &list->staff[i]);
    }
    member_list_end(ret_body, list->page.next_cursor);
}

void api_staff_list(struct request *request)
{
    static const char *const names[] = {"q", "limit", "cursor", NULL};
    struct staff_list *list = ARENA_NEW(request->arena, struct staff_list);

    list->org_id = request->org_id;
    request_check_query(request, names);
    request_query_page(request, &list->page);
    (void)request_query_str(request, "q", LIMIT_NAME_BYTES, &list->q);
    request_submit(request, &list->op, REQUEST_SUBMIT(store_staff_list), render_list);
}

void api_staff_delete(struct request *request)
{
    struct staff_delete *deletion = ARENA_NEW(request->arena, struct staff_delete);

    deletion->org_id = request->org_id;
    deletion->id = request->params[0];
    request_submit_then(
            request, &deletion->op, REQUEST_SUBMIT(store_staff_delete), request_answer_nothing);
}
