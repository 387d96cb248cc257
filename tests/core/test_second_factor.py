"""Deciding, publishing live and administering ask for a second factor; pages offer them all the same."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from api.catalogue import permissions as catalogue
from api.catalogue.models import Approval
from api.core.caller import OPERATOR, Caller, CallerKind
from api.core.problems import Refusal
from api.identity import permissions as identity
from api.identity.outside.providers import check_can_manage_providers
from api.identity.people.accounts import check_can_manage_people

APPROVER = Caller(
    kind=CallerKind.PERSON, id="p_1", grant="session", organisations={"dept": frozenset({"approver", "publisher"})}
)  # fmt: skip
ADMINISTRATOR = Caller(kind=CallerKind.PERSON, id="p_2", grant="session", is_administrator=True)


def approval(kind: str) -> Approval:
    return Approval(
        kind=kind, organisation_id="dept", requested_by="p_9", requester_organisations=[], payload={}
    )


CASES: list[tuple[Caller, Callable[..., None], tuple[Any, ...]]] = [
    (APPROVER, catalogue.check_can_publish, ("dept", "live")),
    (APPROVER, catalogue.check_can_suspend, ("dept",)),
    (APPROVER, catalogue.check_can_decide, (approval("publish-live"), frozenset(), frozenset())),
    (APPROVER, catalogue.check_can_decide, (approval("subscription"), frozenset(), frozenset())),
    (ADMINISTRATOR, catalogue.check_can_set_upstream, ()),
    (ADMINISTRATOR, catalogue.check_can_set_plan, ()),
    (ADMINISTRATOR, identity.check_can_create_organisation, ("department",)),
    (ADMINISTRATOR, identity.check_can_manage_members, ("dept",)),
    (ADMINISTRATOR, identity.check_can_invite_administrator, ()),
    (ADMINISTRATOR, identity.check_can_suspend_app, ("dept",)),
    (ADMINISTRATOR, identity.check_can_set_plan, ()),
    (ADMINISTRATOR, check_can_manage_people, ()),
    (ADMINISTRATOR, check_can_manage_providers, ()),
]


@pytest.mark.parametrize(
    ("caller", "check", "arguments"),
    CASES,
    ids=[f"{one[1].__name__}-{number}" for number, one in enumerate(CASES)],
)
def test_a_second_factor_is_asked_for(
    caller: Caller, check: Callable[..., None], arguments: tuple[Any, ...]
) -> None:
    with pytest.raises(Refusal) as refused:
        check(caller, *arguments)
    assert refused.value.kind.slug == "mfa-required"
    assert identity.passes(check, caller, *arguments), "a page offers it, and then asks"
    check(replace(caller, has_mfa=True), *arguments)


def test_the_sandbox_and_ones_own_things_ask_for_none() -> None:
    catalogue.check_can_publish(APPROVER, "dept", "sandbox")
    catalogue.check_can_import(APPROVER, "dept")
    identity.check_can_create_organisation(APPROVER, "company")
    check_can_manage_people(OPERATOR)
