"""Bringing events to real receivers, on both databases: order, retries, hold-ups, ends, several couriers."""

import asyncio
import time
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

import msgspec
from standardwebhooks import Webhook

from api.core import clock, outbox
from api.core.models import JournalEntry
from api.core.store import Stores
from api.events.endpoints.models import Endpoint
from api.events.models import Attempt, Delivery, EndpointHealth
from tests.events.conftest import QUICK, Start
from tests.events.receiver import Answer, Message, Receiver, receiving
from tests.events.town import DELIVERED, NOTICE, SECRET, event, make_app, make_endpoint, tell


async def until(receiver: Receiver, count: int, seconds: float = 30) -> list[Message]:
    await asyncio.to_thread(receiver.wait_for, count, seconds)
    return receiver.messages


async def settled(app_id: str, *states: str, seconds: float = 20) -> list[Delivery]:
    """The app's deliveries in the order of its feed, once none of them is in another state."""
    end = asyncio.get_running_loop().time() + seconds
    while True:
        rows = await Delivery.filter(app_id=app_id).order_by("position")
        if rows and all(row.state in states for row in rows):
            return rows
        assert asyncio.get_running_loop().time() < end, [
            (row.state, row.attempts, row.reason) for row in rows
        ]
        await asyncio.sleep(0.05)


async def test_an_event_arrives_signed_as_a_cloud_event(stores: Stores, start: Start) -> None:
    app = await make_app()
    with receiving() as receiver:
        _, pair = await make_endpoint(app, receiver.url)
        [event_id] = await tell(event(app, 7, subject="parcel/七", request_id="rs_1"))
        await start()
        [message] = await until(receiver, 1)
        await settled(app.id, "delivered")
    assert message.headers["content-type"].startswith("application/cloudevents+json")
    assert message.id == event_id
    Webhook(pair.secret_text).verify(message.body, message.headers)
    found = message.event
    assert datetime.fromisoformat(found.pop("time"))
    assert found == {
        "specversion": "1.0", "id": event_id, "source": "/api/parcel/v1", "type": DELIVERED, "subject": "parcel/七",
        "datacontenttype": "application/json", "sequence": "1", "sequencetype": "Integer", "kaimenrequest": "rs_1",
        "data": {"number": 7, "姓名": "林·小雅"},
    }  # fmt: skip


async def test_a_subject_keeps_its_order_through_failures(stores: Stores, start: Start) -> None:
    app = await make_app()
    tries: dict[str, int] = defaultdict(int)

    def every_other(message: Message) -> Answer:
        tries[message.id] += 1
        return (503 if tries[message.id] == 1 else 200), {}, b"no" * 2000

    with receiving(every_other) as receiver:
        await make_endpoint(app, receiver.url)
        sent = [
            await tell(event(app, 10 * subject + number, subject=f"parcel/{subject}"))
            for number in range(6)
            for subject in range(3)
        ]
        await start()
        rows = await settled(app.id, "delivered")
    assert sorted(receiver.accepted) == sorted(one for [one] in sent)
    by_subject: dict[str, list[str]] = defaultdict(list)
    for message in receiver.messages:
        if message.status == 200:
            by_subject[message.event["subject"]].append(message.event["sequence"])
    assert set(map(tuple, by_subject.values())) == {("1", "2", "3", "4", "5", "6")}
    assert {row.attempts for row in rows} == {2}
    attempt = await Attempt.filter(delivery_id=rows[0].id).order_by("id").first()
    assert attempt is not None
    assert (attempt.status, len(attempt.snippet)) == (503, 512)


async def test_a_failing_event_holds_its_subject_up_for_a_time_then_there_is_a_gap(
    stores: Stores, start: Start
) -> None:
    app = await make_app()

    def not_the_first(message: Message) -> Answer:
        return (500 if message.event["sequence"] == "1" else 200), {}, b""

    with receiving(not_the_first) as receiver:
        await make_endpoint(app, receiver.url)
        first, second, third = await tell(*(event(app, number, subject="parcel/x") for number in range(3)))
        await start(msgspec.structs.replace(QUICK, block_seconds=1.0))
        await asyncio.to_thread(receiver.wait_until, lambda: len(receiver.accepted) == 2)
        rows = {row.event_id: row for row in await Delivery.filter(app_id=app.id)}
    assert receiver.accepted == [second, third]
    assert receiver.ids[:2] == [first, first]  # it was tried again before anything went past it
    assert rows[first].state == "waiting"
    assert rows[first].overtaken_at > 0


