/* SPDX-License-Identifier: Apache-2.0 */
/* store_contact - operations on contacts, and the event that a change of one makes. */
#include "store/store_contact.h"

#include "base/id.h"
#include "store/page.h"
#include "store/store_work.h"

#define CONTACT_COLUMNS "id, phone, name, email, note, labels, created_at, updated_at"

/* One row of CONTACT_COLUMNS, its strings in the arena. */
static struct contact read_row(const struct db_stmt *row, struct arena *arena, struct str org_id)
{
    return (struct contact){
            .id = arena_str(arena, db_str(row, 0)),
            .org_id = arena_str(arena, org_id),
            .phone = arena_str(arena, db_str(row, 1)),
            .name = arena_str(arena, db_str(row, 2)),
            .email = arena_str(arena, db_str(row, 3)),
            .note = arena_str(arena, db_str(row, 4)),
            .labels = arena_str(arena, db_str(row, 5)),
            .created_at_ms = db_i64(row, 6),
            .updated_at_ms = db_i64(row, 7),
    };
}

enum err work_load_contact(struct store_work *work,
        struct arena *arena,
        struct str org_id,
        struct str id,
        struct str phone,
        struct contact *ret_contact,
        struct error *why)
{
    static const char by_id[] =
            "SELECT " CONTACT_COLUMNS " FROM contact WHERE org_id = $1 AND id = $2";
    static const char by_phone[] =
            "SELECT " CONTACT_COLUMNS " FROM contact WHERE org_id = $1 AND phone = $2";
    struct db_stmt *stmt = db_stmt(work->db, id.ptr != NULL ? by_id : by_phone);
    bool row = false;
    enum err err;

    db_bind_str(stmt, 1, org_id);
    db_bind_str(stmt, 2, id.ptr != NULL ? id : phone);
    err = db_next(stmt, &row, why);
    if (err == ERR_NONE && row)
        *ret_contact = read_row(stmt, arena, org_id);
    db_stop(stmt);
    if (err == ERR_NONE && !row)
        return error_set(why, ERR_NOT_FOUND, "no such contact");
    return err;
}

/* $1 .. $8 of both statements below. */
static enum err
put(struct store_work *work, const char *sql, const struct contact *contact, struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, sql);

    db_bind_str(stmt, 1, contact->org_id);
    db_bind_str(stmt, 2, contact->id);
    db_bind_str(stmt, 3, contact->phone);
    db_bind_str(stmt, 4, contact->name);
    db_bind_str(stmt, 5, contact->email);
    db_bind_str(stmt, 6, contact->note);
    db_bind_str(stmt, 7, contact->labels);
    db_bind_i64(stmt, 8, contact->updated_at_ms);
    return db_run(stmt, NULL, why);
}

static enum err insert(struct store_work *work, const struct contact *contact, struct error *why)
{
    return put(work,
            "INSERT INTO contact"
            " (org_id, id, phone, name, email, note, labels, created_at, updated_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
            contact,
            why);
}

static enum err update(struct store_work *work, const struct contact *contact, struct error *why)
{
    return put(work,
            "UPDATE contact SET phone = $3, name = $4, email = $5, note = $6, labels = $7,"
            " updated_at = $8 WHERE org_id = $1 AND id = $2",
            contact,
            why);
}

/* A member of the write: the given one, or the old one, or none when all others are to go. */
static struct str member(struct arena *arena,
        const struct contact_write *write,
        unsigned field,
        struct str given,
        struct str old)
{
    if ((write->fields & field) != 0)
        return arena_str(arena, given);
    return write->mode == WRITE_PATCH ? old : STR_NONE;
}

/* The contact as the write will leave it; old has only an id when there is none. */
static struct contact
merge(struct arena *arena, const struct contact_write *write, const struct contact *old)
{
    const struct contact *given = &write->contact;
    struct contact merged = *old;

    merged.name = member(arena, write, CONTACT_NAME, given->name, old->name);
    merged.phone = member(arena, write, CONTACT_PHONE, given->phone, old->phone);
    merged.email = member(arena, write, CONTACT_EMAIL, given->email, old->email);
    merged.note = member(arena, write, CONTACT_NOTE, given->note, old->note);
    merged.labels = member(arena, write, CONTACT_LABELS, given->labels, old->labels);
    if (merged.labels.ptr == NULL)
        merged.labels = STR("[]");
    return merged;
}

/* ERR_CONFLICT when another contact of the org has this phone. */
static enum err check_phone(struct store_work *work,
        struct arena *arena,
        const struct contact *contact,
        struct error *why)
{
    struct contact other = {0};
    enum err err;

    if (contact->phone.ptr == NULL)
        return error_set_field(why, ERR_INVALID, "phone", "is required");
    err = work_load_contact(work, arena, contact->org_id, STR_NONE, contact->phone, &other, why);
    if (err == ERR_NOT_FOUND)
        return ERR_NONE;
    if (err == ERR_NONE && !str_equal(other.id, contact->id))
        return error_set_field(
                why, ERR_CONFLICT, "phone", "contact %.*s has this phone", STR_ARG(other.id));
    return err;
}

/* Stores merged, which differs from what is there, and tells the receivers. */
static enum err store_changed(struct store_work *work,
        struct arena *arena,
        struct contact_write *write,
        struct contact *merged,
        struct error *why)
{
    enum err err = check_phone(work, arena, merged, why);

    if (err != ERR_NONE)
        return err;
    merged->updated_at_ms = work->now_ms;
    if (write->created)
        merged->created_at_ms = work->now_ms;
    err = write->created ? insert(work, merged, why) : update(work, merged, why);
    if (err != ERR_NONE)
        return err;
    return work_emit_caller_updated(work,
            arena,
            merged->org_id,
            merged->phone,
            &write->event_id,
            &write->delivery_count,
            why);
}

