"""Eight at once: one mandate, one end of a consent, and no consent under a mandate that has just ended."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from api.core import audit, clock
from api.core.models import ControlChange, JournalEntry
from api.identity.consents import service as consents
from api.identity.consents.register import follow_register
from api.identity.consents.subjects import Position, RegisteredOrganisation, Subject
from api.identity.models import Grant, Mandate
from tests.identity.consents.conftest import TAX, World
from tests.identity.test_races import RACERS, race

ROUNDS = 3


class Company:
    """A company of its own, with a leader and a delegate."""

    _number = 0

    def __init__(self, world: World) -> None:
        Company._number += 1
        number = Company._number
        self.organisation = RegisteredOrganisation(f"RACE{number}", f"赛跑公司 {number}", "active")
        self.leader = Subject(id=f"c_raceleader{number}", name="领", birth_date="1980-01-01")
        self.delegate = Subject(id=f"c_racedelegate{number}", name="代", birth_date="1980-01-01")
        world.register.organisations[self.organisation.code] = self.organisation
        world.register.positions[self.leader.id] = [Position(self.organisation, "legal-representative")]
        world.register.positions[self.delegate.id] = []

    @property
    def code(self) -> str:
        return self.organisation.code

    async def delegation(self) -> Mandate:
        return await consents.delegate(
            self.leader,
            self.code,
            self.delegate,
            role="agent",
            scope="*",
            until=clock.now() + timedelta(days=9),
        )


@pytest.fixture(autouse=True)
async def whole_journal() -> AsyncIterator[None]:
    yield
    assert (await audit.verify())[1] is None


async def test_the_register_is_followed_once(world: World) -> None:
    for _ in range(ROUNDS):
        one = Company(world)
        entries = await JournalEntry.filter(action="mandate:follow-register").count()
        await race(*[lambda one=one: follow_register(one.leader)] * RACERS)
        assert await Mandate.filter(organisation=one.code).count() == 1
        assert await JournalEntry.filter(action="mandate:follow-register").count() == entries + 1


async def test_one_delegation_of_a_kind_holds(world: World) -> None:
    for _ in range(ROUNDS):
        one = Company(world)
        won, lost = await race(*[one.delegation] * RACERS)
        assert len(won) == 1
        assert lost == ["mandate-exists"] * (RACERS - 1)
        assert await Mandate.filter(organisation=one.code, role="agent", revoked_at=None).count() == 1


async def test_one_withdrawal_is_on_record(world: World) -> None:
    for _ in range(ROUNDS):
        one = Company(world)
        grant = await world.grant(one.leader)
        entries = await JournalEntry.filter(action="consent:withdraw").count()
        won, lost = await race(
            *[lambda one=one, grant=grant: consents.withdraw(one.leader, grant.id)] * RACERS
        )
        assert len(won) == RACERS, "withdrawing what was just withdrawn is no fault"
        assert lost == []
        assert len({row.withdrawn_at for row in won}) == 1
        assert await JournalEntry.filter(action="consent:withdraw").count() == entries + 1
        assert await ControlChange.filter(kind="grant", key=grant.id).count() == 2


async def test_one_revocation_is_on_record(world: World) -> None:
    for _ in range(ROUNDS):
        one = Company(world)
        row = await one.delegation()
        entries = await JournalEntry.filter(action="mandate:revoke").count()
        won, lost = await race(
            *[lambda one=one, row=row: consents.revoke_mandate(one.leader, row.id)] * (RACERS // 2),
            *[lambda one=one, row=row: consents.revoke_mandate(one.delegate, row.id)] * (RACERS // 2),
        )
        assert (len(won), lost) == (RACERS, [])
        assert await JournalEntry.filter(action="mandate:revoke").count() == entries + 1


async def test_consents_given_at_once_are_all_whole(world: World) -> None:
    one = Company(world)
    won, lost = await race(*[lambda: world.grant(one.leader)] * RACERS)
    assert (len({row.id for row in won}), lost) == (RACERS, [])
    assert len({row.text_hash for row in won}) == 1
    assert await Grant.filter(organisation=one.code, withdrawn_at=None).count() == RACERS


async def test_no_consent_outlives_the_mandate_that_ends_beside_it(world: World) -> None:
    """Whoever comes first: afterwards no grant under the revoked mandate is in force."""
    for _ in range(ROUNDS):
        one = Company(world)
        row = await one.delegation()
        details = await world.details({**TAX, "organisation": one.code})
        text = await consents.offer(world.app, one.delegate, details)

        async def give(one: Company = one, details: Any = details, text: Any = text) -> Grant:
            return await consents.give(world.app, one.delegate, details, "zh", shown_hash=text.hash)

        async def end(one: Company = one, row: Mandate = row) -> Mandate:
            return await consents.revoke_mandate(one.leader, row.id)

        _, lost = await race(*[give] * (RACERS // 2), end, *[give] * (RACERS // 2 - 1))
        assert set(lost) <= {"mandate-ended", "mandate-revoked"}
        assert await Grant.filter(mandate_id=row.id, withdrawn_at=None).count() == 0


async def test_no_delegation_outlives_the_leader_who_gives_it(world: World) -> None:
    for _ in range(ROUNDS):
        one = Company(world)
        await follow_register(one.leader)

        async def leave(one: Company = one) -> None:
            world.register.positions[one.leader.id] = [Position(one.organisation, "former-representative")]
            await follow_register(one.leader)

        _, lost = await race(one.delegation, leave, *[one.delegation] * (RACERS - 2))
        assert set(lost) <= {"former-representative", "mandate-exists"}
        assert await Mandate.filter(organisation=one.code, revoked_at=None).count() == 0
