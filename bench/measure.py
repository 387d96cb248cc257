"""Measuring from outside: load by wrk, CPU of a process tree and its memory from /proc."""

import contextlib
import http.client
import os
import re
import subprocess
import time
from pathlib import Path

from msgspec import Struct

_TICK = os.sysconf("SC_CLK_TCK")
_SETTLE_SECONDS = 0.8  # what a target writes in batches after the load belongs to its cost
_UNITS_MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}
_LUA = Path(__file__).parent / "rotate.lua"


class Slice(Struct, frozen=True):
    """One slice of load. CPU is that of the target's whole process tree, per request, in microseconds."""

    requests: int
    cpu_us: float
    req_s: float
    p50_ms: float
    p99_ms: float


class WrongAnswerError(Exception):
    """A target did not answer what it should; a figure would mean nothing."""


def tree_of(pid: int) -> list[int]:
    """The process and all below it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                stat = (entry / "stat").read_text()
                parent = int(stat.rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting += children.get(one, [])
    return found


def cpu_seconds(pid: int) -> float:
    """User and system time of the process tree, ended threads included."""
    total = 0
    for one in tree_of(pid):
        with contextlib.suppress(OSError, IndexError):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total / _TICK


def memory_mb(pid: int) -> float:
    """Proportional set size of the process tree, in MB."""
    total = 0
    for one in tree_of(pid):
        with contextlib.suppress(OSError):
            match = re.search(
                r"^Pss:\s+(\d+) kB", Path(f"/proc/{one}/smaps_rollup").read_text(), re.MULTILINE
            )
            total += int(match[1]) if match else 0
    return total / 1024


def fetch(port: int, path: str, token: str = "") -> tuple[int, bytes]:
    """One request, to see that a target answers what it should."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def load(port: int, requests: Path, pid: int, *, connections: int, seconds: float) -> Slice:
    """One slice: wrk with one thread. Raises WrongAnswerError when any answer was not 2xx or a socket failed."""
    before = cpu_seconds(pid)
    done = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--latency", "-s", str(_LUA), f"http://127.0.0.1:{port}", "--", str(requests)],
        capture_output=True, text=True, check=False, timeout=seconds + 30,
    )  # fmt: skip
    time.sleep(_SETTLE_SECONDS)
    used = cpu_seconds(pid) - before
    return parse(done.stdout + done.stderr, used)


def parse(text: str, cpu: float) -> Slice:
    """wrk's report. The percentile lines stand after "Latency Distribution" and hold nothing else; a report without
    them is an error, never a zero (wrk's "+/- Stdev" column holds percent signs too)."""
    if "Non-2xx" in text or "Socket errors" in text:
        raise WrongAnswerError(text)
    _, found, distribution = text.partition("Latency Distribution")
    count = re.search(r"^\s*(\d+) requests in ([\d.]+)(us|ms|s|m),", text, re.MULTILINE)
    rate = re.search(r"^Requests/sec:\s+([\d.]+)\s*$", text, re.MULTILINE)
    if not found or count is None or rate is None or int(count[1]) == 0:
        raise WrongAnswerError(text)
    return Slice(
        requests=int(count[1]),
        cpu_us=cpu / int(count[1]) * 1e6,
        req_s=float(rate[1]),
        p50_ms=_percentile(distribution, "50"),
        p99_ms=_percentile(distribution, "99"),
    )


def _percentile(distribution: str, share: str) -> float:
    match = re.search(rf"^\s+{share}%\s+([\d.]+)(us|ms|s)\s*$", distribution, re.MULTILINE)
    if match is None:
        raise WrongAnswerError(distribution)
    return float(match[1]) * _UNITS_MS[match[2]]
