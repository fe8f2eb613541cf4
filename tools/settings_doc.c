/* SPDX-License-Identifier: Apache-2.0 */
/* settings_doc - writes doc/settings.md from the table of settings. */
#include <stdio.h>

#include "config.h"

int main(void)
{
    size_t count = 0;
    const struct config_setting *settings = config_settings(&count);

    (void)puts(
            "# Settings\n"
            "\n"
            "Written from `src/config_table.h` by `tools/settings_doc.c`; do not edit.\n"
            "\n"
            "Each is a flag of `callsync serve` and an environment variable. A flag goes before a\n"
            "variable, and that before the default; an empty variable counts as none. A wrong value\n"
            "stops the start with exit code 2.\n"
            "\n"
            "| flag | variable | default | must be | meaning |\n"
            "|---|---|---|---|---|");
    for (size_t i = 0; i < count; i++) {
        const struct config_setting *setting = &settings[i];
        const char *quote = setting->shown != NULL ? "" : "`";

        (void)printf("| `--%s` | `%s` | %s%s%s | %s | %s |\n",
                setting->flag,
                setting->variable,
                quote,
                setting->shown != NULL ? setting->shown : setting->fallback,
                quote,
                setting->bounds,
                setting->meaning);
    }
    return fflush(stdout) == 0 ? 0 : 1;
}
