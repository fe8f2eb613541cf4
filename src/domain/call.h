/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call - one phone call, with its recording and the state of its analysis.
 *
 * Plain values; strings are borrowed (from a request's arena or a database row). Pure; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

/* The numbers are stored in the database: never renumber. */
enum call_type { CALL_INCOMING = 0, CALL_OUTGOING = 1, CALL_MISSED = 2, CALL_REJECTED = 3 };
enum { CALL_TYPE_COUNT = 4 };

enum file_status {
    FILE_NONE = 0,
    FILE_PENDING = 1,
    FILE_UPLOADING = 2,
    FILE_COMPLETED = 3,
    FILE_FAILED = 4,
    FILE_ABSENT = 5,
    FILE_DELETED = 6,
};
enum { FILE_STATUS_COUNT = 7 };

enum analysis_status {
    ANALYSIS_PENDING = 0,
    ANALYSIS_PROCESSING = 1,
    ANALYSIS_COMPLETED = 2,
    ANALYSIS_FAILED = 3,
    ANALYSIS_SKIPPED = 4,
};
enum { ANALYSIS_STATUS_COUNT = 5 };

enum {
    CALL_DURATION_MAX_S = 86400,
    CALL_NAME_MAX_BYTES = 256,
    CALL_EXTERNAL_ID_MAX_BYTES = 256,
};

/** A 24 h wait, after which an expected recording, or an analysis, counts as failed. */
#define CALL_WATCHDOG_MS (INT64_C(24) * 3600 * 1000)

/** The audio of a call. file and url exclude each other; both none: no audio is there. */
struct recording {
    struct str file;         /* our file's name inside the recordings folder; none: not ours */
    struct str url;          /* where it lives elsewhere */
    struct str content_type; /* of our file, such as "audio/mpeg" */
    int64_t size_bytes;
    struct str sha256;    /* lower-case hex of our file */
    int64_t generation;   /* raised by each deletion; links of older generations are dead */
    int64_t due_at_ms;    /* an expected recording must have come by then; 0: none is expected */
    struct str fetch_url; /* being downloaded from here; none: nothing is */
};

struct call {
    int64_t id; /* 1 .. 2^53-1 */
    struct str org_id;
    enum call_type type;
    struct str phone; /* E.164 or short code; none: withheld */
    struct str name;  /* as the phone showed it; none: not known */
    int64_t duration_s;
    int64_t started_at_ms;
    struct str staff_id;    /* none: unassigned */
    struct str external_id; /* none: not given */
    bool reviewed;
    enum file_status file_status;
    struct recording recording;
    enum analysis_status analysis_status;
    struct str analysis_reason; /* when skipped or failed, such as "no_recording"; else none */
    int64_t analysis_version;   /* of the latest result; 0: there is none */
    int64_t analysis_due_at_ms; /* a result must have come by then; 0: none is expected */
    int64_t created_at_ms;
};

/** The word in JSON: "incoming" ... Never none. */
struct str call_type_name(enum call_type type);
/** False, untouched, for a word that is none of them. */
bool call_type_parse(struct str word, enum call_type *ret_type);
/** missed and rejected calls came in: "incoming" or "outgoing". */
struct str call_direction(enum call_type type);
/** True for incoming and outgoing: somebody talked, so a recording may be expected. */
bool call_is_answered(enum call_type type);

/** The word in JSON: "pending" ... Never none. */
struct str file_status_name(enum file_status status);
/** False, untouched, for a word that is none of them. */
bool file_status_parse(struct str word, enum file_status *ret_status);

/** The word in JSON: "completed" ... Never none. */
struct str analysis_status_name(enum analysis_status status);
/** False, untouched, for a word that is none of them. */
bool analysis_status_parse(struct str word, enum analysis_status *ret_status);

/**
 * Moves the recording to status: sets file_status, due_at_ms of the recording, and the analysis'
 * state with its deadline: pending when there is (or will be) audio, skipped ("no_recording") when
 * there is none and no result came before. COMPLETED makes an analysis that was skipped or failed
 * pending again; a completed analysis stays what it is.
 * Returns true when the analysis ended by this (pending or processing to skipped), so that its
 * event is due.
 */
bool call_set_file_status(struct call *call, enum file_status status, int64_t now_ms);
