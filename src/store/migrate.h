/* SPDX-License-Identifier: Apache-2.0 */
/*
 * migrate - brings a database to this program's schema: the files of schema/, in order of number,
 * each in one transaction with the raised version. Runs when the store opens, before any thread.
 */
#pragma once

#include "store/db.h"

/** A migration as embedded by the build. */
struct migration {
    int version;
    const char *sql; /* with $KEY and $BLOB */
};

/** The embedded ones, lowest version first. */
const struct migration *migrate_all(size_t *ret_count);

/** Applies what is missing. ERR_INVALID when the database has a version above the highest here:
 *  it is of a newer program, and is left alone. ERR_CORRUPT when it holds tables but no version. */
MUST_CHECK enum err
migrate_run(struct db *db, const struct migration *migrations, size_t count, struct error *why);
