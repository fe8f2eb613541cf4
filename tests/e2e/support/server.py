# SPDX-License-Identifier: Apache-2.0
"""The program as a process: started, asked where it listens, killed, stopped, started again."""

import os
import select
import signal
import subprocess
import threading
from pathlib import Path

from support.api import Api
from support.org import Org
from support.patience import DEADLINE_S, Deadline

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = Path(os.environ.get("CALLSYNC_BIN", ROOT / "build" / "callsync")).absolute()
LOOPBACK = "127.0.0.0/8,::1/128"
READY = "callsync: listening on "


def has_address_sanitizer() -> bool:
    """A sanitized program is slow and large: what is measured of it means little."""
    return b"__asan_init" in PROGRAM.read_bytes()


def environment(extra: dict | None = None) -> dict:
    """The tests' environment, without settings of the program that happen to be in it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CALLSYNC_")}
    return kept | (extra or {})


def run(*arguments: str, extra: dict | None = None, stdin: bytes = b"") -> subprocess.CompletedProcess:
    """Runs the program to its end; both outputs as text."""
    done = subprocess.run(
        [PROGRAM, *arguments], input=stdin, capture_output=True, timeout=DEADLINE_S, env=environment(extra)
    )
    done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
    return done


class Server:
    """`callsync serve` on a port of its own choice and a data folder that outlives it."""

    def __init__(
        self,
        folder: Path,
        *flags: str,
        listen: str = "127.0.0.1:0",
        allow: str = LOOPBACK,
        extra: dict | None = None,
        prefix: tuple[str, ...] = (),
    ):
        self.data = folder / "data"
        self.log = folder / "stderr.log"
        self.listen = listen
        self.allow = allow
        self.flags = flags
        self.extra = extra or {}
        self.prefix = prefix
        self.process: subprocess.Popen | None = None
        self.base = ""
        # Every token and secret that the tests come across: none may ever stand in the log.
        self.secrets: set[str] = set()
        self._orgs: list[Org] = []

    # --- life ---

    def spawn(self) -> subprocess.Popen:
        """Starts the process and does not wait for it."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment(self.extra),
            )
        return self.process

    def command(self) -> list:
        settings = ["--data", self.data, "--listen", self.listen, "--allow-targets", self.allow]
        return [*self.prefix, PROGRAM, "serve", *settings, *self.flags]

    def start(self) -> "Server":
        process = self.spawn()
        line = self._read_line(Deadline())
        assert line.startswith(READY), f"said {line!r}, exit code {process.poll()}:\n{self.errors()}"
        self.base = line.removeprefix(READY)
        self.secrets.add(self.admin_token)
        threading.Thread(target=self._drain, args=(process,), daemon=True).start()
        return self

    def _read_line(self, deadline: Deadline) -> str:
        """The first line of standard output; what there was of it when the program ended instead."""
        out, text = self.process.stdout.fileno(), b""
        while not text.endswith(b"\n"):
            readable, _, _ = select.select([out], [], [], deadline.left())
            byte = os.read(out, 1) if readable else b""
            if not byte:
                break
            text += byte
        return text.decode().rstrip("\n")

    @staticmethod
    def _drain(process: subprocess.Popen) -> None:
        while process.stdout.read(4096):
            pass

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self.process.wait(DEADLINE_S)
        self._forget_connections()

    def terminate(self, with_signal: int = signal.SIGTERM, seconds: float = DEADLINE_S) -> int:
        """Asks it to stop; its exit code."""
        self.process.send_signal(with_signal)
        code = self.process.wait(seconds)
        self._forget_connections()
        return code

    def restart(self) -> "Server":
        """Starts again on the same data, on another port."""
        assert not self.is_running()
        return self.start()

    def _forget_connections(self) -> None:
        for org in self._orgs:
            org.stop_watching()

    def close(self) -> None:
        """Stops what runs and looks at what it left behind."""
        code = self.terminate() if self.is_running() else 0
        errors = self.errors()
        assert code == 0, f"exit code {code}:\n{errors[-5000:]}"
        self.check_log()

    def check_log(self) -> None:
        errors = self.errors()
        for sign in ("Sanitizer", "runtime error:", "Assertion"):
            assert sign not in errors, errors[errors.index(sign) :][:5000]
        told = sorted(secret for secret in self.secrets if secret in errors)
        assert not told, f"secrets in the log: {told}"

    # --- what it shows ---

    @property
    def admin_token(self) -> str:
        given = self.extra.get("CALLSYNC_ADMIN_TOKEN")
        return given or (self.data / "admin-token").read_text().strip()

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.base.removeprefix("http://").rpartition(":")
        return host.strip("[]"), int(port)

    def errors(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def memory_peak_bytes(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024

    # --- who asks ---

    def api(self, token: str | None, org_id: str | None = None) -> Api:
        if token:
            self.secrets.add(token)
        return Api(self, token, org_id)

    def admin(self, org_id: str | None = None) -> Api:
        return self.api(self.admin_token, org_id)

    def visitor(self) -> Api:
        return self.api(None)

    def new_org(self, **members) -> Org:
        made = self.admin().post("/v1/orgs", {"name": "Uptown"} | members, status=201).json
        org = Org(self, made["id"], made["token"]["secret"])
        self._orgs.append(org)
        return org
