# SPDX-License-Identifier: Apache-2.0
"""What is refused, with which status, and in which words."""

import json

import pytest

from support import audio
from support.api import Wire

MIB = 1024 * 1024
CALL = b'{"type":"incoming","phone":"+919876543210"}'

NOT_JSON = {
    "empty": b"",
    "cut off": CALL[:-1],
    "no value": b'{"type":}',
    "something after the end": CALL + b"{}",
    "a trailing comma": b'{"type":"incoming",}',
    "a comment": b'{"type":"incoming"/**/}',
    "single quotes": b"{'type':'incoming'}",
    "a member twice": b'{"type":"incoming","type":"missed","phone":null}',
    "a member twice, escaped": b'{"type":"incoming","t\\u0079pe":"missed","phone":null}',
    "invalid UTF-8": b'{"type":"incoming","phone":null,"name":"\xff\xfe"}',
    "overlong UTF-8": b'{"type":"incoming","phone":null,"name":"\xc0\xaf"}',
    "a surrogate in UTF-8": b'{"type":"incoming","phone":null,"name":"\xed\xa0\x80"}',
    "half a surrogate pair": b'{"type":"incoming","phone":null,"name":"\\ud800"}',
    "a NUL byte": b'{"type":"incoming","phone":null,"name":"a\0b"}',
    "an escaped NUL": b'{"type":"incoming","phone":null,"name":"a\\u0000b"}',
    "a raw newline": b'{"type":"incoming","phone":null,"name":"a\nb"}',
    "a number too large": b'{"type":"incoming","phone":null,"duration":1e999}',
    "a leading zero": b'{"type":"incoming","phone":null,"duration":012}',
    "not a number": b'{"type":"incoming","phone":null,"duration":NaN}',
    "UTF-16": '{"type":"incoming"}'.encode("utf-16"),
    "arrays in arrays": b'{"type":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "objects in objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "open brackets": b"[" * 1_000_000,
}


def assert_problem(answer, status: int) -> dict:
    assert answer.status == status, str(answer)
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    problem = answer.json
    assert list(problem)[:4] == ["type", "title", "status", "detail"]
    assert problem["status"] == status and problem["title"]
    assert isinstance(problem["errors"], list)
    return problem


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON.keys())
def test_what_is_not_json_is_400(org, body):
    answer = org.api.post("/v1/calls", body=body, headers={"Content-Type": "application/json"})
    assert assert_problem(answer, 400)["detail"]
    assert org.events() == []


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"5", b"null", b"true"])
def test_json_that_is_no_object_is_422(org, body):
    answer = org.api.post("/v1/calls", body=body, headers={"Content-Type": "application/json"})
    assert answer.status in (400, 422)
    assert_problem(answer, answer.status)


def test_all_faults_of_a_call_are_named_at_once(org):
    body = {
        "type": "video",
        "phone": "98765 43210",
        "name": 5,
        "duration": 86401,
        "started_at": "yesterday",
        "staff_id": "a b",
        "external_id": "",
        "recording": "maybe",
        "colour": "red",
    }
    problem = assert_problem(org.api.post("/v1/calls", body), 422)
    assert sorted(error["field"] for error in problem["errors"]) == sorted(body)
    assert all(error["message"] for error in problem["errors"])
    hint = next(error["message"] for error in problem["errors"] if error["field"] == "phone")
    assert "+" in hint


def test_all_faults_of_an_endpoint_are_named_at_once(org):
    body = {
        "url": "ftp://example.com/",
        "events": ["call_logged", "call_lost"],
        "types": ["video"],
        "secret": "short",
        "enabled": "yes",
        "headers": {"Host": "a"},
        "timeout_s": 31,
        "retry_schedule": ["1s", "8d", 5],
        "max_in_flight": 0,
        "rate_limit": -1,
        "ordering": "random",
        "colour": "red",
    }
    problem = assert_problem(org.api.post("/v1/endpoints", body), 422)
    named = {error["field"].partition("[")[0].partition(".")[0] for error in problem["errors"]}
    assert named == set(body)


