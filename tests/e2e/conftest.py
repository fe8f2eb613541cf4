# SPDX-License-Identifier: Apache-2.0
"""Fixtures: most tests share one server and have an org and a receiver of their own; tests that
kill, fill or configure a server start their own."""

import contextlib
from collections.abc import Callable, Iterator

import pytest

pytest.register_assert_rewrite("support.api", "support.org", "support.receiver", "support.server", "support.signature")

from support.org import Org  # noqa: E402
from support.receiver import Receiver  # noqa: E402
from support.server import PROGRAM, Server  # noqa: E402


def pytest_collection_modifyitems(items):
    # The slowest first, so that the last of them does not run alone.
    items.sort(key=lambda item: "slow" not in item.keywords)


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes several seconds")
    if not PROGRAM.exists():
        raise pytest.UsageError(f"{PROGRAM} is not there: build it, or say where it is with CALLSYNC_BIN")


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> Iterator[Server]:
    """The shared one; loopback is an allowed target."""
    server = Server(tmp_path_factory.mktemp("server")).start()
    yield server
    server.close()


@pytest.fixture
def own_server(tmp_path) -> Iterator[Server]:
    """One of the test's own, not yet started."""
    server = Server(tmp_path)
    yield server
    server.close()


@pytest.fixture
def org(server) -> Iterator[Org]:
    org = server.new_org()
    yield org
    org.stop_watching()


@pytest.fixture
def other_org(server) -> Iterator[Org]:
    org = server.new_org(name="Another")
    yield org
    org.stop_watching()


@pytest.fixture
def new_receiver() -> Iterator[Callable[..., Receiver]]:
    with contextlib.ExitStack() as stack:

        def make(*arguments, **settings) -> Receiver:
            receiver = Receiver(*arguments, **settings)
            stack.callback(receiver.close)
            return receiver

        yield make


@pytest.fixture
def receiver(new_receiver) -> Receiver:
    return new_receiver()
