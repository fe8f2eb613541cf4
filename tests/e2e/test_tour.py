# SPDX-License-Identifier: Apache-2.0
"""The tour of README.md, run as it tells."""

import os
import subprocess

from support import audio
from support.patience import DEADLINE_S
from support.server import PROGRAM, ROOT, environment


def test_the_tour_ends_with_four_signed_events_in_the_inbox(org, tmp_path):
    recording = tmp_path / "call.mp3"
    recording.write_bytes(audio.mp3())
    settings = {"BASE": org.server.base, "TOKEN": org.token, "AUDIO": str(recording), "CALLSYNC": str(PROGRAM)}
    path = {"PATH": f"{PROGRAM.parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", ROOT / "doc" / "tour.sh"],
        env=environment(settings | path),
        capture_output=True,
        text=True,
        timeout=3 * DEADLINE_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # The first row may follow the answer of the request before it, which ends without a newline.
    rows = [line.rpartition("}")[2].split("\t") for line in done.stdout.splitlines() if line.count("\t") == 2]
    assert [row[0] for row in rows] == ["caller_updated", "ai_analysis", "recording_updated", "call_logged"]
    assert all(row[2] == "true" for row in rows), rows
