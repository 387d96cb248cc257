"""The table of calls under way: each is handed out once, whoever races, on both databases; nothing lies in it readable."""

import asyncio
import os
import time
from typing import Any

import pytest

from api.core.crypto import Vault
from api.core.problems import Failure, Refusal
from api.core.store import Stores
from api.gateway.agents.calls import LOST, TAKEN, AgentCalls
from api.gateway.agents.connector import AgentConnector
from api.gateway.agents.hub import Hub
from api.gateway.agents.letters import LIMIT_BYTES, AnswerLetter, CallLetter, Told
from api.gateway.connector import Context, Request
from api.gateway.idempotency import _was_not_sent
from api.gateway.models import AgentCall
from tests.gateway.made import operation, service

VAULT = Vault(os.urandom(32))
OPERATION = operation("createOrder", method="POST", path="/orders")


def letter(name: str = "示例") -> CallLetter:
    return CallLetter(
        "company@v1",
        "r",
        "createOrder",
        {"code": name},
        {},
        {},
        "/orders",
        name.encode(),
        "text/plain",
        [],
        {},
    )


@pytest.fixture
async def calls(stores: Stores) -> AgentCalls:
    made = AgentCalls("sandbox", VAULT)
    await AgentCall.all().delete()
    for process in ("p1", "p2"):
        await made.beat(process, "hall", "1.0", [], is_leaving=False)
    return made


async def test_of_eight_racers_one_has_the_call(calls: AgentCalls) -> None:
    for _ in range(5):
        identifier = await calls.put("hall", letter(), 30)
        taken = await asyncio.gather(*(calls.take("hall", f"p{n}") for n in range(8)))
        assert [one.id for one in taken if one is not None] == [identifier]


async def test_eight_racers_share_eight_calls(calls: AgentCalls) -> None:
    put = {await calls.put("hall", letter(), 30) for _ in range(8)}
    taken = await asyncio.gather(*(calls.take("hall", f"p{n}") for n in range(8)))
    assert {one.id for one in taken if one is not None} == put


async def test_taken_back_or_handed_out_never_both(calls: AgentCalls) -> None:
    for _ in range(8):
        identifier = await calls.put("hall", letter(), 30)
        back, *taken = await asyncio.gather(
            calls.take_back(identifier), *(calls.take("hall", f"p{n}") for n in range(7))
        )
        assert bool(back) + sum(one is not None for one in taken) == 1


async def test_given_up_or_answered_never_both(calls: AgentCalls) -> None:
    for _ in range(8):
        identifier = await calls.put("hall", letter(), 30)
        assert await calls.take("hall", "p1") is not None
        up, answered = await asyncio.gather(
            calls.give_up(identifier), calls.answer(identifier, "hall", AnswerLetter(200))
        )
        assert up != answered


async def test_nothing_lies_there_readable_and_nothing_stays(calls: AgentCalls) -> None:
    identifier = await calls.put("hall", letter("张三"), 30)
    row = await AgentCall.get(id=identifier)
    assert row.request.startswith("intl$")
    assert "张三".encode().hex() not in row.request
    taken = await calls.take("hall", "p1")
    assert taken is not None
    assert taken.letter == letter("张三")
    assert 0 < taken.remaining_ms <= 30_000
    assert (await AgentCall.get(id=identifier)).request == ""
    assert await calls.answer(identifier, "hall", AnswerLetter(200, [], b"secret"))
    assert "secret" not in (await AgentCall.get(id=identifier)).answer
    found = await calls.fetch_answer(identifier)
    assert found is not None
    assert found.body == b"secret"
    assert not await AgentCall.exists(id=identifier)


async def test_another_agent_gets_and_answers_nothing(calls: AgentCalls) -> None:
    identifier = await calls.put("hall", letter(), 30)
    assert await calls.take("other", "p1") is None
    assert await calls.take("hall", "p1") is not None
    assert not await calls.answer(identifier, "other", AnswerLetter(200))
    assert await calls.answer(identifier, "hall", AnswerLetter(200))
    assert await calls.answer(identifier, "hall", AnswerLetter(200)), "the same answer again changes nothing"


async def test_a_call_past_its_deadline_is_handed_to_nobody(calls: AgentCalls) -> None:
    await calls.put("hall", letter(), 0.0)
    assert await calls.take("hall", "p1") is None


async def test_a_silent_holder_has_lost_its_call_and_a_heartbeat_keeps_it(calls: AgentCalls) -> None:
    identifier = await calls.put("hall", letter(), 30)
    assert await calls.take("hall", "p1") is not None
    assert await calls.states([identifier]) == {identifier: TAKEN}
    await AgentCall.filter(id=identifier).update(lease_until=1)
    assert await calls.states([identifier]) == {identifier: LOST}
    await calls.beat("p2", "hall", "1.0", [identifier], is_leaving=False)
    assert await calls.states([identifier]) == {identifier: LOST}, "another process says nothing about it"
    await calls.beat("p1", "hall", "1.0", [identifier], is_leaving=False)
    assert await calls.states([identifier]) == {identifier: TAKEN}
    assert await calls.take("hall", "p2") is None, "it is never handed out again"


async def test_who_leaves_or_is_silent_takes_nothing(calls: AgentCalls) -> None:
    assert await calls.is_taking("p1")
    await calls.beat("p1", "hall", "1.0", [], is_leaving=True)
    assert not await calls.is_taking("p1")
    assert not await calls.is_taking("p9")
    assert await calls.is_there("hall", 10)
    await calls.beat("p2", "hall", "1.0", [], is_leaving=True)
    assert not await calls.is_there("hall", 10)


