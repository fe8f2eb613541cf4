#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks the layout of the C code and runs clang-tidy on src/. With an argument only that one:
# "format" or "tidy".
set -euo pipefail
cd "$(dirname "$0")/.."

# One line a place: what is wrong with it, make format knows.
format() {
    local places
    places=$(find src tests -name '*.[ch]' -print0 | xargs -0 clang-format --dry-run 2>&1 |
        sed -n 's/^\([^ :]*:[0-9]*\):.*clang-format-violations.*/\1: lay it out with "make format"/p' | uniq)
    [ -z "$places" ] && return
    printf '%s\n' "$places"
    return 1
}

# clang's own build folder: the compile commands of gcc's hold flags that clang does not know.
tidy() {
    [ -f build-clang/build.ninja ] || CC=clang meson setup build-clang >/dev/null
    run-clang-tidy -p build-clang -quiet -j "$(nproc)" "^$PWD/src/.*\.c\$"
}

case ${1:-all} in
format) format ;;
tidy) tidy ;;
all) format && tidy ;;
*)
    echo "usage: tools/lint.sh [format|tidy]" >&2
    exit 2
    ;;
esac
