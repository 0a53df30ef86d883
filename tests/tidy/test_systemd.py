#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Units as systemd reads them: test_systemd.py UNITS STRESSD.

`systemd-analyze verify` says nothing of the units, and does of one with a mistake in it. The program
that they start is the one that was built. Without systemd-analyze: 77, skipped."""
import glob
import os
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77
PLANTED = {"stressd.service": ("Type=notify", "Type=notiffy"),
           "stressd-nightly.timer": ("OnCalendar=*-*-* 22", "OnCalendar=*-*-* 99"),
           "stressd-nightly.service": ("Type=oneshot", "Typ=oneshot"),
           "stressd-prune.timer": ("OnCalendar=*-*-* 12", "OnCalendar=*-*-* 99"),
           "stressd-prune.service": ("Type=oneshot", "Typ=oneshot")}


def verify(folder):
    """What systemd-analyze says about our units. It also reads the machine's own, whose faults are
    not ours."""
    paths = sorted(glob.glob(os.path.join(folder, "stressd*")))
    r = subprocess.run(["systemd-analyze", "verify", "--man=no", *paths], capture_output=True, text=True,
                       check=False, env={**os.environ, "SYSTEMD_UNIT_PATH": folder + ":"})
    said = [line for line in (r.stdout + r.stderr).splitlines() if "stressd" in line]
    return said or ([f"exit {r.returncode}: {r.stderr}"] if r.returncode else [])


def copy(units, stressd, folder, planted=None):
    for path in glob.glob(os.path.join(units, "stressd*")):
        name = os.path.basename(path)
        with open(path, encoding="utf-8") as f:
            text = f.read()
        # Whatever prefix it is installed to later.
        text = "\n".join(installed(line, stressd) for line in text.split("\n"))
        if name == planted:
            assert PLANTED[name][0] in text, name
            text = text.replace(*PLANTED[name])
        with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
            f.write(text)


def installed(line, stressd):
    key, equals, value = line.partition("=")
    if not key.startswith("ExecStart"):
        return line
    program, _, rest = value.partition(" ")
    assert program.endswith("/bin/stressd"), line
    return key + equals + ("-" if program.startswith("-") else "") + stressd + " " + rest


def main(units, stressd):
    if not shutil.which("systemd-analyze"):
        print("skipped: no systemd-analyze here; it comes with systemd")
        return SKIPPED
    wrong = []
    for planted in (None, *PLANTED):
        with tempfile.TemporaryDirectory() as folder:
            copy(units, stressd, folder, planted)
            said = verify(folder)
        if planted and not said:
            wrong.append(f"{planted}: a planted mistake is not noticed")
        if not planted:
            wrong += said
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
