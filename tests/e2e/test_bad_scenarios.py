#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Wrong scenarios, given to the program as a person would: `stressd run FILE` must exit 2 with one line
"stressd: FILE:LINE: POINTER: what is wrong; expected what", name the place, and leave nothing behind.

usage: test_bad_scenarios.py STRESSD
"""
import json
import os
import re
import subprocess
import sys
import tempfile

BASE = {
    "version": 1, "name": "bad", "description": "to be spoilt", "reference": "none", "seed": 7,
    "duration": "1s", "watchdog": "5s", "stop_on": "hit", "expect": "zeroed",
    "target": {"type": "directory", "path": "/var/tmp"},
    "files": [{"name": "data", "size": "1M", "max": "2M", "cell": 512, "layout": "hole",
               "conflict": False}],
    "workers": [
        {"type": "buffered_writer", "file": "data", "count": 1, "optional": False, "after": "1ms",
         "options": {"how": "pwrite", "length": "4K..8K", "rwf": ["dsync"], "grow": False,
                     "pause": "1ms"}},
        {"type": "mmap_writer", "file": "data", "options": {"store": 8, "msync": 1}},
        {"type": "truncator", "file": "data", "options": {"weights": {"punch": 1}}},
    ],
    "faults": [], "races": [],
    "verify": {"inline": True, "final": True, "layers": ["cache"], "every": "0", "fsck": False},
    "kernel_log": {"fail_at": "warning", "allow": ["some line"]},
}
WRONG = [None, True, -1, 1.5, 10**18, "", "no such word", [], {}, [[]], {"x": 1}]
LINE = re.compile(r"^stressd: (\S+):(\d+): (/\S*): .+; expected .+$")


def beside(worker):
    copy = json.loads(json.dumps(BASE))
    copy["workers"].append(worker)
    return json.dumps(copy, indent=1).encode()


def on(target, *faults):
    copy = json.loads(json.dumps(BASE))
    copy["target"] = target
    copy["faults"] = [{"type": fault} for fault in faults]
    return json.dumps(copy, indent=1).encode()


# What one part says against another; none of them may happen to be right.
CERTAIN = {
    "direct writer without a zone": beside({"type": "dio_writer", "file": "data"}),
    "zones under XFS": on({"type": "null_blk", "fs": "xfs", "zone": "8M"}),
    "zones that are no power of two": on({"type": "null_blk", "fs": "btrfs", "zone": "12M"}),
    "too few zones": on({"type": "null_blk", "fs": "btrfs", "size": "512M", "zone": "128M"}),
    "layers with zones": on({"type": "null_blk", "fs": "btrfs", "zone": "8M", "layers": ["dust"]}),
    "a size in parts of MiB": on({"type": "scsi_debug", "fs": "ext4", "size": "33000K"}),
    "a block of three sectors": on({"type": "null_blk", "fs": "ext4", "block": "1536"}),
    "a disk too small for XFS": on({"type": "scsi_debug", "fs": "xfs", "size": "64M"}),
    "an image too small for XFS": on({"type": "image", "fs": "xfs", "size": "160M"}),
    "an image that ends within a page": on({"type": "image", "fs": "ext4", "size": "65537K"}),
    "a SCSI fault without a SCSI disk": on({"type": "image"}, "scsi_nth"),
    "two faults of one counter": on({"type": "scsi_debug"}, "scsi_nth", "scsi_medium"),
    "a requeue without null_blk": on({"type": "image"}, "requeue"),
}


def places(value, pointer=()):
    yield pointer
    items = value.items() if isinstance(value, dict) else enumerate(value) \
        if isinstance(value, list) else ()
    for key, below in items:
        yield from places(below, pointer + (key,))


def spoilt(pointer, wrong):
    """The base as text with @wrong at @pointer, one value a line; None where it is no change."""
    copy = json.loads(json.dumps(BASE))
    if not pointer:
        return json.dumps(wrong, indent=1).encode()
    at = copy
    for key in pointer[:-1]:
        at = at[key]
    if at[pointer[-1]] == wrong and type(at[pointer[-1]]) is type(wrong):
        return None
    at[pointer[-1]] = wrong
    return json.dumps(copy, indent=1).encode()


def texts():
    """(what, bytes): everything that is wrong by its form, then values in the wrong places."""
    good = json.dumps(BASE, indent=1).encode()
    yield "empty", b""
    yield "truncated", good[:len(good) // 2]
    yield "trailing garbage", good + b"x"
    yield "invalid UTF-8", good.replace(b"to be spoilt", b"to \xff\xfe be")
    yield "NUL byte", good.replace(b"to be spoilt", b"to \x00 be")
    yield "byte-order mark", b"\xef\xbb\xbf" + good
    yield "deep", b"[" * 100000 + b"]" * 100000
    yield "100 MB of [", b"[" * 100000000
    yield "duplicate key", good.replace(b'"seed": 7', b'"seed": 7, "seed": 8')
    yield from CERTAIN.items()
    for pointer in places(BASE):
        if isinstance(pointer[-1:] and pointer[-1], str):
            yield f"unknown key beside {pointer}", unknown(pointer)
    for pointer in places(BASE):
        for wrong in WRONG:
            text = spoilt(pointer, wrong)
            if text:
                yield f"{wrong!r} at /{'/'.join(map(str, pointer))}", text


def unknown(pointer):
    copy = json.loads(json.dumps(BASE))
    at = copy
    for key in pointer[:-1]:
        at = at[key]
    at["unheard_of"] = 1
    return json.dumps(copy, indent=1).encode()


def judge(stressd, path, env, what):
    """None, or what is not as it must be. A spoilt value may happen to be right: exit 0."""
    done = subprocess.run([stressd, "check", path], env=env, capture_output=True, check=False,
                          timeout=60)
    if done.returncode == 0 and not done.stderr:
        return "fine"
    lines = done.stderr.decode("utf-8", "strict").splitlines()
    if done.returncode != 2:
        return f"{what}: exit {done.returncode}: {lines[:3]}"
    if len(lines) != 1 or not LINE.match(lines[0]) or LINE.match(lines[0]).group(1) != path:
        return f"{what}: not one line of that form: {lines[:3]}"
    return None


def main():
    stressd = sys.argv[1]
    failed, wrong, fine = [], 0, 0
    with tempfile.TemporaryDirectory(prefix="stressd-bad.") as top:
        env = dict(os.environ, STRESSD_STATE_DIR=os.path.join(top, "state"))
        path = os.path.join(top, "bad.json")
        for what, text in texts():
            with open(path, "wb") as f:
                f.write(text)
            verdict = judge(stressd, path, env, what)
            if verdict == "fine" and what in CERTAIN:
                failed.append(f"{what}: not refused")
            elif verdict == "fine":
                fine += 1
            else:
                wrong += 1
                failed += [verdict] if verdict else []
        # run says the same as check, and makes nothing of its own
        done = subprocess.run([stressd, "run", path], env=env, capture_output=True, check=False)
        left = [n for n in os.listdir(top) if n not in ("bad.json",)]
        if done.returncode != 2 or left:
            failed.append(f"run: exit {done.returncode}, left {left}")
    print("\n".join(failed[:20]))
    print(f"{wrong} wrong scenarios, {fine} that happened to be right, {len(failed)} not as they must be")
    return 1 if failed or wrong < 200 else 0


if __name__ == "__main__":
    sys.exit(main())
