#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The acceptance of nights, unattended: acceptance.py --lab IMAGE --plain IMAGE DIR.

A night of acceptance.json (2 kernels, 3 filesystems, 6 scenarios, 2 seeds) as a job of a daemon. A
third of the way the daemon is killed and another one started, at two thirds a guest's QEMU is. Each
cell must come to its end, and none may find anything. Then a night of the lab kernel with a mutant
awake: compared with the first, what is new must be what the mutant breaks, and nothing else.

Half an hour and a quarter of one in emulation on two CPUs. --seeds 1 --only NAME,... for less. DIR must be new; all that was
found stays there. Exit 0: all of it holds."""
import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
POLL_S = 0.5


def arguments():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("dir")
    p.add_argument("--stressd", default=os.path.join(HERE, "..", "..", "build", "stressd"))
    p.add_argument("--lab", required=True, metavar="IMAGE", help="lab/build-kernel.sh")
    p.add_argument("--plain", required=True, metavar="IMAGE", help="the same without mutants, or any other")
    p.add_argument("--accel", default="auto")
    p.add_argument("--seeds", default="1..2")
    p.add_argument("--only", help="scenarios, by name")
    p.add_argument("--mutant", type=int, default=1)
    p.add_argument("--breaks", default="short-write-vs-mmap/xfs", metavar="SCENARIO/TARGET",
                   help="where the mutant shows")
    return p.parse_args()


class Night:
    def __init__(self, a):
        self.a, self.dir = a, os.path.abspath(a.dir)
        self.stressd = os.path.abspath(a.stressd)
        self.socket = os.path.join(self.dir, "socket")
        self.daemon = None
        os.makedirs(self.dir)
        os.environ["STRESSD_STATE_DIR"] = os.path.join(self.dir, "state")
        self.write("daemon.json", {"version": 1, "socket": self.socket, "vms": 1})

    def write(self, name, content):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as f:
            json.dump(content, f, indent=2)
        return path

    def matrix(self, name, kernels):
        """acceptance.json with these kernels, where its paths still lead to the scenarios."""
        with open(os.path.join(HERE, "acceptance.json"), encoding="utf-8") as f:
            m = json.load(f)
        only = self.a.only and self.a.only.split(",")
        m["scenarios"] = [os.path.normpath(os.path.join(HERE, s)) for s in m["scenarios"]
                          if not only or os.path.basename(s).removesuffix(".json") in only]
        m |= {"name": name, "kernels": kernels, "seeds": self.a.seeds}
        m["guest"]["accel"] = self.a.accel
        return self.write(f"{name}.json", m)

    def run(self, *argv, want=0):
        p = subprocess.run([self.stressd, *argv], text=True, stdout=subprocess.PIPE)
        if p.returncode != want:
            sys.exit(f"{' '.join(argv)}: exit {p.returncode}, not {want}\n{p.stdout}")
        return [json.loads(line) for line in p.stdout.splitlines()]

    def start(self):
        with open(os.path.join(self.dir, "daemon.log"), "a", encoding="utf-8") as log:
            self.daemon = subprocess.Popen([self.stressd, "daemon", "--config",
                                            os.path.join(self.dir, "daemon.json")], stderr=log)
        while subprocess.run([self.stressd, "status", "--socket", self.socket], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL).returncode:
            time.sleep(POLL_S)

    def submit(self, matrix, night, **kernels):
        words = [w for name, image in kernels.items() for w in ("--kernel", f"{name}={os.path.abspath(image)}")]
        return self.run("submit", "--json", "--socket", self.socket, "--matrix", "--night", night, *words,
                        matrix)[-1]["job"]["id"]

    def job(self, n):
        return self.run("status", "--json", "--socket", self.socket, str(n))[-1]["job"]

    def cells(self, n):
        return os.path.join(self.dir, "state", "daemon", "runs", str(n), "cells")

    def ended(self, n):
        with contextlib.suppress(FileNotFoundError):
            return sum(name.startswith("ended-") for cell in os.listdir(self.cells(n))
                       for name in os.listdir(os.path.join(self.cells(n), cell)))
        return 0

    def until(self, what):
        while not what():
            time.sleep(POLL_S)

    def until_stored(self, n):
        """Its end, and its rows."""
        self.until(lambda: self.job(n)["stored"] or self.job(n)["state"] not in ("queued", "running", "finished"))
        return self.job(n)

    def list(self, n, matrix, **kernels):
        words = [w for name, image in kernels.items() for w in ("--kernel", f"{name}={os.path.abspath(image)}")]
        where = os.path.dirname(self.cells(n))
        p = subprocess.run([self.stressd, "matrix", "--list", "--json", "--no-store", "--run-dir", where, *words,
                            matrix], text=True, stdout=subprocess.PIPE)
        return json.loads(p.stdout.splitlines()[-1])

    def qemu(self, n):
        """The QEMU of a cell of job @n: a child of the `stressd vm` that has its directory."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError, ValueError, IndexError):
                with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
                    name, rest = f.read().split("(", 1)[1].rsplit(")", 1)
                parent = rest.split()[1]
                with open(f"/proc/{parent}/cmdline", "rb") as f:
                    if name.startswith("qemu-system") and self.cells(n).encode() in f.read():
                        return int(pid)
        return 0


