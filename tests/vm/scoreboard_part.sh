#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A part of the scoreboard, of every kind of finding that is quick: each of these faults must be
# found under its right name, and nothing without them. Without a lab kernel it says so and boots
# the distribution's, on which nothing may be found.
# usage: scoreboard_part.sh STRESSD SOURCE-DIRECTORY
set -eu
stressd=$1
cd "$2"
mutants=1,3,5,9,11,13,20,22,45,46,52,55,63,70,74

command -v qemu-system-x86_64 >/dev/null || { echo "no QEMU here"; exit 77; }
results=$(mktemp -d "${STRESSD_STATE_DIR:-/var/tmp}/scoreboard.XXXXXX")
trap 'rm -rf "$results"' EXIT
if [ -n "${STRESSD_LAB_KERNEL:-}" ]; then
	"$stressd" vm --kernel "$STRESSD_LAB_KERNEL" --scoreboard lab/mutants.json --only "$mutants" \
		--fast --run-dir "$results"
	exit
fi
kernel=$(ls -v /boot/vmlinuz-* 2>/dev/null | tail -n 1)
[ -n "$kernel" ] || { echo "no lab kernel (STRESSD_LAB_KERNEL), none in /boot"; exit 77; }
echo "no lab kernel (STRESSD_LAB_KERNEL): $kernel, on which nothing may be found"
"$stressd" vm --kernel "$kernel" --run-dir "$results" configs/quickstart.json
