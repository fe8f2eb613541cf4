/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json - reading over jansson, writing by hand.
 *
 * struct json is jansson's json_t under another name; it is never defined, only cast.
 */
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* jansson has a type where we have a function. */
#define json_type jansson_type
#include <jansson.h>
#undef json_type

enum {
    DEPTH_MAX = 32,
    MEMBER_MAX = 1024,
};

/* Where in the text: for people, counted from 1, in characters. */
static enum err fault_at(struct str text, size_t at, struct error *why, const char *reason)
{
    unsigned line = 1;
    unsigned column = 1;

    for (size_t i = 0; i < at; i++) {
        bool continued = ((unsigned char)text.ptr[i] & 0xC0) == 0x80;

        if (text.ptr[i] == '\n') {
            line++;
            column = 1;
        } else if (!continued) {
            column++;
        }
    }
    return error_set(why, ERR_INVALID, "line %u, column %u: %s", line, column, reason);
}

/* The offset of the quote that ends a string, or of the end of the text. */
static size_t skip_string(struct str text, size_t at)
{
    while (at < text.len && text.ptr[at] != '"')
        at += text.ptr[at] == '\\' ? 2 : 1;
    return at;
}

/*
 * Refuses what would cost more to parse than to refuse: deep nesting (recursion and one allocation
 * a byte) and objects so wide that walking them with json_member_at() would take quadratic time.
 * Looks only at strings, brackets and commas; nearly all else that is not JSON is left to the
 * parser.
 */
static enum err check_shape(struct str text, struct error *why)
{
    struct {
        bool is_object;
        unsigned comma_count;
    } levels[DEPTH_MAX + 1] = {0};
    size_t depth = 0;

    for (size_t i = 0; i < text.len; i++) {
        switch (text.ptr[i]) {
        case '"': i = skip_string(text, i + 1); break;
        case '\0':
            return fault_at(text, i, why, "a NUL byte"); /* jansson skips one behind a number */
        case '{':
        case '[':
            if (depth == DEPTH_MAX)
                return fault_at(text, i, why, "nested deeper than 32 levels");
            depth++;
            levels[depth].is_object = text.ptr[i] == '{';
            levels[depth].comma_count = 0;
            break;
        case '}':
        case ']': depth -= depth > 0 ? 1 : 0; break;
        case ',':
            levels[depth].comma_count++;
            if (levels[depth].is_object && levels[depth].comma_count >= MEMBER_MAX)
                return fault_at(text, i, why, "an object with more than 1024 members");
            break;
        default: break;
        }
    }
    return ERR_NONE;
}

enum err json_parse(struct str text, struct json **ret_json, struct error *why)
{
    struct str source = text.ptr != NULL ? text : STR("");
    json_error_t fault;
    json_t *root;
    enum err err = check_shape(source, why);

    if (err != ERR_NONE)
        return err;
    root = json_loadb(source.ptr, source.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &fault);
    if (root == NULL) {
        bool is_nul = json_error_code(&fault) == json_error_null_character;

        return error_set(why,
                ERR_INVALID,
                "line %d, column %d: %s",
                fault.line,
                fault.column,
                is_nul ? "\\u0000 is not allowed" : fault.text);
    }
    *ret_json = (struct json *)root;
    return ERR_NONE;
}

void json_free(struct json *json)
{
    json_decref((json_t *)json);
}

static const json_t *inside(const struct json *json)
{
    return (const json_t *)json;
}

static const struct json *outside(const json_t *value)
{
    return (const struct json *)value;
}

/* jansson's iterator wants an object it could change, but only reads it. */
static json_t *iterable(const struct json *json)
{
    return (json_t *)(uintptr_t)json;
}

enum json_type json_type(const struct json *json)
{
    switch (json_typeof(inside(json))) {
    case JSON_OBJECT: return JSON_OBJECT_TYPE;
    case JSON_ARRAY: return JSON_ARRAY_TYPE;
    case JSON_STRING: return JSON_STRING_TYPE;
    case JSON_INTEGER: return JSON_INTEGER_TYPE;
    case JSON_REAL: return JSON_REAL_TYPE;
    case JSON_TRUE:
    case JSON_FALSE: return JSON_BOOL_TYPE;
    case JSON_NULL: return JSON_NULL_TYPE;
    }
    return JSON_NULL_TYPE;
}

