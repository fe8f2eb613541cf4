/* SPDX-License-Identifier: Apache-2.0 */
/* page - cursors of lists. */
#include "store/page.h"

#include <inttypes.h>

static enum err refuse(struct error *why)
{
    return error_set_field(why,
            ERR_INVALID,
            "cursor",
            "is not one that a list gave: take next_cursor of the page before, unchanged");
}

enum err page_read_number(const struct page *page, int64_t *ret_before, struct error *why)
{
    int64_t before = INT64_MAX;

    if (page->cursor.ptr != NULL && (!str_to_i64(page->cursor, &before) || before < 0))
        return refuse(why);
    *ret_before = before;
    return ERR_NONE;
}

void page_set_number(struct page *page, struct arena *arena, int64_t last)
{
    page->next_cursor = arena_strf(arena, "%" PRId64, last);
}

enum err page_read_pair(const struct page *page,
        int64_t *ret_before_at_ms,
        struct str *ret_before_id,
        struct error *why)
{
    struct str rest = page->cursor;
    int64_t before_at_ms = INT64_MAX;

    if (page->cursor.ptr != NULL) {
        struct str number = str_split(&rest, '.');

        if (!str_to_i64(number, &before_at_ms) || rest.ptr == NULL)
            return refuse(why);
    }
    *ret_before_at_ms = before_at_ms;
    *ret_before_id = rest.ptr != NULL ? rest : STR("");
    return ERR_NONE;
}

void page_set_pair(struct page *page, struct arena *arena, int64_t last_at_ms, struct str last_id)
{
    page->next_cursor = arena_strf(arena, "%" PRId64 ".%.*s", last_at_ms, STR_ARG(last_id));
}
