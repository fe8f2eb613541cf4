/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of domain/call: the words, and what follows from a recording's state. */
#include "assert_str.h"
#include "domain/call.h"

enum { NOW_MS = 1000 };

static const char *const CALL_TYPES[] = {"incoming", "outgoing", "missed", "rejected"};
static const char *const FILE_STATUSES[] =
        {"none", "pending", "uploading", "completed", "failed", "absent", "deleted"};
static const char *const ANALYSIS_STATUSES[] = {"pending",
        "processing",
        "completed",
        "failed",
        "skipped"};

static void call_types_are_written_and_read_as_words(void **state)
{
    (void)state;
    for (int i = 0; i < CALL_TYPE_COUNT; i++) {
        enum call_type type = CALL_INCOMING;

        assert_str(call_type_name((enum call_type)i), CALL_TYPES[i]);
        assert_true(call_type_parse(str_from(CALL_TYPES[i]), &type));
        assert_int_equal(type, i);
    }
}

static void file_statuses_are_written_and_read_as_words(void **state)
{
    (void)state;
    for (int i = 0; i < FILE_STATUS_COUNT; i++) {
        enum file_status status = FILE_NONE;

        assert_str(file_status_name((enum file_status)i), FILE_STATUSES[i]);
        assert_true(file_status_parse(str_from(FILE_STATUSES[i]), &status));
        assert_int_equal(status, i);
    }
}

static void analysis_statuses_are_written_and_read_as_words(void **state)
{
    (void)state;
    for (int i = 0; i < ANALYSIS_STATUS_COUNT; i++) {
        enum analysis_status status = ANALYSIS_PENDING;

        assert_str(analysis_status_name((enum analysis_status)i), ANALYSIS_STATUSES[i]);
        assert_true(analysis_status_parse(str_from(ANALYSIS_STATUSES[i]), &status));
        assert_int_equal(status, i);
    }
}

static void other_words_are_refused_and_change_nothing(void **state)
{
    static const char *const bad[] = {NULL, "", "Incoming", "incoming ", "in", "voicemail"};

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        enum call_type type = CALL_REJECTED;
        enum file_status file = FILE_DELETED;
        enum analysis_status analysis = ANALYSIS_SKIPPED;

        assert_false(call_type_parse(str_from(bad[i]), &type));
        assert_false(file_status_parse(str_from(bad[i]), &file));
        assert_false(analysis_status_parse(str_from(bad[i]), &analysis));
        assert_int_equal(type, CALL_REJECTED);
        assert_int_equal(file, FILE_DELETED);
        assert_int_equal(analysis, ANALYSIS_SKIPPED);
    }
}

static void missed_and_rejected_calls_came_in_unanswered(void **state)
{
    static const struct {
        enum call_type type;
        const char *direction;
        bool is_answered;
    } rows[] = {
            {CALL_INCOMING, "incoming", true},
            {CALL_OUTGOING, "outgoing", true},
            {CALL_MISSED, "incoming", false},
            {CALL_REJECTED, "incoming", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_str(call_direction(rows[i].type), rows[i].direction);
        assert_int_equal(call_is_answered(rows[i].type), rows[i].is_answered);
    }
}

/* One row: the analysis before, the recording's new state, and all that must follow. */
struct step {
    enum analysis_status before;
    int64_t version;
    enum file_status to;
    enum analysis_status after;
    const char *reason;
    int64_t file_due_at_ms;
    int64_t analysis_due_at_ms;
    bool ended;
};

/* The deadline and the reason that a call in this state has before the step. */
static struct call call_before(const struct step *step)
{
    struct call call = {
            .analysis_status = step->before,
            .analysis_version = step->version,
            .recording.due_at_ms = 5,
    };

    if (step->before == ANALYSIS_PENDING || step->before == ANALYSIS_PROCESSING)
        call.analysis_due_at_ms = 7;
    if (step->before == ANALYSIS_SKIPPED || step->before == ANALYSIS_FAILED)
        call.analysis_reason = STR("before");
    return call;
}

static void check_steps(const struct step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct step *step = &steps[i];
        struct call call = call_before(step);

        print_message("step %zu\n", i);
        assert_int_equal(call_set_file_status(&call, step->to, NOW_MS), step->ended);
        assert_int_equal(call.file_status, step->to);
        assert_int_equal(call.analysis_status, step->after);
        assert_str(call.analysis_reason, step->reason);
        assert_int_equal(call.recording.due_at_ms, step->file_due_at_ms);
        assert_int_equal(call.analysis_due_at_ms, step->analysis_due_at_ms);
    }
}