const char *json_type_name(const struct json *json)
{
    switch (json_type(json)) {
    case JSON_NULL_TYPE: return "null";
    case JSON_BOOL_TYPE: return "boolean";
    case JSON_INTEGER_TYPE:
    case JSON_REAL_TYPE: return "number";
    case JSON_STRING_TYPE: return "string";
    case JSON_ARRAY_TYPE: return "array";
    case JSON_OBJECT_TYPE: return "object";
    }
    return "null";
}

const struct json *json_member(const struct json *json, const char *name)
{
    return outside(json_object_get(inside(json), name));
}

static struct str member_name(void *iter)
{
    return (struct str){json_object_iter_key(iter), json_object_iter_key_len(iter)};
}

bool json_member_at(const struct json *json,
        size_t i,
        struct str *ret_name,
        const struct json **ret_value)
{
    void *iter = json_object_iter(iterable(json));

    for (; iter != NULL && i > 0; i--)
        iter = json_object_iter_next(iterable(json), iter);
    if (iter == NULL)
        return false;
    *ret_name = member_name(iter);
    *ret_value = outside(json_object_iter_value(iter));
    return true;
}

size_t json_count(const struct json *json)
{
    return json_object_size(inside(json)) + json_array_size(inside(json));
}

const struct json *json_item(const struct json *json, size_t i)
{
    return outside(json_array_get(inside(json), i));
}

struct str json_str(const struct json *json)
{
    return (struct str){json_string_value(inside(json)), json_string_length(inside(json))};
}

bool json_bool(const struct json *json)
{
    return json_is_true(inside(json));
}

int64_t json_i64(const struct json *json)
{
    return json_integer_value(inside(json));
}

double json_number(const struct json *json)
{
    return json_number_value(inside(json));
}

/* The escape for a byte that may not stand in a string as it is, "" for one that may. */
static void add_escape(struct buf *buf, char c)
{
    static const char short_forms[] = "\"\"\\\\\bb\ff\nn\rr\tt";

    for (const char *form = short_forms; *form != '\0'; form += 2) {
        if (form[0] == c) {
            buf_add_char(buf, '\\');
            buf_add_char(buf, form[1]);
            return;
        }
    }
    buf_addf(buf, "\\u%04x", (unsigned)(unsigned char)c);
}

