#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`stressd store prune` from outside: test_prune.py STRESSD. Each hazard is planted: findings, runs
that have no result, links that lead out, mounts, locks, names that change between look and removal,
and a kill at each step. What may go goes, nothing else does, and the store says so."""
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

DAY = 86400
OLD = "2024-05-01T00:00:00Z"
PREFIX = ".stressd-pruned-"
KEY = 0


class Lab:
    """A state directory with a store, and runs as stressd leaves them."""

    def __init__(self, stressd, top):
        self.stressd, self.top = stressd, top
        self.runs = os.path.join(top, "state", "runs")
        os.makedirs(self.runs)

    def run(self, *argv, want=0, env=None):
        p = subprocess.run([self.stressd, *argv], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           env=dict(os.environ, STRESSD_STATE_DIR=os.path.join(self.top, "state"), **env or {}))
        assert p.returncode == want, f"{argv}: exit {p.returncode}, not {want}\n{p.stdout}{p.stderr}"
        return p

    def put(self, name, verdict="pass", started=OLD, where=None, finding=False, size=10_000):
        """A run directory. Each is of a key of its own, so that the store tells them apart."""
        global KEY
        KEY += 1
        path = os.path.join(where or self.runs, name)
        os.makedirs(os.path.join(path, "sub"))
        found = [{"kind": "zeroed", "sentence": "s", "file": "data", "time_ms": 1.0, "repeats": 0}]
        files = {"result.json": {"version": 1, "scenario": "mixer", "seed": 1, "verdict": verdict, "exit": 0,
                                 "reason": None, "started": started, "duration_s": 10.0, "run_key": str(KEY),
                                 "counts": {"ops": 1}, "findings": found * (finding or verdict == "fail"),
                                 "environment": {"kernel": "6.1", "fs": "xfs", "stressd": "0"}},
                 "scenario.json": {"version": 1}, "report.html": "x" * size, "sub/deep.log": "y"}
        for file, content in files.items():
            with open(os.path.join(path, file), "w", encoding="utf-8") as f:
                f.write(content if isinstance(content, str) else json.dumps(content))
        return path

    def put_cell(self, night, cell, **how):
        where = os.path.join(self.top, "state", "nights", night)
        path = os.path.join(where, "cells", cell)
        run = self.put("attempt-1", where=path, **how)
        for file, content in {"cell.json": {"version": 1, "id": cell, "scenario": "mixer", "target": "xfs",
                                            "kernel": "lab", "seed": 1},
                              "scenario.json": {"version": 1}, "started-1.json": {"host": "h", "time": 1},
                              "ended-1.json": {"end": "finished", "exit": 0, "time": 2},
                              "../../night.json": {"version": 1, "name": night}}.items():
            with open(os.path.join(path, file), "w", encoding="utf-8") as f:
                json.dump(content, f)
        for lock in (path, where):
            with open(os.path.join(lock, "lock"), "w", encoding="utf-8"):
                pass
        return run

    def store(self):
        self.run("store", "import", os.path.join(self.top, "state"))

    def prune(self, *argv, want=0, env=None):
        """What became of each run, by the path of its directory; and the sums."""
        out = self.run("store", "prune", "--json", *argv, want=want, env=env).stdout
        lines = [json.loads(line) for line in out.splitlines()]
        return {r["dir"]: r["end"] for r in lines if r["type"] == "run"}, lines[-1]

    def removed(self):
        """Directories of the store, and when they went."""
        lines = self.run("history", "--json", "mixer").stdout.splitlines()
        return {r["dir"]: r["removed"] for r in map(json.loads, lines) if r["type"] == "run"}


def tree(path):
    """All that is there, with contents: to see that nothing changed."""
    seen = {}
    for where, dirs, files in os.walk(path):
        for name in dirs + files:
            full = os.path.join(where, name)
            seen[full] = os.readlink(full) if os.path.islink(full) else \
                open(full, "rb").read() if os.path.isfile(full) else None
    return {k: v for k, v in seen.items() if "store.db" not in k}


def only_what_may_goes(lab):
    old, skip = lab.put("old"), lab.put("skip", verdict="skip")
    stay = {lab.put("fail", verdict="fail"): "finding",
            lab.put("found", verdict="pass", finding=True): "finding",
            lab.put("crash", verdict="incomplete", finding=True): "finding",
            lab.put("incomplete", verdict="incomplete"): "incomplete",
            lab.put("error", verdict="error"): "incomplete",
            lab.put("kept"): "kept",
            lab.put("young", started="2099-01-01T00:00:00Z"): "within-limits"}
    open(os.path.join(lab.runs, "kept", "keep"), "w", encoding="utf-8").close()
    verified = lab.put("verified", verdict="incomplete")
    os.mkdir(f"{verified}/verify")
    with open(f"{verified}/verify/result.json", "w", encoding="utf-8") as f:
        json.dump({"findings": [{"kind": "not-durable", "sentence": "s", "time_ms": 0, "repeats": 0}]}, f)
    stay[verified] = "finding"
    lab.store()
    running = lab.put("running")
    os.unlink(os.path.join(running, "result.json"))
    stay[running] = "no-result"
    stay[lab.put("unknown")] = "not-stored"
    changed = lab.put("changed")
    lab.store_one = lab.run("store", "import", changed)
    with open(os.path.join(changed, "result.json"), "a", encoding="utf-8") as f:
        f.write("\n")
    stay[changed] = "not-stored"
    before = tree(lab.top)

    ends, sums = lab.prune("--older-than", "30d", "--dry-run")
    assert ends == {old: "removed", skip: "removed", **stay}, ends
    assert tree(lab.top) == before and not any(lab.removed().values())
    text = lab.run("store", "prune", "--older-than", "30d", "--dry-run").stdout
    assert f"{old}: would be removed: pass" in text and "2 runs would be removed" in text, text
    assert "4 with findings" in text and "2 incomplete" in text, text
    assert sums["removed"]["bytes"] >= 2 * 10_000

    really, again = lab.prune("--older-than", "30d")
    assert really == ends and again == sums, (really, again)
    assert not os.path.exists(old) and not os.path.exists(skip)
    gone = {k: v for k, v in before.items() if not (k + "/").startswith((old + "/", skip + "/"))}
    assert tree(lab.top) == gone
    assert {d for d, at in lab.removed().items() if at} == {old, skip}
    text = lab.run("history", "mixer").stdout
    assert f"{old} (removed 20" in text, text

    # Asked for, the rest goes, each kind by its own option.
    ends, _ = lab.prune("--older-than", "30d", "--incomplete")
    assert sorted(d for d in ends if ends[d] == "removed") == sorted(d for d in stay if stay[d] == "incomplete")
    ends, _ = lab.prune("--older-than", "30d", "--findings")
    assert sorted(d for d in ends if ends[d] == "removed") == sorted(d for d in stay if stay[d] == "finding")


def size_takes_the_oldest(lab):
    runs = [lab.put(f"r{i}", started=f"2024-05-0{i + 1}T00:00:00Z", size=100_000) for i in range(5)]
    found = lab.put("found", verdict="fail", started="2023-01-01T00:00:00Z", size=100_000)
    lab.store()
    _, sums = lab.prune("--larger-than", "1T")
    total = sums["within-limits"]["bytes"] + sums["finding"]["bytes"]
    ends, sums = lab.prune("--larger-than", str(total - 150_000))
    assert [r for r in runs if ends[r] == "removed"] == runs[:2], ends
    assert not sums["too_large"] and os.path.exists(found)
    # What may not go holds more than the limit: that is said, and is no success.
    ends, sums = lab.prune("--larger-than", "1K", want=3)
    assert sums["too_large"] and ends[found] == "finding" and not any(map(os.path.exists, runs))


def links_lead_nowhere(lab):
    precious = os.path.join(lab.top, "precious")
    os.makedirs(os.path.join(precious, "d"))
    with open(os.path.join(precious, "d", "f"), "w", encoding="utf-8") as f:
        f.write("precious")
    run = lab.put("run")
    # A run that is not below what was asked for, reached by a link, though the store knows it.
    outside = lab.put("outside", where=os.path.join(lab.top, "elsewhere"))
    os.symlink(precious, f"{run}/link")
    os.symlink(f"{precious}/d/f", f"{run}/sub/file")
    os.symlink("..", f"{run}/up")
    os.symlink("loop", f"{run}/loop")
    os.link(f"{precious}/d/f", f"{run}/hard")
    os.symlink(outside, os.path.join(lab.runs, "linked"))
    os.symlink("../../elsewhere", os.path.join(lab.runs, "linked-parent"))
    # A result that is a link is none.
    fake = os.path.join(lab.runs, "fake")
    os.mkdir(fake)
    os.symlink(f"{outside}/result.json", f"{fake}/result.json")
    # Nor is everything with a leftover's name one.
    strange = os.path.join(lab.runs, PREFIX + "strange")
    os.mkdir(strange)
    open(f"{strange}/thesis.txt", "w", encoding="utf-8").close()
    lab.store()
    lab.run("store", "import", outside)
    before = tree(precious), tree(outside), tree(fake), tree(strange)
    ends, _ = lab.prune("--older-than", "1d")
    assert ends == {run: "removed"}, ends
    assert (tree(precious), tree(outside), tree(fake), tree(strange)) == before
    # By its own name it is what was asked for.
    assert lab.prune("--older-than", "1d", outside)[0] == {outside: "removed"}
    lab.run("store", "prune", "--older-than", "1d", "/", want=2)


def what_is_in_use_stays(lab):
    run = lab.put_cell("night", "c1")
    cell, night = os.path.dirname(run), os.path.dirname(os.path.dirname(os.path.dirname(run)))
    lab.store()
    holds = [(f"{cell}/lock", fcntl.LOCK_EX),      # the cell runs
             (f"{night}/lock", fcntl.LOCK_EX),     # an engine is at work
             (night, fcntl.LOCK_SH), (run, fcntl.LOCK_SH)]  # it is being imported or compared
    for path, how in holds:
        fd = os.open(path, os.O_RDONLY)
        fcntl.flock(fd, how)
        for extra in ([], ["--dry-run"]):
            assert lab.prune("--older-than", "1d", *extra)[0] == {run: "busy"}, path
        os.close(fd)
    assert lab.removed() == {run: 0}
    assert lab.prune("--older-than", "1d")[0] == {run: "removed"}
    # It was the only one: the night is gone as a whole.
    assert not os.path.exists(night)


def mounts_are_not_entered(lab):
    """A filesystem that is mounted inside belongs to something that is alive."""
    run = lab.put("run")
    other = os.path.join(lab.top, "other")
    os.makedirs(other)
    open(f"{other}/precious", "w", encoding="utf-8").close()
    lab.store()
    if os.geteuid() or subprocess.run(["mount", "--bind", other, f"{run}/sub"], stderr=subprocess.DEVNULL).returncode:
        return
    try:
        assert lab.prune("--older-than", "1d")[0] == {run: "busy"}
    finally:
        with open("/proc/self/mounts", encoding="utf-8") as f:
            for at in [line.split()[1] for line in f if line.split()[1].startswith(lab.top)]:
                subprocess.run(["umount", at], check=True)
    assert os.path.exists(f"{other}/precious")
    assert lab.prune("--older-than", "1d")[0] == {run: "removed"}


def killed_anywhere(lab):
    """After each kill: whole or not there, the row of what is not there says so, and the next ends it."""
    steps = 0
    while True:
        steps += 1
        runs = [lab.put(f"k{steps}-{i}") for i in range(2)]
        found = lab.put(f"f{steps}", verdict="fail")
        lab.store()
        before = {r: tree(r) for r in [*runs, found]}
        p = subprocess.run([lab.stressd, "store", "prune", "--older-than", "1d"], stdout=subprocess.PIPE,
                           env=dict(os.environ, STRESSD_STATE_DIR=os.path.join(lab.top, "state"),
                                    STRESSD_KILL=f"coordinator:{steps}"))
        if p.returncode == 0:
            break
        assert p.returncode == -signal.SIGKILL, p.returncode
        rows = lab.removed()
        for r in runs:
            assert tree(r) == before[r] if os.path.exists(r) else rows[r], (steps, r)
        # What has only the other name is not taken for a run.
        lab.run("store", "import", lab.runs)
        ends, _ = lab.prune("--older-than", "1d")
        assert all(lab.removed()[r] and not os.path.exists(r) for r in runs), (steps, ends)
        assert tree(found) == before[found]
        assert not [n for n in os.listdir(lab.runs) if n.startswith(PREFIX)], os.listdir(lab.runs)
    assert steps > 8, steps


def names_that_change_meanwhile(lab):
    """Stopped with the run in hand, while somebody puts something else at its place."""
    run, away = lab.put("run"), os.path.join(lab.top, "away")
    lab.store()
    p = subprocess.Popen([lab.stressd, "store", "prune", "--older-than", "1d"], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True,
                         env=dict(os.environ, STRESSD_STATE_DIR=os.path.join(lab.top, "state"),
                                  STRESSD_KILL="pause:1"))
    _, status = os.waitpid(p.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    os.rename(run, away)
    os.mkdir(run)
    open(f"{run}/precious", "w", encoding="utf-8").close()
    os.kill(p.pid, signal.SIGCONT)
    _, err = p.communicate()
    assert p.returncode == 3 and "changed meanwhile" in err, (p.returncode, err)
    assert os.listdir(run) == ["precious"] and os.path.exists(f"{away}/report.html")
    assert os.listdir(lab.runs) == ["run"], os.listdir(lab.runs)


def what_comes_back_is_there_again(lab):
    run, copy = lab.put("run"), os.path.join(lab.top, "backup")
    lab.store()
    shutil.copytree(run, copy)
    # A copy is not what the store knows.
    assert lab.prune("--older-than", "1d", copy)[0] == {copy: "not-stored"}
    lab.prune("--older-than", "1d")
    assert lab.removed()[run]
    # Put back, or brought to another place: an import says where it is.
    lab.run("store", "import", copy)
    assert lab.removed() == {copy: 0}
    os.rename(copy, copy + "2")
    lab.run("store", "import", copy + "2")
    assert lab.removed() == {copy + "2": 0}
    # Marked by a prune that was killed before it did anything, and now within the limits.
    p = subprocess.run([lab.stressd, "store", "prune", "--older-than", "1d", copy + "2"], stdout=subprocess.PIPE,
                       env=dict(os.environ, STRESSD_STATE_DIR=os.path.join(lab.top, "state"),
                                STRESSD_KILL="coordinator:2"))
    assert p.returncode == -signal.SIGKILL and lab.removed()[copy + "2"]
    assert lab.prune("--larger-than", "1G", copy + "2")[0] == {copy + "2": "within-limits"}
    assert lab.removed() == {copy + "2": 0}


def nights_that_are_over_go(lab):
    """When no run is left, and nothing else that is somebody's."""
    def night(name, cells=2):
        runs = [lab.put_cell(name, f"{name}{n}") for n in range(cells)]
        return runs, os.path.dirname(os.path.dirname(os.path.dirname(runs[0])))
    nights = {n: night(n) for n in ("over", "noted", "kept", "begun", "fails", "strange", "linked")}
    open(f"{nights['noted'][1]}/thesis.txt", "w", encoding="utf-8").close()
    open(f"{nights['kept'][1]}/keep", "w", encoding="utf-8").close()
    lab.put_cell("fails", "fails-too", verdict="fail")
    open(f"{os.path.dirname(nights['strange'][0][0])}/core", "w", encoding="utf-8").close()
    os.symlink("/", f"{os.path.dirname(nights['linked'][0][0])}/started-9.json")
    # A cell that was never run: the night may be gone on with.
    left = os.path.join(nights["begun"][1], "cells", "left")
    shutil.copytree(os.path.dirname(nights["begun"][0][0]), left)
    for name in ("attempt-1", "started-1.json", "ended-1.json"):
        path = os.path.join(left, name)
        shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
    lab.store()
    ends, sums = lab.prune("--older-than", "1d", "--dry-run")
    assert all(os.path.exists(r) for runs, _ in nights.values() for r in runs) and not sums["nights"]
    ends, sums = lab.prune("--older-than", "1d")
    assert sums["nights"] == 1, sums
    for name, (runs, where) in nights.items():
        assert os.path.exists(where) == (name != "over"), name
        assert all(ends[r] == ("kept" if name == "kept" else "removed") for r in runs), (name, ends)
    # Killed while a night goes: the next ends it.
    _, where = night("again")
    lab.store()
    for step in range(1, 200):
        p = subprocess.run([lab.stressd, "store", "prune", "--older-than", "1d", os.path.dirname(where)],
                           stdout=subprocess.PIPE, env=dict(os.environ, STRESSD_KILL=f"coordinator:{step}",
                                                            STRESSD_STATE_DIR=os.path.join(lab.top, "state")))
        if any(n.startswith(PREFIX + "again") for n in os.listdir(os.path.dirname(where))):
            break
        assert p.returncode == -signal.SIGKILL, "never killed in the middle of a night"
    assert not os.path.exists(where)
    lab.prune("--older-than", "1d")
    assert not [n for n in os.listdir(os.path.dirname(where)) if n.startswith(PREFIX)]


