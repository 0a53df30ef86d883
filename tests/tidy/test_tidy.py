#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Each rule of tidy.py must be silent on a clean tree and speak when its offence is planted.
test_tidy.py CC"""
import os
import sys
import tempfile

import tidy

SPDX_C = f"// {tidy.LICENCE}\n/* A room. */\n"
SPDX_H = f"/* {tidy.LICENCE} */\n/* A room. */\n"

CLEAN = {
    "src/base/base.h": SPDX_H + "int base(void);\n",
    "src/stamp.h": SPDX_H + '#include "base/base.h"\n',
    "src/scenario.h": SPDX_H + '#include "base/base.h"\n',
    "src/scenario/parts.c": SPDX_C + '#include "scenario.h"\n#include "workers/worker.h"\n',
    "src/session/session.h": SPDX_H + '#include "workers/worker.h"\n',
    "src/workers/worker.h": SPDX_H + '#include "scenario.h"\n',
    "src/workers/reader.c": SPDX_C + '#include "workers/worker.h"\nconst struct worker_type worker_reader = {\n};\n',
    "src/workers/workers.def": SPDX_H + "X(reader)\n",
    "README.md": f"<!-- {tidy.LICENCE} -->\nSee https://docs.kernel.org/.\n",
}

# rule: {path: text} that offends against it and against no other
OFFENCES = {
    "licence": {"src/base/base.c": "int base;\n/* A room. */\n"},
    "opening": {"src/base/base.c": f"// {tidy.LICENCE}\nint base;\n"},
    "length": {"src/base/base.c": SPDX_C + "\n" * tidy.FILE_LINES},
    "functions": {"src/base/base.c": SPDX_C + "int base(void)\n{\n" + "\n" * tidy.FUNCTION_LINES + "}\n"},
    "marks": {"src/base/base.c": SPDX_C + "/* TO" + "DO: more */\n"},
    "places": {"README.md": f"<!-- {tidy.LICENCE} -->\nSee https:/" "/host.example/.\n"},
    "rooms": {"src/workers/reader.c": CLEAN["src/workers/reader.c"] + '#include "session/session.h"\n',
              "src/session/session.h": SPDX_H},
    "cycles": {"src/scenario.h": SPDX_H + '#include "workers/worker.h"\n',
               "src/workers/worker.h": SPDX_H + "#ifndef W\n#define W\n#include \"scenario.h\"\n#endif\n"},
    "tables": {"src/workers/workers.def": SPDX_H + "X(reader)\nX(writer)\n"},
    "headers": {"src/stamp.h": SPDX_H + "unknown_t stamp(void);\n"},
}


def offences(files, cc):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as f:
                f.write(text)
        tree = tidy.Tree(root, cc, [])
        return {rule.__name__: list(rule(tree)) for rule in tidy.RULES}


def main(cc):
    wrong = [f"clean tree: {o}" for found in offences(CLEAN, cc).values() for o in found]
    wrong += [f"no offence is planted against {r.__name__}" for r in tidy.RULES if r.__name__ not in OFFENCES]
    for rule, files in OFFENCES.items():
        found = offences({**CLEAN, **files}, cc)
        if not found.pop(rule):
            wrong.append(f"{rule}: the planted offence was not found")
        wrong += [f"planted for {rule}: {o}" for others in found.values() for o in others]
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
