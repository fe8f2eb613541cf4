/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recordings - files below one open folder, named relative to it, so that nothing outside can be
 * reached; and the thread that syncs, moves and removes them, one job after the other.
 *
 * A file's place is given by its call id: two decimal digits, the rest of its division by 100.
 */
#include "media/recordings.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/cleanup.h"
#include "base/mailbox.h"
#include "base/mem.h"
#include "base/rand.h"
#include "domain/audio.h"
#include "domain/limits.h"
#include "store/store_call.h"

#define INCOMING "incoming"

enum {
    PLACES = 100,
    NAME_DIGITS = 26,
    NAME_SIZE = 64, /* 16 digits of a call id, "-", 26 digits, ".webm", NUL */
    PATH_SIZE = NAME_SIZE + 16,
};

struct recordings {
    int folder_fd;
    int incoming_fd;
    struct mailbox *jobs;
    pthread_t thread;
    const struct log *log;
};

struct job {
    struct mail mail; /* first */
    void (*run)(struct recordings *recordings, struct job *job);
};

struct upload {
    struct job job; /* first; the upload's own: one at a time */
    struct recordings *recordings;
    int fd;
    char name[NAME_SIZE];
    struct str type;
    EVP_MD_CTX *digest;
    char sha256_hex[SHA256_HEX_SIZE];
    int64_t size_bytes;
    char head[AUDIO_MAGIC_BYTES];
    size_t head_len;
    bool head_checked;
    upload_finished *finished;
    void *finished_ctx;
    struct error why;
};

/* ---- names ---- */

/* "88231-" and 130 random bits as base 32, and the extension of the type. */
static void make_name(char ret_name[NAME_SIZE], int64_t call_id, struct str type)
{
    static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";
    uint8_t bytes[NAME_DIGITS];
    char digits[NAME_DIGITS + 1];

    rand_secret(bytes, sizeof(bytes));
    for (size_t i = 0; i < NAME_DIGITS; i++)
        digits[i] = alphabet[bytes[i] % 32];
    digits[NAME_DIGITS] = '\0';
    (void)snprintf(ret_name,
            NAME_SIZE,
            "%lld-%s%.*s",
            (long long)call_id,
            digits,
            STR_ARG(audio_extension(type)));
}

/* Names come back from the database and the folder: only what make_name() writes is a name. */
static bool read_name(struct str name, int64_t *ret_call_id)
{
    struct str rest = name;
    struct str number = str_split(&rest, '-');

    if (name.len >= NAME_SIZE || rest.len <= NAME_DIGITS || !str_to_i64(number, ret_call_id) ||
            *ret_call_id < 1)
        return false;
    for (size_t i = 0; i < rest.len; i++) {
        char c = rest.ptr[i];
        bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');

        if (!is_plain && !(c == '.' && i == NAME_DIGITS))
            return false;
    }
    return true;
}

/* "31/88231-….mp3", relative to the folder. */
static void place_path(char ret_path[PATH_SIZE], int64_t call_id, struct str name)
{
    (void)snprintf(ret_path, PATH_SIZE, "%02d/%.*s", (int)(call_id % PLACES), STR_ARG(name));
}

static void incoming_path(char ret_path[PATH_SIZE], struct str name)
{
    (void)snprintf(ret_path, PATH_SIZE, INCOMING "/%.*s", STR_ARG(name));
}

static struct str upload_name(const struct upload *upload)
{
    return str_from(upload->name);
}

/* ---- the thread ---- */

static void log_failure(struct recordings *recordings, const char *event, struct str file, int code)
{
    log_event(recordings->log,
            LOG_ERROR,
            event,
            LOG_STR("file", file),
            LOG_TEXT_FIELD("why", strerrordesc_np(code)));
}

static void *work(void *ctx)
{
    struct recordings *recordings = ctx;
    struct mail *mail;

    (void)pthread_setname_np(pthread_self(), "recordings");
    while ((mail = mailbox_take(recordings->jobs, -1)) != NULL) {
        while (mail != NULL) {
            struct job *job = (struct job *)mail;

            mail = mail->next;
            job->run(recordings, job);
        }
    }
    return NULL;
}

/* Runs the job on the thread; here and now when the thread has ended. */
static void post(struct recordings *recordings, struct job *job)
{
    job->mail.next = NULL;
    if (!mailbox_post_always(recordings->jobs, &job->mail))
        job->run(recordings, job);
}

/* ---- opening and closing ---- */

