#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Pictures of a page (report.html, night.html), as people with a wide and a narrow screen see it,
# light and dark, for whoever changes it to look at. Needs chromium.
#   scripts/screenshots.sh PAGE.html DIR [HEIGHT]
set -eu
page=$(realpath "$1") dir=$2 height=${3:-3000}
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || {
	echo "$0: no chromium here: apt-get install chromium" >&2
	exit 4
}
mkdir -p "$dir"
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT

# A window is at least 500 wide, headless or not: a narrow page is shown in a frame.
frame() {
	printf '<!DOCTYPE html><style>body{margin:0}iframe{border:0;display:block}</style>
<iframe src="file://%s" width="%s" height="%s"></iframe>\n' "$page" "$1" "$height"
}

for width in 1280 400; do
	for scheme in light dark; do
		frame "$width" >"$profile/frame.html"
		mode=0
		[ "$scheme" = dark ] && mode=1
		"$chromium" --headless=new --no-sandbox --disable-gpu --hide-scrollbars \
			--user-data-dir="$profile/c" --allow-file-access-from-files \
			--blink-settings=preferredColorScheme=$((1 - mode)) \
			--window-size="$width,$height" --screenshot="$dir/$scheme-$width.png" \
			"file://$profile/frame.html" >"$profile/log" 2>&1 || {
			cat "$profile/log" >&2
			exit 3
		}
		echo "$dir/$scheme-$width.png"
	done
done
