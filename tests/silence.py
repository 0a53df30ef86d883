#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Silence: every scenario that expects nothing must find nothing, many times, on every filesystem.

Runs each scenario of configs/ (those of races/ and findings/ expect something) in variants: XFS with
blocks of 1 and 4 KiB, ext4, btrfs. A scenario that asks for mount options, or whose target is a device or a directory,
runs as it stands; one that asks for quotas goes without where there are none. With --kernel it all runs in
guests, one boot for all runs of a scenario: configs/faults/ needs kernels that few machines run. Prints
a line per scenario and variant; exit 1 when anything was found or failed.
Whatever it finds on a kernel that was believed sound is a false alarm or a discovery: docs/FINDINGS.md.

    tests/silence.py
    tests/silence.py --kernel IMAGE --rounds 5 --on ext4 --on xfs-4k --on btrfs configs/faults/*.json
"""
import argparse
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VARIANTS = {
    "xfs-4k": ("xfs", ["-b", "size=4096"], "320M"),
    "xfs-1k": ("xfs", ["-b", "size=1024"], "320M"),
    "ext4": ("ext4", ["-b", "4096"], "128M"),
    "btrfs": ("btrfs", [], "256M"),
}
# What a filesystem must be made with for quotas that are asked for; the others have none.
QUOTAS = {"xfs": [], "ext4": ["-O", "quota"]}
# What only one filesystem does: its own error tags, functions and checksums.
ONLY_ON = {"xfs_errortag.json": "xfs", "xfs_delay.json": "xfs",
           "fail_function-btrfs.json": "btrfs", "dm_flakey-corrupt.json": "btrfs"}
# What a fault needs to be told there.
TOLD_ON = {("dm_dust", "btrfs"): {"where": "device"},
           ("bad_blocks", "btrfs"): {"where": "device", "blocks": 200},
           ("scsi_medium", "btrfs"): {"where": "device", "blocks": 8192}}
# Targets that can have any filesystem.
MADE = ("image", "null_blk", "scsi_debug")
# What shows a finding of docs/FINDINGS.md there: letter I.
LEFT_OUT = {(fault, "btrfs"): ["dio_writer"] for fault in ("failslab", "fail_page_alloc")}
GUEST_ROWS = 60  # runs of a boot
ROW_MINUTES = 2  # for one: a replay of a log of writes takes long in emulation


def arguments():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--stressd", default=os.path.join(TOP, "build", "stressd"))
    p.add_argument("--rounds", type=int, default=10, help="consecutive runs of each (10)")
    p.add_argument("--duration", default=None, help="instead of each scenario's own, like 2s")
    p.add_argument("--on", action="append", choices=sorted(VARIANTS), help="only this variant")
    p.add_argument("--kernel", default=None, help="run in guests with this kernel")
    p.add_argument("--vm", action="append", default=[], metavar="ARG",
                   help="a further argument of `stressd vm`, as in --vm=--accel=tcg")
    p.add_argument("--work", default=None, help="directory to work in (a new one below /var/tmp)")
    p.add_argument("scenario", nargs="*", help="instead of configs/*.json")
    return p.parse_args()


def variants(name, sc, only):
    """(name, scenario) for each filesystem that the scenario can be put on."""
    target = sc.get("target", {})
    quota = "usrquota" in target.get("mount", [])
    if target.get("type", "image") not in MADE or target.get("zone") or target.get("mount") and not quota:
        yield "as is", sc
        return
    for variant in only or VARIANTS:
        fs, mkfs, size = VARIANTS[variant]
        faults = [f for f in sc.get("faults", []) if f["type"] != "quota" or fs in QUOTAS]
        if ONLY_ON.get(name, fs) != fs or not faults and sc.get("faults"):
            continue
        if quota:
            mkfs = mkfs + QUOTAS.get(fs, [])
        if target.get("fs", "xfs") != fs:
            asked = {"fs": fs, "mkfs": mkfs, "size": size}
        else:
            other = [a for i, a in enumerate(target.get("mkfs", []))
                     if a != "-b" and target["mkfs"][i - 1] != "-b"]
            asked = {"fs": fs, "mkfs": mkfs + other}
        if fs not in QUOTAS:
            asked["mount"] = []
        faults = [{**f, "options": {**f.get("options", {}), **TOLD_ON.get((f["type"], fs), {})}}
                  for f in faults]
        out = [w for f in faults for w in LEFT_OUT.get((f["type"], fs), [])]
        workers = [w for w in sc["workers"] if w["type"] not in out]
        yield variant, {**sc, "target": {**target, **asked}, "workers": workers,
                        **({"faults": faults} if faults else {})}


def call(a, work, argv):
    done = subprocess.run([a.stressd] + argv, env=dict(os.environ, STRESSD_STATE_DIR=work),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False)
    return done.returncode, done.stdout


def run_here(a, work, rows):
    """Exit status, output and run directory of each run, one after another."""
    rundir = os.path.join(work, "run")
    for path in rows:
        shutil.rmtree(rundir, ignore_errors=True)
        yield *call(a, work, ["run", "--quiet", "--run-dir", rundir, path]), rundir


def status_of(rundir, none):
    """What a run in a guest came to; one that never began is `none`."""
    try:
        with open(os.path.join(rundir, "result.json"), encoding="utf-8") as f:
            return json.load(f)["exit"]
    except (OSError, ValueError, KeyError):
        return none


def run_in_guests(a, work, rows):
    """The same, a boot for as many as one takes."""
    rundir = os.path.join(work, "run")
    for at in range(0, len(rows), GUEST_ROWS):
        some = rows[at:at + GUEST_ROWS]
        shutil.rmtree(rundir, ignore_errors=True)
        all_of_them, text = call(
            a, work, ["vm", "--kernel", a.kernel, "--run-dir", rundir, "--timeout",
                      f"{ROW_MINUTES * len(some) + 1}m"] + a.vm + some)
        for i in range(len(some)):
            mine = os.path.join(rundir, str(i + 1)) if len(some) > 1 else rundir
            # A kernel that lacks something is not booted; one that died leaves none for the rest.
            code = status_of(mine, 4 if all_of_them == 4 else 3)
            yield code, "" if code in (0, 4) else text, mine


def write_rows(a, work, scenarios):
    """A file a run: [(variant, path)], all rounds of a variant together."""
    rows = []
    for variant, sc in scenarios:
        for n in range(a.rounds):
            path = os.path.join(work, f"{len(rows) + 1}.json")
            more = {"duration": a.duration} if a.duration else {}
            if a.kernel:
                more["seed"] = sc.get("seed", 1) + n
            with open(path, "w", encoding="utf-8") as f:
                json.dump({**sc, **more}, f)
            rows.append((variant, path))
    return rows


def run_scenario(a, work, path, sc):
    """Runs and those that were not silent. Evidence of the latter is kept."""
    name = os.path.basename(path)
    rows = write_rows(a, work, variants(name, sc, a.on))
    runs = (run_in_guests if a.kernel else run_here)(a, work, [r for _, r in rows])
    codes, begun = {}, time.time()
    for n, ((variant, _), (code, text, rundir)) in enumerate(zip(rows, runs)):
        mine = codes.setdefault(variant, [])
        mine.append(code)
        if code not in (0, 4):
            kept = os.path.join(work, f"kept.{name}.{variant}.{len(mine)}")
            if os.path.isdir(rundir):
                shutil.copytree(rundir, kept, dirs_exist_ok=True)
            print(f"--- {path} on {variant}: exit {code}, kept in {kept}\n{text}", flush=True)
        if n + 1 < len(rows) and rows[n + 1][0] == variant:
            continue
        print(f"{name:28} {variant:7} {len(mine)} runs, {mine.count(0)} silent, "
              f"{mine.count(4)} skipped, {len(mine) - mine.count(0) - mine.count(4)} not "
              f"({time.time() - begun:.0f} s)", flush=True)
        begun = time.time()
    all_codes = [c for mine in codes.values() for c in mine]
    return len(all_codes), sum(c not in (0, 4) for c in all_codes)


def main():
    a = arguments()
    work = a.work or tempfile.mkdtemp(prefix="stressd-silence.", dir="/var/tmp")
    os.makedirs(work, exist_ok=True)
    bad = total = 0
    for path in a.scenario or sorted(glob.glob(os.path.join(TOP, "configs", "*.json"))):
        with open(path, encoding="utf-8") as f:
            sc = json.load(f)
        if sc.get("expect") or "kernels" in sc:  # or a matrix
            continue
        if sc.get("target", {}).get("type") == "directory":
            os.makedirs(sc["target"]["path"], mode=0o700, exist_ok=True)
        ran, failed = run_scenario(a, work, path, sc)
        total += ran
        bad += failed
    print(f"{total} runs, {bad} not silent")
    if not bad and not a.work:
        shutil.rmtree(work)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
