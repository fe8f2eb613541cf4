#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every test of every kind and counts them: the last line is "N passed, N failed".
#
#     tools/test.sh                 everything
#     tools/test.sh sanitize e2e    only these of: sanitize thread clang format tidy e2e
#
# Each step goes on where an earlier one failed, so that one run shows all there is to mend. A
# build that fails counts as one failed test. With an argument for Meson in MESON_TEST_ARGS
# (such as "--suite unit") the Meson runs are narrowed.
set -uo pipefail
cd "$(dirname "$0")/.."

export ASAN_OPTIONS=${ASAN_OPTIONS-detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS-halt_on_error=1:print_stacktrace=1}
export TSAN_OPTIONS=${TSAN_OPTIONS-halt_on_error=1:second_deadlock_stack=1}

passed=0
failed=0
skipped=0

say() {
    printf '\n== %s (%d s)\n' "$*" "$SECONDS"
}

# add PASSED FAILED SKIPPED: a step's numbers; nothing at all counts as one failure.
add() {
    local numbers=("$@")
    [ ${#numbers[@]} = 3 ] || numbers=(0 1 0)
    printf '   %d fine, %d broken, %d left out\n' "${numbers[@]}"
    passed=$((passed + numbers[0]))
    failed=$((failed + numbers[1]))
    skipped=$((skipped + numbers[2]))
}

# add_log KIND FILE EXIT: the numbers of a log; a runner that failed although no test did adds one.
add_log() {
    local numbers
    read -ra numbers < <(python3 tools/count_tests.py "$1" "$2")
    if [ "$3" != 0 ] && [ "${numbers[1]:-0}" = 0 ]; then
        echo "failed: the runner itself, exit code $3"
        [ ${#numbers[@]} = 3 ] && numbers[1]=1
    fi
    add "${numbers[@]}"
}

# check COMMAND...: one test, which passes when the command does. Itself it always succeeds.
check() {
    if "$@"; then
        add 1 0 0
    else
        echo "failed: $*"
        add 0 1 0
    fi
    return 0
}

# set_up FOLDER [MESON ARGUMENTS]: makes the build folder, or keeps the one that is there.
set_up() {
    local folder=$1
    shift
    [ -f "$folder/build.ninja" ] || meson setup "$folder" "$@" >"$folder.log" 2>&1 || {
        grep -E -A 5 "ERROR" "$folder.log" || cat "$folder.log"
        return 1
    }
    rm -f "$folder.log"
}

# build FOLDER [TARGETS]: shows the output only when it fails, for ninja's progress is long.
build() {
    local folder=$1 log=$1/ninja.log
    shift
    ninja -C "$folder" "$@" >"$log" 2>&1 && return
    grep -A 30 -E '^FAILED|ERROR|^ninja: error' "$log" | head -n 200
    return 1
}

# run_meson FOLDER [ARGUMENTS FOR meson test]: below the command in the array runner, if any.
runner=()
run_meson() {
    local folder=$1 code
    shift
    rm -f "$folder/meson-logs/testlog.json"
    # shellcheck disable=SC2086  # several arguments are meant
    "${runner[@]}" meson test -C "$folder" --no-rebuild --print-errorlogs --quiet "$@" ${MESON_TEST_ARGS-}
    code=$?
    add_log meson "$folder/meson-logs/testlog.json" "$code"
}

sanitize() {
    say "build with AddressSanitizer and UndefinedBehaviorSanitizer"
    set_up build-asan -Db_sanitize=address,undefined && build build-asan || {
        add 0 1 0
        return
    }
    say "unit, contract, simulation, sweep, fuzz corpus and style tests"
    run_meson build-asan --timeout-multiplier 3
}

# Only what threads share is worth the threads' sanitizer, which is the slowest.
thread() {
    local targets tests runner=()
    say "build the layers with threads with ThreadSanitizer"
    # build.ninja first, for the list of tests is read from what Meson last made.
    set_up build-tsan -Db_sanitize=thread && build build-tsan build.ninja || {
        add 0 1 0
        return
    }
    mapfile -t tests < <(python3 tools/threaded_tests.py build-tsan tests)
    mapfile -t targets < <(python3 tools/threaded_tests.py build-tsan targets)
    if [ ${#tests[@]} = 0 ]; then
        echo "failed: no test of these layers was found"
        add 0 1 0
        return
    fi
    build build-tsan "${targets[@]}" || {
        add 0 1 0
        return
    }
    say "the same tests of these layers with ThreadSanitizer"
    # Kernels that randomize addresses by more than 28 bits place things where it cannot look.
    setarch -R true 2>/dev/null && runner=(setarch -R)
    run_meson build-tsan --timeout-multiplier 10 "${tests[@]}"
}

set_up_clang() {
    CC=clang set_up build-clang
}

clang() {
    say "build with clang, warnings as errors"
    set_up_clang && check build build-clang || add 0 1 0
}

layout() {
    tools/lint.sh format | head -n 40
}

format() {
    say "layout of the C code"
    check layout
}

# clang-tidy speaks of every file; only the findings are worth a look.
findings() {
    local log=build-clang/tidy.log
    tools/lint.sh tidy >"$log" 2>&1 && return
    grep -A 3 -E '(error|warning): ' "$log" | head -n 200
    return 1
}

tidy() {
    say "static analysis"
    set_up_clang && check findings || add 0 1 0
}

# The packages that the end-to-end tests need, in folders of their own; only when the list changed.
e2e_packages() {
    local wanted python=/usr/bin/python3
    wanted=$(sha256sum tests/e2e/requirements.txt tests/e2e/package*.json)
    [ "$(cat .venv/installed 2>/dev/null)" = "$wanted" ] && return 0
    [ -x "$python" ] || python=python3
    rm -rf .venv
    "$python" -m venv .venv &&
        .venv/bin/pip install --quiet --disable-pip-version-check -r tests/e2e/requirements.txt &&
        npm --prefix tests/e2e ci --silent --no-audit --no-fund --no-progress &&
        printf '%s\n' "$wanted" >.venv/installed
}

e2e() {
    say "build the program as users get it"
    set_up build --buildtype=debugoptimized && build build callsync && e2e_packages || {
        add 0 1 0
        return
    }
    say "end-to-end tests"
    local results=build/e2e.xml code
    rm -f "$results"
    .venv/bin/python -m pytest -q --junit-xml="$results" tests/e2e </dev/null
    code=$?
    add_log junit "$results" "$code"
}

steps=("$@")
[ $# -gt 0 ] || steps=(format sanitize thread clang tidy e2e)
for step in "${steps[@]}"; do
    case $step in
    sanitize | thread | clang | format | tidy | e2e) "$step" ;;
    *)
        echo "usage: tools/test.sh [sanitize] [thread] [clang] [format] [tidy] [e2e]" >&2
        exit 2
        ;;
    esac
done

summary="$passed passed, $failed failed"
[ "$skipped" = 0 ] || summary+=", $skipped skipped"
printf '\n%s\n' "$summary"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
