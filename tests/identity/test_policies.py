"""Policies and permissions as tables: who may × state, disjoint and complete, the two forms of a rule agreeing."""

import inspect
from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.core.caller import ANONYMOUS, OPERATOR, Caller, CallerKind
from api.core.problems import Refusal
from api.identity import permissions, policies

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HERE, ELSEWHERE = "o_here", "o_elsewhere"
roles = st.frozensets(st.sampled_from(permissions.ROLE_NAMES), max_size=5)
people = st.builds(
    lambda here, elsewhere, administrator, grant: Caller(
        kind=CallerKind.PERSON,
        has_mfa=True,
        id="p_1",
        organisations={key: value for key, value in ((HERE, here), (ELSEWHERE, elsewhere)) if value},
        is_administrator=administrator,
        grant=grant,
    ),
    roles, roles, st.booleans(), st.sampled_from(["session", "personal_token"]),
)  # fmt: skip
machines = st.builds(
    lambda scopes, owner, administrator: Caller(
        kind=CallerKind.APP, id="a_1", organisations={owner: frozenset()}, scopes=scopes, is_administrator=administrator
    ),
    st.frozensets(st.sampled_from(sorted(permissions.PLATFORM_SCOPES))), st.sampled_from([HERE, ELSEWHERE]), st.just(False),
)  # fmt: skip
callers = st.one_of(people, machines, st.just(ANONYMOUS), st.just(OPERATOR))

ON_ORGANISATION = {
    "view_organisation": (permissions.EVERYBODY, permissions.ORGANISATIONS_READ, True),
    "manage_members": (permissions.OWNER, "", True),
    "view_app": (permissions.EVERYBODY, permissions.APPS_READ, False),
    "edit_app": (permissions.APP_EDITORS, permissions.APPS_WRITE, False),
    "suspend_app": (permissions.APP_EDITORS, permissions.APPS_WRITE, True),
    "go_live": (permissions.APP_EDITORS, "", False),
}


@pytest.mark.parametrize("rule", ON_ORGANISATION)
@given(caller=callers)
def test_who_may_on_an_organisation(rule: str, caller: Caller) -> None:
    """The table above, written down once more and independently of how the code decides."""
    allowed_roles, scope, administrators = ON_ORGANISATION[rule]
    expected = {
        CallerKind.OPERATOR: True,
        CallerKind.ANONYMOUS: False,
        CallerKind.PERSON: bool(caller.organisations.get(HERE, frozenset()) & allowed_roles)
        or (administrators and caller.is_administrator),
        CallerKind.APP: bool(scope)
        and HERE in caller.organisations
        and (scope in caller.scopes or (rule == "view_app" and permissions.APPS_WRITE in caller.scopes)),
    }[caller.kind]
    assert getattr(permissions, f"can_{rule}")(caller, HERE) is expected


@given(caller=callers, kind=st.sampled_from(["department", "company", "individual", "other"]))
def test_who_makes_organisations_sets_plans_invites_administrators(caller: Caller, kind: str) -> None:
    is_human = caller.kind in {CallerKind.PERSON, CallerKind.OPERATOR}
    assert permissions.can_create_organisation(caller, kind) is (
        is_human and (kind == "company" or (kind == "department" and caller.is_administrator))
    )
    assert permissions.can_set_plan(caller) is (is_human and caller.is_administrator)
    by_session = caller.kind == CallerKind.OPERATOR or caller.grant == "session"
    assert permissions.can_invite_administrator(caller) is (
        is_human and caller.is_administrator and by_session
    )
    is_owner = caller.kind == CallerKind.OPERATOR or "owner" in caller.organisations.get(HERE, frozenset())
    assert permissions.can_give_platform_scopes(caller, HERE) is (is_human and is_owner and by_session)


@given(caller=callers)
def test_nothing_in_one_organisation_follows_from_another(caller: Caller) -> None:
    if caller.kind == CallerKind.OPERATOR or caller.is_administrator or HERE in caller.organisations:
        return
    for rule in ON_ORGANISATION:
        assert not getattr(permissions, f"can_{rule}")(caller, HERE)