static enum err run_write(struct store_work *work, struct store_op *op, struct error *why)
{
    struct contact_write *write = (struct contact_write *)op;
    const struct contact *given = &write->contact;
    struct contact old = {0}, merged;
    char text[ID_TEXT_SIZE];
    enum err err = ERR_NOT_FOUND;

    write->event_id = 0;
    write->delivery_count = 0;
    if (given->id.ptr != NULL)
        err = work_load_contact(work, op->arena, given->org_id, given->id, STR_NONE, &old, why);
    if (err == ERR_NONE && write->mode == WRITE_CREATE)
        return error_set_field(why, ERR_CONFLICT, "id", "a contact with this id exists");
    if (err != ERR_NONE && (err != ERR_NOT_FOUND || write->mode == WRITE_PATCH))
        return err;
    write->created = err == ERR_NOT_FOUND;
    if (write->created) {
        old.org_id = arena_str(op->arena, given->org_id);
        old.id = arena_str(op->arena,
                given->id.ptr != NULL ? given->id : id_format(text, "contact_", work_new_id(work)));
    }
    merged = merge(op->arena, write, &old);
    err = ERR_NONE;
    if (write->created || !contact_equal(&old, &merged))
        err = store_changed(work, op->arena, write, &merged, why);
    if (err == ERR_NONE)
        write->contact = merged;
    return err;
}

static enum err run_get(struct store_work *work, struct store_op *op, struct error *why)
{
    struct contact_get *get = (struct contact_get *)op;

    return work_load_contact(work, op->arena, get->org_id, get->id, STR_NONE, &get->contact, why);
}

#define LIST_SQL                                                                                   \
    "SELECT " CONTACT_COLUMNS " FROM contact"                                                      \
    " WHERE org_id = $1 AND (created_at, id) < ($2, $3)"                                           \
    " AND (CAST($4 AS TEXT) IS NULL OR lower(name) LIKE lower($4) ESCAPE '\\'"                     \
    " OR lower(phone) LIKE lower($4) ESCAPE '\\'"                                                  \
    " OR lower(email) LIKE lower($4) ESCAPE '\\'"                                                  \
    " OR lower(id) LIKE lower($4) ESCAPE '\\')"
#define LIST_ORDER " ORDER BY created_at DESC, id DESC LIMIT $5"

static struct db_stmt *list_stmt(struct store_work *work,
        const struct contact_list *list,
        int64_t before_ms,
        struct str before_id)
{
    /* A phone is unique in the org: a text of its own, so that its index is used. */
    static const char all[] = LIST_SQL LIST_ORDER;
    static const char of_phone[] = LIST_SQL " AND phone = $6" LIST_ORDER;
    struct db_stmt *stmt = db_stmt(work->db, list->phone.ptr != NULL ? of_phone : all);

    db_bind_str(stmt, 1, list->org_id);
    db_bind_i64(stmt, 2, before_ms);
    db_bind_str(stmt, 3, before_id);
    db_bind_str(stmt, 4, list->q.ptr != NULL ? work_like(list->op.arena, list->q) : STR_NONE);
    db_bind_i64(stmt, 5, list->page.limit + 1);
    if (list->phone.ptr != NULL)
        db_bind_str(stmt, 6, list->phone);
    return stmt;
}

static enum err run_list(struct store_work *work, struct store_op *op, struct error *why)
{
    struct contact_list *list = (struct contact_list *)op;
    int64_t before_ms = 0;
    struct str before_id = STR_NONE;
    size_t count = 0;
    bool row = false;
    enum err err = page_read_pair(&list->page, &before_ms, &before_id, why);

    if (err != ERR_NONE)
        return err;
    list->page.next_cursor = STR_NONE;
    list->contacts = arena_alloc(op->arena, (size_t)list->page.limit * sizeof(*list->contacts));
    struct db_stmt *stmt = list_stmt(work, list, before_ms, before_id);
    while ((err = db_next(stmt, &row, why)) == ERR_NONE && row) {
        if (count == (size_t)list->page.limit) {
            const struct contact *last = &list->contacts[count - 1];

            page_set_pair(&list->page, op->arena, last->created_at_ms, last->id);
            db_stop(stmt);
            break;
        }
        list->contacts[count++] = read_row(stmt, op->arena, list->org_id);
    }
    list->count = count;
    return err;
}

static enum err run_delete(struct store_work *work, struct store_op *op, struct error *why)
{
    struct contact_delete *delete = (struct contact_delete *)op;
    struct contact old = {0};
    int64_t event_id, delivery_count;
    enum err err =
            work_load_contact(work, op->arena, delete->org_id, delete->id, STR_NONE, &old, why);

    if (err != ERR_NONE)
        return err;
    struct db_stmt *stmt = db_stmt(work->db, "DELETE FROM contact WHERE org_id = $1 AND id = $2");
    db_bind_str(stmt, 1, delete->org_id);
    db_bind_str(stmt, 2, delete->id);
    err = db_run(stmt, NULL, why);
    if (err != ERR_NONE)
        return err;
    return work_emit_caller_updated(
            work, op->arena, delete->org_id, old.phone, &event_id, &delivery_count, why);
}

enum err store_contact_write(struct store *store, struct contact_write *op)
{
    return store_submit_run(store, &op->op, run_write, false);
}

enum err store_contact_get(struct store *store, struct contact_get *op)
{
    return store_submit_run(store, &op->op, run_get, true);
}

enum err store_contact_list(struct store *store, struct contact_list *op)
{
    return store_submit_run(store, &op->op, run_list, true);
}

enum err store_contact_delete(struct store *store, struct contact_delete *op)
{
    return store_submit_run(store, &op->op, run_delete, false);
}
