# SPDX-License-Identifier: Apache-2.0
"""Endpoints that are disabled, enabled and deleted, and what brings events back: recover, replay,
retry, cancel."""

from support.api import now_text
from support.receiver import reply


def set_enabled(org, endpoint: dict, enabled: bool) -> dict:
    return org.api.patch(f"/v1/endpoints/{endpoint['id']}", {"enabled": enabled}, status=200).json


def recover(org, endpoint: dict, what: str, **rest) -> int:
    body = {"since": now_text(-3600), "what": what} | rest
    return org.api.post(f"/v1/endpoints/{endpoint['id']}/recover", body, status=202).json["deliveries"]


def test_disabling_holds_what_waits_and_enabling_lets_it_go_on(org, receiver):
    endpoint = org.new_endpoint(receiver.on("/hook", reply(500), reply(200)), retry_schedule=["1s"])
    logged = org.log_call()
    org.wait_for_state(logged, endpoint, "retrying")
    shown = set_enabled(org, endpoint, False)
    assert (shown["enabled"], shown["disabled_reason"]) == (False, "manual")
    assert org.delivery_of(logged, endpoint)["state"] == "held"
    assert len(org.deliveries(state="held")) == 1
    fence = org.new_endpoint(receiver.on("/fence", reply(500), reply(200)), retry_schedule=["2s"])
    org.wait_for_state(org.log_call(), fence, "delivered")
    assert org.delivery_of(logged, endpoint)["state"] == "held" and len(receiver.requests("/hook")) == 1
    shown = set_enabled(org, endpoint, True)
    assert (shown["enabled"], shown["disabled_reason"]) == (True, None)
    delivery = org.wait_for_state(logged, endpoint, "delivered")
    assert delivery["attempt_count"] == 2


def test_events_while_disabled_make_no_delivery_and_recover_missed_brings_them(org, receiver):
    endpoint = org.new_endpoint(receiver.on("/hook"))
    before = org.log_call()
    org.wait_for_state(before, endpoint, "delivered")
    set_enabled(org, endpoint, False)
    missed = [org.log_call() for _ in range(3)]
    assert [logged["deliveries"] for logged in missed] == [0, 0, 0]
    [row] = org.event(missed[0]["payload_id"])["endpoints"]
    assert (row["delivery"], row["no_delivery_reason"]) == (None, "endpoint_disabled")
    assert (
        org.api.post(f"/v1/endpoints/{endpoint['id']}/recover", {"since": now_text(-60), "what": "missed"}).status
        == 409
    )
    set_enabled(org, endpoint, True)
    assert recover(org, endpoint, "missed") == 3
    requests = receiver.wait_for_count(4, "/hook")
    assert {request.payload_id for request in requests[1:]} == {logged["payload_id"] for logged in missed}
    assert recover(org, endpoint, "missed") == 0


def test_recover_missed_brings_events_from_before_the_endpoint_was_there(org, receiver):
    missed = [org.log_call() for _ in range(2)]
    endpoint = org.new_endpoint(receiver.on("/hook"))
    [row] = org.event(missed[0]["payload_id"])["endpoints"]
    assert row["no_delivery_reason"] == "endpoint_created_later"
    assert recover(org, endpoint, "missed", since=now_text(60)) == 0
    assert recover(org, endpoint, "missed", until=now_text(-60)) == 0
    assert recover(org, endpoint, "all") == 2
    receiver.wait_for_count(2, "/hook")


def test_recover_missed_brings_only_what_the_endpoint_wants(org, receiver):
    org.log_call()
    wanted = org.log_call(type="missed", duration=0)
    endpoint = org.new_endpoint(receiver.on("/hook"), types=["missed"], events=["call_logged"])
    assert recover(org, endpoint, "all") == 1
    assert [request.payload_id for request in receiver.wait_for_count(1, "/hook")] == [wanted["payload_id"]]


def test_recover_failed_sends_failed_deliveries_again(org, receiver):
    endpoint = org.new_endpoint(receiver.on("/hook", reply(500)), retry_schedule=[])
    logged = [org.log_call() for _ in range(3)]
    for one in logged:
        org.wait_for_state(one, endpoint, "failed")
    receiver.on("/hook", reply(200))
    assert recover(org, endpoint, "failed") == 3
    for one in logged:
        delivery = org.wait_for_state(one, endpoint, "delivered")
        assert [attempt["number"] for attempt in delivery["attempts"]] == [1, 2]
    assert recover(org, endpoint, "all") == 0


def test_a_wrong_recovery_is_refused(org, receiver):
    endpoint = org.new_endpoint(receiver.on("/hook"))
    path = f"/v1/endpoints/{endpoint['id']}/recover"
    assert sorted(org.api.post(path, {}, status=422).fields) == ["since", "what"]
    body = {"since": now_text(), "until": now_text(-60), "what": "some", "x": 1}
    assert sorted(org.api.post(path, body, status=422).fields) == ["until", "what", "x"]


