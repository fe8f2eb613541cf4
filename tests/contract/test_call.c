/* SPDX-License-Identifier: Apache-2.0 */
/* Contract tests of calls: logging, reading, listing and patching. */
#include "contract.h"
#include "store/store_contact.h"

#define PHONE STR("+919876543210")

static enum err log_draft(struct contract *c, const char *org_id, struct call_draft *draft)
{
    struct call_create create = {.org_id = str_from(org_id), .drafts = draft, .draft_count = 1};

    return RUN(c, store_call_create, &create);
}

static struct call_get get_call(struct contract *c, int64_t id)
{
    struct call_get get = {.org_id = STR("org_a"), .id = id};

    assert_int_equal(RUN(c, store_call_get, &get), ERR_NONE);
    return get;
}

static void make_staff(struct contract *c, const char *id)
{
    struct staff_write op = {
            .mode = WRITE_CREATE,
            .fields = STAFF_ALL,
            .staff = {.org_id = STR("org_a"), .id = str_from(id), .name = STR("Asha")},
    };

    assert_int_equal(RUN(c, store_staff_write, &op), ERR_NONE);
}

static void make_contact(struct contract *c)
{
    struct contact_write op = {
            .mode = WRITE_CREATE,
            .fields = CONTACT_ALL,
            .contact = {.org_id = STR("org_a"),
                    .id = STR("contact_j"),
                    .phone = PHONE,
                    .name = STR("John")},
    };

    assert_int_equal(RUN(c, store_contact_write, &op), ERR_NONE);
}

static bool body_has(struct contract *c, int64_t event_id, const char *text)
{
    struct event_get get = {.org_id = STR("org_a"), .id = event_id};

    assert_int_equal(RUN(c, store_event_get, &get), ERR_NONE);
    return memmem(get.event.body.ptr, get.event.body.len, text, strlen(text)) != NULL;
}

static void a_call_comes_back_as_it_was_logged(void **state)
{
    struct contract *c = *state;
    struct call_draft draft = {
            .type = CALL_OUTGOING,
            .phone = PHONE,
            .name = STR("John Doe"),
            .duration_s = 124,
            .started_at_ms = CONTRACT_START_MS - HOUR_MS,
            .external_id = STR("pbx-1"),
            .recording_expected = true,
    };

    contract_make_org(c, "org_a");
    assert_int_equal(log_draft(c, "org_a", &draft), ERR_NONE);
    assert_int_equal(draft.delivery_count, 0);
    contract_reopen(c);
    struct call_view view = get_call(c, draft.call_id).view;
    assert_int_equal(view.call.type, CALL_OUTGOING);
    assert_true(str_equal(view.call.phone, PHONE));
    assert_true(str_is(view.call.name, "John Doe"));
    assert_int_equal(view.call.duration_s, 124);
    assert_int_equal(view.call.started_at_ms, CONTRACT_START_MS - HOUR_MS);
    assert_true(str_is(view.call.external_id, "pbx-1"));
    assert_int_equal(view.call.created_at_ms, CONTRACT_START_MS);
    assert_false(view.call.reviewed);
    assert_null(view.call.staff_id.ptr);
    assert_null(view.recording_url.ptr);
    assert_true(body_has(c, draft.event_id, "\"duration_total\":\"124\""));
}