static enum err unusable(struct error *why, const char *what, int code)
{
    return error_set(why, ERR_UNAVAILABLE, "%s: %s", what, strerrordesc_np(code));
}

static enum err open_folders(struct recordings *recordings, const char *folder, struct error *why)
{
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return unusable(why, folder, errno);
    recordings->folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (recordings->folder_fd < 0)
        return unusable(why, folder, errno);
    if (mkdirat(recordings->folder_fd, INCOMING, 0700) != 0 && errno != EEXIST)
        return unusable(why, folder, errno);
    recordings->incoming_fd =
            openat(recordings->folder_fd, INCOMING, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (recordings->incoming_fd < 0)
        return unusable(why, folder, errno);
    return ERR_NONE;
}

static void free_recordings(struct recordings *recordings)
{
    if (recordings->incoming_fd >= 0)
        (void)close(recordings->incoming_fd);
    if (recordings->folder_fd >= 0)
        (void)close(recordings->folder_fd);
    mailbox_free(recordings->jobs);
    free(recordings);
}

enum err recordings_open(const char *folder,
        const struct log *log,
        struct recordings **ret_recordings,
        struct error *why)
{
    struct recordings *recordings = mem_new(sizeof(*recordings));

    recordings->folder_fd = -1;
    recordings->incoming_fd = -1;
    recordings->log = log;
    recordings->jobs = mailbox_new(0, NULL, NULL);

    enum err err = open_folders(recordings, folder, why);
    int code = err == ERR_NONE ? pthread_create(&recordings->thread, NULL, work, recordings) : 0;

    if (code != 0)
        err = unusable(why, "no thread", code);
    if (err != ERR_NONE) {
        free_recordings(recordings);
        return err;
    }
    *ret_recordings = recordings;
    return ERR_NONE;
}

void recordings_close(struct recordings *recordings)
{
    if (recordings == NULL)
        return;
    mailbox_close(recordings->jobs);
    (void)pthread_join(recordings->thread, NULL);
    free_recordings(recordings);
}

/* ---- uploads ---- */

enum err upload_begin(struct recordings *recordings,
        int64_t call_id,
        struct str type,
        struct upload **ret_upload,
        struct error *why)
{
    struct upload *upload = mem_new(sizeof(*upload));

    upload->recordings = recordings;
    if (!audio_type_parse(type, &upload->type))
        upload->type = type;
    make_name(upload->name, call_id, upload->type);
    upload->fd = openat(
            recordings->incoming_fd, upload->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (upload->fd < 0) {
        int code = errno;

        free(upload);
        return unusable(why, "the recordings' folder cannot be written", code);
    }
    upload->digest = EVP_MD_CTX_new();
    if (upload->digest == NULL || EVP_DigestInit_ex(upload->digest, EVP_sha256(), NULL) != 1)
        abort(); /* only without memory */
    *ret_upload = upload;
    return ERR_NONE;
}

/* Judges the type once as many bytes as it may need are there, or no more come. */
static enum err check_head(struct upload *upload, bool is_end, struct error *why)
{
    if (upload->head_checked || (!is_end && upload->head_len < sizeof(upload->head)))
        return ERR_NONE;
    upload->head_checked = true;
    if (!audio_matches(upload->type, (struct str){upload->head, upload->head_len}))
        return error_set(why, ERR_INVALID, "the bytes are not %.*s", STR_ARG(upload->type));
    return ERR_NONE;
}

static enum err write_all(int fd, struct str bytes, struct error *why)
{
    while (bytes.len > 0) {
        ssize_t written = write(fd, bytes.ptr, bytes.len);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return unusable(why, "the recording cannot be written", errno);
        bytes = str_slice(bytes, (size_t)written, bytes.len);
    }
    return ERR_NONE;
}

enum err upload_write(struct upload *upload, struct str piece, struct error *why)
{
    size_t room = sizeof(upload->head) - upload->head_len;
    struct str head = str_slice(piece, 0, room);

    if (piece.len == 0)
        return ERR_NONE;
    if (piece.len > (size_t)(LIMIT_RECORDING_BYTES - upload->size_bytes))
        return error_set(
                why, ERR_LIMIT, "a recording may have at most %d bytes", LIMIT_RECORDING_BYTES);
    memcpy(upload->head + upload->head_len, head.ptr, head.len);
    upload->head_len += head.len;