def test_a_recovery_goes_on_after_a_crash(own_server, receiver):
    org = own_server.start().new_org()
    calls = [{"type": "missed", "phone": None}] * 300
    results = org.api.post("/v1/calls/batch", {"calls": calls}, status=200).json["results"]
    logged = {result["payload_id"] for result in results}
    endpoint = org.new_endpoint(
        receiver.on("/hook"), events=["call_logged"], retry_schedule=["1s"] * 5, max_in_flight=5
    )
    assert recover(org, endpoint, "missed") == 300
    own_server.kill()
    own_server.restart()
    receiver.wait_for(lambda seen: {request.payload_id for request in seen} == logged, "/hook", 60)
    # What was in flight is repeated, and what had ended with its result not yet stored: no more.
    assert len(receiver.requests("/hook")) <= 300 + 20


def test_a_replay_sends_a_delivered_event_again_to_all_or_to_one(org, receiver):
    one = org.new_endpoint(receiver.on("/one"))
    two = org.new_endpoint(receiver.on("/two"))
    off = org.new_endpoint(receiver.on("/off"), enabled=False)
    logged = org.log_call()
    org.wait_for_state(logged, one, "delivered")
    org.wait_for_state(logged, two, "delivered")
    path = f"/v1/events/{logged['payload_id']}/replay"
    assert org.api.post(path, {"endpoint_id": one["id"]}, status=202).json["deliveries"] == 1
    org.wait_until(lambda: len(org.delivery_of(logged, one)["attempts"]) == 2)
    assert org.api.post(path, status=202).json["deliveries"] == 2
    requests = receiver.wait_for_count(3, "/one")
    receiver.wait_for_count(2, "/two")
    assert [request.header("X-CallSync-Attempt") for request in requests] == ["1", "2", "3"]
    org.api.post(path, {"endpoint_id": off["id"]}, status=409)
    assert org.api.post(path, {"endpoint_id": "ep_0"}).status in (404, 422)
    assert receiver.requests("/off") == []


def test_a_replay_reaches_an_endpoint_that_came_later(org, receiver):
    logged = org.log_call()
    endpoint = org.new_endpoint(receiver.on("/hook"))
    path = f"/v1/events/{logged['payload_id']}/replay"
    assert org.api.post(path, {"endpoint_id": endpoint["id"]}, status=202).json["deliveries"] == 1
    [request] = receiver.wait_for_count(1, "/hook")
    assert request.payload_id == logged["payload_id"]


def test_a_person_can_retry_a_failed_delivery(org, receiver):
    endpoint = org.new_endpoint(receiver.on("/hook", reply(500), reply(200)), retry_schedule=[])
    logged = org.log_call()
    delivery = org.wait_for_state(logged, endpoint, "failed")
    org.api.post(f"/v1/deliveries/{delivery['id']}/retry", status=202)
    assert org.wait_for_state(logged, endpoint, "delivered")["attempt_count"] == 2


def test_a_manual_retry_takes_the_place_of_the_waiting_one(org, receiver):
    endpoint = org.new_endpoint(receiver.on("/hook", reply(500), reply(200)), retry_schedule=["1s"])
    logged = org.log_call()
    delivery = org.wait_for_state(logged, endpoint, "retrying")
    org.api.post(f"/v1/deliveries/{delivery['id']}/retry", status=202)
    org.wait_for_state(logged, endpoint, "delivered")
    fence = org.new_endpoint(receiver.on("/fence", reply(500), reply(200)), retry_schedule=["2s"], types=["missed"])
    org.wait_for_state(org.log_call(type="missed"), fence, "delivered")
    assert len([one for one in receiver.requests("/hook") if one.payload_id == logged["payload_id"]]) == 2


def test_a_manual_retry_starts_a_new_run_of_the_schedule(org, receiver):
    endpoint = org.new_endpoint(receiver.on("/hook", reply(500)), retry_schedule=["1s"])
    logged = org.log_call()
    delivery = org.wait_for_state(logged, endpoint, "failed")
    org.api.post(f"/v1/deliveries/{delivery['id']}/retry", status=202)
    receiver.wait_for_answers(4, "/hook")
    assert org.wait_for_state(logged, endpoint, "failed")["attempt_count"] == 4


