/* SPDX-License-Identifier: Apache-2.0 */
/* api_contact - writing, showing and deleting contacts. */
#include "api/api_contact.h"

#include "api/field.h"
#include "api/member.h"
#include "api/problem.h"
#include "api/request.h"
#include "domain/limits.h"
#include "store/store_contact.h"

static void write_contact(struct buf *buf, const struct contact *contact)
{
    buf_add_char(buf, '{');
    member_str(buf, "id", contact->id);
    member_str(buf, "name", contact->name);
    member_str(buf, "phone", contact->phone);
    member_str(buf, "email", contact->email);
    member_str(buf, "note", contact->note);
    member_raw(buf, "labels", contact->labels);
    member_time(buf, "created_at", contact->created_at_ms);
    member_time(buf, "updated_at", contact->updated_at_ms);
    buf_add_char(buf, '}');
}

static void render_written(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct contact_write *write = (const struct contact_write *)op;

    *ret_status = write->created ? 201 : 200;
    write_contact(ret_body, &write->contact);
}

/* Checks one label, which is item i. */
static void check_label(struct faults *faults, const struct json *array, size_t i)
{
    struct str label = json_str(json_item(array, i));
    struct str path = arena_strf(faults->arena, "labels[%zu]", i);
    struct error why;

    if (label.ptr == NULL)
        faults_add(faults, path.ptr, "must be a string");
    else if (limits_check_text(label, CONTACT_LABEL_MAX_BYTES, false, &why) != ERR_NONE)
        faults_add(faults, path.ptr, "%s", why.text);
    for (size_t before = 0; label.ptr != NULL && before < i; before++) {
        if (str_equal(label, json_str(json_item(array, before)))) {
            faults_add(faults, path.ptr, "is there twice");
            return;
        }
    }
}

/* The compact JSON array that goes into payloads. */
static enum member_state
read_labels(struct faults *faults, const struct json *json, struct str *ret_labels)
{
    const struct json *array = NULL;
    enum member_state state = faults_read_json(
            faults, json, "labels", "labels", MEMBER_NULLABLE, JSON_ARRAY_TYPE, &array);
    CLEANUP(buf_done) struct buf text = {0};

    if (state != MEMBER_SET)
        return state;
    if (json_count(array) > CONTACT_LABELS_MAX) {
        faults_add(faults, "labels", "must have at most %d items", CONTACT_LABELS_MAX);
        return MEMBER_ABSENT;
    }
    for (size_t i = 0; i < json_count(array); i++)
        check_label(faults, array, i);
    json_add_value(&text, array);
    *ret_labels = arena_str(faults->arena, buf_str(&text));
    return MEMBER_SET;
}

/* Reads the members into write; a member that is given counts as a field. */
static void read_contact(struct request *request, struct contact_write *write)
{
    const struct field field = {&request->faults, request->json, ""};
    enum member_rule phone_rule = write->mode == WRITE_PATCH ? MEMBER_OPTIONAL : MEMBER_REQUIRED;
    struct contact *contact = &write->contact;

    contact->labels = STR("[]");
    if (field_text(&field, "name", MEMBER_NULLABLE, LIMIT_NAME_BYTES, &contact->name) !=
            MEMBER_ABSENT)
        write->fields |= CONTACT_NAME;
    if (field_phone(&field, "phone", phone_rule, &contact->phone) != MEMBER_ABSENT)
        write->fields |= CONTACT_PHONE;
    if (field_email(&field, "email", MEMBER_NULLABLE, &contact->email) != MEMBER_ABSENT)
        write->fields |= CONTACT_EMAIL;
    if (field_note(&field, "note", MEMBER_NULLABLE, CONTACT_NOTE_MAX_BYTES, &contact->note) !=
            MEMBER_ABSENT)
        write->fields |= CONTACT_NOTE;
    if (read_labels(&request->faults, request->json, &contact->labels) != MEMBER_ABSENT)
        write->fields |= CONTACT_LABELS;
    if (write->mode != WRITE_PATCH)
        write->fields = CONTACT_ALL;
}

static struct contact_write *new_write(struct request *request, enum write_mode mode)
{
    struct contact_write *write = ARENA_NEW(request->arena, struct contact_write);

    write->mode = mode;
    write->contact.org_id = request->org_id;
    return write;
}

void api_contact_create(struct request *request)
{
    static const char *const members[] = {"id", "name", "phone", "email", "note", "labels", NULL};
    struct contact_write *write = new_write(request, WRITE_CREATE);
    const struct field field = {&request->faults, request->json, ""};

    (void)faults_check_members(&request->faults, request->json, "", members);
    (void)field_id(&field, "id", MEMBER_NULLABLE, &write->contact.id);
    read_contact(request, write);
    request_submit(request, &write->op, REQUEST_SUBMIT(store_contact_write), render_written);
}

/* PUT and PATCH: the id is the path's. */
static void change(struct request *request, enum write_mode mode)
{
    static const char *const members[] = {"name", "phone", "email", "note", "labels", NULL};
    struct contact_write *write = new_write(request, mode);
    struct error why;

    write->contact.id = request->params[0];
    if (limits_check_id(write->contact.id, &why) != ERR_NONE) {
        if (mode == WRITE_PATCH) {
            problem_reply(request, 404, "there is no such contact");
            return;
        }
        faults_add(&request->faults, "id", "%s", why.text);
    }
    (void)faults_check_members(&request->faults, request->json, "", members);
    read_contact(request, write);
    request_submit(request, &write->op, REQUEST_SUBMIT(store_contact_write), render_written);
}

void api_contact_put(struct request *request)
{
    change(request, WRITE_PUT);
}

void api_contact_patch(struct request *request)
{
    change(request, WRITE_PATCH);
}

static void render_contact(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct contact_get *get = (const struct contact_get *)op;

    (void)ret_status;
    write_contact(ret_body, &get->contact);
}

void api_contact_get(struct request *request)
{
    struct contact_get *get = ARENA_NEW(request->arena, struct contact_get);

    get->org_id = request->org_id;
    get->id = request->params[0];
    request_submit(request, &get->op, REQUEST_SUBMIT(store_contact_get), render_contact);
}

static void render_list(struct store_op *op, int64_t *ret_status, struct buf *ret_body)
{
    const struct contact_list *list = (const struct contact_list *)op;

    (void)ret_status;
    member_list_begin(ret_body);
    for (size_t i = 0; i < list->count; i++) {
        member_next(ret_body);
        write_contact(ret_body, &list->contacts[i]);
    }
    member_list_end(ret_body, list->page.next_cursor);
}

void api_contact_list(struct request *request)
{
    static const char *const names[] = {"phone", "q", "limit", "cursor", NULL};
    struct contact_list *list = ARENA_NEW(request->arena, struct contact_list);

    list->org_id = request->org_id;
    request_check_query(request, names);
    request_query_page(request, &list->page);
    (void)request_query_str(request, "q", LIMIT_NAME_BYTES, &list->q);
    (void)request_query_str(request, "phone", LIMIT_NAME_BYTES, &list->phone);
    request_submit(request, &list->op, REQUEST_SUBMIT(store_contact_list), render_list);
}

void api_contact_delete(struct request *request)
{
    struct contact_delete *deletion = ARENA_NEW(request->arena, struct contact_delete);

    deletion->org_id = request->org_id;
    deletion->id = request->params[0];
    request_submit_then(
            request, &deletion->op, REQUEST_SUBMIT(store_contact_delete), request_answer_nothing);
}
