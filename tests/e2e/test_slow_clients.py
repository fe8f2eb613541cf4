# SPDX-License-Identifier: Apache-2.0
"""Clients that are slow, half gone, or dishonest about where a request ends."""

import time

import pytest

from support import audio
from support.api import Wire

CALL = b'{"type":"missed","phone":null}'


def head(org, *lines: str, path: str = "/v1/calls", method: str = "POST") -> bytes:
    fixed = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {org.token}"]
    return "\r\n".join([*fixed, "Content-Type: application/json", *lines, "", ""]).encode()


def test_slow_and_half_open_clients_do_not_stop_others(org):
    recording = audio.mp3(5000)
    call_id = org.log_call()["call_id"]
    org.api.put(f"/v1/calls/{call_id}/recording", body=recording, headers={"Content-Type": "audio/mpeg"}, status=200)
    wires = []
    try:
        for i in range(200):
            wire = Wire(org.server.address)
            wires.append(wire)
            whole = head(org, f"Content-Length: {len(CALL)}")
            wire.send([b"", b"POST /v1/ca", whole[:-2], whole + CALL[:5]][i % 4])
        for _ in range(20):
            wire = Wire(org.server.address)
            wires.append(wire)
            wire.send(head(org, path=f"/v1/calls/{call_id}/recording", method="GET"))
        started = time.monotonic()
        for _ in range(50):
            org.log_call()
        assert time.monotonic() - started < 5
    finally:
        for wire in wires:
            wire.socket.close()
    assert len(org.api.pages("/v1/calls")) == 51
    org.log_call()


def test_a_request_that_comes_byte_by_byte_is_served(org):
    with Wire(org.server.address) as wire:
        for byte in head(org, f"Content-Length: {len(CALL)}") + CALL:
            wire.send(bytes([byte]))
        assert wire.read_answer().status == 201


def test_requests_in_a_row_on_one_connection_are_answered_in_order(org):
    with Wire(org.server.address) as wire:
        wire.send((head(org, f"Content-Length: {len(CALL)}") + CALL) * 20)
        answers = []
        stream = wire.socket.makefile("rb")
        for _ in range(20):
            status = stream.readline()
            length = 0
            while (line := stream.readline()) not in (b"\r\n", b""):
                name, _, value = line.partition(b":")
                length = int(value) if name.lower() == b"content-length" else length
            answers.append((status.split()[1], stream.read(length)))
        assert [status for status, _ in answers] == [b"201"] * 20
        assert len({body for _, body in answers}) == 20


INNER = b"DELETE /v1/endpoints/ep_0 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(CALL), CALL)


@pytest.mark.parametrize(
    "lines, body",
    [
        (["Content-Length: 30", "Transfer-Encoding: chunked"], b"0\r\n\r\n" + INNER),
        (["Transfer-Encoding: chunked", "Content-Length: 5"], CHUNKED + INNER),
        (["Content-Length: 30", "Content-Length: 100"], CALL + INNER),
        (["Content-Length: 30, 30"], CALL + INNER),
        (["Content-Length: +30"], CALL + INNER),
        (["Content-Length: -1"], INNER),
        (["Content-Length: 0x1e"], CALL + INNER),
        (["Content-Length: 30a"], CALL + INNER),
        (["Content-Length: 99999999999999999999999"], CALL + INNER),
        (["Transfer-Encoding: xchunked"], CHUNKED + INNER),
        (["Transfer-Encoding: chunked, identity"], CHUNKED + INNER),
        (["Transfer-Encoding: identity, chunked"], CHUNKED + INNER),
        (["Transfer-Encoding: chunked", "Transfer-Encoding: identity"], CHUNKED + INNER),
        (["Transfer-Encoding : chunked"], CHUNKED + INNER),
        (["Content-Length : 30"], CALL + INNER),
        (["Transfer-Encoding: chunked"], b"-5\r\nabcde\r\n0\r\n\r\n" + INNER),
        (["Transfer-Encoding: chunked"], b"fffffffffffffffff\r\nabcde\r\n0\r\n\r\n" + INNER),
        (["Transfer-Encoding: chunked"], b"5\r\nabcdeXX0\r\n\r\n" + INNER),
    ],
)
def test_a_request_whose_end_can_be_read_in_two_ways_is_refused(org, lines, body):
    assert len(CALL) == 30
    with Wire(org.server.address) as wire:
        wire.send(head(org, *lines) + body)
        got = wire.read_to_end()
    # libmicrohttpd may say its 400 twice; what matters is that nothing was done.
    assert b"HTTP/1.1 2" not in got, got
    assert got == b"" or got.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4", b"HTTP/1.1 501")), got
    assert org.api.pages("/v1/calls") == []


@pytest.mark.parametrize(
    "text",
    [
        b"\r\n\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET /healthz\r\n\r\n",
        b"GET /healthz HTTP/9.9\r\nHost: a\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n\r\n",
        b"GET /he\0althz HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nno colon here\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Long: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\n" + b"X-Many: 1\r\n" * 20_000 + b"\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        bytes(range(256)) * 50,
    ],
)
def test_what_is_no_request_does_no_harm(server, text):
    with Wire(server.address, timeout=3) as wire:
        try:
            wire.send(text)
            wire.socket.shutdown(1)
            got = wire.read_to_end()
        except (OSError, TimeoutError):
            got = b""
    assert got == b"" or b" 4" in got[:20] or b" 5" in got[:20] or got.startswith(b"HTTP/1.1 404"), got
    server.visitor().get("/healthz", status=200)
