/* SPDX-License-Identifier: Apache-2.0 */
/* rig - the fixture of the API's tests. */
#include "rig.h"

#include "store/db.h"
#include "store/store_delivery.h"

enum { DEADLINE_MS = 10000 };

static void deliver(void *ctx, struct delivery *first)
{
    struct rig *rig = ctx;
    struct mail *last = &first->op.mail;

    while (last->next != NULL)
        last = last->next;
    last->next = rig->handed != NULL ? &rig->handed->op.mail : NULL;
    rig->handed = first;
}

static void endpoint_changed(void *ctx, struct endpoint *endpoint, bool deleted)
{
    (void)ctx;
    (void)endpoint;
    (void)deleted;
}

/* This sink has given back, or holds for the test, what it got: there is no queue to look through. */
static void cancelled(void *ctx, int64_t endpoint_id, int64_t delivery_id)
{
    (void)ctx;
    (void)endpoint_id;
    (void)delivery_id;
}

static void remove_file(void *ctx, struct str file)
{
    recordings_remove(((struct rig *)ctx)->recordings, file);
}

static struct db *wrap(void *ctx, struct db *take_db)
{
    struct rig *rig = ctx;

    return db_fault_new(take_db, &rig->fail_at, &rig->calls);
}

/* Our own name and "private.test" lead to 10.0.0.1, "missing.test" nowhere, "later.test" is not
 * known just now, and everything else leads to 93.184.216.34. */
static void look_up(const char *host, struct resolver_answer *ret_answer)
{
    struct sockaddr_in *address = (struct sockaddr_in *)&ret_answer->addresses[0];
    struct str name = str_from(host);
    bool is_private = str_is(name, "private.test") || str_is(name, "callsync.test");

    memset(ret_answer, 0, sizeof(*ret_answer));
    if (str_is(name, "missing.test") || str_is(name, "later.test")) {
        ret_answer->err = str_is(name, "later.test") ? ERR_UNAVAILABLE : ERR_NOT_FOUND;
        return;
    }
    address->sin_family = AF_INET;
    address->sin_addr.s_addr = htonl(is_private ? 0x0A000001U : 0x5DB8D822U);
    ret_answer->count = 1;
}

static void open_store(struct rig *rig, const uint8_t *key)
{
    const struct store_config config = {
            .path = temp_folder_path(&rig->folder, "callsync.db"),
            .public_url = "http://callsync.test",
            .seal_key = key,
            .link_key = key,
            .clock = &rig->clock.clock,
            .metrics = &rig->metrics,
            .sink = &rig->sink,
            .listener = api_listener(rig->api),
            .retention_days = 30,
            .remove_file = remove_file,
            .remove_file_ctx = rig,
            .wrap = wrap,
            .wrap_ctx = rig,
    };
    struct error why = {0};

    if (store_open(&config, &rig->store, &why) != ERR_NONE ||
            store_start(rig->store, &why) != ERR_NONE)
        fail_msg("the store did not start: %s", why.text);
}

int rig_set_up(void **state)
{
    static const uint8_t key[SECRET_KEY_BYTES] = {1, 2, 3};
    struct rig *rig = calloc(1, sizeof(*rig));
    struct error why = {0};

    temp_folder_init(&rig->folder);
    clock_virtual_init(&rig->clock, RIG_START_MS);
    rig->resolver = resolver_new(1, look_up);
    rig->sink = (struct delivery_sink){deliver, endpoint_changed, cancelled, rig};
    rig->content_type = "application/json";

    const struct api_config config = {
            .clock = &rig->clock.clock,
            .metrics = &rig->metrics,
            .admin_token = RIG_ADMIN_TOKEN,
            .public_url = "http://callsync.test",
            .link_key = key,
            .idempotency_key = key,
            .rule = &rig->rule,
            .resolver = rig->resolver,
    };
    assert_int_equal(api_new(&config, &rig->api, &why), ERR_NONE);
    assert_int_equal(
            recordings_open(
                    temp_folder_path(&rig->folder, "recordings"), NULL, &rig->recordings, &why),
            ERR_NONE);
    open_store(rig, key);
    api_use(rig->api, &(struct api_parts){.store = rig->store, .recordings = rig->recordings});
    rig_make_org(rig, "org_a", rig->org_token);
    rig->token = rig->org_token;
    *state = rig;
    return 0;
}

static void forget_request(struct rig *rig)
{
    if (rig->fake != NULL)
        http_exchange_fake_free(rig->fake);
    rig->fake = NULL;
    json_free(rig->json);
    rig->json = NULL;
}

int rig_tear_down(void **state)
{
    struct rig *rig = *state;

    forget_request(rig);
    api_drain(rig->api);
    store_drain(rig->store);
    /* The sink's deliveries are the test's once the store thread has seen the drain through; what
     * is handed over until then comes back with the rest. */
    store_stop(rig->store);
    while (rig->handed != NULL) {
        struct delivery *first = rig->handed;

        rig->handed = NULL;
        store_delivery_result(rig->store, first);
    }
    store_close(rig->store);
    recordings_close(rig->recordings);
    api_free(rig->api);
    resolver_free(rig->resolver);
    temp_folder_done(&rig->folder);
    free(rig);
    return 0;
}

