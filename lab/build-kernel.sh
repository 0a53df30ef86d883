#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Build a kernel to test stressd against, and print the path of its image as the last line.
# What was built once for the same source, configuration, mutants and compiler is not built again.
set -euo pipefail

# In braces: bash reads a script while it runs, and this one may be edited in those minutes.
{

usage() {
	cat <<USAGE
usage: lab/build-kernel.sh [--tree DIR] [--config FRAGMENT]... [--mutants DIR | --no-mutants]
  --tree DIR         a kernel tree (left as it is); default: the newest linux-source-* package
  --config FRAGMENT  on top of lab/lab.config; may be given again
  --mutants DIR      patches to apply (default: lab/mutants)
  --no-mutants       the kernel as its source is
The cache is \$STRESSD_KERNEL_CACHE, default \${XDG_CACHE_HOME:-~/.cache}/stressd/kernels: one
directory an image, and a working tree for each source, which makes the next build a short one.
Needs gcc, make, flex, bison, bc, patch, libelf-dev, libssl-dev; uses ccache where there is one.
USAGE
}

die() { printf 'build-kernel.sh: %s\n' "$*" >&2; exit 2; }
say() { printf '==> %s\n' "$*" >&2; }

lab=$(cd "$(dirname "$0")" && pwd)
tree=
fragments=("$lab/lab.config")
mutants=$lab/mutants
while [ $# -gt 0 ]; do
	case $1 in
	--tree | --config | --mutants) [ $# -gt 1 ] || die "$1: expected a value" ;;&
	--tree) tree=$(realpath -e "$2") || die "$2: no such tree"; shift ;;
	--config) fragments+=("$(realpath -e "$2")") || die "$2: no such file"; shift ;;
	--mutants) mutants=$(realpath -e "$2") || die "$2: no such directory"; shift ;;
	--no-mutants) mutants= ;;
	--help) usage; exit 0 ;;
	*) usage >&2; exit 2 ;;
	esac
	shift
done

cache=${STRESSD_KERNEL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/stressd/kernels}
tarball=$(ls -v /usr/src/linux-source-*.tar.xz 2>/dev/null | tail -n 1) || true
[ -n "$tree$tarball" ] || die "no kernel source: install linux-source, or give --tree DIR"
[ -z "$tree" ] || [ -f "$tree/Kbuild" ] || die "$tree: not a kernel tree, it has no Kbuild"
for tool in gcc make flex bison bc patch; do
	command -v $tool >/dev/null || die "$tool is not installed"
done

digest() { sha256sum | cut -c1-16; }

# A tree of git is known by its commit and what was changed since; another one by its files.
source_key() {
	if [ -z "$tree" ]; then
		stat -c '%n %s %Y' "$tarball"
	elif git -C "$tree" rev-parse HEAD 2>/dev/null; then
		git -C "$tree" diff HEAD
		git -C "$tree" ls-files --others --exclude-standard
	else
		find "$tree" -type f -printf '%P %s %T@\n' | sort
	fi
}

