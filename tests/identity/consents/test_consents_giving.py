"""Giving, seeing and withdrawing consent: what was shown is what is granted, and the end of it is the end."""

import random
from datetime import timedelta
from typing import Any

import pytest

from api.catalogue.service import subscribe
from api.contract.answer_fields import fields_of
from api.contract.build import service_of
from api.core import audit, clock
from api.core.caller import OPERATOR
from api.core.models import ControlChange, JournalEntry
from api.core.problems import Refusal
from api.identity.consents import service as consents
from api.identity.models import App, Grant
from tests.identity.consents.conftest import TAX, World, publish
from tests.identity.consents.contracts import WELFARE, welfare_with_phone

ME = {"type": "kaimen-service", "service": "welfare@v1", "purpose": "benefit", "operations": ["getMe"]}
FAMILY = {**ME, "operations": ["getMe", "getFamily"]}


@pytest.fixture(scope="module")
async def welfare(world: World) -> App:
    await publish("welfare", WELFARE)
    app = await world.bank_app(contact="a@b.example", retention="一年")
    await subscribe(
        OPERATOR, app_id=app.id, organisation_id=app.organisation_id, environment="sandbox",
        version_id="welfare@v1", purpose="benefit",
    )  # fmt: skip
    return app


async def refused(awaitable: Any) -> str:
    with pytest.raises(Refusal) as told:
        await awaitable
    return str(told.value.rule)


async def test_a_grant_is_what_was_agreed_to(world: World) -> None:
    lin = await world.persona("lin-xi")
    grant = await world.grant(lin)
    (detail,) = consents.read_granted(grant.details)
    assert detail.refused == ()
    assert detail.organisation == grant.organisation == "91990106MA0000015L"
    assert detail.mandate == grant.mandate_id
    assert (grant.basis, grant.scope, grant.guardian_id) == ("consent", "tax:tax-paid:read", "")
    assert grant.text_hash.startswith("intl$sha256:")
    entry = await JournalEntry.filter(action="consent:give").order_by("-sequence").first()
    assert entry is not None
    assert entry.actor == f"citizen:{lin.id}"
    assert grant.text_hash in entry.detail
    assert grant.mandate_id in entry.detail
    assert lin.name not in entry.detail
    assert await ControlChange.filter(kind="grant", key=grant.id).exists()
    assert (await audit.verify())[1] is None


async def test_nothing_sensitive_is_given_unticked(world: World) -> None:
    grant = await world.grant(await world.persona("lin-xi"), accept=False)
    (detail,) = consents.read_granted(grant.details)
    assert detail.fields == ("code", "name", "from_year", "to_year", "years.year")
    assert "total_paid_yuan" in detail.refused


async def test_another_text_than_the_one_shown_is_not_agreed_to(world: World) -> None:
    lin = await world.persona("lin-xi")
    details = await world.details(TAX)
    text = await consents.offer(world.app, lin, details)
    assert (
        await refused(consents.give(world.app, lin, details, "zh", shown_hash="intl$sha256:0"))
        == "consent-text-changed"
    )
    fewer = await world.details({**TAX, "fields": ["code"]})
    assert (
        await refused(consents.give(world.app, lin, fewer, "zh", shown_hash=text.hash))
        == "consent-text-changed"
    )
    await App.filter(id=world.app.id).update(contact="other@bank.example")
    renamed = await App.get(id=world.app.id)
    assert (
        await refused(consents.give(renamed, lin, details, "zh", shown_hash=text.hash))
        == "consent-text-changed"
    )
    await App.filter(id=world.app.id).update(contact=world.app.contact)


async def test_what_is_not_in_the_text_cannot_be_ticked(world: World) -> None:
    lin = await world.persona("lin-xi")
    details = await world.details(TAX)
    text = await consents.offer(world.app, lin, details)
    rule = await refused(
        consents.give(
            world.app, lin, details, "zh", shown_hash=text.hash, accepted=["tax@v1:bank-credit:field:salary"]
        )
    )
    assert rule == "input-invalid"


async def test_agreeing_to_nothing_is_no_grant(world: World) -> None:
    lin = await world.persona("lin-xi")
    details = await world.details({**TAX, "fields": ["total_paid_yuan"]})
    text = await consents.offer(world.app, lin, details)
    assert (
        await refused(consents.give(world.app, lin, details, "zh", shown_hash=text.hash))
        == "consent-nothing-agreed"
    )