def first_night(night, a):
    kernels = {"lab": a.lab, "plain": a.plain}
    matrix = night.matrix("acceptance", [{"name": k} for k in kernels])
    begun = time.monotonic()
    n = night.submit(matrix, "acceptance-1", **kernels)
    night.until(lambda: night.ended(n) > 0)
    cells = len(os.listdir(night.cells(n)))
    night.until(lambda: night.ended(n) >= cells // 3)
    night.daemon.kill()
    night.daemon.wait()
    print(f"the daemon was killed after {night.ended(n)} of {cells} cells", flush=True)
    night.start()
    night.until(lambda: night.ended(n) >= cells * 2 // 3)
    night.until(lambda: night.qemu(n))
    os.kill(night.qemu(n), signal.SIGKILL)
    print(f"a QEMU was killed after {night.ended(n)}", flush=True)
    job = night.until_stored(n)
    sums = night.list(n, matrix, **kernels)
    print(f"night 1: {time.monotonic() - begun:.0f} s, attempts of the job {job['attempt']}, {sums}", flush=True)
    return job["exit"] == 0 and job["attempt"] == 2 and sums["passed"] == cells and night.ended(n) > cells


def second_night(night, a):
    matrix = night.matrix("acceptance-mutant", [{"name": "lab", "append": f"stress_mutant={a.mutant}"}])
    begun = time.monotonic()
    n = night.submit(matrix, "acceptance-2", lab=a.lab)
    job = night.until_stored(n)
    print(f"night 2: {time.monotonic() - begun:.0f} s, {night.list(n, matrix, lab=a.lab)}", flush=True)
    rows = night.run("compare", "--json", "--html", os.path.join(night.dir, "night-2.html"), "acceptance-1",
                     "acceptance-2", want=1)
    rows = [r for r in rows if r["type"] == "finding"]
    for r in rows:
        print(f"  {r['change']}: {r['scenario']} on {r['target']}, kernel {r['kernel']}: {r['kind']}, "
              f"{r['hits_a']} of {r['tries_a']}, then {r['hits_b']} of {r['tries_b']}", flush=True)
    scenario, target = a.breaks.split("/")
    return job["exit"] == 1 and rows and all(
        (r["change"], r["scenario"], r["target"], r["kernel"]) == ("new", scenario, target, "lab") for r in rows)


def main():
    a = arguments()
    night = Night(a)
    night.start()
    try:
        fine = [first_night(night, a), second_night(night, a)]
    finally:
        night.daemon.terminate()
        night.daemon.wait()
    print("both nights are as they must be" if all(fine) else f"nights that are not: {fine}")
    return 0 if all(fine) else 1


if __name__ == "__main__":
    sys.exit(main())
