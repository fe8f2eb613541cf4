/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signature - signing bodies, and finding out why a signature does not fit.
 *
 * The search: what was given is decoded once to the 32 bytes that it stands for, whatever its form;
 * then each body that may have been signed is tried with each key that may have been used.
 */
#include "domain/signature.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "domain/secret.h"

void signature_hex(struct str secret, struct str body, char ret_hex[SHA256_HEX_SIZE])
{
    uint8_t digest[SHA256_BYTES];
    CLEANUP(buf_done) struct buf hex = {0};

    codec_hmac_sha256(secret, body, digest);
    codec_add_hex(&hex, codec_digest_str(digest));
    memcpy(ret_hex, hex.ptr, SHA256_HEX_SIZE - 1);
    ret_hex[SHA256_HEX_SIZE - 1] = '\0';
}

void signature_add_standard(struct buf *buf,
        struct str standard_key,
        struct str id,
        int64_t at_seconds,
        struct str body)
{
    uint8_t digest[SHA256_BYTES];
    CLEANUP(buf_done) struct buf moment = {0};

    buf_add_char(&moment, '.');
    buf_add_i64(&moment, at_seconds);
    buf_add_char(&moment, '.');

    const struct str parts[] = {id, buf_str(&moment), body};
    codec_hmac_sha256_parts(standard_key, parts, sizeof(parts) / sizeof(parts[0]), digest);
    buf_add_text(buf, "v1,");
    codec_add_base64(buf, codec_digest_str(digest));
}

/* The digest that 64 hex digits stand for. False for anything else. */
static bool read_hex_digest(struct str text, uint8_t ret_digest[SHA256_BYTES])
{
    CLEANUP(buf_done) struct buf bytes = {0};

    if (text.len != SHA256_HEX_SIZE - 1 || codec_read_hex(text, &bytes) != ERR_NONE)
        return false;
    memcpy(ret_digest, bytes.ptr, SHA256_BYTES);
    return true;
}

bool signature_hex_matches(struct str secret, struct str body, struct str signature)
{
    uint8_t wanted[SHA256_BYTES];
    uint8_t given[SHA256_BYTES];

    if (!read_hex_digest(signature, given))
        return false;
    codec_hmac_sha256(secret, body, wanted);
    return str_equal_secret(codec_digest_str(wanted), codec_digest_str(given));
}

/* A key that may have been used; SIGNATURE_FITS marks the right one. */
struct key_guess {
    enum signature_mistake mistake;
    struct str key; /* in the search's buffers */
};

enum { KEY_GUESSES_MAX = 8, WHITE_SPACE_ENDS = 3 };

struct search {
    uint8_t digest[SHA256_BYTES]; /* what was given */
    struct key_guess keys[KEY_GUESSES_MAX];
    size_t key_count;
    struct buf decoded;                  /* of the whsec_ secret */
    struct buf spaced[WHITE_SPACE_ENDS]; /* the secret and white space */
};

static void search_done(struct search *search)
{
    buf_done(&search->decoded);
    for (size_t i = 0; i < WHITE_SPACE_ENDS; i++)
        buf_done(&search->spaced[i]);
}

