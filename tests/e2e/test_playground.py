# SPDX-License-Identifier: Apache-2.0
"""The playground: sample payloads, shown and sent."""

import json

import pytest

from support.receiver import reply, reset
from support.server import ROOT
from support.signature import holds_plain, holds_standard

EVENTS = ["call_logged", "recording_updated", "ai_analysis", "caller_updated"]
TYPES = ["incoming", "outgoing", "missed", "rejected"]


def without_moments(payload: dict) -> dict:
    """The payload without what tells when it was made; the order of members stays."""
    analysis = payload["data"]["ai_analysis"]
    if "completed_at" in analysis:
        analysis["completed_at"] = None
    return payload | {"timestamp": None, "payload_id": None}


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("kind", TYPES)
def test_a_preview_is_the_worked_payload_but_for_its_moment(server, event, kind):
    answer = server.visitor().post("/v1/playground/preview", {"event": event, "type": kind}, status=200)
    worked = json.loads((ROOT / "tests" / "data" / "payloads" / f"{kind}.{event}.json").read_bytes())
    assert without_moments(answer.json) == without_moments(worked)
    assert json.dumps(without_moments(answer.json)) == json.dumps(without_moments(worked)), "the order of members"
    assert answer.json["payload_id"].startswith("wh_test_")
    assert answer.body == json.dumps(answer.json, separators=(",", ":"), ensure_ascii=False).encode()


def test_a_preview_takes_data_of_ones_own(server):
    data = {"caller": {"phone": "+4930123456", "name": "Zoë"}, "staff": {"name": "Asha"}}
    body = {"event": "call_logged", "type": "incoming", "data": data}
    shown = server.visitor().post("/v1/playground/preview", body, status=200).json["data"]
    assert shown["caller"] == data["caller"] and shown["staff"]["name"] == "Asha"


@pytest.mark.parametrize(
    "body, fields",
    [
        ({}, ["event", "type"]),
        ({"event": "lost", "type": "video", "x": 1}, ["event", "type", "x"]),
        ({"event": "call_logged", "type": "incoming", "data": 5}, ["data"]),
    ],
)
def test_a_wrong_preview_names_every_fault(server, body, fields):
    assert sorted(server.visitor().post("/v1/playground/preview", body, status=422).fields) == fields


def test_a_sample_is_sent_signed_and_marked_and_the_answer_is_shown(org, receiver):
    url = receiver.on("/hook", reply(201, [("X-Echo", "a")], b"made"))
    body = {"event": "recording_updated", "type": "outgoing", "url": url, "secret": "a secret to check"}
    answer = org.api.post("/v1/playground/send", body, status=200)
    told = answer.json
    [request] = receiver.requests("/hook")
    assert holds_plain(request, "a secret to check") and holds_standard(request, "a secret to check")
    assert request.header("X-CallSync-Test") == "1" and request.header("X-CallSync-Event") == "recording_updated"
    assert (told["ok"], told["status_code"], told["response"]["body"]) == (True, 201, "made")
    assert told["request"]["body"].encode() == request.body
    assert "a secret to check" not in answer.body.decode()
    assert request.payload_id == request.header("webhook-id") and request.payload_id.startswith("wh_test_")


def test_without_a_secret_one_is_made_and_told(org, receiver):
    body = {"event": "call_logged", "type": "incoming", "url": receiver.on("/hook")}
    told = org.api.post("/v1/playground/send", body, status=200).json
    assert holds_plain(receiver.requests("/hook")[0], told["secret"])


def test_a_body_of_ones_own_is_sent_byte_by_byte(org, receiver):
    text = '{ "mine" : [1, 2,  3],\n"b": "ä" }'
    body = {"event": "call_logged", "type": "incoming", "url": receiver.on("/hook"), "body": text, "secret": "12345678"}
    org.api.post("/v1/playground/send", body, status=200)
    [request] = receiver.requests("/hook")
    assert request.body == text.encode() and holds_plain(request, "12345678")
    assert org.api.post("/v1/playground/send", body | {"body": "{"}, status=422).fields == ["body"]


def test_a_failure_is_told(org, receiver):
    body = {"event": "call_logged", "type": "incoming", "url": receiver.on("/hook", reset())}
    told = org.api.post("/v1/playground/send", body, status=200).json
    assert (told["ok"], told["error"]) == (False, "reset")


def test_a_visitor_may_send_to_an_inbox_of_this_server_alone(own_server, receiver):
    visitor = own_server.start().visitor()
    sample = {"event": "call_logged", "type": "incoming"}
    visitor.post("/v1/playground/send", sample | {"url": receiver.on("/hook")}, status=401)
    assert receiver.connection_count == 0
    inbox = visitor.post("/v1/inboxes", {"secret": "12345678"}, status=201).json
    assert visitor.post("/v1/playground/send", sample | {"url": inbox["url"]}, status=200).json["ok"]
    [request] = visitor.get(f"/v1/inboxes/{inbox['id']}/requests", status=200).json["data"]
    assert request["signature_ok"] is True
