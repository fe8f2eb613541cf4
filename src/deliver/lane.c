/* SPDX-License-Identifier: Apache-2.0 */
/* lane - the queue, the limits and the holds of one endpoint. */
#include "deliver/lane.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

static struct delivery *next_of(const struct delivery *delivery)
{
    return (struct delivery *)delivery->op.mail.next; /* op.mail is its first member */
}

struct lane *lane_new(struct endpoint *endpoint)
{
    struct lane *lane = mem_new(sizeof(*lane));

    lane->endpoint_id = endpoint->id;
    lane->endpoint = endpoint_ref(endpoint);
    lane->hold_until_ms = endpoint->hold_until_ms;
    rate_limit_set(&lane->rate, endpoint->rate_limit);
    return lane;
}

void lane_free(struct lane *lane)
{
    if (lane == NULL)
        return;
    assert(lane->queued == 0 && lane->in_flight == 0);
    endpoint_unref(lane->endpoint);
    free(lane);
}

/* Makes *held, a reference, one to endpoint. */
static void replace_reference(struct endpoint **held, struct endpoint *endpoint)
{
    struct endpoint *old = *held;

    *held = endpoint_ref(endpoint);
    endpoint_unref(old);
}

void lane_set_endpoint(struct lane *lane, struct endpoint *endpoint, bool deleted)
{
    lane->deleted = lane->deleted || deleted;
    if (endpoint->enabled_at_ms != lane->endpoint->enabled_at_ms)
        lane->hold_until_ms = 0; /* a person enabled it: its health begins anew */
    replace_reference(&lane->endpoint, endpoint);
    rate_limit_set(&lane->rate, endpoint->rate_limit);
    lane_hold(lane, endpoint->hold_until_ms);
}

void lane_push(struct lane *lane, struct delivery *delivery)
{
    if (delivery->endpoint != lane->endpoint &&
            delivery->endpoint->updated_at_ms >= lane->endpoint->updated_at_ms)
        lane_set_endpoint(lane, delivery->endpoint, false);
    delivery->op.mail.next = NULL;
    if (lane->last != NULL)
        lane->last->op.mail.next = &delivery->op.mail;
    else
        lane->first = delivery;
    lane->last = delivery;
    lane->queued++;
}

static size_t in_flight_max(const struct lane *lane)
{
    return lane->endpoint->ordering == ORDERING_ENDPOINT ? 1
                                                         : (size_t)lane->endpoint->max_in_flight;
}

static struct delivery *pop(struct lane *lane)
{
    struct delivery *delivery = lane->first;

    lane->first = next_of(delivery);
    if (lane->first == NULL)
        lane->last = NULL;
    delivery->op.mail.next = NULL;
    lane->queued--;
    return delivery;
}

struct delivery *lane_take(struct lane *lane, int64_t now_ms, int64_t *ret_look_at_ms)
{
    *ret_look_at_ms = INT64_MAX;
    if (lane->first == NULL || lane->in_flight >= in_flight_max(lane)) /* I6 */
        return NULL;
    if (now_ms < lane->hold_until_ms) {
        *ret_look_at_ms = lane->hold_until_ms;
        return NULL;
    }
    int64_t wait_ms = rate_limit_take(&lane->rate, now_ms);
    if (wait_ms > 0) {
        *ret_look_at_ms = now_ms + wait_ms;
        return NULL;
    }
    struct delivery *delivery = pop(lane);
    lane->in_flight++;
    if (delivery->endpoint != lane->endpoint)
        replace_reference(&delivery->endpoint, lane->endpoint);
    return delivery;
}

void lane_ended(struct lane *lane)
{
    assert(lane->in_flight > 0);
    lane->in_flight--;
}

void lane_hold(struct lane *lane, int64_t until_ms)
{
    if (until_ms > lane->hold_until_ms)
        lane->hold_until_ms = until_ms;
}

bool lane_is_shut(const struct lane *lane, int64_t now_ms, int64_t *ret_due_at_ms)
{
    if (lane->deleted || !lane->endpoint->enabled) {
        *ret_due_at_ms = now_ms;
        return true;
    }
    if (lane->hold_until_ms - now_ms > LANE_HOLD_MAX_MS) {
        *ret_due_at_ms = lane->hold_until_ms;
        return true;
    }
    return false;
}

struct delivery *lane_remove(struct lane *lane, int64_t delivery_id)
{
    struct delivery *before = NULL;
    struct delivery *delivery = lane->first;

    while (delivery != NULL && delivery->id != delivery_id) {
        before = delivery;
        delivery = next_of(delivery);
    }
    if (delivery == NULL || before == NULL)
        return delivery != NULL ? pop(lane) : NULL;
    before->op.mail.next = delivery->op.mail.next;
    if (lane->last == delivery)
        lane->last = before;
    delivery->op.mail.next = NULL;
    lane->queued--;
    return delivery;
}

struct delivery *lane_take_all(struct lane *lane)
{
    struct delivery *first = lane->first;

    lane->first = NULL;
    lane->last = NULL;
    lane->queued = 0;
    return first;
}

int64_t lane_idle_at_ms(const struct lane *lane)
{
    int64_t rate_at_ms = rate_limit_idle_at_ms(&lane->rate);

    if (lane->queued > 0 || lane->in_flight > 0)
        return INT64_MAX;
    if (lane->deleted)
        return INT64_MIN;
    return rate_at_ms > lane->hold_until_ms ? rate_at_ms : lane->hold_until_ms;
}
