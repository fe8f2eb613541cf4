/* SPDX-License-Identifier: Apache-2.0 */
/* store_staff - operations on staff, and the staff member that a call names. */
#include "store/store_staff.h"

#include "base/id.h"
#include "store/page.h"
#include "store/store_work.h"

#define STAFF_COLUMNS "id, name, phone, email, created_at, updated_at"

/* One row of STAFF_COLUMNS, its strings in the arena. */
static struct staff read_row(const struct db_stmt *row, struct arena *arena, struct str org_id)
{
    return (struct staff){
            .id = arena_str(arena, db_str(row, 0)),
            .org_id = arena_str(arena, org_id),
            .name = arena_str(arena, db_str(row, 1)),
            .phone = arena_str(arena, db_str(row, 2)),
            .email = arena_str(arena, db_str(row, 3)),
            .created_at_ms = db_i64(row, 4),
            .updated_at_ms = db_i64(row, 5),
    };
}

/* The row that a statement finds by org and one text. ERR_NOT_FOUND. */
static enum err find(struct store_work *work,
        struct arena *arena,
        const char *sql,
        struct str org_id,
        struct str value,
        struct staff *ret_staff,
        struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db, sql);
    bool row = false;
    enum err err;

    db_bind_str(stmt, 1, org_id);
    db_bind_str(stmt, 2, value);
    err = db_next(stmt, &row, why);
    if (err == ERR_NONE && row)
        *ret_staff = read_row(stmt, arena, org_id);
    db_stop(stmt);
    if (err == ERR_NONE && !row)
        return error_set(why, ERR_NOT_FOUND, "no such staff member");
    return err;
}

enum err work_load_staff(struct store_work *work,
        struct arena *arena,
        struct str org_id,
        struct str id,
        struct staff *ret_staff,
        struct error *why)
{
    return find(work,
            arena,
            "SELECT " STAFF_COLUMNS " FROM staff WHERE org_id = $1 AND id = $2",
            org_id,
            id,
            ret_staff,
            why);
}

static enum err insert(struct store_work *work, const struct staff *staff, struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db,
            "INSERT INTO staff (org_id, id, name, phone, email, created_at, updated_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7)");

    db_bind_str(stmt, 1, staff->org_id);
    db_bind_str(stmt, 2, staff->id);
    db_bind_str(stmt, 3, staff->name);
    db_bind_str(stmt, 4, staff->phone);
    db_bind_str(stmt, 5, staff->email);
    db_bind_i64(stmt, 6, staff->created_at_ms);
    db_bind_i64(stmt, 7, staff->updated_at_ms);
    return db_run(stmt, NULL, why);
}

static enum err update(struct store_work *work, const struct staff *staff, struct error *why)
{
    struct db_stmt *stmt = db_stmt(work->db,
            "UPDATE staff SET name = $3, phone = $4, email = $5, updated_at = $6"
            " WHERE org_id = $1 AND id = $2");

    db_bind_str(stmt, 1, staff->org_id);
    db_bind_str(stmt, 2, staff->id);
    db_bind_str(stmt, 3, staff->name);
    db_bind_str(stmt, 4, staff->phone);
    db_bind_str(stmt, 5, staff->email);
    db_bind_i64(stmt, 6, staff->updated_at_ms);
    return db_run(stmt, NULL, why);
}

/* The given members of new set into old; none of them when it is not given and others are to go. */
static struct staff merge(struct arena *arena,
        const struct staff *old,
        const struct staff *new,
        unsigned fields,
        bool others_go)
{
    struct staff merged = *old;

    if ((fields & STAFF_NAME) != 0)
        merged.name = arena_str(arena, new->name);
    if ((fields & STAFF_PHONE) != 0 || others_go)
        merged.phone = (fields & STAFF_PHONE) != 0 ? arena_str(arena, new->phone) : STR_NONE;
    if ((fields & STAFF_EMAIL) != 0 || others_go)
        merged.email = (fields & STAFF_EMAIL) != 0 ? arena_str(arena, new->email) : STR_NONE;
    return merged;
}

