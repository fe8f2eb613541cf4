/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys - reading and making the files.
 *
 * link(2) gives a finished file its name: unlike rename(2) it never replaces one that another
 * process, starting at the same moment, has made and uses.
 */
#include "keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/rand.h"
#include "domain/token.h"

enum {
    PATH_SIZE = CONFIG_PATH_MAX_BYTES + 64,
    FILE_MAX_BYTES = CONFIG_ADMIN_TOKEN_MAX_BYTES + 8, /* a token and a line end have room */
};

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

static enum err fail(struct error *why, const char *path, const char *verb)
{
    return error_set(why, ERR_UNAVAILABLE, "%s cannot be %s: %s", path, verb, strerror(errno));
}

static enum err write_all(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t written = write(fd, bytes.ptr, bytes.len);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return ERR_UNAVAILABLE;
        bytes = str_slice(bytes, (size_t)written, bytes.len);
    }
    return fsync(fd) == 0 ? ERR_NONE : ERR_UNAVAILABLE;
}

static enum err sync_folder(const char *folder)
{
    CLEANUP(close_fd) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd >= 0 && fsync(fd) == 0 ? ERR_NONE : ERR_UNAVAILABLE;
}

/* Makes folder/name, unless it has appeared meanwhile: then that one is as good. */
static enum err make_file(const char *folder, const char *name, struct str bytes, struct error *why)
{
    char path[PATH_SIZE];
    char draft[PATH_SIZE];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    (void)snprintf(draft, sizeof(draft), "%s/%s.XXXXXX", folder, name);

    CLEANUP(close_fd) int fd = mkostemp(draft, O_CLOEXEC); /* of mode 0600 */

    if (fd < 0)
        return fail(why, path, "made");

    enum err err = ERR_NONE;

    if (write_all(fd, bytes) != ERR_NONE || (link(draft, path) != 0 && errno != EEXIST) ||
            sync_folder(folder) != ERR_NONE)
        err = fail(why, path, "made");
    (void)unlink(draft);
    return err;
}

/* Reads folder/name; ERR_NOT_FOUND when there is none, ERR_CORRUPT when it is longer. */
static enum err read_file(const char *folder,
        const char *name,
        char ret_bytes[FILE_MAX_BYTES],
        size_t *ret_len,
        struct error *why)
{
    char path[PATH_SIZE];
    size_t len = 0;
    ssize_t got;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);

    CLEANUP(close_fd) int fd = open(path, O_RDONLY | O_NOCTTY | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT)
        return error_set(why, ERR_NOT_FOUND, "there is no %s", path);
    if (fd < 0)
        return fail(why, path, "read");
    do {
        got = read(fd, ret_bytes + len, FILE_MAX_BYTES - len);
        if (got < 0 && errno != EINTR)
            return fail(why, path, "read");
        len += got > 0 ? (size_t)got : 0;
        if (len == FILE_MAX_BYTES)
            return error_set(why, ERR_CORRUPT, "%s is too long to be what it should be", path);
    } while (got != 0);
    *ret_len = len;
    return ERR_NONE;
}

/* Reads folder/name, and makes it of these bytes before when it is not there. */
static enum err read_or_make(const char *folder,
        const char *name,
        struct str bytes_to_make,
        char ret_bytes[FILE_MAX_BYTES],
        size_t *ret_len,
        struct error *why)
{
    enum err err = read_file(folder, name, ret_bytes, ret_len, why);

    if (err != ERR_NOT_FOUND)
        return err;
    err = make_file(folder, name, bytes_to_make, why);
    return err == ERR_NONE ? read_file(folder, name, ret_bytes, ret_len, why) : err;
}

static enum err open_key(const char *folder, struct keys *keys, struct error *why)
{
    uint8_t fresh[SECRET_KEY_BYTES];
    char bytes[FILE_MAX_BYTES];
    size_t len = 0;

    rand_secret(fresh, sizeof(fresh));

    enum err err = read_or_make(
            folder, "key", (struct str){(const char *)fresh, sizeof(fresh)}, bytes, &len, why);

    if (err == ERR_NONE && len != SECRET_KEY_BYTES)
        err = error_set(why,
                ERR_CORRUPT,
                "%s/key has %zu bytes and not %d; put the right one back from a backup",
                folder,
                len,
                SECRET_KEY_BYTES);
    if (err == ERR_NONE) {
        struct str master = {bytes, len};

        secret_derive_key(master, "seal", keys->seal);
        secret_derive_key(master, "link", keys->link);
        secret_derive_key(master, "idempotency", keys->idempotency);
    }
    explicit_bzero(fresh, sizeof(fresh));
    explicit_bzero(bytes, sizeof(bytes));
    return err;
}

static void set_token(struct keys *keys, struct str token)
{
    memcpy(keys->admin_token, token.ptr, token.len);
    keys->admin_token[token.len] = '\0';
}

/* Without the line end that is behind it, of whatever kind. */
static struct str first_line(struct str text)
{
    struct str line = str_split(&text, '\n');

    return str_ends(line, STR("\r")) ? str_slice(line, 0, line.len - 1) : line;
}

static enum err open_token(const char *folder, struct keys *keys, struct error *why)
{
    CLEANUP(arena_done) struct arena arena = {0};
    struct str fresh = arena_strf(&arena, "%s\n", token_secret_new(&arena).ptr);
    struct error reason = {0};
    char bytes[FILE_MAX_BYTES];
    size_t len = 0;
    enum err err = read_or_make(folder, "admin-token", fresh, bytes, &len, why);

    if (err != ERR_NONE)
        return err;

    struct str token = first_line((struct str){bytes, len});

    if (config_check_admin_token(token, &reason) != ERR_NONE)
        return error_set(why,
                ERR_CORRUPT,
                "%s/admin-token: %s; remove the file, and a new token is made",
                folder,
                reason.text);
    set_token(keys, token);
    return ERR_NONE;
}

enum err
keys_open(const char *folder, struct str given_token, struct keys *ret_keys, struct error *why)
{
    CLEANUP(keys_done) struct keys keys = {0};
    enum err err = open_key(folder, &keys, why);

    if (err == ERR_NONE && given_token.ptr != NULL)
        set_token(&keys, given_token);
    else if (err == ERR_NONE)
        err = open_token(folder, &keys, why);
    if (err == ERR_NONE)
        *ret_keys = keys;
    return err;
}

void keys_done(struct keys *keys)
{
    explicit_bzero(keys, sizeof(*keys));
}
