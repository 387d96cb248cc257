"""Figures of events and deliveries of one process, in the Prometheus text format."""

from collections import Counter

_BUCKETS_MS = (10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000)


class EventMetrics:
    """Counts what this process released and attempted, and how much waits in the plane."""

    def __init__(self) -> None:
        self.released = 0
        self.attempts: Counter[str] = Counter()  # by outcome: delivered, waiting, failed
        self.waiting = 0
        self.oldest_seconds = 0.0
        self._latency: Counter[float] = Counter()
        self._latency_sum_ms = 0

    def attempted(self, state: str, latency_ms: int) -> None:
        """An attempt came to its end."""
        self.attempts[state] += 1
        self._latency_sum_ms += latency_ms
        self._latency[next((bound for bound in _BUCKETS_MS if latency_ms <= bound), float("inf"))] += 1

    def render(self) -> str:
        """The lines of /metrics."""
        lines = [
            "# TYPE kaimen_events_released_total counter",
            f"kaimen_events_released_total {self.released}",
            "# TYPE kaimen_webhook_attempts_total counter",
            *(
                f'kaimen_webhook_attempts_total{{outcome="{state}"}} {self.attempts[state]}'
                for state in ("delivered", "waiting", "failed")
            ),
            "# TYPE kaimen_webhook_waiting gauge",
            f"kaimen_webhook_waiting {self.waiting}",
            "# TYPE kaimen_webhook_oldest_seconds gauge",
            f"kaimen_webhook_oldest_seconds {self.oldest_seconds:.1f}",
            "# TYPE kaimen_webhook_seconds histogram",
        ]
        total = 0
        for bound in _BUCKETS_MS:
            total += self._latency[bound]
            lines.append(f'kaimen_webhook_seconds_bucket{{le="{bound / 1000:g}"}} {total}')
        total += self._latency[float("inf")]
        lines += [
            f'kaimen_webhook_seconds_bucket{{le="+Inf"}} {total}',
            f"kaimen_webhook_seconds_sum {self._latency_sum_ms / 1000:.3f}",
            f"kaimen_webhook_seconds_count {total}",
        ]
        return "\n".join(lines) + "\n"
