"""Feeds: places given once whoever releases, what is taken back, what is forgotten; and when to try again."""

import asyncio
from datetime import timedelta
from email.utils import format_datetime

import msgspec
import pytest
from tortoise.transactions import in_transaction

from api.core import clock, outbox
from api.core.caller import OPERATOR
from api.core.egress import Egress
from api.core.outbox import EventTooLargeError
from api.core.problems import Refusal
from api.core.store import Stores, plane
from api.events import deliveries, feed
from api.events.models import Delivery, FeedEntry
from api.events.release import RealClocks, release_due
from api.events.schedule import retry_after_of, schedule_of
from api.events.sender import egress_for_webhooks, split_url
from api.settings import Settings
from tests.events.town import NOTICE, event, make_app, make_endpoint, tell


async def test_eight_release_and_each_place_is_given_once(stores: Stores) -> None:
    app, other = await make_app(), await make_app()
    endpoint, _ = await make_endpoint(app, "http://127.0.0.1:9/")
    sent: list[str] = []

    async def write() -> None:
        for number in range(10):
            sent.extend(await tell(event(app, number, subject=f"parcel/{number % 3}"), event(other, number)))

    async def release() -> None:
        for _ in range(15):
            await release_due("sandbox", RealClocks())
            await asyncio.sleep(0)

    await asyncio.gather(*(write() for _ in range(3)), *(release() for _ in range(8)))
    await release_due("sandbox", RealClocks())
    for one in (app, other):
        rows = await FeedEntry.filter(app_id=one.id).order_by("position")
        assert [row.position for row in rows] == list(range(1, 31))
        lanes: dict[str, list[int]] = {}
        for row in rows:
            lanes.setdefault(row.lane, []).append(row.sequence)
        assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in lanes.values())
    assert await Delivery.filter(endpoint_id=endpoint.id).count() == 30
    page = await feed.read_feed(OPERATOR, app.id, limit=100)
    assert {one["id"] for one in page.events} <= set(sent)
    assert len(page.events) == 30


async def test_events_for_one_and_for_everybody_keep_their_order(stores: Stores) -> None:
    app = await make_app()
    wanted: list[str] = []
    for turn in range(3):
        own = event(app, turn, subject="parcel/o")
        wanted += await tell(own)
        wanted += await tell(msgspec.structs.replace(own, app_id="", type=NOTICE))
        wanted += await tell(own)
    for _ in range(10):
        await release_due("sandbox", RealClocks())
    page = await feed.read_feed(OPERATOR, app.id)
    assert [one["id"] for one in page.events] == wanted
    assert [one["sequence"] for one in page.events] == [str(number) for number in range(1, 10)]


async def test_what_is_rolled_back_was_never_told(stores: Stores) -> None:
    app = await make_app()
    with pytest.raises(RuntimeError):
        async with in_transaction("sandbox") as connection:
            await outbox.add_all(connection, "sandbox", [event(app)])
            raise RuntimeError
    await release_due("sandbox", RealClocks())
    assert await FeedEntry.filter(app_id=app.id).count() == 0


async def test_an_event_that_is_taken_back_never_comes(stores: Stores) -> None:
    app = await make_app()
    later = clock.now() + timedelta(days=1)
    await tell(
        event(app, 1, subject="parcel/a", due_at=later), event(app, 2, subject="parcel/b", due_at=later)
    )
    async with in_transaction("sandbox") as connection:
        assert await outbox.withdraw(connection, app.id, "parcel@v1", "parcel/a") == 1

    class Tomorrow(RealClocks):
        async def moved(self):  # type: ignore[no-untyped-def]
            return {app.id: later + timedelta(days=1)}

    await release_due("sandbox", Tomorrow())
    page = await feed.read_feed(OPERATOR, app.id)
    assert [one["subject"] for one in page.events] == ["parcel/b"]


async def test_an_event_carries_no_documents(stores: Stores) -> None:
    app = await make_app()
    with pytest.raises(EventTooLargeError):
        await tell(msgspec.structs.replace(event(app), data={"text": "字" * 30_000}))


