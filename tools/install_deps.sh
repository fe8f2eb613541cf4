#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that are missing. Silent and quick when none is.
#
#     tools/install_deps.sh build         what building and running need
#     tools/install_deps.sh build test    and what the tests need besides
set -euo pipefail

build=(build-essential meson ninja-build pkg-config python3 python3-yaml ca-certificates curl jq
    libmicrohttpd-dev libcurl4-openssl-dev libsqlite3-dev libjansson-dev libcmocka-dev libssl-dev
    uthash-dev)
test=(clang clang-tidy clang-format libclang-rt-14-dev python3-venv openssl nginx-light wrk)

wanted=()
for group in "$@"; do
    case $group in
    build) wanted+=("${build[@]}") ;;
    test)
        wanted+=("${test[@]}")
        # Node may well be there from elsewhere; Debian's would only stand in its way.
        command -v node >/dev/null || wanted+=(nodejs)
        command -v npm >/dev/null || wanted+=(npm)
        ;;
    *)
        echo "usage: tools/install_deps.sh [build] [test]" >&2
        exit 2
        ;;
    esac
done
[ ${#wanted[@]} -gt 0 ] || exit 0

if ! command -v dpkg-query >/dev/null; then
    echo "not a Debian system; please install the equivalents of: ${wanted[*]}" >&2
    exit 0
fi
# dpkg-query fails when it does not know one of the names; what it does know it still prints.
installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${wanted[@]}" 2>/dev/null || true)
missing=()
for package in "${wanted[@]}"; do
    grep -qx "$package installed" <<<"$installed" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "missing packages, and neither root nor sudo to install them: ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi
echo "installing: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt_get() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y "$@" </dev/null >"$log" 2>&1 || {
        cat "$log" >&2
        exit 1
    }
}
apt_get update
apt_get install --no-install-recommends "${missing[@]}"
