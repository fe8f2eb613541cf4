# SPDX-License-Identifier: Apache-2.0
"""When and how often events are sent: retries, order, limits, and what one endpoint costs another."""

import email.utils
import time

import pytest

from support import audio
from support.patience import Deadline
from support.receiver import hang, reply

MPEG = {"Content-Type": "audio/mpeg"}
LATE_S = 1.5  # how much later than due an attempt may come on a busy machine


def gaps(requests) -> list[float]:
    return [later.at - earlier.at for earlier, later in zip(requests, requests[1:])]


def test_a_failed_delivery_is_tried_again_on_schedule_until_it_succeeds(org, receiver):
    endpoint = org.new_endpoint(receiver.on("/hook", reply(500), reply(404), reply(204)), retry_schedule=["1s", "1s"])
    logged = org.log_call()
    delivery = org.wait_for_state(logged, endpoint, "delivered")
    requests = receiver.requests("/hook")
    assert [request.header("X-CallSync-Attempt") for request in requests] == ["1", "2", "3"]
    assert all(1.0 <= gap <= 1.1 + LATE_S for gap in gaps(requests))
    attempts = delivery["attempts"]
    assert [attempt["number"] for attempt in attempts] == [1, 2, 3]
    assert [attempt["status_code"] for attempt in attempts] == [500, 404, 204]
    assert [attempt["ok"] for attempt in attempts] == [False, False, True]
    assert [attempt["error"] for attempt in attempts] == ["status", "status", None]
    assert delivery["attempt_count"] == 3 and delivery["next_attempt_at"] is None


def test_after_the_last_wait_a_delivery_is_failed_and_stays(org, receiver):
    endpoint = org.new_endpoint(receiver.on("/hook", reply(500)), retry_schedule=["1s"])
    logged = org.log_call()
    delivery = org.wait_for_state(logged, endpoint, "failed")
    assert len(receiver.requests("/hook")) == delivery["attempt_count"] == 2
    assert [row["id"] for row in org.deliveries(state="failed")] == [delivery["id"]]
    assert org.endpoint(endpoint["id"])["enabled"]


def test_an_empty_schedule_means_one_attempt(org, receiver):
    endpoint = org.new_endpoint(receiver.on("/hook", reply(500)), retry_schedule=[])
    delivery = org.wait_for_state(org.log_call(), endpoint, "failed")
    assert delivery["attempt_count"] == len(receiver.requests("/hook")) == 1


def test_a_waiting_retry_tells_when_it_is_due(org, receiver):
    endpoint = org.new_endpoint(receiver.on("/hook", reply(500)))
    assert endpoint["retry_schedule"] == ["5s", "5m", "30m", "2h", "5h", "10h", "14h", "20h", "24h"]
    delivery = org.wait_for_state(org.log_call(), endpoint, "retrying")
    wait = _seconds(delivery["next_attempt_at"]) - _seconds(delivery["attempts"][0]["started_at"])
    assert 5 <= wait <= 5.5 + LATE_S


def _seconds(text: str) -> float:
    whole, _, fraction = text.removesuffix("Z").partition(".")
    parsed = time.strptime(whole + " UTC", "%Y-%m-%dT%H:%M:%S %Z")
    return time.mktime(parsed) - time.timezone + float("0." + (fraction or "0"))


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_lengthens_the_wait_and_holds_the_whole_endpoint(org, receiver, status):
    busy = reply(status, [("Retry-After", "3")])
    endpoint = org.new_endpoint(receiver.on("/hook", busy, reply(200)), retry_schedule=["1s"], ordering="none")
    first = org.log_call()
    org.wait_for_state(first, endpoint, "retrying")
    second = org.log_call()
    requests = receiver.wait_for_count(3, "/hook")
    assert all(request.at - requests[0].at >= 2.9 for request in requests[1:])
    assert {request.payload_id for request in requests[1:]} == {first["payload_id"], second["payload_id"]}
    assert all(request.at - requests[0].at <= 3.3 + LATE_S for request in requests[1:])


