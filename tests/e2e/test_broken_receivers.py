# SPDX-License-Identifier: Apache-2.0
"""Receivers that answer badly, slowly, endlessly or not at all: the attempt is recorded with why."""

import gzip
import socket
import ssl
import subprocess
import time

import pytest

from support.receiver import drip, hang, pour, raw, reply, reset
from support.server import has_address_sanitizer

MIB = 1024 * 1024
KEPT = 16 * 1024
OK_HEAD = b"HTTP/1.1 200 OK\r\n"


def attempt_of(org, url: str, *states: str, **settings) -> dict:
    """The only attempt at a URL, of a call that is logged for it."""
    endpoint = org.new_endpoint(url, retry_schedule=[], **settings)
    delivery = org.wait_for_state(org.log_call(), endpoint, *(states or ("delivered", "failed")))
    [attempt] = delivery["attempts"]
    assert attempt["ok"] == (delivery["state"] == "delivered")
    return attempt


def test_an_answer_of_10_megabytes_is_success_and_is_stored_cut(own_server, receiver):
    org = own_server.start().new_org()
    attempt_of(org, receiver.on("/small", reply(200, body=b"x" * 64 * 1024)), "delivered")
    before = own_server.memory_peak_bytes()
    for _ in range(5):
        attempt = attempt_of(org, receiver.on("/hook", reply(200, body=b"y" * 10 * MIB)), "delivered")
        assert attempt["response"]["body"] == "y" * KEPT
    if not has_address_sanitizer():
        assert own_server.memory_peak_bytes() - before < 8 * MIB


def test_an_endless_answer_is_read_no_further_than_needed(org, receiver):
    head = OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    started = time.monotonic()
    attempt = attempt_of(org, receiver.on("/hook", pour(head, b"1000\r\n" + b"z" * 4096 + b"\r\n")), "delivered")
    assert attempt["response"]["body"] == "z" * KEPT
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "action",
    [
        hang(),
        drip(b"HTTP/1.1 200 O", b"K", 0.1),
        drip(OK_HEAD, b"X-Drip: 1\r\n", 0.1),
        drip(OK_HEAD + b"Content-Length: 1000\r\n\r\n", b"x", 0.1),
        drip(OK_HEAD + b"\r\n", b"x", 0.1),
        drip(b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", 0.1),
    ],
    ids=["nothing", "status line", "headers", "body", "body until close", "interim answers"],
)
def test_what_drips_or_never_comes_is_a_timeout_after_timeout_s(org, receiver, action):
    attempt = attempt_of(org, receiver.on("/hook", action), "failed", timeout_s=1)
    assert attempt["error"] == "timeout"
    assert 900 <= attempt["duration_ms"] <= 2500


def test_a_peer_that_accepts_and_never_reads_is_a_timeout(org):
    with socket.create_server(("127.0.0.1", 0), backlog=8) as deaf:
        attempt = attempt_of(org, f"http://127.0.0.1:{deaf.getsockname()[1]}/", "failed", timeout_s=1)
    assert attempt["error"] == "timeout" and attempt["status_code"] is None


def test_a_gzip_bomb_is_kept_as_it_came(own_server, receiver):
    org = own_server.start().new_org()
    attempt_of(org, receiver.on("/small"), "delivered")
    before = own_server.memory_peak_bytes()
    bomb = gzip.compress(bytes(100 * MIB))
    headers = [("Content-Encoding", "gzip"), ("Content-Type", "application/json")]
    attempt = attempt_of(org, receiver.on("/hook", reply(200, headers, bomb)), "delivered")
    kept = attempt["response"]
    assert kept["body_encoding"] == "base64" and kept["body"].startswith("H4sI")
    assert {name.lower(): value for name, value in kept["headers"].items()}["content-encoding"] == "gzip"
    if not has_address_sanitizer():
        assert own_server.memory_peak_bytes() - before < 8 * MIB


def test_headers_and_bodies_that_are_no_ascii_do_not_fail_the_delivery(org, receiver):
    headers = [("X-Name", "Zo\xeb"), ("X-Bytes", "\x80\xff"), ("Server", "caf\xe9")]
    attempt = attempt_of(org, receiver.on("/hook", reply(200, headers, b"\xff\xfe\0binary")), "delivered")
    assert attempt["response"]["body_encoding"] == "base64"
    attempt = attempt_of(org, receiver.on("/utf8", reply(200, headers, "größer 🚀".encode())), "delivered")
    assert attempt["response"]["body"] == "größer 🚀"


