# SPDX-License-Identifier: GPL-2.0-or-later
"""A daemon with a status page, for tests: started with a state directory of its own, spoken to over
its socket and over HTTP with nothing but sockets, so that a test decides about every byte."""
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

LIMIT = 60.0


def until(ok, what, limit=LIMIT):
    """Poll until ok() is true; its answer."""
    end = time.monotonic() + limit
    while not (answer := ok()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {limit} s: {what}")
        time.sleep(0.01)
    return answer


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Reply:
    """What came back, taken apart by hand."""

    def __init__(self, raw):
        self.raw = raw
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1]) if len(lines[0].split()) > 1 else None
        self.headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            self.headers[name.lower()] = value.strip()
        self.text = self.body.decode("utf-8", "replace")


class Lines:
    """The daemon's own protocol: a request, and the lines that follow."""

    def __init__(self, path, **request):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(LIMIT)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")
        self.socket.sendall(json.dumps(request).encode() + b"\n")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def next(self, **wanted):
        """The next line that has these values."""
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            line = json.loads(self.file.readline())
            if all(line.get(k) == v for k, v in wanted.items()):
                return line
        raise AssertionError(f"not within {LIMIT} s: a line with {wanted}")


class Lab:
    def __init__(self, program, page=True, env=None, **keys):
        shm = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
        self.program, self.dir = program, tempfile.mkdtemp(prefix="stressd-page.", dir=shm)
        self.socket, self.port = self.dir + "/socket", free_port()
        self.state = self.dir + "/state"
        config = {"version": 1, "socket": self.socket, **keys}
        if page:
            config["page"] = self.port
        os.mkdir(self.state)
        with open(self.dir + "/config.json", "w", encoding="utf-8") as f:
            json.dump(config, f)
        self.env = {**os.environ, "STRESSD_STATE_DIR": self.state, **(env or {})}
        self.said = open(self.dir + "/said", "w+b")  # pylint: disable=consider-using-with
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [self.program, "daemon", "--config", self.dir + "/config.json"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.said, env=self.env)
        until(self.listens, "the daemon listens")

    def listens(self):
        with contextlib.suppress(OSError):
            return self.ask(command="status", limit=0)
        return None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()
        self.said.close()
        shutil.rmtree(self.dir)

    def stop(self):
        """In order; a sanitizer's complaint is an exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(LIMIT)
        assert status == 0, f"exit status {status}: {self.log()}"

    def log(self):
        with open(self.dir + "/said", encoding="utf-8") as f:
            return f.read()

    def lines(self, **request):
        return Lines(self.socket, **request)

    def ask(self, **request):
        """All lines of an answer."""
        rows = []
        with self.lines(**request) as c:
            while not rows or rows[-1]["type"] not in ("result", "error"):
                rows.append(c.next())
        assert rows[-1]["type"] == "result", rows[-1]
        return rows

    def jobs(self):
        return [row["job"] for row in self.ask(command="status", limit=1000)[:-1]]

    def job(self, number):
        return self.ask(command="status", id=number)[-1]["job"]

    def await_state(self, number, state):
        until(lambda: self.job(number)["state"] == state, f"job {number} is {state}")

    def scenario(self, how_long, workers=()):
        """Without rights; writers and readers, and what else is wanted beside them."""
        return {"version": 1, "name": "small", **how_long, "kernel_log": {"fail_at": "never"},
                "files": [{"name": "data", "size": "256K"}],
                "target": {"type": "directory", "path": self.dir},
                "verify": {"layers": ["cache"]},
                "workers": [{"type": "buffered_writer", "file": "data"},
                            {"type": "reader", "file": "data"}, *workers]}

    def submit(self, scenario, **keys):
        return self.ask(command="submit", scenario=scenario, **keys)[-1]["job"]["id"]

    def run_dir(self, number):
        return f"{self.state}/daemon/runs/{number}-{self.job(number)['attempt']}"

    def connect(self):
        s = socket.create_connection(("127.0.0.1", self.port), LIMIT)
        s.settimeout(LIMIT)
        return s

    def send(self, raw):
        """These bytes; all that comes until the daemon closes."""
        with self.connect() as s:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                s.sendall(raw)
            got = b""
            with contextlib.suppress(ConnectionResetError):
                while more := s.recv(1 << 16):
                    got += more
            return Reply(got)

    def get(self, path, host=None, method="GET", more=""):
        host = host or f"localhost:{self.port}"
        return self.send(f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n".encode())

    def stream(self):
        """The events of the page, as they come: the HTML of each."""
        with self.connect() as s:
            s.sendall(f"GET /live HTTP/1.1\r\nHost: localhost:{self.port}\r\n\r\n".encode())
            f = s.makefile("rb")
            while f.readline() not in (b"\r\n", b""):
                pass
            text = b""
            while size := int(f.readline() or b"0", 16):  # chunked: RFC 9112, 7.1
                text += f.read(size)
                f.readline()
                while b"\n\n" in text:
                    event, text = text.split(b"\n\n", 1)
                    if event.startswith(b"event: page\n"):
                        lines = event.decode().split("\n")[1:]
                        assert all(line.startswith("data: ") for line in lines), lines
                        yield "\n".join(line[6:] for line in lines)


SHORT = {"stop_on": {"attempts": 20}, "duration": "1m"}
LONG = {"stop_on": "never", "duration": "10m"}


def damage(after_s, times=1):
    """A worker that overwrites what the others wrote. They may do so to it before anybody has
    looked: once is not always enough."""
    script = f"i=0; while [ $i -lt {times} ]; do sleep {after_s}; i=$((i + 1)); " \
             "dd if=/dev/zero of=data bs=64K count=1 seek=$((i % 4)) conv=notrunc 2>/dev/null; done"
    return {"type": "exec", "options": {"program": ["sh", "-c", script]}}