    enum err err = check_head(upload, false, why);
    if (err == ERR_NONE)
        err = write_all(upload->fd, piece, why);
    if (err != ERR_NONE)
        return err;
    if (EVP_DigestUpdate(upload->digest, piece.ptr, piece.len) != 1)
        abort(); /* only without memory */
    upload->size_bytes += (int64_t)piece.len;
    return ERR_NONE;
}

static void end_digest(struct upload *upload)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[SHA256_BYTES];

    if (EVP_DigestFinal_ex(upload->digest, digest, NULL) != 1)
        abort(); /* only without memory */
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        upload->sha256_hex[2 * i] = digits[digest[i] >> 4];
        upload->sha256_hex[2 * i + 1] = digits[digest[i] & 15];
    }
}

static enum err settle(struct upload *upload)
{
    if (upload->size_bytes == 0)
        return error_set(&upload->why, ERR_INVALID, "the recording is empty");

    enum err err = check_head(upload, true, &upload->why);
    if (err != ERR_NONE)
        return err;
    /* The name, too, must be on disk before the database knows it (I1). */
    if (fsync(upload->fd) != 0 || fsync(upload->recordings->incoming_fd) != 0)
        return unusable(&upload->why, "the recording cannot be written", errno);
    (void)close(upload->fd);
    upload->fd = -1;
    end_digest(upload);
    return ERR_NONE;
}

static void run_finish(struct recordings *recordings, struct job *job)
{
    struct upload *upload = (struct upload *)job;

    (void)recordings;
    upload->finished(upload->finished_ctx, upload, settle(upload));
}

void upload_finish(struct upload *upload, upload_finished *finished, void *ctx)
{
    upload->finished = finished;
    upload->finished_ctx = ctx;
    upload->job.run = run_finish;
    post(upload->recordings, &upload->job);
}

struct str upload_file(const struct upload *upload)
{
    return upload_name(upload);
}

struct str upload_type(const struct upload *upload)
{
    return upload->type;
}

struct str upload_sha256_hex(const struct upload *upload)
{
    return str_from(upload->sha256_hex);
}

int64_t upload_size_bytes(const struct upload *upload)
{
    return upload->size_bytes;
}

const struct error *upload_why(const struct upload *upload)
{
    return &upload->why;
}

static void free_upload(struct upload *upload)
{
    if (upload->fd >= 0)
        (void)close(upload->fd);
    EVP_MD_CTX_free(upload->digest);
    free(upload);
}

/* Moves a file of incoming to its place. It is found where it is, too, should that fail. */
static void move_to_place(struct recordings *recordings, struct str name)
{
    char from[PATH_SIZE];
    char to[PATH_SIZE];
    char place[4];
    int64_t call_id = 0;

    if (!read_name(name, &call_id))
        return;
    incoming_path(from, name);
    place_path(to, call_id, name);
    (void)snprintf(place, sizeof(place), "%02d", (int)(call_id % PLACES));
    if ((mkdirat(recordings->folder_fd, place, 0700) != 0 && errno != EEXIST) ||
            renameat(recordings->folder_fd, from, recordings->folder_fd, to) != 0)
        log_failure(recordings, "recording_not_moved", name, errno);
}

static void run_keep(struct recordings *recordings, struct job *job)
{
    struct upload *upload = (struct upload *)job;

    move_to_place(recordings, upload_name(upload));
    free_upload(upload);
}

void upload_keep(struct upload *upload)
{
    upload->job.run = run_keep;
    post(upload->recordings, &upload->job);
}

static void run_discard(struct recordings *recordings, struct job *job)
{
    struct upload *upload = (struct upload *)job;

    if (unlinkat(recordings->incoming_fd, upload->name, 0) != 0)
        log_failure(recordings, "recording_not_removed", upload_name(upload), errno);
    free_upload(upload);
}

void upload_discard(struct upload *upload)
{
    if (upload == NULL)
        return;
    upload->job.run = run_discard;
    post(upload->recordings, &upload->job);
}

/* ---- known files ---- */

enum err recordings_open_file(struct recordings *recordings,
        struct str file,
        int *ret_fd,
        int64_t *ret_size_bytes,
        struct error *why)
{
    char place[PATH_SIZE];
    char incoming[PATH_SIZE];
    struct stat status;
    int64_t call_id = 0;

    if (!read_name(file, &call_id))
        return error_set(why, ERR_NOT_FOUND, "this is no recording's name");
    place_path(place, call_id, file);
    incoming_path(incoming, file);

    /* The place again at the end: it may have been moved there between the first two looks. */
    const char *const paths[] = {place, incoming, place};
    int fd = -1;

