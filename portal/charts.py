"""Charts as plain numbers: where each bar of an SVG stands. The template draws them, no script is needed."""

from collections.abc import Mapping, Sequence
from datetime import date

from msgspec import Struct

HEIGHT, WIDTH, TOP, BOTTOM, LEFT = 200, 720, 12, 22, 48
KINDS = ("success", "refused", "failed")


class Part(Struct, frozen=True):
    kind: str
    y: float
    height: float


class Bar(Struct, frozen=True):
    """A day: its numbers, and the stacked parts of its bar."""

    day: str
    label: str
    x: float
    success: int
    refused: int
    failed: int
    parts: tuple[Part, ...]


class Usage(Struct, frozen=True):
    """A usage chart over `days` days; `calls` 0 means that there is nothing to draw."""

    days: int
    calls: int
    refused: int
    failed: int
    bars: tuple[Bar, ...]
    rules: tuple[tuple[float, str], ...]
    bar_width: float
    width: int = WIDTH
    height: int = HEIGHT


def kind_of(status: int) -> str:
    """How an answer counts: success, refused (4xx) or failed (5xx)."""
    return "success" if status < 400 else "refused" if status < 500 else "failed"


def usage_chart(days: Sequence[date], counts: Mapping[tuple[date, str], int]) -> Usage:
    """The chart of calls per day and kind. Every day has a bar, also one without calls."""
    totals = {kind: sum(counts.get((day, kind), 0) for day in days) for kind in KINDS}
    highest = max((sum(counts.get((day, kind), 0) for kind in KINDS) for day in days), default=0)
    top = _round_up(highest)
    space = (WIDTH - LEFT) / max(len(days), 1)
    bars = []
    for position, day in enumerate(days):
        numbers = {kind: counts.get((day, kind), 0) for kind in KINDS}
        is_named = position % max(1, len(days) // 7) == 0
        bars.append(
            Bar(
                day=day.isoformat(),
                label=f"{day.month}/{day.day}" if is_named else "",
                x=round(LEFT + position * space + space * 0.15, 1),
                parts=_stack(numbers, top),
                **numbers,
            )
        )
    rules = tuple((_y(value, top), f"{value:,}") for value in sorted({0, top // 2, top}))
    return Usage(
        days=len(days), calls=sum(totals.values()), refused=totals["refused"], failed=totals["failed"],
        bars=tuple(bars), rules=rules, bar_width=round(space * 0.7, 1),
    )  # fmt: skip


def _stack(numbers: Mapping[str, int], top: int) -> tuple[Part, ...]:
    parts, below = [], 0
    for kind in KINDS:
        if numbers[kind]:
            height = max(1.5, _y(below, top) - _y(below + numbers[kind], top))
            parts.append(Part(kind, round(_y(below, top) - height, 1), round(height, 1)))
            below += numbers[kind]
    return tuple(parts)


def _y(value: float, top: int) -> float:
    return round(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / max(top, 1), 1)


def _round_up(value: int) -> int:
    """The next 1, 2 or 5 times a power of ten, at least 4, so that the axis has plain figures."""
    power = 1
    while True:
        for step in (1, 2, 4, 5):
            if step * power >= max(value, 4):
                return step * power
        power *= 10
