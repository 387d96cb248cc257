"""Who may call what: each refusal, their order, and a property over all states."""

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from api.contract.model import Basis, Grade, Level
from api.core.problems import Refusal
from api.gateway import authenticate, authorise, route
from api.gateway.exchange import Exchange
from api.settings import Settings
from tests.gateway.made import World, grant_of, operation


def exchange_of(
    world: World, token: bytes | None = None, headers: Any = (), path: str = "/api/company/v1/companies/91"
) -> Exchange:
    exchange = Exchange(
        request_id="rs_x", face="rest", method="GET", raw_path=path.encode(), query_string=b"", headers=list(headers),
        client_address="127.0.0.1", started_ns=0, started_at_us=0,
    )  # fmt: skip
    exchange.path = path
    exchange.header_map = dict(headers)
    exchange.authorization = world.bearer(token)
    return exchange


def decide(world: World, token: bytes | None = None, headers: Any = ()) -> Exchange:
    exchange = exchange_of(world, token, headers)
    for step in (route, authenticate, authorise):
        step.apply(exchange, world.gateway)
    return exchange


def refusal_of(world: World, token: bytes | None = None, headers: Any = ()) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        decide(world, token, headers)
    return refusal.value


def world_of(
    *,
    grants: Any = None,
    kind: str = "company",
    organisation: str = "o_app",
    plan: str = "standard",
    **more: Any,
) -> World:
    world = World([operation(**more)])
    world.apps.put(
        world.app_id, organisation, kind=kind, plan=plan, grants=[grant_of()] if grants is None else grants
    )
    return world


def test_a_subscribed_app_with_the_scope_may_call() -> None:
    exchange = decide(world_of())
    assert exchange.decision is not None
    assert (exchange.decision.subscription, exchange.decision.purpose, exchange.decision.grant) == (
        "company@v1",
        "",
        "",
    )
    assert [verdict[:2] for verdict in exchange.verdicts] == [
        ("route", "pass"), ("authenticate", "pass"), ("authorise", "pass"),
    ]  # fmt: skip
    assert exchange.caller.organisations == {"o_app": frozenset()}
    assert exchange.app.organisation_kind == "company"


@pytest.mark.parametrize(
    ("policy", "level"),
    [({"grade": Grade.CORE}, "core"), ({"grade": Grade.IMPORTANT}, "important"), ({"level": Level.L4}, "L4")],
)
def test_what_leaves_through_no_face(policy: dict[str, Any], level: str) -> None:
    refusal = refusal_of(world_of(**policy, grants=[grant_of(level="L4")], organisation="o_owner"))
    assert refusal.kind.slug == "classification-refused"
    assert refusal.facts["level"] == level


def test_l3_without_a_purpose_in_the_contract_is_closed() -> None:
    refusal = refusal_of(world_of(level=Level.L3))
    assert (refusal.kind.slug, refusal.rule) == ("classification-refused", "level-without-purpose")


@pytest.mark.parametrize(
    ("policy", "kind", "is_owner", "slug"),
    [
        ({"audience": "department"}, "company", False, "audience-refused"),
        ({"audience": "department"}, "department", False, ""),
        ({"audience": "department"}, "company", True, ""),
        ({"share": "none"}, "department", False, "audience-refused"),
        ({"share": "none"}, "company", False, ""),
        ({"share": "none"}, "department", True, ""),
    ],
)
def test_audience_and_share(policy: dict[str, Any], kind: str, is_owner: bool, slug: str) -> None:
    world = world_of(**policy, kind=kind, organisation="o_owner" if is_owner else "o_app")
    if slug:
        assert refusal_of(world).kind.slug == slug
    else:
        assert decide(world).decision is not None


