/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of config: where a value comes from, and the bounds of each setting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "config.h"

enum { TEXT_SIZE = 2048 };

/* Reads one argument (or NULL) and one variable "NAME=value" (or NULL). */
static enum err
read_config(const char *arg, const char *variable, struct config *ret_config, struct error *why)
{
    char arg_text[TEXT_SIZE] = "";
    char variable_text[TEXT_SIZE] = "";
    char *argv[] = {arg_text, NULL};
    char *environment[] = {variable != NULL ? variable_text : NULL, NULL};

    (void)snprintf(arg_text, sizeof(arg_text), "%s", arg != NULL ? arg : "");
    (void)snprintf(variable_text, sizeof(variable_text), "%s", variable != NULL ? variable : "");
    return config_read(arg != NULL ? 1 : 0, argv, environment, ret_config, why);
}

static void without_anything_given_the_defaults_hold(void **state)
{
    CLEANUP(config_done) struct config config = {0};

    (void)state;
    assert_int_equal(read_config(NULL, NULL, &config, NULL), ERR_NONE);
    assert_true(str_is(config.listen, "127.0.0.1:8080"));
    assert_true(str_is(config.data, "./data"));
    assert_null(config.database.path.ptr);
    assert_null(config.public_url.ptr);
    assert_null(config.admin_token.ptr);
    assert_int_equal(config.allow_targets.allowed_count, 0);
    assert_int_equal(config.retention_days, 30);
    assert_int_equal(config.log_format, CONFIG_LOG_AUTO);
}

static void a_flag_goes_before_a_variable_and_that_before_the_default(void **state)
{
    CLEANUP(config_done) struct config both = {0};
    CLEANUP(config_done) struct config variable = {0};
    CLEANUP(config_done) struct config empty = {0};

    (void)state;
    assert_int_equal(
            read_config("--retention-days=7", "CALLSYNC_RETENTION_DAYS=8", &both, NULL), ERR_NONE);
    assert_int_equal(both.retention_days, 7);
    assert_int_equal(read_config(NULL, "CALLSYNC_RETENTION_DAYS=8", &variable, NULL), ERR_NONE);
    assert_int_equal(variable.retention_days, 8);
    assert_int_equal(read_config(NULL, "CALLSYNC_RETENTION_DAYS=", &empty, NULL), ERR_NONE);
    assert_int_equal(empty.retention_days, 30);
}

static void a_variable_whose_name_only_begins_alike_is_another_one(void **state)
{
    CLEANUP(config_done) struct config config = {0};

    (void)state;
    assert_int_equal(read_config(NULL, "CALLSYNC_RETENTION_DAYS_OLD=8", &config, NULL), ERR_NONE);
    assert_int_equal(config.retention_days, 30);
}

static void good_values_are_taken(void **state)
{
    static const char *const ARGS[] = {
            "--listen=0.0.0.0:0",
            "--listen=[::1]:65535",
            "--data=/var/lib/callsync",
            "--database=sqlite:",
            "--database=sqlite:/var/lib/calls.db",
            "--public-url=https://calls.example.com",
            "--public-url=http://[::1]:8080/",
            "--admin-token=sixteen-is-right",
            "--allow-targets=",
            "--allow-targets=127.0.0.0/8,fd00::/8",
            "--retention-days=1",
            "--retention-days=3650",
            "--log-format=text",
            "--log-format=json",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(ARGS) / sizeof(ARGS[0]); i++) {
        CLEANUP(config_done) struct config config = {0};
        struct error why = {0};

        if (read_config(ARGS[i], NULL, &config, &why) != ERR_NONE)
            fail_msg("%s: %s", ARGS[i], why.text);
    }
}

