#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the benchmark: builds the program for release in a folder of its own, then measures.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -d build/bench ] || meson setup build/bench --buildtype=release -Db_ndebug=false >/dev/null
ninja -C build/bench callsync >/dev/null
exec python3 bench/throughput.py --program build/bench/callsync "$@"
