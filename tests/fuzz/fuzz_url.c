/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_url - any text as a URL: what is read is in normal form, so that it reads back as itself. */
#include "fuzz.h"
#include "net/url.h"

enum { URL_MAX_BYTES = 2048 };

static void check_url(const struct url *url)
{
    assert(url->port >= 1 && url->port <= 65535);
    assert(url->host.len > 0 && url->path.len > 0 && url->path.ptr[0] == '/');
    assert(strlen(url->whole.ptr) == url->whole.len);
    assert(str_starts(url->whole, url->https ? STR("https://") : STR("http://")));
    assert(!(url->host_is_v4 && url->host_is_v6));
    for (size_t i = 0; i < url->whole.len; i++)
        assert(url->whole.ptr[i] > ' ' && url->whole.ptr[i] < 0x7F);
    for (size_t i = 0; i < url->host.len; i++)
        assert(strchr("@/?#%\\[] ", url->host.ptr[i]) == NULL);
    assert(str_find_char(url->whole, '#', 0) < 0);
}

static void check_again(const struct url *url, struct arena *arena)
{
    struct url again = {0};
    enum err err = url_parse(arena, url->whole, 4 * URL_MAX_BYTES, &again, NULL);

    assert(err == ERR_NONE && url_same_origin(url, &again));
    assert(str_equal(url->whole, again.whole) && str_equal(url->path, again.path));
    assert(url->host_is_v4 == again.host_is_v4 && url->host_is_v6 == again.host_is_v6);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_done) struct arena arena = {0};
    struct str text = fuzz_text(data, size);
    struct url url = {.port = 77};
    struct error why = {0};
    enum err err = url_parse(&arena, text, URL_MAX_BYTES, &url, &why);

    if (err != ERR_NONE) {
        assert(err == ERR_INVALID && url.port == 77 && url.whole.ptr == NULL);
        fuzz_check_why(err, &why);
        return 0;
    }
    assert(text.len <= URL_MAX_BYTES);
    check_url(&url);
    check_again(&url, &arena);
    return 0;
}