static void defaults_depend_on_the_type(void **state)
{
    static const struct {
        enum call_type type;
        int64_t duration_s;
        bool expected;
        const char *url;
        int64_t stored_s;
        enum file_status file_status;
        enum analysis_status analysis_status;
    } cases[] = {
            {CALL_INCOMING, 5, true, NULL, 5, FILE_PENDING, ANALYSIS_PENDING},
            {CALL_OUTGOING, 5, false, NULL, 5, FILE_NONE, ANALYSIS_SKIPPED},
            {CALL_MISSED, 5, false, NULL, 0, FILE_NONE, ANALYSIS_SKIPPED},
            {CALL_REJECTED, 5, false, NULL, 0, FILE_NONE, ANALYSIS_SKIPPED},
            {CALL_INCOMING, 5, true, "https://x/a.mp3", 5, FILE_COMPLETED, ANALYSIS_PENDING},
            {CALL_MISSED, 5, true, NULL, 0, FILE_PENDING, ANALYSIS_PENDING},
    };
    struct contract *c = *state;

    contract_make_org(c, "org_a");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct call_draft draft = {
                .type = cases[i].type,
                .duration_s = cases[i].duration_s,
                .recording_expected = cases[i].expected,
                .recording_url = str_from(cases[i].url),
        };

        assert_int_equal(log_draft(c, "org_a", &draft), ERR_NONE);
        struct call_view view = get_call(c, draft.call_id).view;
        assert_int_equal(view.call.duration_s, cases[i].stored_s);
        assert_int_equal(view.call.started_at_ms, CONTRACT_START_MS);
        assert_int_equal(view.call.file_status, cases[i].file_status);
        assert_int_equal(view.call.analysis_status, cases[i].analysis_status);
        assert_true(str_equal(view.recording_url, str_from(cases[i].url)));
        assert_null(view.call.phone.ptr);
    }
}

static void the_contact_is_found_by_the_phone(void **state)
{
    struct contract *c = *state;
    struct call_draft known = {.type = CALL_MISSED, .phone = PHONE};
    struct call_draft unknown = {.type = CALL_MISSED, .phone = STR("+911111111")};

    contract_make_org(c, "org_a");
    make_contact(c);
    assert_int_equal(log_draft(c, "org_a", &known), ERR_NONE);
    assert_true(body_has(c, known.event_id, "\"identity\":{\"id\":\"contact_j\""));
    assert_true(str_is(get_call(c, known.call_id).view.contact.id, "contact_j"));
    assert_int_equal(log_draft(c, "org_a", &unknown), ERR_NONE);
    assert_true(body_has(c, unknown.event_id, "\"identity\":{\"id\":null"));
    assert_false(get_call(c, unknown.call_id).view.has_contact);
}

static void staff_is_found_made_or_refused(void **state)
{
    struct contract *c = *state;
    struct call_draft found = {.type = CALL_MISSED, .staff_id = STR("emp_1")};
    struct call_draft made = {
            .type = CALL_MISSED,
            .has_staff = true,
            .staff = {.id = STR("emp_2"), .name = STR("Ravi"), .phone = STR("+912222222")},
    };
    struct call_draft by_phone = {
            .type = CALL_MISSED,
            .has_staff = true,
            .staff = {.name = STR("Ravi K"), .phone = STR("+912222222")},
    };
    struct call_draft unknown = {.type = CALL_MISSED, .staff_id = STR("emp_9")};

    contract_make_org(c, "org_a");
    make_staff(c, "emp_1");
    assert_int_equal(log_draft(c, "org_a", &found), ERR_NONE);
    assert_true(str_is(get_call(c, found.call_id).view.staff.name, "Asha"));
    assert_int_equal(log_draft(c, "org_a", &made), ERR_NONE);
    assert_true(body_has(c, made.event_id, "\"staff\":{\"id\":\"emp_2\",\"name\":\"Ravi\""));
    assert_int_equal(log_draft(c, "org_a", &by_phone), ERR_NONE);
    struct call_view view = get_call(c, by_phone.call_id).view;
    assert_true(str_is(view.staff.id, "emp_2"));
    assert_true(str_is(view.staff.name, "Ravi K"));
    assert_int_equal(log_draft(c, "org_a", &unknown), ERR_INVALID);
    assert_string_equal(unknown.why.field, "staff_id");
    assert_int_equal(contract_count_events(c, "org_a", -1), 3);
}

