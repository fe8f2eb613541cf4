#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Starts the built server for trying things out: data in ./data, loopback allowed as a target, and
# a demo org with a fresh token. CALLSYNC_* variables go before these defaults.
#
# The shell becomes the server, so that signals reach it; a second process reads its output and
# makes the demo org once it is ready.
set -euo pipefail
cd "$(dirname "$0")/.."

export CALLSYNC_DATA=${CALLSYNC_DATA:-./data}
export CALLSYNC_ALLOW_TARGETS=${CALLSYNC_ALLOW_TARGETS-127.0.0.0/8,::1/128}
org=org_demo_123

# post PATH JSON [HEADER]: prints the answer, and then its status on a line of its own. The token
# goes through a file descriptor, for arguments can be seen by everyone on the machine.
post() {
    curl --silent --show-error --max-time 10 --write-out '\n%{http_code}\n' \
        --header @<(printf 'Authorization: Bearer %s\n' "$admin_token") \
        ${3:+--header "$3"} --json "$2" "$base$1"
}

# The demo org's token: of the org that was just made, or a new one when it was there before.
demo_token() {
    local answer
    answer=$(post /v1/orgs "{\"id\":\"$org\",\"name\":\"Demo\"}")
    if [ "${answer##*$'\n'}" = 409 ]; then
        answer=$(post /v1/tokens '{"name":"make run","scopes":["ingest","manage","read"]}' \
            "X-CallSync-Org: $org")
    fi
    if [ "${answer##*$'\n'}" != 201 ]; then
        echo "callsync: no demo org: $answer" >&2
        return 1
    fi
    jq -r '.token.secret // .secret' <<<"${answer%$'\n'*}"
}

welcome() {
    local admin_token token
    admin_token=${CALLSYNC_ADMIN_TOKEN:-$(cat "$CALLSYNC_DATA/admin-token")}
    token=$(demo_token) || return 0
    echo "callsync: demo org $org, token $token"
    echo "callsync: first step: BASE=$base TOKEN=$token; curl --json '{}'" \
        "-H \"Authorization: Bearer \$TOKEN\" \$BASE/v1/inboxes   (and on with the tour in README.md)"
}

# Passes the server's output on until it ends; interrupts are the server's to answer.
read_output() {
    trap '' INT TERM
    local line base
    while IFS= read -r line; do
        printf '%s\n' "$line"
        if [[ $line =~ ^callsync:\ listening\ on\ (http://[^ ]+) ]]; then
            base=${BASH_REMATCH[1]}
            welcome
        fi
    done
}

exec build/callsync serve > >(read_output)
