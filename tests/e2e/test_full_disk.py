# SPDX-License-Identifier: Apache-2.0
"""A disk that is full: 503 while nothing can be stored, nothing is lost, and on it goes when there
is room again."""

import os
import resource
import subprocess

import pytest

from support import audio
from support.org import new_phone
from support.patience import Deadline
from support.receiver import reply
from support.server import Server

MIB = 1024 * 1024
MOUNT = 'mkdir -p "$1" && mount -t tmpfs -o size=24m tmpfs "$1" && shift && exec "$@"'


def has_own_mounts() -> bool:
    """Whether a process may mount a file system that only it sees."""
    done = subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True)
    return done.returncode == 0


class LimitedFile:
    """No file may grow: as a quota, and needing no rights at all."""

    def __init__(self, folder):
        self.server = Server(folder)
        self._unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(self) -> None:
        largest = max(path.stat().st_size for path in self.server.data.rglob("*") if path.is_file())
        resource.prlimit(self.server.process.pid, resource.RLIMIT_FSIZE, (largest, self._unlimited[1]))

    def free(self) -> None:
        resource.prlimit(self.server.process.pid, resource.RLIMIT_FSIZE, self._unlimited)


class SmallDisk:
    """A file system of 24 MB that only the server's process sees."""

    def __init__(self, folder):
        self.server = Server(folder, prefix=("unshare", "-rm", "sh", "-c", MOUNT, "sh", str(folder / "data")))
        self._token = "an-admin-token-of-the-tests"
        self.server.extra = {"CALLSYNC_ADMIN_TOKEN": self._token}

    def _ballast(self) -> str:
        return f"/proc/{self.server.process.pid}/root{self.server.data}/ballast"

    def fill(self) -> None:
        with open(self._ballast(), "wb", buffering=0) as ballast:
            try:
                while ballast.write(bytes(4096)):
                    pass
            except OSError:
                pass

    def free(self) -> None:
        os.unlink(self._ballast())


@pytest.fixture(params=["a limit on files", "a small disk"])
def disk(request, tmp_path):
    if request.param == "a small disk" and not has_own_mounts():
        pytest.skip("this machine lets no process have mounts of its own")
    disk = (SmallDisk if request.param == "a small disk" else LimitedFile)(tmp_path)
    disk.server.start()
    yield disk
    disk.server.close()


def log(org):
    return org.api.post("/v1/calls", {"type": "missed", "phone": new_phone(), "name": "n" * 200})


def log_until_refused(org) -> tuple[list, object]:
    """What was accepted, and the first refusal."""
    accepted = []
    for _ in range(20_000):
        answer = log(org)
        if answer.status != 201:
            return accepted, answer
        accepted.append(answer.json)
    raise AssertionError("it stored 20,000 calls on a full disk")


@pytest.mark.slow
def test_a_full_disk_is_503_and_nothing_that_was_accepted_is_lost(disk, receiver):
    org = disk.server.new_org()
    org.new_endpoint(receiver.on("/hook"), events=["call_logged"], retry_schedule=["1s"] * 20)
    accepted = [log(org).json for _ in range(5)]
    disk.fill()
    more, refused = log_until_refused(org)
    accepted += more
    assert refused.status == 503 and int(refused.headers["Retry-After"]) >= 1
    assert refused.headers["Content-Type"].startswith("application/problem+json")
    assert org.api.get("/v1/calls").status == 200, "reading goes on"
    disk.server.visitor().get("/readyz", status=503)
    disk.free()
    deadline = Deadline()
    after = log(org)
    while after.status == 503 and not deadline.is_over():
        after = log(org)
    assert after.status == 201, str(after)
    accepted.append(after.json)
    wanted = {one["payload_id"] for one in accepted}
    receiver.wait_for(lambda seen: wanted <= {one.payload_id for one in seen}, "/hook", 30)
    assert {event["payload_id"] for event in org.events(event="call_logged")} == wanted
    disk.server.visitor().get("/readyz", status=200)


@pytest.mark.slow
def test_a_result_that_cannot_be_stored_is_stored_later_and_not_sent_again(disk, receiver):
    org = disk.server.new_org()
    gate = receiver.gate()
    endpoint = org.new_endpoint(
        receiver.on("/hook", gate.then(reply(200))), events=["call_logged"], retry_schedule=["1s"]
    )
    logged = org.log_call()
    receiver.wait_for_count(1, "/hook")
    disk.fill()
    log_until_refused(org)
    gate.open()
    receiver.wait_for_answers(1, "/hook")
    assert log(org).status == 503
    disk.free()
    org.wait_for_state(logged, endpoint, "delivered", seconds=30)
    assert len([one for one in receiver.requests("/hook") if one.payload_id == logged["payload_id"]]) == 1


@pytest.mark.slow
def test_a_recording_that_does_not_fit_is_refused_and_leaves_nothing(disk):
    org = disk.server.new_org()
    call_id = org.log_call()["call_id"]
    disk.fill()
    path = f"/v1/calls/{call_id}/recording"
    headers = {"Content-Type": "audio/mpeg"}
    body = b"".join(audio.endless_mp3(30 * MIB))
    answer = org.api.put(path, body=body, headers=headers)
    assert answer.status == 503, str(answer)
    disk.free()
    deadline = Deadline()
    while answer.status == 503 and not deadline.is_over():
        answer = org.api.put(path, body=audio.mp3(), headers=headers)
    assert answer.status == 200, str(answer)
    assert org.api.get(path, status=200).body == audio.mp3()