def test_retry_after_on_another_failure_holds_that_delivery_alone(org, receiver):
    slow = reply(500, [("Retry-After", "2")])
    endpoint = org.new_endpoint(receiver.on("/hook", slow, reply(200)), retry_schedule=["1s"])
    first = org.log_call()
    org.wait_for_state(first, endpoint, "retrying")
    second = org.log_call()
    requests = receiver.wait_for_count(3, "/hook")
    assert [request.payload_id for request in requests[1:]] == [second["payload_id"], first["payload_id"]]
    assert requests[2].at - requests[0].at >= 1.9


def test_retry_after_may_be_a_date(org, receiver):
    def in_three_seconds(line):
        reply(503, [("Retry-After", email.utils.formatdate(time.time() + 3, usegmt=True))])(line)

    org.new_endpoint(receiver.on("/hook", in_three_seconds, reply(200)), retry_schedule=["1s"])
    org.log_call()
    requests = receiver.wait_for_count(2, "/hook")
    assert 1.9 <= requests[1].at - requests[0].at <= 3.3 + LATE_S


@pytest.mark.parametrize(
    "value", ["-5", "soon", "", "99999999999999999999", "Thu, 01 Jan 1970 00:00:00 GMT", "1e9", "\xff"]
)
def test_a_retry_after_that_is_wrong_past_or_huge_does_no_harm(org, receiver, value):
    endpoint = org.new_endpoint(receiver.on("/hook", reply(500, [("Retry-After", value)])), retry_schedule=["1s"])
    delivery = org.wait_for_state(org.log_call(), endpoint, "retrying", "failed")
    if delivery["state"] == "retrying":
        wait = _seconds(delivery["next_attempt_at"]) - _seconds(delivery["attempts"][0]["started_at"])
        assert 1 <= wait <= 24 * 3600 * 1.1 + LATE_S


def test_410_fails_the_delivery_and_disables_the_endpoint(org, receiver):
    endpoint = org.new_endpoint(receiver.on("/hook", reply(410)), retry_schedule=["1s", "1s"])
    delivery = org.wait_for_state(org.log_call(), endpoint, "failed")
    assert delivery["attempt_count"] == 1
    shown = org.endpoint(endpoint["id"])
    assert (shown["enabled"], shown["disabled_reason"]) == (False, "gone")
    assert shown["disabled_at"] is not None


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
def test_a_redirect_is_a_failure_and_its_target_gets_nothing(org, receiver, status):
    target = receiver.on("/elsewhere")
    endpoint = org.new_endpoint(receiver.on("/hook", reply(status, [("Location", target)])), retry_schedule=[])
    delivery = org.wait_for_state(org.log_call(), endpoint, "failed")
    assert delivery["attempts"][0]["status_code"] == status
    assert receiver.requests("/elsewhere") == []


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_2xx_is_success(org, receiver, status):
    endpoint = org.new_endpoint(receiver.on("/hook", reply(status)), retry_schedule=[])
    assert org.wait_for_state(org.log_call(), endpoint, "delivered")["attempts"][0]["status_code"] == status


@pytest.mark.parametrize("status", [400, 401, 404, 418, 499, 500, 599])
def test_every_4xx_and_5xx_is_a_failure(org, receiver, status):
    endpoint = org.new_endpoint(receiver.on("/hook", reply(status)), retry_schedule=[])
    assert org.wait_for_state(org.log_call(), endpoint, "failed")["attempts"][0]["status_code"] == status


def test_events_of_a_call_stay_in_order_while_attempts_fail_and_other_calls_go_ahead(org, receiver):
    failed = set()

    def fail_each_once(request):
        if request.payload_id in failed or request.json["data"]["call_details"]["call_id"] == other_id:
            return reply(200)
        failed.add(request.payload_id)
        return reply(500)

    other_id = None
    org.new_endpoint(receiver.decide("/hook", fail_each_once), retry_schedule=["1s"])
    call_id = org.log_call()["call_id"]
    path = f"/v1/calls/{call_id}"
    org.api.put(path + "/recording", body=audio.mp3(), headers=MPEG, status=200)
    org.api.put(path + "/analysis", {"status": "completed"}, status=200)
    receiver.wait_for_answers(1, "/hook")
    other = org.api.post("/v1/calls", {"type": "missed", "phone": None}, status=201).json
    other_id = other["call_id"]

    def of(number, requests):
        return [one for one in requests if one.json["data"]["call_details"]["call_id"] == number]

    requests = receiver.wait_for(lambda seen: len(of(call_id, seen)) == 6, "/hook")
    kinds = [request.json["event"] for request in of(call_id, requests)]
    assert kinds == [kind for kind in ("call_logged", "recording_updated", "ai_analysis") for _ in range(2)]
    assert of(other_id, requests)[0].number < of(call_id, requests)[1].number
    assert all(request.header("X-CallSync-Out-Of-Order") is None for request in requests)


