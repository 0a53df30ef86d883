#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The page of a night from outside: test_night.py STRESSD. Nights are made up, with hostile names,
imported and compared; the page is taken apart and held against the JSON of the same comparison.
The judge is judged, too: a page with a change planted must not pass."""
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.parse
import xml.etree.ElementTree as ET
from collections import Counter

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "unit"))
from check_page import Strict, as_shown  # noqa: E402

X = "{http://www.w3.org/1999/xhtml}"
EVIL = "<script>alert(1)</script>\"'&amp;\x1b[31m\u202e"
EVIL_DIR = "a \"b\" 'c' <d>%20#?&é"
SECTIONS = {"new": "New", "flaky": "Comes and goes", "still": "Known", "not-run": "Not looked for",
            "fixed": "Not seen any more"}
RUNS = 5
# Findings of a place in each night, out of RUNS; None: not run. The last is B, the one before it A.
PLACES = {("brand-new", "xfs", "next"): [0, 0, 0, 0, 4],
          ("back-again", "xfs", "next"): [1, 0, None, 0, 1],
          ("always", "ext4", "stable"): [5, 4, None, 5, 5],
          ("rare", "ext4", "stable"): [0, 0, 0, 1, 0],
          ("repaired", "ext4", "next"): [5, 5, 5, 5, 0],
          ("not-run-now", "xfs", "stable"): [5, 5, 5, 5, None],
          ("never-run-before", "xfs", "stable"): [None, None, None, None, 1],
          (EVIL, "xfs", "next"): [0, 0, 0, 0, 5],
          ("quiet", "xfs", "stable"): [0, 0, 0, 0, 0]}
# Verdicts of B that are neither pass nor fail, one run each, beside those above.
OTHERS = {("quiet", "xfs", "stable"): ["skip", "incomplete"], ("skipped", "xfs", "next"): ["skip"],
          ("died", "xfs", "next"): [None]}


def write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(content if isinstance(content, str) else json.dumps(content))


def put_run(top, night, place, n, verdict, day):
    """One cell and its attempt; without a verdict nothing came of it."""
    scenario, target, kernel = place
    run_id = f"{sorted(PLACES | OTHERS).index(place):02}{n:02}"
    cell = os.path.join(top, "cells", run_id)
    write(f"{cell}/cell.json", {"version": 1, "id": run_id, "scenario": scenario, "target": target,
                                "kernel": kernel, "seed": n})
    write(f"{cell}/started-1.json", {"host": "h", "time": 1})
    write(f"{cell}/ended-1.json", {"end": "finished" if verdict else "interrupted", "exit": 0, "time": 2})
    if not verdict:
        return
    finding = {"kind": "zeroed", "sentence": f"{scenario} broke in run {n}", "file": "data",
               "time_ms": 1.0, "repeats": 0}
    write(f"{cell}/attempt-1/result.json",
          {"version": 1, "scenario": scenario, "seed": n, "verdict": verdict, "reason": None,
           "started": f"2024-05-{day:02}T00:00:{n:02}Z", "exit": int(verdict == "fail"),
           "duration_s": 10.0, "counts": {"ops": 1000}, "findings": [finding] * (verdict == "fail"),
           "environment": {"kernel": "6.1", "fs": target, "stressd": "0"}, "run_key": f"{night}{run_id}"})
    # Of one scenario the pages are gone.
    if scenario != "always":
        write(f"{cell}/attempt-1/report.html", f"{night} {scenario}")


def make(top, nights):
    for i, night in enumerate(nights):
        where = os.path.join(top, EVIL_DIR, night)
        write(f"{where}/night.json", {"version": 1, "name": night})
        for place, hits in PLACES.items():
            for n in range(RUNS if hits[i] is not None else 0):
                put_run(where, night, place, n, "fail" if n < hits[i] else "pass", i + 1)
        for place, verdicts in OTHERS.items() if i == len(nights) - 1 else ():
            for n, verdict in enumerate(verdicts):
                put_run(where, night, place, RUNS + n, verdict, i + 1)


class Wrong(Exception):
    pass


def expect(good, what):
    if not good:
        raise Wrong(what)


def text_of(e):
    return "".join(e.itertext())


def one(e, path):
    found = e.findall(path)
    expect(len(found) == 1, f"{len(found)} times {path}")
    return found[0]


def target_of(page, a):
    """The file that a browser would open, with what is in it."""
    url = urllib.parse.urljoin("file://" + urllib.parse.quote(page), a.get("href"))
    parts = urllib.parse.urlsplit(url)
    expect(parts.scheme == "file" and not parts.netloc and not parts.query and not parts.fragment,
           f"a link to {url}")
    path = urllib.parse.unquote(parts.path)
    expect(os.path.exists(path), f"a link to {path}, which is not there")
    with open(path, encoding="utf-8") as f:
        return f.read()


def judge_findings(page, root, lines, b):
    """Each finding of the comparison is there once, in its section, sections in their order."""
    rows = [line for line in lines if line["type"] == "finding"]
    counts = lines[-1]["counts"]
    shown = [(text_of(one(s, f"{X}h2")), s) for s in root.iter(f"{X}section")]
    wanted = [f"{title} {counts[change]}" for change, title in SECTIONS.items() if counts[change]]
    expect([title for title, _ in shown] == wanted + ["Matrix"], f"sections {[t for t, _ in shown]}")
    for title, section in shown[:-1]:
        change = next(c for c, t in SECTIONS.items() if title.startswith(t))
        items = section.findall(f"{X}ul/{X}li")
        expect(len(items) == counts[change], f"{len(items)} in {title}")
        for row in (r for r in rows if r["change"] == change):
            head = f"{row['kind']} in {as_shown(row['scenario'])} on {row['kernel']}, {row['target']}: "
            head += f"{row['hits_b']} of {row['tries_b']} runs" if row["tries_b"] else "no complete run"
            item = [i for i in items if text_of(i).startswith(head)]
            expect(len(item) == 1, f"{len(item)} times {head}")
            expect(as_shown(row["sentence"]) in text_of(item[0]), f"no sentence {row['sentence']}")
            judge_reason(row, text_of(item[0].findall(f"{X}p")[-1]))
            link = item[0].find(f".//{X}a")
            expect((link is None) == (row["scenario"] == "always"), f"the link of {head}")
            night = b if row["hits_b"] else None
            if link is not None:
                said = target_of(page, link)
                expect(said.endswith(row["scenario"]) and (not night or said.startswith(night)),
                       f"{head} leads to {said}")


def judge_reason(row, reason):
    expect(not (row["change"] == "new" and row["scenario"] != "back-again")
           or reason.startswith("never seen before"), f"a reason: {reason}")
    if row["change"] in ("new", "fixed", "flaky") and row["tries_a"]:
        p = re.search(r"p = ([\d.e-]+)", reason)
        expect(p and abs(float(p[1]) - row["p"]) <= 0.01 * row["p"] + 0.0001, f"p in {reason}")
    if row["change"] == "flaky" and row["needed"]:
        expect(f"{row['needed']} silent runs" in reason, f"no runs in {reason}")


def bars_of(td):
    """(night, per cent failed) of each bar, from what is drawn."""
    svg = td.find(f"{X}svg")
    bars = [] if svg is None else svg.findall(f"{X}rect")
    return {int(float(r.get("x"))) // 6: (r.get("class"), float(r.get("height"))) for r in bars}


def judge_field(page, td, place):
    hits = PLACES.get(place)
    others = Counter(OTHERS.get(place, ()))
    ran = RUNS if hits and hits[-1] is not None else 0
    failed = hits[-1] if ran else 0
    runs, lost = ran + sum(others.values()), others["incomplete"] + others[None]
    kind = "absent" if not runs else "fail" if failed else "lost" if lost \
        else "skip" if others["skip"] == runs else "pass"
    expect(td.get("class") == kind, f"{place} is {td.get('class')}, not {kind}")
    if not runs:
        expect(not text_of(td), f"{place} says {text_of(td)}")
        return
    part = failed or lost
    expect(re.search(r"\d\S*", text_of(td))[0].startswith(f"{part}/{runs}" if part else f"{runs}"),
           f"{place} says {text_of(td)}")
    link = td.find(f"{X}a")
    if link is not None:
        expect(target_of(page, link).endswith(place[0]), f"{place} leads elsewhere")
    before = {i: h for i, h in enumerate((hits or [])[:-1]) if h is not None}
    bars = bars_of(td)
    expect(set(bars) == set(before), f"{place} has bars {sorted(bars)}, not {sorted(before)}")
    for i, h in before.items():
        height = max(2.0, 16.0 * h / RUNS)
        expect(bars[i][0] == ("fail" if h else "pass") and abs(bars[i][1] - height) < 0.06,
               f"{place}, night {i}: {bars[i]}, not {height}")


def judge_matrix(page, root):
    table = one(root, f".//{X}table")
    columns = [text_of(th) for th in table.findall(f"{X}thead/{X}tr/{X}th")][1:]
    rows = {text_of(one(tr, f"{X}th")): tr.findall(f"{X}td") for tr in table.findall(f"{X}tbody/{X}tr")}
    expect(columns == ["next, ext4", "next, xfs", "stable, ext4", "stable, xfs"], f"columns {columns}")
    places = PLACES | OTHERS
    expect(set(rows) == {as_shown(s) for s, _, _ in places}, f"rows {sorted(rows)}")
    for scenario in {s for s, _, _ in places}:
        for column, td in zip(columns, rows[as_shown(scenario)]):
            kernel, target = column.split(", ")
            judge_field(page, td, (scenario, target, kernel))


def judge(page, text, lines, b):
    strict = Strict()
    strict.feed(text)
    strict.close()
    expect(not strict.wrong, strict.wrong)
    root = ET.fromstring(text)
    expect(not list(root.iter(f"{X}script")) and "<script" not in text, "a script")
    expect("\x1b" not in text and "\u202e" not in text, "what moves a cursor")
    sentence = text_of(one(root, f".//{X}p[@class='sentence']"))
    new = lines[-1]["counts"]["new"]
    start = f"{new} new finding{'s' if new > 1 else ''}: " if new else "Nothing new: "
    expect(sentence.startswith(start), sentence)
    judge_findings(page, root, lines, b)
    judge_matrix(page, root)


def run(argv, status):
    p = subprocess.run(argv, text=True, encoding="utf-8", errors="strict", stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE)
    if p.returncode != status:
        raise Wrong(f"{argv}: exit {p.returncode}, not {status}\n{p.stdout}{p.stderr}")
    return p


def compare(stressd, store, a, b, page, status):
    p = run([stressd, "compare", "--store", store, "--json", "--html", page, a, b], status)
    with open(page, encoding="utf-8") as f:
        return f.read(), [json.loads(line) for line in p.stdout.splitlines()]


PLANTED = [(r">New <", r">Known <"), (r'<span class="soft">3</span>', '<span class="soft">2</span>'),
           (r"4 of 5 runs", "5 of 5 runs"), (r"never seen before", "seen before"),
           (r'<rect class="fail"', '<rect class="pass"'), (r'<rect class="pass" x="0"[^>]*>', ""),
           (r'height="16\.0"/>', 'height="3.2"/>'), (r'<td class="fail">', '<td class="pass">'),
           (r"cells/\d+", "cells/none"), (r"&lt;script", "<script"), (r">4/5<", ">4/6<"),
           (r"p = 0\.0", "p = 0.9"), (r"\d new findings:", "Nothing new:")]


def judge_is_awake(page, text, lines, b):
    for pattern, instead in PLANTED:
        changed = re.sub(pattern, instead, text)
        expect(changed != text, f"{pattern} is nowhere on the page")
        try:
            judge(page, changed, lines, b)
        except (Wrong, ET.ParseError):
            continue
        raise Wrong(f"nobody noticed {instead} for {pattern}")


def check(stressd, top):
    nights = [f"n{i}" for i in range(5)]
    make(top, nights)
    store, where = os.path.join(top, "s.db"), os.path.join(top, EVIL_DIR)
    run([stressd, "store", "import", "--store", store, where], 0)
    # Beside the runs, and elsewhere: what leads to the runs of B is relative in the one.
    inside, outside = os.path.join(where, "n4", "night.html"), os.path.join(top, "other", "it's a page.html")
    os.mkdir(os.path.dirname(outside))
    for page in (inside, outside):
        text, lines = compare(stressd, store, "n3", "n4", page, 1)
        expect(lines[-1]["counts"] == {"new": 3, "fixed": 1, "still": 1, "flaky": 2, "not-run": 1}, lines[-1])
        judge(page, text, lines, "n4")
        hrefs = re.findall(r'href="([^"]*)"', text)
        expect(any(h.startswith("/") == (page == outside) for h in hrefs) and
               all(re.fullmatch(r"[\w./~%-]+", h, re.ASCII) for h in hrefs), hrefs)
    judge_is_awake(outside, text, lines, "n4")
    # Nothing new says so.
    text, lines = compare(stressd, store, "n0", "n1", outside, 0)
    expect(lines[-1]["counts"]["new"] == 0 and ">Nothing new: of 40 runs" in text and ">New <" not in text,
           "a night with nothing new")
    # Directories have no nights before.
    p = run([stressd, "compare", "--html", outside, os.path.join(where, "n3"), os.path.join(where, "n4")], 1)
    with open(outside, encoding="utf-8") as f:
        text = f.read()
    expect("new (" in p.stdout and "<svg" not in text and ">New <" in text and
           "not in the other night; the other night: 0 of 5 runs; p = 0.024" in text, "the page of directories")
    # A page that cannot be written costs no comparison.
    p = run([stressd, "compare", "--store", store, "--html", f"{top}/none/x.html", "n3", "n4"], 3)
    expect("new (3)" in p.stdout and p.stderr.count("\n") == 1 and "cannot be written" in p.stderr, p.stderr)


def main(stressd):
    with tempfile.TemporaryDirectory(prefix="stressd-night.") as top:
        check(stressd, os.path.realpath(top))


if __name__ == "__main__":
    try:
        main(sys.argv[1])
    except Wrong as e:
        sys.exit(str(e))
