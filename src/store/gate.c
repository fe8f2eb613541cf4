/* SPDX-License-Identifier: Apache-2.0 */
/* gate - windows, due moments, and what a transaction may take back. */
#include "store/gate.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <utlist.h>

#include "base/mem.h"

enum { WINDOW_MIN = 16 };

void gates_init(struct gates *gates, size_t memory_max)
{
    *gates = (struct gates){.memory_max = memory_max};
}

static struct gate_cancelled *find_cancelled(const struct gates *gates, int64_t delivery_id)
{
    struct gate_cancelled *cancelled = NULL;

    HASH_FIND(hh, gates->cancelled, &delivery_id, sizeof(delivery_id), cancelled);
    return cancelled;
}

void gates_put_cancelled(struct gates *gates, int64_t delivery_id)
{
    struct gate_cancelled *cancelled = find_cancelled(gates, delivery_id);

    if (cancelled != NULL)
        return;
    cancelled = mem_new(sizeof(*cancelled));
    cancelled->delivery_id = delivery_id;
    HASH_ADD(hh, gates->cancelled, delivery_id, sizeof(delivery_id), cancelled);
}

void gates_drop_cancelled(struct gates *gates, int64_t delivery_id)
{
    struct gate_cancelled *cancelled = find_cancelled(gates, delivery_id);

    if (cancelled == NULL)
        return;
    HASH_DEL(gates->cancelled, cancelled);
    free(cancelled);
}

bool gates_has_cancelled(const struct gates *gates, int64_t delivery_id)
{
    return find_cancelled(gates, delivery_id) != NULL;
}

void gates_done(struct gates *gates)
{
    struct gate *gate, *next;

    while (gates->cancelled != NULL)
        gates_drop_cancelled(gates, gates->cancelled->delivery_id);
    HASH_ITER (hh, gates->by_id, gate, next)
        gates_remove(gates, gate->endpoint_id);
    heap_done(&gates->due);
}

struct gate *gates_find(struct gates *gates, int64_t endpoint_id)
{
    struct gate *gate = NULL;

    HASH_FIND(hh, gates->by_id, &endpoint_id, sizeof(endpoint_id), gate);
    return gate;
}

static struct gate_org *find_org(struct gates *gates, struct str org_id)
{
    struct gate_org *org = NULL;

    HASH_FIND(hh, gates->by_org, org_id.ptr, org_id.len, org);
    return org;
}

struct gate *gates_of_org(struct gates *gates, struct str org_id)
{
    struct gate_org *org = find_org(gates, org_id);

    return org != NULL ? org->first : NULL;
}

size_t gates_count_of_org(struct gates *gates, struct str org_id)
{
    struct gate_org *org = find_org(gates, org_id);

    return org != NULL ? org->count : 0;
}

static struct gate_org *need_org(struct gates *gates, struct str org_id)
{
    struct gate_org *org = find_org(gates, org_id);

    if (org == NULL) {
        org = calloc(1, sizeof(*org));
        if (org == NULL)
            abort();
        assert(org_id.len < sizeof(org->id));
        memcpy(org->id, org_id.ptr, org_id.len);
        HASH_ADD(hh, gates->by_org, id, org_id.len, org);
    }
    return org;
}

/* The smallest window: what the endpoint takes at once, and a little to keep it busy. */
static size_t window_floor(const struct endpoint *endpoint)
{
    size_t in_flight = (size_t)endpoint->max_in_flight;

    return endpoint->ordering == ORDERING_ENDPOINT ? 1 : in_flight;
}

static size_t window_ceiling(const struct endpoint *endpoint)
{
    size_t ceiling = GATE_WINDOW_MAX;

    if (endpoint->ordering == ORDERING_ENDPOINT)
        return 1; /* strict order: the next one starts only after this one's end */
    if (endpoint->rate_limit > 0 && (size_t)endpoint->rate_limit * 2 < ceiling)
        ceiling = (size_t)endpoint->rate_limit * 2; /* more could only lie around */
    return ceiling > window_floor(endpoint) ? ceiling : window_floor(endpoint);
}

static size_t window_clip(const struct endpoint *endpoint, size_t window)
{
    if (window < window_floor(endpoint))
        return window_floor(endpoint);
    return window > window_ceiling(endpoint) ? window_ceiling(endpoint) : window;
}

static struct gate *add_gate(struct gates *gates, const struct endpoint *endpoint)
{
    struct gate *gate = calloc(1, sizeof(*gate));
    struct gate_org *org = need_org(gates, endpoint->org_id);

    if (gate == NULL)
        abort();
    gate->endpoint_id = endpoint->id;
    gate->state.next_due_ms = INT64_MAX;
    gate->state.window = WINDOW_MIN;
    gate->state.failing_since_ms = endpoint->failing_since_ms;
    gate->state.failing_count = endpoint->failing_count;
    gate->state.hold_until_ms = endpoint->hold_until_ms;
    HASH_ADD(hh, gates->by_id, endpoint_id, sizeof(gate->endpoint_id), gate);
    DL_APPEND(org->first, gate);
    org->count++;
    return gate;
}

struct gate *gates_put(struct gates *gates, struct endpoint *take_endpoint)
{
    struct gate *gate = gates_find(gates, take_endpoint->id);

    if (gate == NULL)
        gate = add_gate(gates, take_endpoint);
    endpoint_unref(gate->endpoint);
    gate->endpoint = take_endpoint;
    gate->state.disabling = false;
    gate->state.changing = false;
    gate->state.window = window_clip(take_endpoint, gate->state.window);
    return gate;
}