@pytest.mark.parametrize(
    "member, value",
    [
        ("type", None),
        ("phone", 5),
        ("phone", ""),
        ("phone", "+0123456789"),
        ("phone", "+1234567890123456"),
        ("phone", "+12 345 678"),
        ("phone", "12"),
        ("phone", "123456789"),
        ("phone", "0049301234567"),
        ("phone", "+49(30)123456"),
        ("phone", "+\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668"),
        ("duration", -1),
        ("duration", 86401),
        ("duration", 1.5),
        ("duration", "124"),
        ("duration", 2**53),
        ("duration", True),
        ("started_at", "2024-04-31T00:00:00Z"),
        ("started_at", "2024-04-28T11:58:00"),
        ("started_at", "2024-04-28"),
        ("started_at", 1714305480),
        ("started_at", "2024-04-28T25:00:00Z"),
        ("name", "x" * 10_000),
        ("name", "bell \x07"),
        ("staff_id", "x" * 65),
        ("staff_id", "emp/1"),
        ("staff_id", "nobody"),
        ("external_id", "x" * 10_000),
        ("recording", {"url": "no url"}),
        ("recording", {"url": "javascript:alert(1)"}),
        ("recording", []),
    ],
)
def test_a_wrong_value_is_422_and_names_its_member(org, member, value):
    body = {"type": "incoming", "phone": "+919876543210"} | {member: value}
    problem = assert_problem(org.api.post("/v1/calls", body), 422)
    assert [error["field"].partition(".")[0] for error in problem["errors"]] == [member]
    assert org.events() == []


@pytest.mark.parametrize("missing", ["type", "phone"])
def test_a_missing_member_is_named(org, missing):
    body = {"type": "incoming", "phone": "+919876543210"}
    del body[missing]
    assert org.api.post("/v1/calls", body, status=422).fields == [missing]


def test_unknown_members_and_query_parameters_are_named(org):
    body = json.loads(CALL) | {"staff": {"name": "A", "wage": 5}}
    assert org.api.post("/v1/calls", body, status=422).fields == ["staff.wage"]
    assert org.api.get("/v1/calls?limit=5&colour=red", status=422).fields == ["colour"]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=ten",
        "cursor=nonsense",
        "type=video",
        "reviewed=maybe",
        "since=yesterday",
        "since=2024-04-31T00:00:00Z",
        "file_status=lost",
        "analysis_status=lost",
        "limit=5&limit=6",
    ],
)
def test_a_wrong_query_parameter_is_422(org, query):
    assert org.api.get("/v1/calls?" + query, status=422).fields == [query.partition("=")[0]]


@pytest.mark.parametrize(
    "authorization",
    [None, "Bearer", "Bearer ", "Bearer wrong", "Bearer cs_" + "A" * 43, "Basic Y3M6Y3M=", "Bearer cs_\xff"],
)
def test_without_a_good_token_it_is_401_with_a_challenge(server, authorization):
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = server.visitor().get("/v1/calls", headers=headers)
    assert_problem(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "scope, method, path",
    [
        ("read", "POST", "/v1/calls"),
        ("manage", "POST", "/v1/calls"),
        ("ingest", "GET", "/v1/calls"),
        ("manage", "GET", "/v1/events"),
        ("read", "POST", "/v1/endpoints"),
        ("ingest", "GET", "/v1/endpoints"),
        ("ingest", "GET", "/v1/tokens"),
        ("read", "POST", "/v1/tokens"),
        ("read", "POST", "/v1/contacts"),
        ("ingest", "GET", "/v1/stream"),
        ("ingest", "POST", "/v1/endpoints/ep_0/secret/rotate"),
        ("read", "GET", "/v1/endpoints/ep_0/secret"),
    ],
)
def test_a_token_without_the_scope_gets_403(org, scope, method, path):
    answer = org.new_token(scope).request(method, path, {} if method == "POST" else None)
    assert_problem(answer, 403)


@pytest.mark.parametrize("method, path", [("GET", "/v1/orgs"), ("POST", "/v1/orgs"), ("DELETE", "/v1/orgs/org_a")])
def test_a_token_of_an_org_cannot_do_what_the_admin_does(org, method, path):
    assert_problem(org.api.request(method, path, {"name": "A"} if method == "POST" else None), 403)