async def test_what_is_never_answered_is_given_up(stores: Stores, start: Start) -> None:
    app = await make_app()
    endpoint, _ = await make_endpoint(app, "http://127.0.0.1:1/events")
    await tell(event(app))
    await start(msgspec.structs.replace(QUICK, window_seconds=2.0))
    [row] = await settled(app.id, "failed")
    assert row.reason == "exhausted"
    assert row.attempts > 1
    attempts = await Attempt.filter(delivery_id=row.id)
    assert {one.status for one in attempts} == {0}
    assert all("unreachable" in one.error for one in attempts)
    assert (await Endpoint.get(id=endpoint.id)).state == "active"


async def test_retry_after_is_heeded(stores: Stores, start: Start) -> None:
    app = await make_app()
    answers = iter([(429, {"retry-after": "2"}, b""), (200, {}, b"")])
    with receiving(lambda _: next(answers)) as receiver:
        await make_endpoint(app, receiver.url)
        await tell(event(app))
        await start()
        await until(receiver, 2)
        [row] = await settled(app.id, "delivered")
    first, second = await Attempt.filter(delivery_id=row.id).order_by("id")
    assert second.at - first.at >= 2_000_000 - 1


async def test_redirects_are_not_followed(stores: Stores, start: Start) -> None:
    app = await make_app()
    with (
        receiving() as elsewhere,
        receiving(lambda _: (307, {"location": elsewhere.url}, b"")) as receiver,
    ):
        await make_endpoint(app, receiver.url)
        await tell(event(app))
        await start()
        await until(receiver, 2)
    assert elsewhere.messages == []
    attempt = await Attempt.filter(status=307).first()
    assert attempt is not None
    assert "redirect" in attempt.error


async def test_gone_disables_the_endpoint_and_tells(stores: Stores, start: Start) -> None:
    app = await make_app()
    with receiving(lambda _: (410, {}, b"")) as receiver:
        endpoint, _ = await make_endpoint(app, receiver.url, concurrency=1)
        await tell(*(event(app, number) for number in range(5)))
        await start()
        rows = await settled(app.id, "failed")
    assert {row.reason for row in rows} == {"gone", "endpoint-disabled"}
    row = await Endpoint.get(id=endpoint.id)
    assert (row.state, row.reason) == ("disabled", "gone")
    entry = await JournalEntry.filter(action="webhook:disable", subject=f"app/{app.id}").first()
    assert entry is not None


async def test_an_endpoint_without_a_good_answer_for_days_is_disabled(stores: Stores, start: Start) -> None:
    app = await make_app()
    endpoint, _ = await make_endpoint(app, "http://127.0.0.1:1/events")
    days_ago = outbox.microseconds(clock.now() - timedelta(days=6))
    await EndpointHealth.create(endpoint_id=endpoint.id, failing_since=days_ago, failures=50)
    await tell(event(app))
    await start()
    [row] = await settled(app.id, "failed")
    assert row.reason == "endpoint-disabled"
    changed = await Endpoint.get(id=endpoint.id)
    assert (changed.state, changed.reason) == ("disabled", "failing")


async def test_an_address_that_is_not_allowed_is_never_called(stores: Stores, start: Start) -> None:
    app = await make_app()
    with receiving() as receiver:
        await make_endpoint(app, receiver.url)
        await make_endpoint(app, "http://169.254.169.254/latest/meta-data")
        await tell(event(app))
        await start(msgspec.structs.replace(QUICK, window_seconds=0.3), embedded=False)
        rows = await settled(app.id, "failed")
    assert receiver.messages == []
    for row in rows:
        attempt = await Attempt.filter(delivery_id=row.id).first()
        assert attempt is not None
        assert attempt.error.startswith("refused")


