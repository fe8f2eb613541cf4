# SPDX-License-Identifier: Apache-2.0
"""Killed, stopped and started again under load: what was answered with 2xx is delivered (I1, I5)."""

import collections
import http.client
import random
import signal

import pytest

from support.api import Wire
from support.load import Load
from support.patience import Deadline
from support.receiver import hang, reply

MAX_IN_FLIGHT = 8
CRASHES = 20


def new_endpoint(org, receiver):
    return org.new_endpoint(receiver.on("/hook"), max_in_flight=MAX_IN_FLIGHT, retry_schedule=["1s"] * 10)


def counts(receiver) -> collections.Counter:
    return collections.Counter(request.payload_id for request in receiver.requests("/hook"))


def wait_for_all(receiver, accepted: dict) -> None:
    wanted = set(accepted)
    receiver.wait_for(lambda seen: len(seen) >= len(wanted) and wanted <= {one.payload_id for one in seen}, "/hook", 60)


@pytest.mark.slow
def test_twenty_crashes_under_load_lose_nothing_and_repeat_max_in_flight_each_on_average_at_most(own_server, receiver):
    org = own_server.start().new_org()
    new_endpoint(org, receiver)
    dice = random.Random(20)
    accepted: dict[str, int] = {}
    deaths = []
    for _ in range(CRASHES):
        load = Load(org)
        load.wait_for_accepted(dice.randint(1, 60))
        own_server.kill()
        deaths.append(len(receiver.requests("/hook")))
        accepted |= load.stop()
        own_server.restart()
    wait_for_all(receiver, accepted)
    stored = {event["payload_id"]: event["call_id"] for event in org.events()}
    assert accepted.items() <= stored.items()
    assert {call["call_id"] for call in org.api.pages("/v1/calls")} == set(stored.values())
    wait_for_all(receiver, stored)
    _assert_repeated_little(receiver.requests("/hook"), deaths)


def _assert_repeated_little(requests, deaths) -> None:
    """A crash repeats what was under way and what had ended without its result being committed (I5). The
    second part has no sharp bound for one crash, so the sum over all of them is held to MAX_IN_FLIGHT each."""
    seen: set[str] = set()
    repeated = []
    for start, end in zip([0, *deaths], [*deaths, len(requests)]):
        ids = [request.payload_id for request in requests[start:end]]
        repeated.append(sum(one in seen for one in ids))
        seen |= set(ids)
    assert sum(repeated) <= MAX_IN_FLIGHT * len(deaths), repeated
    assert len(requests) - len(seen) <= MAX_IN_FLIGHT * len(deaths), "an event was repeated within a run"


def test_a_crash_while_attempts_hang_repeats_just_these(own_server, receiver):
    org = own_server.start().new_org()
    endpoint = new_endpoint(org, receiver)
    receiver.on("/hook", hang())
    logged = [org.log_call() for _ in range(20)]
    receiver.wait_for_count(MAX_IN_FLIGHT, "/hook")
    own_server.kill()
    receiver.on("/hook", reply(200))
    own_server.restart()
    for one in logged:
        org.wait_for_state(one, endpoint, "delivered", seconds=30)
    assert sum(counts(receiver).values()) == 20 + MAX_IN_FLIGHT
    assert max(counts(receiver).values()) == 2


def test_a_crash_between_attempts_keeps_the_place_in_the_schedule(own_server, receiver):
    org = own_server.start().new_org()
    endpoint = org.new_endpoint(receiver.on("/hook", reply(500), reply(500), reply(200)), retry_schedule=["1s", "2s"])
    logged = org.log_call()
    org.wait_for_state(logged, endpoint, "retrying")
    own_server.kill()
    own_server.restart()
    delivery = org.wait_for_state(logged, endpoint, "delivered")
    assert [attempt["number"] for attempt in delivery["attempts"]] == [1, 2, 3]
    first, second, third = receiver.requests("/hook")
    assert second.at - first.at >= 1.0 and third.at - second.at >= 2.0


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_under_load_ends_with_0_and_loses_and_repeats_nothing(own_server, receiver, stop):
    org = own_server.start().new_org()
    new_endpoint(org, receiver)
    load = Load(org, threads=4)
    load.wait_for_accepted(200)
    assert own_server.terminate(stop, seconds=12) == 0
    accepted = load.stop()
    assert set(load.others) <= {503}
    own_server.restart()
    wait_for_all(receiver, accepted)
    stored = {event["payload_id"] for event in org.events()}
    assert stored == set(accepted), "stored, but not answered with 2xx"
    assert max(counts(receiver).values()) == 1


def test_a_stop_waits_for_attempts_in_flight_and_stores_their_results(own_server, receiver):
    org = own_server.start().new_org()
    gate = receiver.gate()
    endpoint = org.new_endpoint(receiver.on("/hook", gate.then(reply(200))), retry_schedule=["1s"])
    logged = org.log_call()
    receiver.wait_for_count(1, "/hook")
    own_server.process.send_signal(signal.SIGTERM)
    _wait_until_it_refuses(own_server, org)
    assert own_server.is_running()
    gate.open()
    assert own_server.process.wait(12) == 0
    own_server.restart()
    assert org.delivery_of(logged, endpoint)["state"] == "delivered"
    assert len(receiver.requests("/hook")) == 1


def _wait_until_it_refuses(server, org) -> None:
    """Asks until the server takes no new request: it has noticed the signal."""
    deadline = Deadline()
    while not deadline.is_over():
        try:
            if org.server.api(org.token).get("/v1/calls").status == 503:
                return
        except (OSError, http.client.HTTPException):
            return
    raise AssertionError("it goes on answering")


def test_a_stop_gives_up_attempts_that_hang_and_repeats_them_later(own_server, receiver):
    org = own_server.start().new_org()
    endpoint = org.new_endpoint(receiver.on("/hook", hang()), timeout_s=30, retry_schedule=["1s"])
    logged = org.log_call()
    receiver.wait_for_count(1, "/hook")
    own_server.process.send_signal(signal.SIGTERM)
    assert own_server.process.wait(13) == 0
    receiver.on("/hook", reply(200))
    own_server.restart()
    org.wait_for_state(logged, endpoint, "delivered")


def test_a_second_signal_ends_it_at_once_and_loses_nothing(own_server, receiver):
    org = own_server.start().new_org()
    endpoint = org.new_endpoint(receiver.on("/hook", hang()), timeout_s=30, retry_schedule=["1s"])
    logged = org.log_call()
    receiver.wait_for_count(1, "/hook")
    own_server.process.send_signal(signal.SIGTERM)
    _wait_until_it_refuses(own_server, org)
    own_server.process.send_signal(signal.SIGTERM)
    own_server.process.wait(2)
    receiver.on("/hook", reply(200))
    own_server.restart()
    org.wait_for_state(logged, endpoint, "delivered")


def test_a_client_that_is_slow_does_not_keep_the_server_from_stopping(own_server):
    org = own_server.start().new_org()
    with Wire(own_server.address) as idle, Wire(own_server.address) as half:
        idle.send(b"")
        half.send(f"POST /v1/calls HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {org.token}\r\n".encode())
        assert own_server.terminate(seconds=13) == 0