static void audio_that_is_there_or_expected_makes_the_analysis_pending(void **state)
{
    const int64_t file_due = NOW_MS + CALL_WATCHDOG_MS;
    const int64_t late_due = NOW_MS + 2 * CALL_WATCHDOG_MS;
    const struct step steps[] = {
            {ANALYSIS_PENDING, 0, FILE_PENDING, ANALYSIS_PENDING, NULL, file_due, late_due, false},
            {ANALYSIS_PENDING,
                    0,
                    FILE_UPLOADING,
                    ANALYSIS_PENDING,
                    NULL,
                    file_due,
                    late_due,
                    false},
            {ANALYSIS_SKIPPED, 0, FILE_PENDING, ANALYSIS_PENDING, NULL, file_due, late_due, false},
            {ANALYSIS_PENDING, 0, FILE_COMPLETED, ANALYSIS_PENDING, NULL, 0, file_due, false},
            {ANALYSIS_SKIPPED, 0, FILE_COMPLETED, ANALYSIS_PENDING, NULL, 0, file_due, false},
            {ANALYSIS_SKIPPED, 1, FILE_COMPLETED, ANALYSIS_PENDING, NULL, 0, file_due, false},
            {ANALYSIS_FAILED, 2, FILE_COMPLETED, ANALYSIS_PENDING, NULL, 0, file_due, false},
            {ANALYSIS_PROCESSING, 0, FILE_COMPLETED, ANALYSIS_PROCESSING, NULL, 0, file_due, false},
    };

    (void)state;
    check_steps(steps, COUNT(steps));
}

static void a_result_stands_until_new_audio_is_there(void **state)
{
    const int64_t file_due = NOW_MS + CALL_WATCHDOG_MS;
    const struct step steps[] = {
            {ANALYSIS_SKIPPED, 1, FILE_UPLOADING, ANALYSIS_SKIPPED, "before", file_due, 0, false},
            {ANALYSIS_FAILED, 0, FILE_PENDING, ANALYSIS_FAILED, "before", file_due, 0, false},
            {ANALYSIS_PROCESSING, 0, FILE_PENDING, ANALYSIS_PROCESSING, NULL, file_due, 7, false},
            {ANALYSIS_COMPLETED, 1, FILE_PENDING, ANALYSIS_COMPLETED, NULL, file_due, 0, false},
            {ANALYSIS_COMPLETED, 1, FILE_COMPLETED, ANALYSIS_COMPLETED, NULL, 0, 0, false},
            {ANALYSIS_COMPLETED, 1, FILE_DELETED, ANALYSIS_COMPLETED, NULL, 0, 0, false},
            {ANALYSIS_FAILED, 1, FILE_DELETED, ANALYSIS_FAILED, "before", 0, 0, false},
            {ANALYSIS_SKIPPED, 1, FILE_ABSENT, ANALYSIS_SKIPPED, "before", 0, 0, false},
    };

    (void)state;
    check_steps(steps, COUNT(steps));
}

static void without_audio_an_open_analysis_ends_as_skipped(void **state)
{
    static const enum file_status without[] = {FILE_NONE, FILE_FAILED, FILE_ABSENT, FILE_DELETED};

    (void)state;
    for (size_t i = 0; i < COUNT(without); i++) {
        const struct step steps[] = {
                {ANALYSIS_PENDING, 0, without[i], ANALYSIS_SKIPPED, "no_recording", 0, 0, true},
                {ANALYSIS_PENDING, 1, without[i], ANALYSIS_SKIPPED, "no_recording", 0, 0, true},
                {ANALYSIS_PROCESSING, 0, without[i], ANALYSIS_SKIPPED, "no_recording", 0, 0, true},
        };

        check_steps(steps, COUNT(steps));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(call_types_are_written_and_read_as_words),
            cmocka_unit_test(file_statuses_are_written_and_read_as_words),
            cmocka_unit_test(analysis_statuses_are_written_and_read_as_words),
            cmocka_unit_test(other_words_are_refused_and_change_nothing),
            cmocka_unit_test(missed_and_rejected_calls_came_in_unanswered),
            cmocka_unit_test(audio_that_is_there_or_expected_makes_the_analysis_pending),
            cmocka_unit_test(a_result_stands_until_new_audio_is_there),
            cmocka_unit_test(without_audio_an_open_analysis_ends_as_skipped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
