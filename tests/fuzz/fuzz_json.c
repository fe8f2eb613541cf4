/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_json - any text: what is read is written as JSON that reads back as the same text. */
#include <math.h>

#include "base/json.h"
#include "fuzz.h"

/* A whole number of 2^63 and above is written with all its digits, as JavaScript does, and refused
 * when it is read, because it does not fit 64 bits. */
static bool is_too_wide(const struct json *json)
{
    bool is_wide = json_type(json) == JSON_REAL_TYPE && fabs(json_number(json)) >= 0x1p63;

    for (size_t i = 0; !is_wide && i < json_count(json); i++) {
        const struct json *child = json_item(json, i);
        struct str name;

        if (child == NULL)
            assert(json_member_at(json, i, &name, &child));
        is_wide = is_too_wide(child);
    }
    return is_wide;
}

static void check_members(const struct json *json)
{
    for (size_t i = 0; i < json_count(json); i++) {
        const struct json *child = json_item(json, i);
        struct str name = STR_NONE;

        if (json_type(json) == JSON_OBJECT_TYPE) {
            bool found = json_member_at(json, i, &name, &child);

            assert(found && str_is_utf8(name) && strlen(name.ptr) == name.len);
            assert(json_member(json, name.ptr) == child);
        }
        assert(child != NULL);
        check_members(child);
    }
    assert(json_item(json, json_count(json)) == NULL);
}

static void check_round_trip(const struct json *json)
{
    CLEANUP(buf_done) struct buf first = {0};
    CLEANUP(buf_done) struct buf second = {0};
    CLEANUP_PTR(json_free) struct json *again = NULL;

    json_add_value(&first, json);
    assert(buf_err(&first) == ERR_NONE && str_is_utf8(buf_str(&first)));
    assert(str_find_char(buf_str(&first), '\n', 0) < 0);
    if (is_too_wide(json))
        return;
    enum err err = json_parse(buf_str(&first), &again, NULL);

    assert(err == ERR_NONE);
    json_add_value(&second, again);
    assert(str_equal(buf_str(&first), buf_str(&second)));
}

/* Any bytes as a string: what comes back is the same if it was UTF-8, and UTF-8 in any case. */
static void check_string(struct str text)
{
    CLEANUP(buf_done) struct buf quoted = {0};
    CLEANUP_PTR(json_free) struct json *json = NULL;

    json_add_string(&quoted, text);
    enum err err = json_parse(buf_str(&quoted), &json, NULL);

    if (str_find_char(text, '\0', 0) >= 0) {
        assert(err == ERR_INVALID);
        return;
    }
    assert(err == ERR_NONE && json_type(json) == JSON_STRING_TYPE);
    assert(str_is_utf8(json_str(json)));
    assert(str_equal(json_str(json), text) == str_is_utf8(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = fuzz_text(data, size);
    CLEANUP_PTR(json_free) struct json *json = NULL;
    struct error why = {0};
    enum err err = json_parse(text, &json, &why);

    check_string(text);
    if (err != ERR_NONE) {
        assert(err == ERR_INVALID && json == NULL);
        fuzz_check_why(err, &why);
        return 0;
    }
    check_members(json);
    check_round_trip(json);
    return 0;
}
