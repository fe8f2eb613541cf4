#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Lets each fuzz target search for inputs that break what it states, FUZZ_SECONDS (60) each.
#
#     tools/fuzz.sh              every target
#     tools/fuzz.sh json url     only these
#
# New inputs of interest go to build-fuzz/corpus/TARGET and are built upon the next time. An input
# that breaks a target is kept as build-fuzz/found/TARGET-...: mend the code, then give the input a
# telling name in tests/fuzz/corpus/TARGET, from where every run of the tests repeats it.
set -euo pipefail
cd "$(dirname "$0")/.."

build=build-fuzz
seconds=${FUZZ_SECONDS-60}
export ASAN_OPTIONS=${ASAN_OPTIONS-detect_leaks=1:strict_string_checks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS-halt_on_error=1:print_stacktrace=1}

[ -f $build/build.ninja ] ||
    CC=clang meson setup $build -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false

targets=("$@")
[ $# -gt 0 ] || targets=($(ls tests/fuzz/corpus))
ninja -C $build "${targets[@]/#/tests/fuzz/fuzz_}"

mkdir -p $build/found
broken=()
for target in "${targets[@]}"; do
    echo "== $target, $seconds seconds"
    mkdir -p "$build/corpus/$target"
    "$build/tests/fuzz/fuzz_$target" -max_total_time="$seconds" -max_len=4096 -timeout=10 \
        -print_final_stats=0 -verbosity=0 -artifact_prefix="$build/found/$target-" \
        "$build/corpus/$target" "tests/fuzz/corpus/$target" || broken+=("$target")
done
[ ${#broken[@]} = 0 ] || {
    echo "broken: ${broken[*]}; the inputs are in $build/found"
    exit 1
}
