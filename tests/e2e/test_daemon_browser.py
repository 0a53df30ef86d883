#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The status page in a browser: test_daemon_browser.py STRESSD. What a person sees who leaves it open:
it changes by itself and is not torn from under the eyes, says so when the daemon is gone, comes back
with it, reads without its script, and fits the screen. Exit 77 without Chromium."""
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "scripts")]
from browser import Browser, find  # noqa: E402
from daemon_lab import LONG, SHORT, Lab, damage  # noqa: E402

TEXT = "document.getElementById('%s').textContent"
STREAMS = 32
OPS = "Number((document.querySelector('data[data-key=\"1.ops\"]') || {value: 0}).value)"
HOSTILE = "<img src=x onerror='document.title=\"owned\"'><script>document.title='owned'</script>"
# What is wider than the screen, but for what scrolls by itself.
TOO_WIDE = "Array.from(document.body.querySelectorAll('*')).filter(" \
           "e => e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))"


class InABrowser(unittest.TestCase):
    def open(self, lab, browser):
        browser.go(f"http://localhost:{lab.port}/")
        browser.until(TEXT % "link" + " === 'live'")

    def test_it_changes_by_itself(self):
        with Lab(PROGRAM) as lab, Browser(find()) as browser:
            self.open(lab, browser)
            browser.run("window.before = document.getElementById('queue')")
            self.assertEqual(browser.run(TEXT % "sentence"), "Nothing is running.")
            lab.submit(lab.scenario(LONG, [damage(2, 500)]))
            browser.until(OPS + " > 0")
            ops = browser.run(OPS)
            browser.until(f"{OPS} > {ops}")
            # What did not change is what it was: nobody is disturbed who reads there.
            self.assertTrue(browser.run("window.before === document.getElementById('queue')"))
            browser.run("window.figure = document.querySelector('data[data-key=\"1.ops\"]')")
            browser.until("document.querySelector('#running .found li')")
            self.assertTrue(browser.run("window.figure.isConnected"))
            self.assertIn("found zeros where", browser.run(TEXT % "running"))
            self.assertRegex(browser.run(TEXT % "sentence"), "1 job is running, with [0-9]+ finding")
            lab.ask(command="cancel", id=1)
            browser.until("document.querySelector('#results #job-1')")
            self.assertFalse(browser.run("!!document.querySelector('#running #job-1')"))
            self.assertEqual(browser.complaints(), [])
            # Its report opens, with its own script at work and nothing refused.
            browser.go(browser.run("document.querySelector('#job-1 a').href"))
            self.assertIn("FAIL", browser.run("document.querySelector('h1').textContent"))
            self.assertTrue(browser.run("!!document.querySelector('.copybox button')"))
            self.assertEqual(browser.complaints(), [])

    def test_a_list_in_the_middle(self):
        """Jobs leave, and come, where others stay."""
        with Lab(PROGRAM) as lab, Browser(find()) as browser:
            lab.submit(lab.scenario(LONG))
            for n in range(5):
                lab.submit(lab.scenario(SHORT), name=f"job{n}")
            self.open(lab, browser)
            ids = "Array.from(document.querySelectorAll('#queue li[id]')).map(e => e.id).join()"
            browser.until(ids + " === 'job-2,job-3,job-4,job-5,job-6'")
            browser.run("window.last = document.getElementById('job-6')")
            for number in (4, 2):
                lab.ask(command="cancel", id=number)
            browser.until(ids + " === 'job-3,job-5,job-6'")
            self.assertTrue(browser.run("window.last === document.getElementById('job-6')"))
            lab.submit(lab.scenario(SHORT), name="late")
            browser.until(ids + " === 'job-3,job-5,job-6,job-7'")
            self.assertIn("late", browser.run(TEXT % "job-7"))
            self.assertEqual(browser.complaints(), [])

    def test_what_was_opened_stays_open(self):
        with Lab(PROGRAM) as lab, Browser(find()) as browser:
            self.open(lab, browser)
            # More findings than are shown at once: in each round another kind of damage.
            noise = damage(0.1, 500)
            lab.submit(lab.scenario(LONG, [noise, {**noise, "count": 2}]))
            browser.until("document.querySelectorAll('#running .found li').length > 3")
            lab.ask(command="cancel", id=1)
            browser.until("document.querySelector('#results details summary')")
            browser.run("document.querySelector('details summary').click()")
            lab.submit(lab.scenario(LONG))
            browser.until("document.querySelector('data[data-key=\"2.ops\"]')")
            self.assertTrue(browser.run("document.querySelector('#results details').open"))

    def test_the_daemon_goes_and_comes_back(self):
        with Lab(PROGRAM) as lab, Browser(find()) as browser:
            self.open(lab, browser)
            lab.stop()
            browser.until(TEXT % "link" + ".includes('does not answer')")
            lab.start()
            browser.until(TEXT % "link" + " === 'live'")
            lab.submit(lab.scenario(SHORT))
            browser.until("document.querySelector('#results #job-1')")

    def test_one_page_too_many_asks_now_and_then(self):
        with Lab(PROGRAM) as lab, Browser(find()) as browser:
            streams = [lab.stream() for _ in range(STREAMS)]
            for s in streams:
                next(s)
            browser.go(f"http://localhost:{lab.port}/")
            browser.until(TEXT % "link" + " === 'every 5 s'")
            lab.submit(lab.scenario(SHORT))
            browser.until("document.querySelector('#results #job-1')")
            for s in streams:
                s.close()

    def test_names_are_text(self):
        with Lab(PROGRAM) as lab, Browser(find()) as browser:
            self.open(lab, browser)
            lab.submit(lab.scenario(SHORT), name=HOSTILE[:200])
            browser.until("document.querySelector('#results #job-1')")
            for _ in range(2):
                self.assertEqual(browser.run("document.querySelector('#job-1 .name').textContent"),
                                 HOSTILE)
                self.assertFalse(browser.run("!!document.querySelector('main img, main script')"))
                self.assertIn("stressd on ", browser.run("document.title"))
                self.assertEqual(browser.complaints(), [])
                self.open(lab, browser)

    def test_it_reads_without_script(self):
        with Lab(PROGRAM) as lab, Browser(find()) as browser:
            lab.submit(lab.scenario(LONG))
            lab.await_state(1, "running")
            browser.ask("Emulation.setScriptExecutionDisabled", value=True)
            browser.go(f"http://localhost:{lab.port}/")
            # Our questions are asked by another way than the page's script.
            self.assertIn("1 job is running", browser.html())
            before = browser.html()
            browser.events.clear()
            browser.wait_for("Page.loadEventFired")  # anew, by itself
            self.assertNotEqual(browser.html(), before)

    def test_it_fits_the_screen(self):
        with Lab(PROGRAM) as lab, Browser(find()) as browser:
            lab.submit(lab.scenario(SHORT), name="x" * 200)
            lab.await_state(1, "finished")
            lab.submit(lab.scenario(LONG, [damage(0.5, 500)]))
            lab.submit(lab.scenario(SHORT), name="word " * 40)
            for width in (1280, 400, 320):
                browser.look(width, 800)
                self.open(lab, browser)
                browser.until("document.querySelector('#running .found li')")
                self.assertEqual(browser.run(TOO_WIDE), [], width)

    def test_light_and_dark_differ(self):
        colour = "getComputedStyle(document.body).backgroundColor"
        with Lab(PROGRAM) as lab, Browser(find()) as browser:
            self.open(lab, browser)
            browser.look(1280, 800, dark=False)
            light = browser.run(colour)
            browser.look(1280, 800, dark=True)
            self.assertNotEqual(browser.run(colour), light)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    if not find():
        sys.exit(77)
    unittest.main()
