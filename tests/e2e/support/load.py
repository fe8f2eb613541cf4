# SPDX-License-Identifier: Apache-2.0
"""Calls logged by several threads at once, and what was answered to them."""

import http.client
import itertools
import threading

from support.org import new_phone
from support.patience import DEADLINE_S, Deadline


class Load:
    """Logs calls until it is stopped or the server is gone; remembers every 2xx."""

    _numbers = itertools.count(1)

    def __init__(self, org, threads: int = 2):
        self._org = org
        self._is_over = threading.Event()
        self._changed = threading.Condition()
        self.accepted: dict[str, int] = {}  # payload_id -> call_id
        self.others: list[int] = []  # statuses that were no 2xx
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def _run(self) -> None:
        api = self._org.server.api(self._org.token)
        while not self._is_over.is_set():
            body = {"type": "incoming", "phone": new_phone(), "external_id": f"load-{next(self._numbers)}"}
            try:
                answer = api.post("/v1/calls", body)
            except (OSError, http.client.HTTPException):
                return
            with self._changed:
                if answer.status == 201:
                    self.accepted[answer.json["payload_id"]] = answer.json["call_id"]
                else:
                    self.others.append(answer.status)
                self._changed.notify_all()

    def wait_for_accepted(self, count: int, seconds: float = DEADLINE_S) -> None:
        deadline = Deadline(seconds)
        with self._changed:
            assert self._changed.wait_for(
                lambda: len(self.accepted) >= count, deadline.left()
            ), f"only {len(self.accepted)} of {count} accepted; others: {self.others[-5:]}"

    def stop(self) -> dict[str, int]:
        self._is_over.set()
        for thread in self._threads:
            thread.join(2 * DEADLINE_S)
            assert not thread.is_alive()
        return self.accepted
