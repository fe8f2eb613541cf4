# SPDX-License-Identifier: Apache-2.0
"""The same Idempotency-Key, and the same external_id, give the same call: I8."""

import http.client
import threading
import uuid

import pytest

from support.org import new_phone
from support.receiver import reply


def key(text: str | None = None) -> dict:
    return {"Idempotency-Key": text or str(uuid.uuid4())}


def new_body() -> dict:
    return {"type": "incoming", "phone": new_phone(), "duration": 5}


def test_the_same_key_and_body_give_the_first_answer_again(org):
    headers, body = key(), new_body()
    first = org.api.post("/v1/calls", body, headers=headers, status=201)
    again = org.api.post("/v1/calls", body, headers=headers, status=201)
    assert first.headers["Idempotency-Replayed"] is None
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.body == first.body
    assert len(org.events()) == 1


def test_the_same_key_with_another_body_is_422(org):
    headers = key()
    org.api.post("/v1/calls", new_body(), headers=headers, status=201)
    assert org.api.post("/v1/calls", new_body(), headers=headers, status=422).fields == ["Idempotency-Key"]
    assert len(org.events()) == 1


def test_a_key_is_its_orgs_own(org, other_org):
    headers, body = key(), new_body()
    first = org.api.post("/v1/calls", body, headers=headers, status=201)
    second = other_org.api.post("/v1/calls", body, headers=headers, status=201)
    assert second.headers["Idempotency-Replayed"] is None
    assert first.json["call_id"] != second.json["call_id"]


def test_a_refused_request_does_not_use_its_key_up(org):
    headers = key()
    org.api.post("/v1/calls", {"type": "video", "phone": None}, headers=headers, status=422)
    org.api.post("/v1/calls", new_body(), headers=headers, status=201)


def test_a_secret_that_was_shown_once_is_shown_again_to_the_same_key(org):
    headers, body = key(), {"name": "for a script", "scopes": ["ingest"]}
    first = org.api.post("/v1/tokens", body, headers=headers, status=201)
    org.server.secrets.add(first.json["secret"])
    assert org.api.post("/v1/tokens", body, headers=headers, status=201).body == first.body
    assert len(org.api.pages("/v1/tokens")) == 2


def test_the_same_key_on_another_path_is_another_key(org):
    headers = key()
    org.api.post("/v1/calls", new_body(), headers=headers, status=201)
    answer = org.api.post("/v1/contacts", {"phone": new_phone()}, headers=headers)
    assert answer.status in (201, 422)
    assert answer.headers["Idempotency-Replayed"] is None


@pytest.mark.parametrize("text", ["", "x" * 256, "umlaut-\xe4", "tab\there"])
def test_a_key_of_a_wrong_form_is_422(org, text):
    answer = org.api.post("/v1/calls", new_body(), headers={"Idempotency-Key": text})
    assert answer.status == 422 and answer.fields == ["Idempotency-Key"]


def test_the_longest_key_is_taken(org):
    org.api.post("/v1/calls", new_body(), headers=key("~" * 255), status=201)


def test_many_at_once_with_one_key_make_one_call(org):
    headers, body, answers = key(), new_body(), []

    def ask():
        answers.append(org.api.post("/v1/calls", body, headers=headers))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status for answer in answers} <= {201, 409}
    assert len({answer.body for answer in answers if answer.status == 201}) == 1
    assert len(org.events()) == 1


def test_while_the_first_request_runs_the_same_key_is_409(org, receiver):
    gate = receiver.gate()
    endpoint = org.new_endpoint(receiver.on("/hook", gate.then(reply(200))))
    path, headers, answers = f"/v1/endpoints/{endpoint['id']}/test", key(), []
    first = threading.Thread(target=lambda: answers.append(org.api.post(path, {}, headers=headers)))
    first.start()
    receiver.wait_for_count(1, "/hook")
    org.api.post(path, {}, headers=headers, status=409)
    gate.open()
    first.join()
    again = org.api.post(path, {}, headers=headers, status=200)
    assert again.headers["Idempotency-Replayed"] == "true" and again.body == answers[0].body
    assert len(receiver.requests("/hook")) == 1


def test_an_external_id_twice_gives_the_first_call_and_no_second_event(org):
    body = new_body() | {"external_id": "pbx1-1714305480.22"}
    first = org.api.post("/v1/calls", body, status=201).json
    again = org.api.post("/v1/calls", body | {"duration": 6}, status=200).json
    assert (again["call_id"], again["payload_id"]) == (first["call_id"], first["payload_id"])
    assert len(org.events()) == len(org.api.pages("/v1/calls")) == 1


def test_an_external_id_is_its_orgs_own(org, other_org):
    body = new_body() | {"external_id": "pbx1-1"}
    first = org.api.post("/v1/calls", body, status=201).json
    second = other_org.api.post("/v1/calls", body, status=201).json
    assert first["call_id"] != second["call_id"]


def test_many_at_once_with_one_external_id_make_one_call(org):
    body, answers = new_body() | {"external_id": "pbx1-2"}, []
    threads = [threading.Thread(target=lambda: answers.append(org.api.post("/v1/calls", body))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status for answer in answers) == [200] * 7 + [201]
    assert len({answer.json["call_id"] for answer in answers}) == 1
    assert len(org.events()) == 1


def test_a_crash_between_a_request_and_its_repetition_makes_no_second_call(own_server, receiver):
    org = own_server.start().new_org()
    org.new_endpoint(receiver.on("/hook"), retry_schedule=["1s"] * 5)
    for _ in range(5):
        headers, body = key(), new_body()
        asking = threading.Thread(target=_ask_although_it_dies, args=(org, body, headers))
        asking.start()
        own_server.kill()
        asking.join()
        own_server.restart()
        answer = org.api.post("/v1/calls", body, headers=headers, status=201).json
        calls = org.api.pages(f"/v1/calls?phone=%2B{body['phone'][1:]}")
        assert [call["call_id"] for call in calls] == [answer["call_id"]]
        assert [event["payload_id"] for event in org.events(call_id=answer["call_id"])] == [answer["payload_id"]]
    assert len(org.events()) == 5


def _ask_although_it_dies(org, body, headers) -> None:
    try:
        org.api.post("/v1/calls", body, headers=headers)
    except (OSError, http.client.HTTPException):
        pass
