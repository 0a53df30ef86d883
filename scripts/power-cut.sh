#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Power cuts: start a run in a guest, kill its QEMU at a random moment, let `stressd verify` check
# what is left. COUNT times with each filesystem; ends with one line of counts, and with 1 if any
# cut lost what was durable. Needs root and QEMU.
#
#   scripts/power-cut.sh KERNEL [COUNT [FILESYSTEM...]]
#
# STRESSD names the program, SCENARIO another scenario, VM_ARGS further arguments of `stressd vm`,
# LONGEST_MS the longest time between the first operation and the cut. Run directories of cuts
# that lost something stay in $DIR.
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
vm=0

trap '[ "$vm" = 0 ] || kill "$vm" 2>/dev/null; exit 130' INT TERM

# The guest works: `stressd vm` says so.
wait_for_first()
{
	for _ in $(seq 1200); do
		grep -qs 'first operation' "$dir/err" && return 0
		kill -0 "$vm" 2>/dev/null || return 1
		sleep 0.1
	done
	return 1
}

# 0: all there; 1: a finding; 2: no cut was made
one_cut()
{
	local run=$dir/run qemu status

	rm -rf "$run" "$dir/err"
	"$stressd" vm --kernel "$kernel" ${VM_ARGS:-} --run-dir "$run" "$dir/$1.json" \
		>"$dir/out" 2>"$dir/err" &
	vm=$!
	if ! wait_for_first; then
		kill "$vm" 2>/dev/null
		wait "$vm"
		vm=0
		cat "$dir/err" >&2
		return 2
	fi
	sleep "$(printf '%d.%03d' $((RANDOM % longest_ms / 1000)) $((RANDOM % 1000)))"
	qemu=$(cat "/proc/$vm/task/$vm/children")
	kill -9 ${qemu%% *}
	wait "$vm"
	status=$?
	vm=0
	[ $status = 75 ] || { echo "stressd vm ended with $status, not 75" >&2; return 2; }
	"$stressd" verify "$run" >"$dir/verified" 2>&1
	status=$?
	[ $status = 0 ] || [ $status = 1 ] || { cat "$dir/verified" >&2; return 2; }
	return $status
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
			grep -E 'not-durable|FAIL' "$dir/verified"
			;;
		*) none=$((none + 1)) ;;
		esac
	done
	echo "$fs: $good of $count cuts lost nothing, $bad lost, $none not made"
	lost=$((lost + bad))
done
[ $lost = 0 ] && [ -z "${DIR:-}" ] && rm -rf "$dir" || echo "kept in $dir"
[ $lost = 0 ]
