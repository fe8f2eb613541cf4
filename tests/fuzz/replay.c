/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay - runs a fuzz target on each file of its corpus, so that the ordinary tests repeat what
 * fuzzing found. Prints a line a file in the form of cmocka's, which is how tests are counted.
 *
 *     replay_<target> FOLDER
 */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>

#include "fuzz.h"

enum { PATH_SIZE = 4096 };

static bool read_file(const char *path, uint8_t **ret_bytes, size_t *ret_size)
{
    FILE *file = fopen(path, "rb");
    bool ok = false;

    if (file == NULL)
        return false;
    if (fseek(file, 0, SEEK_END) == 0) {
        long size = ftell(file);

        rewind(file);
        /* Exactly its size: a target that reads behind its input is seen. */
        *ret_bytes = size >= 0 ? (uint8_t *)malloc((size_t)size) : NULL;
        *ret_size = (size_t)size;
        ok = *ret_bytes != NULL && fread(*ret_bytes, 1, *ret_size, file) == *ret_size;
    }
    (void)fclose(file);
    return ok;
}

static bool replay(const char *folder, const char *name)
{
    char path[PATH_SIZE];
    uint8_t *bytes = NULL;
    size_t size = 0;
    bool ok;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    printf("[ RUN      ] %s\n", name);
    (void)fflush(stdout); /* before a crash */
    ok = read_file(path, &bytes, &size);
    if (ok)
        (void)LLVMFuzzerTestOneInput(bytes, size);
    free(bytes);
    printf("[ %s ] %s\n", ok ? "      OK" : "FAILED  ", name);
    return ok;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    struct dirent **entries = NULL;
    int count = argc == 2 ? scandir(argv[1], &entries, is_visible, alphasort) : -1;
    bool ok = count > 0;

    if (!ok)
        (void)fprintf(stderr, "usage: %s FOLDER, which holds files\n", argv[0]);
    for (int i = 0; i < count; i++) {
        ok = replay(argv[1], entries[i]->d_name) && ok;
        free(entries[i]);
    }
    free(entries);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
