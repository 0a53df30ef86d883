#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Silence: every scenario that expects nothing must find nothing, many times, on every filesystem.

Runs each scenario of configs/ (those of races/ and findings/ expect something) in variants: XFS with
blocks of 1 and 4 KiB, ext4, btrfs. A scenario that asks for mount options, or whose target is no image,
runs as it stands. Prints a line per scenario and variant; exit 1 when anything was found or failed.
Whatever it finds on a kernel that was believed sound is a false alarm or a discovery: docs/FINDINGS.md.
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


def arguments():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--stressd", default=os.path.join(TOP, "build", "stressd"))
    p.add_argument("--rounds", type=int, default=10, help="consecutive runs of each (10)")
    p.add_argument("--duration", default=None, help="instead of each scenario's own, like 2s")
    p.add_argument("--on", action="append", choices=sorted(VARIANTS), help="only this variant")
    p.add_argument("--work", default=None, help="directory to work in (a new one below /var/tmp)")
    p.add_argument("scenario", nargs="*", help="instead of configs/*.json")
    return p.parse_args()


def variants(sc, only):
    """(name, scenario) for each filesystem that the scenario can be put on."""
    target = sc.get("target", {})
    if target.get("type", "image") != "image" or target.get("mount"):
        yield "as is", sc
        return
    for name in only or VARIANTS:
        fs, mkfs, size = VARIANTS[name]
        if target.get("fs", "xfs") != fs:
            asked = {"fs": fs, "mkfs": mkfs, "size": size}
        else:
            other = [a for i, a in enumerate(target.get("mkfs", []))
                     if a != "-b" and target["mkfs"][i - 1] != "-b"]
            asked = {"fs": fs, "mkfs": mkfs + other}
        yield name, dict(sc, target={**target, **asked})


def run(a, work, path):
    """Exit status and, where something was found, the first line of it."""
    rundir = os.path.join(work, "run")
    argv = [a.stressd, "run", "--quiet", "--run-dir", rundir]
    if a.duration:
        argv += ["--duration", a.duration]
    done = subprocess.run(argv + [path], env=dict(os.environ, STRESSD_STATE_DIR=work),
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", check=False)
    if done.returncode in (0, 4):
        shutil.rmtree(rundir, ignore_errors=True)
    return done.returncode, done.stdout


def main():
    a = arguments()
    work = a.work or tempfile.mkdtemp(prefix="stressd-silence.", dir="/var/tmp")
    paths = a.scenario or sorted(glob.glob(os.path.join(TOP, "configs", "*.json")))
    bad = total = 0
    for path in paths:
        with open(path, encoding="utf-8") as f:
            sc = json.load(f)
        if sc.get("expect") or "kernels" in sc:  # or a matrix
            continue
        if sc.get("target", {}).get("type") == "directory":
            os.makedirs(sc["target"]["path"], mode=0o700, exist_ok=True)
        for name, variant in variants(sc, a.on):
            mine = os.path.join(work, "scenario.json")
            with open(mine, "w", encoding="utf-8") as f:
                json.dump(variant, f)
            begun, codes = time.time(), []
            for _ in range(a.rounds):
                code, text = run(a, work, mine)
                codes.append(code)
                if code not in (0, 4):
                    kept = os.path.join(work, f"kept.{os.path.basename(path)}.{name}.{len(codes)}")
                    os.rename(os.path.join(work, "run"), kept)
                    print(f"--- {path} on {name}: exit {code}, kept in {kept}\n{text}", flush=True)
            total += len(codes)
            bad += sum(c not in (0, 4) for c in codes)
            print(f"{os.path.basename(path):28} {name:7} {len(codes)} runs, "
                  f"{codes.count(0)} silent, {codes.count(4)} skipped, "
                  f"{len(codes) - codes.count(0) - codes.count(4)} not "
                  f"({time.time() - begun:.0f} s)", flush=True)
    print(f"{total} runs, {bad} not silent")
    if not bad and not a.work:
        shutil.rmtree(work)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