static void an_external_id_gives_the_first_call_again_in_its_org(void **state)
{
    struct contract *c = *state;
    struct call_draft first = {.type = CALL_MISSED, .external_id = STR("pbx-1")};
    struct call_draft again = first, elsewhere = first;

    contract_make_org(c, "org_a");
    contract_make_org(c, "org_b");
    (void)contract_make_endpoint(c, "org_a");
    assert_int_equal(log_draft(c, "org_a", &first), ERR_NONE);
    assert_false(first.duplicate);
    assert_int_equal(first.delivery_count, 1);
    contract_reopen(c);
    assert_int_equal(log_draft(c, "org_a", &again), ERR_NONE);
    assert_true(again.duplicate);
    assert_int_equal(again.call_id, first.call_id);
    assert_int_equal(again.event_id, first.event_id);
    assert_int_equal(again.delivery_count, 1);
    assert_int_equal(contract_count_events(c, "org_a", -1), 1);
    assert_int_equal(log_draft(c, "org_b", &elsewhere), ERR_NONE);
    assert_false(elsewhere.duplicate);
    assert_true(elsewhere.call_id != first.call_id);
}

static void each_draft_of_a_batch_stands_on_its_own(void **state)
{
    struct contract *c = *state;
    struct call_draft drafts[] = {
            {.type = CALL_MISSED, .external_id = STR("same")},
            {.type = CALL_MISSED, .staff_id = STR("emp_9")},
            {.err = ERR_INVALID, .type = CALL_MISSED},
            {.type = CALL_MISSED, .external_id = STR("same")},
            {.type = CALL_INCOMING, .duration_s = 1},
    };
    struct call_create create = {.org_id = STR("org_a"), .drafts = drafts, .draft_count = 5};

    contract_make_org(c, "org_a");
    assert_int_equal(RUN(c, store_call_create, &create), ERR_NONE);
    assert_int_equal(drafts[0].err, ERR_NONE);
    assert_int_equal(drafts[1].err, ERR_INVALID);
    assert_string_equal(drafts[1].why.field, "staff_id");
    assert_int_equal(drafts[2].call_id, 0);
    assert_true(drafts[3].duplicate);
    assert_int_equal(drafts[3].call_id, drafts[0].call_id);
    assert_int_equal(drafts[4].err, ERR_NONE);
    assert_int_equal(contract_count_events(c, "org_a", -1), 2);
    assert_int_equal(contract_number(c, "SELECT count(*) FROM call"), 2);
}

static void a_call_shows_its_events_and_deliveries_oldest_first(void **state)
{
    struct contract *c = *state;

    contract_make_org(c, "org_a");
    int64_t first = contract_make_endpoint(c, "org_a");
    int64_t second = contract_make_endpoint(c, "org_a");
    int64_t id = contract_make_call(c, "org_a", "+919876543210");
    contract_answer_all(c);
    contract_enable(c, second, false);
    contract_set_file_status(c, id, FILE_UPLOADING);
    struct call_get get = get_call(c, id);
    assert_int_equal(get.event_count, 2);
    assert_int_equal(get.events[0].kind, EVENT_CALL_LOGGED);
    assert_int_equal(get.events[0].delivery_count, 2);
    assert_int_equal(get.events[1].kind, EVENT_RECORDING_UPDATED);
    assert_int_equal(get.events[1].delivery_count, 1);
    assert_int_equal(get.delivery_count, 3);
    assert_int_equal(get.deliveries[0].endpoint_id, first);
    assert_int_equal(get.deliveries[0].state, DELIVERY_DELIVERED);
    assert_int_equal(get.deliveries[0].attempt_count, 1);
    assert_int_equal(get.deliveries[1].endpoint_id, second);
    assert_int_equal(get.deliveries[2].event_id, get.events[1].event_id);
    assert_int_equal(get.deliveries[2].state, DELIVERY_SENDING);
    struct call_get foreign = {.org_id = STR("org_b"), .id = id};
    assert_int_equal(RUN(c, store_call_get, &foreign), ERR_NOT_FOUND);
}

static struct call_list any_call(void)
{
    return (struct call_list){
            .org_id = STR("org_a"),
            .type = -1,
            .file_status = -1,
            .analysis_status = -1,
            .reviewed = -1,
            .page = {.limit = 10},
    };
}