void rig_header(struct rig *rig, const char *name, const char *value)
{
    assert_true(rig->header_count < RIG_HEADERS_MAX);
    rig->headers[rig->header_count].name = name;
    rig->headers[rig->header_count].value = value;
    rig->header_count++;
}

unsigned rig_ask_bytes(struct rig *rig, const char *method, const char *target, struct str body)
{
    struct error why;

    forget_request(rig);
    rig->fake = http_exchange_fake_new(method, target);
    if (rig->token != NULL)
        http_exchange_fake_add_header(
                rig->fake, "Authorization", rig_textf(rig, "Bearer %s", rig->token));
    for (size_t i = 0; i < rig->header_count; i++)
        http_exchange_fake_add_header(rig->fake, rig->headers[i].name, rig->headers[i].value);
    rig->header_count = 0;
    if (body.ptr != NULL && rig->content_type != NULL)
        http_exchange_fake_add_header(rig->fake, "Content-Type", rig->content_type);
    if (body.ptr != NULL)
        http_exchange_fake_set_body(rig->fake, body);
    if (rig->chunk_bytes > 0)
        http_exchange_fake_set_chunked(rig->fake, rig->chunk_bytes);
    rig->chunk_bytes = 0;
    assert_true(http_exchange_fake_serve(rig->fake, api_handler(rig->api), DEADLINE_MS));

    struct str type = rig_reply_header(rig, "Content-Type");
    if (str_is(type, "application/json") || str_is(type, "application/problem+json"))
        assert_int_equal(json_parse(rig_body(rig), &rig->json, &why), ERR_NONE);
    return http_exchange_fake_status(rig->fake);
}

unsigned rig_ask(struct rig *rig, const char *method, const char *target, const char *body)
{
    return rig_ask_bytes(rig, method, target, str_from(body));
}

struct str rig_body(struct rig *rig)
{
    return http_exchange_fake_body(rig->fake);
}

struct str rig_reply_header(struct rig *rig, const char *name)
{
    return http_exchange_fake_header(rig->fake, name);
}

const struct json *rig_value(struct rig *rig, const char *path)
{
    const struct json *value = rig->json;
    struct str rest = str_from(path);

    while (value != NULL && rest.ptr != NULL) {
        struct str step = str_split(&rest, '.');
        struct str name = str_split(&step, '[');
        int64_t i;

        value = json_member(value, arena_str(&rig->folder.arena, name).ptr);
        if (value != NULL && step.ptr != NULL && str_to_i64(str_slice(step, 0, step.len - 1), &i))
            value = json_item(value, (size_t)i);
    }
    return value;
}

struct str rig_str(struct rig *rig, const char *path)
{
    const struct json *value = rig_value(rig, path);

    return value != NULL ? json_str(value) : STR_NONE;
}

int64_t rig_i64(struct rig *rig, const char *path)
{
    const struct json *value = rig_value(rig, path);

    return value != NULL ? json_i64(value) : 0;
}

static void copy_token(struct str secret, char ret_token[RIG_TOKEN_SIZE])
{
    assert_true(secret.len > 0 && secret.len < RIG_TOKEN_SIZE);
    memcpy(ret_token, secret.ptr, secret.len);
    ret_token[secret.len] = '\0';
}

void rig_make_org(struct rig *rig, const char *id, char ret_token[RIG_TOKEN_SIZE])
{
    const char *token = rig->token;

    rig->token = RIG_ADMIN_TOKEN;
    assert_int_equal(rig_ask(rig,
                             "POST",
                             "/v1/orgs",
                             rig_textf(rig, "{\"id\":\"%s\",\"name\":\"Org\"}", id)),
            201);
    copy_token(rig_str(rig, "token.secret"), ret_token);
    rig->token = token;
}

void rig_make_token(struct rig *rig, const char *scopes, char ret_token[RIG_TOKEN_SIZE])
{
    assert_int_equal(rig_ask(rig,
                             "POST",
                             "/v1/tokens",
                             rig_textf(rig, "{\"name\":\"t\",\"scopes\":%s}", scopes)),
            201);
    copy_token(rig_str(rig, "secret"), ret_token);
}

int64_t rig_make_call(struct rig *rig)
{
    assert_int_equal(
            rig_ask(rig,
                    "POST",
                    "/v1/calls",
                    "{\"type\":\"incoming\",\"phone\":\"+919876543210\",\"duration\":124}"),
            201);
    return rig_i64(rig, "call_id");
}

const char *rig_textf(struct rig *rig, const char *format, ...)
{
    char text[8192];
    va_list args;

    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    assert_true(len >= 0 && (size_t)len < sizeof(text));
    return arena_str(&rig->folder.arena, (struct str){text, (size_t)len}).ptr;
}

void rig_assert_str(struct rig *rig, const char *path, const char *expected)
{
    struct str found = rig_str(rig, path);

    if (!str_is(found, expected))
        fail_msg("%s is \"%.*s\" and not \"%s\" in %.*s",
                path,
                STR_ARG(found),
                expected,
                STR_ARG(rig_body(rig)));
}

void rig_assert_fault(struct rig *rig, unsigned status, const char *field)
{
    assert_int_equal(http_exchange_fake_status(rig->fake), status);
    rig_assert_str(rig, "errors[0].field", field);
}
