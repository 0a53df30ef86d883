#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""House rules that a machine can check. tidy.py TREE CC [CFLAGS]: one line per offence, exit 1.

A rule is a function that takes the tree and yields "PATH:LINE: what is wrong"; RULES lists them.
test_tidy.py plants an offence against each. Formatting is clang-format's business, not ours."""
import os
import re
import subprocess
import sys

FUNCTION_LINES = 70
FILE_LINES = 500
LICENCE = "SPDX-License-Identifier: GPL-2.0-or-later"

# Text that carries a licence line; data (JSON, samples of kernel logs) has no place for one.
LICENSED = re.compile(r"(\.(c|h|def|py|sh|md|cmake|bash|[1-8])|/CMakeLists\.txt|^\.ci/run)$")
# Hosts that documents may point to: specifications, the kernel's own, and whoever reads it.
HOSTS = re.compile(r"^(localhost|127\.0\.0\.1)$|(^|\.)(kernel\.org|json-schema\.org|w3\.org|no-color\.org|gnu\.org|fsf\.org)$")
# Spelled in two halves, so that this file does not offend.
MARKS = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
PLACES = re.compile(r"(?<![\w.])/(wo" r"rk|ro" r"ot)/")

# What a room may include besides itself. A room is a folder of src/, or files of one name beside
# the folders; a header beside a folder of its name (scenario.h) is an interface that others know
# without knowing the folder. Rooms that are not here are held by the rule on cycles alone.
ROOMS = {
    "base": set(),
    "stamp": {"base"},
    "shadow": {"base", "stamp", "scenario.h"},
    "verify": {"base", "stamp", "shadow", "finding"},
    "oplog": {"base"},
    "writelog": {"base"},
    "race": {"base"},
    "timeline": {"base"},
    "undo": {"base"},
    "klog": {"base", "finding", "scenario.h"},
    "ops": {"base", "stamp", "shadow", "verify", "finding", "oplog", "run", "scenario.h"},
    "vm": {"base", "finding", "klog", "oplog", "report", "run", "shadow", "scenario.h", "workers", "target",
           "faults"},
    "search": {"base", "finding", "scenario.h"},
    "store": {"base", "finding"},
    "matrix": {"base", "scenario.h", "search", "vm"},
    "daemon": {"base", "matrix", "report", "scenario.h", "store"},
    "report": {"base", "finding", "scenario.h", "klog", "oplog"},
}
NOT_FOR_WORKERS = {"session", "commands", "report", "klog", "undo", "stressd", "vm", "search",
                   "store", "matrix", "daemon"}
ALIASES = {"verdict": "verify", "caps": "commands"}
TABLES = {"workers": "worker_type worker_", "faults": "fault_type fault_",
          "target": "target_type target_", "report": "report_format report_format_"}
TABLE_FILES = {"workers": "workers.def", "faults": "faults.def", "target": "targets.def",
               "report": "reports.def"}


class Tree:
    """The files that belong to the tree, read once: {path: lines}."""

    def __init__(self, root, cc, cflags):
        self.root, self.cc, self.cflags, self.files = root, cc, cflags, {}
        for folder, folders, names in os.walk(root):
            rel = os.path.relpath(folder, root)
            folders[:] = [f for f in folders if f not in (".git", "__pycache__")
                          and not (rel == "." and f.startswith("build"))]
            for name in names:
                if name == ".git":
                    continue  # of a worktree: a file
                self.read(os.path.normpath(os.path.join(rel, name)))

    def read(self, path):
        try:
            with open(os.path.join(self.root, path), encoding="utf-8") as f:
                self.files[path] = f.read().splitlines()
        except (UnicodeDecodeError, OSError):
            pass  # fuzz corpora and the like: no text

    def sources(self, *suffixes, under=""):
        return [(p, t) for p, t in sorted(self.files.items())
                if p.endswith(suffixes) and p.startswith(under)]


def licence(tree):
    for path, lines in sorted(tree.files.items()):
        if LICENSED.search("/" + path if path != ".ci/run" else path):
            if not any(LICENCE in line for line in lines[:3]):
                yield f"{path}:1: no line with {LICENCE}"


def opening(tree):
    for path, lines in tree.sources(".c", ".h", ".def", under="src/"):
        if len(lines) < 2 or not lines[1].startswith("/*"):
            yield f"{path}:2: no comment that says what the file is for"


def length(tree):
    for path, lines in tree.sources(".c", ".h", under="src/"):
        if len(lines) > FILE_LINES:
            yield f"{path}:{FILE_LINES}: {len(lines)} lines; at most {FILE_LINES}"