/* Calls 1, 2 and 3 of org_a, an hour apart; a call of org_b that fits all filters of call 1. */
static void make_calls_to_find(struct contract *c)
{
    struct call_draft drafts[] = {
            {.type = CALL_INCOMING,
                    .phone = PHONE,
                    .name = STR("John 100%"),
                    .staff_id = STR("emp_1"),
                    .external_id = STR("PBX_1"),
                    .started_at_ms = CONTRACT_START_MS,
                    .recording_expected = true},
            {.type = CALL_MISSED, .phone = PHONE, .started_at_ms = CONTRACT_START_MS + HOUR_MS},
            {.type = CALL_OUTGOING,
                    .phone = STR("+911111111"),
                    .staff_id = STR("emp_1"),
                    .started_at_ms = CONTRACT_START_MS + 2 * HOUR_MS,
                    .recording_url = STR("https://example.com/a.mp3")},
    };
    struct call_create create = {.org_id = STR("org_a"), .drafts = drafts, .draft_count = 3};
    struct call_draft foreign = drafts[0];
    struct call_patch patch = {
            .org_id = STR("org_a"), .id = 2, .fields = CALL_REVIEWED, .reviewed = true};

    contract_make_org(c, "org_a");
    contract_make_org(c, "org_b");
    make_staff(c, "emp_1");
    make_contact(c);
    assert_int_equal(RUN(c, store_call_create, &create), ERR_NONE);
    foreign.staff_id = STR_NONE;
    assert_int_equal(log_draft(c, "org_b", &foreign), ERR_NONE);
    assert_int_equal(RUN(c, store_call_patch, &patch), ERR_NONE);
}

/* Asserts that exactly the calls whose bits are set (1: call 1, 2: call 2, 4: call 3) are found. */
static void assert_found(struct contract *c, struct call_list list, unsigned wanted)
{
    unsigned found = 0;

    assert_int_equal(RUN(c, store_call_list, &list), ERR_NONE);
    for (size_t i = 0; i < list.count; i++) {
        assert_in_range(list.calls[i].call.id, 1, 3);
        found |= 1U << (list.calls[i].call.id - 1);
        assert_true(i == 0 || list.calls[i].call.id < list.calls[i - 1].call.id);
    }
    assert_int_equal(found, wanted);
}

static void every_filter_finds_its_calls_alone_and_with_others(void **state)
{
    struct contract *c = *state;
    const struct call_list any = any_call();
    struct call_list list = any;

    make_calls_to_find(c);
    assert_found(c, any, 7);
    list.phone = PHONE;
    assert_found(c, list, 3);
    list.staff_id = STR("emp_1");
    assert_found(c, list, 1);
    list.type = CALL_MISSED;
    assert_found(c, list, 0);
    list = any;
    list.staff_id = STR("emp_1");
    assert_found(c, list, 5);
    list.since_ms = CONTRACT_START_MS + 1;
    assert_found(c, list, 4);
    list = any;
    list.contact_id = STR("contact_j");
    assert_found(c, list, 3);
    list.phone = STR("+911111111");
    assert_found(c, list, 0);
    list = any;
    list.contact_id = STR("contact_x");
    assert_found(c, list, 0);
    list = any;
    list.type = CALL_OUTGOING;
    assert_found(c, list, 4);
    list = any;
    list.file_status = FILE_COMPLETED;
    assert_found(c, list, 4);
    list = any;
    list.analysis_status = ANALYSIS_PENDING;
    assert_found(c, list, 5);
    list.file_status = FILE_PENDING;
    assert_found(c, list, 1);
    list = any;
    list.reviewed = 1;
    assert_found(c, list, 2);
    list.reviewed = 0;
    assert_found(c, list, 5);
    list = any;
    list.since_ms = CONTRACT_START_MS + HOUR_MS;
    list.until_ms = CONTRACT_START_MS + 2 * HOUR_MS;
    assert_found(c, list, 2);
}

