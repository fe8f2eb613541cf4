/* SPDX-License-Identifier: Apache-2.0 */
/*
 * page - cursors of lists. A list of rows with numbers as ids goes on below the last number that
 * was shown; one of rows with texts as ids, below the last (created_at, id).
 */
#pragma once

#include "store/store.h"

/** The number to stay below: INT64_MAX without a cursor. ERR_INVALID, field "cursor". */
MUST_CHECK enum err
page_read_number(const struct page *page, int64_t *ret_before, struct error *why);
/** Rows follow: the next page begins below this number. */
void page_set_number(struct page *page, struct arena *arena, int64_t last);
/** The pair to stay below: (INT64_MAX, "") without a cursor. ERR_INVALID, field "cursor". */
MUST_CHECK enum err page_read_pair(const struct page *page,
        int64_t *ret_before_at_ms,
        struct str *ret_before_id,
        struct error *why);
void page_set_pair(struct page *page, struct arena *arena, int64_t last_at_ms, struct str last_id);