async def test_a_suspended_app_gets_no_consent(world: World) -> None:
    app = await world.bank_app("tax@v1:bank-credit", contact="a", retention="b")
    lin = await world.persona("lin-xi")
    details = await world.details(TAX, app=app)
    text = await consents.offer(app, lin, details)
    await App.filter(id=app.id).update(status="suspended")
    before = await Grant.all().count()
    assert await refused(consents.give(app, lin, details, "zh", shown_hash=text.hash)) == "app-stopped"
    assert await Grant.all().count() == before


async def test_passing_on_is_agreed_to_one_by_one(world: World) -> None:
    lin = await world.persona("lin-xi")
    both = [{"name": name, "contact": "a@b.example", "purpose": "担保"} for name in ("甲", "乙")]
    details = await world.details({**TAX, "pass_on": both})
    text = await consents.offer(world.app, lin, details)
    grant = await consents.give(
        world.app, lin, details, "en", shown_hash=text.hash, accepted=["tax@v1:bank-credit:pass-on:1"]
    )
    (detail,) = consents.read_granted(grant.details)
    assert detail.pass_on
    assert [one.name for one in detail.pass_on_to] == ["乙"]
    none = await consents.give(world.app, lin, details, "en", shown_hash=text.hash)
    assert not consents.read_granted(none.details)[0].pass_on


async def test_any_choice_may_be_refused_and_nothing_is_left_open(world: World, welfare: App) -> None:
    """Of every field the grant says yes or no; what belongs to an unticked choice is never granted."""
    lin = await world.persona("lin-xi")
    details = await world.details(FAMILY, app=welfare)
    text = await consents.offer(welfare, lin, details)
    everything = {name for one in details for name in (*one.fields, *one.refused)}
    chance = random.Random(11)
    for _ in range(25):
        accepted = [one.id for one in text.choices if chance.random() < 0.5]
        grant = await consents.give(welfare, lin, details, "zh", shown_hash=text.hash, accepted=accepted)
        (detail,) = consents.read_granted(grant.details)
        unticked = {name for one in text.choices if one.id not in accepted for name in one.fields}
        assert set(detail.fields) | set(detail.refused) == everything
        assert not set(detail.fields) & set(detail.refused)
        assert not set(detail.fields) & unticked
        assert set(detail.fields) == everything - unticked


async def test_an_old_grant_does_not_cover_what_the_contract_adds(world: World, welfare: App) -> None:
    lin = await world.persona("lin-xi")
    grant = await world.grant(lin, ME, app=welfare)
    (detail,) = consents.read_granted(grant.details)
    old_hash = grant.text_hash
    document = welfare_with_phone()
    await publish("welfare", document)
    try:
        service = service_of(document)
        operation = service.operation("getMe")
        assert operation is not None
        now = fields_of(operation, service)
        assert set(now) - set(detail.fields) - set(detail.refused) == {"phone"}, "neither granted nor refused"
        (asked,) = await world.details(ME, app=welfare)
        assert "phone" in asked.fields
        text = await consents.offer(welfare, lin, [asked])
        assert text.hash != old_hash
        assert (
            await refused(consents.give(welfare, lin, [asked], "zh", shown_hash=old_hash))
            == "consent-text-changed"
        )
        assert "phone" in consents.read_granted((await world.grant(lin, ME, app=welfare)).details)[0].fields
    finally:
        await publish("welfare", WELFARE)


async def test_a_scope_that_only_refused_services_needed_is_not_granted(world: World, welfare: App) -> None:
    lin = await world.persona("lin-xi")
    status = {**ME, "operations": ["getFamily"]}
    details = await world.details(status, scope="openid welfare:family:read", app=welfare)
    text = await consents.offer(welfare, lin, details)
    grant = await consents.give(
        welfare, lin, details, "zh", shown_hash=text.hash, accepted=[one.id for one in text.choices],
        scope="openid welfare:family:read",
    )  # fmt: skip
    assert grant.scope == "openid welfare:family:read"
    plain = await consents.give(
        welfare,
        lin,
        details,
        "zh",
        shown_hash=text.hash,
        accepted=[one.id for one in text.choices],
        scope="openid",
    )
    assert plain.scope == "openid welfare:family:read"