static void a_wrong_value_is_refused_with_the_names_and_bounds_of_its_setting(void **state)
{
    static const struct {
        const char *arg;
        const char *says;
    } ROWS[] = {
            {"--listen=", "--listen (CALLSYNC_LISTEN) must be an IP address and a port"},
            {"--listen=8080", "127.0.0.1:8080"},
            {"--listen=localhost:8080", "no IP address"},
            {"--listen=127.0.0.1:65536", "0 to 65535"},
            {"--data=", "--data (CALLSYNC_DATA) must be"},
            {"--database=", "--database (CALLSYNC_DATABASE) must be sqlite:"},
            {"--database=mysql://x", "no such kind of database"},
            {"--database=postgresql://someone:pass@db/x", "this build has no PostgreSQL"},
            {"--public-url=", "--public-url (CALLSYNC_PUBLIC_URL) must be"},
            {"--public-url=ftp://example.com", "--public-url"},
            {"--public-url=https://example.com/calls", "has a path"},
            {"--public-url=https://example.com/?a=b", "has a path or a query"},
            {"--admin-token=fifteen-is-less",
                    "--admin-token (CALLSYNC_ADMIN_TOKEN) must be 16 to 256"},
            {"--admin-token=sixteen has space", "character 8"},
            {"--allow-targets=10.0.0.0/33", "--allow-targets (CALLSYNC_ALLOW_TARGETS) must be"},
            {"--allow-targets=10.0.0.0/8,", "--allow-targets"},
            {"--retention-days=0",
                    "--retention-days (CALLSYNC_RETENTION_DAYS) must be a whole number "
                    "of 1 to 3650: 0"},
            {"--retention-days=3651", "3651 is out of bounds"},
            {"--retention-days=7d", "\"7d\" is no whole number"},
            {"--log-format=xml", "--log-format (CALLSYNC_LOG_FORMAT) must be text or json"},
            {"--lisen=127.0.0.1:1", "no flag --lisen"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        CLEANUP(config_done) struct config config = {0};
        struct error why = {0};

        assert_int_equal(read_config(ROWS[i].arg, NULL, &config, &why), ERR_INVALID);
        if (strstr(why.text, ROWS[i].says) == NULL)
            fail_msg("%s: %s", ROWS[i].arg, why.text);
    }
}

static void secrets_are_never_told(void **state)
{
    CLEANUP(config_done) struct config config = {0};
    struct error why = {0};

    (void)state;
    assert_int_equal(read_config("--database=postgresql://a:hunter2@db/x", NULL, &config, &why),
            ERR_INVALID);
    assert_null(strstr(why.text, "hunter2"));
    assert_int_equal(read_config("--admin-token=hunter2", NULL, &config, &why), ERR_INVALID);
    assert_null(strstr(why.text, "hunter2"));
}

static void the_admin_token_may_have_256_characters_and_no_more(void **state)
{
    CLEANUP(config_done) struct config config = {0};
    char arg[TEXT_SIZE];
    char token[CONFIG_ADMIN_TOKEN_MAX_BYTES + 2] = "";

    (void)state;
    memset(token, 'a', CONFIG_ADMIN_TOKEN_MAX_BYTES);
    (void)snprintf(arg, sizeof(arg), "--admin-token=%s", token);
    assert_int_equal(read_config(arg, NULL, &config, NULL), ERR_NONE);
    (void)snprintf(arg, sizeof(arg), "--admin-token=%sa", token);
    config_done(&config);
    assert_int_equal(read_config(arg, NULL, &config, NULL), ERR_INVALID);
}

static void the_public_url_loses_its_last_slash_and_capitals_of_its_host(void **state)
{
    CLEANUP(config_done) struct config config = {0};

    (void)state;
    assert_int_equal(
            read_config("--public-url=https://Calls.Example.com:8443/", NULL, &config, NULL),
            ERR_NONE);
    assert_true(str_is(config.public_url, "https://calls.example.com:8443"));
}

static void the_path_of_the_database_is_what_stands_behind_the_scheme(void **state)
{
    CLEANUP(config_done) struct config config = {0};

    (void)state;
    assert_int_equal(read_config("--database=sqlite:some/calls.db", NULL, &config, NULL), ERR_NONE);
    assert_true(str_is(config.database.path, "some/calls.db"));
}

static void every_setting_has_a_default_to_tell_of(void **state)
{
    size_t count = 0;
    const struct config_setting *settings = config_settings(&count);

    (void)state;
    assert_int_equal(count, 8);
    for (size_t i = 0; i < count; i++)
        assert_true(settings[i].shown != NULL || settings[i].fallback != NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(without_anything_given_the_defaults_hold),
            cmocka_unit_test(a_flag_goes_before_a_variable_and_that_before_the_default),
            cmocka_unit_test(a_variable_whose_name_only_begins_alike_is_another_one),
            cmocka_unit_test(good_values_are_taken),
            cmocka_unit_test(a_wrong_value_is_refused_with_the_names_and_bounds_of_its_setting),
            cmocka_unit_test(secrets_are_never_told),
            cmocka_unit_test(the_admin_token_may_have_256_characters_and_no_more),
            cmocka_unit_test(the_public_url_loses_its_last_slash_and_capitals_of_its_host),
            cmocka_unit_test(the_path_of_the_database_is_what_stands_behind_the_scheme),
            cmocka_unit_test(every_setting_has_a_default_to_tell_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
