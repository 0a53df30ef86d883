#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Scenarios, matrices and schema that the tree carries: test_configs.py TREE STRESSD.

Every scenario passes `stressd check` and every matrix `stressd matrix --check`; each is named as its
file, and says what it is for; scenarios that are written to find something say what. The schema in the tree is what `stressd schema` prints."""
import glob
import json
import os
import subprocess
import sys

DESCRIPTION_CHARS = 40
# Beside the races, and must find nothing: what tells the race from what is documented.
CONTROLS = {"ext4-dio-read-delalloc"}


def judge(path, stressd):
    with open(path, encoding="utf-8") as f:
        scenario = json.load(f)
    matrix = "kernels" in scenario
    check = ["matrix", "--check"] if matrix else ["check"]
    checked = subprocess.run([stressd, *check, path], capture_output=True, text=True, check=False)
    if checked.returncode:
        return [f"stressd {check}: exit {checked.returncode}: {(checked.stderr or checked.stdout).strip()}"]
    name, folder = os.path.splitext(os.path.basename(path))[0], os.path.basename(os.path.dirname(path))
    to_find = folder in ("races", "findings")
    wrong = []
    if scenario["name"] != name:
        wrong.append(f"its name is {scenario['name']}")
    if len(scenario.get("description", "")) < DESCRIPTION_CHARS:
        wrong.append(f"description: at least {DESCRIPTION_CHARS} characters")
    if matrix:
        return wrong
    if to_find and not scenario.get("reference"):
        wrong.append("reference: what it goes back to")
    if ("expect" in scenario) != (to_find and name not in CONTROLS):
        wrong.append("expect: for scenarios below races/ and findings/ and for no others")
    return wrong


def judge_schema(path, stressd):
    printed = subprocess.run([stressd, "schema"], capture_output=True, text=True, check=True).stdout
    with open(path, encoding="utf-8") as f:
        return [] if f.read() == printed else [f"is old; run: stressd schema > {path}"]


def main(tree, stressd):
    paths = sorted(glob.glob(os.path.join(tree, "configs", "**", "*.json"), recursive=True))
    wrong = [(p, w) for p in paths for w in judge(p, stressd)]
    schema = os.path.join(tree, "schema", "scenario-1.schema.json")
    wrong += [(schema, w) for w in judge_schema(schema, stressd)]
    if len(paths) < 12:
        wrong.append((tree, f"{len(paths)} scenarios found"))
    for path, what in wrong:
        print(f"{os.path.relpath(path, tree)}: {what}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
