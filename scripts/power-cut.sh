#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Power cuts: run a scenario in a guest, cut its power at a random moment, check what is left
# (stressd vm --cut). COUNT times with each filesystem; ends with one line of counts, and with 1 if
# any cut lost what was durable. Needs root and QEMU.
#
#   scripts/power-cut.sh KERNEL [COUNT [FILESYSTEM...]]
#
# STRESSD names the program, SCENARIO another scenario, VM_ARGS further arguments of `stressd vm`,
# LONGEST_MS the longest time between the first operation and the cut (the shortest is a second).
# Run directories of cuts that lost something stay in $DIR.
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
kernel=${1:?usage: power-cut.sh KERNEL [COUNT [FILESYSTEM...]]}
count=${2:-50}
shift $(($# < 2 ? $# : 2))
systems=${*:-ext4 xfs btrfs}
stressd=${STRESSD:-$top/build/stressd}
scenario=${SCENARIO:-$top/configs/power-cut.json}
longest_ms=${LONGEST_MS:-4000}
dir=${DIR:-$(mktemp -d)}

# 0: all there; 1: a finding; 2: no cut was made
one_cut()
{
	local run=$dir/run status

	rm -rf "$run"
	"$stressd" vm --kernel "$kernel" --cut "$((1000 + RANDOM % (longest_ms - 999)))ms" \
		${VM_ARGS:-} --run-dir "$run" "$dir/$1.json" >"$dir/out" 2>"$dir/err"
	status=$?
	[ -f "$run/verify/result.json" ] && [ $status -le 1 ] && return $status
	cat "$dir/err" "$dir/out" >&2
	return 2
}

lost=0
mkdir -p "$dir"
for fs in $systems; do
	sed "s/\"fs\": \"[a-z0-9]*\"/\"fs\": \"$fs\"/" "$scenario" >"$dir/$fs.json"
	good=0 bad=0 none=0
	for n in $(seq "$count"); do
		one_cut "$fs"
		case $? in
		0) good=$((good + 1)) ;;
		1)
			bad=$((bad + 1))
			mv "$dir/run" "$dir/lost-$fs-$n"
			grep -E 'not-durable|FAIL' "$dir/out"
			;;
		*) none=$((none + 1)) ;;
		esac
	done
	echo "$fs: $good of $count cuts lost nothing, $bad lost, $none not made"
	lost=$((lost + bad))
done
[ $lost = 0 ] && [ -z "${DIR:-}" ] && rm -rf "$dir" || echo "kept in $dir"
[ $lost = 0 ]