def test_subscription() -> None:
    assert refusal_of(world_of(grants=[])).kind.slug == "not-subscribed"
    assert refusal_of(world_of(grants=[grant_of("tax@v1")])).kind.slug == "not-subscribed"
    assert refusal_of(world_of(grants=[grant_of("company@v2")])).kind.slug == "not-subscribed"
    pending = refusal_of(world_of(grants=[grant_of(status="pending", level="")]))
    assert pending.kind.slug == "subscription-pending"
    # granted up to L1, and a later release made the operation L2
    assert (
        refusal_of(world_of(grants=[grant_of(level="L1")], level=Level.L2)).kind.slug
        == "subscription-pending"
    )
    assert decide(world_of(grants=[grant_of(level="L2")], level=Level.L2)).decision is not None


def test_a_missing_scope_is_named_with_what_the_token_has() -> None:
    world = world_of()
    refusal = refusal_of(world, world.tokens.give(world.app_id, "post:order:read tax:rating:read"))
    assert refusal.kind.slug == "scope-missing"
    assert refusal.facts["scope"] == "company:profile:read"
    assert refusal.facts["granted"] == "post:order:read, tax:rating:read"
    assert refusal.headers["WWW-Authenticate"] == (
        'Bearer realm="kaimen", error="insufficient_scope", scope="company:profile:read"'
    )
    assert refusal_of(world, world.tokens.give(world.app_id, "")).facts["granted"] == "—"


def test_all_scopes_are_needed() -> None:
    world = world_of(scopes=("a:b:read", "a:b:write"))
    assert refusal_of(world, world.tokens.give(world.app_id, "a:b:read")).facts["scope"] == "a:b:write"
    assert decide(world, world.tokens.give(world.app_id, "a:b:write a:b:read")).decision is not None
    assert decide(world_of(scopes=()), None).decision is not None


def test_consent_comes_before_the_scope_that_only_consent_gives() -> None:
    world = world_of(basis=Basis.CONSENT, level=Level.L2)
    assert refusal_of(world, world.tokens.give(world.app_id, "")).kind.slug == "consent-required"
    assert refusal_of(world, world.tokens.give(world.app_id, "", grant="g_1")).kind.slug == "scope-missing"
    agreed = {"service": "company@v1", "purpose": "bank-credit", "fields": ["code", "name", "capital"]}
    token = world.tokens.give(world.app_id, grant="g_1", sub="c_1", authorization_details=[agreed])
    decision = decide(world, token).decision
    assert decision is not None
    assert decision.grant == "g_1"
    assert refusal_of(world_of(basis=Basis.SEPARATE_CONSENT)).kind.slug == "consent-required"
    assert refusal_of(world_of(basis=Basis.CONSENT, grants=[])).kind.slug == "not-subscribed"


def test_purposes() -> None:
    allowed = {"purposes": ("bank-credit", "hiring"), "level": Level.L3}
    none = refusal_of(world_of(**allowed))
    assert none.kind.slug == "purpose-required"
    assert none.facts["purposes"] == "bank-credit, hiring"
    assert none.facts["first_purpose"] == "bank-credit"
    one = decide(world_of(**allowed, grants=[grant_of(purpose="hiring")]))
    assert one.decision is not None
    assert (one.decision.purpose, one.decision.subscription) == ("hiring", "company@v1:hiring")
    # of several that are subscribed, only those allowed count
    assert decide(world_of(**allowed, grants=[grant_of(purpose="hiring"), grant_of(purpose="x")])).decision
    two = world_of(**allowed, grants=[grant_of(purpose="hiring"), grant_of(purpose="bank-credit")])
    ambiguous = refusal_of(two)
    assert (ambiguous.kind.slug, ambiguous.rule) == ("purpose-required", "purpose-ambiguous")
    chosen = decide(two, headers=[(b"kaimen-purpose", b"bank-credit")])
    assert chosen.decision is not None
    assert chosen.decision.purpose == "bank-credit"
    for wrong in (b"x", b"", b"\xff"):
        headers = [(b"kaimen-purpose", wrong)]
        assert refusal_of(two, headers=headers).kind.slug == "purpose-required"


def test_a_purpose_that_the_operation_does_not_ask_for_is_used_all_the_same() -> None:
    exchange = decide(world_of(grants=[grant_of(purpose="a"), grant_of(purpose="b")]))
    assert exchange.decision is not None
    assert exchange.decision.purpose == "a"


