#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts single tests in the log of a test run, and names the ones that failed.

    count_tests.py meson build/meson-logs/testlog.json
    count_tests.py junit results.xml

Prints the failed ones on standard error and "PASSED FAILED SKIPPED" on standard output. A cmocka
program counts as the tests it announced, every other program that Meson runs as one. A test that
was started and did not end (a crash, a timeout) has failed, and so has a program that exits with
an error though all its tests passed (a sanitizer's finding at exit).
"""
import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from collections import Counter

CMOCKA_LINE = re.compile(r"^\[ +(RUN|OK|FAILED|SKIPPED) +\] (.+)$", re.MULTILINE)
MESON_RESULT = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}


def cmocka_results(output):
    """The outcome of each test of a cmocka program, by name."""
    results = {}
    for word, name in CMOCKA_LINE.findall(output):
        if word == "RUN":
            results[name] = "failed"
        elif name in results:
            results[name] = {"OK": "passed", "SKIPPED": "skipped"}.get(word, "failed")
    return results


def read_meson(path):
    for line in open(path, encoding="utf-8"):
        program = json.loads(line)
        outcome = MESON_RESULT.get(program["result"], "failed")
        results = cmocka_results(program.get("stdout", ""))
        for name, result in results.items():
            yield f"{program['name']}: {name}", result
        if not results or (outcome == "failed" and "failed" not in results.values()):
            yield program["name"], outcome


def read_junit(path):
    for case in ElementTree.parse(path).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            result = "failed"
        else:
            result = "skipped" if case.find("skipped") is not None else "passed"
        yield f"{case.get('classname')}: {case.get('name')}", result


def main():
    read = {"meson": read_meson, "junit": read_junit}[sys.argv[1]]
    results = list(read(sys.argv[2]))
    for name, result in results:
        if result == "failed":
            print(f"failed: {name}", file=sys.stderr)
    count = Counter(result for _, result in results)
    print(count["passed"], count["failed"], count["skipped"])


main()
