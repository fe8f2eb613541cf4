/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_table - every setting once: from a row come the member of struct config, the flag, the
 * variable, the help, and doc/settings.md.
 *
 *     SETTING(member, type, flag, variable, value, fallback, shown, bounds, meaning)
 *
 * member, type  in struct config; read_<member>() in config.c reads it and knows its bounds
 * value         what stands for the value in the help
 * fallback      the default's text, read like a given one; NULL: the member stays zero
 * shown         how the default is told; NULL: as fallback
 * bounds        ends the sentence "--flag must be ..."
 * meaning       one sentence
 */
#pragma once

#define CONFIG_TABLE(SETTING)                                                                      \
    SETTING(listen,                                                                                \
            struct str,                                                                            \
            "listen",                                                                              \
            "CALLSYNC_LISTEN",                                                                     \
            "ADDRESS:PORT",                                                                        \
            "127.0.0.1:8080",                                                                      \
            NULL,                                                                                  \
            "an IP address and a port of 0 to 65535, such as 127.0.0.1:8080 or [::1]:8080",        \
            "Where the server listens; port 0 picks a free one.")                                  \
    SETTING(data,                                                                                  \
            struct str,                                                                            \
            "data",                                                                                \
            "CALLSYNC_DATA",                                                                       \
            "FOLDER",                                                                              \
            "./data",                                                                              \
            NULL,                                                                                  \
            "a folder that can be written, its path of 1 to 1024 bytes",                           \
            "The folder of the database, the recordings and the keys; made with mode 0700.")       \
    SETTING(database,                                                                              \
            struct config_database,                                                                \
            "database",                                                                            \
            "CALLSYNC_DATABASE",                                                                   \
            "URL",                                                                                 \
            "sqlite:",                                                                             \
            NULL,                                                                                  \
            "sqlite: (a file in the data folder) or sqlite:PATH, the path of up to 1024 bytes",    \
            "Where everything but the recordings is kept.")                                        \
    SETTING(public_url,                                                                            \
            struct str,                                                                            \
            "public-url",                                                                          \
            "CALLSYNC_PUBLIC_URL",                                                                 \
            "URL",                                                                                 \
            NULL,                                                                                  \
            "http:// and the address listened on",                                                 \
            "an http or https URL without a path, such as https://calls.example.com",              \
            "How others reach this server; used in links.")                                        \
    SETTING(admin_token,                                                                           \
            struct str,                                                                            \
            "admin-token",                                                                         \
            "CALLSYNC_ADMIN_TOKEN",                                                                \
            "TOKEN",                                                                               \
            NULL,                                                                                  \
            "made at the first start and kept in the data folder, in admin-token, mode 0600",      \
            "16 to 256 printable ASCII characters without a space",                                \
            "Who sends it may do everything; better given as a variable, for everyone on the "     \
            "machine can see flags.")                                                              \
    SETTING(allow_targets,                                                                         \
            struct address_rule,                                                                   \
            "allow-targets",                                                                       \
            "CALLSYNC_ALLOW_TARGETS",                                                              \
            "CIDRS",                                                                               \
            "",                                                                                    \
            "none",                                                                                \
            "up to 64 networks with commas between them, such as 127.0.0.0/8,10.2.0.0/16",         \
            "Networks that endpoints may reach though they are private.")                          \
    SETTING(retention_days,                                                                        \
            int64_t,                                                                               \
            "retention-days",                                                                      \
            "CALLSYNC_RETENTION_DAYS",                                                             \
            "DAYS",                                                                                \
            "30",                                                                                  \
            NULL,                                                                                  \
            "a whole number of 1 to 3650",                                                         \
            "Finished events, deliveries and attempts that are older go; calls stay.")             \
    SETTING(log_format,                                                                            \
            enum config_log_format,                                                                \
            "log-format",                                                                          \
            "CALLSYNC_LOG_FORMAT",                                                                 \
            "FORMAT",                                                                              \
            NULL,                                                                                  \
            "text on a terminal, else json",                                                       \
            "text or json",                                                                        \
            "How the log on standard error is written.")
