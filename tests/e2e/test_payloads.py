# SPDX-License-Identifier: Apache-2.0
"""What arrives: the bytes, their order of members, what they say, and the headers around them."""

import json
import re

import pytest

from support import audio
from support.api import now_text
from support.org import new_phone
from support.receiver import reply
from support.server import run

TIME_MS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
ORDER = {
    "": ["event", "type", "org_id", "timestamp", "payload_id", "data"],
    "data": ["call_details", "caller", "identity", "ai_analysis", "staff"],
    "data.call_details": [
        "call_id",
        "direction",
        "type",
        "status",
        "duration_total",
        "recording_url",
        "file_status",
        "reviewed",
        "started_at",
    ],
    "data.caller": ["phone", "name"],
    "data.identity": ["id", "name", "phone", "email", "note", "labels"],
    "data.staff": ["id", "name", "phone", "email"],
}
RESULT_ORDER = (
    "status version language completed_at engine summary sentiment topics action_items score talk transcript error"
).split()


def as_stringified(body: bytes) -> bytes:
    """What JSON.stringify makes of what the bytes say."""
    return json.dumps(json.loads(body), separators=(",", ":"), ensure_ascii=False).encode()


def assert_order(payload: dict) -> None:
    for path, names in ORDER.items():
        part = payload
        for name in path.split(".") if path else []:
            part = part[name]
        assert list(part) == names, path


def emit_all_kinds(org) -> dict:
    """One call with an event of each kind; what logging it answered."""
    contact = org.new_contact(name='Ann "A" O\\Neil/Ω🚀\u2028', email="ann@example.com", labels=["vip", "ä/b"])
    logged = org.log_call(phone=contact["phone"], staff={"name": "Rahul Sharma", "phone": "+918877665544"})
    path = f"/v1/calls/{logged['call_id']}"
    org.api.put(path + "/recording", body=audio.mp3(), headers={"Content-Type": "audio/mpeg"}, status=200)
    analysis = {"status": "completed", "language": "en", "summary": "Zwölf\tZeilen\n\u0001\u007f/", "topics": ["a"]}
    org.api.put(path + "/analysis", analysis, status=200)
    org.api.patch(f"/v1/contacts/{contact['id']}", {"note": "two\nlines"}, status=200)
    return logged


def test_the_bytes_of_each_event_are_those_that_the_api_shows_and_that_json_stringify_gives(org, receiver):
    org.new_endpoint(receiver.on("/hook"))
    emit_all_kinds(org)
    requests = receiver.wait_for_count(4, "/hook")
    kinds = [request.header("X-CallSync-Event") for request in requests]
    assert sorted(kinds) == ["ai_analysis", "call_logged", "caller_updated", "recording_updated"]
    for request in requests:
        shown = org.api.get(f"/v1/events/{request.payload_id}", status=200).body
        assert b'"payload":' + request.body in shown
        assert request.body == as_stringified(request.body)
        assert_order(request.json)
        result = request.json["data"]["ai_analysis"]
        if request.json["event"] == "ai_analysis":
            assert [name for name in result if name != "reason"] == RESULT_ORDER
        else:
            assert list(result) in (["status"], ["status", "reason"])


def test_every_attempt_and_replay_sends_the_same_bytes(org, receiver):
    endpoint = org.new_endpoint(receiver.on("/hook", reply(500), reply(200)), retry_schedule=["1s"])
    contact = org.new_contact(name="Before")
    logged = org.log_call(phone=contact["phone"])
    org.wait_for_state(logged, endpoint, "delivered")
    org.api.patch(f"/v1/contacts/{contact['id']}", {"name": "After"}, status=200)
    org.api.post(f"/v1/events/{logged['payload_id']}/replay", {}, status=202)

    def of_call(requests):
        return [request for request in requests if request.payload_id == logged["payload_id"]]

    requests = of_call(receiver.wait_for(lambda requests: len(of_call(requests)) == 3, "/hook"))
    assert len({request.body for request in requests}) == 1
    assert requests[0].json["data"]["identity"]["name"] == "Before"
    assert [request.header("X-CallSync-Attempt") for request in requests] == ["1", "2", "3"]
    assert len({request.header("X-CallSync-Delivery") for request in requests}) == 1