def test_every_rule_comes_as_a_pair_that_agrees() -> None:
    for module in (permissions, policies):
        names = {name for name, _ in inspect.getmembers(module, inspect.isfunction)}
        checks = {name.removeprefix("check_") for name in names if name.startswith("check_can_")}
        assert checks <= names
        assert {name for name in names if name.startswith("can_")} == checks


def refusal_of(check, *arguments) -> Refusal | None:
    try:
        check(*arguments)
    except Refusal as refusal:
        return refusal
    return None


def passes(check, *arguments) -> bool:
    return refusal_of(check, *arguments) is None


@given(apps=st.integers(0, 1000))
def test_counted_limits(apps: int) -> None:
    for can, check, limit in (
        (policies.can_add_app, policies.check_can_add_app, policies.MAX_APPS),
        (policies.can_add_secret, policies.check_can_add_secret, policies.MAX_ACTIVE_SECRETS),
        (policies.can_add_token, policies.check_can_add_token, policies.MAX_ACTIVE_TOKENS),
    ):
        assert can(apps) is (apps < limit)
        assert passes(check, apps) is can(apps)
    assert passes(policies.check_can_lose_owner, apps) is policies.can_lose_owner(apps) is (apps > 0)


def test_the_states_of_an_app_are_complete_and_lead_where_they_are_drawn() -> None:
    states = (policies.ACTIVE, policies.SUSPENDED, policies.DELETED)
    allowed = {
        (action, state)
        for action, state in product(policies.APP_ACTIONS, states)
        if policies.can_act_on_app(action, state)
    }
    assert allowed == {
        ("change", "active"), ("change", "suspended"),
        ("suspend", "active"),
        ("resume", "suspended"),
        ("delete", "active"), ("delete", "suspended"),
        ("restore", "deleted"),
        ("go-live", "active"),
    }  # fmt: skip
    for action, state in product(policies.APP_ACTIONS, states):
        assert passes(policies.check_can_act_on_app, action, state) is ((action, state) in allowed)
    # suspending and resuming never apply at once, neither do deleting and restoring: no state without a way on
    for one, other in (("suspend", "resume"), ("delete", "restore")):
        assert not policies.APP_ACTIONS[one][0] & policies.APP_ACTIONS[other][0]
    for state in states:
        assert any(state in before for before, _ in policies.APP_ACTIONS.values())


@given(
    used=st.none() | st.just(NOW - timedelta(hours=1)),
    ahead=st.integers(-1_000_000, 1_000_000).map(lambda seconds: timedelta(seconds=seconds)),
)
def test_links_secrets_and_undo_end_on_time(used: datetime | None, ahead: timedelta) -> None:
    end = NOW + ahead
    assert policies.can_use_link(used, end, NOW) is (used is None and ahead > timedelta(0))
    assert passes(policies.check_can_use_link, used, end, NOW) is policies.can_use_link(used, end, NOW)
    assert policies.is_secret_active(end, used, NOW) is (used is None and ahead > timedelta(0))
    assert policies.is_secret_active(None, used, NOW) is (used is None)
    deleted = NOW - timedelta(days=policies.UNDO_DAYS) + ahead
    assert policies.can_restore(deleted, NOW) is (ahead > timedelta(0))
    assert passes(policies.check_can_restore, deleted, NOW) is policies.can_restore(deleted, NOW)
    assert not policies.can_restore(None, NOW)


@given(caller=callers)
def test_a_denial_says_who_may(caller: Caller) -> None:
    for rule in ON_ORGANISATION:
        refusal = refusal_of(getattr(permissions, f"check_can_{rule}"), caller, HERE)
        if refusal is not None:
            assert refusal.status in {401, 403}
        if refusal is not None and refusal.status == 403:
            assert refusal.facts["role"].zh
            assert refusal.facts["role"].en
            assert refusal.facts["reason"].zh
