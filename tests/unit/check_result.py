#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Judge documents by a JSON Schema: check_result.py SCHEMA FILE... exits 0 when all are valid, 1
when one is not. Without arguments: 0 when python3's jsonschema is there, 77 when not."""
import json
import sys

try:
    from jsonschema import Draft202012Validator
except ImportError:
    sys.exit(77)


def load(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def main(schema, *paths):
    Draft202012Validator.check_schema(load(schema))
    validator = Draft202012Validator(load(schema))
    bad = [f"{p}: {e.json_path}: {e.message}" for p in paths for e in validator.iter_errors(load(p))]
    print("\n".join(bad), file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) > 1 else 0)
