"""What an import found, lost and judged, as pages show it: the worst first, bounded."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from api.catalogue.models import VersionRecord
from api.contract.model import FaceVerdict, Finding, Loss, Severity

SHOWN = 60
_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


class FaceView(Struct, frozen=True):
    """A face's verdict; reasons in both languages."""

    name: str
    verdict: str
    reasons: tuple[str, ...]
    reasons_zh: tuple[str, ...]


class Group(Struct, frozen=True):
    """What one rule says, once, and the places that it says it of: the first SHOWN of `total`."""

    rule: str
    severity: str  # "" for losses
    first: Finding | Loss
    places: list[Finding | Loss]
    total: int


class ReportView(Struct, frozen=True):
    """Findings by rule, the worst first, and losses by rule."""

    findings: list[Group]
    losses: list[Group]
    faces: list[FaceView]
    errors: int
    warnings: int
    infos: int
    losses_total: int

    @property
    def findings_total(self) -> int:
        return self.errors + self.warnings + self.infos


def report_view(
    findings: Sequence[Finding],
    losses: Sequence[Loss],
    verdicts: Mapping[str, str],
    reasons: Mapping[str, Sequence[str]],
    reasons_zh: Mapping[str, Sequence[str]] | None = None,
) -> ReportView:
    """The report of an import."""
    count = {severity: sum(one.severity is severity for one in findings) for severity in Severity}
    faces = [
        FaceView(name, verdict, tuple(reasons.get(name, ())), tuple((reasons_zh or reasons).get(name, ())))
        for name, verdict in verdicts.items()
    ]
    return ReportView(
        findings=sorted(_groups(findings), key=lambda one: _ORDER[Severity(one.severity)]),
        losses=_groups(losses), faces=faces, errors=count[Severity.ERROR],
        warnings=count[Severity.WARNING], infos=count[Severity.INFO], losses_total=len(losses),
    )  # fmt: skip


def _groups(rows: Sequence[Finding] | Sequence[Loss]) -> list[Group]:
    by_rule: dict[tuple[str, str], list[Finding | Loss]] = {}
    for row in rows:
        severity = row.severity.value if isinstance(row, Finding) else ""
        by_rule.setdefault((severity, row.rule), []).append(row)
    return [
        Group(rule, severity, places[0], places[:SHOWN], len(places))
        for (severity, rule), places in by_rule.items()
    ]


def report_of(version: VersionRecord) -> ReportView:
    """The report that is stored with a version."""
    faces = msgspec.json.decode(version.verdicts, type=dict[str, FaceVerdict])
    return report_view(
        msgspec.json.decode(version.findings, type=list[Finding]),
        msgspec.json.decode(version.losses, type=list[Loss]),
        {name: face.verdict for name, face in faces.items()},
        {name: face.reasons for name, face in faces.items()},
        {name: face.reasons_zh or face.reasons for name, face in faces.items()},
    )


def pretty(text: str) -> str:
    """A stored JSON text set out in lines."""
    return msgspec.json.format(text.encode() or b"null", indent=2).decode()


def decode(text: str) -> Any:
    """A stored JSON text."""
    return msgspec.json.decode(text or "null")
