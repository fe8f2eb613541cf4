# SPDX-License-Identifier: Apache-2.0
"""Requests to the HTTP API, on connections that are kept; and bytes sent as they are."""

import http.client
import json as json_module
import socket
import threading
import time
from dataclasses import dataclass

from support.patience import DEADLINE_S


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self):
        return json_module.loads(self.body)

    @property
    def fields(self) -> list[str]:
        """What a problem finds fault with, in its order."""
        return [error["field"] for error in self.json["errors"]]

    def __str__(self) -> str:
        return f"{self.status} {self.body[:2000]!r}"


class Api:
    """One who asks. Each thread has a connection of its own; a restart of the server is followed."""

    def __init__(self, server, token: str | None, org_id: str | None = None):
        self._server = server
        self._token = token
        self._org_id = org_id
        self._local = threading.local()

    def _connection(self, timeout: float) -> tuple[http.client.HTTPConnection, bool]:
        """The thread's connection, and whether it has served before."""
        connection = getattr(self._local, "connection", None)
        if connection is not None and self._local.base == self._server.base and connection.sock is not None:
            connection.sock.settimeout(timeout)
            return connection, True
        if connection is not None:
            connection.close()
        connection = http.client.HTTPConnection(*self._server.address, timeout=timeout)
        self._local.connection, self._local.base = connection, self._server.base
        return connection, False

    def _send(self, method, path, body, headers, timeout) -> Answer:
        connection, is_old = self._connection(timeout)
        try:
            is_chunked = headers.get("Transfer-Encoding") == "chunked"
            connection.request(method, path, body=body, headers=headers, encode_chunked=is_chunked)
            response = connection.getresponse()
            answer = Answer(response.status, response.headers, response.read())
            if response.will_close:
                connection.close()
            return answer
        except (http.client.RemoteDisconnected, BrokenPipeError):
            connection.close()
            # A kept connection may have ended between two requests; what was sent twice would count twice.
            if is_old and method in ("GET", "HEAD"):
                return self._send(method, path, body, headers, timeout)
            raise
        except BaseException:
            connection.close()
            raise

    def request(
        self, method: str, path: str, json=None, *, body=None, headers=None, status=None, timeout=2 * DEADLINE_S
    ) -> Answer:
        """One request; with a status, any other one is a failed test."""
        sent = {}
        if self._token is not None:
            sent["Authorization"] = f"Bearer {self._token}"
        if self._org_id is not None:
            sent["X-CallSync-Org"] = self._org_id
        if json is not None:
            sent["Content-Type"] = "application/json"
            body = json_module.dumps(json).encode()
        answer = self._send(method, path, body, sent | (headers or {}), timeout)
        if status is not None:
            assert answer.status == status, f"{method} {path}: {answer}, not {status}"
        return answer

    def get(self, path: str, **rest) -> Answer:
        return self.request("GET", path, **rest)

    def post(self, path: str, json=None, **rest) -> Answer:
        return self.request("POST", path, json, **rest)

    def put(self, path: str, json=None, **rest) -> Answer:
        return self.request("PUT", path, json, **rest)

    def patch(self, path: str, json=None, **rest) -> Answer:
        return self.request("PATCH", path, json, **rest)

    def delete(self, path: str, **rest) -> Answer:
        return self.request("DELETE", path, **rest)

    def pages(self, path: str, limit: int = 200) -> list:
        """Every row of a list."""
        rows, cursor = [], None
        while True:
            mark = "&" if "?" in path else "?"
            page = self.get(f"{path}{mark}limit={limit}" + (f"&cursor={cursor}" if cursor else ""), status=200).json
            rows += page["data"]
            cursor = page["next_cursor"]
            if cursor is None:
                return rows


class Wire:
    """A connection on which a test writes what it likes, right or wrong."""

    def __init__(self, address: tuple[str, int], timeout: float = DEADLINE_S):
        self.socket = socket.create_connection(address, timeout=timeout)

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def read_answer(self) -> Answer:
        response = http.client.HTTPResponse(self.socket)
        response.begin()
        return Answer(response.status, response.headers, response.read())

    def read_to_end(self) -> bytes:
        """All that comes until the other side closes; a reset is an end, too."""
        data = b""
        try:
            while piece := self.socket.recv(65536):
                data += piece
        except ConnectionResetError:
            pass
        return data


def now_text(shift_s: float = 0) -> str:
    """RFC 3339 of now, or of before or after."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + shift_s))
