#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A finding's program says 77 where it cannot run, and 0 on tmpfs, which has none of the bugs.
# What it says on a filesystem that has the bug is docs/FINDINGS.md's business, not a test's.
# usage: test_silence.sh PROGRAM [ARGUMENT]

program=$1
argument=${2:-1}

"$program" /nonexistent >/dev/null 2>&1
status=$?
[ $status = 77 ] || { echo "in a missing directory: exit $status, expected 77"; exit 1; }
"$program" >/dev/null 2>&1
status=$?
[ $status = 77 ] || { echo "without arguments: exit $status, expected 77"; exit 1; }

[ "$(stat -f -c %T /dev/shm)" = tmpfs ] || { echo "skipped: /dev/shm is no tmpfs"; exit 77; }
dir=$(mktemp -d /dev/shm/stressd-findings-XXXXXX) || exit 77
trap 'rm -rf "$dir"' EXIT
"$program" "$dir" "$argument"
status=$?
[ -z "$(ls -A "$dir")" ] || { echo "left behind: $(ls -A "$dir")"; exit 1; }
case $status in
0 | 77) exit $status ;;
*) echo "on tmpfs: exit $status, expected 0 or 77"; exit 1 ;;
esac
