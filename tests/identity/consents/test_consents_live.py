"""Mandates on the live plane: the identity provider's word at each sign-in, and what is delegated on it."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from api.core import clock, ids
from api.core.problems import Refusal
from api.core.store import Stores
from api.identity.consents import service as consents
from api.identity.consents.register import follow_register
from api.identity.consents.signed_in import SignedInSubjects
from api.identity.consents.subjects import Subject
from api.identity.installation import Installation, configure
from api.identity.models import Mandate
from api.settings import Settings

CODE = "91990106MA0000015L"
NATIONAL = {"organisation_code": CODE, "organisation_name": "某公司"}


@pytest.fixture(autouse=True)
async def live(stores: Stores, settings: Settings) -> AsyncIterator[SignedInSubjects]:
    known = SignedInSubjects()
    configure(Installation(settings=Settings(environment="live"), subjects=known, register=known))
    yield known
    configure(Installation())


def citizen(**national: str) -> Subject:
    return Subject(id=ids.random_id("c"), name="某人", source="https://id.example", national=national)


async def rule_of(subject: Subject) -> str:
    with pytest.raises(Refusal) as told:
        await consents.check_can_speak_for(subject, CODE)
    return str(told.value.rule)


async def test_who_signs_in_for_a_company_speaks_for_it() -> None:
    leader = citizen(**NATIONAL)
    mandate = await consents.check_can_speak_for(leader, CODE)
    assert (mandate.role, mandate.environment, mandate.organisation_name) == (
        "legal-representative",
        "live",
        "某公司",
    )
    assert await rule_of(citizen()) == "not-a-representative"
    again = Subject(id=leader.id, name=leader.name, source=leader.source)
    assert await rule_of(again) == "former-representative", "the provider does not say it any more"
    assert (await Mandate.get(id=mandate.id)).reason == "register"


async def test_what_a_provider_says_is_kept_within_bounds() -> None:
    assert await consents.mandates_of(citizen(organisation_code="x" * 41)) == []
    (row,) = await consents.mandates_of(citizen(organisation_code="y" * 40, organisation_name="名" * 300))
    assert len(row.organisation_name) == 200


async def test_one_delegates_to_a_number(live: SignedInSubjects) -> None:
    leader, agent = citizen(**NATIONAL), citizen()
    await follow_register(leader)
    known = await live.find(agent.id)
    assert known is not None
    assert known.name == ""
    for wrong in ("", "c_", "c_\0", "p_" + agent.id[2:], agent.id.upper(), agent.id + "x"):
        assert await live.find(wrong) is None
    until = clock.now() + timedelta(days=5)
    await consents.delegate(leader, CODE, known, role="agent", scope="tax:*", until=until)
    assert await consents.can_speak_for(agent, CODE, ["tax:tax-paid:read"])
    assert not await consents.can_speak_for(agent, CODE, ["company:licence:read"])
    assert await live.personas() == []
    assert await live.persona("lin-xi") is None
