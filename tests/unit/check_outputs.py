#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Judge one report by the program that will read it: check_outputs.py KIND FILE [WANTED].

KIND is ktap (WANTED: the counts that the kernel's parser must come to; it is taken from the tree
$STRESSD_LINUX_SOURCE), kcidb or prometheus; or unpack, with a folder that becomes such a tree. Exit
status 0: fine, 1: not, 77: the reader is not here."""
import glob
import importlib
import json
import os
import re
import shutil
import subprocess
import sys

ID = r"^[a-z0-9_]+:[^\0]*$"
ORIGIN = r"^[a-z0-9_]+$"
PATH = r"^([a-zA-Z0-9_-]+(\.[a-zA-Z0-9_-]+)*)?$"
STATUSES = {"FAIL", "ERROR", "MISS", "PASS", "DONE", "SKIP"}


def unpack(to, *_):
    """The parser out of the newest kernel source package."""
    packages = sorted(glob.glob("/usr/src/linux-source-*.tar.xz"))
    if not packages:
        return 77
    name = os.path.basename(packages[-1])[:-len(".tar.xz")]
    r = subprocess.run(["tar", "-xf", packages[-1], "-C", to, "--strip-components=1",
                        f"{name}/tools/testing/kunit"], check=False)
    return 77 if r.returncode else 0


def ktap(path, wanted):
    parser = os.path.join(os.environ.get("STRESSD_LINUX_SOURCE", ""), "tools/testing/kunit")
    if not os.path.exists(os.path.join(parser, "kunit_parser.py")):
        return 77
    sys.path.insert(0, parser)
    sys.dont_write_bytecode = True
    with open(path, encoding="utf-8") as f, open(os.devnull, "w", encoding="utf-8") as null:
        sys.stdout, out = null, sys.stdout
        test = importlib.import_module("kunit_parser").parse_run_tests(f.read().splitlines())
        sys.stdout = out
    told = f"{test.status.name} {test.counts}"
    if test.counts.errors or told != wanted:
        print(f"{told}\nnot {wanted}", file=sys.stderr)
        return 1
    return 0


def kcidb(path, *_):
    with open(path, encoding="utf-8") as f:
        report = json.load(f)
    wrong = []
    if report["version"]["major"] != 5 or set(report) - {"version", "checkouts", "builds", "tests"}:
        wrong.append("not of schema 5")
    for test in report["tests"]:
        for key, pattern in (("id", ID), ("build_id", ID), ("origin", ORIGIN), ("path", PATH)):
            if not re.search(pattern, test[key]):
                wrong.append(f"{key}: {test[key]}")
        if not test["id"].startswith(test["origin"] + ":"):
            wrong.append("its id is of another origin")
        if test["status"] not in STATUSES or len(test["log_excerpt"]) > 16384:
            wrong.append("status or log_excerpt")
        if "\0" in json.dumps(test) or not re.match(r"\d{4}-\d\d-\d\dT[\d:]{8}(Z|[+-]\d\d:\d\d)$", test["start_time"]):
            wrong.append("start_time")
    try:
        schema = importlib.import_module("kcidb_io.schema")
    except ImportError:
        schema = None
    if schema and not schema.LATEST.is_compatible(report):
        wrong.append("kcidb_io takes it for incompatible")
    for what in wrong:
        print(what, file=sys.stderr)
    return 1 if wrong else 0


def prometheus(path, *_):
    if not shutil.which("promtool"):
        return 77
    with open(path, "rb") as f:
        r = subprocess.run(["promtool", "check", "metrics"], stdin=f, capture_output=True, text=True,
                           check=False)
    print(r.stdout + r.stderr, end="", file=sys.stderr)
    return 1 if r.returncode or r.stdout or r.stderr else 0


if __name__ == "__main__":
    sys.exit({"unpack": unpack, "ktap": ktap, "kcidb": kcidb, "prometheus": prometheus}[sys.argv[1]](*sys.argv[2:]))
