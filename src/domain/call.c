/* SPDX-License-Identifier: Apache-2.0 */
/* call - the words of calls, recordings and analyses, and what a recording's state entails. */
#include "domain/call.h"

#include <assert.h>

static const struct str CALL_TYPE_NAMES[CALL_TYPE_COUNT] = {
        [CALL_INCOMING] = {"incoming", 8},
        [CALL_OUTGOING] = {"outgoing", 8},
        [CALL_MISSED] = {"missed", 6},
        [CALL_REJECTED] = {"rejected", 8},
};

static const struct str FILE_STATUS_NAMES[FILE_STATUS_COUNT] = {
        [FILE_NONE] = {"none", 4},
        [FILE_PENDING] = {"pending", 7},
        [FILE_UPLOADING] = {"uploading", 9},
        [FILE_COMPLETED] = {"completed", 9},
        [FILE_FAILED] = {"failed", 6},
        [FILE_ABSENT] = {"absent", 6},
        [FILE_DELETED] = {"deleted", 7},
};

static const struct str ANALYSIS_STATUS_NAMES[ANALYSIS_STATUS_COUNT] = {
        [ANALYSIS_PENDING] = {"pending", 7},
        [ANALYSIS_PROCESSING] = {"processing", 10},
        [ANALYSIS_COMPLETED] = {"completed", 9},
        [ANALYSIS_FAILED] = {"failed", 6},
        [ANALYSIS_SKIPPED] = {"skipped", 7},
};

/* The place of word among the names, or -1. */
static int find_word(const struct str *names, int count, struct str word)
{
    for (int i = 0; i < count; i++)
        if (str_equal(names[i], word))
            return i;
    return -1;
}

struct str call_type_name(enum call_type type)
{
    assert((unsigned)type < CALL_TYPE_COUNT);
    return CALL_TYPE_NAMES[type];
}

bool call_type_parse(struct str word, enum call_type *ret_type)
{
    int found = find_word(CALL_TYPE_NAMES, CALL_TYPE_COUNT, word);

    if (found < 0)
        return false;
    *ret_type = (enum call_type)found;
    return true;
}

struct str call_direction(enum call_type type)
{
    return call_type_name(type == CALL_OUTGOING ? CALL_OUTGOING : CALL_INCOMING);
}

bool call_is_answered(enum call_type type)
{
    return type == CALL_INCOMING || type == CALL_OUTGOING;
}

struct str file_status_name(enum file_status status)
{
    assert((unsigned)status < FILE_STATUS_COUNT);
    return FILE_STATUS_NAMES[status];
}

bool file_status_parse(struct str word, enum file_status *ret_status)
{
    int found = find_word(FILE_STATUS_NAMES, FILE_STATUS_COUNT, word);

    if (found < 0)
        return false;
    *ret_status = (enum file_status)found;
    return true;
}

struct str analysis_status_name(enum analysis_status status)
{
    assert((unsigned)status < ANALYSIS_STATUS_COUNT);
    return ANALYSIS_STATUS_NAMES[status];
}

bool analysis_status_parse(struct str word, enum analysis_status *ret_status)
{
    int found = find_word(ANALYSIS_STATUS_NAMES, ANALYSIS_STATUS_COUNT, word);

    if (found < 0)
        return false;
    *ret_status = (enum analysis_status)found;
    return true;
}

static void await_analysis(struct call *call, int64_t due_at_ms)
{
    call->analysis_status = ANALYSIS_PENDING;
    call->analysis_reason = STR_NONE;
    call->analysis_due_at_ms = due_at_ms;
}

/* Audio will come. What a result from outside said meanwhile stands until it is there. */
static void expect_recording(struct call *call, int64_t now_ms)
{
    bool is_open = call->analysis_status == ANALYSIS_PENDING ||
                   (call->analysis_status == ANALYSIS_SKIPPED && call->analysis_version == 0);

    call->recording.due_at_ms = now_ms + CALL_WATCHDOG_MS;
    /* The analysis' own wait begins when the audio is there, at the latest at its deadline: else
     * both deadlines would pass at once, and chance would choose between failed and skipped. */
    if (is_open)
        await_analysis(call, call->recording.due_at_ms + CALL_WATCHDOG_MS);
}

static void complete_recording(struct call *call, int64_t now_ms)
{
    call->recording.due_at_ms = 0;
    if (call->analysis_status == ANALYSIS_PROCESSING)
        call->analysis_due_at_ms = now_ms + CALL_WATCHDOG_MS;
    else if (call->analysis_status != ANALYSIS_COMPLETED)
        await_analysis(call, now_ms + CALL_WATCHDOG_MS);
}

static bool end_recording(struct call *call)
{
    call->recording.due_at_ms = 0;
    if (call->analysis_status != ANALYSIS_PENDING && call->analysis_status != ANALYSIS_PROCESSING)
        return false;
    call->analysis_status = ANALYSIS_SKIPPED;
    call->analysis_reason = STR("no_recording");
    call->analysis_due_at_ms = 0;
    return true;
}

bool call_set_file_status(struct call *call, enum file_status status, int64_t now_ms)
{
    call->file_status = status;
    switch (status) {
    case FILE_PENDING:
    case FILE_UPLOADING: expect_recording(call, now_ms); return false;
    case FILE_COMPLETED: complete_recording(call, now_ms); return false;
    case FILE_NONE:
    case FILE_FAILED:
    case FILE_ABSENT:
    case FILE_DELETED: break;
    }
    return end_recording(call);
}
