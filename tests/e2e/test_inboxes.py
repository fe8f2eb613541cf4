# SPDX-License-Identifier: Apache-2.0
"""Inboxes: the built-in test receivers."""

import time

import pytest

from support.org import new_phone
from support.signature import hex_hmac

SECRET = "inbox secret"


def came(org, inbox: dict) -> list[dict]:
    return org.api.pages(f"/v1/inboxes/{inbox['id']}/requests")


def path_of(org, inbox: dict) -> str:
    assert inbox["url"] == f"{org.server.base}/in/{inbox['id']}"
    return f"/in/{inbox['id']}"


def test_an_inbox_keeps_what_came_as_it_came(org):
    inbox = org.new_inbox()
    visitor = org.server.visitor()
    body = '{"a": "größer 🚀"}'.encode()
    visitor.post(
        path_of(org, inbox), body=body, headers={"Content-Type": "application/json", "X-Mine": "a"}, status=200
    )
    [request] = came(org, inbox)
    assert (request["method"], request["body"]) == ("POST", body.decode())
    headers = {name.lower(): value for name, value in request["headers"].items()}
    assert headers["x-mine"] == "a" and headers["content-type"] == "application/json"
    assert request["signature_ok"] is None
    assert request["received_at"].endswith("Z")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_an_inbox_takes_every_method_and_any_bytes(org, method):
    inbox = org.new_inbox()
    body = None if method == "GET" else b"\0\xff\xfe"
    org.server.visitor().request(method, path_of(org, inbox) + "?a=b", body=body, status=200)
    [request] = came(org, inbox)
    assert request["method"] == method
    assert (request["body"], request.get("body_encoding")) == (("", None) if body is None else ("AP/+", "base64"))


def test_an_inbox_answers_as_it_was_told(org):
    inbox = org.new_inbox(respond={"status": 503, "delay_ms": 300})
    started = time.monotonic()
    org.server.visitor().post(path_of(org, inbox), body=b"a", status=503)
    assert 0.28 <= time.monotonic() - started < 3
    assert len(came(org, inbox)) == 1


def test_a_delivery_to_an_inbox_is_judged_by_its_signature(org):
    good = org.new_inbox(secret=SECRET)
    bad = org.new_inbox(secret="another one")
    for inbox in (good, bad):
        org.new_endpoint(inbox["url"], secret=SECRET)
    org.log_call()
    org.wait_until(lambda: came(org, good) and came(org, bad))
    assert [came(org, inbox)[0]["signature_ok"] for inbox in (good, bad)] == [True, False]


@pytest.mark.parametrize(
    "headers, holds",
    [
        ({"X-CallSync-Signature": hex_hmac(SECRET, b"body")}, True),
        ({"x-callsync-signature": hex_hmac(SECRET, b"body ")}, False),
        ({"X-CallSync-Signature": ""}, False),
        ({"X-CallSync-Signature": "\xff" * 64}, False),
        ({"webhook-signature": "v1,"}, False),
        ({}, False),
    ],
)
def test_a_signature_that_is_wrong_or_missing_is_shown_as_wrong(org, headers, holds):
    inbox = org.new_inbox(secret=SECRET)
    org.server.visitor().post(path_of(org, inbox), body=b"body", headers=headers, status=200)
    assert came(org, inbox)[0]["signature_ok"] is holds


def test_an_inbox_keeps_the_last_hundred(org):
    inbox = org.new_inbox()
    visitor = org.server.visitor()
    for i in range(105):
        visitor.post(path_of(org, inbox), body=str(i).encode(), status=200)
    assert [request["body"] for request in came(org, inbox)] == [str(i) for i in range(104, 4, -1)]


def test_an_inbox_refuses_more_than_a_megabyte_and_keeps_nothing_of_it(org):
    inbox = org.new_inbox()
    assert org.server.visitor().post(path_of(org, inbox), body=b"x" * (1024 * 1024 + 1)).status == 413
    assert came(org, inbox) == []


def test_a_deleted_inbox_takes_nothing(org):
    inbox = org.new_inbox()
    org.api.delete(f"/v1/inboxes/{inbox['id']}", status=204)
    org.server.visitor().post(path_of(org, inbox), body=b"a", status=404)
    org.api.get(f"/v1/inboxes/{inbox['id']}", status=404)


@pytest.mark.parametrize(
    "body, field",
    [
        ({"secret": "short"}, "secret"),
        ({"respond": {"status": 199}}, "respond.status"),
        ({"respond": {"status": 600}}, "respond.status"),
        ({"respond": {"delay_ms": 30001}}, "respond.delay_ms"),
        ({"respond": {"delay_ms": -1}}, "respond.delay_ms"),
        ({"respond": []}, "respond"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_wrong_inbox_is_refused(org, body, field):
    assert org.api.post("/v1/inboxes", body, status=422).fields == [field]


def test_a_visitor_has_inboxes_of_unguessable_names(own_server):
    visitor = own_server.start().visitor()
    first, second = (visitor.post("/v1/inboxes", {"secret": SECRET}, status=201).json for _ in range(2))
    assert first["id"].startswith("in_") and len(first["id"]) >= 20 and first["id"] != second["id"]
    assert SECRET not in str(first)
    visitor.post(f"/in/{first['id']}", body=b"a", status=200)
    assert len(visitor.get(f"/v1/inboxes/{first['id']}/requests", status=200).json["data"]) == 1
    visitor.delete(f"/v1/inboxes/{first['id']}", status=204)


def test_an_inbox_outlives_a_restart_with_what_came(own_server):
    org = own_server.start().new_org()
    inbox = org.new_inbox()
    own_server.visitor().post(path_of(org, inbox), body=new_phone().encode(), status=200)
    before = came(org, inbox)
    own_server.kill()
    own_server.restart()
    assert came(org, inbox) == before and len(before) == 1