async def test_what_is_old_is_forgotten_and_sequences_go_on(stores: Stores) -> None:
    app = await make_app()
    await make_endpoint(app, "http://127.0.0.1:9/")
    await tell(*(event(app, number, subject="parcel/x") for number in range(3)))
    await release_due("sandbox", RealClocks())
    await Delivery.filter(app_id=app.id, position__lt=3).update(state="delivered")
    for table, column in (
        ("event", "released_at"),
        ("event_feed", "released_at"),
        ("webhook_delivery", "created_at"),
    ):
        await plane("sandbox").execute_query(f"UPDATE {table} SET {column} = 1 WHERE {column} > 0")
    await deliveries.clear_old("sandbox", 30)
    assert [row.position for row in await Delivery.filter(app_id=app.id)] == [3]  # it still waits
    assert [row.sequence for row in await FeedEntry.filter(app_id=app.id)] == [3]
    await tell(event(app, 4, subject="parcel/x"))
    await release_due("sandbox", RealClocks())
    page = await feed.read_feed(OPERATOR, app.id)
    assert [one["sequence"] for one in page.events] == ["3", "4"]


async def test_acknowledging_never_goes_backwards(stores: Stores) -> None:
    app = await make_app()
    await tell(*(event(app, number) for number in range(4)))
    await release_due("sandbox", RealClocks())
    done = await asyncio.gather(*(feed.acknowledge(OPERATOR, app.id, str(place)) for place in (3, 1, 4, 2)))
    assert "4" in done
    assert (await feed.read_feed(OPERATOR, app.id)).acknowledged == "4"
    with pytest.raises(Refusal):
        await feed.acknowledge(OPERATOR, app.id, "5")
    with pytest.raises(Refusal):
        await feed.read_feed(OPERATOR, app.id, cursor="x")


def test_pauses_grow_and_scatter() -> None:
    live = schedule_of(Settings(environment="live"))
    assert live.window_seconds == 72 * 3600
    assert schedule_of(Settings()).window_seconds == 15 * 60
    pauses = {live.pause_after(1) for _ in range(50)}
    assert len(pauses) > 10
    assert all(3.75 <= pause <= 6.25 for pause in pauses)
    assert live.pause_after(99) >= 28800 * 0.75
    assert live.pause_after(1, 7200) == 7200
    assert live.pause_after(1, 10**9) == 86_400
    least = sum(live.pause_after(attempt) for attempt in range(1, 25)) / 3600
    assert least > 72, "the pauses of some twenty attempts fill the three days"


def test_retry_after_in_both_forms() -> None:
    assert retry_after_of("120") == 120
    assert 50 < retry_after_of(format_datetime(clock.now() + timedelta(seconds=60), usegmt=True)) <= 60
    assert retry_after_of(format_datetime(clock.now() - timedelta(days=1), usegmt=True)) == 0
    assert [retry_after_of(text) for text in ("", "soon", "-5", "1.5")] == [0, 0, 0, 0]


def test_where_webhooks_may_go() -> None:
    public = egress_for_webhooks(Settings(webhook_allow="public, 10.1.0.0/16"))
    for address, may in (
        ("93.184.216.34", True), ("2606:2800:220:1::1", True), ("10.1.2.3", True), ("10.2.0.1", False), ("127.0.0.1", False),
        ("192.168.1.1", False), ("169.254.169.254", False), ("100.100.100.200", False), ("::ffff:10.9.9.9", False),
        ("64:ff9b::a00:1", False), ("2002:a00:1::1", False),
    ):  # fmt: skip
        assert public.is_allowed(address) is may, address
    assert not Egress().is_allowed("93.184.216.34")
    assert egress_for_webhooks(Settings(egress_allow="10.1.0.0/16")).is_allowed("10.1.2.3")


def test_addresses_may_have_a_query() -> None:
    target, path = split_url("https://app.example/hook/?token=a%20b")
    assert (target.host, target.port, path) == ("app.example", 443, "/hook/?token=a%20b")
    assert split_url("http://app.example")[1] == "/"
