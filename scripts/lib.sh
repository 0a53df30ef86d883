# SPDX-License-Identifier: GPL-2.0-or-later
# What quickstart.sh and test.sh share: the packages, how they come onto the machine, and one
# build. Sourced, with the tree as working directory.

# To build.
PACKAGES_BUILD="cmake ninja-build pkg-config gcc libc6-dev libjansson-dev libmount-dev libblkid-dev
	libdevmapper-dev liburing-dev libcap-dev libxxhash-dev libaio-dev libbpf-dev
	zlib1g-dev liblzma-dev libzstd-dev libsqlite3-dev libmicrohttpd-dev"
# To run scenarios on images.
PACKAGES_RUN="mount util-linux xfsprogs e2fsprogs btrfs-progs"
# To test: a second compiler, what the tests link and run, programs that scenarios start.
PACKAGES_TEST="clang libcmocka-dev libfuse3-dev fuse3 fio stress-ng python3 python3-jsonschema
	libxml2-utils man-db git qemu-system-x86 parallel systemd chromium"
# To build the lab kernel, and to boot the distribution's beside it.
PACKAGES_LAB="linux-source linux-image-amd64 make flex bison bc patch xz-utils libelf-dev libssl-dev
	ccache"

say() { printf '== %s\n' "$*"; }
die() { printf '%s: %s\n' "$0" "$*" >&2; exit 3; }

is_installed() {
	[ "$(dpkg-query -W -f '${Status}' "$1" 2>/dev/null)" = "install ok installed" ]
}

# apt_install PACKAGE...: without questions, and without what is only recommended.
apt_install() {
	$as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get -qq install --no-install-recommends -y "$@" </dev/null >/dev/null
}

# need PACKAGE...: those that are missing, by apt-get; elsewhere say what is needed.
need() {
	if ! command -v apt-get >/dev/null; then
		say "no apt-get here. If the build fails, install what corresponds to: $*"
		return 0
	fi
	missing=""
	for package; do
		is_installed "$package" || missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	as_root=""
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null && sudo -n true 2>/dev/null ||
			die "as root, first: apt-get install$missing"
		as_root="sudo -n"
	fi
	say "installing$missing"
	# Package lists are absent on a fresh container, and may be old: fetch them if it fails.
	# shellcheck disable=SC2086
	apt_install $missing 2>/dev/null || { $as_root apt-get -qq update && apt_install $missing; } ||
		die "apt-get could not install$missing"
}

# fetch_promtool: the program alone, out of its package: installed, that starts a service. Where it
# is not to be had, its test is not made.
fetch_promtool() {
	command -v promtool >/dev/null && return 0
	mkdir -p build/promtool
	if [ ! -x build/promtool/usr/bin/promtool ] && command -v dpkg-deb >/dev/null; then
		(cd build/promtool && apt-get -qq download prometheus && dpkg-deb -x prometheus_*.deb . &&
			rm prometheus_*.deb) >/dev/null 2>&1 || say "no promtool: package prometheus"
	fi
	PATH=$PATH:$PWD/build/promtool/usr/bin
}

# build PRESET [TARGET...]: warnings are errors in all of them. $cmake_args are for cmake.
build() {
	preset=$1
	shift
	say "building: $preset"
	# shellcheck disable=SC2086
	cmake --preset "$preset" $cmake_args >build.log 2>&1 &&
		cmake --build --preset "$preset" ${1:+--target "$@"} >>build.log 2>&1 || {
		grep -E 'rror|arning|FAILED' build.log | head -n 40
		die "the build failed; all of its output is in build.log"
	}
	rm -f build.log
}
