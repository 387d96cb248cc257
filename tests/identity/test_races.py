"""Rules that hold once, under eight racers at a time: of one link, one place, one state, exactly one wins."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from api.contract.model import Level
from api.core import audit
from api.core.caller import OPERATOR
from api.core.problems import Refusal
from api.identity.apps import service as apps
from api.identity.models import App, AppSecret, Membership, Organisation, Person, Session
from api.identity.organisations import service as organisations
from api.identity.people import service as people
from tests.identity.conftest import PASSWORD, Platform
from tests.identity.offers import publish
from tests.identity.test_going_live import ANSWERS
from tests.identity.test_organisations import company, join

RACERS = 8


async def race(*racers: Callable[[], Awaitable[Any]]) -> tuple[list[Any], list[str]]:
    """All at once: what the winners got, and why the others were refused. Anything else than a refusal is raised."""
    results = await asyncio.gather(*(racer() for racer in racers), return_exceptions=True)
    won, lost = [], []
    for result in results:
        if isinstance(result, Refusal):
            lost.append(result.rule)
        elif isinstance(result, BaseException):
            raise result
        else:
            won.append(result)
    return won, lost


async def test_one_verify_link_makes_one_person(platform: Platform) -> None:
    await people.sign_up("race@company.example", PASSWORD, "赛跑")
    token = await platform.token_to("race@company.example")
    won, lost = await race(*[lambda: people.verify_email(token)] * RACERS)
    assert len(won) == 1
    assert lost == ["link-spent"] * (RACERS - 1)
    assert await Person.filter(email="race@company.example").count() == 1
    assert await Membership.filter(person_id=won[0].id).count() == 1


async def test_several_verify_links_of_one_address_make_one_person(platform: Platform) -> None:
    tokens = []
    for number in range(5):
        await people.sign_up("many@company.example", f"password of sign-up {number}", f"名 {number}")
        tokens.append(await platform.token_to("many@company.example"))
    won, lost = await race(*[lambda token=token: people.verify_email(token) for token in tokens])
    assert (len(won), len(lost)) == (1, 4)
    assert await Person.filter(email="many@company.example").count() == 1


async def test_one_reset_link_sets_one_password(platform: Platform) -> None:
    person = await platform.person()
    await people.ask_reset(person.email)
    token = await platform.token_to(person.email)
    passwords = [f"racer number {number} wins" for number in range(RACERS)]
    won, lost = await race(*[lambda one=one: people.reset_password(token, one) for one in passwords])
    assert len(won) == 1
    assert lost == ["link-spent"] * (RACERS - 1)
    opened, _ = await race(*[lambda one=one: people.sign_in(person.email, one) for one in passwords])
    assert len(opened) == 1


async def test_one_invitation_makes_one_administrator(platform: Platform) -> None:
    token = await people.invite_administrator(OPERATOR)
    before = await Person.filter(is_administrator=True).count()
    won, lost = await race(
        *[
            lambda number=number: people.accept_invitation(
                token, f"管理员 {number}", PASSWORD, email=f"race{number}@city.example"
            )
            for number in range(RACERS)
        ]
    )
    assert len(won) == 1
    assert lost == ["link-spent"] * (RACERS - 1)
    assert await Person.filter(is_administrator=True).count() == before + 1
    assert await Person.filter(email__startswith="race", email__endswith="@city.example").count() == 1


async def test_only_the_newest_administrators_link_holds(platform: Platform) -> None:
    tokens, _ = await race(*[lambda: people.invite_administrator(OPERATOR)] * RACERS)
    working = 0
    for token in tokens:
        try:
            await people.preview_invitation(token)
        except Refusal:
            continue
        working += 1
    assert working == 1


async def test_five_secrets_and_not_one_more(platform: Platform) -> None:
    made = await apps.create_app(OPERATOR, name="五个")
    won, lost = await race(
        *[
            lambda number=number: apps.add_secret(OPERATOR, made.app.id, f"nr {number}")
            for number in range(RACERS)
        ]
    )
    assert len(won) == 4  # beside the first
    assert lost == ["secret-limit"] * 4
    assert await AppSecret.filter(app_id=made.app.id, revoked_at=None).count() == 5


async def test_rotations_keep_the_limit_too(platform: Platform) -> None:
    made = await apps.create_app(OPERATOR, name="轮换")
    won, _ = await race(*[lambda: apps.rotate_secret(OPERATOR, made.app.id, made.secret_id)] * RACERS)
    assert len(won) == 4
    assert await AppSecret.filter(app_id=made.app.id, revoked_at=None).count() == 5


async def test_one_of_two_last_owners_stays(platform: Platform) -> None:
    owner, second = await platform.person(), await platform.person()
    identifier = await company(owner, "race-owners")
    await join(platform, owner, identifier, second, ["owner"])
    callers = {one.person_id: await platform.caller(one) for one in (owner, second)}
    won, lost = await race(
        *[
            lambda one=one: organisations.remove_member(callers[one], identifier, one)
            for one in (owner.person_id, second.person_id) * (RACERS // 2)
        ]
    )
    assert len(won) == 1
    assert set(lost) <= {"last-owner", "not-found"}
    assert await Membership.filter(organisation_id=identifier, role="owner").count() == 1


async def test_owners_who_demote_each_other_leave_one(platform: Platform) -> None:
    owner, second = await platform.person(), await platform.person()
    identifier = await company(owner, "race-demotion")
    await join(platform, owner, identifier, second, ["owner"])
    one, two = await platform.caller(owner), await platform.caller(second)
    await race(
        *[lambda: organisations.set_roles(one, identifier, second.person_id, ["viewer"])] * (RACERS // 2),
        *[lambda: organisations.set_roles(two, identifier, owner.person_id, ["viewer"])] * (RACERS // 2),
    )
    assert await Membership.filter(organisation_id=identifier, role="owner").count() == 1


async def test_one_slug_one_organisation(platform: Platform) -> None:
    person = await platform.caller(await platform.person())
    won, lost = await race(
        *[lambda: organisations.create_organisation(person, "company", "race-slug", "示例", "Sample")]
        * RACERS
    )
    assert (len(won), lost) == (1, ["slug-taken"] * (RACERS - 1))
    assert await Organisation.filter(slug="race-slug").count() == 1


async def test_one_operators_organisation(platform: Platform) -> None:
    won, lost = await race(*[lambda: apps.create_app(OPERATOR, name="同时")] * RACERS)
    assert (len(won), lost) == (RACERS, [])
    assert await Organisation.filter(slug="operator").count() == 1
    assert len({one.app.client_id for one in won}) == RACERS


async def test_one_live_twin(platform: Platform) -> None:
    await publish("race@v1", Level.L1)
    person = await platform.caller(await platform.person())
    made = await apps.create_app(person, name="上线", subscribe=["race@v1"])
    platform.calls.by_app[made.app.id] = 1
    won, lost = await race(*[lambda: apps.go_live(person, made.app.id, ANSWERS)] * RACERS)
    assert (len(won), lost) == (1, ["live-app-exists"] * (RACERS - 1))
    assert await App.filter(sandbox_app_id=made.app.id).count() == 1


async def test_states_change_once(platform: Platform) -> None:
    made = await apps.create_app(OPERATOR, name="状态")
    for change in (apps.suspend_app, apps.resume_app, apps.delete_app, apps.restore_app):
        won, lost = await race(*[lambda change=change: change(OPERATOR, made.app.id)] * RACERS)
        assert (len(won), lost) == (1, ["app-status"] * (RACERS - 1)), change.__name__


async def test_sign_ins_at_once_are_sessions_of_their_own_and_a_password_changes_once(
    platform: Platform,
) -> None:
    person = await platform.person()
    won, _ = await race(*[lambda: people.sign_in(person.email, PASSWORD)] * RACERS)
    assert len({cookie for cookie, _ in won}) == RACERS
    caller = await platform.caller(person)
    won, lost = await race(
        *[
            lambda number=number: people.change_password(caller, PASSWORD, f"the new one, nr {number}")
            for number in range(RACERS)
        ]
    )
    assert (len(won), lost) == (1, ["input-invalid"] * (RACERS - 1))
    assert await Session.filter(person_id=person.person_id).count() == 1


async def test_the_journal_is_whole_after_all_this(platform: Platform) -> None:
    count, fault = await audit.verify()
    assert fault is None
    assert count > 0