@pytest.mark.parametrize(
    "action, errors",
    [
        (reset(), {"reset"}),
        (raw(b""), {"reset"}),
        (raw(OK_HEAD), {"reset", "bad_response"}),
        (raw(OK_HEAD + b"Content-Length: 1000\r\n\r\n0123456789"), {"reset", "bad_response"}),
        (raw(OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nabc"), {"reset", "bad_response"}),
        (raw(OK_HEAD + b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n"), {"reset", "bad_response"}),
        (raw(OK_HEAD + b"Content-Length: -5\r\n\r\n"), {"bad_response"}),
        (raw(OK_HEAD + b"Content-Length: many\r\n\r\n"), {"bad_response"}),
        (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), {"bad_response"}),
        (raw(b"\0\x01\x02\x03" * 100), {"bad_response"}),
        (raw(b"<html>no status line</html>"), {"bad_response"}),
        (raw(b"HTTP/1.1 abc Strange\r\n\r\n"), {"bad_response"}),
        (pour(OK_HEAD, b"X-More: " + b"a" * 1000 + b"\r\n"), {"bad_response"}),
        (pour(OK_HEAD + b"X-Long: ", b"a" * 4096), {"bad_response"}),
        (pour(b"HTTP/1.1 200 ", b"a" * 4096), {"bad_response"}),
    ],
    ids=[
        "reset",
        "closed without a word",
        "closed in the head",
        "fewer bytes than announced",
        "cut chunk",
        "no chunk",
        "negative length",
        "length in words",
        "ssh",
        "binary",
        "html",
        "no status",
        "endless headers",
        "endless header",
        "endless status line",
    ],
)
def test_a_broken_answer_fails_the_attempt_with_its_reason(org, receiver, action, errors):
    attempt = attempt_of(org, receiver.on("/hook", action), "failed", timeout_s=5)
    assert attempt["error"] in errors, attempt
    assert attempt["detail"]
    assert attempt["duration_ms"] < 4000


def test_more_bytes_than_announced_do_not_spoil_the_next_answer(org, receiver):
    lying = raw(OK_HEAD + b"Content-Length: 2\r\n\r\nokHTTP/1.1 500 Smuggled\r\nContent-Length: 0\r\n\r\n", False)
    endpoint = org.new_endpoint(receiver.on("/hook", lying, reply(200)), retry_schedule=["1s"], max_in_flight=1)
    first = org.wait_for_state(org.log_call(), endpoint, "delivered", "failed")
    second = org.wait_for_state(org.log_call(), endpoint, "delivered")
    assert first["state"] == "delivered" or first["attempt_count"] == 2
    assert [attempt["status_code"] for attempt in second["attempts"]][-1] == 200
    assert 500 not in [attempt["status_code"] for attempt in first["attempts"] + second["attempts"]]


def test_nobody_listening_is_a_connect_error(org):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    attempt = attempt_of(org, f"http://127.0.0.1:{port}/", "failed")
    assert (attempt["error"], attempt["status_code"], attempt["response"]) == ("connect", None, None)


def test_a_certificate_that_nobody_vouches_for_is_a_tls_error_and_nothing_is_sent(org, new_receiver, tmp_path):
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        + ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    secure = new_receiver(wrap=lambda connection: context.wrap_socket(connection, server_side=True))
    attempt = attempt_of(org, secure.on("/hook"), "failed")
    assert attempt["error"] == "tls"
    assert secure.requests() == []


def test_plain_http_where_tls_was_asked_for_is_a_tls_error(org, receiver):
    url = receiver.on("/hook").replace("http://", "https://")
    assert attempt_of(org, url, "failed", timeout_s=1)["error"] in ("tls", "timeout")


def test_a_broken_receiver_is_told_about_in_a_test_as_well(org, receiver):
    endpoint = org.new_endpoint(receiver.on("/hook", reset()))
    told = org.api.post(f"/v1/endpoints/{endpoint['id']}/test", {}, status=200).json
    assert (told["ok"], told["status_code"], told["error"]) == (False, None, "reset")
    assert told["response"] is None and told["detail"]


def test_connections_are_kept_and_used_again(org, receiver):
    endpoint = org.new_endpoint(receiver.on("/hook"), max_in_flight=1)
    for _ in range(10):
        org.wait_for_state(org.log_call(), endpoint, "delivered")
    assert len({request.connection for request in receiver.requests("/hook")}) <= 2


def test_a_kept_connection_that_the_receiver_closed_meanwhile_costs_no_attempt(org, receiver):
    def answer_and_leave(line):
        reply(200)(line)
        line.close()

    endpoint = org.new_endpoint(receiver.on("/hook", answer_and_leave), retry_schedule=["1s"], max_in_flight=1)
    for _ in range(5):
        delivery = org.wait_for_state(org.log_call(), endpoint, "delivered")
        assert delivery["attempt_count"] == 1
