"""Idempotency keys at the gateway: done once, answered as often as asked, on a real upstream and both databases."""

import asyncio
import os
from datetime import timedelta
from typing import Any

import httpx
from msgspec import structs

from api.core import clock
from api.core.crypto import Vault
from api.core.store import Stores
from api.gateway.kept_answers import KeptAnswers
from api.gateway.models import KeptAnswer
from api.gateway.rest import RestFace
from api.gateway.snapshot import ServiceEntry, Snapshot
from api.settings import Settings
from tests.gateway.made import Body, Media, Response, World, operation, service
from tests.gateway.raw_upstream import Upstream, Visit, serving

ORDER = operation(
    "createOrder", method="POST", path="/orders", idempotent=True,
    responses=(Response("201", "", (Media("application/json", None),)),),
    body=Body(required=True, media=(Media("application/json", {"type": "object"}),)),
)  # fmt: skip
KEY = {"idempotency-key": "order-1"}


class Department:
    """Counts the orders that it takes; `behave` says how it answers the next ones."""

    def __init__(self) -> None:
        self.orders = 0
        self.behave = "created"
        self.wait = asyncio.Event()

    async def run(self, visit: Visit) -> None:
        while True:
            head = await visit.head()
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            await visit.reader.readexactly(length)
            self.orders += 1
            body = b'{"number":"%d"}' % self.orders
            if self.behave == "slow":
                await self.wait.wait()
            if self.behave == "broken":
                return
            status = {"refused": b"422 No", "fault": b"500 Oh", "busy": b"503 Busy\r\nRetry-After: 1"}.get(
                self.behave, b"201 Created\r\nLocation: /orders/1"
            )
            await visit.send(
                b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
                % (status, len(body), body)
            )


class Desk:
    """A gateway in front of the department."""

    def __init__(self, upstream: Upstream, *, vault: Vault | None = None, **settings: Any) -> None:
        made = structs.replace(Settings(), flood_per_second=1_000_000, **settings)
        self.vault = vault or Vault(os.urandom(32))
        self.world = World(settings=made, kept_answers=KeptAnswers("sandbox", self.vault))
        self.world.holder.current = Snapshot.of(
            [ServiceEntry(service([ORDER]), upstream.connector())], self.world.apps
        )
        self.face = RestFace(self.world.gateway)

    async def order(
        self, body: str = '{"copies": 1}', headers: dict[str, str] | None = None
    ) -> httpx.Response:
        given = KEY if headers is None else headers
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.face), base_url="http://gateway"
        ) as client:
            return await client.post(
                "/api/company/v1/orders", content=body,
                headers={"authorization": self.world.bearer().decode(), "content-type": "application/json", **given},
            )  # fmt: skip


def rule_of(answer: httpx.Response) -> str:
    return str(answer.json()["rule"])


async def test_a_repetition_gets_the_first_answer(stores: Stores) -> None:
    department = Department()
    async with serving(department.run) as upstream:
        desk = Desk(upstream)
        first, again = await desk.order(), await desk.order()
    assert (first.status_code, again.status_code, department.orders) == (201, 201, 1)
    assert again.content == first.content
    assert again.headers["location"] == first.headers["location"]
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"


async def test_without_a_key_everything_is_done_again(stores: Stores) -> None:
    department = Department()
    async with serving(department.run) as upstream:
        desk = Desk(upstream)
        await desk.order(headers={})
        await desk.order(headers={})
    assert department.orders == 2


async def test_another_request_or_app_with_the_key(stores: Stores) -> None:
    department = Department()
    async with serving(department.run) as upstream:
        desk, other = Desk(upstream), Desk(upstream)
        await desk.order()
        refused = await desk.order('{"copies": 2}')
        assert (refused.status_code, rule_of(refused)) == (422, "idempotency-key-reused")
        assert (await other.order()).status_code == 201, "another app's keys are its own"
    assert department.orders == 2


async def test_eight_at_once_are_done_once(stores: Stores) -> None:
    department = Department()
    department.behave = "slow"
    async with serving(department.run) as upstream:
        desk = Desk(upstream)
        calls = [asyncio.create_task(desk.order()) for _ in range(8)]
        while sum(one.done() for one in calls) < 7:
            await asyncio.sleep(0.01)
        department.wait.set()
        answers = await asyncio.gather(*calls)
    assert sorted(one.status_code for one in answers) == [201] + [409] * 7
    late = [one for one in answers if one.status_code == 409]
    assert {rule_of(one) for one in late} == {"idempotency-in-progress"}
    assert {one.headers["retry-after"] for one in late} == {"1"}
    assert department.orders == 1


async def test_what_was_refused_may_be_mended_under_the_same_key(stores: Stores) -> None:
    department = Department()
    department.behave = "refused"
    async with serving(department.run) as upstream:
        desk = Desk(upstream)
        assert (await desk.order()).status_code == 422
        department.behave = "busy"
        assert (await desk.order('{"copies": 3}')).status_code == 503
        department.behave = "created"
        assert (await desk.order('{"copies": 2}')).status_code == 201


async def test_after_a_fault_it_is_not_sent_twice(stores: Stores) -> None:
    for behaviour, status in (("fault", 500), ("broken", 502)):
        department = Department()
        department.behave = behaviour
        async with serving(department.run) as upstream:
            desk = Desk(upstream)
            assert (await desk.order()).status_code == status
            department.behave = "created"
            again = await desk.order()
        assert (again.status_code, rule_of(again)) == (409, "idempotency-outcome-unknown")
        assert department.orders == 1


async def test_a_system_that_is_away_was_sent_nothing(stores: Stores) -> None:
    department = Department()
    async with serving(department.run) as upstream:
        desk = Desk(upstream)
    assert (await desk.order()).status_code == 502
    assert (await desk.order()).status_code == 502, "the key was given back"
    assert await KeptAnswer.filter(app_id=desk.world.app_id).count() == 0


async def test_answers_are_sealed_and_end(stores: Stores) -> None:
    department = Department()
    async with serving(department.run) as upstream:
        desk = Desk(upstream)
        await desk.order()
        row = await KeptAnswer.get(app_id=desk.world.app_id)
        assert row.state == "done"
        assert "number" not in row.answer
        await KeptAnswer.filter(id=row.id).update(expires_at=clock.now() - timedelta(seconds=1))
        assert (await desk.order()).status_code == 201
    assert department.orders == 2, "after 24 hours the key is a new one"
    kept = KeptAnswers("sandbox", desk.vault)
    await KeptAnswer.filter(app_id=desk.world.app_id).update(expires_at=clock.now() - timedelta(seconds=1))
    await kept.sweeping().run()
    assert await KeptAnswer.filter(app_id=desk.world.app_id).count() == 0
