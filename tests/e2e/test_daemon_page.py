#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The status page from outside: test_daemon_page.py STRESSD. What is on it is held against the
daemon's own `status`, `watch` and run directories; and it is asked for in every wrong way."""
import contextlib
import json
import os
import re
import resource
import select
import socket
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "unit")]
from check_page import as_shown  # noqa: E402
from daemon_lab import LIMIT, LONG, SHORT, Lab, Reply, damage, until  # noqa: E402
from html.parser import HTMLParser  # noqa: E402

EVIL = "<script>alert(1)</script>\"'&amp;</main>\r\ndata: x\n\n\x1b[31m\u202e"
CONNECTIONS = 1000
SERVED = 64
STREAMS = 32
VOID = {"meta", "link", "progress"}


class Page(HTMLParser):
    """Sections, their jobs with all text, numbers, links, and the elements that there are. Fails for
    elements that are not closed in order."""

    def __init__(self, html):
        super().__init__()
        self.jobs, self.numbers, self.links, self.tags, self.open = {}, {}, [], [], []
        self.section = self.job = None
        self.sentence = ""
        self.feed(html)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        self.tags.append((tag, a))
        if tag == "section":
            self.section = a["id"]
            self.jobs[self.section] = {}
        if a.get("id", "").startswith("job-"):
            self.job = int(a["id"][4:])
            assert self.job not in self.jobs[self.section]
            self.jobs[self.section][self.job] = ""
        if tag == "data":
            self.numbers[a["data-key"]] = int(a["value"])
        if tag == "a":
            self.links.append(a["href"])
        if tag not in VOID:
            self.open.append((tag, a.get("id")))

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        opened, name = self.open.pop()
        assert opened == tag, (opened, tag)
        if name == f"job-{self.job}":
            self.job = None

    def handle_data(self, data):
        if self.job is not None:
            self.jobs[self.section][self.job] += data
        if self.open and self.open[-1] == ("p", "sentence"):
            self.sentence += data


SECTION_OF = {"queued": "queue", "running": "running"}


def section_of(job):
    ended = "nights" if "matrix" in job["spec"] and job["spec"]["matrix"] else "results"
    return SECTION_OF.get(job["state"], ended)


def status_of(pid, key):
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        return int(re.search(rf"^{key}:\s+(\d+)", f.read(), re.M)[1])


