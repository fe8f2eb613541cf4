# SPDX-License-Identifier: Apache-2.0
"""The command line, the settings, and starts that must not succeed."""

import os
import pwd
import re
import sqlite3
import stat
import subprocess

import pytest

from support.patience import DEADLINE_S
from support.receiver import reply
from support.server import LOOPBACK, PROGRAM, Server, environment, run

SETTINGS = {
    "--listen": "CALLSYNC_LISTEN",
    "--data": "CALLSYNC_DATA",
    "--database": "CALLSYNC_DATABASE",
    "--public-url": "CALLSYNC_PUBLIC_URL",
    "--admin-token": "CALLSYNC_ADMIN_TOKEN",
    "--allow-targets": "CALLSYNC_ALLOW_TARGETS",
    "--retention-days": "CALLSYNC_RETENTION_DAYS",
    "--log-format": "CALLSYNC_LOG_FORMAT",
}
WRONG = [
    ("--listen", "nonsense"),
    ("--listen", "127.0.0.1"),
    ("--listen", "127.0.0.1:65536"),
    ("--listen", "127.0.0.1:-1"),
    ("--listen", "::1:8080"),
    ("--listen", "[::1]"),
    ("--data", "x" * 5000),
    ("--database", "mysql://localhost"),
    ("--public-url", "ftp://example.com"),
    ("--public-url", "example.com"),
    ("--admin-token", "short"),
    ("--admin-token", "a token with spaces in it"),
    ("--allow-targets", "10.0.0.0/33"),
    ("--allow-targets", "localhost"),
    ("--allow-targets", "10.0.0.0/8;127.0.0.0/8"),
    ("--retention-days", "0"),
    ("--retention-days", "-1"),
    ("--retention-days", "30d"),
    ("--retention-days", "99999999999999999999"),
    ("--log-format", "xml"),
]


