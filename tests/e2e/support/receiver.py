# SPDX-License-Identifier: Apache-2.0
"""A receiver of webhooks that does as it is told, well or badly, and remembers what came.

Each path has a script: actions that are used up one request at a time; the last one stays. Raw
sockets, for much of what it is told to do no HTTP library would do. A thread a connection.
"""

import json
import select
import socket
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from support.patience import DEADLINE_S, Deadline


@dataclass
class Request:
    """What came, byte for byte."""

    number: int  # in the order in which heads were complete
    connection: int
    at: float  # time.monotonic() when it was complete
    wall: float  # time.time() then
    method: str
    target: str
    head: bytes
    headers: list[tuple[str, str]]
    body: bytes
    answered_at: float | None = field(default=None)

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    def header(self, name: str) -> str | None:
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        assert len(values) <= 1, f"{name} came {len(values)} times"
        return values[0] if values else None

    @property
    def json(self) -> dict:
        return json.loads(self.body)

    @property
    def payload_id(self) -> str:
        return self.json["payload_id"]


class PeerGone(Exception):
    """The sender has closed, or the receiver is being stopped."""


class Line:
    """An action's hold on the connection."""

    def __init__(self, receiver: "Receiver", connection: socket.socket, request: Request):
        self._receiver = receiver
        self.socket = connection
        self.request = request
        self.is_open = True

    def send(self, data: bytes) -> None:
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise PeerGone from error

    def pause(self, seconds: float | None) -> None:
        """Lets time pass (None: for ever), but notices when the sender goes."""
        readable, _, _ = select.select([self.socket, self._receiver.stop_pipe[0]], [], [], seconds)
        if self._receiver.stop_pipe[0] in readable:
            raise PeerGone
        if readable and self.socket.recv(1, socket.MSG_PEEK) == b"":
            raise PeerGone

    def reset(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.is_open = False

    def close(self) -> None:
        self.is_open = False


Action = Callable[[Line], None]


def reply(status: int = 200, headers: list[tuple[str, str]] = (), body: bytes = b"") -> Action:
    """A right answer."""

    def act(line: Line) -> None:
        lines = [f"HTTP/1.1 {status} Scripted", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers]
        line.send("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)

    return act


def raw(data: bytes, then_close: bool = True) -> Action:
    """These bytes, whatever they are."""

    def act(line: Line) -> None:
        line.send(data)
        if then_close:
            line.close()

    return act


def hang() -> Action:
    """No answer until the sender gives up."""
    return lambda line: line.pause(None)


def drip(head: bytes, piece: bytes, every_s: float) -> Action:
    """A head, and then a piece ever so often, without end."""

    def act(line: Line) -> None:
        line.send(head)
        while True:
            line.pause(every_s)
            line.send(piece)

    return act


def pour(head: bytes, piece: bytes) -> Action:
    """A head, and then pieces as fast as they are taken, without end."""
    return drip(head, piece, 0)


def reset() -> Action:
    """A connection reset instead of an answer."""
    return lambda line: line.reset()


class Gate:
    """Holds answers back until a test opens it."""

    def __init__(self):
        self._is_open = threading.Event()

    def open(self) -> None:
        self._is_open.set()

    def then(self, action: Action) -> Action:
        def act(line: Line) -> None:
            self._is_open.wait()
            action(line)

        return act


class Receiver:
    def __init__(self, host: str = "127.0.0.1", wrap: Callable[[socket.socket], socket.socket] | None = None):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family, backlog=512)
        self.port = self._listener.getsockname()[1]
        scheme = "https" if wrap else "http"
        self.base = f"{scheme}://[{host}]:{self.port}" if ":" in host else f"{scheme}://{host}:{self.port}"
        self.stop_pipe = socket.socketpair()
        self.connection_count = 0
        self._wrap = wrap
        self._changed = threading.Condition()
        self._requests: list[Request] = []
        self._scripts: dict[str, list[Action]] = {}
        self._deciders: dict[str, Callable[[Request], Action]] = {}
        self._gates: list[Gate] = []
        self._in_flight: dict[str, int] = defaultdict(int)
        self.max_in_flight: dict[str, int] = defaultdict(int)
        threading.Thread(target=self._accept, daemon=True).start()

    # --- what it is told ---

    def on(self, path: str, *actions: Action) -> str:
        """From now on these answers at this path; its URL."""
        with self._changed:
            self._deciders.pop(path, None)
            self._scripts[path] = list(actions)
        return self.base + path

    def decide(self, path: str, decider: Callable[[Request], Action]) -> str:
        """Answers that depend on the request."""
        with self._changed:
            self._deciders[path] = decider
        return self.base + path

    def gate(self) -> Gate:
        gate = Gate()
        self._gates.append(gate)
        return gate

    # --- what it has seen ---

    def requests(self, path: str | None = None) -> list[Request]:
        with self._changed:
            return [request for request in self._requests if path is None or request.path == path]

    def wait_for(
        self,
        predicate: Callable[[list[Request]], object],
        path: str | None = None,
        seconds: float = DEADLINE_S,
    ) -> list[Request]:
        """The requests at the path, once predicate is true of them."""
        deadline = Deadline(seconds)
        with self._changed:
            while True:
                requests = [request for request in self._requests if path is None or request.path == path]
                if predicate(requests):
                    return requests
                told = [(request.path, request.header("X-CallSync-Event")) for request in requests]
                assert self._changed.wait(deadline.left()) or not deadline.is_over(), f"not in time; came: {told}"

    def wait_for_count(self, count: int, path: str | None = None, seconds: float = DEADLINE_S) -> list[Request]:
        return self.wait_for(lambda requests: len(requests) >= count, path, seconds)

    def wait_for_answers(self, count: int, path: str | None = None, seconds: float = DEADLINE_S) -> list[Request]:
        """... and so many have been answered, or given up."""

        def is_answered(requests):
            return sum(request.answered_at is not None for request in requests) >= count

        return self.wait_for(is_answered, path, seconds)

    # --- how it does it ---

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connection_count += 1
            threading.Thread(target=self._serve, args=(connection, self.connection_count), daemon=True).start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._wrap:
                connection = self._wrap(connection)
            buffer = b""
            while (read := self._read_request(connection, number, buffer)) is not None:
                request, buffer = read
                if not self._answer(connection, request):
                    break
        except (OSError, PeerGone):
            pass
        finally:
            connection.close()

    def _read_request(self, connection, number: int, buffer: bytes) -> tuple[Request, bytes] | None:
        while b"\r\n\r\n" not in buffer:
            piece = connection.recv(65536)
            if not piece:
                return None
            buffer += piece
        head, _, buffer = buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        small = {name.lower(): value for name, value in headers}
        if small.get("expect", "").lower() == "100-continue":
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = int(small.get("content-length", "0"))
        while len(buffer) < length:
            piece = connection.recv(65536)
            if not piece:
                return None
            buffer += piece
        method, target, _ = first.split(" ")
        with self._changed:
            request = Request(
                number=len(self._requests) + 1,
                connection=number,
                at=time.monotonic(),
                wall=time.time(),
                method=method,
                target=target,
                head=head,
                headers=headers,
                body=buffer[:length],
            )
            self._requests.append(request)
            self._in_flight[request.path] += 1
            self.max_in_flight[request.path] = max(self.max_in_flight[request.path], self._in_flight[request.path])
            self._changed.notify_all()
        return request, buffer[length:]

    def _action(self, request: Request) -> Action:
        with self._changed:
            decider = self._deciders.get(request.path)
            script = self._scripts.get(request.path)
            if decider is None:
                if not script:
                    return reply(200)
                return script.pop(0) if len(script) > 1 else script[0]
        return decider(request)

    def _answer(self, connection: socket.socket, request: Request) -> bool:
        """True when the connection goes on."""
        line = Line(self, connection, request)
        action = self._action(request)
        # It leaves before the last byte does: the sender may start the next one at once.
        is_counted = [True]

        def leave():
            with self._changed:
                if is_counted[0]:
                    self._in_flight[request.path] -= 1
                    is_counted[0] = False
                request.answered_at = time.monotonic()
                self._changed.notify_all()

        send = line.send

        def send_and_leave(data: bytes) -> None:
            with self._changed:
                if is_counted[0]:
                    self._in_flight[request.path] -= 1
                    is_counted[0] = False
            send(data)

        line.send = send_and_leave
        try:
            action(line)
        except PeerGone:
            line.is_open = False
        finally:
            leave()
        return line.is_open

    def close(self) -> None:
        self.stop_pipe[1].close()
        for gate in self._gates:
            gate.open()
        try:
            self._listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._listener.close()
