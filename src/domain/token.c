/* SPDX-License-Identifier: Apache-2.0 */
/* token - making and hashing API tokens, and the words of their scopes. */
#include "domain/token.h"

#include <openssl/crypto.h>

#include "base/cleanup.h"
#include "base/rand.h"

enum { TOKEN_SECRET_BYTES = 32 };

static const struct {
    unsigned bit;
    const char *word;
} SCOPES[] = {{SCOPE_INGEST, "ingest"}, {SCOPE_MANAGE, "manage"}, {SCOPE_READ, "read"}};

enum { SCOPE_COUNT = sizeof(SCOPES) / sizeof(SCOPES[0]) };

struct str token_secret_new(struct arena *arena)
{
    uint8_t bytes[TOKEN_SECRET_BYTES];
    CLEANUP(buf_done) struct buf text = {0};

    rand_secret(bytes, sizeof(bytes));
    buf_add_text(&text, "cs_");
    codec_add_base64url(&text, (struct str){(const char *)bytes, sizeof(bytes)});
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return arena_str(arena, buf_str(&text));
}

void token_hash(struct str secret, uint8_t ret_hash[SHA256_BYTES])
{
    codec_sha256(secret, ret_hash);
}

bool scope_parse(struct str word, unsigned *ret_bit)
{
    for (size_t i = 0; i < SCOPE_COUNT; i++) {
        if (str_is(word, SCOPES[i].word)) {
            *ret_bit = SCOPES[i].bit;
            return true;
        }
    }
    return false;
}

void scope_write_json(struct buf *buf, unsigned scopes)
{
    const char *before = "\"";

    buf_add_char(buf, '[');
    for (size_t i = 0; i < SCOPE_COUNT; i++) {
        if ((scopes & SCOPES[i].bit) == 0)
            continue;
        buf_add_text(buf, before);
        buf_add_text(buf, SCOPES[i].word);
        buf_add_char(buf, '"');
        before = ",\"";
    }
    buf_add_char(buf, ']');
}
