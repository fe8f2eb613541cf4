/* SPDX-License-Identifier: Apache-2.0 */
/* http_target - the table of URLs, in order of arrival. */
#include "net/http_target.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The default one falls through switch labels without saying so. */
#define HASH_FUNCTION(key, len, hash) HASH_OAT(key, len, hash)
#include <uthash.h>

#include "base/mem.h"

struct entry {
    struct http_target target; /* first: a target is its entry */
    UT_hash_handle hh;
    struct arena arena; /* holds the key and the strings of target.url */
    struct str key;
    size_t use_count;
};

struct http_target_table {
    struct entry *entries;
};

struct http_target_table *http_target_table_new(void)
{
    return (struct http_target_table *)mem_new(sizeof(struct http_target_table));
}

static void entry_free(struct entry *entry)
{
    if (entry == NULL)
        return;
    assert(entry->use_count == 0);
    free(entry->target.pinned);
    arena_done(&entry->arena);
    free(entry);
}

void http_target_table_free(struct http_target_table *table)
{
    struct entry *entry;
    struct entry *next;

    if (table == NULL)
        return;
    HASH_ITER (hh, table->entries, entry, next) {
        HASH_DEL(table->entries, entry);
        entry_free(entry);
    }
    free(table);
}

static void forget_oldest_unused(struct http_target_table *table)
{
    struct entry *entry;
    struct entry *next;

    HASH_ITER (hh, table->entries, entry, next) {
        if (entry->use_count == 0) {
            HASH_DEL(table->entries, entry);
            entry_free(entry);
            return;
        }
    }
}

static enum err read_entry(struct str url, struct entry **ret_entry, struct error *why)
{
    struct entry *entry = (struct entry *)mem_new(sizeof(*entry));
    enum err err =
            url_parse(&entry->arena, url, HTTP_TARGET_URL_MAX_BYTES, &entry->target.url, why);

    if (err != ERR_NONE) {
        entry_free(entry);
        return err;
    }
    entry->key = arena_str(&entry->arena, url);
    entry->target.is_literal = entry->target.url.host_is_v4 || entry->target.url.host_is_v6;
    *ret_entry = entry;
    return ERR_NONE;
}

enum err http_target_use(struct http_target_table *table,
        const char *url,
        struct http_target **ret_target,
        struct error *why)
{
    size_t len = strlen(url);
    struct entry *entry;

    HASH_FIND(hh, table->entries, url, len, entry);
    if (entry == NULL) {
        enum err err = read_entry((struct str){url, len}, &entry, why);

        if (err != ERR_NONE)
            return err;
        if (HASH_COUNT(table->entries) >= HTTP_TARGETS_MAX)
            forget_oldest_unused(table);
        HASH_ADD_KEYPTR(hh, table->entries, entry->key.ptr, entry->key.len, entry);
    }
    entry->use_count++;
    *ret_target = &entry->target;
    return ERR_NONE;
}

void http_target_release(struct http_target *target)
{
    struct entry *entry = (struct entry *)target;

    if (entry == NULL)
        return;
    assert(entry->use_count > 0);
    entry->use_count--;
}

void http_target_set_answer(struct http_target *target, const struct resolver_answer *answer)
{
    size_t bytes = answer->count * sizeof(answer->addresses[0]);

    if (target->pinned != NULL && target->pinned->count == answer->count &&
            memcmp(target->pinned->addresses, answer->addresses, bytes) == 0)
        return;
    if (target->pinned == NULL)
        target->pinned = (struct resolver_answer *)mem_new(sizeof(*target->pinned));
    target->pinned->err = ERR_NONE;
    target->pinned->count = answer->count;
    memcpy(target->pinned->addresses, answer->addresses, bytes);
    target->pin_version++;
}