/* Makes it, with a new id unless it has one. *staff then is as it was stored. */
static enum err create(struct store_work *work,
        struct arena *arena,
        struct str org_id,
        struct staff *staff,
        struct error *why)
{
    char text[ID_TEXT_SIZE];

    if (staff->name.ptr == NULL)
        return error_set_field(why, ERR_INVALID, "name", "is required");
    staff->org_id = arena_str(arena, org_id);
    staff->id = arena_str(
            arena, staff->id.ptr != NULL ? staff->id : id_format(text, "emp_", work_new_id(work)));
    staff->created_at_ms = work->now_ms;
    staff->updated_at_ms = work->now_ms;
    return insert(work, staff, why);
}

/* Stores merged when it differs from old, and moves updated_at then. */
static enum err update_changed(struct store_work *work,
        const struct staff *old,
        struct staff *merged,
        struct error *why)
{
    if (merged->name.ptr == NULL)
        return error_set_field(why, ERR_INVALID, "name", "must not be null");
    if (str_equal(old->name, merged->name) && str_equal(old->phone, merged->phone) &&
            str_equal(old->email, merged->email))
        return ERR_NONE;
    merged->updated_at_ms = work->now_ms;
    return update(work, merged, why);
}

static enum err run_write(struct store_work *work, struct store_op *op, struct error *why)
{
    struct staff_write *write = (struct staff_write *)op;
    struct str org_id = write->staff.org_id;
    struct staff empty = {.id = write->staff.id};
    struct staff old = {0}, merged;
    enum err err = ERR_NOT_FOUND;

    if (write->staff.id.ptr != NULL)
        err = work_load_staff(work, op->arena, org_id, write->staff.id, &old, why);
    if (err == ERR_NONE && write->mode == WRITE_CREATE)
        return error_set_field(why, ERR_CONFLICT, "id", "a staff member with this id exists");
    if (err != ERR_NONE && (err != ERR_NOT_FOUND || write->mode == WRITE_PATCH))
        return err;
    write->created = err == ERR_NOT_FOUND;
    merged = merge(op->arena,
            write->created ? &empty : &old,
            &write->staff,
            write->fields,
            write->mode != WRITE_PATCH);
    if (write->created)
        err = create(work, op->arena, org_id, &merged, why);
    else
        err = update_changed(work, &old, &merged, why);
    if (err == ERR_NONE)
        write->staff = merged;
    return err;
}

/* By id when it has one; else by phone, else by e-mail address. ERR_NOT_FOUND. */
static enum err find_drafted(struct store_work *work,
        struct arena *arena,
        struct str org_id,
        const struct staff *draft,
        struct staff *ret_staff,
        struct error *why)
{
    enum err err = ERR_NOT_FOUND;

    if (draft->id.ptr != NULL)
        return work_load_staff(work, arena, org_id, draft->id, ret_staff, why);
    if (draft->phone.ptr != NULL)
        err = find(work,
                arena,
                "SELECT " STAFF_COLUMNS " FROM staff WHERE org_id = $1 AND phone = $2"
                " ORDER BY created_at, id LIMIT 1",
                org_id,
                draft->phone,
                ret_staff,
                why);
    if (err == ERR_NOT_FOUND && draft->email.ptr != NULL)
        err = find(work,
                arena,
                "SELECT " STAFF_COLUMNS " FROM staff WHERE org_id = $1 AND email = $2"
                " ORDER BY created_at, id LIMIT 1",
                org_id,
                draft->email,
                ret_staff,
                why);
    return err;
}

enum err work_put_staff(struct store_work *work,
        struct arena *arena,
        struct str org_id,
        const struct staff *draft,
        struct staff *ret_staff,
        struct error *why)
{
    struct staff empty = {.id = draft->id};
    struct staff old = {0}, merged;
    unsigned fields = (draft->name.ptr != NULL ? STAFF_NAME : 0U) |
                      (draft->phone.ptr != NULL ? STAFF_PHONE : 0U) |
                      (draft->email.ptr != NULL ? STAFF_EMAIL : 0U);
    enum err err = find_drafted(work, arena, org_id, draft, &old, why);

