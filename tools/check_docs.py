#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds what is written about the project against the project.

- Every public function of src/*/*.h has a comment: above it, behind it, or above the group of
  declarations that it stands in.
- Every link in a Markdown file that leads to a file or a heading of the repository finds it.
- Every make target, callsync command and flag in a Markdown file's code block exists. Targets are
  those of the Makefile; commands and flags those of the shell completion, which a test of its own
  holds against the program.
- Every line of a block that says "sh FILE" (such as doc/tour.sh) stands in that file, in order.

    check_docs.py ROOT
"""
import pathlib
import re
import sys

from c_source import file_scope_statements, without_comments, without_preprocessor

SKIPPED = {".git", ".venv", "node_modules", "build", "data", ".pytest_cache"}
FENCE = re.compile(r"^\s*```\s*(.*?)\s*$")
LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
FLAG = re.compile(r"(?<!\S)--[a-z][a-z-]*")


def check_header(path, text):
    """Public functions that no comment speaks of."""
    lines = text.splitlines()
    for start, end, statement in file_scope_statements(
            without_preprocessor(without_comments(text))):
        plain = re.sub(r"__attribute__\s*\(\(.*?\)\)", "", statement)
        name = re.search(r"\b([a-z]\w*)\s*\(", plain)
        if not name or plain.startswith("typedef") or "{" in plain:
            continue
        first = start
        while first > 1 and lines[first - 2].strip():
            first -= 1
        if not any("/*" in line for line in lines[first - 1:end]):
            yield start, f"say in a comment above {name.group(1)}() what it does"


def heading_anchors(path):
    """The anchors that a Markdown file's headings get."""
    text = path.read_text(encoding="utf-8")
    for heading in re.findall(r"^#+\s+(.*?)\s*$", text, flags=re.MULTILINE):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def check_links(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        for target in LINK.findall(line):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            file = path.parent / name if name else path
            if not file.exists():
                yield number, f"the link to {target} leads nowhere"
            elif anchor and file.suffix == ".md" and anchor not in set(heading_anchors(file)):
                yield number, f"the link to {target}: no such heading"


def blocks(text):
    """The code blocks of a Markdown text: (word line, first line's number, lines)."""
    opening, start, inside = None, 0, []
    for number, line in enumerate(text.splitlines(), 1):
        fence = FENCE.match(line)
        if fence and opening is None:
            opening, start, inside = fence.group(1), number + 1, []
        elif fence:
            yield opening, start, inside
            opening = None
        elif opening is not None:
            inside.append(line)


class Names:
    """What a code block may name."""

    def __init__(self):
        makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
        self.targets = set(re.findall(r"^([a-z]+):", makefile, flags=re.MULTILINE))
        completion = (ROOT / "packaging/callsync.bash-completion").read_text(encoding="utf-8")
        self.flags = set(FLAG.findall(re.sub(r"['\"=]", " ", completion)))
        self.commands = set(re.search(r"commands='(.*?)'", completion).group(1).split())

    def faults(self, line):
        for target in re.findall(r"(?:^|[;&|]\s*)make ([a-z]+)", line.strip()):
            if target not in self.targets:
                yield f"there is no make target {target}"
        for match in re.finditer(r"(?:^|[/ ])callsync ([^|;&#]*)", line):
            words = match.group(1).split()
            if words and re.fullmatch(r"[a-z]+", words[0]) and words[0] not in self.commands:
                yield f"there is no command callsync {words[0]}"
            for flag in FLAG.findall(match.group(1)):
                if flag not in self.flags:
                    yield f"callsync has no flag {flag}"


def check_blocks(text, names):
    for opening, start, lines in blocks(text):
        for number, line in enumerate(lines, start):
            for fault in names.faults(line):
                yield number, fault
        words = opening.split()
        if len(words) == 2 and words[0] == "sh":
            yield from check_quote(words[1], start, lines)


def check_quote(name, start, lines):
    """A block must give the lines of the file that it quotes, in their order."""
    source = iter((ROOT / name).read_text(encoding="utf-8").splitlines())
    for number, line in enumerate(lines, start):
        if line.strip() and line not in source:
            yield number, f"this line is not in {name}, or not after the ones above it"
            return


def markdown_files():
    return sorted(path for path in ROOT.rglob("*.md")
                  if not SKIPPED.intersection(path.relative_to(ROOT).parts))


def faults():
    for path in sorted((ROOT / "src").glob("*/*.h")):
        for number, text in check_header(path, path.read_text(encoding="utf-8")):
            yield path, number, text
    names = Names()
    for path in markdown_files():
        content = path.read_text(encoding="utf-8")
        for number, text in [*check_links(path, content), *check_blocks(content, names)]:
            yield path, number, text


ROOT = pathlib.Path(sys.argv[1]).resolve()
found = [f"{path.relative_to(ROOT)}:{number}: {text}" for path, number, text in faults()]
print("\n".join(found) or "docs: everything named is there")
sys.exit(bool(found))
