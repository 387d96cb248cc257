"""What runs in the background: last uses are written in batches, what ran out is deleted, nothing is lost at the end."""

from datetime import timedelta

from api.core import clock
from api.core.models import JournalEntry
from api.identity.housekeeping import keeping_house, sweep
from api.identity.last_use import last_use
from api.identity.models import ActionLink, PersonalToken, Session
from api.identity.people import service as people
from tests.identity.conftest import PASSWORD, Platform


async def test_uses_are_written_once_for_many_requests_and_at_the_end(platform: Platform) -> None:
    person = await platform.person()
    token = (await person.post("/tokens", {"label": "cli"})).json()
    await last_use.write()
    before = await JournalEntry.all().count()
    async with keeping_house():
        for _ in range(20):
            await person.get("/me")
            await platform.browser().get("/me", headers={"Authorization": f"Bearer {token['token']}"})
        assert await JournalEntry.all().count() == before  # requests write nothing
    entries = await JournalEntry.all().offset(before).order_by("sequence")
    assert [entry.action for entry in entries] == ["credential:used"]
    assert entries[0].detail == '{"sessions":1,"tokens":1}'
    row = await PersonalToken.get(id=token["token_id"])
    assert row.last_used_at is not None
    session = await Session.get(person_id=person.person_id)
    assert session.last_seen_at > session.created_at
    assert await last_use.write() == 0


async def test_expired_sessions_and_old_links_go(platform: Platform) -> None:
    person, other = await platform.person(), await platform.person()
    await people.sign_up("waiting@company.example", PASSWORD, "等待")
    past = clock.now() - timedelta(seconds=1)
    await Session.filter(person_id=person.person_id).update(expires_at=past)
    assert (await person.get("/me")).status_code == 401  # before the sweep too
    await ActionLink.filter(email="waiting@company.example").update(
        expires_at=clock.now() - timedelta(days=31)
    )
    removed = await sweep()
    assert (removed["sessions"], removed["links"]) == (1, 1)
    assert not await Session.filter(person_id=person.person_id).exists()
    assert not await ActionLink.filter(email="waiting@company.example").exists()
    assert (await other.get("/me")).status_code == 200
    before = await JournalEntry.all().count()
    assert await sweep() == {}
    assert await JournalEntry.all().count() == before
