#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Installs what the tests need, builds with gcc and clang, and tests: the release build in full,
# again under AddressSanitizer with UBSan with fewer seeds and steps, those with threads or shared
# memory under ThreadSanitizer. The last line is "N passed, N failed, N skipped"; the exit status is 0 when
# everything was built and none failed. docs/TESTING.md says what the tests are.
#   --fast    leaves out tests labelled slow; some others try less
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

# shellcheck disable=SC2086
need $PACKAGES_BUILD $PACKAGES_RUN $PACKAGES_TEST

build release
# The third kernel of tests/vm/test_kernels.c takes minutes.
if [ -z "${STRESSD_PLAIN_KERNEL:-}" ] && [ ${#slow[@]} = 0 ] && [ -x lab/build-kernel.sh ]; then
	say "building a kernel of a plain tree"
	STRESSD_PLAIN_KERNEL=$(lab/build-kernel.sh --no-mutants | tail -n 1)
	[ -f "$STRESSD_PLAIN_KERNEL" ] || die "lab/build-kernel.sh made no kernel"
	export STRESSD_PLAIN_KERNEL
fi
suite build "${slow[@]}"
build clang
build asan
export STRESSD_TEST_FAST=1 # a sample does under the sanitizers
suite build-asan -LE 'slow|bench-smoke|vm'
build tsan tsan_tests
suite build-tsan -L tsan

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