def test_a_token_cannot_give_a_scope_that_it_lacks(org):
    token = org.new_token("manage")
    assert_problem(token.post("/v1/tokens", {"name": "more", "scopes": ["manage", "ingest"]}), 403)
    token.post("/v1/tokens", {"name": "same", "scopes": ["manage"]}, status=201)


def test_a_deleted_token_opens_nothing_from_then_on(org):
    token = org.new_token("read")
    token.get("/v1/calls", status=200)
    [made] = [row for row in org.api.pages("/v1/tokens") if row["name"] == "other"]
    assert "secret" not in made
    org.api.delete(f"/v1/tokens/{made['id']}", status=204)
    token.get("/v1/calls", status=401)


def test_the_admin_names_the_org_that_it_acts_for(org):
    assert org.server.admin().get("/v1/calls", status=422).fields == ["X-CallSync-Org"]
    org.server.admin("org_nobody").get("/v1/calls", status=404)
    org.server.admin(org.id).post("/v1/calls", json.loads(CALL), status=201)
    assert len(org.api.pages("/v1/calls")) == 1


@pytest.mark.parametrize(
    "method, path",
    [
        ("GET", "/v1/nothing"),
        ("GET", "/v2/calls"),
        ("GET", "/v1/calls/0"),
        ("GET", "/v1/calls/-1"),
        ("GET", "/v1/calls/1e3"),
        ("GET", "/v1/calls/99999999999999999999"),
        ("GET", "/v1/calls/%31%00"),
        ("GET", "/v1/endpoints/ep_"),
        ("GET", "/v1/endpoints/wh_1"),
        ("GET", "/v1/endpoints/ep_" + "Z" * 500),
        ("GET", "/v1/events/wh_none"),
        ("GET", "/v1/deliveries/dlv_0"),
        ("GET", "/v1/contacts/nobody"),
        ("GET", "/v1/contacts/%ff"),
        ("GET", "/v1/contacts/a%2fb"),
        ("GET", "/recordings/1-00000000000000000000000000000000.mp3"),
        ("GET", "/recordings/..%2f..%2fadmin-token"),
        ("GET", "/recordings/../admin-token"),
        ("GET", "/v1//calls"),
        ("POST", "/in/in_nobody"),
        ("DELETE", "/v1/inboxes/in_nobody"),
    ],
)
def test_what_is_not_there_is_404(org, method, path):
    assert_problem(org.api.request(method, path, {} if method == "POST" else None), 404)


@pytest.mark.parametrize(
    "method, path, allowed",
    [
        ("DELETE", "/v1/calls", {"GET", "HEAD", "POST"}),
        ("PUT", "/v1/calls/batch", {"POST"}),
        ("POST", "/v1/calls/1", {"GET", "HEAD", "PATCH"}),
        ("POST", "/v1/calls/1/recording", {"GET", "HEAD", "PUT", "DELETE"}),
        ("GET", "/v1/calls/1/analysis", {"PUT"}),
        ("POST", "/v1/contacts/a", {"GET", "HEAD", "PUT", "PATCH", "DELETE"}),
        ("PUT", "/v1/endpoints/ep_0", {"GET", "HEAD", "PATCH", "DELETE"}),
        ("GET", "/v1/endpoints/ep_0/test", {"POST"}),
        ("POST", "/healthz", {"GET", "HEAD"}),
        ("BREW", "/v1/calls", {"GET", "HEAD", "POST"}),
        ("OPTIONS", "/v1/calls/batch", {"POST"}),
    ],
)
def test_a_method_that_a_path_does_not_take_is_405_with_allow(org, method, path, allowed):
    answer = org.api.request(method, path)
    assert_problem(answer, 405)
    assert allowed <= set(answer.headers["Allow"].split(", ")) <= allowed | {"OPTIONS"}


def test_what_exists_already_is_409(org):
    assert_problem(org.server.admin().post("/v1/orgs", {"id": org.id, "name": "Again"}), 409)
    contact = org.new_contact(id="contact_1")
    assert_problem(org.api.post("/v1/contacts", {"id": contact["id"], "phone": "911"}), 409)
    org.api.post("/v1/staff", {"id": "emp_1", "name": "A"}, status=201)
    assert_problem(org.api.post("/v1/staff", {"id": "emp_1", "name": "B"}), 409)


