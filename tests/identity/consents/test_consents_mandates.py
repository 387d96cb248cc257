"""Who may speak for a company: the register's people and their agents, and four kinds who may not."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.core import clock
from api.core.models import ControlChange, JournalEntry
from api.core.problems import Refusal
from api.identity.consents import service as consents
from api.identity.consents.mandates import covers
from api.identity.consents.register import follow_everybody, follow_register
from api.identity.consents.subjects import Position, RegisteredOrganisation, Subject
from api.identity.models import Grant, Mandate
from sandbox.city.base import FILE, CityFile
from sandbox.city.casting import cast
from sandbox.city.population.generate import generate
from sandbox.city.population.personas import code_of
from sandbox.city.subjects import CitySubjects
from tests.identity.consents.conftest import TAX, World

TEA, MACHINERY, CATERING = code_of("manshan-tea"), code_of("hengzhu-machinery"), code_of("chidao-catering")
SCOPE = ("tax:tax-paid:read",)
LATER = datetime(2030, 1, 1, tzinfo=UTC)


async def refused(awaitable: Any) -> str:
    with pytest.raises(Refusal) as told:
        await awaitable
    return str(told.value.rule)


def in_days(days: int) -> datetime:
    return clock.now() + timedelta(days=days)


def someone(number: int, birth_date: str | None = "1990-01-01") -> Subject:
    """A citizen who is no persona."""
    return Subject(id=f"c_someone{number}", name=f"某人 {number}", birth_date=birth_date)


def company(number: int) -> RegisteredOrganisation:
    return RegisteredOrganisation(f"COMPANY{number}", f"公司 {number}", "active", f"Company {number}")


@pytest.fixture
def led(world: World) -> Any:
    """Makes somebody the legal representative of a company of their own."""
    made: list[str] = []

    def make(number: int) -> tuple[Subject, RegisteredOrganisation]:
        leader, one = someone(number), company(number)
        world.register.organisations[one.code] = one
        world.register.positions[leader.id] = [Position(one, "legal-representative")]
        made.append(leader.id)
        return leader, one

    yield make
    for identifier in made:
        del world.register.positions[identifier]


@pytest.mark.parametrize(
    ("persona", "organisation", "rule"),
    [
        ("zhou-ming", "hengzhu-machinery", "former-representative"),
        ("wang-jianguo", "chidao-catering", "agent-expired"),
        ("ouyang-wei", "hengzhu-machinery", "not-a-representative"),  # a shareholder
        ("lin-xi", "chuchen-software", "not-a-representative"),  # a shareholder
        ("lin-xi", "hengzhu-machinery", "not-a-representative"),  # its company holds shares
        ("he-yu", "manshan-tea", "not-a-representative"),  # nobody to it
        ("zhou-ming", "liuyun-trading", "organisation-struck-off"),  # revoked
        ("chen-hang", "xiemu-culture", "organisation-struck-off"),  # deregistered
    ],
)
async def test_who_may_not_speak(world: World, persona: str, organisation: str, rule: str) -> None:
    subject, code = await world.persona(persona), code_of(organisation)
    assert await refused(consents.check_can_speak_for(subject, code, SCOPE)) == rule
    assert not await consents.can_speak_for(subject, code, SCOPE)
    assert await refused(world.grant(subject, {**TAX, "organisation": code})) == rule
    assert code not in {one.organisation for one in await consents.mandates_of(subject)}


async def test_why_a_shareholder_may_not_is_said(world: World) -> None:
    with pytest.raises(Refusal) as told:
        await consents.check_can_speak_for(await world.persona("ouyang-wei"), MACHINERY)
    assert "股东" in told.value.facts["reason"].zh
    assert (
        await refused(consents.check_can_speak_for(await world.persona("lin-xi"), "NOBODYS"))
        == "organisation-unknown"
    )


async def test_who_may_speak(world: World) -> None:
    for persona, organisation, role in (
        ("lin-xi", "manshan-tea", "legal-representative"),
        ("chen-hang", "manshan-tea", "finance"),
        ("aynur", "hengzhu-machinery", "legal-representative"),
        ("sun-xiuying", "chidao-catering", "legal-representative"),
    ):
        mandate = await consents.check_can_speak_for(
            await world.persona(persona), code_of(organisation), SCOPE
        )
        assert (mandate.role, mandate.source) == (role, "register")
        assert mandate.organisation_name.startswith("开门")


async def test_an_agent_for_finance_speaks_of_taxes_only(world: World) -> None:
    agent = await world.persona("chen-hang")
    assert await consents.can_speak_for(agent, TEA, SCOPE)
    assert (
        await refused(consents.check_can_speak_for(agent, TEA, ("company:licence:read",))) == "mandate-scope"
    )


async def test_the_picker_tells_the_same_as_the_check(world: World) -> None:
    for row in cast():
        for one in row.standing:
            subject = await world.persona(row.id)
            if one.role == "finance":
                continue  # its scope is asked about above
            able = await consents.can_speak_for(subject, one.code)
            others = [two.can_speak for two in row.standing if two.code == one.code]
            assert able == any(others), (row.id, one)
            if not able and one.role != "shareholder":
                assert await refused(consents.check_can_speak_for(subject, one.code)) == one.why_not


async def test_with_several_companies_one_is_chosen(world: World) -> None:
    founder = await world.persona("ouyang-wei")
    details = await world.details(TAX)
    rows = await consents.organisations_for(founder, details)
    assert {one.organisation for one in rows} == {code_of("chuchen-software"), code_of("xinmiao-agriculture")}
    assert await refused(consents.offer(world.app, founder, details)) == "organisation-required"
    text = await consents.offer(world.app, founder, details, organisation=rows[0].organisation)
    assert text.organisation == rows[0].organisation
    other = await world.details({**TAX, "organisation": code_of("chuchen-software")})
    assert await refused(consents.offer(world.app, founder, other, organisation=TEA)) == "input-invalid"
    nobody = await world.persona("he-yu")
    assert await refused(consents.offer(world.app, nobody, details)) == "not-a-representative"


# --- the register ---------------------------------------------------------------------------------
async def test_following_the_register_twice_writes_once(world: World) -> None:
    await follow_everybody()
    entries = await JournalEntry.all().count()
    await follow_everybody()
    assert await JournalEntry.all().count() == entries


async def test_who_leaves_the_register_takes_the_consents_along(world: World, led: Any) -> None:
    leader, one = led(1)
    delegate = someone(2)
    grant = await world.grant(leader, TAX)
    await consents.delegate(leader, one.code, delegate, role="agent", scope="*", until=in_days(30))
    world.register.positions[delegate.id] = []
    under = await world.grant(delegate, TAX)
    assert grant.mandate_id != under.mandate_id
    world.register.positions[leader.id] = [Position(one, "former-representative")]
    assert await refused(consents.check_can_speak_for(leader, one.code)) == "former-representative"
    for ended in (grant, under):
        row = await Grant.get(id=ended.id)
        assert row.withdrawn_at is not None, "nobody speaks for the company by this mandate any more"
        assert await ControlChange.filter(kind="grant", key=ended.id).count() == 2
    reasons = (
        await Mandate.filter(organisation=one.code).order_by("created_at").values_list("reason", flat=True)
    )
    assert list(reasons) == ["register", "delegator-ended"]
    assert await refused(consents.check_can_speak_for(delegate, one.code)) == "mandate-revoked"


async def test_a_company_that_is_struck_off_gives_nothing_more(world: World, led: Any) -> None:
    leader, one = led(3)
    grant = await world.grant(leader, TAX)
    gone = RegisteredOrganisation(one.code, one.name, "revoked")
    world.register.organisations[one.code] = gone
    world.register.positions[leader.id] = [Position(gone, "legal-representative")]
    assert await refused(consents.check_can_speak_for(leader, one.code)) == "organisation-struck-off"
    assert (await Grant.get(id=grant.id)).withdrawn_at is not None
    assert await consents.mandates_of(leader) == []


async def test_what_the_register_takes_away_ends_what_rested_on_it(world: World, led: Any) -> None:
    leader, one = led(4)
    world.register.positions[leader.id] = [Position(one, "agent", "tax:*", LATER)]
    first = await consents.check_can_speak_for(leader, one.code, SCOPE)
    grant = await world.grant(leader, TAX)
    world.register.positions[leader.id] = [Position(one, "agent", "tax:*", LATER + timedelta(days=1))]
    assert (await consents.check_can_speak_for(leader, one.code, SCOPE)).id == first.id, (
        "a longer term is the same mandate"
    )
    assert consents.is_in_force(await Grant.get(id=grant.id))
    world.register.positions[leader.id] = [Position(one, "agent", "company:*", LATER)]
    assert await refused(consents.check_can_speak_for(leader, one.code, SCOPE)) == "mandate-scope"
    assert not consents.is_in_force(await Grant.get(id=grant.id))


async def test_consent_lasts_no_longer_than_the_mandate(world: World, led: Any) -> None:
    leader, one = led(5)
    end = in_days(2).replace(microsecond=0)
    world.register.positions[leader.id] = [Position(one, "agent", "*", end)]
    grant = await world.grant(leader, TAX)
    assert grant.expires_at == end
    assert consents.read_granted(grant.details)[0].until == clock.to_text(end)
    assert (
        await refused(consents.check_can_speak_for(leader, one.code, now=end + timedelta(seconds=1)))
        == "agent-expired"
    )
    await follow_register(leader)


async def test_while_the_register_is_away_nobody_gains_and_nobody_loses(world: World, led: Any) -> None:
    leader, one = led(14)
    grant = await world.grant(leader, TAX)
    world.register.is_available = False
    try:
        world.register.positions[leader.id] = []
        await follow_register(leader)
        newcomer = someone(15)
        world.register.positions[newcomer.id] = [Position(one, "legal-representative")]
        assert await refused(consents.check_can_speak_for(newcomer, one.code)) == "not-a-representative"
        assert consents.is_in_force(await Grant.get(id=grant.id))
    finally:
        world.register.is_available = True
    await follow_register(leader)
    assert not consents.is_in_force(await Grant.get(id=grant.id))


async def test_a_city_that_is_missing_or_older_knows_nobody(world: World, tmp_path: Path) -> None:
    away = CitySubjects(CityFile(tmp_path), world.city._ids)
    lin = await world.persona("lin-xi")
    assert not away.is_available
    assert await away.personas() == []
    assert await away.positions_of(lin) == []
    assert await away.guardians_of(lin) == await away.wards_of(lin) == []
    generate(tmp_path / FILE, 100, 20, 1)
    with sqlite3.connect(tmp_path / FILE) as file:
        file.execute("UPDATE meta SET value = '1' WHERE key = 'schema'")
    file.close()
    assert not CitySubjects(CityFile(tmp_path), world.city._ids).is_available


# --- delegation -----------------------------------------------------------------------------------
async def test_delegating_and_revoking(world: World, led: Any) -> None:
    leader, one = led(6)
    delegate = someone(7)
    world.register.positions[delegate.id] = []
    row = await consents.delegate(
        leader, one.code, delegate, role="finance", scope="tax:* tax:*", until=in_days(10)
    )
    assert (row.scope, row.source, row.organisation_name) == ("tax:*", "delegation", one.name)
    assert await consents.can_speak_for(delegate, one.code, SCOPE)
    assert row.id in {each.id for each in await consents.mandates_for(leader, one.code)}
    assert await refused(consents.mandates_for(delegate, one.code)) == "not-the-legal-representative"
    again = consents.delegate(leader, one.code, delegate, role="finance", scope="*", until=in_days(1))
    assert await refused(again) == "mandate-exists"
    grant = await world.grant(delegate, TAX)
    for stranger in (someone(8), await world.persona("aynur")):
        assert await refused(consents.revoke_mandate(stranger, row.id)) == "not-found"
    ended = await consents.revoke_mandate(leader, row.id)
    assert (ended.reason, ended.revoked_by) == ("revoked", f"citizen:{leader.id}")
    assert (await consents.revoke_mandate(leader, row.id)).revoked_at == ended.revoked_at
    assert (await Grant.get(id=grant.id)).withdrawn_by == f"mandate:{row.id}"
    assert await refused(consents.check_can_speak_for(delegate, one.code)) == "mandate-revoked"
    fresh = await consents.delegate(leader, one.code, delegate, role="finance", scope="*", until=in_days(1))
    renounced = await consents.revoke_mandate(delegate, fresh.id)
    assert renounced.revoked_by == f"citizen:{delegate.id}"


async def test_an_agent_delegates_no_further(world: World, led: Any) -> None:
    leader, one = led(9)
    agent = someone(10)
    world.register.positions[agent.id] = []
    await consents.delegate(leader, one.code, agent, role="agent", scope="*", until=in_days(10))
    onwards = consents.delegate(agent, one.code, someone(11), role="agent", scope="*", until=in_days(5))
    assert await refused(onwards) == "not-the-legal-representative"


async def test_the_registers_own_mandates_are_changed_there(world: World) -> None:
    lin = await world.persona("lin-xi")
    row = next(one for one in await consents.mandates_of(lin) if one.organisation == TEA)
    assert await refused(consents.revoke_mandate(lin, row.id)) == "mandate-of-register"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"role": "legal-representative"}, "/role"),
        ({"role": "owner"}, "/role"),
        ({"scope": ""}, "/scope"),
        ({"scope": "tax:**"}, "/scope"),
        ({"scope": "TAX:*"}, "/scope"),
        ({"scope": "a:b:c:d"}, "/scope"),
        ({"scope": "x" * 2000}, "/scope"),
        ({"until": -1}, "/until"),
        ({"until": 400}, "/until"),
        ({"to": "lin-xi"}, "/to"),
        ({"to": "he-yu"}, "/to"),
        ({"to": "chen-xiaoman"}, "/to"),
    ],
)
async def test_what_cannot_be_delegated(world: World, change: dict[str, Any], pointer: str) -> None:
    asked = {"role": "agent", "scope": "*", "until": 10, "to": "sun-xiuying", **change}
    with pytest.raises(Refusal) as told:
        await consents.delegate(
            await world.persona("lin-xi"), TEA, await world.persona(str(asked["to"])), role=str(asked["role"]),
            scope=str(asked["scope"]), until=in_days(int(str(asked["until"]))),
        )  # fmt: skip
    assert [error["pointer"] for error in told.value.errors] == [pointer]


async def test_an_expired_delegation_makes_room_for_another(world: World, led: Any) -> None:
    leader, one = led(12)
    agent = someone(13)
    world.register.positions[agent.id] = []
    row = await consents.delegate(leader, one.code, agent, role="agent", scope="*", until=in_days(1))
    await Mandate.filter(id=row.id).update(until=in_days(-1))
    assert await refused(consents.check_can_speak_for(agent, one.code)) == "agent-expired"
    fresh = await consents.delegate(leader, one.code, agent, role="agent", scope="*", until=in_days(1))
    assert (await consents.check_can_speak_for(agent, one.code)).id == fresh.id


# --- scopes ---------------------------------------------------------------------------------------
_word = st.text("abc", min_size=1, max_size=2)
_scope = st.lists(_word, min_size=3, max_size=3).map(":".join)


@given(st.lists(_scope, max_size=4), st.lists(_scope, min_size=1, max_size=4))
def test_a_mandate_covers_what_its_patterns_name_and_nothing_else(
    patterns: list[str], scopes: list[str]
) -> None:
    assert covers("*", scopes)
    assert covers(" ".join(patterns), scopes) == set(scopes).issubset(patterns)
    families = [one.partition(":")[0] + ":*" for one in patterns]
    expected = {one.partition(":")[0] for one in scopes} <= {one.partition(":")[0] for one in patterns}
    assert covers(" ".join(families), scopes) == expected
    assert not covers("", scopes)