static bool is_plain(char c)
{
    return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

void json_add_string(struct buf *buf, struct str s)
{
    size_t done = 0;

    if (s.ptr == NULL) {
        buf_add_text(buf, "null");
        return;
    }
    buf_add_char(buf, '"');
    for (size_t at = 0; at < s.len;) {
        size_t len = is_plain(s.ptr[at]) ? 1 : str_utf8_len(s, at);

        if (is_plain(s.ptr[at]) || len > 1) {
            at += len;
            continue;
        }
        buf_add_str(buf, str_slice(s, done, at - done));
        if (len == 1)
            add_escape(buf, s.ptr[at]);
        else
            buf_add_text(buf, "\xEF\xBF\xBD"); /* U+FFFD for a byte that is no UTF-8 */
        at++;
        done = at;
    }
    buf_add_str(buf, str_slice(s, done, s.len));
    buf_add_char(buf, '"');
}

/* A finite number above 0, as 0.DIGITS times 10 to the power of point. */
struct decimal {
    char digits[18];
    int count;
    int point;
};

static struct decimal round_to(double number, int count)
{
    struct decimal decimal = {.count = count};
    char text[32]; /* d.ddde-308, or de-308 */

    (void)snprintf(text, sizeof(text), "%.*e", count - 1, number);
    decimal.digits[0] = text[0];
    memcpy(decimal.digits + 1, text + 2, (size_t)count - 1);
    decimal.point = (int)strtol(strchr(text, 'e') + 1, NULL, 10) + 1;
    return decimal;
}

/* The next larger decimal of as many digits. */
static void step_up(struct decimal *decimal)
{
    int i = decimal->count - 1;

    while (i >= 0 && decimal->digits[i] == '9')
        decimal->digits[i--] = '0';
    if (i >= 0) {
        decimal->digits[i]++;
    } else {
        decimal->digits[0] = '1';
        decimal->point++;
    }
}

static bool reads_back_as(const struct decimal *decimal, double number)
{
    char text[32];

    (void)snprintf(
            text, sizeof(text), "0.%.*se%d", decimal->count, decimal->digits, decimal->point);
    return strtod(text, NULL) == number;
}

/*
 * The fewest digits that read back as the same number, and of these the nearest. A number that was
 * written with up to 15 digits comes back from 15 as it was, with zeros behind, so the search need
 * not start below; but not where doubles have less precision. Below a power of two the doubles are
 * twice as dense as above, so that the nearest decimal can miss while the next one up does not.
 */
static struct decimal shortest_decimal(double number)
{
    int count = fpclassify(number) == FP_SUBNORMAL ? 1 : 15;
    struct decimal decimal = round_to(number, count);
    int exponent;
    bool is_power_of_two = frexp(number, &exponent) == 0.5;

    while (!reads_back_as(&decimal, number)) {
        if (is_power_of_two) {
            step_up(&decimal);
            if (reads_back_as(&decimal, number))
                break;
        }
        count++;
        decimal = round_to(number, count);
    }
    while (decimal.count > 1 && decimal.digits[decimal.count - 1] == '0')
        decimal.count--;
    return decimal;
}

static void add_zeros(struct buf *buf, int count)
{
    for (int i = 0; i < count; i++)
        buf_add_char(buf, '0');
}

/* ECMAScript, Number::toString, steps 6 to 12: point is its n, count its k. */
static void add_decimal(struct buf *buf, const struct decimal *d)
{
    bool is_plain_number = d->point > -6 && d->point <= 21;
    int before = is_plain_number ? d->point : 1; /* digits before the point */

    if (before <= 0) {
        buf_add_text(buf, "0.");
        add_zeros(buf, -before);
        before = 0;
    }
    if (before >= d->count) {
        buf_add(buf, d->digits, (size_t)d->count);
        add_zeros(buf, before - d->count);
    } else {
        buf_add(buf, d->digits, (size_t)before);
        if (d->point > 0 || !is_plain_number)
            buf_add_char(buf, '.');
        buf_add(buf, d->digits + before, (size_t)(d->count - before));
    }
    if (!is_plain_number)
        buf_addf(buf, "e%+d", d->point - 1);
}

void json_add_number(struct buf *buf, double number)
{
    struct decimal decimal;

    if (!isfinite(number)) {
        buf_add_text(buf, "null");
        return;
    }
    if (fabs(number) < 1e15 && trunc(number) == number) {
        buf_add_i64(buf, (int64_t)number);
        return;
    }
    if (number < 0)
        buf_add_char(buf, '-');
    decimal = shortest_decimal(fabs(number));
    add_decimal(buf, &decimal);
}

void json_add_bool(struct buf *buf, bool value)
{
    buf_add_text(buf, value ? "true" : "false");
}

static void add_object(struct buf *buf, const struct json *json)
{
    void *first = json_object_iter(iterable(json));

    buf_add_char(buf, '{');
    for (void *iter = first; iter != NULL; iter = json_object_iter_next(iterable(json), iter)) {
        if (iter != first)
            buf_add_char(buf, ',');
        json_add_string(buf, member_name(iter));
        buf_add_char(buf, ':');
        json_add_value(buf, outside(json_object_iter_value(iter)));
    }
    buf_add_char(buf, '}');
}

static void add_array(struct buf *buf, const struct json *json)
{
    buf_add_char(buf, '[');
    for (size_t i = 0; i < json_count(json); i++) {
        if (i > 0)
            buf_add_char(buf, ',');
        json_add_value(buf, json_item(json, i));
    }
    buf_add_char(buf, ']');
}

void json_add_value(struct buf *buf, const struct json *json)
{
    switch (json_type(json)) {
    case JSON_NULL_TYPE: buf_add_text(buf, "null"); break;
    case JSON_BOOL_TYPE: json_add_bool(buf, json_bool(json)); break;
    case JSON_INTEGER_TYPE: buf_add_i64(buf, json_i64(json)); break;
    case JSON_REAL_TYPE: json_add_number(buf, json_number(json)); break;
    case JSON_STRING_TYPE: json_add_string(buf, json_str(json)); break;
    case JSON_ARRAY_TYPE: add_array(buf, json); break;
    case JSON_OBJECT_TYPE: add_object(buf, json); break;
    }
}
