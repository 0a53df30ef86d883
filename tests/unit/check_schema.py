#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Judge documents by a JSON Schema. check_schema.py FILE: {"schema": ..., "cases": [{"document",
"good", "patch"}]}; exits 0 when the schema says of every document what "good" says. Without FILE:
exits 0 when the library is there, 77 when not."""
import json
import sys

try:
    from jsonschema import Draft202012Validator
except ImportError:
    sys.exit(77)


def main(path):
    with open(path, encoding="utf-8") as f:
        everything = json.load(f)
    Draft202012Validator.check_schema(everything["schema"])
    validator = Draft202012Validator(everything["schema"])
    wrong = 0
    for case in everything["cases"]:
        errors = [e.message for e in validator.iter_errors(case["document"])]
        if case["good"] != (not errors):
            wrong += 1
            print(f"the schema: {case['patch']}: {errors or 'valid'}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) if len(sys.argv) > 1 else 0)
