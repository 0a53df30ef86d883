#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Judge report.html against result.json of the same run: check_page.py RUNDIR. One line for each
thing that is wrong, exit 1. The page must be well-formed, need nothing but itself, show each finding
with its parts, and say the numbers that the result says."""
import json
import os
import re
import sys
import unicodedata
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

XHTML = "{http://www.w3.org/1999/xhtml}"
STATES = {"not-read": "none", "good": "good", "bad": "bad", "unavailable": "none"}


def as_shown(text):
    """Text as html_text() shows it: what moves a cursor or turns the direction is spelled out."""
    def show(c):
        hidden = unicodedata.category(c) in ("Cc", "Zl", "Zp") or c in "\u061c\ufeff" \
            or "\u200b" <= c <= "\u200f" or "\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069"
        return f"\\u{ord(c):04x}" if hidden and c not in "\n\t" else c
    return "".join(show(c) for c in text)


def text_of(e):
    return "".join(e.itertext())


def value_at(result, key):
    for part in key.split("."):
        result = result[int(part)] if part.isdigit() else result[part]
    return result


class Page:
    def __init__(self, folder):
        with open(os.path.join(folder, "report.html"), encoding="utf-8") as f:
            self.text = f.read()
        with open(os.path.join(folder, "result.json"), encoding="utf-8") as f:
            self.result = json.load(f)
        self.root = ET.fromstring(self.text)
        self.wrong = []

    def all(self, tag, of=None, cls=None):
        found = (self.root if of is None else of).iter(XHTML + tag)
        return [e for e in found if cls is None or cls in e.get("class", "").split()]

    def expect(self, good, what):
        if not good:
            self.wrong.append(what)


def alone(p):
    """Nothing from elsewhere, and no script but its own."""
    for e in p.root.iter():
        p.expect(not e.get("src"), f"{e.tag} loads {e.get('src')}")
        href = e.get("href", "#")
        p.expect(href.startswith("#") or re.fullmatch(r"[\w.-]+", href), f"a link to {href}")
        for name in e.keys():
            p.expect(not name.startswith("on") and name != "style", f"{e.tag} has {name}")
    css = "".join(text_of(e) for e in p.all("style"))
    p.expect("url(" not in css and "@import" not in css, "its style loads something")
    p.expect(not p.all("link") and not p.all("img") and not p.all("iframe"), "it embeds something")
    scripts = p.all("script")
    p.expect(len(scripts) == 1, f"{len(scripts)} scripts")
    policy = [e.get("content") for e in p.all("meta") if e.get("http-equiv")]
    p.expect(policy and f"'nonce-{scripts[0].get('nonce')}'" in policy[0], "its script may not run")
    p.expect("default-src 'none'" in policy[0], "its policy allows others")


def accessible(p):
    ids = [e.get("id") for e in p.root.iter() if e.get("id")]
    p.expect(len(ids) == len(set(ids)), "an id is there twice")
    p.expect(p.root.get("lang") == "en" and p.all("title"), "no language or title")
    p.expect(len(p.all("h1")) == 1 and len(p.all("main")) == 1, "not one h1 and one main")
    for svg in p.all("svg"):
        if svg.get("role") == "img":
            p.expect(svg.get("aria-labelledby") in ids, "a picture without a name")


def numbers(p):
    data = [e for e in p.all("data") if e.get("data-key")]
    for e in data:
        want = value_at(p.result, e.get("data-key"))
        p.expect(e.get("value") == str(want), f"{e.get('data-key')} is {e.get('value')}, not {want}")
    keys = {e.get("data-key") for e in data}
    wanted = {"seed", "counts.ops", "counts.cells", "counts.cells_checked", "counts.cells_open"}
    wanted |= {f"counts.workers.{i}.ops" for i in range(len(p.result["counts"]["workers"]))}
    wanted |= {f"races.{i}.hits" for i in range(len(p.result["races"]))}
    if len(p.result["findings"]) > 1:
        wanted.add("counts.findings")
    p.expect(wanted <= keys, f"not there: {wanted - keys}")


def timeline(p, article, t):
    svg = [s for s in p.all("svg", article) if s.get("class") == "time"]
    if not t or not t["operations"]:
        p.expect(not svg, "a timeline of nothing")
        return
    bars = p.all("g", svg[0], "op")
    wanted = len(t["operations"]) + len(t["marks"])
    p.expect(len(bars) == wanted, f"{len(bars)} bars, not {wanted}")
    titles = [text_of(b.find(XHTML + "title")) for b in bars]
    for o in t["operations"]:
        head = f"{as_shown(t['lanes'][o['lane']])}: {as_shown(o['text'])}, "
        p.expect(any(title.startswith(head) for title in titles), f"no bar {head}")
    for b in bars:
        rect = b.find(XHTML + "rect")
        x, w = (float(rect.get(k).rstrip("%")) for k in ("x", "width"))
        p.expect(0 <= x <= 100 and 0 < w and x + w <= 100.5, f"a bar from {x} % on, {w} % wide")
    in_order(p, t, bars, titles)
    p.expect(len(p.all("rect", svg[0], "band")) ==
             sum(o["role"] == "finder" for o in t["operations"]), "the band of the finder")
    rows = [r for d in p.all("details", article, "ops") for r in p.all("tr", d)]
    p.expect(len(rows) == len(t["operations"]) + 1, f"{len(rows)} rows in its table")


def in_order(p, t, bars, titles):
    """What began earlier stands further left, cut or not."""
    places = []
    for o in t["operations"]:
        head = f"{as_shown(t['lanes'][o['lane']])}: {as_shown(o['text'])}, "
        at = [b for b, title in zip(bars, titles) if title.startswith(head)]
        if len(at) == 1:
            places.append((o["start_ms"], float(at[0].find(XHTML + "rect").get("x").rstrip("%"))))
    places.sort()
    for (_, a), (_, b) in zip(places, places[1:]):
        p.expect(a <= b, f"a bar at {b} % began after the one at {a} %")


def layers(p, article, f):
    shown = [li.get("class") for u in p.all("ul", article, "layers") for li in p.all("li", u)]
    if all(v["state"] == "not-read" for v in f["layers"].values()):
        p.expect(not shown, "layers that nobody read")
        return
    p.expect(shown == [STATES[v["state"]] for v in f["layers"].values()], f"layers {shown}")


def bytes_(p, article, f):
    hexes = [text_of(e) for e in p.all("pre", article, "hex")]
    if not f["diff"]:
        p.expect(not hexes, "bytes that nobody compared")
        return
    lines = {sign: {int(m[0]): m[1].replace(" ", "") for h in hexes for m in
                    re.findall(rf"^\{sign} \+(\d+) ((?: {{1,2}}[0-9a-f]{{2}}){{1,16}})", h, re.M)}
             for sign in "-+"}
    found, expected = f["found_hex"], f["expected_hex"]
    for at in range(0, len(found) // 2, 16):
        a, b = found[2 * at:2 * at + 32], expected[2 * at:2 * at + 32]
        if a != b:
            p.expect(lines["+"].get(at) == a and lines["-"].get(at) == b, f"bytes at +{at}")
    for at in lines["+"]:
        p.expect(found[2 * at:2 * at + 32] != expected[2 * at:2 * at + 32], f"no diff at +{at}")


def findings(p):
    articles = p.all("article", cls="finding")
    p.expect(len(articles) == min(12, len(p.result["findings"])), f"{len(articles)} findings")
    for article, f in zip(articles, p.result["findings"]):
        sentence = text_of(p.all("h2", article)[0])
        p.expect(sentence == as_shown(f["sentence"]), f"the sentence {sentence}")
        p.expect(text_of(p.all("p", article, "kind")[0]).startswith(f["kind"]), "its kind")
        p.expect(len(text_of(p.all("p", article, "plain")[0])) > 10, "no plain words")
        timeline(p, article, f["timeline"])
        layers(p, article, f)
        bytes_(p, article, f)
        log = "".join(text_of(e) for e in p.all("pre", article, "log"))
        for line in f["log"]:
            p.expect(as_shown(line) in log, f"no log line {line}")
    mail = p.all("pre", cls="mail")
    p.expect(len(mail) == bool(p.result["findings"]), "the text for a mail")
    if mail:
        p.expect(text_of(mail[0]).startswith("Subject: [BUG] "), "no subject")


def whole(p):
    shown = text_of(p.root)
    p.expect(p.all("span", cls=p.result["verdict"]), "no verdict")
    if p.result["reproduce"]:
        p.expect(as_shown(p.result["reproduce"]) in shown, "no command to run it again")
    for text in p.result["notes"] + p.result["dropped"]:
        p.expect(as_shown(text) in shown, f"no note {text}")
    for o in p.result["outputs"]:
        p.expect(any(e.get("href") == o["file"] for e in p.all("a")), f"no link to {o['file']}")
    for key in ("kernel", "fs", "mount_options", "device"):
        p.expect(as_shown(p.result["environment"][key] or "") in shown, f"no {key}")


class Strict(HTMLParser):
    """HTML's own eyes: what opens is closed, and nothing of the texts became markup."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.wrong = [], []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}> closes something else")


def main(folder):
    p = Page(folder)
    for check in (alone, accessible, numbers, findings, whole):
        check(p)
    parser = Strict()
    parser.feed(p.text)
    parser.close()
    p.wrong += parser.wrong
    for what in p.wrong:
        print(what, file=sys.stderr)
    return 1 if p.wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1]))
    except ET.ParseError as e:
        sys.exit(f"not well-formed: {e}")
