/* SPDX-License-Identifier: Apache-2.0 */
/* body - reads a file or standard input to its end. */
#include "cli/body.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

enum { PIECE_BYTES = 64 * 1024 };

static enum err read_all(int fd, const char *name, struct buf *body, struct error *why)
{
    char piece[PIECE_BYTES];
    ssize_t got;

    do {
        got = read(fd, piece, sizeof(piece));
        if (got < 0 && errno != EINTR)
            return error_set(why, ERR_UNAVAILABLE, "%s cannot be read: %s", name, strerror(errno));
        if (got > 0)
            buf_add(body, piece, (size_t)got);
        if (buf_err(body) != ERR_NONE || body->len > BODY_MAX_BYTES)
            return error_set(why, ERR_LIMIT, "%s is larger than %d bytes", name, BODY_MAX_BYTES);
    } while (got != 0);
    return ERR_NONE;
}

enum err body_read(const char *path, struct buf *ret_body, struct error *why)
{
    if (path == NULL || strcmp(path, "-") == 0)
        return read_all(STDIN_FILENO, "standard input", ret_body, why);

    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return error_set(why, ERR_UNAVAILABLE, "%s cannot be read: %s", path, strerror(errno));

    enum err err = read_all(fd, path, ret_body, why);

    (void)close(fd);
    return err;
}