GRADES = (Grade.GENERAL, Grade.IMPORTANT)
LEVELS = tuple(Level)
ORDER = (
    "classification-refused", "audience-refused", "not-subscribed", "subscription-pending", "consent-required",
    "scope-missing", "consent-outdated", "purpose-required",
)  # fmt: skip


@settings(max_examples=300)
@given(
    grade=st.sampled_from(GRADES), level=st.sampled_from(LEVELS), audience=st.sampled_from(["department", "third-party", "public"]),
    share=st.sampled_from(["unconditional", "conditional", "none"]), basis=st.sampled_from([Basis.PUBLIC, Basis.CONSENT, Basis.STATUTORY_DUTY]),
    kind=st.sampled_from(["individual", "company", "department"]), is_owner=st.booleans(),
    purposes=st.sampled_from([(), ("a",), ("a", "b")]),
    grants=st.lists(
        st.tuples(st.sampled_from(["", "a", "b", "c"]), st.sampled_from(["active", "pending"]), st.sampled_from(["", "L1", "L2", "L3"])),
        max_size=3, unique_by=lambda one: one[0],
    ),
    scope=st.sampled_from(["", "company:profile:read", "other"]), grant=st.sampled_from(["", "g_1"]),
    wanted=st.sampled_from([None, b"a", b"c"]), agreed=st.sampled_from(["a", "c"]),
)  # fmt: skip
def test_allowed_only_when_nothing_stands_in_the_way(
    grade: Grade, level: Level, audience: str, share: str, basis: Basis, kind: str, is_owner: bool,
    purposes: tuple[str, ...], grants: list[tuple[str, str, str]], scope: str, grant: str, wanted: bytes | None,
    agreed: str,
) -> None:  # fmt: skip
    """The rule written a second time, as one list of obstacles; the first of them is what is answered."""
    world = world_of(
        grade=grade, level=level, audience=audience, share=share, basis=basis, purposes=purposes, kind=kind,
        organisation="o_owner" if is_owner else "o_app",
        grants=[grant_of(purpose=purpose, status=status, level=granted) for purpose, status, granted in grants],
    )  # fmt: skip
    active = {purpose: granted for purpose, status, granted in grants if status == "active" and granted}
    high = {purpose for purpose, granted in active.items() if granted >= level.value}
    fitting = {purpose for purpose in high if not purposes or purpose in purposes}
    obstacles = {
        "classification-refused": grade != Grade.GENERAL
        or level == Level.L4
        or (level == Level.L3 and not purposes),
        "audience-refused": not is_owner
        and (
            (audience == "department" and kind != "department") or (share == "none" and kind == "department")
        ),
        "not-subscribed": not grants,
        "subscription-pending": not high,
        "consent-required": basis == Basis.CONSENT and not grant,
        "scope-missing": scope != "company:profile:read",
        "consent-outdated": basis == Basis.CONSENT
        and not (
            wanted in {None, agreed.encode()}
            and (not purposes or agreed in purposes)
            and active.get(agreed, "" if purposes else active.get("", "")) >= level.value
        ),
        "purpose-required": basis != Basis.CONSENT and (wanted.decode() not in fitting)
        if wanted is not None
        else basis != Basis.CONSENT and (not fitting or (len(fitting) > 1 and bool(purposes))),
    }
    expected = next((slug for slug in ORDER if obstacles[slug]), "")
    details = [{"service": "company@v1", "purpose": agreed, "fields": ["code", "name", "capital"]}]
    token = world.tokens.give(
        world.app_id, scope, grant=grant, authorization_details=details if grant else []
    )
    headers = [] if wanted is None else [(b"kaimen-purpose", wanted)]
    if expected:
        refusal = refusal_of(world, token, headers)
        assert refusal.kind.slug == expected
        assert refusal.kind.step == "authorise"
    else:
        exchange = decide(world, token, headers)
        assert exchange.decision is not None
        assert exchange.decision.purpose in ({agreed} if basis == Basis.CONSENT else fitting)
        assert exchange.decision.grant == grant