def test_an_event_goes_on_once_an_earlier_one_of_its_call_has_failed_for_good(org, receiver):
    def refuse_calls(request):
        return reply(500 if request.json["event"] == "call_logged" else 200)

    org.new_endpoint(receiver.decide("/hook", refuse_calls), retry_schedule=["1s"])
    logged = org.log_call()
    org.api.put(f"/v1/calls/{logged['call_id']}/recording", {"file_status": "uploading"}, status=200)
    requests = receiver.wait_for_count(3, "/hook")
    assert [request.json["event"] for request in requests] == ["call_logged", "call_logged", "recording_updated"]


def test_without_ordering_a_later_event_does_not_wait(org, receiver):
    org.new_endpoint(receiver.on("/hook", reply(500), reply(200)), retry_schedule=["1s"], ordering="none")
    logged = org.log_call()
    receiver.wait_for_answers(1, "/hook")
    org.api.put(f"/v1/calls/{logged['call_id']}/recording", {"file_status": "uploading"}, status=200)
    requests = receiver.wait_for_count(3, "/hook")
    assert [request.json["event"] for request in requests] == ["call_logged", "recording_updated", "call_logged"]


def test_with_ordering_endpoint_everything_is_first_in_first_out(org, receiver):
    org.new_endpoint(receiver.on("/hook", reply(500), reply(200)), retry_schedule=["1s"], ordering="endpoint")
    logged = [org.log_call()["payload_id"] for _ in range(10)]
    requests = receiver.wait_for_count(11, "/hook")
    assert [request.payload_id for request in requests] == [logged[0], *logged]
    assert receiver.max_in_flight["/hook"] == 1


def test_max_in_flight_is_never_exceeded_and_is_used(org, receiver):
    gate = receiver.gate()
    org.new_endpoint(receiver.on("/gated", gate.then(reply(200))), max_in_flight=3, ordering="none")
    org.new_endpoint(receiver.on("/free"), max_in_flight=5)
    for _ in range(30):
        org.log_call()
    receiver.wait_for_count(30, "/free")
    assert len(receiver.wait_for_count(3, "/gated")) == 3
    gate.open()
    receiver.wait_for_count(30, "/gated")
    assert receiver.max_in_flight["/gated"] == 3
    assert receiver.max_in_flight["/free"] <= 5


def test_a_lower_max_in_flight_counts_from_then_on(org, receiver):
    gates = [receiver.gate() for _ in range(2)]
    endpoint = org.new_endpoint(receiver.on("/hook", gates[0].then(reply(200))), max_in_flight=4, ordering="none")
    for _ in range(12):
        org.log_call()
    receiver.wait_for_count(4, "/hook")
    org.api.patch(f"/v1/endpoints/{endpoint['id']}", {"max_in_flight": 1}, status=200)
    receiver.max_in_flight["/hook"] = 0
    receiver.on("/hook", gates[1].then(reply(200)))
    gates[0].open()
    receiver.wait_for_answers(4, "/hook")
    gates[1].open()
    receiver.wait_for_count(12, "/hook")
    assert receiver.max_in_flight["/hook"] <= 1


def test_rate_limit_spreads_attempts_and_costs_no_retry(org, receiver):
    endpoint = org.new_endpoint(receiver.on("/hook"), rate_limit=10, retry_schedule=[], ordering="none")
    logged = [org.log_call() for _ in range(16)]
    requests = receiver.wait_for_count(16, "/hook")
    for first, last in zip(requests, requests[11:]):
        assert last.at - first.at >= 0.9, "12 attempts in less than a second"
    assert requests[-1].at - requests[0].at <= 1.6 + LATE_S
    for one in logged:
        assert org.wait_for_state(one, endpoint, "delivered")["attempt_count"] == 1