def functions(tree):
    for path, lines in tree.sources(".c"):
        start = None
        for n, line in enumerate(lines, 1):
            if line == "{":
                start = n
            elif line == "}" and start:
                if n - start > FUNCTION_LINES:
                    yield f"{path}:{start}: function of {n - start} lines; at most {FUNCTION_LINES}"
                start = None


def marks(tree):
    for path, lines in sorted(tree.files.items()):
        for n, line in enumerate(lines, 1):
            mark = MARKS.search(line)
            if mark and not path.startswith("tests/klog/"):
                yield f"{path}:{n}: {mark.group()}: do it, or leave it"


def places(tree):
    for path, lines in sorted(tree.files.items()):
        if path.startswith("tests/klog/"):
            continue
        for n, line in enumerate(lines, 1):
            if PLACES.search(line):
                yield f"{path}:{n}: a path of somebody's machine"
            for host in re.findall(r"https?://([\w.-]+)", line):
                if not HOSTS.search(host) and path != "LICENSE":
                    yield f"{path}:{n}: {host} is no host that this tree may name"


def room(tree, path):
    name = re.sub(r"\.[ch]$", "", path.split("/")[0])
    if path == name + ".h" and any(p.startswith(f"src/{name}/") for p in tree.files):
        return path
    return ALIASES.get(name, name)


def includes(tree):
    """(path, line, own room, included room) of every include between files of src/. Tables (.def)
    are data: whoever needs a list includes it."""
    for path, lines in tree.sources(".c", ".h", under="src/"):
        for n, line in enumerate(lines, 1):
            m = re.match(r'#include "([^"]+\.h)"', line)
            if m and "src/" + m.group(1) in tree.files:
                yield path, n, room(tree, path[4:]), room(tree, m.group(1))


def rooms(tree):
    for path, n, own, other in includes(tree):
        if own != other and own in ROOMS and other not in ROOMS[own]:
            yield f"{path}:{n}: {own} may not know {other}"
        if own == "workers" and other in NOT_FOR_WORKERS:
            yield f"{path}:{n}: workers may not know {other}"


def cycles(tree):
    knows = {}
    for _, _, own, other in includes(tree):
        if own != other:
            knows.setdefault(own, set()).add(other)

    def walk(trail):
        for other in sorted(knows.get(trail[-1], ())):
            if other in trail:
                return trail[trail.index(other):] + [other]
            found = walk(trail + [other])
            if found:
                return found
        knows[trail[-1]] = set()  # leads to no cycle
        return None

    for own in sorted(knows):
        found = walk([own])
        if found:
            yield f"src:1: cycle of includes: {' -> '.join(found)}"
            return


def tables(tree):
    for folder, table in TABLE_FILES.items():
        rows = [re.match(r"X\((\w+)\)", line) for line in tree.files.get(f"src/{folder}/{table}", [])]
        rows = {m.group(1) for m in rows if m}
        defined = set()
        for path, lines in tree.sources(".c", under=f"src/{folder}/"):
            for line in lines:
                m = re.match(rf"const struct {TABLES[folder]}(\w+) =", line)
                if m:
                    defined.add(m.group(1))
                    if not path.endswith(f"/{m.group(1)}.c"):
                        yield f"{path}:1: defines {m.group(1)}; a type's file has its name"
        for name in sorted(rows ^ defined):
            yield f"src/{folder}/{table}:1: {name}: " + (
                "has a line and no file" if name in rows else "has a file and no line")


def headers(tree):
    """Every header compiles alone."""
    folders = sorted({os.path.dirname(p) for p, _ in tree.sources(".h", under="tests/")})
    path_flags = [flag for f in ["src", *folders] for flag in ("-I", f)]
    for path, _ in tree.sources(".h"):
        cmd = [tree.cc, "-std=gnu11", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-D_GNU_SOURCE",
               *path_flags, *tree.cflags, "-x", "c", "-include", path, "/dev/null"]
        r = subprocess.run(cmd, cwd=tree.root, capture_output=True, text=True, check=False)
        if r.returncode:
            first = next((line for line in r.stderr.splitlines() if "error" in line), "no reason given")
            yield f"{path}:1: does not compile alone: {first}"


RULES = [licence, opening, length, functions, marks, places, rooms, cycles, tables, headers]


def main(root, cc, *cflags):
    tree = Tree(root, cc, cflags)
    offences = [o for rule in RULES for o in rule(tree)]
    for o in offences:
        print(o)
    return 1 if offences else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
