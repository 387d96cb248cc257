"""Lint: every rule over one service. Adding a rule is adding a function to a `rules_*` module."""

from collections.abc import Sequence
from itertools import islice

from api.contract import (
    rules_composition,
    rules_document,
    rules_http,
    rules_personal,
    rules_policy,
    rules_profile,
    rules_refusals,
    rules_scenarios,
    rules_schema,
)
from api.contract.model import Finding, JsonObject, Service, Severity
from api.contract.report import fill
from api.contract.rule import RULES, Hit, Rule, Subject

MODULES = (
    rules_document, rules_http, rules_schema, rules_profile, rules_policy, rules_personal, rules_scenarios,
    rules_refusals, rules_composition,
)  # fmt: skip
MOST_PER_RULE = 200  # a foreign document breaks the same rule a thousand times; the rest is counted

__all__ = ["MODULES", "RULES", "lint"]


def lint(service: Service, loaded: JsonObject | None = None, rules: Sequence[Rule] = RULES) -> list[Finding]:
    """What the rules have to say about a service; `loaded` is the document before the overlay (default: its own).

    A document that does not speak our profile is spared the rules that only ask for profile keys.
    """
    subject = Subject(service, service.document if loaded is None else loaded)
    found: list[Finding] = []
    for one in rules:
        if one.own_only and subject.is_foreign:
            continue
        hits = one.check(subject)
        found.extend(_finding(one, hit) for hit in islice(hits, MOST_PER_RULE))
        more = sum(1 for _ in hits)
        if more:
            found.append(
                Finding(
                    one.id,
                    one.severity,
                    "",
                    f"… and {more} more of the same rule.",
                    message_zh=f"……同一规则另有 {more} 处。",
                )
            )
    order = [Severity.ERROR, Severity.WARNING, Severity.INFO]
    return sorted(found, key=lambda finding: order.index(finding.severity))


def _finding(one: Rule, hit: Hit) -> Finding:
    return Finding(
        rule=one.id,
        severity=one.severity,
        pointer=hit.pointer,
        message=fill(one.en, hit.facts),
        hint=fill(one.hint[1], hit.facts),
        source=one.source,
        message_zh=fill(one.zh, hit.facts),
        hint_zh=fill(one.hint[0], hit.facts),
    )
