#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`stressd report` from outside: test_report_again.py STRESSD. The reports of a run that is over are taken
away and made again, the same; a run directory that is damaged, or is none, is refused with one line."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

SCENARIO = {"version": 1, "name": "again", "description": "to be reported twice", "duration": "300ms", "stop_on": "never",
            "target": {"type": "directory"}, "files": [{"name": "data", "size": "64K"}],
            "workers": [{"type": "mixer", "file": "data"},
                        {"type": "exec", "options": {"program": ["sh", "-c", "exit 3"]}}]}
USUAL = ["junit.xml", "report.html", "report.txt"]
# Of the page, the moment, and the path of the scenario, which is now the copy beside the result.
DIFFERS = re.compile(r'nonce[-=]"?[0-9a-f]+|report_timestamp="[^"]*"|stressd repro [^<]*')


def essence(text):
    """Keys of a scenario that was filled up and of one that was read stand in another order."""
    return sorted(line.strip(" ,") for line in DIFFERS.sub("", text).splitlines())


class Lab:
    def __init__(self, stressd, top):
        self.stressd, self.top, self.dir = stressd, top, os.path.join(top, "run")

    def call(self, *argv, want=0):
        p = subprocess.run([self.stressd, *argv], text=True, capture_output=True, stdin=subprocess.DEVNULL, check=False,
                           env=dict(os.environ, STRESSD_STATE_DIR=os.path.join(self.top, "state")))
        assert p.returncode == want, f"{argv}: exit {p.returncode}, not {want}\n{p.stdout}{p.stderr}"
        return p

    def refused(self, has, *argv):
        p = self.call("report", *argv, want=2)
        assert p.stderr.count("\n") == 1 and has in p.stderr and not p.stdout, f"{argv}: {p.stdout}{p.stderr}"

    def text(self, name):
        with open(os.path.join(self.dir, name), encoding="utf-8") as f:
            return f.read()

    def put(self, name, text):
        with open(os.path.join(self.dir, name), "w", encoding="utf-8") as f:
            f.write(text)

    def written(self, p):
        return sorted(os.path.relpath(line, self.dir) for line in p.stdout.splitlines())


def same_again(lab):
    names = USUAL + ["metrics.prom"]
    before = {n: lab.text(n) for n in names}
    result = os.stat(os.path.join(lab.dir, "result.json"))
    for n in USUAL:
        os.unlink(os.path.join(lab.dir, n))
    assert lab.written(lab.call("report", lab.dir)) == sorted(names)
    for n in names:
        assert essence(lab.text(n)) == essence(before[n]), f"{n} differs"
    after = os.stat(os.path.join(lab.dir, "result.json"))
    assert (result.st_ino, result.st_mtime_ns) == (after.st_ino, after.st_mtime_ns), "result.json was written"


def other_formats(lab):
    shutil.copy(os.path.join(lab.dir, "report.txt"), os.path.join(lab.dir, "was"))
    lab.put("report.txt", "old")
    assert lab.written(lab.call("report", "--format", "ktap,kcidb", lab.dir)) == ["kcidb.json", "report.ktap"]
    assert json.loads(lab.text("kcidb.json"))["tests"][0]["status"] == "FAIL"
    assert lab.text("report.txt") == "old", "another report than the one asked for was written"
    assert "report.txt" in lab.written(lab.call("report", lab.dir))
    assert lab.text("report.txt") == lab.text("was")


def beside_a_guests(lab):
    """`stressd verify` of a guest's run leaves reports of its own; the scenario lies above them."""
    os.mkdir(os.path.join(lab.dir, "verify"))
    shutil.copy(os.path.join(lab.dir, "result.json"), os.path.join(lab.dir, "verify"))
    p = lab.call("report", "--format", "text", lab.dir)
    assert lab.written(p) == ["report.txt", "verify/report.txt"]
    lab.put("verify/result.json", "{")
    p = lab.call("report", "--format", "text", lab.dir, want=2)
    assert "verify/result.json:1: " in p.stderr
    shutil.rmtree(os.path.join(lab.dir, "verify"))


def damaged(lab):
    result, scenario = lab.text("result.json"), lab.text("scenario.json")
    lab.put("result.json", result[: len(result) // 2])
    lab.refused("/result.json:", lab.dir)
    lab.put("result.json", result.replace('"fail"', '"sad"', 1))
    lab.refused("/verdict: ", lab.dir)
    os.unlink(os.path.join(lab.dir, "result.json"))
    lab.refused("`stressd verify` ends a dead one", lab.dir)
    lab.put("result.json", result)
    lab.put("scenario.json", scenario.replace('"duration"', '"during"'))
    lab.refused("/during: ", lab.dir)
    os.unlink(os.path.join(lab.dir, "scenario.json"))
    assert lab.written(lab.call("report", "--format", "text", lab.dir)) == ["report.txt"]
    lab.put("scenario.json", scenario)
    lab.refused("not a run directory", lab.top)
    lab.refused("No such file or directory", os.path.join(lab.top, "none"))
    # One that is wrong does not keep another from its reports.
    p = lab.call("report", "--format", "text", lab.top, lab.dir, want=2)
    assert lab.written(p) == ["report.txt"]


def of_another_user(lab):
    if os.geteuid() != 0:
        return
    os.chown(lab.dir, 65534, -1)
    lab.refused("belongs to user 65534; run report as that user", lab.dir)
    os.chown(lab.dir, 0, -1)


def cannot_be_written(lab):
    """A directory where a report should be: the others are written all the same."""
    os.unlink(os.path.join(lab.dir, "report.html"))
    os.mkdir(os.path.join(lab.dir, "report.html"))
    lab.put("junit.xml", "old")
    p = lab.call("report", lab.dir, want=3)
    assert p.stderr.count("\n") == 1 and "report.html cannot be written" in p.stderr, p.stderr
    assert lab.text("junit.xml") != "old"
    os.rmdir(os.path.join(lab.dir, "report.html"))


def main():
    with tempfile.TemporaryDirectory() as top:
        lab = Lab(os.path.abspath(sys.argv[1]), top)
        files = os.path.join(top, "files")
        os.mkdir(files)
        SCENARIO["target"]["path"] = files
        scenario = os.path.join(top, "again.json")
        with open(scenario, "w", encoding="utf-8") as f:
            json.dump(SCENARIO, f)
        lab.call("run", "--quiet", "--output", "prometheus", "--run-dir", lab.dir, scenario, want=1)
        for test in (same_again, other_formats, beside_a_guests, damaged, of_another_user,
                     cannot_be_written):
            test(lab)


if __name__ == "__main__":
    main()