    for (size_t i = 0; fd < 0 && i < sizeof(paths) / sizeof(paths[0]); i++)
        fd = openat(recordings->folder_fd, paths[i], O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno != ENOENT)
        return unusable(why, "the recording cannot be read", errno);
    if (fd < 0)
        return error_set(why, ERR_NOT_FOUND, "the recording's file is gone");
    if (fstat(fd, &status) != 0) {
        int code = errno;

        (void)close(fd);
        return unusable(why, "the recording cannot be read", code);
    }
    *ret_fd = fd;
    *ret_size_bytes = status.st_size;
    return ERR_NONE;
}

struct removal {
    struct job job; /* first */
    char name[NAME_SIZE];
};

static void run_remove(struct recordings *recordings, struct job *job)
{
    struct removal *removal = (struct removal *)job;
    struct str name = str_from(removal->name);
    char path[PATH_SIZE];
    int64_t call_id = 0;

    if (read_name(name, &call_id)) {
        place_path(path, call_id, name);
        if (unlinkat(recordings->folder_fd, path, 0) != 0 && errno == ENOENT) {
            incoming_path(path, name);
            if (unlinkat(recordings->folder_fd, path, 0) != 0 && errno != ENOENT)
                log_failure(recordings, "recording_not_removed", name, errno);
        }
    }
    free(removal);
}

void recordings_remove(struct recordings *recordings, struct str file)
{
    struct removal *removal;

    if (file.len == 0 || file.len >= NAME_SIZE)
        return;
    removal = mem_new(sizeof(*removal));
    memcpy(removal->name, file.ptr, file.len);
    removal->job.run = run_remove;
    post(recordings, &removal->job);
}

/* ---- the sweep ---- */

struct question {
    struct recording_file_used op;
    pthread_mutex_t lock;
    pthread_cond_t answered;
    bool is_answered;
};

static void question_done(struct store_op *op)
{
    struct question *question = op->owner;

    (void)pthread_mutex_lock(&question->lock);
    question->is_answered = true;
    (void)pthread_cond_signal(&question->answered);
    (void)pthread_mutex_unlock(&question->lock);
}

/* Asks the store and waits. */
static enum err
ask_used(struct store *store, int64_t call_id, struct str name, bool *ret_used, struct error *why)
{
    CLEANUP(arena_done) struct arena arena = {0};
    struct question question = {
            .op = {.op = {.arena = &arena, .done = question_done},
                    .call_id = call_id,
                    .file = name},
            .lock = PTHREAD_MUTEX_INITIALIZER,
            .answered = PTHREAD_COND_INITIALIZER,
    };

    question.op.op.owner = &question;

    enum err err = store_recording_file_used(store, &question.op);
    if (err != ERR_NONE)
        return error_set(why, err, "the store takes no question");
    (void)pthread_mutex_lock(&question.lock);
    while (!question.is_answered)
        (void)pthread_cond_wait(&question.answered, &question.lock);
    (void)pthread_mutex_unlock(&question.lock);
    (void)pthread_mutex_destroy(&question.lock);
    (void)pthread_cond_destroy(&question.answered);
    if (question.op.op.err != ERR_NONE && why != NULL)
        *why = question.op.op.why;
    *ret_used = question.op.used;
    return question.op.op.err;
}

/* What no upload is busy with: kept when the database knows it, else removed. */
static enum err
sweep_file(struct recordings *recordings, struct store *store, struct str name, struct error *why)
{
    int64_t call_id = 0;
    bool is_used = false;

    if (!read_name(name, &call_id))
        return ERR_NONE; /* not ours */

    enum err err = ask_used(store, call_id, name, &is_used, why);
    if (err != ERR_NONE)
        return err;
    if (is_used)
        move_to_place(recordings, name);
    else if (unlinkat(recordings->incoming_fd, name.ptr, 0) != 0)
        log_failure(recordings, "recording_not_removed", name, errno);
    return ERR_NONE;
}

enum err recordings_sweep(struct recordings *recordings, struct store *store, struct error *why)
{
    int fd = openat(recordings->folder_fd, INCOMING, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    enum err err = ERR_NONE;
    const struct dirent *entry;

    if (folder == NULL) {
        int code = errno;

        if (fd >= 0)
            (void)close(fd);
        return unusable(why, "the recordings' folder cannot be read", code);
    }
    while (err == ERR_NONE && (entry = readdir(folder)) != NULL)
        err = sweep_file(recordings, store, str_from(entry->d_name), why);
    (void)closedir(folder);
    return err;
}