patches=()
[ -z "$mutants" ] || patches=("$mutants"/*.patch)
source=$({ echo "$tree"; source_key; } | digest)
key=$({ echo "$source"; gcc --version | head -n 1; cat "$0" "${fragments[@]}"
	[ ${#patches[@]} = 0 ] || cat "${patches[@]}"; } | digest)
image=$cache/$key/bzImage
if [ -f "$image" ]; then
	say "built before"
	echo "$image"
	exit 0
fi

# A working tree for each source, set of fragments, and with mutants or without; one build in it at
# a time.
work=$cache/work-$({ echo "$source"; printf '%s\n' "${fragments[@]}"; } | digest)${mutants:+-mutants}
mkdir -p "$cache"
exec 9>"$work.lock"
flock 9

if [ ! -f "$work/Kbuild" ]; then
	say "unpacking ${tree:-$tarball}"
	rm -rf "$work" "$work.new"
	mkdir "$work.new"
	if [ -n "$tree" ]; then
		tar -C "$tree" --exclude=./.git -cf - . | tar -C "$work.new" -xf -
		[ ! -f "$work.new/.config" ] || make -s -C "$work.new" mrproper
	else
		tar -C "$work.new" --strip-components=1 -xf "$tarball"
	fi
	mv "$work.new" "$work"
fi

# Mutants go into copies of the pristine files, and only a file that differs is put in place:
# make then compiles what changed.
apply_mutants() {
	local pristine=$work/.pristine stage file p
	stage=$(mktemp -d)
	mkdir -p "$pristine"
	for file in $(cd "$pristine" && find . -type f) \
		    $(sed -n 's,^--- a/\([^[:space:]]*\).*,\1,p' "${patches[@]}"); do
		[ -f "$work/$file" ] || continue
		mkdir -p "$pristine/$(dirname "$file")" "$stage/$(dirname "$file")"
		[ -f "$pristine/$file" ] || cp -p "$work/$file" "$pristine/$file"
		cp -p "$pristine/$file" "$stage/$file"
	done
	: >"$work/.mutants"
	for p in "${patches[@]}"; do
		file=$(basename "$p" .patch)
		if patch -d "$stage" -p1 -s -f --dry-run <"$p" >"$stage.log" 2>&1; then
			patch -d "$stage" -p1 -s -f --no-backup-if-mismatch <"$p"
			echo "applied $file" >>"$work/.mutants"
		else
			say "left out, it does not apply to this source: $file"
			echo "skipped $file" >>"$work/.mutants"
		fi
	done
	grep -q '^applied 0000' "$work/.mutants" || die "mutants/0000-* is the switch of the others, and does not apply"
	printf '#define STRESS_MUTANTS %s\n' >"$stage/mm/stress_mutants.h" \
		"$(sed -n 's/^applied 0*\([1-9][0-9]*\)-.*/\1/p' "$work/.mutants" | paste -s -d,)"
	for file in $(cd "$stage" && find . -type f); do
		if [ "${file##*.}" = c ] && grep -qE 'stress_mutant_(is|every)' "$stage/$file"; then
			sed -i '1i #include <linux/stress_mutant.h>' "$stage/$file"
		fi
		mkdir -p "$work/$(dirname "$file")"
		cmp -s "$stage/$file" "$work/$file" || cp "$stage/$file" "$work/$file"
	done
	rm -rf "$stage" "$stage.log"
}

[ -z "$mutants" ] || apply_mutants
say "configuring"
cd "$work"
{
	make tinyconfig
	scripts/kconfig/merge_config.sh -m .config "${fragments[@]}"
	make olddefconfig
} >.configure.log 2>&1
# An option that silently fell out would make a scenario skip, or a mutant sleep.
for option in $(sed -n 's/^\(CONFIG_[A-Z0-9_]*\)=[ym]$/\1/p' "${fragments[@]}"); do
	grep -q "^$option=" .config || say "this source has no $option, or what it depends on is off"
done

compiler=gcc
! command -v ccache >/dev/null || compiler="ccache gcc"
export CCACHE_NOHASHDIR=1 CCACHE_BASEDIR=$work
say "building with $(nproc) jobs; the log is $work/.build.log"
if ! make -j"$(nproc)" CC="$compiler" KBUILD_BUILD_TIMESTAMP="$(date -d @0)" KBUILD_BUILD_USER=stressd \
	KBUILD_BUILD_HOST=lab bzImage >.build.log 2>&1; then
	tail -n 20 .build.log >&2
	die "the kernel did not build"
fi
mkdir -p "$cache/$key.new"
cp arch/x86/boot/bzImage .config "$cache/$key.new/"
[ -z "$mutants" ] || cp .mutants "$cache/$key.new/mutants"
rm -rf "${cache:?}/$key"
mv "$cache/$key.new" "$cache/$key"
echo "$image"
exit 0
}
