#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Mistakes on the command line: exit 2, one line on stderr that says what to do, nothing on stdout, and
nothing left behind. And --help of every subcommand, whose options completion must have.

usage: test_bad_usage.py STRESSD
"""
import os
import re
import subprocess
import sys
import tempfile

SCENARIO = """{ "version": 1, "name": "right", "description": "to be run wrongly", "duration": "1s",
  "target": { "type": "directory", "path": "/var/tmp" },
  "files": [ { "name": "data", "size": "64K" } ],
  "workers": [ { "type": "reader", "file": "data" } ] }"""

MATRIX = """{ "version": 1, "name": "right", "kernels": [ { "name": "native" } ], "scenarios": [ "right.json" ] }"""

# arguments ("@" is a scenario that is right, "?" such a matrix), and what the line must have
MISTAKES = [
    ("nonsense", "no such command; see `stressd --help`"),
    ("rnu @", "did you mean run?"),
    ("-v", "no such command"),
    ("run", "expected one scenario; see `stressd run --help`"),
    ("run @ @", "expected one scenario"),
    ("run --nope @", "--nope: no such option; see `stressd run --help`"),
    ("run -x @", "-x: no such option"),
    ("run --keep=yes @", "--keep=yes: takes no argument"),
    ("run @ --seed", "--seed: requires an argument"),
    ("run --seed seven @", "--seed seven: not a number; expected"),
    ("run --duration 10 @", "--duration 10: not a time"),
    ("run --duration 0s @", "--duration 0s: not a time"),
    ("run --output paper @", "`stressd list reports`"),
    ("run --run-dir /etc @", "not empty"),
    ("run --destroy /dev/null @", 'has target "directory", which destroys no device; leave --destroy out'),
    ("run no-such-file.json", "expected a readable scenario"),
    ("run /", "expected a readable scenario"),
    ("run --until-hit --seed 3", "expected one scenario; see `stressd repro --help`"),
    ("check", "expected at least one scenario; see `stressd check --help`"),
    ("check --json @", "--json: no such option"),
    ("verify", "expected one run directory; see `stressd verify --help`"),
    ("verify /no/such/dir", "expected the run directory"),
    ("verify @", "expected a run directory"),
    ("report", "expected at least one run directory; see `stressd report --help`"),
    ("report /no/such/dir", "/no/such/dir: No such file or directory; expected a run directory"),
    ("report @", "Not a directory; expected a run directory"),
    ("report .", "not a run directory, it has no result.json"),
    ("report --format paper /", "`stressd list reports`"),
    ("report --format html,json /", "--format html,json: expected reports but for json"),
    ("list", "expected one of workers|"),
    ("list wokers", "expected one of workers|"),
    ("list workers nobody", "nothing is called nobody"),
    ("list --all workers", "--all: no such option; see `stressd list --help`"),
    ("caps now", "now: unexpected argument; see `stressd caps --help`"),
    ("recover --now", "--now: no such option; see `stressd recover --help`"),
    ("recover now", "now: unexpected argument"),
    ("schema result", "result: unexpected argument"),
    ("vm @", "expected --kernel IMAGE; see `stressd vm --help`"),
    ("vm --kernel", "--kernel: requires an argument"),
    ("vm --kernel /no/such/image @", "cannot read the kernel"),
    ("vm --kernel @ @", "expected a bzImage"),
    ("vm --memory much --kernel @ @", "expected a size like 2G"),
    ("repro --times 0 @", "--times 0: expected"),
    ("repro --attempts 3 @", "--attempts: no such option"),
    ("repro --memory 1G @", "only with --kernel"),
    ("minimize --keep-rate 200 @", "between 0 and 100"),
    ("minimize --output", "--output: requires an argument"),
    ("history --limit all", "expected a number; see `stressd history --help`"),
    ("history @ @", "expected one scenario or fingerprint"),
    ("daemon --config", "--config: requires an argument; see `stressd daemon --help`"),
    ("daemon --check=yes", "--check=yes: takes no argument"),
    ("daemon now", "now: unexpected argument"),
    ("daemon --config /no/such/file", "/no/such/file"),
    ("store", "expected import, nights, check or prune; see `stressd store --help`"),
    ("store import", "import: expected run directories"),
    ("store nights now", "now: unexpected argument"),
    ("store --nope nights", "--nope: no such option; see `stressd store --help`"),
    ("store import --night", "--night: requires an argument"),
    ("store prune", "expected --older-than, --larger-than or both; see `stressd store prune --help`"),
    ("store prune --older-than 30", "--older-than 30: expected a time like 30d"),
    ("store prune --older-than 30d --larger-than much", "--larger-than much: expected a size like 50G"),
    ("store prune --older-than", "--older-than: requires an argument"),
    ("store prune --older-than 30d --all", "--all: no such option"),
    ("store prune --older-than 30d /no/such/dir", "/no/such/dir: cannot be read"),
    ("compare @", "expected two nights"),
    ("matrix", "expected one matrix; see `stressd matrix --help`"),
    ("matrix --nope @", "--nope: no such option; see `stressd matrix --help`"),
    ("matrix @ --kernel", "--kernel: requires an argument"),
    ("matrix --jobs 0 @", "--jobs 0: expected a number from 1"),
    ("matrix --cpus many @", "--cpus many: expected a number from 1"),
    ("matrix --memory much @", "--memory much: expected a size like 16G"),
    ("matrix --engine bus @", "--engine bus: expected local, parallel or slurm"),
    ("matrix " + "--kernel a=b " * 65 + "@", "--kernel: given more than 64 times"),
    ("matrix --check @", "/target: unknown key (did you mean \"targets\"?)"),
    ("matrix --list --run-dir /no/such/dir ?", "/no/such/dir: cannot be read"),
    ("matrix --cell /no/such/dir", "--cell /no/such/dir: No such file or directory; expected one of those below"),
    ("matrix --cell /", "/cell.json: no cell of a matrix"),
    ("compare yesterday today", "`stressd store nights`"),
]
COMPLETION = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../completions/stressd.bash")


def left_in(state):
    """Files below the state directory that are not the empty store."""
    return [os.path.join(d, f) for d, _, files in os.walk(state) for f in files
            if not f.startswith("store.db")]


def completed():
    """Subcommand: its options, as completion has them."""
    with open(COMPLETION, encoding="utf-8") as f:
        rows = re.findall(r'^\t\[([a-z-]+)\]="(--.*)"$', f.read(), re.M)
    return {name: {option.rstrip("=") for option in options.split()} for name, options in rows}


def wrong_help(call):
    """What is wrong with --help, of the program and of each subcommand."""
    commands = re.findall(r"^  ([a-z][a-z-]*) ", call(["--help"]).stdout, re.M)
    options = completed()
    if set(commands) != set(options) or "run" not in commands:
        yield f"--help and completion differ: {set(commands) ^ set(options)}"
    for command in commands:
        r = call([command, "--help"])
        if r.returncode != 0 or r.stderr or not r.stdout.startswith(f"usage: stressd {command}"):
            yield f"stressd {command} --help: exit {r.returncode}: {r.stderr}"
        missing = set(re.findall(r"^  (--[a-z-]+)", r.stdout, re.M)) - options.get(command, set())
        if missing:
            yield f"stressd {command} --help: completion lacks {missing}"


def main():
    stressd = os.path.abspath(sys.argv[1])
    failures = []
    with tempfile.TemporaryDirectory() as tmp:
        state = os.path.join(tmp, "state")
        scenario, matrix = os.path.join(tmp, "right.json"), os.path.join(tmp, "matrix.json")
        for path, text in ((scenario, SCENARIO), (matrix, MATRIX)):
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
        env = dict(os.environ, STRESSD_STATE_DIR=state)

        def call(args):
            return subprocess.run([stressd] + args, env=env, cwd=tmp, capture_output=True, text=True,
                                  stdin=subprocess.DEVNULL, timeout=60, check=False)

        if call(["check", scenario]).returncode != 0 or call(["matrix", "--check", matrix]).returncode != 0:
            sys.exit("what is right is not")
        for text, expected in MISTAKES:
            r = call([{"@": scenario, "?": matrix}.get(a, a) for a in text.split()])
            wrong = (f"exit {r.returncode}" if r.returncode != 2 else
                     "something on stdout" if r.stdout else
                     "not one line" if r.stderr.count("\n") != 1 else
                     f"no {expected!r}" if expected not in r.stderr else
                     f"left {left_in(state)}" if left_in(state) else None)
            if wrong:
                failures.append(f"stressd {text}: {wrong}: {r.stderr}")
        failures += wrong_help(call)
    for f in failures:
        print(f)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