@pytest.mark.parametrize("flag, value", WRONG)
def test_a_wrong_value_ends_with_2_and_names_the_setting(tmp_path, flag, value):
    base = [] if flag == "--data" else ["--data", str(tmp_path / "data")]
    by_flag = run("serve", *base, flag, value)
    assert by_flag.returncode == 2 and flag in by_flag.stderr and by_flag.stdout == "", by_flag.stderr
    by_variable = run("serve", *base, extra={SETTINGS[flag]: value})
    assert by_variable.returncode == 2 and SETTINGS[flag] in by_variable.stderr
    if flag == "--admin-token":
        assert value not in by_flag.stderr + by_variable.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("fly",),
        ("serve", "--colour", "red"),
        ("serve", "--listen"),
        ("serve", "surplus"),
        ("sign",),
        ("verify", "--secret", "12345678"),
        ("help", "fly"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_is_wrong(arguments):
    done = run(*arguments)
    assert done.returncode == 2 and done.stderr and done.stdout == ""


def test_help_and_version_end_with_0(tmp_path):
    assert re.fullmatch(r"callsync \d+\.\d+\.\d+\n", run("--version").stdout)
    for arguments in (
        ("--help",),
        ("help",),
        ("help", "serve"),
        ("serve", "--help"),
        ("help", "sign"),
        ("help", "verify"),
    ):
        done = run(*arguments)
        assert done.returncode == 0 and done.stdout and done.stderr == "", arguments
    told = run("help", "serve").stdout
    for flag, variable in SETTINGS.items():
        assert flag in told and variable in told


def test_every_setting_works_as_a_variable(tmp_path):
    token = "an-admin-token-of-the-tests"
    server = Server(tmp_path, extra={"CALLSYNC_ADMIN_TOKEN": token, "CALLSYNC_PUBLIC_URL": "https://calls.example.com"})
    server.start()
    org = server.new_org()
    assert org.new_inbox()["url"].startswith("https://calls.example.com/in/")
    server.api(token).get("/v1/orgs", status=200)
    server.close()


def test_a_flag_goes_before_its_variable(tmp_path):
    server = Server(tmp_path, extra={"CALLSYNC_LISTEN": "nonsense", "CALLSYNC_DATA": "/proc/nowhere"}).start()
    server.close()


def test_it_listens_on_ipv6_as_well(tmp_path):
    server = Server(tmp_path, listen="[::1]:0").start()
    assert server.base.startswith("http://[::1]:")
    org = server.new_org()
    endpoint = org.new_endpoint(org.new_inbox()["url"])
    org.wait_for_state(org.log_call(), endpoint, "delivered")
    server.close()


def test_the_data_folder_is_nobody_elses_business(own_server):
    own_server.start()
    assert stat.S_IMODE(own_server.data.stat().st_mode) == 0o700
    assert stat.S_IMODE((own_server.data / "admin-token").stat().st_mode) == 0o600
    for path in own_server.data.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    before = own_server.admin_token
    assert own_server.terminate() == 0
    own_server.restart()
    assert own_server.admin_token == before


def test_a_second_server_on_the_same_folder_is_refused(own_server):
    own_server.start()
    done = run("serve", "--listen", "127.0.0.1:0", "--data", str(own_server.data))
    assert done.returncode == 1 and done.stdout == "" and done.stderr
    own_server.new_org()


def test_a_port_that_is_taken_is_told(own_server, tmp_path):
    own_server.start()
    address = own_server.base.removeprefix("http://")
    done = run("serve", "--listen", address, "--data", str(tmp_path / "other"))
    assert done.returncode == 1 and "--listen" in done.stderr


def test_the_database_of_a_newer_version_is_refused_and_left_alone(own_server):
    own_server.start()
    assert own_server.terminate() == 0
    [path] = [path for path in own_server.data.iterdir() if path.suffix == ".db"]
    with sqlite3.connect(path) as database:
        database.execute("UPDATE schema_version SET version = 999")
    database.close()
    done = run("serve", "--listen", "127.0.0.1:0", "--data", str(own_server.data))
    assert done.returncode == 1 and done.stdout == ""
    assert "999" in done.stderr and "newer" in done.stderr


def test_a_file_that_is_no_database_is_refused_and_left_alone(own_server):
    own_server.start()
    assert own_server.terminate() == 0
    [path] = [path for path in own_server.data.iterdir() if path.suffix == ".db"]
    path.write_bytes(b"this is no database " * 1000)
    done = run("serve", "--listen", "127.0.0.1:0", "--data", str(own_server.data))
    assert done.returncode == 1 and done.stdout == "" and done.stderr
    assert path.read_bytes() == b"this is no database " * 1000


def test_a_data_folder_that_is_a_file_or_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below", tmp_path / "none" / "below"):
        done = run("serve", "--listen", "127.0.0.1:0", "--data", str(folder))
        assert done.returncode == 1 and "--data" in done.stderr and str(folder) in done.stderr


def test_a_data_folder_that_is_read_only_is_told(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir(mode=0o500)
    nobody = {}
    if os.geteuid() == 0:
        account = pwd.getpwnam("nobody")
        os.chown(folder, account.pw_uid, account.pw_gid)
        nobody = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        for parent in list(tmp_path.parents)[:3]:
            parent.chmod(parent.stat().st_mode | 0o011)
        tmp_path.chmod(0o711)
    done = subprocess.run(
        [PROGRAM, "serve", "--listen", "127.0.0.1:0", "--data", folder],
        capture_output=True,
        timeout=DEADLINE_S,
        env=environment(),
        **nobody,
    )
    assert done.returncode == 1 and b"--data" in done.stderr and str(folder).encode() in done.stderr


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_secrets_tokens_and_bodies_are_never_in_the_log(tmp_path, receiver, log_format):
    server = Server(tmp_path, "--log-format", log_format, allow=LOOPBACK).start()
    org = server.new_org()
    hidden = ["a-given-secret-0815", "an-own-header-value-4711", "a-name-in-a-body-1234"]
    server.secrets.update(hidden)
    endpoint = org.new_endpoint(
        receiver.base + "/hook", secret=hidden[0], headers={"X-Key": hidden[1]}, retry_schedule=["1s"]
    )
    receiver.on("/hook", reply(500, body=hidden[2].encode()))
    org.wait_for_state(org.log_call(name=hidden[2]), endpoint, "failed")
    path = f"/v1/endpoints/{endpoint['id']}/secret"
    server.secrets.add(org.api.post(path + "/rotate", {}, status=200).json["secret"])
    org.api.post("/v1/calls", body=b'{"name":"' + hidden[2].encode(), headers={"Content-Type": "application/json"})
    server.api("cs_" + "B" * 43).get("/v1/calls", status=401)
    server.visitor().get("/v1/calls", headers={"Authorization": "Basic " + hidden[0]})
    server.visitor().get(f"/nothing/{hidden[0]}?token={hidden[1]}")
    server.visitor().get(f"/recordings/{hidden[1]}")
    server.close()
    assert "delivery_failed" in server.errors() or "failed" in server.errors()
