#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Tries the shell completion as bash would, and holds its words against the program when it is
# given:  check_completion.sh ROOT [PROGRAM]
set -u
root=$1
program=${2:+$(realpath "$2")} # before we go elsewhere
cd "$root" || exit 1
# shellcheck source=packaging/callsync.bash-completion
source packaging/callsync.bash-completion
faults=0

# completes WORDS... : what the last word may become, on one line.
completes() {
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    _callsync
    printf '%s ' "${COMPREPLY[@]-}" | sed 's/ *$//'
}

# expect ANSWER WORDS...
expect() {
    local wanted=$1 got
    shift
    got=$(completes "$@")
    if [ "$got" != "$wanted" ]; then
        printf 'packaging/callsync.bash-completion:1: "%s" gives "%s" and should give "%s"\n' \
            "$*" "$got" "$wanted"
        faults=$((faults + 1))
    fi
}

expect 'serve sign verify help --help --version' callsync ''
expect 'serve sign' callsync s
expect 'verify' callsync v
expect '--version' callsync --v
expect '--listen' callsync serve --li
expect '--data --database' callsync serve --da
expect '--log-format' callsync serve --listen 127.0.0.1:0 --lo
expect 'text json' callsync serve --log-format ''
expect 'json' callsync serve --log-format = j
expect 'text json' callsync serve --log-format =
expect 'sqlite:' callsync serve --database s
expect 'packaging' callsync serve --data packag
expect '' callsync serve --listen ''
expect '--secret --signature' callsync verify --s
expect '' callsync verify --secret ''
expect '--secret' callsync sign --s
expect 'LICENSE' callsync sign LICEN
expect 'serve sign verify' callsync help ''
expect '' callsync help serve ''
expect '' callsync nonsense --

# The program's own flags, as its help lists them, are those that complete: no more, no fewer.
if [ -n "$program" ]; then
    for command in serve sign verify; do
        wanted=$("$program" help "$command" | grep -oE -- '--[a-z][a-z-]*' | grep -vx -- --help | sort -u | tr '\n' ' ')
        got=$(completes callsync "$command" -- | tr ' ' '\n' | grep -vx -- --help | sort -u | tr '\n' ' ')
        if [ "$wanted" != "$got" ]; then
            printf 'packaging/callsync.bash-completion:1: %s completes "%s", its help lists "%s"\n' \
                "$command" "$got" "$wanted"
            faults=$((faults + 1))
        fi
    done
fi

[ "$faults" = 0 ] && echo 'completion: every word is right'
[ "$faults" = 0 ]
