#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Names the tests worth running under ThreadSanitizer, from a Meson build folder.

    threaded_tests.py FOLDER tests      their names, one a line
    threaded_tests.py FOLDER targets    the ninja targets that they are built from

These are the unit tests of the layers that threads share, and all contract and simulation tests.
"""
import json
import os
import subprocess
import sys

LAYERS = ("base/", "net/", "store/", "deliver/")


def is_threaded(test):
    suites = {suite.split(":")[-1] for suite in test["suite"]}
    if suites & {"contract", "sim"}:
        return True
    return "unit" in suites and test["name"].startswith(LAYERS)


def main():
    folder, what = sys.argv[1:]
    answer = subprocess.run(["meson", "introspect", folder, "--tests"], check=True,
                            capture_output=True, text=True)
    tests = [test for test in json.loads(answer.stdout) if is_threaded(test)]
    if what == "tests":
        names = [test["name"] for test in tests]
    else:
        names = sorted({os.path.relpath(test["cmd"][0], folder) for test in tests})
    for name in names:
        print(name)


main()
