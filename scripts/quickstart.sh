#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# From a bare machine to a finding in the running kernel: installs what is needed, builds, then
# runs two scenarios. As root both have a filesystem image of their own, which is gone afterwards
# but for the evidence of a finding; without root the first runs in a plain directory, and what
# cannot be checked is said.
# Exit status: 0 both did as they should, 1 the first found something, 3 something failed.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

# run SCENARIO: sets $status.
run() {
	status=0
	build/stressd run --quiet "$1" || status=$?
}

cmake_args="-DSTRESSD_TESTS=OFF"
# shellcheck disable=SC2086
need $PACKAGES_BUILD $PACKAGES_RUN
build release stressd

if [ "$(id -u)" = 0 ]; then
	say "ten seconds of ordinary load, on an XFS image of its own: nothing should be found"
	run configs/quickstart.json
else
	dir=$(mktemp -d /var/tmp/stressd.XXXXXX)
	trap 'rm -rf "$dir"' EXIT
	say "ten seconds of ordinary load, in $dir: nothing should be found"
	sed "s|/var/tmp/stressd|$dir|" configs/without-root.json >"$dir/without-root.json"
	run "$dir/without-root.json"
fi
case $status in
0) ;;
1)
	say "a finding under ordinary load: the sentence above is about this kernel or this disk"
	exit 1
	;;
*) die "stressd run ended with status $status" ;;
esac

if [ "$(id -u)" != 0 ]; then
	say "not checked without root: the disk below the cache, unmount and mount, fsck, the race"
	say "that leaks old disk contents in ext4. For these: sudo scripts/quickstart.sh"
	exit 0
fi

say "a known race: an O_DIRECT read of a hole in ext4 (nodelalloc) returns old disk contents"
run configs/races/ext4-dio-read-stale.json
case $status in
1) say "found, as expected: kernel $(uname -r) shows a reader what the disk held before" ;;
0) say "not found in 30 seconds: kernel $(uname -r) may have it fixed" ;;
4) say "skipped, for the reason above" ;;
*) die "stressd run ended with status $status" ;;
esac
