#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs what the tests need, builds the lab kernels (nine minutes, once), builds with gcc and clang, and tests: the release build in full,
# again under AddressSanitizer with UBSan with fewer seeds and steps, those with threads or shared
# memory under ThreadSanitizer. The last line is "N passed, N failed, N skipped"; the exit status is 0 when
# everything was built and none failed. docs/TESTING.md says what the tests are.
#   --fast    leaves out tests labelled slow, and kernels of its own; some others try less
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

slow=()
case "${1:-}" in
--fast)
	export STRESSD_TEST_FAST=1
	slow=(-LE slow)
	;;
"") ;;
*) die "no argument but --fast is known" ;;
esac

cmake_args=""
passed=0 failed=0 skipped=0
state=$(mktemp -d /var/tmp/stressd-tests.XXXXXX)
trap 'rm -rf "$state"' EXIT
export STRESSD_STATE_DIR=$state TSAN_OPTIONS=halt_on_error=1

# attribute NAME FILE: of the <testsuite> that ctest writes.
attribute() {
	tr '\n\t' '  ' <"$2" | sed -n "s/.*<testsuite [^>]* $1=\"\([0-9]*\)\".*/\1/p"
}

# suite BUILD CTEST-ARGUMENT...: runs and counts.
suite() {
	local dir=$1 bad off
	shift
	say "testing: $dir $*"
	rm -f "$dir/junit.xml"
	ctest --test-dir "$dir" --output-on-failure --no-tests=error -j"$(nproc)" \
		--output-junit junit.xml "$@" </dev/null || true
	[ -s "$dir/junit.xml" ] || die "ctest left no result in $dir"
	bad=$(attribute failures "$dir/junit.xml")
	off=$(($(attribute skipped "$dir/junit.xml") + $(attribute disabled "$dir/junit.xml")))
	failed=$((failed + bad))
	skipped=$((skipped + off))
	passed=$((passed + $(attribute tests "$dir/junit.xml") - bad - off))
}

# lab_kernel ARGUMENT...: the path of a lab kernel; empty where none can be built.
lab_kernel() {
	say "building a lab kernel, unless it was built before: lab/build-kernel.sh $*" >&2
	lab/build-kernel.sh "$@" 2>lab-kernel.log | tail -n 1
	[ "${PIPESTATUS[0]}" = 0 ] || say "no such kernel: $(tail -n 1 lab-kernel.log)" >&2
	rm -f lab-kernel.log
}

# shellcheck disable=SC2086
need $PACKAGES_BUILD $PACKAGES_RUN $PACKAGES_TEST $PACKAGES_LAB
fetch_promtool

if [ -z "${STRESSD_TEST_FAST:-}" ]; then
	: "${STRESSD_LAB_KERNEL:=$(lab_kernel)}" "${STRESSD_PLAIN_KERNEL:=$(lab_kernel --no-mutants)}"
	export STRESSD_LAB_KERNEL STRESSD_PLAIN_KERNEL
fi
build release
suite build "${slow[@]}"
build clang
build asan
export STRESSD_TEST_FAST=1 # a sample does under the sanitizers
suite build-asan -LE 'slow|bench-smoke|vm'
build tsan tsan_tests
suite build-tsan -L tsan

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
