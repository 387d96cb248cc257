"""The state of each app: its own, kept, right with racers in one process and in several, and reset."""

import asyncio
from typing import Any

import msgspec
import pytest

from api.core import ids
from api.core.outbox import NewEvent
from api.core.problems import Refusal
from api.core.store import plane
from sandbox.city import state as state_module
from sandbox.city.models import StateHead, StateRow
from sandbox.city.population import personas
from sandbox.city.state import UNTOUCHED, Changes, State, States
from tests.sandbox.conftest import Client


class Done(msgspec.Struct):
    changes: Changes
    seen: Any = None
    told: list[NewEvent] = []
    withdrawn: list[tuple[str, str]] = []


def put(**records: Any) -> Any:
    return lambda state: Done({("test", key): value for key, value in records.items()})


def increment(state: State) -> Done:
    record = state.rows.get(("test", "counter")) or {"count": 0}
    return Done({("test", "counter"): {"count": record["count"] + 1}}, record["count"])


@pytest.fixture
def state_id() -> str:
    return ids.random_id("a", 8)


@pytest.fixture
async def states(stores: object) -> Any:
    made = States("sandbox")
    yield made
    await made.close()


async def test_nothing_written_nothing_stored(states: States, state_id: str) -> None:
    assert (await states.current(state_id)) == UNTOUCHED
    assert (await states.run(state_id, lambda state: Done({}, 5))).seen == 5
    assert await StateHead.filter(state_id=state_id).count() == 0


async def test_written_changed_removed(states: States, state_id: str) -> None:
    await states.run(state_id, put(a={"n": 1}, b={"n": 2}))
    await states.run(state_id, put(a={"n": 3}, b=None))
    fresh = States("sandbox")
    assert (await fresh.current(state_id)).rows == {("test", "a"): {"n": 3}, ("test", "b"): None}
    assert (await fresh.current(state_id)).version == 2
    assert await StateRow.filter(state_id=state_id).count() == 2
    await fresh.close()


async def test_states_are_apart(states: States) -> None:
    one, two = ids.random_id("a", 8), ids.random_id("a", 8)
    await states.run(one, put(a={"n": 1}))
    assert (await states.current(two)).rows == {}
    await states.run(two, put(a={"n": 2}))
    assert (await states.current(one)).rows == {("test", "a"): {"n": 1}}


async def test_an_older_state_is_never_altered(states: States, state_id: str) -> None:
    await states.run(state_id, put(a={"n": 1}))
    before = await states.current(state_id)
    await states.run(state_id, put(a={"n": 2}))
    assert before.rows == {("test", "a"): {"n": 1}}


async def test_eight_racers_in_one_process(states: States, state_id: str) -> None:
    seen = await asyncio.gather(*(states.run(state_id, increment) for _ in range(8)))
    assert sorted(one.seen for one in seen) == list(range(8))
    assert (await states.current(state_id)).rows["test", "counter"] == {"count": 8}


async def test_eight_racers_in_eight_processes(states: States, state_id: str) -> None:
    """Caches of their own, as in eight processes: nothing is lost, and each reads its own write."""
    others = [States("sandbox") for _ in range(8)]

    async def work(own: States) -> list[int]:
        seen = []
        for _ in range(5):
            seen.append((await own.run(state_id, increment)).seen)
            count = (await own.current(state_id)).rows["test", "counter"]
            assert count is not None
            assert count["count"] > seen[-1]
        return seen

    seen = await asyncio.gather(*(work(one) for one in others))
    assert sorted(number for each in seen for number in each) == list(range(40))
    assert (await states.current(state_id)).version == 40
    for one in others:
        await one.close()


async def test_another_process_is_seen_at_once(states: States, state_id: str) -> None:
    other = States("sandbox")
    for number in range(3):
        await states.run(state_id, put(a={"n": number}))
        assert (await other.current(state_id)).rows["test", "a"] == {"n": number}
    await other.reset(state_id)
    assert (await states.current(state_id)).rows == {}
    await states.run(state_id, put(b={"n": 1}))
    assert (await other.current(state_id)).rows == {("test", "b"): {"n": 1}}
    await other.close()


async def test_a_sole_process_looks_once_a_second(
    state_id: str, states: States, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_module, "_LOOK_AGAIN_SECONDS", 3600.0)
    sole = States("sandbox", is_sole=True)
    await sole.run(state_id, put(a={"n": 1}))
    await states.run(state_id, put(a={"n": 2}))
    assert (await sole.current(state_id)).rows["test", "a"] == {"n": 1}
    monkeypatch.setattr(state_module, "_LOOK_AGAIN_SECONDS", 0.0)
    assert (await sole.current(state_id)).rows["test", "a"] == {"n": 2}
    monkeypatch.setattr(state_module, "_LOOK_AGAIN_SECONDS", 3600.0)
    await states.run(state_id, put(c={"n": 4}))
    await sole.run(state_id, put(b={"n": 3}))
    assert set((await sole.current(state_id)).rows) == {("test", "a"), ("test", "b"), ("test", "c")}, (
        "a write is made on what is there, however old the look"
    )
    await sole.close()


