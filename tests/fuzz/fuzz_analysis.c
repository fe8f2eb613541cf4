/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_analysis - any text as the analysis that a client puts: what is accepted is written as JSON
 * with all members of the contract, and that is accepted again and written as the same text.
 */
#include "base/json.h"
#include "domain/analysis.h"
#include "domain/faults.h"
#include "fuzz.h"

#define COMPLETED_AT_MS INT64_C(1777377493000)

static bool read(const struct json *json, struct arena *arena, struct analysis *ret_analysis)
{
    struct faults faults;

    faults_init(&faults, arena);
    analysis_read(json, &faults, ret_analysis);
    for (size_t i = 0; i < faults.count && i < FAULTS_MAX; i++)
        assert(faults.items[i].message.len > 0 && str_is_utf8(faults.items[i].field));
    assert(faults.prefix.len == 0);
    assert((faults.count == 0) == (ret_analysis->result != NULL));
    return faults.count == 0;
}

/* Appends what is written, and parses it. */
static struct json *write(const struct analysis *analysis, struct buf *buf)
{
    struct json *json = NULL;

    analysis_write(buf, analysis, 3, COMPLETED_AT_MS);
    enum err err = json_parse(buf_str(buf), &json, NULL);

    assert(buf_err(buf) == ERR_NONE && err == ERR_NONE);
    return json;
}

static void check_members(const struct json *json, const struct analysis *analysis)
{
    static const char *const names[] = {"status",
            "version",
            "language",
            "completed_at",
            "engine",
            "summary",
            "sentiment",
            "topics",
            "action_items",
            "score",
            "talk",
            "transcript",
            "error"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert(json_member(json, names[i]) != NULL);
    assert(str_equal(
            json_str(json_member(json, "status")), analysis_status_name(analysis->status)));
    assert(json_i64(json_member(json, "version")) == 3);
    assert((json_member(json, "reason") != NULL) ==
            (analysis->status == ANALYSIS_FAILED || analysis->status == ANALYSIS_SKIPPED));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_done) struct arena arena = {0};
    CLEANUP(buf_done) struct buf first = {0};
    CLEANUP(buf_done) struct buf second = {0};
    CLEANUP_PTR(json_free) struct json *json = NULL;
    CLEANUP_PTR(json_free) struct json *written = NULL;
    CLEANUP_PTR(json_free) struct json *written_again = NULL;
    struct analysis analysis = {0};
    struct analysis again = {0};

    if (json_parse(fuzz_text(data, size), &json, NULL) != ERR_NONE ||
            !read(json, &arena, &analysis))
        return 0;
    assert(analysis.status != ANALYSIS_PENDING);
    written = write(&analysis, &first);
    check_members(written, &analysis);
    bool ok = read(written, &arena, &again);

    assert(ok && again.status == analysis.status && str_equal(again.reason, analysis.reason));
    written_again = write(&again, &second);
    assert(str_equal(buf_str(&first), buf_str(&second)));
    return 0;
}