static bool is_white(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* str_trim() leaves line ends, which are what pasted and stored texts end with. */
static struct str trim_white(struct str s)
{
    while (s.len > 0 && is_white(s.ptr[0]))
        s = str_slice(s, 1, s.len - 1);
    while (s.len > 0 && is_white(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

static void add_key(struct search *search, enum signature_mistake mistake, struct str key)
{
    search->keys[search->key_count++] = (struct key_guess){mistake, key};
}

static void guess_keys(struct search *search, struct str secret)
{
    static const char *const ends[WHITE_SPACE_ENDS] = {"\n", "\r\n", " "};
    const struct str prefix = STR("whsec_");
    struct str trimmed = trim_white(secret);

    add_key(search, SIGNATURE_FITS, secret);
    if (trimmed.len != secret.len)
        add_key(search, SIGNATURE_SECRET_SPACE, trimmed);
    if (str_starts(trimmed, prefix)) {
        secret_standard_key(trimmed, &search->decoded);
        add_key(search, SIGNATURE_SECRET_DECODED, buf_str(&search->decoded));
        add_key(search,
                SIGNATURE_SECRET_NO_PREFIX,
                str_slice(trimmed, prefix.len, trimmed.len - prefix.len));
    }
    for (size_t i = 0; i < WHITE_SPACE_ENDS; i++) {
        buf_add_str(&search->spaced[i], trimmed);
        buf_add_text(&search->spaced[i], ends[i]);
        add_key(search, SIGNATURE_SECRET_SPACE, buf_str(&search->spaced[i]));
    }
}

/* True when one of the keys gives the digest for this body; says which. */
static bool try_body(const struct search *search, struct str body, enum signature_mistake *ret_key)
{
    for (size_t i = 0; i < search->key_count; i++) {
        uint8_t digest[SHA256_BYTES];

        codec_hmac_sha256(search->keys[i].key, body, digest);
        if (str_equal_secret(codec_digest_str(digest), codec_digest_str(search->digest))) {
            *ret_key = search->keys[i].mistake;
            return true;
        }
    }
    return false;
}

/* True when the body, changed so, fits with any of the keys. What could not be written whole is no
 * body. */
static bool try_changed(const struct search *search, const struct buf *body)
{
    enum signature_mistake key_mistake;

    return buf_err(body) == ERR_NONE && try_body(search, buf_str(body), &key_mistake);
}

static bool try_with_end(const struct search *search, struct str body, const char *end)
{
    CLEANUP(buf_done) struct buf changed = {0};

    buf_add_str(&changed, body);
    buf_add_text(&changed, end);
    return try_changed(search, &changed);
}

/* The body without the line end that it ends with; the whole body when it has none. */
static struct str without_newline(struct str body)
{
    if (!str_ends(body, STR("\n")))
        return body;
    return str_slice(body, 0, body.len - (str_ends(body, STR("\r\n")) ? 2 : 1));
}

/* Writes the body with "\n" (or "\r\n") wherever either stands. */
static void add_with_line_ends(struct buf *buf, struct str body, const char *line_end)
{
    size_t from = 0;
    ptrdiff_t at;

    while ((at = str_find_char(body, '\n', from)) >= 0) {
        size_t end = (size_t)at;

        if (end > from && body.ptr[end - 1] == '\r')
            end--;
        buf_add_str(buf, str_slice(body, from, end - from));
        buf_add_text(buf, line_end);
        from = (size_t)at + 1;
    }
    buf_add_str(buf, str_slice(body, from, body.len - from));
}

static bool try_line_ends(const struct search *search, struct str body)
{
    static const char *const line_ends[] = {"\n", "\r\n"};

    for (size_t i = 0; i < sizeof(line_ends) / sizeof(line_ends[0]); i++) {
        CLEANUP(buf_done) struct buf changed = {0};

        add_with_line_ends(&changed, body, line_ends[i]);
        if (try_changed(search, &changed))
            return true;
    }
    return false;
}

/* How a JSON library writes. */
struct json_style {
    const char *after_comma; /* when indent is 0 */
    const char *after_colon;
    unsigned indent;    /* spaces a level; 0: all on one line */
    bool ascii;         /* U+0080 and above as \uXXXX */
    bool slash_escaped; /* "/" as "\/" */
};

static void add_line(struct buf *buf, unsigned spaces)
{
    buf_add_char(buf, '\n');
    for (unsigned i = 0; i < spaces; i++)
        buf_add_char(buf, ' ');
}

/* Appends one UTF-8 character of at least two bytes as \uXXXX; returns its length. The text is
 * known to be well-formed. */
static size_t add_escaped(struct buf *buf, const char *at)
{
    const unsigned char *p = (const unsigned char *)at;
    size_t len = p[0] >= 0xF0 ? 4 : p[0] >= 0xE0 ? 3 : 2;
    unsigned code = p[0] & (0xFFU >> (len + 1));

    for (size_t i = 1; i < len; i++)
        code = code << 6 | (p[i] & 0x3FU);
    if (code >= 0x10000)
        buf_addf(buf,
                "\\u%04x\\u%04x",
                0xD800 + ((code - 0x10000) >> 10),
                0xDC00 + ((code - 0x10000) & 0x3FF));
    else
        buf_addf(buf, "\\u%04x", code);
    return len;
}

/* Appends the string that begins at text.ptr[i], both quotes included; returns the offset
 * behind. */
static size_t
add_styled_string(struct buf *buf, struct str text, size_t i, const struct json_style *style)
{
    buf_add_char(buf, text.ptr[i++]);
    while (text.ptr[i] != '"') {
        if (text.ptr[i] == '\\') {
            buf_add(buf, text.ptr + i, 2);
            i += 2;
        } else if (text.ptr[i] == '/' && style->slash_escaped) {
            buf_add_text(buf, "\\/");
            i++;
        } else if ((unsigned char)text.ptr[i] >= 0x80 && style->ascii) {
            i += add_escaped(buf, text.ptr + i);
        } else {
            buf_add_char(buf, text.ptr[i++]);
        }
    }
    buf_add_char(buf, text.ptr[i++]);
    return i;
}

/* Rewrites compact JSON (as json_add_value() gives it) in another style. */
static void add_styled(struct buf *buf, struct str compact, const struct json_style *style)
{
    unsigned depth = 0;

    for (size_t i = 0; i < compact.len;) {
        char c = compact.ptr[i];

        if (c == '"') {
            i = add_styled_string(buf, compact, i, style);
            continue;
        }
        bool is_opening = c == '{' || c == '[';
        bool is_closing = c == '}' || c == ']';
        bool is_empty = (is_opening && (compact.ptr[i + 1] == '}' || compact.ptr[i + 1] == ']')) ||
                        (is_closing && (compact.ptr[i - 1] == '{' || compact.ptr[i - 1] == '['));

        depth -= is_closing ? 1 : 0;
        if (is_closing && !is_empty && style->indent > 0)
            add_line(buf, depth * style->indent);
        buf_add_char(buf, c);
        depth += is_opening ? 1 : 0;
        if (c == ':')
            buf_add_text(buf, style->after_colon);
        else if (style->indent > 0 && (c == ',' || (is_opening && !is_empty)))
            add_line(buf, depth * style->indent);
        else if (c == ',')
            buf_add_text(buf, style->after_comma);
        i++;
    }
}

static bool try_reserialized(const struct search *search, struct str body)
{
    /* JSON.stringify; Python's json.dumps; the same, or PHP's JSON_PRETTY_PRINT, indented. */
    static const struct json_style layouts[] = {
            {"", "", 0, false, false},
            {" ", " ", 0, false, false},
            {"", " ", 2, false, false},
            {"", " ", 4, false, false},
    };
    CLEANUP_PTR(json_free) struct json *json = NULL;
    CLEANUP(buf_done) struct buf compact = {0};

    if (json_parse(body, &json, NULL) != ERR_NONE)
        return false;
    json_add_value(&compact, json);
    if (buf_err(&compact) != ERR_NONE)
        return false;
    for (size_t i = 0; i < 4 * sizeof(layouts) / sizeof(layouts[0]); i++) {
        CLEANUP(buf_done) struct buf styled = {0};
        struct json_style style = layouts[i / 4];

        style.ascii = (i & 1) != 0;
        style.slash_escaped = (i & 2) != 0;
        add_styled(&styled, buf_str(&compact), &style);
        if (try_changed(search, &styled))
            return true;
    }
    return false;
}

static enum signature_mistake try_bodies(const struct search *search, struct str body)
{
    enum signature_mistake key_mistake;
    struct str shorter = without_newline(body);

    if (try_body(search, body, &key_mistake))
        return key_mistake;
    if (shorter.len < body.len && try_body(search, shorter, &key_mistake))
        return SIGNATURE_TRAILING_NEWLINE;
    if (try_with_end(search, body, "\n") || try_with_end(search, body, "\r\n"))
        return SIGNATURE_MISSING_NEWLINE;
    if (try_line_ends(search, body))
        return SIGNATURE_CRLF;
    if (try_reserialized(search, body))
        return SIGNATURE_RESERIALIZED;
    return SIGNATURE_NO_MATCH;
}

/* The digest that base64 stands for, in either alphabet, padded or not. */
static bool read_base64_digest(struct str text, uint8_t ret_digest[SHA256_BYTES])
{
    CLEANUP(buf_done) struct buf bytes = {0};
    char copy[] = "0123456789012345678901234567890123456789012="; /* 32 bytes give 43 and "=" */

    if (text.len == sizeof(copy) - 1 && text.ptr[text.len - 1] == '=')
        text.len--;
    if (text.len != sizeof(copy) - 2)
        return false;
    for (size_t i = 0; i < text.len; i++)
        copy[i] = text.ptr[i] == '-' ? '+' : text.ptr[i] == '_' ? '/' : text.ptr[i];
    if (codec_read_base64((struct str){copy, sizeof(copy) - 1}, &bytes) != ERR_NONE ||
            bytes.len != SHA256_BYTES)
        return false;
    memcpy(ret_digest, bytes.ptr, SHA256_BYTES);
    return true;
}

/* Without "sha256=", "v1," and the like, and white space. */
static struct str strip_prefix(struct str text)
{
    static const char *const prefixes[] = {
            "sha256=", "sha256:", "hmac-sha256=", "v1,", "v1=", "v0="};

    text = trim_white(text);
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        struct str prefix = str_from(prefixes[i]);

        if (str_equal_nocase(str_slice(text, 0, prefix.len), prefix))
            return trim_white(str_slice(text, prefix.len, text.len - prefix.len));
    }
    return text;
}

/* Reads the digest in any of the usual forms; *ret_mistake says what is wrong with the form. */
static bool read_digest(struct str signature,
        uint8_t ret_digest[SHA256_BYTES],
        enum signature_mistake *ret_mistake)
{
    struct str bare = strip_prefix(signature);

    *ret_mistake = SIGNATURE_FITS;
    if (read_hex_digest(signature, ret_digest))
        return true;
    *ret_mistake = bare.len == signature.len ? SIGNATURE_BASE64 : SIGNATURE_PREFIXED;
    return read_hex_digest(bare, ret_digest) || read_base64_digest(bare, ret_digest);
}

enum signature_mistake signature_explain(struct str secret, struct str body, struct str signature)
{
    CLEANUP(search_done) struct search search = {0};
    enum signature_mistake form_mistake;

    if (!read_digest(signature, search.digest, &form_mistake))
        return SIGNATURE_NO_MATCH;
    guess_keys(&search, secret);

    enum signature_mistake mistake = try_bodies(&search, body);
    return mistake == SIGNATURE_FITS ? form_mistake : mistake;
}

const char *signature_mistake_text(enum signature_mistake mistake)
{
    switch (mistake) {
    case SIGNATURE_FITS: return "The signature fits.";
    case SIGNATURE_TRAILING_NEWLINE:
        return "The body has a newline at its end that was not signed; verify the body exactly as "
               "it came, without adding one.";
    case SIGNATURE_MISSING_NEWLINE:
        return "The body lacks a newline at its end that was signed; verify the body exactly as it "
               "came, without trimming it.";
    case SIGNATURE_CRLF:
        return "The line ends of the body were changed (LF and CRLF); read the body as bytes, not "
               "as text.";
    case SIGNATURE_RESERIALIZED:
        return "The JSON was parsed and written again, which changed its bytes; verify the raw "
               "body before parsing it.";
    case SIGNATURE_SECRET_DECODED:
        return "The key was the decoded base64 part of the secret; for X-CallSync-Signature use "
               "the secret's whole text, whsec_ included, as the key.";
    case SIGNATURE_SECRET_NO_PREFIX:
        return "The key was the secret without whsec_; use the secret's whole text as the key.";
    case SIGNATURE_SECRET_SPACE:
        return "White space or a line end stands around the secret on one of the two sides; trim "
               "the secret where it is read.";
    case SIGNATURE_BASE64:
        return "The signature is base64; X-CallSync-Signature is the HMAC in 64 lower-case hex "
               "digits.";
    case SIGNATURE_PREFIXED:
        return "A prefix such as sha256= or v1, or white space stands around the signature; "
               "X-CallSync-Signature is 64 hex digits and nothing else.";
    case SIGNATURE_NO_MATCH: break;
    }
    return "None of the usual mistakes explains it: check that the secret is this endpoint's, and "
           "that the body is of the same request as the signature.";
}