static void a_text_is_searched_in_phone_name_external_id_and_number(void **state)
{
    static const struct {
        const char *q;
        unsigned wanted;
    } cases[] = {
            {"98765", 3},
            {"JOHN", 1},
            {"0%", 1},
            {"pbx_1", 1},
            {"pbx-1", 0},
            {"9_8", 0},
            {"3", 7}, /* call 3, and a digit of the others' phone */
            {"nobody", 0},
    };
    struct contract *c = *state;

    make_calls_to_find(c);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct call_list list = any_call();

        list.q = str_from(cases[i].q);
        assert_found(c, list, cases[i].wanted);
    }
}

static void pages_stay_stable_while_calls_arrive(void **state)
{
    struct contract *c = *state;
    struct call_list list = any_call();
    int64_t expected = 7;

    contract_make_org(c, "org_a");
    for (int i = 0; i < 7; i++)
        (void)contract_make_call(c, "org_a", "+919876543210");
    list.page.limit = 3;
    do {
        assert_int_equal(RUN(c, store_call_list, &list), ERR_NONE);
        for (size_t i = 0; i < list.count; i++)
            assert_int_equal(list.calls[i].call.id, expected--);
        (void)contract_make_call(c, "org_a", "+919876543210");
        list.page.cursor = list.page.next_cursor;
    } while (list.page.next_cursor.ptr != NULL);
    assert_int_equal(expected, 0);
    list.page.cursor = STR("nonsense");
    assert_int_equal(RUN(c, store_call_list, &list), ERR_INVALID);
    assert_string_equal(list.op.why.field, "cursor");
}

static void a_patch_changes_only_its_fields_and_emits_nothing(void **state)
{
    struct contract *c = *state;

    contract_make_org(c, "org_a");
    make_staff(c, "emp_1");
    int64_t id = contract_make_call(c, "org_a", "+919876543210");
    struct call_patch patch = {.org_id = STR("org_a"),
            .id = id,
            .fields = CALL_STAFF_ID,
            .reviewed = true,
            .staff_id = STR("emp_1")};
    assert_int_equal(RUN(c, store_call_patch, &patch), ERR_NONE);
    assert_false(patch.view.call.reviewed);
    assert_true(str_is(patch.view.staff.name, "Asha"));
    patch.fields = CALL_REVIEWED;
    patch.staff_id = STR_NONE;
    assert_int_equal(RUN(c, store_call_patch, &patch), ERR_NONE);
    assert_true(patch.view.call.reviewed);
    assert_true(patch.view.has_staff);
    patch.fields = CALL_STAFF_ID;
    assert_int_equal(RUN(c, store_call_patch, &patch), ERR_NONE);
    assert_false(patch.view.has_staff);
    patch.staff_id = STR("emp_9");
    assert_int_equal(RUN(c, store_call_patch, &patch), ERR_INVALID);
    assert_string_equal(patch.op.why.field, "staff_id");
    patch.org_id = STR("org_b");
    assert_int_equal(RUN(c, store_call_patch, &patch), ERR_NOT_FOUND);
    assert_int_equal(contract_count_events(c, "org_a", -1), 1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
            CONTRACT_TEST(a_call_comes_back_as_it_was_logged),
            CONTRACT_TEST(defaults_depend_on_the_type),
            CONTRACT_TEST(the_contact_is_found_by_the_phone),
            CONTRACT_TEST(staff_is_found_made_or_refused),
            CONTRACT_TEST(an_external_id_gives_the_first_call_again_in_its_org),
            CONTRACT_TEST(each_draft_of_a_batch_stands_on_its_own),
            CONTRACT_TEST(a_call_shows_its_events_and_deliveries_oldest_first),
            CONTRACT_TEST(every_filter_finds_its_calls_alone_and_with_others),
            CONTRACT_TEST(a_text_is_searched_in_phone_name_external_id_and_number),
            CONTRACT_TEST(pages_stay_stable_while_calls_arrive),
            CONTRACT_TEST(a_patch_changes_only_its_fields_and_emits_nothing),
    };

    return CONTRACT_MAIN(argc, argv, tests);
}
