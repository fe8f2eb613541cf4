/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recordings - the folder with the audio files, and the thread that does its slow work.
 *
 *   DATA/recordings/incoming/<name>     being written, or complete but not yet known to the database
 *   DATA/recordings/<2 digits>/<name>   known to the database; the digits spread the files
 *
 * An upload is written to incoming as it comes (constant memory), hashed on the way, synced, then
 * stored in the database by its name, and after the commit moved to its place. A file is looked for
 * in its place and then in incoming, so a crash between commit and move loses nothing; the sweep at
 * start moves what the database knows and removes what it does not.
 *
 * File names are unguessable ("88231-<26 digits>.mp3") and never come from a client.
 */
#pragma once

#include "base/clock.h"
#include "base/codec.h"
#include "base/error.h"
#include "base/log.h"
#include "base/str.h"
#include "store/store.h"

struct recordings;
struct upload;

/** Opens (and makes, mode 0700) the folder and starts the thread. ERR_UNAVAILABLE. */
MUST_CHECK enum err recordings_open(const char *folder,
        const struct log *log,
        struct recordings **ret_recordings,
        struct error *why);
/** Ends the thread after its queue. NULL is fine. */
void recordings_close(struct recordings *recordings);

/** Looks through incoming: asks the store which files are known. Blocking; before serving. */
MUST_CHECK enum err
recordings_sweep(struct recordings *recordings, struct store *store, struct error *why);

/** Begins an upload for a call. type is one of domain/audio.h. ERR_UNAVAILABLE (disk). */
MUST_CHECK enum err upload_begin(struct recordings *recordings,
        int64_t call_id,
        struct str type,
        struct upload **ret_upload,
        struct error *why);
/** Appends. ERR_INVALID when the first bytes are not of the type, ERR_LIMIT above
 *  LIMIT_RECORDING_BYTES, ERR_UNAVAILABLE when the disk is full. The upload can then only be
 *  discarded. */
MUST_CHECK enum err upload_write(struct upload *upload, struct str piece, struct error *why);

/** Runs on the recordings' thread, exactly once. */
typedef void upload_finished(void *ctx, struct upload *upload, enum err err);
/** Syncs the file off the caller's thread. ERR_INVALID through finished when it is empty. */
void upload_finish(struct upload *upload, upload_finished *finished, void *ctx);
/** After a good finish: what goes into the database. Borrowed from the upload. */
struct str upload_file(const struct upload *upload);
struct str upload_type(const struct upload *upload);
struct str upload_sha256_hex(const struct upload *upload);
int64_t upload_size_bytes(const struct upload *upload);
const struct error *upload_why(const struct upload *upload);
/** After the commit: moves the file to its place (on the recordings' thread) and frees. */
void upload_keep(struct upload *upload);
/** Removes the file and frees. NULL is fine. */
void upload_discard(struct upload *upload);

/** Opens a known file for reading; the caller owns *ret_fd. ERR_NOT_FOUND when it is gone. */
MUST_CHECK enum err recordings_open_file(struct recordings *recordings,
        struct str file,
        int *ret_fd,
        int64_t *ret_size_bytes,
        struct error *why);
/** Removes a file that no call references any more, on the recordings' thread. */
void recordings_remove(struct recordings *recordings, struct str file);
