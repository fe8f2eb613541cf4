# SPDX-License-Identifier: Apache-2.0
"""An org of a test: what belongs to it, and waiting for what happens in it without polling."""

import http.client
import itertools
import json
import threading
from collections.abc import Callable

from support.patience import DEADLINE_S, Deadline

_numbers = itertools.count(10_000_000)


def new_phone() -> str:
    return f"+9198{next(_numbers)}"


class Stream:
    """GET /v1/stream on a thread of its own: collects events and tells who waits."""

    def __init__(self, server, token: str, last_event_id: str | None = None):
        self.events: list[dict] = []  # {"id", "event", "data"}
        self.comments = 0
        self.last_event_id = last_event_id
        self.is_over = False
        self._changed = threading.Condition()
        headers = {"Authorization": f"Bearer {token}"}
        if last_event_id is not None:
            headers["Last-Event-ID"] = last_event_id
        self._connection = http.client.HTTPConnection(*server.address, timeout=10 * DEADLINE_S)
        self._connection.request("GET", "/v1/stream", headers=headers)
        self._socket = self._connection.sock
        self.response = self._connection.getresponse()
        assert self.response.status == 200, self.response.read()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        event: dict = {}
        try:
            while line := self.response.readline():
                event = self._take(line.decode().rstrip("\r\n"), event)
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            pass
        with self._changed:
            self.is_over = True
            self._changed.notify_all()

    def _take(self, line: str, event: dict) -> dict:
        """One line; the event that it belongs to, or a new one after an empty line."""
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        with self._changed:
            if line == "":
                if "id" in event:
                    self.last_event_id = event["id"]
                if "data" in event:
                    self.events.append(event)
                self._changed.notify_all()
                return {}
            if name == "":
                self.comments += 1
        if name in ("id", "event", "retry"):
            event[name] = value
        elif name == "data":
            event["data"] = json.loads(value)
        return event

    def wait_until(self, predicate: Callable[[], object], seconds: float = DEADLINE_S):
        """What predicate gives once that is true; it is asked anew whenever something happened."""
        deadline = Deadline(seconds)
        seen = -1
        while True:
            with self._changed:
                seen = len(self.events)
            if result := predicate():
                return result
            with self._changed:
                is_new = self._changed.wait_for(lambda: len(self.events) > seen or self.is_over, deadline.left())
            assert is_new and not (
                self.is_over and len(self.events) == seen
            ), f"not within {seconds} s; the stream showed {self.events[-10:]}"

    def of(self, kind: str) -> list[dict]:
        with self._changed:
            return [event["data"] for event in self.events if event["event"] == kind]

    def close(self) -> None:
        try:
            self._socket.shutdown(2)
        except OSError:
            pass
        self._connection.close()


class Org:
    """An org with a token of all scopes."""

    def __init__(self, server, org_id: str, token: str):
        self.server = server
        self.id = org_id
        self.token = token
        self.api = server.api(token)
        self._stream: Stream | None = None

    # --- making ---

    def new_token(self, *scopes: str):
        made = self.api.post("/v1/tokens", {"name": "other", "scopes": list(scopes)}, status=201).json
        return self.server.api(made["secret"])

    def new_endpoint(self, url: str, **settings) -> dict:
        made = self.api.post("/v1/endpoints", {"url": url} | settings, status=201).json
        self.server.secrets.add(made["secret"])
        return made

    def new_inbox(self, **members) -> dict:
        return self.api.post("/v1/inboxes", members, status=201).json

    def log_call(self, **members) -> dict:
        body = {"type": "incoming", "phone": new_phone(), "duration": 124} | members
        return self.api.post("/v1/calls", body, status=201).json

    def new_contact(self, **members) -> dict:
        body = {"phone": new_phone(), "name": "John Doe"} | members
        return self.api.post("/v1/contacts", body, status=201).json

    # --- looking ---

    def endpoint(self, endpoint_id: str) -> dict:
        return self.api.get(f"/v1/endpoints/{endpoint_id}", status=200).json

    def deliveries(self, **filters) -> list[dict]:
        """Newest first."""
        query = "&".join(f"{name}={value}" for name, value in filters.items())
        return self.api.pages("/v1/deliveries" + ("?" + query if query else ""))

    def delivery(self, delivery_id: str) -> dict:
        return self.api.get(f"/v1/deliveries/{delivery_id}", status=200).json

    def delivery_of(self, logged: dict, endpoint: dict) -> dict:
        """The delivery of what a POST answered with, to an endpoint."""
        event = self.event(logged["payload_id"])
        found = next(row for row in event["endpoints"] if row["endpoint_id"] == endpoint["id"])
        return self.delivery(found["delivery"]["id"])

    def event(self, payload_id: str) -> dict:
        return self.api.get(f"/v1/events/{payload_id}", status=200).json

    def events(self, **filters) -> list[dict]:
        query = "&".join(f"{name}={value}" for name, value in filters.items())
        return self.api.pages("/v1/events" + ("?" + query if query else ""))

    # --- waiting ---

    def watch(self) -> Stream:
        if self._stream is None or self._stream.is_over:
            self._stream = Stream(self.server, self.token)
        return self._stream

    def stop_watching(self) -> None:
        if self._stream is not None:
            self._stream.close()
        self._stream = None

    def wait_until(self, predicate: Callable[[], object], seconds: float = DEADLINE_S):
        return self.watch().wait_until(predicate, seconds)

    def wait_for_state(self, logged: dict, endpoint: dict, *states: str, seconds: float = DEADLINE_S) -> dict:
        """The delivery once it is in one of these states."""

        def look():
            delivery = self.delivery_of(logged, endpoint)
            return delivery if delivery["state"] in states else None

        return self.wait_until(look, seconds)