    if (err != ERR_NONE && err != ERR_NOT_FOUND)
        return err;
    merged = merge(arena, err == ERR_NONE ? &old : &empty, draft, fields, false);
    if (err == ERR_NONE)
        err = update_changed(work, &old, &merged, why);
    else
        err = create(work, arena, org_id, &merged, why);
    if (err == ERR_NONE)
        *ret_staff = merged;
    return err;
}

static enum err run_get(struct store_work *work, struct store_op *op, struct error *why)
{
    struct staff_get *get = (struct staff_get *)op;

    return work_load_staff(work, op->arena, get->org_id, get->id, &get->staff, why);
}

static enum err run_list(struct store_work *work, struct store_op *op, struct error *why)
{
    struct staff_list *list = (struct staff_list *)op;
    int64_t before_ms = 0;
    struct str before_id = STR_NONE;
    size_t count = 0;
    bool row = false;
    enum err err = page_read_pair(&list->page, &before_ms, &before_id, why);

    if (err != ERR_NONE)
        return err;
    list->page.next_cursor = STR_NONE;
    list->staff = arena_alloc(op->arena, (size_t)list->page.limit * sizeof(*list->staff));
    struct db_stmt *stmt = db_stmt(work->db,
            "SELECT " STAFF_COLUMNS " FROM staff"
            " WHERE org_id = $1 AND (created_at, id) < ($2, $3)"
            " AND (CAST($4 AS TEXT) IS NULL OR lower(name) LIKE lower($4) ESCAPE '\\'"
            " OR lower(phone) LIKE lower($4) ESCAPE '\\'"
            " OR lower(email) LIKE lower($4) ESCAPE '\\'"
            " OR lower(id) LIKE lower($4) ESCAPE '\\')"
            " ORDER BY created_at DESC, id DESC LIMIT $5");
    db_bind_str(stmt, 1, list->org_id);
    db_bind_i64(stmt, 2, before_ms);
    db_bind_str(stmt, 3, before_id);
    db_bind_str(stmt, 4, list->q.ptr != NULL ? work_like(op->arena, list->q) : STR_NONE);
    db_bind_i64(stmt, 5, list->page.limit + 1);
    while ((err = db_next(stmt, &row, why)) == ERR_NONE && row) {
        if (count == (size_t)list->page.limit) {
            const struct staff *last = &list->staff[count - 1];

            page_set_pair(&list->page, op->arena, last->created_at_ms, last->id);
            db_stop(stmt);
            break;
        }
        list->staff[count++] = read_row(stmt, op->arena, list->org_id);
    }
    list->count = count;
    return err;
}

static enum err run_delete(struct store_work *work, struct store_op *op, struct error *why)
{
    struct staff_delete *delete = (struct staff_delete *)op;
    struct db_stmt *stmt = db_stmt(work->db, "DELETE FROM staff WHERE org_id = $1 AND id = $2");
    int64_t changes = 0;
    enum err err;

    db_bind_str(stmt, 1, delete->org_id);
    db_bind_str(stmt, 2, delete->id);
    err = db_run(stmt, &changes, why);
    if (err == ERR_NONE && changes == 0)
        return error_set(why, ERR_NOT_FOUND, "no such staff member");
    return err;
}

enum err store_staff_write(struct store *store, struct staff_write *op)
{
    return store_submit_run(store, &op->op, run_write, false);
}

enum err store_staff_get(struct store *store, struct staff_get *op)
{
    return store_submit_run(store, &op->op, run_get, true);
}

enum err store_staff_list(struct store *store, struct staff_list *op)
{
    return store_submit_run(store, &op->op, run_list, true);
}

enum err store_staff_delete(struct store *store, struct staff_delete *op)
{
    return store_submit_run(store, &op->op, run_delete, false);
}
