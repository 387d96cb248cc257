"""Step `authorise`: whether this app may make this call, for which purpose, on what ground.

What stands in the way is named in the order in which it has to be mended: data that leave through no face,
an operation that is not for such apps, the subscription, the consent, the scope, the purpose. What a
subscription opens is the catalogue's rule (offers.obstacle_of), asked here again for each call.
"""

from api.contract.model import Grade, Level
from api.core.problem_types import (
    AUDIENCE_REFUSED,
    CLASSIFICATION_REFUSED,
    CONSENT_REQUIRED,
    NOT_SUBSCRIBED,
    PURPOSE_REQUIRED,
    SCOPE_MISSING,
    SUBSCRIPTION_PENDING,
)
from api.core.problems import Refusal, Text
from api.gateway import consent
from api.gateway.compiled import CompiledOperation
from api.gateway.exchange import Decision, Exchange
from api.gateway.plane import Gateway
from api.gateway.rights import Standing

PURPOSE_HEADER = b"kaimen-purpose"
_AUDIENCE = {
    "audience": Text("政府部门", "government departments"),
    "share": Text("数据所属部门及第三方(x-share: none,不与其他部门共享)",
                  "the owning department and third parties (x-share: none, not shared with departments)"),
}  # fmt: skip


def apply(exchange: Exchange, gateway: Gateway) -> None:
    """Fill the decision.

    Raises Refusal: classification-refused, audience-refused, not-subscribed, subscription-pending,
    consent-required, scope-missing, purpose-required, consent-outdated, mandate-refused, assurance-too-low.
    """
    compiled: CompiledOperation = exchange.compiled
    app = exchange.app
    caller = exchange.caller
    if compiled.is_closed:
        raise _closed(compiled)
    obstacle = compiled.obstacle(app.organisation_kind, app.organisation_id)
    if obstacle:
        raise Refusal(AUDIENCE_REFUSED, operation=compiled.operation.id, audience=_AUDIENCE[obstacle])
    standing: Standing | None = app.rights.get(compiled.entry.key)
    if standing is None or not (standing.purposes or standing.is_pending):
        raise Refusal(NOT_SUBSCRIBED, app=app.id, service=compiled.entry.key)
    if compiled.asks_more and _decide_consented(exchange, gateway, standing):
        return
    single = standing.single
    if (
        single is not None
        and compiled.level <= standing.single_level
        and (not compiled.purposes or single.purpose in compiled.purposes)
        and PURPOSE_HEADER not in exchange.header_map
    ):
        decision: Decision | None = single
    else:
        _check_granted_level(standing, compiled, app.id)
        decision = None
    for scope in compiled.scopes:
        if scope not in caller.scopes:
            raise _scope_missing(compiled, scope, caller.scopes)
    if decision is None:
        decision = _choose(standing, compiled, exchange.header_map.get(PURPOSE_HEADER, b""))
    if exchange.holding is not None:
        backing = exchange.holding.backing
        decision = Decision(
            decision.subscription,
            decision.purpose,
            backing.grant,
            backing.subject,
            backing.consent,
            backing.mandate,
        )
    exchange.decision = decision
    exchange.verdicts.append(compiled.scoped)


def _decide_consented(exchange: Exchange, gateway: Gateway, standing: Standing) -> bool:
    """For an operation that asks for a person behind the token; whether the decision is made by that."""
    compiled: CompiledOperation = exchange.compiled
    caller = exchange.caller
    _check_granted_level(standing, compiled, exchange.app.id)
    if compiled.needs_consent and not caller.grant:
        raise Refusal(CONSENT_REQUIRED, operation=compiled.operation.id)
    for scope in compiled.scopes:
        if scope not in caller.scopes:
            raise _scope_missing(compiled, scope, caller.scopes)
    if compiled.needs_consent:
        wanted = exchange.header_map.get(PURPOSE_HEADER, b"").decode("utf-8", "replace")
        exchange.decision = consent.decide(exchange, gateway, standing, wanted)
    if compiled.assurance:
        consent.check_assurance(exchange, compiled.assurance)
    if compiled.needs_consent:
        exchange.verdicts.append(compiled.scoped)
    return compiled.needs_consent


def _check_granted_level(standing: Standing, compiled: CompiledOperation, app_id: str) -> None:
    """The department grants a level; what a later release puts above it awaits another decision."""
    if not any(compiled.level <= level for level, _ in standing.purposes.values()):
        raise Refusal(SUBSCRIPTION_PENDING, app=app_id, service=compiled.entry.key)


def _choose(standing: Standing, compiled: CompiledOperation, wanted: bytes) -> Decision:
    """The purpose of this call: the only one that fits, or the one that the header names."""
    fitting = {
        purpose: decision
        for purpose, (level, decision) in standing.purposes.items()
        if compiled.level <= level and (not compiled.purposes or purpose in compiled.purposes)
    }
    if wanted:
        named = fitting.get(wanted.decode("utf-8", "replace"))
        if named is not None:
            return named
    elif len(fitting) == 1 or (fitting and not compiled.purposes):
        return fitting.get("") or fitting[min(fitting)]
    purposes = sorted(fitting) if fitting else list(compiled.operation.purposes)
    raise Refusal(
        PURPOSE_REQUIRED,
        rule="purpose-ambiguous" if fitting and not wanted else "purpose-required",
        operation=compiled.operation.id,
        purposes=", ".join(purpose for purpose in purposes if purpose) or "…",
        service=compiled.entry.key,
        first_purpose=next((purpose for purpose in purposes if purpose), "…"),
    )


def _closed(compiled: CompiledOperation) -> Refusal:
    operation = compiled.operation
    level = operation.level.value if operation.grade == Grade.GENERAL else operation.grade.value
    # Of general data below L4, only L3 without a purpose in its contract is closed.
    is_purposeless = operation.grade == Grade.GENERAL and operation.level < Level.L4
    rule = "level-without-purpose" if is_purposeless else ""
    return Refusal(CLASSIFICATION_REFUSED, rule=rule, operation=operation.id, level=level)


def _scope_missing(compiled: CompiledOperation, scope: str, granted: frozenset[str]) -> Refusal:
    challenge = f'Bearer realm="kaimen", error="insufficient_scope", scope="{" ".join(compiled.scopes)}"'
    return Refusal(
        SCOPE_MISSING,
        headers={"WWW-Authenticate": challenge},
        operation=compiled.operation.id,
        scope=scope,
        granted=", ".join(sorted(granted)[:20]) or "—",
    )
