#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the includes under src/ against the layers: they point down only.

A folder of src/ is a layer and RANK gives its height. A file may include headers of its own
folder and of folders of a lower rank, never of a higher one or of another folder beside it. Files
in src/ itself and in cli/ are the top: they join the layers together.

OWNERS lists the libraries that only some files may know, so that each can be replaced in one place.

    check_layers.py ROOT
"""
import pathlib
import re
import sys

RANK = {
    "base": 0,
    "domain": 1,
    "net": 1,
    "store": 2,
    "deliver": 3,
    "media": 3,
    "api": 4,
    "cli": 5,
    "top": 5,
}

OWNERS = {
    "sqlite3.h": {"store/db_sqlite.c"},
    "libpq-fe.h": {"store/db_pg.c"},
    "curl/curl.h": {"net/http_client_curl.c", "net/url.c"},
    "microhttpd.h": {"net/http_server.c"},
    "jansson.h": {"base/json.c"},
}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def faults(path):
    """The faults of one file, given by its path below src/: (line number, what to do)."""
    here = path.parts[0] if len(path.parts) > 1 else "top"
    if here not in RANK:
        yield 1, f"{here}/ is no layer; give it a rank in tools/check_layers.py"
        return
    for number, line in enumerate((SRC / path).read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        bracket, name = match.groups()
        if bracket == "<":
            owners = OWNERS.get(name)
            if owners is not None and path.as_posix() not in owners:
                yield number, f"<{name}> belongs to {', '.join(sorted(owners))}; go through it"
            continue
        there = name.split("/")[0] if "/" in name else "top"
        if "/" not in name and here not in ("top", "cli"):
            yield number, f'write "{name}" with its folder, and do not include the top'
        elif there not in RANK:
            yield number, f"{there}/ is no layer; includes are written from src/ on"
        elif here == there or RANK[there] < RANK[here] or {here, there} == {"cli", "top"}:
            continue
        else:
            yield number, (f"{here}/ (rank {RANK[here]}) may not include {there}/ "
                           f"(rank {RANK[there]}); move what both need further down")


SRC = pathlib.Path(sys.argv[1]) / "src"
found = [f"src/{path}:{number}: {text}"
         for path in sorted(file.relative_to(SRC) for file in SRC.rglob("*.[ch]"))
         for number, text in faults(path)]
print("\n".join(found) or "layers: every include points down")
sys.exit(bool(found))