async def test_the_sweep_forgets_what_is_long_past(calls: AgentCalls) -> None:
    old, new = await calls.put("hall", letter(), 30), await calls.put("hall", letter(), 30)
    await AgentCall.filter(id=old).update(deadline_at=1)
    await calls.sweep()
    assert await AgentCall.all().values_list("id", flat=True) == [new]


# -- the connector over it ----------------------------------------------------------------------------
def made(calls: AgentCalls) -> tuple[AgentConnector, Hub]:
    hub = Hub(calls)
    return AgentConnector("hall", service([OPERATION]), "", hub), hub


def asking(connector: AgentConnector, seconds: float = 5.0, body: bytes = b"{}") -> Any:
    context = Context(
        request_id="rs_1", deadline=time.monotonic() + seconds, environment="sandbox", app_id="a_1"
    )
    return connector.call(OPERATION, Request({}, {}, {}, "/orders", body, "application/json"), context)


async def test_an_answer_through_another_process_is_seen(calls: AgentCalls) -> None:
    connector, hub = made(calls)
    call = asyncio.create_task(asking(connector))
    other = Hub(calls)  # of another process: it can't wake this one
    assert await other.wait_for_call("hall", 5, is_wanted=lambda: asyncio.sleep(0, True))
    taken = await calls.take("hall", "p1")
    assert taken is not None
    assert taken.letter.body == b"{}"
    assert taken.letter.context["app_id"] == "a_1"
    assert await calls.answer(taken.id, "hall", AnswerLetter(201, [(b"x", b"y")], b"done"))
    result = await call
    assert (result.status, result.headers, result.body) == (201, [(b"x", b"y")], b"done")
    assert not await AgentCall.all().exists()
    hub.stop()


async def test_nobody_there_is_away_and_was_not_sent(calls: AgentCalls) -> None:
    connector, hub = made(calls)
    with pytest.raises(Failure) as caught:
        await asking(connector, 0.4)
    assert caught.value.kind.slug == "agent-away"
    assert caught.value.headers["Retry-After"]
    assert _was_not_sent(caught.value)
    assert not await AgentCall.all().exists()
    hub.stop()


async def test_taken_and_silent_is_lost_and_unknown(calls: AgentCalls) -> None:
    connector, hub = made(calls)
    call = asyncio.create_task(asking(connector, 0.8))
    assert await hub.wait_for_call("hall", 5, is_wanted=lambda: asyncio.sleep(0, True))
    taken = await calls.take("hall", "p1")
    assert taken is not None
    with pytest.raises(Failure) as caught:
        await call
    assert caught.value.kind.slug == "agent-lost"
    assert not caught.value.kind.is_retryable
    assert not _was_not_sent(caught.value)
    assert await calls.take("hall", "p2") is None
    assert not await calls.answer(taken.id, "hall", AnswerLetter(200)), "too late: nobody waits"
    hub.stop()


async def test_a_lapsed_lease_tells_before_the_deadline(calls: AgentCalls) -> None:
    connector, hub = made(calls)
    call = asyncio.create_task(asking(connector, 60))
    assert await hub.wait_for_call("hall", 5, is_wanted=lambda: asyncio.sleep(0, True))
    taken = await calls.take("hall", "p1")
    assert taken is not None
    await AgentCall.filter(id=taken.id).update(lease_until=1)
    with pytest.raises(Failure) as caught:
        await asyncio.wait_for(call, 20)
    assert caught.value.kind.slug == "agent-lost"
    hub.stop()


@pytest.mark.parametrize("is_unsent", [True, False])
async def test_a_problem_of_the_agents_connector_is_the_gateways(calls: AgentCalls, is_unsent: bool) -> None:
    connector, hub = made(calls)
    call = asyncio.create_task(asking(connector))
    assert await hub.wait_for_call("hall", 5, is_wanted=lambda: asyncio.sleep(0, True))
    taken = await calls.take("hall", "p1")
    assert taken is not None
    told = Told("upstream-unreachable", facts={"service": "forged", "self": 1}, is_unsent=is_unsent)
    await calls.answer(taken.id, "hall", AnswerLetter(problem=told))
    with pytest.raises(Failure) as caught:
        await call
    assert caught.value.kind.slug == "upstream-unreachable"
    assert caught.value.facts == {"service": "company@v1"}
    assert _was_not_sent(caught.value) is is_unsent
    hub.stop()


async def test_who_goes_away_takes_the_call_along(calls: AgentCalls) -> None:
    connector, hub = made(calls)
    call = asyncio.create_task(asking(connector))
    assert await hub.wait_for_call("hall", 5, is_wanted=lambda: asyncio.sleep(0, True))
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await calls.take("hall", "p1") is None
    hub.stop()


async def test_what_is_too_large_is_refused_before_anything_is_put_down(calls: AgentCalls) -> None:
    connector, hub = made(calls)
    with pytest.raises(Refusal) as caught:
        await asking(connector, body=b" " * (LIMIT_BYTES + 1))
    assert caught.value.kind.slug == "request-too-large"
    assert not await AgentCall.all().exists()
    hub.stop()


async def test_a_long_poll_ends_when_the_process_does(calls: AgentCalls) -> None:
    _, hub = made(calls)
    waiting = asyncio.create_task(hub.wait_for_call("hall", 60, is_wanted=lambda: asyncio.sleep(0, True)))
    await asyncio.sleep(0)
    hub.close()
    assert await asyncio.wait_for(waiting, 20) is False
