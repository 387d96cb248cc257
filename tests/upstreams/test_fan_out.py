"""A batch that the department's system does not have: asked one by one over its real protocol, a few at a time."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from api.contract.mapping import compile_mapping, read_mapping
from api.contract.mapping_shapes import MappingError
from api.core.egress import LOOPBACK, Egress
from api.core.problems import Failure
from api.gateway.connector import Connector, Context, Request, Result
from api.gateway.connectors.from_mapping import Maker
from sandbox.city.inventory import read_services
from sandbox.city.native.listener import Asked, Listener, Said

SERVICE = read_services()["tax"]
MAPPING = """
mapping: 1
protocol: http
http: {at: data}
codes: {grade: {A: "5", B: "4", M: "3", C: "2", D: "1"}}
outcome: {at: code, ok: ["0"], empty: {"1": tax-rating-none}, refused: {"2": tax-code-invalid}}
operations:
  getRating: {http: POST /pj, request: {code: nsrsbh}, answer: {grade: pjjb | codes grade, "*": same}}
  listRatingsByCode: {each: getRating, at_once: 3}
"""
CODES = [f"91990106MA{number:08d}" for number in range(10)]


class Office:
    """The department: it knows one company at a time, and is slow enough to be asked for several at once."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.most_at_once = 0
        self._at_once = 0
        self.codes: dict[str, str] = {}  # business code by company
        self.breaks_at = ""

    async def answer(self, asked: Asked) -> Said:
        code = msgspec.json.decode(asked.body)["nsrsbh"]
        self.asked.append(code)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        await asyncio.sleep(0.02)
        self._at_once -= 1
        if code == self.breaks_at:
            return Said(500, b"")
        said: dict[str, Any] = {"code": self.codes.get(code, "0")}
        if said["code"] == "0":
            said["data"] = {
                "pjjb": "5", "code": code, "year": 2025, "published_on": "2026-04-20", "deductions": [],
            }  # fmt: skip
        return Said(200, msgspec.json.encode(said))


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
async def connector(office: Office, tmp_path: Any) -> AsyncIterator[Connector]:
    listener = Listener(office.answer)
    await listener.open()
    maker = Maker(
        Egress(LOOPBACK),
        docs_url="http://docs",
        stall_seconds=5,
        key_of=lambda _: b"k" * 32,
        drop_path=tmp_path,
    )
    made = maker.make(f"http://127.0.0.1:{listener.port}", SERVICE, MAPPING)
    yield made
    await made.close()
    await listener.close()


async def ask(connector: Connector, codes: list[str]) -> Result:
    operation = SERVICE.operation("listRatingsByCode")
    assert operation is not None
    request = Request(path={}, query={"codes": codes}, headers={}, target="/ratings")
    context = Context(
        request_id="rs_fan",
        deadline=time.monotonic() + 10,
        environment="sandbox",
        app_id="a",
        service=SERVICE.key,
    )
    return await connector.call(operation, request, context)


async def test_each_is_asked_once_a_few_at_a_time(office: Office, connector: Connector) -> None:
    office.codes = {CODES[3]: "1"}
    result = await ask(connector, [*CODES, CODES[0]])
    assert isinstance(result.body, bytes)
    body = msgspec.json.decode(result.body)
    assert [one["code"] for one in body["items"]] == [one for one in CODES if one != CODES[3]]
    assert body["items"][0] == {
        "code": CODES[0], "year": 2025, "grade": "A", "published_on": "2026-04-20", "deductions": [],
    }  # fmt: skip
    assert body["missing"] == [CODES[3]]
    assert sorted(office.asked) == sorted(CODES), "each once"
    assert 1 < office.most_at_once <= 3


async def test_a_refusal_of_one_is_the_batchs(office: Office, connector: Connector) -> None:
    office.codes = {CODES[5]: "2"}
    result = await ask(connector, CODES)
    assert isinstance(result.body, bytes)
    assert (result.status, msgspec.json.decode(result.body)["type"].split("/")[-2]) == (
        400,
        "tax-code-invalid",
    )


async def test_half_a_batch_is_no_answer(office: Office, connector: Connector) -> None:
    office.breaks_at = CODES[1]
    with pytest.raises(Failure):
        await ask(connector, CODES)
    await asyncio.sleep(0.1)
    asked = len(office.asked)
    await asyncio.sleep(0.1)
    assert len(office.asked) == asked < len(CODES), "the others are not asked any more"


@pytest.mark.parametrize(
    ("written", "pointer"),
    [
        ("{each: getTaxpayer}", "/operations/listRatingsByCode/each"),
        ("{each: getNothing}", "/operations/listRatingsByCode/each"),
        ("{each: getRating, at_once: 99}", "/operations/listRatingsByCode/at_once"),
        ("{each: getRating, http: POST /x}", "/operations/listRatingsByCode/http"),
    ],
)
def test_what_the_contract_does_not_say_is_refused(written: str, pointer: str) -> None:
    text = MAPPING.replace("{each: getRating, at_once: 3}", written)
    with pytest.raises(MappingError) as refused:
        compile_mapping(read_mapping(text), SERVICE)
    assert refused.value.pointer == pointer
    assert refused.value.message
