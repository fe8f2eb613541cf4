#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Holds doc/settings.md against the table of settings:  check_settings.sh ROOT SETTINGS_DOC
set -eu
root=$1
program=$2
if ! "$program" | diff -u "$root/doc/settings.md" -; then
    echo "doc/settings.md:1: write it anew: $(basename "$program") in the build folder prints it"
    exit 1
fi
echo 'settings: doc/settings.md is current'
