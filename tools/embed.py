#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns the files of src/store/schema/ into C: the table of migrations that migrate.h declares.

A file's name begins with its version: 0001_start.sql. The bytes become an array and not a string
literal, because compilers need not take literals over 4095 bytes.

    embed.py OUTPUT.c FILE.sql...
"""
import pathlib
import re
import sys


def version_of(path):
    match = re.match(r"(\d{4})_\w+\.sql$", path.name)
    if match is None:
        sys.exit(f"{path}: a migration is named like 0001_start.sql")
    return int(match.group(1))


def array(name, content):
    rows = [", ".join(str(byte) for byte in content[at:at + 20]) for at in range(0, len(content), 20)]
    return f"static const unsigned char {name}[] = {{\n    " + ",\n    ".join(rows) + "\n};\n"


def main():
    output, *names = sys.argv[1:]
    paths = sorted(map(pathlib.Path, names), key=version_of)
    versions = [version_of(path) for path in paths]
    if versions != list(range(1, len(paths) + 1)):
        sys.exit(f"migrations must be numbered 1, 2, 3 ..., not {versions}")
    text = '/* Made by tools/embed.py: change the .sql files instead. */\n#include "store/migrate.h"\n\n'
    for version, path in zip(versions, paths):
        text += array(f"sql_{version}", path.read_bytes() + b"\0") + "\n"
    text += "static const struct migration MIGRATIONS[] = {\n"
    text += "".join(f"    {{{version}, (const char *)sql_{version}}},\n" for version in versions)
    text += ("};\n\nconst struct migration *migrate_all(size_t *ret_count)\n{\n"
             "    *ret_count = sizeof(MIGRATIONS) / sizeof(MIGRATIONS[0]);\n"
             "    return MIGRATIONS;\n}\n")
    pathlib.Path(output).write_text(text, encoding="utf-8")


main()