def test_a_slow_a_dead_and_a_failing_endpoint_delay_no_other(org, receiver):
    org.new_endpoint(receiver.on("/slow", hang()), timeout_s=30, ordering="none", max_in_flight=100)
    org.new_endpoint(receiver.on("/failing", reply(500)), retry_schedule=["1s"] * 20)
    org.new_endpoint("http://127.0.0.1:9/dead", retry_schedule=["1s"] * 20)
    org.new_endpoint(receiver.on("/good"))
    answered = {}
    for _ in range(100):
        logged = org.log_call()
        answered[logged["payload_id"]] = time.monotonic()
    requests = receiver.wait_for_count(100, "/good")
    lags = sorted(request.at - answered[request.payload_id] for request in requests)
    assert lags[95] < 1.0, lags


def test_the_recorded_duration_is_that_of_the_wire_and_not_of_the_queue(org, receiver):
    gate = receiver.gate()
    endpoint = org.new_endpoint(receiver.on("/hook", gate.then(reply(200)), reply(200)), max_in_flight=1)
    org.new_endpoint(receiver.on("/pace", reply(500), reply(200)), retry_schedule=["1s"], events=["call_logged"])
    first, second = org.log_call(), org.log_call()
    receiver.wait_for_count(3, "/pace")
    gate.open()
    slow = org.wait_for_state(first, endpoint, "delivered")["attempts"][0]
    quick = org.wait_for_state(second, endpoint, "delivered")["attempts"][0]
    assert slow["duration_ms"] >= 900
    assert quick["duration_ms"] < 500


def test_deliveries_are_found_by_endpoint_state_event_and_call(org, receiver):
    good = org.new_endpoint(receiver.on("/good"))
    bad = org.new_endpoint(receiver.on("/bad", reply(500)), retry_schedule=[])
    logged = org.log_call()
    org.wait_for_state(logged, good, "delivered")
    org.wait_for_state(logged, bad, "failed")
    assert len(org.deliveries()) == len(org.deliveries(call_id=logged["call_id"])) == 2
    assert [row["endpoint_id"] for row in org.deliveries(state="failed")] == [bad["id"]]
    assert [row["state"] for row in org.deliveries(endpoint_id=good["id"])] == ["delivered"]
    assert org.deliveries(event="ai_analysis") == [] and len(org.deliveries(event="call_logged")) == 2
    assert org.api.get("/v1/deliveries?state=lost", status=422).fields == ["state"]
    assert org.delivery_of(logged, good)["payload"]["payload_id"] == logged["payload_id"]


def test_statistics_count_outcomes_and_show_latency(org, receiver):
    endpoint = org.new_endpoint(receiver.on("/hook", reply(500), reply(200)), retry_schedule=["1s"])
    org.wait_for_state(org.log_call(), endpoint, "delivered")
    path = f"/v1/endpoints/{endpoint['id']}/stats?window="
    # Counts are written once in a while.
    deadline = Deadline()
    while org.api.get(path + "1h", status=200).json["attempts"] < 2 and not deadline.is_over():
        pass
    for window in ("1h", "24h", "7d"):
        stats = org.api.get(path + window, status=200).json
        assert (stats["delivered"], stats["failed"], stats["waiting"]) == (1, 1, 0)
        assert stats["success_rate"] == 0.5 and stats["p50_ms"] > 0
        assert stats["last_success_at"] is not None and stats["last_failure_at"] is not None
        assert sum(bucket["attempts"] for bucket in stats["buckets"]) == 2
    assert org.api.get(f"/v1/endpoints/{endpoint['id']}/stats?window=1y", status=422).fields == ["window"]


def test_own_header_values_are_hidden_in_the_kept_attempts(org, receiver):
    endpoint = org.new_endpoint(receiver.on("/hook"), headers={"X-Api-Key": "very-secret-value"})
    org.server.secrets.add("very-secret-value")
    logged = org.log_call()
    delivery = org.wait_for_state(logged, endpoint, "delivered")
    assert receiver.requests("/hook")[0].header("X-Api-Key") == "very-secret-value"
    kept = delivery["attempts"][0]["request"]["headers"]
    assert "very-secret-value" not in str(delivery)
    assert {name.lower() for name in kept} >= {"x-api-key", "x-callsync-event", "webhook-id"}
    assert "very-secret-value" not in org.new_token("read").get("/v1/endpoints", status=200).body.decode()
