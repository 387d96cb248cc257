"""Callbacks of asynchronous departments: an address for each pending call, good once, taken by whichever process."""

import asyncio
import os
import time
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.datastructures import State

from api.core.crypto import Vault
from api.core.egress import LOOPBACK, Egress
from api.core.problems import Problem
from api.core.store import Stores
from api.gateway.agents.calls import AgentCalls
from api.gateway.agents.hub import Hub
from api.gateway.agents.letters import AnswerLetter
from api.gateway.callbacks import Callbacks, router
from api.gateway.connector import Context, Request, Result
from api.gateway.connectors.from_mapping import Maker
from sandbox.city.native.listener import Asked, Listener, Said
from tests.gateway.connectors.test_mapped import OUTCOME, SERVICE

VAULT = Vault(os.urandom(32))
ISSUER = "http://gateway.test"
MAPPING = f"""
mapping: 1
protocol: http
http: {{at: data}}
async: {{ticket: lsh, callback: hd/dz, poll: "GET /rw/{{ticket}}", pending: ["5"], every_ms: 20}}
{OUTCOME}
operations: {{getThing: {{http: POST /q, request: {{code: bm}}, answer: {{name: mc}}}}}}
"""


class Process:
    """A process of the gateway: what it waits for, and its door for callbacks."""

    def __init__(self, environment: str = "sandbox") -> None:
        self.hub = Hub(AgentCalls(environment, VAULT))
        self.callbacks = Callbacks(ISSUER, environment, VAULT, self.hub)
        state = State({"data_plane": self})
        app = Litestar([router], state=state, openapi_config=None)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ISSUER)

    async def bring(self, address: str, body: Any) -> int:
        assert address.startswith(ISSUER + "/callbacks/v1/")
        return (await self.http.post(urlsplit(address).path, json=body)).status_code


class Department:
    """Answers 202, says "pending" to every poll, and brings its result through a process of the gateway."""

    def __init__(self, door: Process | None, result: Any) -> None:
        self.door, self.result = door, result
        self.address = ""
        self.brought: list[asyncio.Task[int]] = []
        self.polls = 0
        self.is_ready = False  # for polls

    async def __call__(self, asked: Asked) -> Said:
        if asked.method == "GET":
            self.polls += 1
            body = self.result if self.is_ready else {"code": "5"}
            return Said(200, msgspec.json.encode(body))
        self.address = msgspec.json.decode(asked.body)["hd"]["dz"]
        if self.door is not None:
            self.brought.append(asyncio.create_task(self.door.bring(self.address, self.result)))
        return Said(202, msgspec.json.encode({"code": "5", "lsh": "T1"}))


async def ask(process: Process, department: Department, seconds: float = 5.0) -> Result:
    listener = Listener(department)
    await listener.open()
    maker = Maker(
        Egress(LOOPBACK), docs_url="http://d", stall_seconds=2, key_of=lambda service: b"k" * 32,
        drop_path=None, callbacks=process.callbacks,  # type: ignore[arg-type]
    )  # fmt: skip
    connector = maker.make(f"http://127.0.0.1:{listener.port}", SERVICE, MAPPING)
    context = Context(
        request_id="rs_1", deadline=time.monotonic() + seconds, environment="sandbox", app_id="a_1"
    )
    request = Request(path={"code": "A1"}, query={}, headers={}, target="/things/A1")
    try:
        return await connector.call(SERVICE.operations[0], request, context)
    finally:
        await connector.close()
        await listener.close()
        process.hub.stop()


@pytest.fixture
def fine() -> dict[str, Any]:
    return {"code": "0", "data": {"mc": "样例"}}


async def test_a_result_is_brought_through_another_process(stores: Stores, fine: dict[str, Any]) -> None:
    department = Department(Process(), fine)
    result = await ask(Process(), department)
    assert msgspec.json.decode(result.body) == {"name": "样例"}
    assert await asyncio.gather(*department.brought) == [204]


async def test_through_the_same_process_and_its_refusal_too(stores: Stores) -> None:
    process = Process()
    result = await ask(process, Department(process, {"code": "1"}))
    assert result.status == 404


async def test_an_address_is_good_once_and_for_its_call_only(stores: Stores, fine: dict[str, Any]) -> None:
    process = Process()
    department = Department(process, fine)
    await ask(process, department)
    assert await process.bring(department.address, fine) == 410
    pending = await process.callbacks.open("thing@v1", 5)
    statuses = await asyncio.gather(*(process.bring(pending.address, fine) for _ in range(6)))
    assert sorted(statuses) == [204, 410, 410, 410, 410, 410]
    assert (await pending.fetch()) is not None
    await pending.close()
    process.hub.stop()


async def test_what_nobody_gave_out_is_refused(stores: Stores, fine: dict[str, Any]) -> None:
    process = Process()
    pending = await process.callbacks.open("thing@v1", 5)
    identifier, mac, service = urlsplit(pending.address).path.rpartition("/")[2].split(".", 2)
    others = (
        f"{identifier}.{'0' * len(mac)}.{service}",
        f"{identifier}.{mac}.other@v1",
        identifier,
        "x" * 500,
        "..",
    )
    for token in others:
        assert not await process.callbacks.take(token, AnswerLetter(200)), token
    assert await Process("live").bring(pending.address, fine) in {404, 410}, (
        "the live plane has keys of its own"
    )
    assert await process.bring(pending.address, fine) == 204
    await pending.close()
    process.hub.stop()


async def test_nobody_waits_after_the_call(stores: Stores, fine: dict[str, Any]) -> None:
    process = Process()
    department = Department(None, fine)
    with pytest.raises(Problem) as late:
        await ask(process, department, 0.5)
    assert late.value.kind.slug == "upstream-timeout"
    assert await process.bring(department.address, fine) == 410


async def test_a_lost_callback_is_made_good_by_polling(stores: Stores, fine: dict[str, Any]) -> None:
    department = Department(None, fine)
    department.is_ready = True
    result = await ask(Process(), department)
    assert msgspec.json.decode(result.body) == {"name": "样例"}
    assert department.polls == 1
