"""Counters of one process, in the Prometheus text format.

Plain dictionaries: an observation costs a fraction of a microsecond. Labels come from contracts and from this
code, never from what a client sends, so their number is bounded.
"""

from bisect import bisect_left
from collections.abc import Callable
from typing import Any

_BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0)
_HELP = {
    "kaimen_requests_total": "Operation calls by service, operation, status and the step that refused.",
    "kaimen_problems_total": "Refusals and failures by problem type.",
    "kaimen_quota_refusals_total": "Calls refused by quota, by plan.",
    "kaimen_gateway_seconds": "Time of a call outside the department's system.",
    "kaimen_upstream_seconds": "Time of a call inside the department's system.",
    "kaimen_upstream_attempts_total": "Attempts at a department's system beyond the first.",
    "kaimen_log_rows_dropped_total": "Rows of the request log dropped while the store was away.",
    "kaimen_record_failures_total": "Writes of the request log that failed and are tried again.",
    "kaimen_record_seconds": "Time to write one batch of the request log.",
    "kaimen_evidence_rows_total": "Access records committed.",
    "kaimen_evidence_refusals_total": "Answers withheld because their access record could not be kept in time.",
    "kaimen_evidence_seconds": "Time an answer waited for its access record.",
    "kaimen_circuit_open": "Circuit breaker of a service's upstream: 1 open, 0.5 half-open, 0 closed.",
}


class Histogram:
    """Counts by duration in seconds."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(_BOUNDS) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(_BOUNDS, seconds)] += 1
        self.total += seconds

    def lines(self, name: str, labels: str) -> list[str]:
        lines, seen = [], 0
        joint = "," if labels else ""
        for bound, count in zip((*map(str, _BOUNDS), "+Inf"), self.counts, strict=True):
            seen += count
            lines.append(f'{name}_bucket{{{labels}{joint}le="{bound}"}} {seen}')
        braces = f"{{{labels}}}" if labels else ""
        return [*lines, f"{name}_sum{braces} {self.total:.6f}", f"{name}_count{braces} {seen}"]


def _nothing() -> None:
    return None


class Metrics:
    """What one process counts."""

    def __init__(self) -> None:
        self._requests: dict[tuple[str, str, int, str], int] = {}
        self._counters: dict[tuple[str, str], int] = {}
        self._histograms: dict[tuple[str, str], Histogram] = {}
        self._durations: dict[str, tuple[Histogram, Histogram]] = {}
        self._gauges: dict[str, tuple[str, Callable[[], float]]] = {}
        self.catch_up: Callable[[], None] = _nothing  # what is to be done before anybody reads

    def add(self, name: str, labels: str = "", count: int = 1) -> None:
        """Raise a counter; `labels` as they are written, `plan="standard"`."""
        key = (name, labels)
        self._counters[key] = self._counters.get(key, 0) + count

    def observe(self, name: str, seconds: float, labels: str = "") -> None:
        """Enter a duration."""
        histogram = self._histograms.get((name, labels))
        if histogram is None:
            histogram = self._histograms[name, labels] = Histogram()
        histogram.add(seconds)

    def add_gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """A value that is asked for when the metrics are."""
        self._gauges[name] = (text, read)

    def count(
        self, service: str, operation: str, status: int, step: str, problem: str, duration_us: int, upstream_us: int,
        attempts: int, plan: str,
    ) -> None:  # fmt: skip
        """Take one finished call in. `step` and `problem` (a slug) are "" where it went through."""
        key = (service, operation, status, step)
        self._requests[key] = self._requests.get(key, 0) + 1
        durations = self._durations.get(service)
        if durations is None:
            durations = self._durations[service] = (Histogram(), Histogram())
        durations[0].add((duration_us - upstream_us) / 1e6)
        if attempts:
            durations[1].add(upstream_us / 1e6)
            if attempts > 1:
                self.add("kaimen_upstream_attempts_total", f'service="{_escape(service)}"', attempts - 1)
        if problem:
            self.add("kaimen_problems_total", f'problem="{problem}"')
            if problem == "quota-exceeded":
                self.add("kaimen_quota_refusals_total", f'plan="{_escape(plan)}"')

    def render(self, gateway: Any = None) -> str:
        """Everything as Prometheus text; with `gateway`, the circuit breakers too."""
        self.catch_up()
        lines: list[str] = []
        _head(lines, "kaimen_requests_total", "counter")
        for (service, operation, status, step), count in sorted(self._requests.items()):
            labels = f'service="{_escape(service)}",operation="{_escape(operation)}",status="{status}",step="{step}"'
            lines.append(f"kaimen_requests_total{{{labels}}} {count}")
        for number, name in enumerate(("kaimen_gateway_seconds", "kaimen_upstream_seconds")):
            _head(lines, name, "histogram")
            for service, pair in sorted(self._durations.items()):
                lines += pair[number].lines(name, f'service="{_escape(service)}"')
        lines += self._counter_lines()
        lines += self._histogram_lines()
        for name, (text, read) in sorted(self._gauges.items()):
            lines += [f"# HELP {name} {text}", f"# TYPE {name} gauge", f"{name} {read()}"]
        lines += _breakers(gateway)
        return "\n".join(lines) + "\n"

    def _counter_lines(self) -> list[str]:
        lines: list[str] = []
        before = ""
        for (name, labels), count in sorted(self._counters.items()):
            if name != before:
                _head(lines, name, "counter")
            before = name
            lines.append(f"{name}{{{labels}}} {count}" if labels else f"{name} {count}")
        return lines

    def _histogram_lines(self) -> list[str]:
        lines: list[str] = []
        before = ""
        for (name, labels), histogram in sorted(self._histograms.items()):
            if name != before:
                _head(lines, name, "histogram")
            before = name
            lines += histogram.lines(name, labels)
        return lines


def _head(lines: list[str], name: str, kind: str) -> None:
    lines += [f"# HELP {name} {_HELP.get(name, name)}", f"# TYPE {name} {kind}"]


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _breakers(gateway: Any) -> list[str]:
    """Open and half-open circuit breakers: 1 open, 0.5 half-open, 0 closed."""
    if gateway is None:
        return []
    lines: list[str] = []
    _head(lines, "kaimen_circuit_open", "gauge")
    for entry in gateway.snapshots.current.entries():
        guard = getattr(entry.connector, "guard", None)
        if guard is not None:
            state = {"open": "1", "half-open": "0.5"}.get(guard.state, "0")
            lines.append(f'kaimen_circuit_open{{service="{_escape(entry.key)}"}} {state}')
    return lines
