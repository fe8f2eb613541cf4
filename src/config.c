/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config - reads each setting of the table: its text from flag, variable or default, then the value.
 *
 * read_<member>() says what is wrong with a text; config_read() adds which setting, and its bounds.
 */
#include "config.h"

#include <string.h>

#include "base/cleanup.h"
#include "flags.h"
#include "net/http_server.h"
#include "net/url.h"

enum { DAY_MIN = 1 };

static struct str keep(struct config *config, struct str text)
{
    return arena_str(&config->arena, text);
}

static enum err read_listen(struct config *config, struct str text, struct error *why)
{
    enum err err = http_server_check_listen(text, why);

    if (err == ERR_NONE)
        config->listen = keep(config, text);
    return err;
}

static enum err check_path(struct str path, struct error *why)
{
    if (path.len == 0)
        return error_set(why, ERR_INVALID, "the path is empty");
    if (path.len > CONFIG_PATH_MAX_BYTES)
        return error_set(why, ERR_INVALID, "the path has %zu bytes", path.len);
    return ERR_NONE;
}

static enum err read_data(struct config *config, struct str text, struct error *why)
{
    enum err err = check_path(text, why);

    if (err == ERR_NONE)
        config->data = keep(config, text);
    return err;
}

static enum err read_database(struct config *config, struct str text, struct error *why)
{
    const struct str scheme = STR("sqlite:");

    /* What stands behind the scheme may be a password, and is not told. */
    if (str_starts(text, STR("postgresql:")) || str_starts(text, STR("postgres:")))
        return error_set(why, ERR_INVALID, "this build has no PostgreSQL");
    if (!str_starts(text, scheme))
        return error_set(why, ERR_INVALID, "no such kind of database");
    if (text.len == scheme.len)
        return ERR_NONE;

    struct str path = str_slice(text, scheme.len, text.len);
    enum err err = check_path(path, why);

    if (err == ERR_NONE)
        config->database.path = keep(config, path);
    return err;
}

static enum err read_public_url(struct config *config, struct str text, struct error *why)
{
    struct url url = {0};
    enum err err = url_parse(&config->arena, text, CONFIG_URL_MAX_BYTES, &url, why);

    if (err != ERR_NONE)
        return err;
    if (!str_is(url.path, "/"))
        return error_set(why, ERR_INVALID, "the URL has a path or a query");
    config->public_url = keep(config, str_slice(url.whole, 0, url.whole.len - 1));
    return ERR_NONE;
}

enum err config_check_admin_token(struct str token, struct error *why)
{
    if (token.len < CONFIG_ADMIN_TOKEN_MIN_BYTES || token.len > CONFIG_ADMIN_TOKEN_MAX_BYTES)
        return error_set(why, ERR_INVALID, "the token has %zu characters", token.len);
    for (size_t i = 0; i < token.len; i++) {
        if (token.ptr[i] <= ' ' || token.ptr[i] > '~')
            return error_set(why,
                    ERR_INVALID,
                    "character %zu of the token is a space or not printable ASCII",
                    i + 1);
    }
    return ERR_NONE;
}

static enum err read_admin_token(struct config *config, struct str text, struct error *why)
{
    enum err err = config_check_admin_token(text, why);

    if (err == ERR_NONE)
        config->admin_token = keep(config, text);
    return err;
}

static enum err read_allow_targets(struct config *config, struct str text, struct error *why)
{
    return address_rule_parse(text, &config->allow_targets, why);
}

static enum err read_retention_days(struct config *config, struct str text, struct error *why)
{
    int64_t days = 0;

    if (!str_to_i64(text, &days))
        return error_set(why, ERR_INVALID, "\"%.*s\" is no whole number", STR_ARG(text));
    if (days < DAY_MIN || days > CONFIG_RETENTION_DAYS_MAX)
        return error_set(why, ERR_INVALID, "%.*s is out of bounds", STR_ARG(text));
    config->retention_days = days;
    return ERR_NONE;
}

static enum err read_log_format(struct config *config, struct str text, struct error *why)
{
    if (str_is(text, "text"))
        config->log_format = CONFIG_LOG_TEXT;
    else if (str_is(text, "json"))
        config->log_format = CONFIG_LOG_JSON;
    else
        return error_set(why, ERR_INVALID, "\"%.*s\" is no format", STR_ARG(text));
    return ERR_NONE;
}

#define CONFIG_ROW(member, type, flag, variable, value, fallback, shown, bounds, meaning)          \
    {(flag), (variable), (value), (fallback), (shown), (bounds), (meaning)},
static const struct config_setting SETTINGS[] = {CONFIG_TABLE(CONFIG_ROW)};
#undef CONFIG_ROW

typedef enum err read_setting(struct config *config, struct str text, struct error *why);
#define CONFIG_ROW(member, ...) read_##member,
static read_setting *const READERS[] = {CONFIG_TABLE(CONFIG_ROW)};
#undef CONFIG_ROW

enum { SETTING_COUNT = sizeof(SETTINGS) / sizeof(SETTINGS[0]) };

const struct config_setting *config_settings(size_t *ret_count)
{
    *ret_count = SETTING_COUNT;
    return SETTINGS;
}

/* The variable's value; NULL when it is not set or empty. */
static const char *find_variable(char *const *environment, const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; environment[i] != NULL; i++) {
        const char *text = environment[i];

        if (strncmp(text, name, len) == 0 && text[len] == '=' && text[len + 1] != '\0')
            return text + len + 1;
    }
    return NULL;
}

static enum err read_one(size_t i, const char *text, struct config *config, struct error *why)
{
    struct error reason = {0};
    enum err err = READERS[i](config, str_from(text), &reason);

    if (err == ERR_NONE)
        return ERR_NONE;
    return error_set_field(why,
            err,
            SETTINGS[i].flag,
            "--%s (%s) must be %s: %s",
            SETTINGS[i].flag,
            SETTINGS[i].variable,
            SETTINGS[i].bounds,
            reason.text);
}

enum err config_read(int argc,
        char *const *argv,
        char *const *environment,
        struct config *ret_config,
        struct error *why)
{
    CLEANUP(config_done) struct config config = {0};
    struct flag flags[SETTING_COUNT] = {0};

    for (size_t i = 0; i < SETTING_COUNT; i++)
        flags[i].name = SETTINGS[i].flag;

    enum err err = flags_read(flags, SETTING_COUNT, argc, argv, NULL, why);

    for (size_t i = 0; i < SETTING_COUNT && err == ERR_NONE; i++) {
        const char *text = flags[i].value;

        if (text == NULL)
            text = find_variable(environment, SETTINGS[i].variable);
        if (text == NULL)
            text = SETTINGS[i].fallback;
        if (text != NULL)
            err = read_one(i, text, &config, why);
    }
    if (err != ERR_NONE)
        return err;
    *ret_config = config;
    config = (struct config){0}; /* it has moved */
    return ERR_NONE;
}

void config_done(struct config *config)
{
    arena_done(&config->arena);
    *config = (struct config){0};
}