async def test_who_may_know_of_what(stores: Stores, start: Start) -> None:
    low, high, other = await make_app(), await make_app(level="L3"), await make_app()
    with receiving() as receiver:
        for app in (low, high):
            await make_endpoint(app, f"{receiver.url}/{app.id}")
        await make_endpoint(other, f"{receiver.url}/{other.id}", types=(DELIVERED,))
        await make_endpoint(other, f"{receiver.url}/new", state="unverified")
        own = [event(app, type=SECRET) for app in (low, high)]
        public = [msgspec.structs.replace(event(low, type=name), app_id="") for name in (NOTICE, SECRET)]
        await tell(*own, *public, event(low), msgspec.structs.replace(event(low), type="parcel.unheard-of"))
        await start()
        await until(receiver, 4)
        await settled(low.id, "delivered")
        await settled(high.id, "delivered")
        await asyncio.sleep(0.3)
    got = sorted((message.path.rpartition("/")[2], message.event["type"]) for message in receiver.messages)
    assert got == sorted([(high.id, SECRET), (low.id, NOTICE), (high.id, NOTICE), (low.id, DELIVERED)])


class SetClocks:
    """Clocks that a test sets."""

    def __init__(self) -> None:
        self.ahead: dict[str, timedelta] = {}

    async def moved(self) -> dict[str, datetime]:
        return {app_id: clock.now() + ahead for app_id, ahead in self.ahead.items()}


async def test_an_event_of_the_future_comes_when_the_apps_clock_does(stores: Stores, start: Start) -> None:
    app, clocks = await make_app(), SetClocks()
    day = timedelta(days=1)
    with receiving() as receiver:
        await make_endpoint(app, receiver.url)
        later, sooner = await tell(
            event(app, 2, subject="parcel/x", due_at=clock.now() + 3 * day),
            event(app, 1, subject="parcel/x", due_at=clock.now() + 2 * day),
        )
        now = await tell(event(app, 0, subject="parcel/x"))
        await start(clocks=clocks)
        await until(receiver, 1)
        await asyncio.sleep(0.2)
        assert receiver.ids == now
        clocks.ahead[app.id] = 30 * day
        await until(receiver, 3)
    assert receiver.ids == [*now, sooner, later]
    assert [message.event["sequence"] for message in receiver.messages] == ["1", "2", "3"]
    assert datetime.fromisoformat(receiver.messages[1].event["time"]) > clock.now() + day


async def test_a_receiver_is_not_met_by_more_than_it_asked_for(stores: Stores, start: Start) -> None:
    app = await make_app()

    def slow(message: Message) -> Answer:
        time.sleep(0.02)
        return 200, {}, b""

    with receiving(slow) as receiver:
        await make_endpoint(app, receiver.url, concurrency=3)
        await tell(*(event(app, number) for number in range(40)))
        await start()
        await until(receiver, 40)
    assert 1 < receiver.most_at_once <= 3


async def test_eight_couriers_bring_each_event_once(stores: Stores, start: Start) -> None:
    apps = [await make_app() for _ in range(2)]
    with receiving() as receiver:
        for app in apps:
            await make_endpoint(app, receiver.url)
        sent: list[str] = []
        for turn in range(4):
            for app in apps:
                sent += await tell(
                    *(
                        event(app, number, subject=f"parcel/{number % 5}")
                        for number in range(turn * 20, turn * 20 + 20)
                    )
                )
        for _ in range(8):
            await start()
        await until(receiver, len(sent))
        for app in apps:
            await settled(app.id, "delivered")
        await asyncio.sleep(0.3)
    assert sorted(receiver.ids) == sorted(sent)
    order: dict[Any, list[int]] = defaultdict(list)
    for message in receiver.messages:
        order[message.event["subject"]].append(int(message.event["sequence"]))
    for numbers in order.values():  # of two apps each
        assert sorted(numbers) == sorted([*range(1, 17)] * 2)


async def test_one_app_one_order_with_eight_couriers(stores: Stores, start: Start) -> None:
    app = await make_app()
    with receiving() as receiver:
        await make_endpoint(app, receiver.url)
        sent = await tell(*(event(app, number, subject="parcel/one") for number in range(30)))
        for _ in range(8):
            await start()
        await until(receiver, 30)
    assert receiver.ids == sent