def growth_kib(pid):
    """That is no leak; AddressSanitizer keeps what was freed, up to 256 MB of it."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as f:
        return (512 if "libasan" in f.read() else 32) * 1024


class OnThePage(unittest.TestCase):
    """What is on it is so."""

    def test_an_empty_one_says_so(self):
        with Lab(PROGRAM) as lab:
            r = lab.get("/")
            page = Page(r.text)
        self.assertEqual(r.status, 200)
        self.assertEqual(page.sentence, "Nothing is running.")
        self.assertEqual(page.jobs, {"running": {}, "queue": {}, "results": {}})
        self.assertIn("text/html", r.headers["content-type"])
        policy = r.headers["content-security-policy"]
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("unsafe", policy)
        self.assertIn("frame-ancestors 'none'", policy)
        self.assertEqual(r.headers["x-content-type-options"], "nosniff")
        self.assertNotIn("access-control-allow-origin", r.headers)

    def test_jobs_are_where_status_has_them(self):
        with Lab(PROGRAM) as lab:
            for how, name in ((SHORT, "first"), (LONG, "second"), (SHORT, EVIL), (SHORT, "fourth")):
                lab.submit(lab.scenario(how), name=name)
            lab.await_state(2, "running")
            page, jobs = Page(lab.get("/").text), lab.jobs()
            self.assertEqual({j["id"]: section_of(j) for j in jobs},
                             {n: s for s, ids in page.jobs.items() for n in ids})
            for job in jobs:
                self.assertIn(as_shown(job["spec"]["name"]), page.jobs[section_of(job)][job["id"]])
            self.assertEqual(list(page.jobs["queue"]), [3, 4])
            self.assertIn("PASS", page.jobs["results"][1])
            self.assertRegex(page.sentence, "^1 job is running, nothing was found so far; 2 wait")
            scripts = [a for tag, a in page.tags if tag == "script"]
            self.assertEqual([a["src"] for a in scripts], ["/script.js"])
            self.assertFalse([a for _, a in page.tags if any(k.startswith("on") for k in a)])
            # Cancelled, it moves.
            lab.ask(command="cancel", id=4)
            self.assertIn("CANCELLED", Page(lab.get("/").text).jobs["results"][4])

    def test_figures_are_those_of_watch(self):
        with Lab(PROGRAM) as lab, lab.lines(command="watch") as watch:
            lab.submit(lab.scenario(LONG))
            for _ in range(3):
                before = watch.next(type="progress", id=1)
                page = Page(lab.get("/").text)
                after = watch.next(type="progress", id=1)
                self.assertLessEqual(before["ops"], page.numbers["1.ops"])
                self.assertLessEqual(page.numbers["1.ops"], after["ops"])
                self.assertLess(before["ops"], after["ops"])
                self.assertIn(page.numbers["1.ops_per_s"],
                              (before["ops_per_s"], after["ops_per_s"]))

    def test_who_does_not_want_them_gets_no_figures(self):
        with Lab(PROGRAM) as lab, lab.lines(command="watch", live=False) as quiet, \
                lab.lines(command="watch") as watch:
            number = lab.submit(lab.scenario(LONG))
            watch.next(type="progress")
            watch.next(type="progress")
            lab.ask(command="cancel", id=number)
            types = [quiet.next()["type"]]
            while (line := quiet.next())["job"]["state"] != "cancelled":
                types.append(line["type"])
        self.assertEqual(set(types), {"result", "event"})

    def test_it_is_told_of_news_as_they_come(self):
        with Lab(PROGRAM) as lab, lab.lines(command="watch") as watch:
            stream = lab.stream()
            self.assertEqual(Page(next(stream)).sentence, "Nothing is running.")
            lab.submit(lab.scenario(LONG, [damage(1, 500)]))
            seen = []
            while len(set(seen)) < 3:
                seen.append(Page(next(stream)).numbers.get("1.ops", 0))
            self.assertEqual(seen, sorted(seen))
            # It was there before the stream, or it comes with it.
            finding = watch.next(type="finding", id=1)
            while not (page := Page(next(stream))).numbers.get("1.findings"):
                pass
            self.assertIn(finding["sentence"], page.jobs["running"][1])
            self.assertIn(f"{finding['kind']} ", page.jobs["running"][1])
            self.assertEqual(lab.job(1)["state"], "running")
            self.assertRegex(page.sentence, r"with \d+ findings? so far")
            lab.ask(command="cancel", id=1)
            while 1 not in (page := Page(next(stream))).jobs["results"]:
                pass
            self.assertIn("FAIL", page.jobs["results"][1])
            stream.close()

    def test_a_finding_is_said_and_its_report_is_there(self):
        with Lab(PROGRAM) as lab:
            hit = {"stop_on": "hit", "duration": "10m"}
            lab.submit(lab.scenario(hit, [damage(0.2, 500)]))
            lab.await_state(1, "finished")
            self.check_finding(lab)
            # Another daemon knows of it by what is on disk.
            lab.stop()
            lab.start()
            until(lambda: "zeroed" in Page(lab.get("/").text).jobs["results"][1], "it is recalled")
            self.check_finding(lab)

    def check_finding(self, lab):
        with open(lab.run_dir(1) + "/report.html", "rb") as f:
            report = f.read()
        job, page = lab.job(1), Page(lab.get("/").text)
        self.assertEqual(job["exit"], 1)
        self.assertIn("FAIL", page.jobs["results"][1])
        self.assertIn(job["said"], page.jobs["results"][1])
        self.assertRegex(job["said"], "^data cell .* found zeros where .* must be")
        self.assertEqual(page.links, ["/jobs/1/report.html"])
        r = lab.get(page.links[0])
        self.assertEqual(r.status, 200)
        self.assertEqual(r.body, report)
        self.assertIn("sandbox", r.headers["content-security-policy"])
        self.assertEqual(lab.get("/jobs/1/result.json").headers["content-type"], "application/json")


    def test_a_night_has_its_page(self):
        with Lab(PROGRAM) as lab, lab.lines(command="watch") as watch:
            hit = {"stop_on": "hit", "duration": "1m"}
            for name, how, more in (("quiet", SHORT, []), ("loud", hit, [damage(0.2, 200)])):
                with open(f"{lab.dir}/{name}.json", "w", encoding="utf-8") as f:
                    json.dump({**lab.scenario(how, more), "name": name}, f)
            with open(lab.dir + "/matrix.json", "w", encoding="utf-8") as f:
                json.dump({"version": 1, "name": "both", "kernels": [{"name": "native"}],
                           "scenarios": ["quiet.json", "loud.json"]}, f)
            lab.ask(command="submit", matrix=lab.dir + "/matrix.json", night="tonight")
            cells = [watch.next(type="cell", id=1) for _ in range(4)]
            self.assertEqual([c["state"] for c in cells], ["running", "finished"] * 2)
            lab.await_state(1, "finished")
            until(lambda: lab.job(1)["stored"], "it is stored")
            page = Page(lab.get("/").text)
            self.assertEqual(lab.job(1)["said"],
                             "2 cells: 1 with findings, 1 passed, 0 skipped, 0 incomplete, 0 left")
            for text in ("FAIL", "both", "tonight", lab.job(1)["said"], "loud on "):
                self.assertIn(text, page.jobs["nights"][1])
            self.assertEqual(page.links, ["/jobs/1/night.html"])
            night = lab.get(page.links[0])
            self.assertIn("loud", night.text)
            reports = set(re.findall(r'href="(cells/[^"]*/report.html)"', night.text))
            self.assertEqual(len(reports), 2)
            for report in reports:
                self.assertEqual(lab.get("/jobs/1/" + report).status, 200)


class Hostile(unittest.TestCase):
    """Whoever asks, however: one answer, and it goes on."""

    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(PROGRAM)
        cls.lab.submit(cls.lab.scenario(SHORT))
        cls.lab.await_state(1, "finished")

    @classmethod
    def tearDownClass(cls):
        cls.lab.__exit__()

    def tearDown(self):
        self.assertEqual(self.lab.get("/").status, 200)

    def test_only_this_machine_s_names(self):
        port = self.lab.port
        for host in ("localhost", f"localhost:{port}", "LocalHost:1", f"127.0.0.1:{port}", "[::1]:8"):
            self.assertEqual(self.lab.get("/", host).status, 200, host)
        for host in ("evil.example", f"evil.example:{port}", "localhost.evil.example", "127.0.0.2",
                     "localhost:", "localhost:1x", "localhost@evil.example", "0.0.0.0", "127.0.0.1.x",
                     "localhost, evil.example", "[::1", " "):
            expected = {400, 421} if host in (" ", "localhost:") else {421}
            if host != "localhost:":
                self.assertIn(self.lab.get("/", host).status, expected, host)
        for path in ("/", "/live", "/style.css", "/jobs/1/report.html", "/nothing"):
            r = self.lab.get(path, "evil.example")
            self.assertEqual(r.status, 421, path)
            self.assertNotIn("small", r.text)
        two = b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n"
        self.assertIn(self.lab.send(two).status, (400, 421))
        self.assertEqual(self.lab.send(b"GET / HTTP/1.1\r\n\r\n").status, 400)
        self.assertEqual(self.lab.send(b"GET / HTTP/1.0\r\n\r\n").status, 421)

    def test_it_is_only_to_be_read(self):
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", "X"):
            r = self.lab.get("/", method=method, more="Content-Length: 0\r\n")
            self.assertIn(r.status, (400, 405), method)
            if r.status == 405:
                self.assertEqual(r.headers["allow"], "GET, HEAD")
        body = "Content-Length: 1000000\r\n"
        self.assertEqual(self.lab.get("/", method="POST", more=body).status, 405)
        self.assertEqual(len(self.lab.jobs()), 1)

    def test_head_is_get_without_the_body(self):
        for path in ("/", "/style.css", "/script.js", "/jobs/1/report.html", "/nothing"):
            get, head = self.lab.get(path), self.lab.get(path, method="HEAD")
            self.assertEqual(head.body, b"")
            self.assertEqual(head.status, get.status)
            self.assertEqual(set(head.headers), set(get.headers))
            if path != "/":
                self.assertEqual(head.headers["content-length"], str(len(get.body)))
        self.assertEqual(self.lab.get("/live", method="HEAD").status, 200)

    def test_nothing_but_reports_of_jobs(self):
        run = self.lab.run_dir(1)
        os.symlink("/etc/passwd", run + "/link.html")
        os.symlink("/etc", run + "/etc")
        os.symlink("result.json", run + "/inner.json")
        os.mkfifo(run + "/pipe.html")
        os.mkdir(run + "/dir.html")
        with open(run + "/secret", "w", encoding="utf-8") as f:
            f.write("x")
        for path in ("/jobs/1/link.html", "/jobs/1/inner.json", "/jobs/1/etc/os-release", "/jobs/1/etc/lsb-release.txt",
                     "/jobs/1/pipe.html", "/jobs/1/dir.html", "/jobs/1/secret", "/jobs/1/", "/jobs/1",
                     "/jobs/", "/jobs/2/report.html", "/jobs/0/report.html", "/jobs/01x/report.html",
                     "/jobs/-1/report.html", "/jobs/18446744073709551617/report.html",
                     "/jobs/1/../../jobs/1.json", "/jobs/1/../1-1/../../jobs/1.json",
                     "/jobs/1/%2e%2e/%2e%2e/jobs/1.json", "/jobs/1/..%2f..%2fjobs%2f1.json",
                     "/jobs/1//etc/x.html", "/jobs/1/report.html/x.html",
                     "/jobs/1/x%0d%0aSet-Cookie:a=b.html", "//etc/passwd", "/../etc/passwd",
                     "/etc/passwd", "/index.html", "*", "http://localhost/", "/LIVE", "/live/"):
            r = self.lab.get(path)
            self.assertIn(r.status, (400, 404), path)
            self.assertNotIn("set-cookie", r.headers)
            self.assertNotIn("root:", r.text)
        self.assertEqual(self.lab.get("/jobs/1/report.html").status, 200)
        self.assertEqual(self.lab.get("/?x=../../etc/passwd").status, 200)

    def test_headers_have_a_limit(self):
        for more in ("X: " + "x" * 70000 + "\r\n", "X: y\r\n" * 20000, "Cookie: " + "a=b; " * 10000):
            self.assertIn(self.lab.get("/", more=more).status, (400, 413, 431, None))
        self.assertIn(self.lab.get("/" + "x" * 100000).status, (400, 404, 414, 431, None))

    def test_garbage(self):
        for raw in (b"\0" * 1000 + b"\r\n\r\n", b"GET\r\n\r\n", b"GET /\r\n\r\n", b"\xff\xfe\r\n\r\n",
                    b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n", b"\r\n" * 1000 + b"x\r\n\r\n",
                    b"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n",
                    b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
                    b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + b"\0" * 200):
            with self.lab.connect() as s:
                s.sendall(raw)
                s.shutdown(socket.SHUT_WR)
                with contextlib.suppress(ConnectionResetError):
                    while s.recv(1 << 16):
                        pass

    def test_half_a_request_ends(self):
        with self.lab.connect() as s:
            s.sendall(b"GET / HTTP/1.1\r\nHost: loc")
            begun = time.monotonic()
            self.assertIn(b"408" if (got := s.recv(1000)) else b"", got)
            self.assertLess(time.monotonic() - begun, 30)

    def test_a_request_in_pieces_is_one(self):
        with self.lab.connect() as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for byte in b"GET /style.css HTTP/1.1\r\nHost: localhost\r\n\r\n":
                s.sendall(bytes([byte]))
            self.assertEqual(Reply(s.recv(1 << 16)).status, 200)


class Many(unittest.TestCase):
    def test_a_thousand_connections(self):
        path = f"/tmp/stressd-page-notify.{os.getpid()}"
        resource.setrlimit(resource.RLIMIT_NOFILE, (3 * CONNECTIONS, resource.getrlimit(
            resource.RLIMIT_NOFILE)[1]))
        with contextlib.ExitStack() as stack:
            notify = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
            notify.bind(path)
            stack.callback(os.unlink, path)
            notify.setblocking(False)
            lab = stack.enter_context(Lab(PROGRAM, env={"NOTIFY_SOCKET": path,
                                                        "WATCHDOG_USEC": "900000"}))
            before, fds = status_of(lab.process.pid, "VmRSS"), len(
                os.listdir(f"/proc/{lab.process.pid}/fd"))
            crowd = [stack.enter_context(socket.socket()) for _ in range(CONNECTIONS)]
            for s in crowd:
                s.setblocking(False)
                s.connect_ex(("127.0.0.1", lab.port))
            for s in crowd[::2]:
                with contextlib.suppress(OSError):
                    s.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n")  # and no end of it
            # The queue does not care, and its keeper is told so.
            lab.submit(lab.scenario(SHORT))
            lab.await_state(1, "finished")
            with contextlib.suppress(BlockingIOError):
                while notify.recv(4096):
                    pass
            for _ in range(3):
                while b"WATCHDOG=1" not in self.hear(notify):
                    pass
            self.assertLess(status_of(lab.process.pid, "VmRSS"), before + growth_kib(lab.process.pid))
            self.assertLessEqual(len(os.listdir(f"/proc/{lab.process.pid}/fd")), fds + SERVED + 1)
            for s in crowd:
                s.close()
            self.assertEqual(lab.get("/").status, 200)

    @staticmethod
    def hear(notify):
        assert select.select([notify], [], [], LIMIT)[0], "the service manager is not told any more"
        return notify.recv(4096)

    def test_streams_have_a_limit_and_come_free(self):
        with Lab(PROGRAM) as lab:
            streams = [lab.stream() for _ in range(STREAMS)]
            for s in streams:
                self.assertIn("Nothing is running", next(s))
            self.assertEqual(lab.get("/live").status, 503)
            self.assertEqual(lab.get("/").status, 200)
            for s in streams:
                s.close()

            def one_more():
                with lab.connect() as s:
                    s.sendall(b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    return b" 200 " in s.recv(20)
            until(one_more, "there is room again")

    def test_who_does_not_read_costs_nothing(self):
        with Lab(PROGRAM) as lab, contextlib.ExitStack() as stack:
            for n in range(100):
                lab.submit(lab.scenario(LONG), name=f"{n:03}" + "&" * 190)
            before = status_of(lab.process.pid, "VmRSS")
            lazy = [stack.enter_context(lab.connect()) for _ in range(STREAMS)]
            for s in lazy:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                s.sendall(b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            with lab.lines(command="watch") as watch:
                for n in range(100, 1, -1):
                    lab.ask(command="cancel", id=n)
                for _ in range(4):
                    watch.next(type="progress")
            self.assertLess(status_of(lab.process.pid, "VmRSS"), before + growth_kib(lab.process.pid))
            self.assertEqual(lab.get("/").status, 200)


class Service(unittest.TestCase):
    def listeners(self, pid):
        """Local addresses of the TCP sockets that a process listens on, as the kernel has them."""
        inodes = set()
        for fd in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                inodes.update(re.findall(r"socket:\[(\d+)\]", os.readlink(f"/proc/{pid}/fd/{fd}")))
        rows = []
        for name in ("tcp", "tcp6"):
            with contextlib.suppress(OSError), open(f"/proc/net/{name}", encoding="utf-8") as f:
                rows += [line.split() for line in f][1:]
        return [row[1] for row in rows if row[3] == "0A" and row[9] in inodes]

    def test_on_loopback_and_nowhere_else(self):
        with Lab(PROGRAM) as lab:
            address = f"{int.from_bytes(socket.inet_aton('127.0.0.1'), sys.byteorder):08X}"
            self.assertEqual(self.listeners(lab.process.pid), [f"{address}:{lab.port:04X}"])
            self.assertIn(f"the status page is at http://127.0.0.1:{lab.port}/", lab.log())

    def test_nobody_asked_for_it(self):
        with Lab(PROGRAM, page=False) as lab:
            self.assertEqual(self.listeners(lab.process.pid), [])
            with open(f"/proc/{lab.process.pid}/maps", encoding="utf-8") as f:
                self.assertNotIn("microhttpd", f.read())

    def test_a_port_that_is_taken_keeps_nobody_waiting(self):
        with Lab(PROGRAM) as lab:
            lab.stop()
            with socket.socket() as other:
                other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                other.bind(("127.0.0.1", lab.port))
                other.listen()
                lab.start()
                lab.submit(lab.scenario(SHORT))
                lab.await_state(1, "finished")
                self.assertEqual(lab.log().count("Address already in use; tried again"), 1)
            until(lambda: "the status page is at" in lab.log().split("in use")[1], "it is there now")
            self.assertEqual(lab.get("/").status, 200)

    def test_without_the_library_there_is_a_queue(self):
        with tempfile.TemporaryDirectory() as none:
            with open(none + "/libmicrohttpd.so.12", "w", encoding="utf-8"):
                pass  # found first, and no library
            with Lab(PROGRAM, env={"LD_LIBRARY_PATH": none}) as lab:
                lab.submit(lab.scenario(SHORT))
                lab.await_state(1, "finished")
                self.assertEqual(lab.log().count("install libmicrohttpd"), 1)
                self.assertEqual(self.listeners(lab.process.pid), [])

    def test_it_ends_with_the_daemon(self):
        with Lab(PROGRAM) as lab:
            streams = [lab.stream() for _ in range(5)]
            for s in streams:
                next(s)
            lab.stop()
            for s in streams:
                self.assertEqual(list(s), [])
            with self.assertRaises(OSError):
                lab.connect()


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main()
