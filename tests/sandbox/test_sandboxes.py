"""An app's sandbox as a whole: its clock, what falls due, resets that can be undone, states kept under names."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from api.core import clock, ids
from api.core.outbox import NewEvent
from api.core.store import plane
from api.events.release import release_due
from sandbox.city import state_rows
from sandbox.city.app_clocks import START, START_TEXT, AppClocks, advanced
from sandbox.city.clock import local_text
from sandbox.city.sandboxes import BEFORE, MOST_SNAPSHOTS, BackwardsError, Sandboxes, TakenError, TooManyError
from sandbox.city.state import Changes, States


class Done(msgspec.Struct):
    changes: Changes = {}
    told: list[NewEvent] = []
    withdrawn: list[tuple[str, str]] = []


def put(**records: Any) -> Any:
    return lambda state: Done({("test", key): value for key, value in records.items()})


@pytest.fixture
async def states(stores: object) -> Any:
    made = States("sandbox")
    yield made
    await made.close()


@pytest.fixture
def sandboxes(states: States) -> Sandboxes:
    return Sandboxes("sandbox", states)


@pytest.fixture
def app_id() -> str:
    return ids.random_id("a", 8)


def event(app_id: str, subject: str, due_at: datetime | None) -> NewEvent:
    return NewEvent("post@v1", "post.order.delivered", subject, {"number": subject}, app_id, due_at)


async def outbox_of(app_id: str) -> list[tuple[str, int]]:
    rows = await state_rows.fetch(
        plane("sandbox"), "SELECT subject, due_at FROM event WHERE app_id = ? ORDER BY number", app_id
    )
    return [(row["subject"], int(row["due_at"])) for row in rows]


# --- durations ---
@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        ("P30D", "2026-03-02T09:00:00+08:00"),
        ("P1M", "2026-02-28T09:00:00+08:00"),
        ("P1Y", "2027-01-31T09:00:00+08:00"),
        ("P25M", "2028-02-29T09:00:00+08:00"),
        ("P2W", "2026-02-14T09:00:00+08:00"),
        ("PT6H30M", "2026-01-31T15:30:00+08:00"),
        ("P1DT1S", "2026-02-01T09:00:01+08:00"),
    ],
)
def test_durations_go_by_the_calendar(duration: str, expected: str) -> None:
    assert advanced(datetime(2026, 1, 31, 1, tzinfo=UTC), duration).isoformat() == expected


@pytest.mark.parametrize("duration", ["", "P", "PT", "30D", "P-1D", "P1.5D", "P1H", "+P2D", "P1DT", "P1D1M"])
def test_what_is_no_duration(duration: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        advanced(datetime(2026, 1, 31, tzinfo=UTC), duration)


# --- clock ---
async def test_a_clock_runs_on_from_where_it_was_set(
    states: States, sandboxes: Sandboxes, app_id: str
) -> None:
    target = clock.now() + timedelta(days=400)
    await sandboxes.set_clock(app_id, target)
    shown = (await states.current(app_id)).now
    assert target <= shown < target + timedelta(minutes=5)
    assert states.clocks.text_of(app_id)[:10] == local_text(target)[:10]
    assert states.clocks.text_of(ids.random_id("a", 8)) == START_TEXT


async def test_a_clock_stands_until_the_first_change(states: States, app_id: str) -> None:
    assert (await states.current(app_id)).now == START
    await states.run(app_id, lambda state: Done(), begins=True)
    assert (await states.current(app_id)).clock_us is None, "reading begins nothing"
    seen = []
    await states.run(
        app_id, lambda state: [seen.append(state.now), Done({("test", "a"): {}})][1], begins=True
    )
    assert seen == [START]
    first = (await states.current(app_id)).now
    assert START <= first < START + timedelta(minutes=5)
    await states.run(app_id, put(b={}), begins=True)
    assert (await states.current(app_id)).now > first, "it is not set again"
    assert app_id in await AppClocks("sandbox").moved()


async def test_other_processes_see_the_clock(states: States, sandboxes: Sandboxes, app_id: str) -> None:
    """The state has it at once; the gateway's memory of another process when it looks again."""
    other_states, other_clocks = States("sandbox"), AppClocks("sandbox")
    await other_states.current(app_id)
    await sandboxes.set_clock(app_id, clock.now() + timedelta(days=10))
    assert ((await other_states.current(app_id)).clock_us or 0) > 0
    assert app_id in await other_clocks.moved()
    await sandboxes.set_clock(app_id, None)
    assert (await other_states.current(app_id)).clock_us == 0
    assert app_id not in await other_clocks.moved()
    assert other_clocks.text_of(app_id) == ""
    await other_states.close()


async def test_a_clock_keeps_the_records(states: States, sandboxes: Sandboxes, app_id: str) -> None:
    await states.run(app_id, put(a={"n": 1}))
    await sandboxes.set_clock(app_id, clock.now() + timedelta(days=1))
    state = await states.current(app_id)
    assert state.rows == {("test", "a"): {"n": 1}}
    await states.run(app_id, put(b={"n": 2}))
    assert (await states.current(app_id)).clock_us == state.clock_us


async def test_a_clock_goes_back_only_without_changes(
    states: States, sandboxes: Sandboxes, app_id: str
) -> None:
    later = clock.now() + timedelta(days=100)
    await sandboxes.set_clock(app_id, later)
    await sandboxes.set_clock(app_id, later - timedelta(days=50))
    await states.run(app_id, put(a={"n": 1}))
    before = (await states.current(app_id)).clock_us
    for back in (later - timedelta(days=60), None):
        with pytest.raises(BackwardsError):
            await sandboxes.set_clock(app_id, back)
    assert (await states.current(app_id)).clock_us == before
    await sandboxes.reset(app_id)
    assert (await states.current(app_id)).now == START