def test_a_cancelled_delivery_is_not_tried_again_until_a_person_wants_it(org, receiver):
    endpoint = org.new_endpoint(receiver.on("/hook", reply(500), reply(200)), retry_schedule=["1s"])
    logged = org.log_call()
    delivery = org.wait_for_state(logged, endpoint, "retrying")
    path = f"/v1/deliveries/{delivery['id']}"
    assert org.api.post(path + "/cancel", status=200).json["state"] == "cancelled"
    fence = org.new_endpoint(receiver.on("/fence", reply(500), reply(200)), retry_schedule=["2s"], types=["missed"])
    org.api.patch(f"/v1/endpoints/{endpoint['id']}", {"types": ["incoming"]}, status=200)
    org.wait_for_state(org.log_call(type="missed"), fence, "delivered")
    assert len(receiver.requests("/hook")) == 1
    org.api.post(path + "/cancel", status=409)
    org.api.post(path + "/retry", status=202)
    org.wait_for_state(logged, endpoint, "delivered")


def test_what_is_delivered_cannot_be_cancelled_and_a_disabled_endpoint_takes_no_retry(org, receiver):
    endpoint = org.new_endpoint(receiver.on("/hook"))
    logged = org.log_call()
    path = f"/v1/deliveries/{org.wait_for_state(logged, endpoint, 'delivered')['id']}"
    org.api.post(path + "/cancel", status=409)
    set_enabled(org, endpoint, False)
    org.api.post(path + "/retry", status=409)


def test_cancelling_lets_the_next_event_of_the_call_go(org, receiver):
    endpoint = org.new_endpoint(receiver.on("/hook", reply(500), reply(200)), retry_schedule=["1h"])
    logged = org.log_call()
    delivery = org.wait_for_state(logged, endpoint, "retrying")
    org.api.put(f"/v1/calls/{logged['call_id']}/recording", {"file_status": "uploading"}, status=200)
    org.api.post(f"/v1/deliveries/{delivery['id']}/cancel", status=200)
    requests = receiver.wait_for_count(2, "/hook")
    assert requests[1].json["event"] == "recording_updated"


def test_a_deleted_endpoint_gets_nothing_more_and_its_deliveries_end(org, receiver):
    endpoint = org.new_endpoint(receiver.on("/hook", reply(500)), retry_schedule=["1s"])
    logged = org.log_call()
    delivery = org.wait_for_state(logged, endpoint, "retrying")
    org.api.delete(f"/v1/endpoints/{endpoint['id']}", status=204)
    org.api.get(f"/v1/endpoints/{endpoint['id']}", status=404)
    assert org.delivery(delivery["id"])["state"] == "cancelled"
    fence = org.new_endpoint(receiver.on("/fence", reply(500), reply(200)), retry_schedule=["2s"])
    org.wait_for_state(org.log_call(), fence, "delivered")
    assert len(receiver.requests("/hook")) == 1


def test_a_success_at_the_last_attempt_leaves_the_endpoint_enabled(org, receiver):
    endpoint = org.new_endpoint(receiver.on("/hook", reply(500), reply(200)), retry_schedule=["1s"])
    org.wait_for_state(org.log_call(), endpoint, "delivered")
    assert org.endpoint(endpoint["id"])["enabled"]


def test_a_changed_url_counts_from_the_next_attempt_on(org, receiver):
    endpoint = org.new_endpoint(receiver.on("/old", reply(500)), retry_schedule=["1s"])
    logged = org.log_call()
    org.wait_for_state(logged, endpoint, "retrying")
    org.api.patch(f"/v1/endpoints/{endpoint['id']}", {"url": receiver.on("/new")}, status=200)
    org.wait_for_state(logged, endpoint, "delivered")
    assert len(receiver.requests("/old")) == len(receiver.requests("/new")) == 1


def test_a_held_delivery_is_still_held_after_a_restart(own_server, receiver):
    org = own_server.start().new_org()
    endpoint = org.new_endpoint(receiver.on("/hook", reply(500), reply(200)), retry_schedule=["1s"])
    logged = org.log_call()
    org.wait_for_state(logged, endpoint, "retrying")
    set_enabled(org, endpoint, False)
    assert own_server.terminate() == 0
    own_server.restart()
    assert org.delivery_of(logged, endpoint)["state"] == "held"
    assert len(receiver.requests("/hook")) == 1
    set_enabled(org, endpoint, True)
    org.wait_for_state(logged, endpoint, "delivered")


def test_a_patch_changes_what_it_names_alone(org, receiver):
    endpoint = org.new_endpoint(
        receiver.on("/hook"), description="CRM", events=["call_logged"], headers={"X-A": "b"}, timeout_s=7, rate_limit=5
    )
    path = f"/v1/endpoints/{endpoint['id']}"
    patched = org.api.patch(path, {"timeout_s": 8, "rate_limit": None}, status=200).json
    changed = {name for name in patched if patched[name] != endpoint.get(name)}
    assert changed <= {"timeout_s", "rate_limit", "updated_at"} and patched["rate_limit"] is None
    assert org.api.patch(path, {"secret": "another one"}, status=422).fields == ["secret"]
