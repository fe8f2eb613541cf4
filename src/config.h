/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config - the settings of `callsync serve`: flags go before environment variables, and these
 * before defaults. The settings themselves stand in config_table.h.
 *
 * An empty variable counts as none, an empty flag as a value. Any thread once it is read.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "config_table.h"
#include "domain/address_rule.h"

enum {
    CONFIG_PATH_MAX_BYTES = 1024,
    CONFIG_URL_MAX_BYTES = 512,
    CONFIG_ADMIN_TOKEN_MIN_BYTES = 16,
    CONFIG_ADMIN_TOKEN_MAX_BYTES = 256,
    CONFIG_RETENTION_DAYS_MAX = 3650,
};

enum config_log_format { CONFIG_LOG_AUTO, CONFIG_LOG_TEXT, CONFIG_LOG_JSON };

struct config_database {
    struct str path; /* of the SQLite file; none: in the data folder */
};

/** Texts are NUL-ended copies. public_url has no slash at its end; none: from the address that is
 *  listened on. admin_token none: the one in the data folder. */
struct config {
#define CONFIG_MEMBER(member, type, ...) type member;
    CONFIG_TABLE(CONFIG_MEMBER)
#undef CONFIG_MEMBER
    struct arena arena;
};

/** What is told about a setting: a row of the table. */
struct config_setting {
    const char *flag; /* without "--" */
    const char *variable;
    const char *value;
    const char *fallback; /* NULL: it has no text */
    const char *shown;
    const char *bounds;
    const char *meaning;
};

/** All of them, in the order of the table; constant. */
const struct config_setting *config_settings(size_t *ret_count);

/**
 * Reads the settings from the command's arguments (without its name) and the environment
 * ("NAME=value" texts, NULL-ended). ERR_INVALID names the setting by its flag and its variable, and
 * its bounds; or it names an argument that is no setting. The values of secrets are not told.
 * Release with config_done().
 */
MUST_CHECK enum err config_read(int argc,
        char *const *argv,
        char *const *environment,
        struct config *ret_config,
        struct error *why);
/** A zeroed one is fine. */
void config_done(struct config *config);

/** ERR_INVALID unless it is 16 to 256 printable ASCII characters without a space. */
MUST_CHECK enum err config_check_admin_token(struct str token, struct error *why);