# --- children -------------------------------------------------------------------------------------
async def test_a_guardian_decides_for_a_child(world: World, welfare: App) -> None:
    child, mother = await world.persona("chen-xiaoman"), await world.persona("lin-xi")
    assert await refused(world.grant(child, ME, app=welfare)) == "guardian-required"
    for stranger in ("aynur", "he-yu", "chen-xiaoman"):
        rule = await refused(world.grant(child, ME, app=welfare, guardian=await world.persona(stranger)))
        assert rule == "not-a-guardian", stranger
    assert await refused(world.grant(mother, ME, app=welfare, guardian=child)) == "not-a-guardian"
    pupil = await world.persona("he-yu")
    assert (await world.grant(pupil, ME, app=welfare)).guardian_id == "", "from 14 on they decide themselves"
    grant = await world.grant(child, ME, app=welfare, guardian=mother)
    assert (grant.subject_id, grant.guardian_id) == (child.id, mother.id)
    assert all(choice["kind"] == "sensitive" for choice in grant.text["choices"])
    father = await world.persona("chen-hang")
    for guardian in (mother, father):
        assert grant.id in {one.id for one in await consents.grants_of(guardian)}
    await consents.withdraw(father, grant.id)
    assert not consents.is_in_force(await Grant.get(id=grant.id))


async def test_a_grant_marks_whose_data_it_opens_and_names_nobody(world: World, welfare: App) -> None:
    lin, child = await world.persona("lin-xi"), await world.persona("chen-xiaoman")
    marks = set()
    for subject, guardian in ((lin, None), (child, lin)):
        (detail,) = consents.read_granted(
            (await world.grant(subject, ME, app=welfare, guardian=guardian)).details
        )
        assert detail.person.startswith("c_")
        assert detail.person != subject.id
        assert subject.national["number"] not in detail.person
        marks.add(detail.person)
    assert len(marks) == 2
    (of_company,) = consents.read_granted((await world.grant(lin)).details)
    assert of_company.person == "", "there the organisation says it"


# --- seeing and withdrawing -----------------------------------------------------------------------
async def test_withdrawing_ends_it_once(world: World) -> None:
    lin = await world.persona("lin-xi")
    grant = await world.grant(lin)
    assert consents.is_in_force(grant)
    changes = await ControlChange.filter(kind="grant", key=grant.id).count()
    ended = await consents.withdraw(lin, grant.id)
    assert ended.withdrawn_by == f"citizen:{lin.id}"
    assert not consents.is_in_force(ended)
    again = await consents.withdraw(lin, grant.id)
    assert again.withdrawn_at == ended.withdrawn_at
    assert await ControlChange.filter(kind="grant", key=grant.id).count() == changes + 1
    assert grant.id in {one.id for one in await consents.grants_of(lin)}, "ended ones are still seen"


async def test_nobody_sees_or_ends_what_is_not_theirs(world: World, welfare: App) -> None:
    lin, aynur = await world.persona("lin-xi"), await world.persona("aynur")
    grant = await world.grant(lin, ME, app=welfare)
    assert grant.id not in {one.id for one in await consents.grants_of(aynur)}
    for identifier in (grant.id, "g_unknown", "x", "", "g_\0", "g_" + "a" * 100):
        assert await refused(consents.withdraw(aynur, identifier)) == "not-found"
        assert await refused(consents.find_grant(aynur, identifier)) == "not-found"
    assert consents.is_in_force(await Grant.get(id=grant.id))


async def test_who_leads_a_company_ends_what_its_agent_gave(world: World) -> None:
    agent, lin = await world.persona("chen-hang"), await world.persona("lin-xi")
    grant = await world.grant(agent)
    assert grant.text["about"]["zh"].endswith("你以财务代理人身份代表该组织决定。")
    assert grant.id in {one.id for one in await consents.grants_of(lin)}
    assert (await consents.withdraw(lin, grant.id)).withdrawn_by == f"citizen:{lin.id}"


async def test_an_expired_grant_is_no_longer_in_force(world: World) -> None:
    grant = await world.grant(
        await world.persona("lin-xi"), {**TAX, "until": clock.to_text(clock.now() + timedelta(hours=1))}
    )
    assert consents.is_in_force(grant)
    assert not consents.is_in_force(grant, clock.now() + timedelta(hours=2))
    assert grant.expires_at < clock.now() + timedelta(hours=2)


# --- other grounds --------------------------------------------------------------------------------
async def test_a_duty_by_law_asks_nobody_and_is_recorded(world: World, welfare: App) -> None:
    lin = await world.persona("lin-xi")
    assert await consents.read_details(welfare, "", "welfare:status:read") == [], "no consent page"
    grant = await consents.record_ground(welfare, lin, "openid welfare:status:read")
    assert grant is not None
    (ground,) = grant.details
    assert (ground["basis"], ground["law"], ground["article"]) == (
        "statutory-duty",
        "《社会救助暂行办法》",
        "第九条",
    )
    assert (grant.text_hash, grant.basis) == ("", "statutory-duty")
    assert consents.text_of(grant) is None
    assert await refused(consents.withdraw(lin, grant.id)) == "not-consent"
    assert await consents.record_ground(welfare, lin, "openid") is None