async def test_a_move_counts_what_falls_due(states: States, sandboxes: Sandboxes, app_id: str) -> None:
    now = clock.now()
    told = [event(app_id, str(days), now + timedelta(days=days)) for days in (1, 2, 30)]
    await states.run(app_id, lambda state: Done({("test", "a"): {}}, told))
    assert (await sandboxes.set_clock(app_id, now + timedelta(days=5)))[1] == 2


# --- events with the change ---
async def test_events_are_kept_with_the_change(states: States, app_id: str) -> None:
    await states.run(app_id, lambda state: Done({("test", "a"): {}}, [event(app_id, "one", None)]))
    await states.run(app_id, lambda state: Done(told=[event(app_id, "two", None)]))
    assert [subject for subject, _ in await outbox_of(app_id)] == ["one", "two"]


async def test_no_event_without_its_change(
    states: States, app_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.city.state.MOST_RECORDS", 0)
    with pytest.raises(Exception, match="sandbox-state-full"):
        await states.run(app_id, lambda state: Done({("test", "a"): {}}, [event(app_id, "one", None)]))
    assert await outbox_of(app_id) == []
    assert (await states.current(app_id)).rows == {}


async def test_events_still_to_come_are_called_off(states: States, app_id: str) -> None:
    later = clock.now() + timedelta(days=3)
    told = [event(app_id, "one", later), event(app_id, "one", None), event(app_id, "two", later)]
    await states.run(app_id, lambda state: Done({}, told))
    await states.run(app_id, lambda state: Done({}, [], [("post@v1", "one")]))
    assert [(subject, due > 0) for subject, due in await outbox_of(app_id)] == [("one", False), ("two", True)]


# --- snapshots ---
async def test_a_kept_state_comes_back_whole(states: States, sandboxes: Sandboxes, app_id: str) -> None:
    now = clock.now()
    later = now + timedelta(days=40)
    await sandboxes.set_clock(app_id, now + timedelta(days=30))
    await states.run(
        app_id, lambda state: Done({("test", "a"): {"n": 1}}, [event(app_id, "one", later)]), city="c1"
    )
    kept = await sandboxes.keep(app_id, "before-transfer")
    assert (kept.records, kept.city, len(kept.events)) == (1, "c1", 1)
    await states.run(app_id, put(a=None, b={"n": 2}))
    await sandboxes.set_clock(app_id, now + timedelta(days=60))
    await sandboxes.reset(app_id)
    assert await outbox_of(app_id) == []

    other = States("sandbox")
    await other.current(app_id)
    restored = await sandboxes.restore(app_id, "before-transfer")
    assert restored is not None
    for seen in (states, other):
        state = await seen.current(app_id)
        assert state.rows == {("test", "a"): {"n": 1}}
        assert state.city == "c1"
        assert timedelta(days=29) < state.now - now < timedelta(days=31)
    assert [subject for subject, _ in await outbox_of(app_id)] == ["one"]
    await other.close()


async def test_a_reset_is_undone_and_redone(states: States, sandboxes: Sandboxes, app_id: str) -> None:
    await states.run(app_id, put(a={"n": 1}, gone=None))
    assert await sandboxes.reset(app_id) == 2
    assert await sandboxes.reset(app_id) == 0, "a second reset has nothing to lose, and loses no undo"
    assert await sandboxes.restore(app_id, BEFORE) is not None
    assert (await states.current(app_id)).rows == {("test", "a"): {"n": 1}, ("test", "gone"): None}
    assert await sandboxes.restore(app_id, BEFORE) is not None
    assert (await states.current(app_id)).rows == {}


async def test_names_and_limits_of_snapshots(states: States, sandboxes: Sandboxes, app_id: str) -> None:
    for number in range(MOST_SNAPSHOTS):
        await sandboxes.keep(app_id, f"s{number}")
    for name, error in (("s1", TakenError), (BEFORE, TakenError), ("one-more", TooManyError)):
        with pytest.raises(error):
            await sandboxes.keep(app_id, name)
    assert await sandboxes.drop(app_id, "s1")
    assert not await sandboxes.drop(app_id, "s1")
    await sandboxes.keep(app_id, "one-more")
    assert await sandboxes.restore(app_id, "s1") is None
    names = [one.name for one in await sandboxes.snapshots(app_id)]
    assert names[0] == "s0"
    assert names[-1] == "one-more"
    assert await sandboxes.snapshots(ids.random_id("a", 8)) == []


async def test_a_state_remembers_the_city_of_its_first_change(
    states: States, sandboxes: Sandboxes, app_id: str
) -> None:
    await states.run(app_id, put(a={}), city="old")
    await states.run(app_id, put(b={}), city="new")
    assert (await states.current(app_id)).city == "old"
    await sandboxes.reset(app_id)
    await states.run(app_id, put(b={}), city="new")
    assert (await states.current(app_id)).city == "new"


async def test_moving_the_clock_releases_what_is_due(
    states: States, sandboxes: Sandboxes, app_id: str
) -> None:
    """By the app's own clock: it stands in 2026, and the event is of the day after."""
    told = [event(app_id, "parcel", START + timedelta(days=1))]
    await states.run(app_id, lambda state: Done({("test", "a"): {}}, told), begins=True)

    async def released() -> bool:
        await release_due("sandbox", states.clocks)
        rows = await state_rows.fetch(
            plane("sandbox"), "SELECT released_at FROM event WHERE app_id = ?", app_id
        )
        return int(rows[0]["released_at"]) > 0

    assert not await released()
    await sandboxes.set_clock(app_id, START + timedelta(hours=23))
    assert not await released()
    await sandboxes.set_clock(app_id, START + timedelta(hours=25))
    assert await released()
