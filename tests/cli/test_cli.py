#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tries the program's command line as a user types it.

    test_cli.py PROGRAM
"""
import hashlib
import hmac
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.request

PROGRAM = sys.argv.pop(1)
SECRET = "whsec_test"
BODY = b'{"event":"call_logged","type":"incoming"}'
DEADLINE_S = 30


def clean_environment(**variables):
    """The environment without settings of the caller, and with these."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CALLSYNC_")}
    return {**kept, **variables}


def run(*arguments, body=b"", **variables):
    """Runs the program to its end: (exit code, standard output, standard error)."""
    done = subprocess.run([PROGRAM, *arguments], input=body, capture_output=True, check=False,
                          timeout=DEADLINE_S, env=clean_environment(**variables))
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def hex_signature(body, secret=SECRET):
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class Usage(unittest.TestCase):
    def test_version_is_one_line(self):
        code, out, _ = run("--version")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"\Acallsync \d+\.\d+\.\d+\n\Z")

    def test_help_lists_every_command(self):
        code, out, _ = run("--help")
        self.assertEqual(code, 0)
        for command in ("serve", "sign", "verify", "help"):
            self.assertRegex(out, rf"(?m)^  {command} ")

    def test_each_command_has_its_help_in_both_ways(self):
        for command in ("serve", "sign", "verify"):
            with self.subTest(command):
                code, out, _ = run("help", command)
                self.assertEqual(code, 0)
                self.assertIn(f"Usage: callsync {command}", out)
                self.assertEqual(run(command, "--help"), (0, out, ""))

    def test_help_of_serve_names_every_setting_twice(self):
        _, out, _ = run("help", "serve")
        for name in ("listen", "data", "database", "public-url", "admin-token", "allow-targets",
                     "retention-days", "log-format"):
            self.assertIn(f"--{name} ", out)
            self.assertIn("CALLSYNC_" + name.upper().replace("-", "_"), out)

    def test_wrong_usage_is_2_and_says_where_to_read_on(self):
        for arguments in ((), ("nonsense",), ("help", "nonsense"), ("help", "serve", "sign"),
                          ("serve", "--nonsense"), ("serve", "extra"), ("serve", "--listen"),
                          ("sign", "--secret", "short"), ("sign",), ("verify",),
                          ("verify", "--secret", SECRET),
                          ("sign", "--secret", SECRET, "--timestamp", "1"),
                          ("sign", "--secret", SECRET, "--id", "x", "--timestamp", "soon")):
            with self.subTest(arguments):
                code, out, err = run(*arguments)
                self.assertEqual((code, out), (2, ""))
                self.assertIn("help", err)

    def test_output_that_cannot_be_written_is_a_failure(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([PROGRAM, "--version"], stdout=full, stderr=subprocess.PIPE,
                                  check=False, timeout=DEADLINE_S)
        self.assertEqual(done.returncode, 1)


class Signatures(unittest.TestCase):
    def test_sign_prints_the_header(self):
        self.assertEqual(run("sign", "--secret", SECRET, body=BODY),
                         (0, f"X-CallSync-Signature: {hex_signature(BODY)}\n", ""))

    def test_the_secret_may_come_as_a_variable(self):
        self.assertEqual(run("sign", body=BODY, CALLSYNC_SECRET=SECRET)[1],
                         f"X-CallSync-Signature: {hex_signature(BODY)}\n")

    def test_the_body_may_be_a_file(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(BODY)
            file.flush()
            self.assertIn(hex_signature(BODY), run("sign", "--secret", SECRET, file.name)[1])
        code, _, err = run("sign", "--secret", SECRET, file.name)
        self.assertEqual(code, 1)
        self.assertIn(file.name, err)

    def test_sign_prints_the_headers_of_standard_webhooks(self):
        # The example of the Standard Webhooks specification's libraries.
        code, out, _ = run("sign", "--secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
                           "--id", "msg_p5jXN8AQM9LWM0D4loKWxJek", "--timestamp", "1614265330",
                           body=b'{"test": 2432232314}')
        self.assertEqual(code, 0)
        self.assertEqual(out.splitlines()[1:], [
            "webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp: 1614265330",
            "webhook-signature: v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="])

    def test_a_body_of_more_than_8_mib_is_refused(self):
        code, _, err = run("sign", "--secret", SECRET, body=bytes(8 * 1024 * 1024 + 1))
        self.assertEqual(code, 1)
        self.assertIn("larger than", err)

    def test_verify_says_that_a_signature_holds(self):
        self.assertEqual(
            run("verify", "--secret", SECRET, "--signature", hex_signature(BODY), body=BODY),
            (0, "the signature holds\n", ""))

    def test_verify_names_the_mistake(self):
        for signature, body, word in (
                (hex_signature(BODY), BODY + b"\n", "newline"),
                (hex_signature(BODY), BODY.replace(b",", b", "), "JSON"),
                ("sha256=" + hex_signature(BODY), BODY, "sha256="),
                (hex_signature(BODY, SECRET + "\n"), BODY, "White space"),
                (hex_signature(BODY, "another one"), BODY, "None of the usual mistakes")):
            with self.subTest(word):
                code, out, err = run("verify", "--secret", SECRET, "--signature", signature,
                                     body=body)
                self.assertEqual((code, out), (1, ""))
                self.assertIn("does not hold", err)
                self.assertIn(word, err)


class Serve(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.data = pathlib.Path(self.folder.name) / "data"

    def start(self, *arguments):
        """Starts a server on a free port and waits until it is ready: (process, its URL)."""
        process = subprocess.Popen(
            [PROGRAM, "serve", "--listen", "127.0.0.1:0", "--data", str(self.data), *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=clean_environment(), text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        line = process.stdout.readline()
        ready = re.fullmatch(r"callsync: listening on (http://127\.0\.0\.1:\d+)\n", line)
        self.assertIsNotNone(ready, line)
        return process, ready.group(1)

    def stop(self, process, how=signal.SIGTERM):
        process.send_signal(how)
        self.assertEqual(process.wait(DEADLINE_S), 0)
        self.assertEqual(process.stdout.read(), "")

    def orgs(self, url, token):
        request = urllib.request.Request(url + "/v1/orgs",
                                         headers={"Authorization": f"Bearer {token}"})
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    def test_a_wrong_setting_is_named_by_flag_and_variable(self):
        code, _, err = run("serve", "--data", str(self.data), CALLSYNC_RETENTION_DAYS="0")
        self.assertEqual(code, 2)
        self.assertIn("--retention-days (CALLSYNC_RETENTION_DAYS)", err)
        self.assertIn("1 to 3650", err)
        self.assertFalse(self.data.exists())

    def test_a_data_folder_that_cannot_be_is_named(self):
        self.data.write_text("a file")
        code, _, err = run("serve", "--listen", "127.0.0.1:0", "--data", str(self.data))
        self.assertEqual(code, 1)
        self.assertIn("--data (CALLSYNC_DATA)", err)
        self.assertIn(str(self.data), err)

    def test_the_first_start_makes_what_it_needs_for_its_owner_alone(self):
        process, url = self.start()
        self.assertEqual(self.data.stat().st_mode & 0o777, 0o700)
        for name in ("key", "admin-token", "callsync.db"):
            self.assertEqual((self.data / name).stat().st_mode & 0o077, 0, name)
        token = (self.data / "admin-token").read_text(encoding="ascii").strip()
        self.assertEqual(self.orgs(url, token), 200)
        self.assertEqual(self.orgs(url, token + "x"), 401)
        self.stop(process)

    def test_a_later_start_knows_the_same_token_and_interrupts_end_it_too(self):
        process, _ = self.start()
        token = (self.data / "admin-token").read_text(encoding="ascii").strip()
        self.stop(process)
        process, url = self.start()
        self.assertEqual(self.orgs(url, token), 200)
        self.stop(process, signal.SIGINT)

    def test_a_given_admin_token_is_the_one_that_counts(self):
        process, url = self.start("--admin-token", "given-by-the-operator")
        self.assertEqual(self.orgs(url, "given-by-the-operator"), 200)
        self.assertFalse((self.data / "admin-token").exists())
        self.stop(process)

    def test_a_second_server_on_the_same_folder_or_port_says_so(self):
        process, url = self.start()
        code, _, err = run("serve", "--listen", "127.0.0.1:0", "--data", str(self.data))
        self.assertEqual(code, 1)
        self.assertIn("another callsync serves this folder", err)
        code, _, err = run("serve", "--listen", url.removeprefix("http://"),
                           "--data", self.folder.name + "/other")
        self.assertEqual(code, 1)
        self.assertIn("--listen (CALLSYNC_LISTEN)", err)
        self.stop(process)


if __name__ == "__main__":
    unittest.main(argv=["test_cli", "-v"])
