#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Pictures of a page, as people with a wide and a narrow screen see it, light and dark, for whoever
# changes it to look at: report.html, night.html, or the status page of a daemon while it runs.
# Needs chromium.
#   scripts/screenshots.sh PAGE.html|http://127.0.0.1:PORT/ DIR [HEIGHT]
exec python3 "$(dirname "$0")/browser.py" "$@"
