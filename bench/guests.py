# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenarios in guests, for the programs here that compare how soon something is found: the same
scenario with many seeds in one boot, and what result.json says of each. Nothing is timed here.
"""
import json
import os
import shutil
import statistics
import subprocess
import tempfile

import common as c

CONFIGS = os.path.join(os.path.dirname(c.HERE), "configs", "races")

# What is asked of each on a quiet machine: the median, in ms. The mutant of the lab kernel that it
# is to find (0: the fault is in the kernel as it is).
RACES = {
    "short-write-vs-mmap": (1, 200),
    "delalloc-release-warn": (2, 2000),
    "delalloc-release-warn-probe": (2, 200),
    "writeback-stale-mapping": (3, 200),
    "uptodate-bits": (4, 200),
    "ext4-dio-read-stale": (0, 200),
}


def load(name):
    with open(os.path.join(CONFIGS, name + ".json"), encoding="utf-8") as f:
        return json.load(f)


def boot(args, mutant, scenarios):
    """Run them one after another in one guest; gives the result.json of each, None where there is
    none: the guest died before, or with it."""
    with tempfile.TemporaryDirectory(prefix="stressd-bench.", dir=args.tmp) as top:
        paths = []
        for i, sc in enumerate(scenarios):
            paths.append(os.path.join(top, f"{i:03}.json"))
            with open(paths[-1], "w", encoding="utf-8") as f:
                json.dump(sc, f)
        runs = os.path.join(top, "runs")
        p = subprocess.run(
            [os.path.join(args.build, "stressd"), "vm", "--kernel", args.kernel, "--accel",
             args.accel, "--memory", args.memory, "--append", f"stress_mutant={mutant}",
             "--no-images", "--run-dir", runs, *paths],
            env=dict(os.environ, STRESSD_STATE_DIR=os.path.join(top, "state")),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if p.returncode not in (0, 1, 3, 4) or not os.path.isdir(runs):
            c.give_up(f"stressd vm: exit {p.returncode}\n{p.stdout[-2000:]}")
        if args.keep:
            shutil.copytree(runs, os.path.join(args.keep, "{name}-{seed}".format(**scenarios[0])),
                            dirs_exist_ok=True)
        return [read_result(os.path.join(runs, str(i + 1)) if len(paths) > 1 else runs)
                for i in range(len(paths))]


def here(args, scenarios):
    """The same on this machine's own kernel, one process each."""
    with tempfile.TemporaryDirectory(prefix="stressd-bench.", dir=args.tmp) as top:
        results = []
        for i, sc in enumerate(scenarios):
            path, run = os.path.join(top, f"{i:03}.json"), os.path.join(top, f"{i:03}")
            with open(path, "w", encoding="utf-8") as f:
                json.dump(sc, f)
            p = subprocess.run([os.path.join(args.build, "stressd"), "run", "--run-dir", run, path],
                               env=dict(os.environ, STRESSD_STATE_DIR=os.path.join(top, "state")),
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if p.returncode not in (0, 1, 3, 4):
                c.give_up(f"stressd run: exit {p.returncode}\n{p.stdout[-2000:]}")
            results.append(read_result(run))
        return results


def read_result(rundir):
    try:
        with open(os.path.join(rundir, "result.json"), encoding="utf-8") as f:
            return json.load(f)
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def found(result, kinds):
    """Milliseconds from the start of the workers to the first finding of one of @kinds, or None."""
    times = [f["time_ms"] for f in (result or {}).get("findings", ()) if f["kind"] in kinds]
    return min(times) if times else None


def median(values):
    return statistics.median(values) if values else None


def span(values):
    """'120 ms (45..1,300)'."""
    if not values:
        return "-"
    return f"{c.number(median(values))} ms ({c.number(min(values))}..{c.number(max(values))})"


def arguments(description, **extra):
    args = c.arguments(
        description,
        kernel=("", str, "bzImage of a lab kernel, see lab/README.md"),
        only=("", str, "these races, separated by commas"),
        accel=("auto", str, "kvm, tcg or auto"),
        memory=("2G", str, "of the guest"),
        tmp=("/dev/shm", str, "where run directories go meanwhile"),
        keep=("", str, "directory to which they are copied"), **extra)
    if not os.path.isfile(args.kernel):
        c.give_up("--kernel IMAGE is missing: lab/build-kernel.sh prints the path of one", 2)
    c.need("qemu-system-x86_64")
    return args


def chosen(args, names):
    picked = [n for n in args.only.split(",") if n] or list(names)
    for n in picked:
        if n not in names:
            c.give_up(f"--only {n}: expected some of {', '.join(names)}", 2)
    return picked
