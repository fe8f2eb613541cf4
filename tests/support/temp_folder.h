/* SPDX-License-Identifier: Apache-2.0 */
/* temp_folder - a folder of a test's own, which goes with all that is in it. */
#pragma once

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

struct temp_folder {
    struct arena arena; /* of the paths */
    char path[256];
};

static inline void temp_folder_init(struct temp_folder *folder)
{
    const char *parent = getenv("TMPDIR");

    memset(folder, 0, sizeof(*folder));
    (void)snprintf(folder->path,
            sizeof(folder->path),
            "%s/callsync-test-XXXXXX",
            parent != NULL ? parent : "/tmp");
    if (mkdtemp(folder->path) == NULL)
        abort();
}

/** The path of a file in the folder, NUL-ended; lives as long as the folder. */
static inline const char *temp_folder_path(struct temp_folder *folder, const char *name)
{
    return arena_strf(&folder->arena, "%s/%s", folder->path, name).ptr;
}

static inline int
temp_folder_remove_one(const char *path, const struct stat *stat, int kind, struct FTW *place)
{
    (void)stat;
    (void)kind;
    (void)place;
    return remove(path);
}

static inline void temp_folder_done(struct temp_folder *folder)
{
    (void)nftw(folder->path, temp_folder_remove_one, 8, FTW_DEPTH | FTW_PHYS);
    arena_done(&folder->arena);
}