def test_a_payload_says_what_was_logged(org, receiver):
    org.new_endpoint(receiver.on("/hook"))
    contact = org.new_contact(name="Jane Roe", email="jane@example.com", note="VIP", labels=["high-value", "priority"])
    staff = org.api.post("/v1/staff", {"id": "emp_7721", "name": "Rahul", "email": "r@example.com"}, status=201).json
    logged = org.log_call(
        phone=contact["phone"],
        name="J. Roe",
        duration=7,
        started_at="2024-04-28T17:28:00.900+05:30",
        staff_id="emp_7721",
    )
    [request] = receiver.wait_for_count(1, "/hook")
    payload = request.json
    assert TIME_MS.fullmatch(payload.pop("timestamp"))
    assert payload == {
        "event": "call_logged",
        "type": "incoming",
        "org_id": org.id,
        "payload_id": logged["payload_id"],
        "data": {
            "call_details": {
                "call_id": logged["call_id"],
                "direction": "incoming",
                "type": "incoming",
                "status": "incoming",
                "duration_total": "7",
                "recording_url": None,
                "file_status": "pending",
                "reviewed": False,
                "started_at": "2024-04-28T11:58:00Z",
            },
            "caller": {"phone": contact["phone"], "name": "J. Roe"},
            "identity": {
                "id": contact["id"],
                "name": "Jane Roe",
                "phone": contact["phone"],
                "email": "jane@example.com",
                "note": "VIP",
                "labels": ["high-value", "priority"],
            },
            "ai_analysis": {"status": "pending"},
            "staff": {"id": staff["id"], "name": "Rahul", "phone": None, "email": "r@example.com"},
        },
    }


def test_an_unknown_caller_has_an_identity_of_the_phone_alone_and_no_staff(org, receiver):
    org.new_endpoint(receiver.on("/hook"))
    phone = new_phone()
    org.log_call(phone=phone)
    [request] = receiver.wait_for_count(1, "/hook")
    data = request.json["data"]
    assert data["caller"] == {"phone": phone, "name": None}
    none = {"id": None, "name": None, "email": None}
    assert data["identity"] == none | {"phone": phone, "note": None, "labels": []}
    assert data["staff"] == none | {"phone": None}


@pytest.mark.parametrize("phone", [None, "911", "12345678", "+1234567", "+123456789012345"])
def test_withheld_numbers_short_codes_and_e164_are_shown_as_they_came(org, receiver, phone):
    org.new_endpoint(receiver.on("/hook"))
    org.log_call(phone=phone)
    [request] = receiver.wait_for_count(1, "/hook")
    assert request.json["data"]["caller"]["phone"] == request.json["data"]["identity"]["phone"] == phone


@pytest.mark.parametrize(
    "kind, direction, duration, file_status",
    [
        ("incoming", "incoming", "124", "pending"),
        ("outgoing", "outgoing", "124", "pending"),
        ("missed", "incoming", "0", "none"),
        ("rejected", "incoming", "0", "none"),
    ],
)
def test_each_type_of_call_has_its_direction_duration_and_file_status(
    org, receiver, kind, direction, duration, file_status
):
    org.new_endpoint(receiver.on("/hook"), events=["call_logged"])
    org.log_call(type=kind)
    [request] = receiver.wait_for_count(1, "/hook")
    details = request.json["data"]["call_details"]
    assert request.json["type"] == details["type"] == details["status"] == kind
    assert (details["direction"], details["duration_total"], details["file_status"]) == (
        direction,
        duration,
        file_status,
    )


def test_an_analysis_without_audio_is_skipped_from_the_start(org, receiver):
    org.new_endpoint(receiver.on("/hook"))
    for members in ({"recording": "none"}, {"type": "missed"}, {"type": "rejected"}):
        org.log_call(**members)
    for request in receiver.wait_for_count(3, "/hook"):
        assert request.json["data"]["ai_analysis"]["status"] == "skipped"
        assert request.json["data"]["ai_analysis"]["reason"]


@pytest.mark.parametrize("file_status", ["absent", "failed", "none"])
def test_an_analysis_whose_audio_never_comes_ends_as_skipped_with_its_event(org, receiver, file_status):
    org.new_endpoint(receiver.on("/hook"))
    logged = org.log_call()
    org.api.put(f"/v1/calls/{logged['call_id']}/recording", {"file_status": file_status}, status=200)
    kinds = {request.json["event"]: request.json for request in receiver.wait_for_count(3, "/hook")}
    assert kinds["call_logged"]["data"]["ai_analysis"] == {"status": "pending"}
    assert kinds["recording_updated"]["data"]["call_details"]["file_status"] == file_status
    assert kinds["ai_analysis"]["data"]["ai_analysis"]["status"] == "skipped"


