# SPDX-License-Identifier: Apache-2.0
"""GET /v1/stream: Server-Sent Events of an org."""

import pytest

from support.org import Stream
from support.receiver import reply


@pytest.fixture
def new_stream(org):
    streams = []

    def make(last_event_id: str | None = None, of=None) -> Stream:
        stream = Stream((of or org).server, (of or org).token, last_event_id)
        streams.append(stream)
        return stream

    yield make
    for stream in streams:
        stream.close()


def events_of(stream, count: int, kind: str = "event") -> list[dict]:
    return stream.wait_until(lambda: stream.of(kind) if len(stream.of(kind)) >= count else None)


def test_a_stream_shows_events_attempts_endpoints_and_inboxes(org, receiver, new_stream):
    stream = new_stream()
    assert stream.response.headers["Content-Type"].startswith("text/event-stream")
    assert stream.response.headers["Cache-Control"] == "no-store"
    inbox = org.new_inbox()
    endpoint = org.new_endpoint(inbox["url"], retry_schedule=[])
    logged = org.log_call()
    [event] = events_of(stream, 1)
    assert (event["payload_id"], event["event"], event["call_id"]) == (
        logged["payload_id"],
        "call_logged",
        logged["call_id"],
    )
    [attempt] = events_of(stream, 1, "attempt")
    assert (attempt["endpoint_id"], attempt["number"], attempt["state"]) == (endpoint["id"], 1, "delivered")
    assert attempt["status_code"] == 200 and attempt["payload_id"] == logged["payload_id"]
    assert events_of(stream, 1, "inbox")[0]["inbox_id"] == inbox["id"]
    org.api.patch(f"/v1/endpoints/{endpoint['id']}", {"enabled": False}, status=200)
    changes = [one["change"] for one in events_of(stream, 2, "endpoint")]
    assert changes == ["created", "disabled"]


def test_a_stream_tells_of_an_endpoint_that_is_gone(org, receiver, new_stream):
    stream = new_stream()
    endpoint = org.new_endpoint(receiver.on("/hook", reply(410)))
    org.log_call()
    last = events_of(stream, 2, "endpoint")[-1]
    assert (last["endpoint_id"], last["change"]) == (endpoint["id"], "disabled")


def test_last_event_id_brings_just_what_was_missed(org, new_stream):
    first = new_stream()
    seen = org.log_call()
    events_of(first, 1)
    first.close()
    missed = [org.log_call()["payload_id"] for _ in range(40)]
    second = new_stream(first.last_event_id)
    assert [event["payload_id"] for event in events_of(second, 40)] == missed
    assert seen["payload_id"] not in missed
    assert second.of("reset") == []


def test_a_stream_without_last_event_id_begins_now(org, new_stream):
    org.log_call()
    stream = new_stream()
    logged = org.log_call()
    assert [event["payload_id"] for event in events_of(stream, 1)] == [logged["payload_id"]]


@pytest.mark.parametrize("last_event_id", ["", "nonsense", "0-0", "-5", "ffffffffffffffff-99999999999999999999"])
def test_a_last_event_id_that_is_not_known_begins_with_reset(org, new_stream, last_event_id):
    stream = new_stream(last_event_id)
    logged = org.log_call()
    events_of(stream, 1)
    kinds = [event["event"] for event in stream.events]
    assert kinds[0] == ("reset" if last_event_id else kinds[0])
    assert stream.of("event")[0]["payload_id"] == logged["payload_id"]


def test_after_a_restart_a_stream_begins_with_reset(own_server):
    org = own_server.start().new_org()
    stream = org.watch()
    org.log_call()
    events_of(stream, 1)
    last = stream.last_event_id
    assert own_server.terminate() == 0
    own_server.restart()
    later = Stream(own_server, org.token, last)
    events_of(later, 1, "reset")
    later.close()


def test_a_stream_shows_nothing_of_another_org(org, other_org, new_stream):
    stream, other = new_stream(), new_stream(of=other_org)
    org.log_call()
    logged = other_org.log_call()
    assert [event["payload_id"] for event in events_of(other, 1)] == [logged["payload_id"]]
    events_of(stream, 1)
    assert len(stream.of("event")) == len(other.of("event")) == 1


def test_many_streams_show_the_same(org, new_stream):
    streams = [new_stream() for _ in range(20)]
    logged = [org.log_call()["payload_id"] for _ in range(10)]
    for stream in streams:
        assert [event["payload_id"] for event in events_of(stream, 10)] == logged


def test_open_streams_do_not_keep_the_server_from_stopping(own_server):
    org = own_server.start().new_org()
    streams = [Stream(own_server, org.token) for _ in range(5)]
    assert own_server.terminate(seconds=8) == 0
    for stream in streams:
        stream.close()
