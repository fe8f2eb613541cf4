#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks the rules of style that a machine can see and clang-format does not know.

Every file of code: an SPDX line first (second after "#!"), no trailing space, no note of unfinished
work, no name such as "util" that says nothing, and a reason ("Long because ...") when it is over
1,000 lines or a C function in it over 120. Under src/ besides: a file opens with "name - what it
is", a header has "#pragma once", a .c includes its own header first, and there are no variables at
file scope but constants ("Global because ..." excuses one).

    check_style.py ROOT
"""
import pathlib
import re
import sys

from c_source import file_scope_statements, without_comments, without_preprocessor

FILE_LINES_MAX = 1000
FUNCTION_LINES_MAX = 120
CODE = {".c", ".h", ".py", ".sh", ".sql", ".ts", ".tsx", ".js", ".mjs", ".css"}
CODE_NAMES = {"Makefile", "meson.build"}
SKIPPED_AT_TOP = re.compile(r"^(\.git|\.venv|data|build(-.*)?)$")
SKIPPED = {"node_modules", "__pycache__", ".pytest_cache", "dist", "corpus"}
EMPTY_WORDS = {"util", "utils", "common", "misc", "helper", "helpers", "core", "manager"}
UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
SPDX = "SPDX-License-Identifier: Apache-2.0"
LONG_REASON = "Long because"
GLOBAL_REASON = "Global because"


def files(root):
    """Every file that belongs to the repository, as a path below root."""
    pending = [root]
    while pending:
        folder = pending.pop()
        for path in sorted(folder.iterdir()):
            if path.name in SKIPPED or (folder == root and SKIPPED_AT_TOP.match(path.name)):
                continue
            if path.is_dir():
                pending.append(path)
            else:
                yield path.relative_to(root)


def is_code(path, text):
    return path.suffix in CODE or path.name in CODE_NAMES or text.startswith("#!")


def is_variable(statement):
    """True for a variable that is not constant."""
    plain = re.sub(r"__attribute__\s*\(\(.*?\)\)|\[[^\]]*\]|_Alignas\s*\([^)]*\)", "", statement)
    if not plain or re.match(r"(typedef|_Static_assert)\b", plain):
        return False
    if re.fullmatch(r"(struct|union|enum)( \w+)?( ?\{\})?", plain):
        return False
    head = plain.split("=")[0]
    if "(" in head and not re.match(r"[^(]*\(\*", head):
        return False  # a function, or a macro that makes some; "(*" begins a function pointer
    declarator = head.rsplit("*", 1)[-1] if "*" in head else head
    return not re.search(r"\bconst\b", declarator)


def check_text(path, lines):
    first = lines[1:2] if lines[:1] and lines[0].startswith("#!") else lines[:1]
    if not first or SPDX not in first[0]:
        yield 1, f'begin with the line "{SPDX}" (after "#!")'
    for number, line in enumerate(lines, 1):
        if line != line.rstrip():
            yield number, "remove the space at the end of the line"
        if UNFINISHED.search(line):
            yield number, "finish it, or take the note of unfinished work out"
    if len(lines) > FILE_LINES_MAX and LONG_REASON not in "\n".join(lines[:60]):
        yield 1, (f"{len(lines)} lines: split the file, or say in its first comment why it is in "
                  f'one piece ("{LONG_REASON} ...")')


def check_functions(lines):
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif start is not None and line.startswith("}"):
            above = "\n".join(lines[max(0, start - 30):start])
            if number - start > FUNCTION_LINES_MAX and LONG_REASON not in above:
                yield start, (f"a function of {number - start} lines: take it apart, or say above it "
                              f'why it is in one piece ("{LONG_REASON} ...")')
            start = None


def check_opening(path, lines):
    if path.suffix == ".h" and "#pragma once" not in lines:
        yield 1, "add #pragma once after the first comment"
    opening = "\n".join(lines[1:3])
    if not re.match(rf"/\*(\n \*)? {path.stem} - ", opening):
        yield 2, f'open with a comment that says what it is: "/* {path.stem} - ..."'


def check_own_header(root, path, lines):
    own = path.relative_to("src").with_suffix(".h").as_posix()
    if not (root / "src" / own).exists():
        return
    for number, line in enumerate(lines, 1):
        if line.startswith("#include"):
            if line != f'#include "{own}"':
                yield number, f'include "{own}" before anything else'
            return


def check_variables(text, lines):
    code = without_preprocessor(without_comments(text))
    for number, _, statement in file_scope_statements(code):
        if re.match(r"extern\b", statement):
            yield number, "no extern: pass the object to whoever needs it"
        elif is_variable(statement) and GLOBAL_REASON not in "\n".join(lines[max(0, number - 6):number]):
            yield number, ("a variable at file scope: make it const, put it into a struct that is "
                           f'passed, or say above it why ("{GLOBAL_REASON} ...")')


def faults(root, path):
    for part in path.parts:
        empty = EMPTY_WORDS.intersection(re.split(r"[^a-z]+", part.lower()))
        if empty and path.name != "package-lock.json":
            yield 1, f'"{empty.pop()}" says nothing: name the file or folder after what it holds'
    try:
        text = (root / path).read_text(encoding="utf-8")
    except (UnicodeDecodeError, FileNotFoundError):
        return  # data, or a file that went away meanwhile
    lines = text.splitlines()
    if not is_code(path, text):
        return
    yield from check_text(path, lines)
    if path.suffix in {".c", ".h"}:
        yield from check_functions(lines)
    if path.parts[0] == "src" and path.suffix in {".c", ".h"}:
        yield from check_variables(text, lines)
        yield from check_opening(path, lines)
        if path.suffix == ".c":
            yield from check_own_header(root, path, lines)


def main():
    root = pathlib.Path(sys.argv[1])
    found = [f"{path}:{number}: {text}"
             for path in sorted(files(root))
             for number, text in sorted(set(faults(root, path)))]
    print("\n".join(found) or "style: nothing to mend")
    sys.exit(bool(found))


main()