# -- authenticate -----------------------------------------------------------------------------------


def test_tokens_are_verified_once_and_found_again_byte_for_byte() -> None:
    world = world_of()
    for _ in range(3):
        decide(world)
    assert world.tokens.verified == 1
    exchange = exchange_of(world)
    exchange.authorization = b"bearer " + world.token  # the scheme is case-insensitive, the key is not
    route.apply(exchange, world.gateway)
    authenticate.apply(exchange, world.gateway)
    assert world.tokens.verified == 2


def test_expired_revoked_suspended_and_deleted_are_seen_behind_the_cache() -> None:
    world = world_of()
    decide(world)
    claims = world.tokens.claims[world.token]
    world.revoked.add(claims.jti)
    assert refusal_of(world).kind.slug == "token-revoked"
    world.revoked.clear()
    decide(world)
    for status in ("suspended", "deleted"):
        world.apps.put(world.app_id, "o_app", status=status, grants=[grant_of()])
        assert refusal_of(world).kind.slug == "token-revoked"
    world.apps.put(world.app_id, "o_app", status="active", grants=[grant_of()])
    decide(world)
    world.apps.remove(world.app_id)
    assert refusal_of(world).kind.slug == "token-revoked"
    assert refusal_of(world, world.tokens.give("a_nobody")).kind.slug == "token-revoked"
    expired = refusal_of(world, world.tokens.give(world.app_id, exp=1_000_000_000))
    assert expired.kind.slug == "token-expired"
    assert expired.facts["expired_at"] == "2001-09-09T01:46:40.000Z"


def test_no_token_names_the_scope_to_ask_for() -> None:
    world = world_of()
    for header in (b"", b"Basic a3RfeDpzZWNyZXQ=", b"Bearer", b"Digest x"):
        exchange = exchange_of(world)
        exchange.authorization = header
        route.apply(exchange, world.gateway)
        with pytest.raises(Refusal) as refusal:
            authenticate.apply(exchange, world.gateway)
        assert refusal.value.kind.slug == "token-missing"
        assert (
            refusal.value.headers["WWW-Authenticate"] == 'Bearer realm="kaimen", scope="company:profile:read"'
        )
        assert refusal.value.facts["token_endpoint"] == "http://127.0.0.1:8000/oauth/token"


@pytest.mark.parametrize(
    ("environment", "credential", "slug"),
    [
        ("sandbox", b"kl_01h2", "wrong-environment"), ("sandbox", b"kls_secret", "wrong-environment"),
        ("live", b"kt_01h2", "wrong-environment"), ("live", b"kts_secret", "wrong-environment"),
        ("sandbox", b"kts_secret", "token-invalid"), ("live", b"kl_x", "token-invalid"),
        ("sandbox", b"kp_personal", "token-invalid"),
    ],
)  # fmt: skip
def test_other_credentials_are_told_by_name(environment: str, credential: bytes, slug: str) -> None:
    world = World(settings=structs.replace(Settings(), environment=environment))
    refusal = refusal_of(world, credential)
    assert refusal.kind.slug == slug
    assert refusal.status == 401
    assert "invalid_token" in refusal.headers["WWW-Authenticate"]
    if slug == "wrong-environment":
        other = {"sandbox": "live", "live": "sandbox"}[environment]
        assert refusal.facts["presented"] == other
        assert refusal.facts["other_base"] == world.gateway.settings.issuer_of(other) + "/api"


def test_the_cache_is_bounded_and_keeps_what_is_used() -> None:
    world = World(settings=structs.replace(Settings(), token_cache_entries=8))
    steady = world.tokens.give(world.app_id)
    for number in itertools.count():
        decide(world, steady)
        decide(world, world.tokens.give(world.app_id))
        assert len(world.gateway.tokens) <= 8
        if number == 40:
            break
    assert world.tokens.verified == 42  # the steady one once
    none = World(settings=structs.replace(Settings(), token_cache_entries=0))
    decide(none)
    decide(none)
    assert none.tokens.verified == 2
