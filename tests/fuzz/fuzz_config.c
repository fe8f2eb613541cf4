/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_config - lines with arguments, an empty line, lines with variables: settings that are read
 * keep their bounds, and a fault names what is wrong.
 */
#include "config.h"
#include "fuzz.h"

enum { LINES_MAX = 32 };

/* Lines until an empty one, as NUL-ended texts in the arena. */
static int read_lines(struct str *rest, struct arena *arena, char *ret_lines[LINES_MAX + 1])
{
    int count = 0;

    while (rest->len > 0 && count < LINES_MAX) {
        struct str line = str_split(rest, '\n');
        char *text = (char *)arena_alloc(arena, line.len + 1);

        if (line.len == 0)
            break;
        memcpy(text, line.ptr, line.len);
        ret_lines[count++] = text;
    }
    ret_lines[count] = NULL;
    return count;
}

static void check_config(const struct config *config)
{
    assert(config->listen.len > 0 && config->data.len > 0);
    assert(config->data.len <= CONFIG_PATH_MAX_BYTES);
    assert(strlen(config->data.ptr) == config->data.len);
    assert(config->database.path.len <= CONFIG_PATH_MAX_BYTES);
    assert(config->retention_days >= 1 && config->retention_days <= CONFIG_RETENTION_DAYS_MAX);
    assert(config->allow_targets.allowed_count <= ADDRESS_ALLOW_MAX);
    assert(config->log_format <= CONFIG_LOG_JSON);
    if (config->public_url.ptr != NULL)
        assert(!str_ends(config->public_url, STR("/")) &&
                str_starts(config->public_url, STR("http")));
    if (config->admin_token.ptr != NULL)
        assert(config_check_admin_token(config->admin_token, NULL) == ERR_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_done) struct arena arena = {0};
    CLEANUP(config_done) struct config config = {0};
    struct str rest = fuzz_text(data, size);
    char *arguments[LINES_MAX + 1];
    char *environment[LINES_MAX + 1];
    struct error why = {0};
    int count = read_lines(&rest, &arena, arguments);

    (void)read_lines(&rest, &arena, environment);
    enum err err = config_read(count, arguments, environment, &config, &why);

    if (err == ERR_NONE) {
        check_config(&config);
    } else {
        fuzz_check_why(err, &why);
        assert(config.listen.ptr == NULL && config.arena.newest == NULL);
    }
    return 0;
}
