/* SPDX-License-Identifier: Apache-2.0 */
/* services - building, ticking and ending what some handlers share. */
#include "api/services.h"

enum {
    SENDS_A_MINUTE_EACH = 10,
    SENDS_A_MINUTE = 100,
    INBOXES_A_MINUTE_EACH = 10,
    INBOXES_A_MINUTE = 100,
    PUBLIC_URL_MAX_BYTES = 2048,
};

void services_init(struct services *services, const struct api_config *config)
{
    *services = (struct services){
            .timers = timers_new(),
            .sends = visitor_limit_new(SENDS_A_MINUTE_EACH, SENDS_A_MINUTE),
            .inboxes = visitor_limit_new(INBOXES_A_MINUTE_EACH, INBOXES_A_MINUTE),
    };
    if (url_parse(&services->arena,
                str_from(config->public_url),
                PUBLIC_URL_MAX_BYTES,
                &services->origin,
                NULL) != ERR_NONE)
        services->origin = (struct url){0};
}

void services_tick(struct services *services, int64_t now_us)
{
    timers_tick(services->timers, now_us / 1000);
}

void services_drain(struct services *services)
{
    timers_drain(services->timers);
}

void services_done(struct services *services)
{
    timers_free(services->timers);
    visitor_limit_free(services->sends);
    visitor_limit_free(services->inboxes);
    arena_done(&services->arena);
    *services = (struct services){0};
}

/* An inbox' path is this and an id, and nothing that leads elsewhere. */
static bool is_inbox_path(struct str path)
{
    const struct str start = STR("/in/");

    if (!str_starts(path, start) || path.len == start.len)
        return false;
    for (size_t i = start.len; i < path.len && path.ptr[i] != '?'; i++) {
        char c = path.ptr[i];
        bool is_id_char = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
                          (c >= 'a' && c <= 'z') || c == '_';

        if (!is_id_char)
            return false;
    }
    return path.ptr[start.len] != '?';
}

bool services_own_inbox(const struct services *services, const struct url *url)
{
    return services->origin.whole.ptr != NULL && url_same_origin(&services->origin, url) &&
           is_inbox_path(url->path);
}