def test_a_request_has_the_headers_of_the_contract(org, receiver):
    endpoint = org.new_endpoint(receiver.on("/hook?tenant=7"), headers={"X-Api-Key": "abc", "X-Two": "a b\tc"})
    logged = org.log_call()
    [request] = receiver.wait_for_count(1, "/hook")
    delivery = org.delivery_of(logged, endpoint)
    version = run("--version").stdout.split()[-1]
    assert (request.method, request.target) == ("POST", "/hook?tenant=7")
    assert request.header("Content-Type") == "application/json"
    assert request.header("User-Agent") == f"CallSync/{version}"
    assert request.header("X-CallSync-Event") == "call_logged"
    assert request.header("X-CallSync-Delivery") == delivery["id"]
    assert request.header("X-CallSync-Attempt") == "1"
    assert request.header("X-CallSync-Test") is None
    assert request.header("X-CallSync-Out-Of-Order") is None
    assert request.header("Expect") is None
    assert request.header("Host") == f"127.0.0.1:{receiver.port}"
    assert request.header("Content-Length") == str(len(request.body))
    assert request.header("X-Api-Key") == "abc"
    assert request.header("X-Two") == "a b\tc"
    assert re.fullmatch(r"[0-9a-f]{64}", request.header("X-CallSync-Signature"))
    assert request.payload_id.startswith("wh_") and not request.payload_id.startswith("wh_test_")


@pytest.mark.parametrize(
    "name, value",
    [
        ("X-CallSync-Signature", "mine"),
        ("x-callsync-event", "mine"),
        ("WEBHOOK-ID", "mine"),
        ("webhook-signature", "mine"),
        ("Host", "elsewhere.example"),
        ("Content-Length", "5"),
        ("content-type", "text/plain"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "close"),
        ("User-Agent", "mine"),
        ("X-A", "b\r\nX-C: d"),
        ("X-A", "b\nX-C: d"),
        ("X-A: b\r\nX-C", "d"),
        ("X A", "b"),
        ("", "b"),
        ("X-A", 5),
    ],
)
def test_own_headers_may_not_override_ours_nor_break_the_head(org, receiver, name, value):
    body = {"url": receiver.base + "/hook", "headers": {name: value}}
    fields = org.api.post("/v1/endpoints", body, status=422).fields
    assert len(fields) == 1 and fields[0].startswith("headers")


def test_a_nul_in_a_header_is_refused(org, receiver):
    body = {"url": receiver.base + "/hook", "headers": {"X-A": "b\0c"}}
    assert org.api.post("/v1/endpoints", body).status in (400, 422)


def test_events_and_types_choose_what_an_endpoint_gets(org, receiver):
    everything = org.new_endpoint(receiver.on("/all"))
    org.new_endpoint(receiver.on("/missed"), types=["missed"], events=["call_logged"])
    org.new_endpoint(receiver.on("/recordings"), events=["recording_updated"])
    answered = org.log_call()
    missed = org.log_call(type="missed", duration=0)
    assert (answered["deliveries"], missed["deliveries"]) == (1, 2)
    org.api.put(f"/v1/calls/{answered['call_id']}/recording", {"file_status": "uploading"}, status=200)
    [request] = receiver.wait_for_count(1, "/recordings")
    assert request.json["data"]["call_details"]["file_status"] == "uploading"
    [request] = receiver.wait_for_count(1, "/missed")
    assert request.payload_id == missed["payload_id"]
    receiver.wait_for_count(3, "/all")
    assert len(receiver.requests("/missed")) == len(receiver.requests("/recordings")) == 1
    reasons = {row["endpoint_id"]: row["no_delivery_reason"] for row in org.event(answered["payload_id"])["endpoints"]}
    assert reasons.pop(everything["id"]) is None
    assert set(reasons.values()) == {"not_selected"}


def test_a_sample_says_that_it_is_one(org, receiver):
    endpoint = org.new_endpoint(receiver.on("/hook", reply(202, body=b"thanks")))
    answer = org.api.post(
        f"/v1/endpoints/{endpoint['id']}/test", {"event": "ai_analysis", "type": "outgoing"}, status=200
    )
    [request] = receiver.requests("/hook")
    assert request.header("X-CallSync-Test") == "1"
    assert request.payload_id.startswith("wh_test_") and request.json["org_id"] == org.id
    assert (request.json["event"], request.json["type"]) == ("ai_analysis", "outgoing")
    told = answer.json
    assert (told["ok"], told["status_code"], told["error"]) == (True, 202, None)
    assert told["request"]["body"].encode() == request.body
    assert told["request"]["url"] == receiver.base + "/hook"
    assert told["response"]["body"] == "thanks"
    assert told["duration_ms"] > 0
    assert endpoint["secret"] not in answer.body.decode()
    assert org.events() == [] and org.deliveries() == []


def test_started_at_is_now_when_it_is_left_out(org, receiver):
    org.new_endpoint(receiver.on("/hook"))
    before = now_text()
    org.log_call()
    [request] = receiver.wait_for_count(1, "/hook")
    assert before <= request.json["data"]["call_details"]["started_at"] <= now_text()
