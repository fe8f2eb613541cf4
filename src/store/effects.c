/* SPDX-License-Identifier: Apache-2.0 */
/* effects - collecting what a transaction will do, carrying it out, or dropping it. */
#include "store/effects.h"

#include <stdlib.h>

void effects_done(struct work_effects *effects)
{
    for (size_t i = 0; i < effects->handed_count; i++)
        delivery_free(effects->handed[i]);
    for (size_t i = 0; i < effects->change_count; i++)
        endpoint_unref(effects->changes[i].endpoint);
    free(effects->handed);
    free(effects->notes);
    free(effects->changes);
    *effects = (struct work_effects){0};
}

/* Room for one more item; the arrays keep their size from transaction to transaction. */
static void *grow(void *items, size_t count, size_t *size, size_t item_size)
{
    if (count < *size)
        return items;
    *size = *size == 0 ? 64 : *size * 2;
    items = reallocarray(items, *size, item_size);
    if (items == NULL)
        abort();
    return items;
}

void effects_hand(struct work_effects *effects, struct delivery *take_delivery)
{
    effects->handed = grow(effects->handed,
            effects->handed_count,
            &effects->handed_size,
            sizeof(struct delivery *));
    effects->handed[effects->handed_count++] = take_delivery;
}

void effects_note(struct work_effects *effects, const struct note *note)
{
    effects->notes =
            grow(effects->notes, effects->note_count, &effects->note_size, sizeof(struct note));
    effects->notes[effects->note_count++] = *note;
}

void effects_change(struct work_effects *effects, struct endpoint_change change)
{
    effects->changes =
            grow(effects->changes, effects->change_count, &effects->change_size, sizeof(change));
    effects->changes[effects->change_count++] = change;
}

struct effects_mark effects_mark(const struct work_effects *effects)
{
    return (struct effects_mark){
            effects->handed_count,
            effects->note_count,
            effects->change_count,
    };
}

void effects_undo(struct work_effects *effects, struct gates *gates, struct effects_mark mark)
{
    while (effects->handed_count > mark.handed) {
        struct delivery *delivery = effects->handed[--effects->handed_count];
        struct gate *gate = gates_find(gates, delivery->endpoint->id);

        if (gate != NULL)
            gate_leave(gates, gate, false, false);
        delivery_free(delivery);
    }
    while (effects->change_count > mark.changes)
        endpoint_unref(effects->changes[--effects->change_count].endpoint);
    effects->note_count = mark.notes;
}

static void
apply_change(struct gates *gates, const struct store_config *config, struct endpoint_change change)
{
    const struct delivery_sink *sink = config->sink;

    if (change.cancelled_id != 0) {
        sink->cancelled(sink->ctx, change.endpoint_id, change.cancelled_id);
        return;
    }
    if (change.endpoint != NULL) {
        struct gate *gate = gates_put(gates, change.endpoint);

        gate_schedule(gates, gate, clock_wall_ms(config->clock));
        sink->endpoint_changed(sink->ctx, change.endpoint, false);
        return;
    }

    struct gate *gate = gates_find(gates, change.endpoint_id);
    if (gate == NULL)
        return;
    sink->endpoint_changed(sink->ctx, gate->endpoint, true);
    /* Those in memory come back to no gate: they no longer count. */
    gates->in_memory -= gate->state.in_memory;
    gates_remove(gates, change.endpoint_id);
}

/* What was handed over in the transaction that changed its endpoint has the snapshot of before; the
 * sink has been told of the newer one already. */
static void refresh_snapshots(struct work_effects *effects, struct gates *gates)
{
    for (size_t i = 0; i < effects->handed_count; i++) {
        struct delivery *delivery = effects->handed[i];
        struct gate *gate = gates_find(gates, delivery->endpoint->id);

        if (gate == NULL || gate->endpoint == delivery->endpoint)
            continue;
        endpoint_unref(delivery->endpoint);
        delivery->endpoint = endpoint_ref(gate->endpoint);
    }
}

void effects_apply(struct work_effects *effects,
        struct gates *gates,
        const struct store_config *config)
{
    struct mail *first = NULL;
    struct mail **end = &first;

    for (size_t i = 0; i < effects->change_count; i++)
        apply_change(gates, config, effects->changes[i]);
    if (effects->change_count > 0)
        refresh_snapshots(effects, gates);
    effects->change_count = 0;

    for (size_t i = 0; i < effects->handed_count; i++) {
        *end = &effects->handed[i]->op.mail;
        end = &effects->handed[i]->op.mail.next;
    }
    *end = NULL;
    effects->handed_count = 0;
    if (first != NULL)
        config->sink->deliver(config->sink->ctx, (struct delivery *)first);

    if (effects->note_count > 0 && config->listener != NULL)
        config->listener->publish(config->listener->ctx, effects->notes, effects->note_count);
    effects->note_count = 0;
}

struct delivery *delivery_new(struct endpoint *endpoint, struct blob *body)
{
    struct delivery *delivery = calloc(1, sizeof(*delivery));

    if (delivery == NULL)
        abort();
    delivery->endpoint = endpoint_ref(endpoint);
    delivery->body = blob_ref(body);
    return delivery;
}

void delivery_free(struct delivery *delivery)
{
    if (delivery == NULL)
        return;
    endpoint_unref(delivery->endpoint);
    blob_unref(delivery->body);
    buf_done(&delivery->detail);
    buf_done(&delivery->request_headers);
    buf_done(&delivery->response_headers);
    buf_done(&delivery->response_body);
    free(delivery);
}