def nights_are_compared_without_it(lab):
    """In the store all is as before; of the directory alone it is said that runs are missing."""
    for n in range(6):
        lab.put_cell("a", f"a{n}")
        lab.put_cell("b", f"b{n}", verdict="fail" if n < 3 else "pass")
    lab.store()
    compare = lab.run("compare", "--json", "a", "b", want=1).stdout
    _, sums = lab.prune("--older-than", "1d")
    assert sums["removed"]["runs"] == 9 and sums["finding"]["runs"] == 3
    assert lab.run("compare", "--json", "a", "b", want=1).stdout == compare
    nights = os.path.join(lab.top, "state", "nights")
    assert lab.run("store", "import", nights).stderr == ""
    assert not os.path.exists(f"{nights}/a")
    err = lab.run("compare", f"{nights}/b", f"{nights}/b").stderr
    assert err.count("its run directory is gone") == 6, err  # 3 runs, on either side
    # Another store cannot know them.
    lab.run("store", "import", "--store", os.path.join(lab.top, "new.db"), nights, want=3)


def bad_words(lab):
    for argv, part in {(): "expected --older-than", ("--older-than", "30"): "30d", ("--older-than", "d"): "30d",
                       ("--older-than", "-1d"): "30d", ("--larger-than", "x"): "50G", ("--larger-than", "0"): "50G",
                       ("--older-than", "99999999999999999999d"): "30d"}.items():
        assert part in lab.run("store", "prune", *argv, want=2).stderr, argv
    lab.run("store", "prune", "--older-than", "1d", want=0)
    lab.run("store", "prune", "--older-than", "1d", "/nonexistent", want=2)


def main():
    tests = [only_what_may_goes, size_takes_the_oldest, links_lead_nowhere, what_is_in_use_stays,
             mounts_are_not_entered, killed_anywhere, names_that_change_meanwhile,
             what_comes_back_is_there_again, nights_that_are_over_go, nights_are_compared_without_it, bad_words]
    for test in tests:
        with tempfile.TemporaryDirectory(prefix="stressd-prune.") as top:
            test(Lab(sys.argv[1], os.path.realpath(top)))
        print("ok", test.__name__)


if __name__ == "__main__":
    main()
