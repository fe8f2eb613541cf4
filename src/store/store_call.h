/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_call - operations on calls, their recordings and their analyses. Each change is stored with
 * its event and that event's deliveries in one transaction (I1, I2).
 */
#pragma once

#include "domain/analysis.h"
#include "domain/call.h"
#include "domain/contact.h"
#include "domain/staff.h"
#include "store/store.h"

/* What a client says of a call to log; checked by the API, but for what only the database knows. */
struct call_draft {
    enum call_type type;
    struct str phone; /* none: withheld */
    struct str name;
    int64_t duration_s;
    int64_t started_at_ms;  /* 0: now */
    struct str staff_id;    /* an existing one's; none: unassigned, or staff is given */
    bool has_staff;         /* staff is to be created or updated */
    struct staff staff;     /* id none: found by phone or e-mail, else made; org_id not needed */
    struct str external_id; /* none: none */
    bool recording_expected;
    struct str recording_url; /* it is there already; none: no */

    /* out */
    enum err err; /* ERR_NONE, or why this one was refused: ERR_INVALID with field */
    struct error why;
    bool duplicate; /* external_id was there: call_id and event_id are the first one's */
    int64_t call_id;
    int64_t event_id; /* 0: its event is gone by retention */
    int64_t delivery_count;
};

/** Logs one call or many, each on its own: op.err is ERR_NONE although drafts were refused (but with
 *  exactly one draft op.err is the draft's). An idempotency key covers all of it. */
struct call_create {
    struct store_op op;
    struct str org_id;
    struct call_draft *drafts;
    size_t draft_count;
};
MUST_CHECK enum err store_call_create(struct store *store, struct call_create *op);

/** A call as it is now, with what a payload of it would show. */
struct call_view {
    struct call call;
    struct contact contact; /* when has_contact */
    bool has_contact;
    struct staff staff; /* when has_staff */
    bool has_staff;
    struct str recording_url;   /* ours, signed, or elsewhere; none: no audio */
    struct str analysis_result; /* the latest ai_analysis object; none: never one */
};

struct call_event_row {
    int64_t event_id;
    enum event_kind kind;
    int64_t delivery_count;
};

struct call_delivery_row {
    int64_t delivery_id;
    int64_t event_id;
    int64_t endpoint_id;
    enum delivery_state state;
    int64_t attempt_count;
    int64_t due_at_ms; /* for waiting and retrying */
};

enum { CALL_EVENTS_MAX = 200, CALL_DELIVERIES_MAX = 1000 };

/** ERR_NOT_FOUND. The newest CALL_EVENTS_MAX events, CALL_DELIVERIES_MAX deliveries. */
struct call_get {
    struct store_op op;
    struct str org_id;
    int64_t id;
    struct call_view view;                /* out */
    struct call_event_row *events;        /* out, oldest first */
    size_t event_count;                   /* out */
    struct call_delivery_row *deliveries; /* out, by event */
    size_t delivery_count;                /* out */
};
MUST_CHECK enum err store_call_get(struct store *store, struct call_get *op);

struct call_list {
    struct store_op op;
    struct str org_id;
    struct str phone; /* none: any; so for all filters */
    struct str staff_id;
    struct str contact_id; /* calls of that contact's phone */
    int type;              /* enum call_type, -1: any */
    int file_status;       /* enum file_status, -1: any */
    int analysis_status;   /* enum analysis_status, -1: any */
    int reviewed;          /* 0, 1, -1: any */
    int64_t since_ms;      /* started_at >= ; 0: any */
    int64_t until_ms;      /* started_at < ; 0: any */
    struct str q;          /* part of phone, name, external_id or the call_id's digits */
    struct page page;
    struct call_view *calls; /* out; analysis_result is none here */
    size_t count;            /* out */
};
MUST_CHECK enum err store_call_list(struct store *store, struct call_list *op);

enum call_field { CALL_REVIEWED = 1, CALL_STAFF_ID = 2 };

/** Emits nothing. ERR_NOT_FOUND; ERR_INVALID (field "staff_id") for an unknown one. */
struct call_patch {
    struct store_op op;
    struct str org_id;
    int64_t id;
    unsigned fields; /* bits of enum call_field */
    bool reviewed;
    struct str staff_id;   /* none: unassigned */
    struct call_view view; /* out */
};
MUST_CHECK enum err store_call_patch(struct store *store, struct call_patch *op);

enum recording_change {
    RECORDING_FILE,   /* file, content_type, size_bytes, sha256 are there: completed */
    RECORDING_URL,    /* it lives at url: completed */
    RECORDING_FETCH,  /* it is to be downloaded from url: uploading */
    RECORDING_STATUS, /* only status */
    RECORDING_DELETE, /* file and url go: deleted */
};

/** Emits recording_updated, and ai_analysis when the analysis ended by it. A change that changes
 *  nothing (the same status, url or sha256 again) emits nothing. ERR_NOT_FOUND. */
struct recording_set {
    struct store_op op;
    struct str org_id; /* none: the store's own jobs, any org */
    int64_t call_id;
    enum recording_change change;
    enum file_status status;    /* for RECORDING_STATUS: any but completed and deleted */
    struct recording recording; /* the members that the change names */
    struct str only_fetch_url;  /* none, or: ERR_CONFLICT unless this is still being fetched */
    struct call_view view;      /* out */
    int64_t event_id;           /* out: of recording_updated; 0: nothing was emitted */
    int64_t delivery_count;     /* out */
    struct str old_file;        /* out: our file that is no longer referenced; none: none */
};
MUST_CHECK enum err store_recording_set(struct store *store, struct recording_set *op);

/** The recording of a call, to serve it. ERR_NOT_FOUND when there is no such call. */
struct recording_get {
    struct store_op op;
    struct str org_id; /* none: any org, the link's signature stands in */
    int64_t call_id;
    enum file_status file_status; /* out */
    struct recording recording;   /* out */
};
MUST_CHECK enum err store_recording_get(struct store *store, struct recording_get *op);

/** True in *ret_used when a call references the file: for the sweep of half-done uploads. */
struct recording_file_used {
    struct store_op op;
    int64_t call_id;
    struct str file;
    bool used; /* out */
};
MUST_CHECK enum err store_recording_file_used(struct store *store, struct recording_file_used *op);

/** Recordings that are to be downloaded, oldest call first, after a call id. */
struct fetch_job {
    int64_t call_id;
    struct str org_id;
    struct str url;
};
struct fetch_list {
    struct store_op op;
    int64_t after_call_id;
    int64_t limit;
    struct fetch_job *jobs; /* out */
    size_t count;           /* out */
};
MUST_CHECK enum err store_fetch_list(struct store *store, struct fetch_list *op);

/** Puts a result (or processing) from outside; raises the version for each result; emits
 *  ai_analysis unless it is processing. ERR_NOT_FOUND. */
struct analysis_put {
    struct store_op op;
    struct str org_id;
    int64_t call_id;
    const struct analysis *analysis;
    struct call_view view;  /* out */
    int64_t event_id;       /* out: 0 for processing */
    int64_t delivery_count; /* out */
};
MUST_CHECK enum err store_analysis_put(struct store *store, struct analysis_put *op);
