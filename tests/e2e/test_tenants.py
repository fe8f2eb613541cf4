# SPDX-License-Identifier: Apache-2.0
"""What belongs to an org is not there for another: 404 on every route, and in no list."""

import pytest

from support import audio
from support.receiver import hang, reply

ROUTES = [
    ("GET", "/v1/calls/{call}", None),
    ("PATCH", "/v1/calls/{call}", {"reviewed": True}),
    ("GET", "/v1/calls/{call}/recording", None),
    ("PUT", "/v1/calls/{call}/recording", {"file_status": "failed"}),
    ("DELETE", "/v1/calls/{call}/recording", None),
    ("PUT", "/v1/calls/{call}/analysis", {"status": "completed"}),
    ("GET", "/v1/contacts/{contact}", None),
    ("PATCH", "/v1/contacts/{contact}", {"name": "Mine"}),
    ("DELETE", "/v1/contacts/{contact}", None),
    ("GET", "/v1/staff/{staff}", None),
    ("PATCH", "/v1/staff/{staff}", {"name": "Mine"}),
    ("DELETE", "/v1/staff/{staff}", None),
    ("GET", "/v1/endpoints/{endpoint}", None),
    ("PATCH", "/v1/endpoints/{endpoint}", {"enabled": False}),
    ("DELETE", "/v1/endpoints/{endpoint}", None),
    ("GET", "/v1/endpoints/{endpoint}/secret", None),
    ("POST", "/v1/endpoints/{endpoint}/secret/rotate", {}),
    ("POST", "/v1/endpoints/{endpoint}/test", {}),
    ("GET", "/v1/endpoints/{endpoint}/stats", None),
    ("POST", "/v1/endpoints/{endpoint}/recover", {"since": "2024-01-01T00:00:00Z", "what": "all"}),
    ("GET", "/v1/events/{event}", None),
    ("POST", "/v1/events/{event}/replay", {}),
    ("GET", "/v1/deliveries/{delivery}", None),
    ("POST", "/v1/deliveries/{delivery}/retry", None),
    ("POST", "/v1/deliveries/{delivery}/cancel", None),
    ("GET", "/v1/inboxes/{inbox}", None),
    ("GET", "/v1/inboxes/{inbox}/requests", None),
    ("DELETE", "/v1/inboxes/{inbox}", None),
    ("DELETE", "/v1/tokens/{token}", None),
]
LISTS = ["calls", "contacts", "staff", "endpoints", "events", "deliveries"]


@pytest.fixture
def owned(org, receiver) -> dict:
    """One of everything, of an org; the delivery is unfinished."""
    endpoint = org.new_endpoint(receiver.on("/hook", hang()))
    logged = org.log_call()
    path = f"/v1/calls/{logged['call_id']}/recording"
    org.api.put(path, body=audio.mp3(), headers={"Content-Type": "audio/mpeg"}, status=200)
    return {
        "call": logged["call_id"],
        "contact": org.new_contact()["id"],
        "staff": org.api.post("/v1/staff", {"name": "A"}, status=201).json["id"],
        "endpoint": endpoint["id"],
        "event": logged["payload_id"],
        "delivery": org.delivery_of(logged, endpoint)["id"],
        "inbox": org.new_inbox()["id"],
        "token": org.api.get("/v1/tokens", status=200).json["data"][0]["id"],
    }


def test_every_route_answers_404_to_another_org_and_changes_nothing(org, other_org, owned):
    for method, path, body in ROUTES:
        answer = other_org.api.request(method, path.format(**owned), body)
        assert answer.status == 404, f"{method} {path}: {answer}"
    for what in LISTS:
        assert other_org.api.pages(f"/v1/{what}") == [], what
    assert len(other_org.api.pages("/v1/tokens")) == 1
    call = org.api.get(f"/v1/calls/{owned['call']}", status=200).json
    assert call["data"]["call_details"]["file_status"] == "completed"
    assert not call["data"]["call_details"]["reviewed"]
    assert org.endpoint(owned["endpoint"])["enabled"]


def test_the_same_ids_in_two_orgs_are_two_things(org, other_org):
    for one, name in ((org, "First"), (other_org, "Second")):
        one.api.post("/v1/contacts", {"id": "contact_1", "phone": "+919811111111", "name": name}, status=201)
        one.api.post("/v1/staff", {"id": "emp_1", "name": name}, status=201)
    assert org.api.get("/v1/contacts/contact_1", status=200).json["name"] == "First"
    assert other_org.api.get("/v1/contacts/contact_1", status=200).json["name"] == "Second"
    logged = other_org.log_call(phone="+919811111111", staff_id="emp_1")
    data = other_org.event(logged["payload_id"])["payload"]["data"]
    assert (data["identity"]["name"], data["staff"]["name"]) == ("Second", "Second")


def test_a_call_cannot_name_the_staff_of_another_org(org, other_org):
    org.api.post("/v1/staff", {"id": "emp_1", "name": "A"}, status=201)
    body = {"type": "incoming", "phone": "911", "staff_id": "emp_1"}
    assert other_org.api.post("/v1/calls", body, status=422).fields == ["staff_id"]


def test_an_event_is_not_replayed_to_the_endpoint_of_another_org(org, other_org, receiver):
    endpoint = org.new_endpoint(receiver.on("/hook"))
    logged = other_org.log_call()
    body = {"endpoint_id": endpoint["id"]}
    assert other_org.api.post(f"/v1/events/{logged['payload_id']}/replay", body).status in (404, 422)
    org.log_call()
    receiver.wait_for_count(1, "/hook")
    assert [request.json["org_id"] for request in receiver.requests("/hook")] == [org.id]


def test_the_events_of_an_org_go_to_its_endpoints_alone(org, other_org, receiver):
    org.new_endpoint(receiver.on("/one"))
    other_org.new_endpoint(receiver.on("/two"))
    for _ in range(3):
        org.log_call()
        other_org.log_call()
    assert {request.json["org_id"] for request in receiver.wait_for_count(3, "/one")} == {org.id}
    assert {request.json["org_id"] for request in receiver.wait_for_count(3, "/two")} == {other_org.id}


def test_a_token_with_the_org_header_of_another_org_is_refused(org, other_org):
    answer = org.api.get("/v1/calls", headers={"X-CallSync-Org": other_org.id})
    assert answer.status == 404


def test_deleting_an_org_ends_its_tokens_and_its_deliveries(server, receiver):
    doomed = server.new_org()
    endpoint = doomed.new_endpoint(receiver.on("/hook", reply(500)), retry_schedule=["1s"])
    logged = doomed.log_call()
    receiver.wait_for_answers(1, "/hook")
    assert doomed.delivery_of(logged, endpoint)["state"] in ("sending", "retrying")
    server.admin().delete(f"/v1/orgs/{doomed.id}", status=204)
    doomed.api.get("/v1/calls", status=401)
    server.admin().get(f"/v1/orgs/{doomed.id}", status=404)
    other = server.new_org()
    other.new_endpoint(receiver.on("/fence", reply(500), reply(200)), retry_schedule=["1s"])
    other.log_call()
    receiver.wait_for_count(2, "/fence")
    assert len(receiver.requests("/hook")) == 1
