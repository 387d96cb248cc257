"""Report: where loading and normalising put what they have to say. Errors are values, all of them.

A `Notice` is the fixed part (id, texts, severity or faces, source), `api.contract.notices` holds them all;
the report adds the place and the facts.
"""

from collections import Counter

from msgspec import Struct

from api.contract.model import Finding, Loss, Severity

MOST_PER_RULE = 500  # beyond it a hostile document only fills memory; the rest is counted

SDKS = ("sdk_python", "sdk_typescript", "sdk_java", "sdk_go")
GENERATED = ("graphql", "mcp", *SDKS)  # faces whose names and types are made from the contract
JSON_FACES = ("graphql", "mcp", "sandbox", *SDKS)  # faces that speak JSON only


class Notice(Struct, frozen=True):
    """The fixed part of a finding or a loss. Texts hold facts in braces."""

    id: str
    zh: str
    en: str
    hint_zh: str = ""
    hint_en: str = ""
    source: str = ""
    severity: Severity = Severity.INFO
    faces: tuple[str, ...] = ()  # of a loss: who is the poorer for it; () = all


class _Facts(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def fill(text: str, facts: dict[str, object]) -> str:
    """The text with its facts; over-long facts are cut, control characters shown as escapes."""
    return text.format_map(_Facts({key: _shown(value) for key, value in facts.items()}))


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    text = "".join(char if char.isprintable() else repr(char)[1:-1] for char in text[:200])
    return text if len(text) < 160 else text[:157] + "…"


class Report:
    """Collects findings and losses in the order in which they were met."""

    def __init__(self) -> None:
        self._findings: list[Finding] = []
        self._losses: list[Loss] = []
        self._counts: Counter[tuple[str, str]] = Counter()
        self._notices: dict[tuple[str, str], Notice] = {}

    def find(self, notice: Notice, pointer: str, *, file: str = "", **facts: object) -> None:
        """Note a finding."""
        if self._is_full(notice, "finding"):
            return
        self._findings.append(
            Finding(
                rule=notice.id,
                severity=notice.severity,
                pointer=pointer,
                message=fill(notice.en, facts),
                hint=fill(notice.hint_en, facts),
                source=notice.source,
                file=file,
                message_zh=fill(notice.zh, facts),
                hint_zh=fill(notice.hint_zh, facts),
            )
        )

    def lose(self, notice: Notice, pointer: str, **facts: object) -> None:
        """Note a loss."""
        if self._is_full(notice, "loss"):
            return
        self._losses.append(
            Loss(
                rule=notice.id,
                pointer=pointer,
                message=fill(notice.en, facts),
                faces=notice.faces,
                message_zh=fill(notice.zh, facts),
            )
        )

    def _is_full(self, notice: Notice, sort: str) -> bool:
        key = (sort, notice.id)
        self._counts[key] += 1
        self._notices[key] = notice
        return self._counts[key] > MOST_PER_RULE

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings; where a rule was met too often, one more entry tells how often."""
        return (*self._findings, *(self._overflow_finding(key) for key in self._overfull("finding")))

    @property
    def losses(self) -> tuple[Loss, ...]:
        """All losses; where a rule was met too often, one more entry tells how often."""
        return (*self._losses, *(self._overflow_loss(key) for key in self._overfull("loss")))

    def _overfull(self, sort: str) -> list[tuple[str, str]]:
        return [key for key, count in self._counts.items() if key[0] == sort and count > MOST_PER_RULE]

    def _overflow_finding(self, key: tuple[str, str]) -> Finding:
        notice, more = self._notices[key], self._counts[key] - MOST_PER_RULE
        return Finding(
            rule=notice.id,
            severity=notice.severity,
            pointer="",
            message=f"… and {more} more of the same rule.",
            message_zh=f"……同一规则另有 {more} 处。",
        )

    def _overflow_loss(self, key: tuple[str, str]) -> Loss:
        notice, more = self._notices[key], self._counts[key] - MOST_PER_RULE
        return Loss(
            rule=notice.id,
            pointer="",
            message=f"… and {more} more of the same rule.",
            faces=notice.faces,
            message_zh=f"……同一规则另有 {more} 处。",
        )
