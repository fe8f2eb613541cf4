# SPDX-License-Identifier: Apache-2.0
"""Signatures, checked by what receivers use: hmac, node:crypto, Standard Webhooks in Python and Node."""

import base64
import dataclasses

import pytest

from support.receiver import reply
from support.server import run
from support.signature import hex_hmac, holds_in_node, holds_plain, holds_standard

TEXT_SECRET = 'my own "secret" of 27 letters'


def everything_holds(request, secret) -> bool:
    [node] = holds_in_node([(request, secret)])
    return holds_plain(request, secret) and holds_standard(request, secret) and node["plain"] and node["standard"]


def test_a_made_secret_is_256_random_bits_in_base64(org, receiver):
    secrets = [org.new_endpoint(receiver.base + "/hook")["secret"] for _ in range(2)]
    assert all(secret.startswith("whsec_") for secret in secrets)
    assert all(len(base64.b64decode(secret.removeprefix("whsec_"), validate=True)) == 32 for secret in secrets)
    assert secrets[0] != secrets[1]


@pytest.mark.parametrize(
    "given", [None, TEXT_SECRET, "12345678", "~" * 256], ids=["made", "text", "shortest", "longest"]
)
def test_python_node_and_standard_webhooks_find_every_signature_good(org, receiver, given):
    settings = {} if given is None else {"secret": given}
    endpoint = org.new_endpoint(receiver.on("/hook"), **settings)
    org.log_call(name='Zoë "Z" Ünal 🚀\\ / \u2028')
    [request] = receiver.wait_for_count(1, "/hook")
    secret = given or endpoint["secret"]
    assert everything_holds(request, secret)
    assert org.api.get(f"/v1/endpoints/{endpoint['id']}/secret", status=200).json == {"secret": secret}


def test_a_changed_byte_or_another_secret_makes_every_signature_wrong(org, receiver):
    endpoint = org.new_endpoint(receiver.on("/hook"))
    org.log_call()
    [request] = receiver.wait_for_count(1, "/hook")
    secret = endpoint["secret"]
    other = "whsec_" + base64.b64encode(bytes(32)).decode()
    changed = dataclasses.replace(request, body=request.body.replace(b'"124"', b'"125"'))
    assert changed.body != request.body
    for seen, key in ((changed, secret), (request, other)):
        assert not holds_plain(seen, key) and not holds_standard(seen, key)
        assert holds_in_node([(seen, key)]) == [{"plain": False, "next": False, "standard": False}]


def test_the_timestamp_is_that_of_the_attempt_and_each_attempt_is_signed_anew(org, receiver):
    endpoint = org.new_endpoint(receiver.on("/hook", reply(500), reply(200)), retry_schedule=["1s"])
    org.log_call()
    first, second = receiver.wait_for_count(2, "/hook")
    stamps = [int(request.header("webhook-timestamp")) for request in (first, second)]
    assert stamps[1] > stamps[0]
    assert all(abs(stamp - request.wall) <= 2 for stamp, request in zip(stamps, (first, second)))
    assert first.header("webhook-id") == second.header("webhook-id") == first.payload_id
    assert first.header("webhook-signature") != second.header("webhook-signature")
    assert first.header("X-CallSync-Signature") == second.header("X-CallSync-Signature")
    assert everything_holds(first, endpoint["secret"]) and everything_holds(second, endpoint["secret"])


@pytest.mark.parametrize("given", [None, TEXT_SECRET], ids=["made", "text"])
def test_during_a_rotation_old_and_new_secret_are_both_good(org, receiver, given):
    endpoint = org.new_endpoint(receiver.on("/hook"))
    path = f"/v1/endpoints/{endpoint['id']}/secret"
    rotated = org.api.post(path + "/rotate", {} if given is None else {"secret": given}, status=200).json
    old, new = endpoint["secret"], rotated["secret"]
    org.server.secrets.add(new)
    assert new != old and (given is None or new == given)
    org.log_call()
    [request] = receiver.wait_for_count(1, "/hook")
    assert len(request.header("webhook-signature").split(" ")) == 2
    assert request.header("X-CallSync-Signature") == hex_hmac(old, request.body)
    assert request.header("X-CallSync-Signature-Next") == hex_hmac(new, request.body)
    assert holds_standard(request, old) and holds_standard(request, new)
    assert holds_in_node([(request, old), (request, new)]) == [
        {"plain": True, "next": False, "standard": True},
        {"plain": False, "next": True, "standard": True},
    ]


