#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A headless Chromium, by its DevTools protocol over a pipe: no port, nothing but Python.

    scripts/browser.py PAGE DIR [HEIGHT]    pictures of a file or an address: 1280 and 400 wide,
                                            light and dark

Tests use the class; main() is for whoever changes a page to look at it (screenshots.sh)."""
import base64
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-extensions", "--disable-dev-shm-usage", "--hide-scrollbars",
         "--remote-debugging-pipe")


def find():
    """The path of a Chromium, or None."""
    return next((p for p in map(shutil.which, NAMES) if p), None)


class Browser:
    """One page. `with Browser(find()) as b: b.go("http://localhost:1/")`"""

    def __init__(self, program, limit_s=60):
        self.limit_s, self.serial, self.buffer, self.events = limit_s, 0, b"", []
        self.profile = tempfile.mkdtemp(prefix="browser.")
        # It reads requests from descriptor 3 and writes answers to 4.
        its_in, self.out = os.pipe()
        self.into, its_out = os.pipe()

        def place():
            os.setsid()
            a, b = os.dup(its_in), os.dup(its_out)
            os.dup2(a, 3)
            os.dup2(b, 4)
        self.process = subprocess.Popen(
            [program, *FLAGS, "--user-data-dir=" + self.profile, "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            close_fds=False, preexec_fn=place)
        os.close(its_in)
        os.close(its_out)
        self.session = None
        target = next(t for t in self.ask("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self.session = self.ask("Target.attachToTarget", targetId=target["targetId"],
                                flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(domain + ".enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)  # its own session: helpers and all
        except ProcessLookupError:
            pass
        self.process.wait()
        os.close(self.out)
        os.close(self.into)
        shutil.rmtree(self.profile, ignore_errors=True)

    def read(self, end):
        """The next message; TimeoutError after @end."""
        while b"\0" not in self.buffer:
            if not select.select([self.into], [], [], max(0, end - time.monotonic()))[0]:
                raise TimeoutError("the browser does not answer")
            more = os.read(self.into, 1 << 20)
            if not more:
                raise RuntimeError("the browser has died")
            self.buffer += more
        line, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(line)

    def ask(self, method, **params):
        self.serial += 1
        request = {"id": self.serial, "method": method, "params": params}
        if self.session:
            request["sessionId"] = self.session
        os.write(self.out, json.dumps(request).encode() + b"\0")
        end = time.monotonic() + self.limit_s
        while True:
            message = self.read(end)
            if message.get("id") != self.serial:
                self.events.append(message)
            elif "error" in message:
                raise RuntimeError(f"{method}: {message['error']}")
            else:
                return message["result"]

    def wait_for(self, event):
        """Until it has happened since the last go()."""
        end = time.monotonic() + self.limit_s
        while not any(e.get("method") == event for e in self.events):
            self.events.append(self.read(end))

    def go(self, address):
        self.events.clear()
        self.ask("Page.navigate", url=address)
        self.wait_for("Page.loadEventFired")

    def run(self, expression):
        """The value of an expression in the page, as JSON has it."""
        result = self.ask("Runtime.evaluate", expression=expression, returnByValue=True,
                          awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def html(self):
        """Of the page as it is, whether or not its script may run."""
        root = self.ask("DOM.getDocument", depth=0)["root"]["nodeId"]
        return self.ask("DOM.getOuterHTML", nodeId=root)["outerHTML"]

    def until(self, expression):
        """Poll until it is true."""
        end = time.monotonic() + self.limit_s
        while not self.run(f"!!({expression})"):
            if time.monotonic() > end:
                raise TimeoutError(f"not so after {self.limit_s} s: {expression}")
            time.sleep(0.05)

    def complaints(self):
        """What the console has of errors, refused scripts among them, since the last go()."""
        self.run("0")
        return [e["params"] for e in self.events
                if e.get("method") == "Runtime.exceptionThrown"
                or e.get("method") == "Log.entryAdded" and e["params"]["entry"]["level"] == "error"]

    def look(self, width, height, dark=False):
        """As somebody with such a screen; @height 0: as high as the page."""
        self.ask("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height or 800,
                 deviceScaleFactor=1, mobile=False)
        if not height:
            high = self.run("document.documentElement.scrollHeight")
            self.ask("Emulation.setDeviceMetricsOverride", width=width, height=min(high, 8000),
                     deviceScaleFactor=1, mobile=False)

    def picture(self, path):
        with open(path, "wb") as f:
            f.write(base64.b64decode(self.ask("Page.captureScreenshot", format="png")["data"]))


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    program, page, folder = find(), sys.argv[1], sys.argv[2]
    height = int(sys.argv[3]) if len(sys.argv) == 4 else 0
    if not program:
        print(f"{sys.argv[0]}: no chromium here: apt-get install chromium", file=sys.stderr)
        sys.exit(4)
    if not page.startswith("http://"):
        page = "file://" + os.path.realpath(page)
    os.makedirs(folder, exist_ok=True)
    with Browser(program) as browser:
        browser.go(page)
        for width in (1280, 400):
            for dark in (False, True):
                path = os.path.join(folder, f"{'dark' if dark else 'light'}-{width}.png")
                browser.look(width, height, dark)
                browser.picture(path)
                print(path)


if __name__ == "__main__":
    main()