def head_of(org, method: str, path: str, *lines: str) -> bytes:
    return "\r\n".join(
        [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {org.token}", *lines, "", ""]
    ).encode()


@pytest.mark.parametrize(
    "method, path, content_type, announced",
    [
        ("POST", "/v1/calls", "application/json", MIB + 1),
        ("POST", "/v1/calls/batch", "application/json", 8 * MIB + 1),
        ("PUT", "/v1/calls/{call_id}/recording", "audio/mpeg", 512 * MIB + 1),
        ("POST", "/v1/calls", "application/json", 2**62),
    ],
)
def test_a_body_that_is_announced_too_large_is_413_before_it_is_sent(org, method, path, content_type, announced):
    path = path.format(call_id=org.log_call()["call_id"])
    with Wire(org.server.address) as wire:
        lines = [f"Content-Type: {content_type}", f"Content-Length: {announced}", "Expect: 100-continue"]
        wire.send(head_of(org, method, path, *lines))
        assert_problem(wire.read_answer(), 413)


@pytest.mark.parametrize("path, limit", [("/v1/calls", MIB), ("/v1/calls/batch", 8 * MIB)])
def test_a_body_that_is_sent_too_large_is_413_and_the_connection_goes_on(org, path, limit):
    headers = {"Content-Type": "application/json"}
    for _ in range(2):
        assert_problem(org.api.post(path, body=b" " * (limit + 1), headers=headers), 413)
    org.log_call()


def test_a_body_that_turns_out_too_large_is_413(org):
    def pieces():
        yield b'{"type":"incoming","name":"'
        for _ in range(20):
            yield b"x" * 65536
        yield b'"}'

    headers = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
    answer = org.api.request("POST", "/v1/calls", body=pieces(), headers=headers)
    assert_problem(answer, 413)


def test_the_largest_bodies_are_taken(org):
    body = CALL + b" " * (MIB - len(CALL))
    org.api.post("/v1/calls", body=body, headers={"Content-Type": "application/json"}, status=201)
    batch = b'{"calls":[' + CALL + b"]}"
    batch += b" " * (8 * MIB - len(batch))
    org.api.post("/v1/calls/batch", body=batch, headers={"Content-Type": "application/json"}, status=200)


def test_a_recording_without_a_length_is_411(org):
    call_id = org.log_call()["call_id"]
    with Wire(org.server.address) as wire:
        wire.send(head_of(org, "PUT", f"/v1/calls/{call_id}/recording", "Content-Type: audio/mpeg"))
        assert_problem(wire.read_answer(), 411)


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "application/json; charset=latin1", None],
)
def test_json_under_another_type_is_415(org, content_type):
    headers = {} if content_type is None else {"Content-Type": content_type}
    assert_problem(org.api.post("/v1/calls", body=CALL, headers=headers), 415)


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", 'application/json; charset="UTF-8"']
)
def test_json_with_its_charset_is_taken(org, content_type):
    org.api.post("/v1/calls", body=CALL, headers={"Content-Type": content_type}, status=201)


@pytest.mark.parametrize("content_type", ["text/html", "image/png", "audio/midi", "application/octet-stream", None])
def test_a_recording_of_another_type_is_415(org, content_type):
    path = f"/v1/calls/{org.log_call()['call_id']}/recording"
    headers = {} if content_type is None else {"Content-Type": content_type}
    assert_problem(org.api.put(path, body=audio.mp3(), headers=headers), 415)


def test_visitors_who_ask_too_often_get_429_and_when_to_come_back(own_server):
    visitor = own_server.start().visitor()
    answers = [visitor.post("/v1/inboxes", {}) for _ in range(30)]
    assert answers[0].status == 201
    refused = [answer for answer in answers if answer.status != 201]
    assert refused, "30 inboxes in a moment"
    assert_problem(refused[0], 429)
    assert int(refused[0].headers["Retry-After"]) >= 1


def test_errors_tell_nothing_of_the_inside(org):
    answer = org.api.get("/v1/calls/1/../../etc/passwd")
    assert answer.status == 404
    for word in (b"sqlite", b"SELECT", b"/src/", b".c:"):
        assert word not in answer.body


def test_answers_are_not_cached_nor_sniffed(org):
    answer = org.api.get("/v1/calls", status=200)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