async def test_reset_and_go_on(states: States, state_id: str) -> None:
    await states.run(state_id, put(a={"n": 1}, b={"n": 1}))
    assert await states.reset(state_id) == 2
    assert (await states.current(state_id)).rows == {}
    assert await states.reset(state_id) == 0
    await states.run(state_id, put(a={"n": 5}))
    assert (await states.current(state_id)).rows == {("test", "a"): {"n": 5}}


async def test_a_reset_between_read_and_write_is_noticed(states: States, state_id: str) -> None:
    await states.run(state_id, put(a={"n": 1}))
    other = States("sandbox")
    await other.reset(state_id)
    result = await states.run(state_id, increment)
    assert result.seen == 0
    assert (await states.current(state_id)).rows == {("test", "counter"): {"count": 1}}
    await other.close()


async def test_the_state_is_bounded(states: States, state_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_module, "MOST_RECORDS", 3)
    await states.run(state_id, put(a={}, b={}, c={}))
    with pytest.raises(Refusal) as refused:
        await states.run(state_id, put(d={}))
    assert refused.value.kind.slug == "sandbox-state-full"
    assert len((await states.current(state_id)).rows) == 3
    await states.run(state_id, put(a={"n": 1}))


async def test_the_cache_is_bounded(states: States, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state_module, "_MOST_CACHED_STATES", 3)
    names = [ids.random_id("a", 8) for _ in range(6)]
    for name in names:
        await states.run(name, put(a={"name": name}))
    assert len(states._cache) == 3
    assert states._cache._records == 3
    for name in names:
        assert (await states.current(name)).rows["test", "a"] == {"name": name}


async def test_text_of_every_plane_survives(states: States, state_id: str) -> None:
    text = "欧阳𬱖 · ' \" \\ \n \x00 €"
    await states.run(state_id, put(a={"text": text}))
    fresh = States("sandbox")
    assert (await fresh.current(state_id)).rows["test", "a"] == {"text": text}
    await fresh.close()


async def test_state_lives_in_its_plane_only(states: States, state_id: str) -> None:
    await states.run(state_id, put(a={}))
    assert await StateRow.filter(state_id=state_id).using_db(plane("live")).count() == 0


# --- seen by apps -----------------------------------------------------------------------------
async def test_an_apps_orders_are_its_own(app: Client, other_app: Client) -> None:
    created = await app("post/createOrder")
    number = created.body["number"]
    assert created.status == 201
    assert created.headers["location"] == f"/api/post/v1/orders/{number}"
    assert (await app("post/getOrder", number=number)).body["number"] == number
    assert (await other_app("post/getOrder", number=number)).status == 404
    assert [item["number"] for item in (await app("post/listOrders")).body["items"]] == [number]
    assert (await other_app("post/listOrders")).body["items"] == []
    await app.side.states.reset(app.state_id)
    assert (await app("post/getOrder", number=number)).status == 404
    again = await app("post/createOrder")
    assert again.body["number"] == number, "the same steps from the same start give the same numbers"


async def test_cancelling_an_example_order_is_ones_own_too(app: Client, other_app: Client) -> None:
    cancelled = await app("post/cancelOrder")
    number = cancelled.body["number"]
    assert cancelled.body["status"] == "cancelled"
    assert (await app("post/getOrder", number=number)).body["status"] == "cancelled"
    events = (await app("post/listEvents", number=number)).body["items"]
    assert [event["event"] for event in events] == ["accepted", "cancelled"]
    assert (await other_app("post/getOrder", number=number)).body["status"] == "accepted"
    again = await app("post/cancelOrder", number=number)
    assert again.body == cancelled.body


async def test_an_idempotency_key_orders_once(app: Client, other_app: Client) -> None:
    first = await app("post/createOrder", Idempotency__Key="k-1")
    again = await app("post/createOrder", Idempotency__Key="k-1")
    assert (again.status, again.body) == (first.status, first.body)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    assert len((await app("post/listOrders")).body["items"]) == 1
    with pytest.raises(Refusal) as refused:
        await app("post/createOrder", Idempotency__Key="k-1", body={"service": "express"})
    assert refused.value.kind.slug == "idempotency-key-reused"
    assert (await other_app("post/createOrder", Idempotency__Key="k-1")).status == 201


async def test_a_refusal_is_not_kept_under_the_key(app: Client) -> None:
    wrong = {"item": {"company_code": personas.code_of("liuyun-trading")}}
    assert (await app("post/createOrder", Idempotency__Key="k-2", body=wrong)).status == 422
    assert (await app("post/createOrder", Idempotency__Key="k-2")).status == 201


async def test_racers_with_one_key_make_one_order(app: Client) -> None:
    answers = await asyncio.gather(*(app("post/createOrder", Idempotency__Key="k-3") for _ in range(8)))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body["number"] for answer in answers}) == 1
    assert len((await app("post/listOrders")).body["items"]) == 1


async def test_racers_without_a_key_make_one_order_too(app: Client) -> None:
    """A licence is on one way at a time: of eight orders for it one is taken."""
    answers = await asyncio.gather(*(app("post/createOrder") for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [201] + [409] * 7
