# SPDX-License-Identifier: GPL-2.0-or-later
"""What the measuring programs share: a filesystem of their own, runs of stressd and fio, medians,
the table for people and the JSON line for programs. Needs python3, root, mkfs.xfs, util-linux;
fio and stress-ng where they are compared with. Nothing here knows what is measured.
"""
import argparse
import contextlib
import json
import os
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(os.path.dirname(HERE), "build")
SPACE = "BENCH_OWN_NAMESPACE"


def arguments(description, **extra):
    """The options that all programs have; @extra: name=(default, type, help)."""
    p = argparse.ArgumentParser(description=description)
    p.add_argument("--json", action="store_true", help="one JSON object as the last line")
    p.add_argument("--build", default=BUILD, metavar="DIR", help="where stressd was built")
    for name, (default, kind, text) in extra.items():
        p.add_argument("--" + name.replace("_", "-"), default=default, type=kind,
                       help=f"{text} (default {default})")
    return p.parse_args()


def give_up(why, status=3):
    print(f"{os.path.basename(sys.argv[0])}: {why}", file=sys.stderr)
    sys.exit(status)


def need(*programs):
    """End with status 4, as stressd does, when this machine lacks one of them."""
    lacking = [p for p in programs if not shutil.which(p)]
    if lacking:
        give_up(f"not installed: {', '.join(lacking)}; install them and run this again", 4)


def seconds(text):
    """'60', '90s', '5m', '1h' as seconds."""
    m = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text)
    if not m:
        raise argparse.ArgumentTypeError(f"{text}: expected a time such as 60s, 5m or 1h")
    return float(m[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[m[2]]


def own_namespace():
    """Start again in a mount namespace of our own: its mounts go with the last process in it,
    also when that is killed, and with the mount go its loop device and the unlinked image."""
    if os.geteuid() != 0:
        give_up("must be root: it mounts a filesystem of its own", 4)
    if SPACE not in os.environ:
        need("unshare")
        os.environ[SPACE] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable,
                              *sys.argv])


@contextlib.contextmanager
def filesystem(size="3G"):
    """XFS on a loop device over tmpfs; gives the directory of the mount."""
    own_namespace()
    need("mkfs.xfs", "mount", "umount")
    for sig in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sig, lambda *_: sys.exit(3))
    with tempfile.TemporaryDirectory(prefix="stressd-bench.", dir="/dev/shm") as top:
        image, mnt = os.path.join(top, "image"), os.path.join(top, "mnt")
        os.mkdir(mnt)
        run(["truncate", "-s", size, image])
        run(["mkfs.xfs", "-q", image])
        run(["mount", "-o", "loop,discard", image, mnt])  # deleted files leave memory
        os.unlink(image)
        try:
            yield mnt
        finally:
            # Lazily: who was killed in the middle may still have files open for a moment.
            run(["umount", "--lazy", mnt])


def run(argv, **kw):
    p = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **kw)
    if p.returncode:
        give_up(f"{' '.join(argv)}: exit {p.returncode}\n{p.stdout}{p.stderr}")
    return p.stdout


def scenario(mnt, cell, size, workers, seconds_, inline=False, final=False, layout="written"):
    """Nothing but the workers: no periodic check, and warnings that others cause are no result."""
    return {"version": 1, "name": "bench", "seed": 1, "duration": f"{int(seconds_ * 1000)}ms",
            "stop_on": "never", "target": {"type": "directory", "path": mnt},
            "files": [{"name": "data", "size": size, "cell": cell, "layout": layout}],
            "workers": workers, "kernel_log": {"fail_at": "never"},
            "verify": {"inline": inline, "final": final, "layers": ["cache"], "fsck": False}}


def prepare(top, sc):
    """The scenario as a file and a state directory below @top; gives argv and environment."""
    path, rundir = os.path.join(top, "scenario.json"), os.path.join(top, "run")
    shutil.rmtree(rundir, ignore_errors=True)
    with open(path, "w", encoding="utf-8") as f:
        json.dump(sc, f)
    return (["run", "--quiet", "--run-dir", rundir, path],
            dict(os.environ, STRESSD_STATE_DIR=os.path.join(top, "state")), rundir)


def stressd(build, sc):
    """Run it; gives result.json. A finding ends the measurement: its numbers would be worthless."""
    with tempfile.TemporaryDirectory(prefix="stressd-bench.", dir="/dev/shm") as top:
        argv, env, rundir = prepare(top, sc)
        run([os.path.join(build, "stressd"), *argv], env=env)
        with open(os.path.join(rundir, "result.json"), encoding="utf-8") as f:
            return json.load(f)


def workers_of(result):
    """Operations, bytes and CPU seconds of all workers together."""
    w = result["counts"]["workers"]
    return tuple(sum(x[k] for x in w) for k in ("ops", "bytes", "cpu_s"))


def fio(path, rw, bs, size, seconds_, jobs, *more):
    """One fio run on a file that is made anew; gives operations, bytes, CPU seconds, all jobs. The
    file is written in large pieces, as stressd lays its files out: the page cache keeps them in
    large folios, and both sides find the same."""
    need("fio")
    size_mib = size >> 20
    run(["dd", "if=/dev/zero", f"of={path}", "bs=1M", f"count={size_mib}", "status=none"])
    out = run(["fio", "--name=bench", f"--filename={path}", f"--rw={rw}", f"--bs={bs}",
               f"--size={size_mib}m", "--ioengine=psync", "--time_based", "--invalidate=0",
               f"--runtime={int(seconds_ * 1000)}ms", f"--numjobs={jobs}", "--output-format=json",
               "--verify_state_save=0", *more])
    os.unlink(path)
    ops = nbytes = cpu = 0
    for j in json.loads(out[out.index("{"):])["jobs"]:
        d = j["write" if "write" in rw else "read"]
        ops += d["total_ios"]
        nbytes += d["io_bytes"]
        cpu += (j["usr_cpu"] + j["sys_cpu"]) / 100 * j["job_runtime"] / 1000
    return ops, nbytes, cpu


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values),
            "n": len(values)}


def ratio(samples, a, b):
    return round(samples[a]["median"] / samples[b]["median"], 3)


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        model = re.search(r"model name\s*: (.*)", f.read())
    with open("/proc/loadavg", encoding="utf-8") as f:
        load = float(f.read().split()[0])
    return {"kernel": platform.release(), "cpu": model[1] if model else platform.machine(),
            "cpus": os.cpu_count(), "load_at_end": load}


def number(v):
    return f"{v:,.0f}" if abs(v) >= 1000 else f"{v:.4g}"


def show(title, unit, samples, notes=()):
    """Rows of {name: spread()}."""
    print(f"{title} ({unit})")
    print(f"  {'':34}{'median':>14}{'min':>14}{'max':>14}")
    for name, s in samples.items():
        print(f"  {name:34}{number(s['median']):>14}{number(s['min']):>14}{number(s['max']):>14}")
    for line in notes:
        print("  " + line)
    print(flush=True)


def finish(args, bench, result):
    m = machine()
    print(f"{m['cpu']}, {m['cpus']} CPUs, Linux {m['kernel']}, load {m['load_at_end']}")
    if args.json:
        print(json.dumps({"bench": bench, "version": 1, "machine": m, **result}))