def test_after_the_overlap_only_the_new_secret_signs(org, receiver):
    endpoint = org.new_endpoint(receiver.on("/hook", reply(500), reply(200)), retry_schedule=["2s"])
    path = f"/v1/endpoints/{endpoint['id']}/secret/rotate"
    new = org.api.post(path, {"overlap_s": 1}, status=200).json["secret"]
    org.server.secrets.add(new)
    org.log_call()
    during, after = receiver.wait_for_count(2, "/hook")
    assert during.header("X-CallSync-Signature-Next") is not None and holds_plain(during, endpoint["secret"])
    assert after.header("X-CallSync-Signature-Next") is None
    assert everything_holds(after, new) and not holds_standard(after, endpoint["secret"])


def test_a_rotation_without_overlap_counts_at_once(org, receiver):
    endpoint = org.new_endpoint(receiver.on("/hook"))
    path = f"/v1/endpoints/{endpoint['id']}/secret/rotate"
    new = org.api.post(path, {"overlap_s": 0, "secret": TEXT_SECRET}, status=200).json["secret"]
    org.log_call()
    [request] = receiver.wait_for_count(1, "/hook")
    assert everything_holds(request, new)
    assert request.header("X-CallSync-Signature-Next") is None
    assert len(request.header("webhook-signature").split(" ")) == 1


@pytest.mark.parametrize(
    "body, field",
    [
        ({"overlap_s": -1}, "overlap_s"),
        ({"overlap_s": 604801}, "overlap_s"),
        ({"secret": "7 chars"}, "secret"),
        ({"secret": "x" * 257}, "secret"),
        ({"secret": "umlaut ä"}, "secret"),
        ({"secret": "line\nbreak"}, "secret"),
    ],
)
def test_a_wrong_rotation_is_refused_and_changes_nothing(org, receiver, body, field):
    endpoint = org.new_endpoint(receiver.on("/hook"))
    path = f"/v1/endpoints/{endpoint['id']}/secret"
    assert org.api.post(path + "/rotate", body, status=422).fields == [field]
    assert org.api.get(path, status=200).json["secret"] == endpoint["secret"]


def test_the_secret_is_not_shown_with_the_endpoint_and_not_stored_in_plain(org, receiver):
    endpoint = org.new_endpoint(receiver.on("/hook"), secret="a plain text to look for")
    shown = org.api.get(f"/v1/endpoints/{endpoint['id']}", status=200)
    listed = org.api.get("/v1/endpoints", status=200)
    assert b"a plain text to look for" not in shown.body + listed.body
    stored = b"".join(path.read_bytes() for path in org.server.data.glob("*.db*") if path.is_file())
    stored = stored or b"".join(path.read_bytes() for path in org.server.data.iterdir() if path.is_file())
    assert endpoint["url"].encode() in stored
    assert b"a plain text to look for" not in stored
    assert org.token.encode() not in stored


def test_sign_and_verify_on_the_command_line_agree_with_a_request(org, receiver):
    endpoint = org.new_endpoint(receiver.on("/hook"), secret=TEXT_SECRET)
    org.log_call()
    [request] = receiver.wait_for_count(1, "/hook")
    signature = request.header("X-CallSync-Signature")
    assert signature in run("sign", "--secret", endpoint["secret"], stdin=request.body).stdout
    verify = ("verify", "--secret", TEXT_SECRET, "--signature")
    assert run(*verify, signature, stdin=request.body).returncode == 0
    assert run(*verify, signature, stdin=request.body + b" ").returncode == 1
    assert run(*verify, "0" * 64, stdin=request.body).returncode == 1