void gates_remove(struct gates *gates, int64_t endpoint_id)
{
    struct gate *gate = gates_find(gates, endpoint_id);

    if (gate == NULL)
        return;
    assert(!gate->touched);

    struct gate_org *org = find_org(gates, gate->endpoint->org_id);
    DL_DELETE(org->first, gate);
    if (--org->count == 0) {
        HASH_DEL(gates->by_org, org);
        free(org);
    }
    heap_remove(&gates->due, &gate->due);
    HASH_DEL(gates->by_id, gate);
    endpoint_unref(gate->endpoint);
    free(gate);
}

void gates_touch(struct gates *gates, struct gate *gate)
{
    if (gate->touched)
        return;
    if (gates->touched == NULL)
        gates->in_memory_saved = gates->in_memory;
    gate->saved = gate->state;
    gate->touched = true;
    gate->next_touched = gates->touched;
    gates->touched = gate;
}

static struct gate *take_touched(struct gates *gates)
{
    struct gate *gate = gates->touched;

    if (gate != NULL) {
        gates->touched = gate->next_touched;
        gate->touched = false;
    }
    return gate;
}

void gates_commit(struct gates *gates, int64_t now_ms)
{
    for (struct gate *gate = take_touched(gates); gate != NULL; gate = take_touched(gates))
        gate_schedule(gates, gate, now_ms);
}

void gates_rollback(struct gates *gates, int64_t now_ms)
{
    if (gates->touched != NULL)
        gates->in_memory = gates->in_memory_saved;
    for (struct gate *gate = take_touched(gates); gate != NULL; gate = take_touched(gates)) {
        gate->state = gate->saved;
        gate_schedule(gates, gate, now_ms); /* a claim took it out of the heap */
    }
}

static bool memory_is_full(const struct gates *gates, const struct gate *gate)
{
    /* However full, an endpoint with nothing in memory gets one: nobody starves. */
    return gates->in_memory >= gates->memory_max && gate->state.in_memory > 0;
}

bool gate_may_hand_over(const struct gates *gates, const struct gate *gate, int64_t now_ms)
{
    const struct gate_state *state = &gate->state;

    if (gates->closed || memory_is_full(gates, gate) || state->hold_until_ms > now_ms ||
            state->in_memory >= state->window)
        return false;
    if (gate->endpoint->ordering == ORDERING_ENDPOINT)
        return state->next_due_ms == INT64_MAX;
    return state->next_due_ms > now_ms; /* what is stored and due goes first */
}

size_t gate_room(const struct gates *gates, const struct gate *gate, int64_t now_ms)
{
    const struct gate_state *state = &gate->state;

    if (gates->closed || !gate->endpoint->enabled || state->disabling || state->changing ||
            state->hold_until_ms > now_ms || memory_is_full(gates, gate) ||
            state->in_memory >= state->window)
        return 0;

    size_t room = state->window - state->in_memory;
    size_t left = gates->in_memory < gates->memory_max ? gates->memory_max - gates->in_memory : 1;
    return room < left ? room : left;
}

void gate_enter(struct gates *gates, struct gate *gate)
{
    gates_touch(gates, gate);
    gate->state.in_memory++;
    gates->in_memory++;
}

void gate_leave(struct gates *gates, struct gate *gate, bool attempted, bool succeeded)
{
    gates_touch(gates, gate);
    assert(gate->state.in_memory > 0 && gates->in_memory > 0);
    gate->state.in_memory--;
    gates->in_memory--;
    if (attempted)
        gate->state.window = window_clip(
                gate->endpoint, succeeded ? gate->state.window + 1 : gate->state.window / 2);
}

void gate_due(struct gates *gates, struct gate *gate, int64_t due_at_ms)
{
    gates_touch(gates, gate);
    if (due_at_ms < gate->state.next_due_ms)
        gate->state.next_due_ms = due_at_ms;
}

void gate_schedule(struct gates *gates, struct gate *gate, int64_t now_ms)
{
    const struct gate_state *state = &gate->state;
    int64_t at_ms = state->next_due_ms;

    /* A claim costs a query, so it waits until a quarter of the window is free. */
    size_t threshold = state->window - state->window / 4;
    if (at_ms == INT64_MAX || gates->closed || !gate->endpoint->enabled || state->disabling ||
            memory_is_full(gates, gate) ||
            (state->in_memory > 0 && state->in_memory >= threshold)) {
        heap_remove(&gates->due, &gate->due);
        return;
    }
    if (state->hold_until_ms > at_ms && state->hold_until_ms > now_ms)
        at_ms = state->hold_until_ms;
    /* Never in the past: who has claimed goes behind those who wait for their turn. */
    if (at_ms < now_ms)
        at_ms = now_ms;
    heap_set(&gates->due, &gate->due, at_ms);
}

int64_t gates_next_due_ms(const struct gates *gates)
{
    struct heap_item *first = heap_first(&gates->due);

    /* Closed gates claim nothing: what is due is no reason for a turn. */
    return first != NULL && !gates->closed ? first->at_ms : INT64_MAX;
}

struct gate *gates_first_due(struct gates *gates, int64_t now_ms)
{
    struct heap_item *first = heap_first(&gates->due);

    if (first == NULL || first->at_ms > now_ms)
        return NULL;
    return (struct gate *)((char *)first - offsetof(struct gate, due));
}
