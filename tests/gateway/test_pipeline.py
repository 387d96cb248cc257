"""The whole way of a request, over a real socket: answers, refusals, bodies, streams, and what is recorded."""

import asyncio
import json
import random
import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from msgspec import structs

from api.contract.model import Basis, Body, Deprecation, Level, Media, Operation, Response, Status
from api.core import problem_types
from api.core.problems import REGISTRY, Failure
from api.gateway import pipeline
from api.gateway.connector import Result
from api.gateway.exchange import Exchange
from api.gateway.rest import RestFace
from api.gateway.snapshot import ServiceEntry, Snapshot
from api.settings import Settings
from tests.gateway.made import World, operation, parameter, service
from tests.gateway.serving import Client, Port, Reply, served

PATH = "/api/company/v1/companies/91"


class Log:
    """Stands where recorder and evidence do: keeps what it is told."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []
        self.evidence: list[str] = []
        self.can_commit = True

    def add(self, exchange: Exchange, duration_us: int) -> None:
        assert duration_us >= 0
        self.exchanges.append(exchange)

    def mask_of(self, exchange: Exchange) -> Any:
        return type("Mask", (), {"classified": frozenset()})

    async def commit(self, exchange: Exchange, values: tuple[str, ...]) -> None:
        if not self.can_commit:
            raise Failure(problem_types.EVIDENCE_UNAVAILABLE, operation=exchange.operation.id)
        self.evidence.append(exchange.operation.id)


class Place:
    """A world that is served, and what was recorded."""

    def __init__(self, world: World, port: Port, log: Log) -> None:
        self.world = world
        self.port = port
        self.log = log

    def client(self) -> Client:
        return Client(self.port)

    def headers(self, **more: str) -> dict[str, str]:
        return {"authorization": self.world.bearer().decode()} | more

    async def call(
        self, target: str | bytes = PATH, *, method: str = "GET", body: bytes | None = None, **headers: str
    ) -> Reply:
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.client() as client:
            return await client.call(target, self.headers(**names), method=method, body=body)

    async def last(self, count: int = 1) -> Exchange:
        """The newest of `count` recorded exchanges; a record may be written just after the answer was read."""
        for _ in range(400):
            if len(self.log.exchanges) >= count:
                break
            await asyncio.sleep(0.01)
        assert len(self.log.exchanges) == count
        return self.log.exchanges[-1]


@asynccontextmanager
async def place(operations: list[Operation] | None = None, **settings: Any) -> AsyncIterator[Place]:
    log = Log()
    values = structs.replace(Settings(), flood_per_second=1_000_000, **settings)
    world = World(operations, settings=values, recorder=log, evidence=log)
    async with served(RestFace(world.gateway)) as port:
        yield Place(world, port, log)


def problem(reply: Reply) -> dict[str, Any]:
    assert reply.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = json.loads(reply.body)
    assert body["status"] == reply.status
    assert body["request_id"] == reply.headers["request-id"]
    assert body["instance"] == f"/platform/v1/requests/{reply.headers['request-id']}"
    assert "…" not in body["detail"] or body["type"].endswith("/service-retired/")
    return body


async def test_a_call() -> None:
    async with place() as here:
        reply = await here.call()
        assert reply.status == 200
        assert reply.body == here.world.connector.body
        assert reply.headers["kaimen-environment"] == "sandbox"
        assert reply.headers["request-id"].startswith("rs_")
        assert reply.headers["ratelimit-policy"] == '"light";q=600;w=60'
        assert reply.headers["ratelimit"] == '"light";r=599;t=1'
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["content-length"] == str(len(reply.body))
        recorded = await here.last()
        assert [verdict[:2] for verdict in recorded.verdicts] == [
            (step, "pass") for step in ("admit", "route", "authenticate", "authorise", "limit", "validate", "call")
        ]  # fmt: skip
        assert (recorded.status, recorded.response_bytes, recorded.quota_left) == (200, len(reply.body), 599)
        request = here.world.connector.requests[0]
        assert (request.target, dict(request.path)) == ("/companies/91", {"code": "91"})
        context = here.world.connector.contexts[0]
        assert (context.app_id, context.request_id) == (here.world.app_id, recorded.request_id)
        assert not [
            name for name, _ in request.forward_headers if name in {b"authorization", b"host", b"connection"}
        ]


async def test_steps_stand_in_their_order() -> None:
    names = [step.__name__.rpartition(".")[2] for step in pipeline.STEPS]
    assert names == ["admit", "route", "authenticate", "authorise", "limit", "validate", "call", "record"]
    for kind in REGISTRY.values():
        assert kind.step in {"", *names}


async def test_not_found_not_allowed_head_and_options() -> None:
    async with place([operation(), operation("create", method="POST", path="/companies")]) as here:
        for path in ("/api/none/v1/x", "/api/company/v9/companies/1", "/api/company/v1/nothing", "/api/", "/api/company",
                     "/api/company/v1", PATH + "/"):  # fmt: skip
            reply = await here.call(path)
            assert problem(reply)["type"].endswith("/problems/operation-not-found/")
            assert reply.status == 404
        reply = await here.call("/api/none/v1/91330100199001011234")
        assert "199001011234" not in reply.body.decode()
        for method in ("OPTIONS", "DELETE", "PUT", "TRACE"):
            reply = await here.call(method=method)
            assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD")
        assert (await here.call("/api/company/v1/companies")).headers["allow"] == "POST"
        head = await here.call(method="HEAD")
        assert (head.status, head.body) == (200, b"")
        assert head.headers["content-length"] == str(len(here.world.connector.body))
        assert len(here.world.connector.requests) == 1
        assert {exchange.status for exchange in here.log.exchanges} == {404, 405, 200}
        assert (await here.last(14)).service is not None


async def test_explanations_in_both_languages() -> None:
    async with place() as here:
        token = here.world.tokens.give(here.world.app_id, "post:order:read")
        async with here.client() as client:
            headers = {"authorization": "Bearer " + token.decode()}
            english = problem(await client.call(PATH, headers))
            reply = await client.call(PATH, headers | {"accept-language": "zh-CN"})
            chinese = problem(reply)
        assert english["step"] == chinese["step"] == "authorise"
        assert english["rule"] == "scope-missing"
        assert "company:profile:read" in english["detail"]
        assert english["title"] == "The token lacks a scope"
        assert chinese["title"] == "令牌缺少所需权限"
        assert reply.headers["content-language"] == "zh-CN"
        assert 'error="insufficient_scope"' in reply.headers["www-authenticate"]
        recorded = await here.last(2)
        assert recorded.verdicts[-1] == ("authorise", "refuse", "scope-missing")
        assert recorded.problem is not None
        assert recorded.problem.facts["scope"] == "company:profile:read"
        assert here.world.connector.requests == []


async def test_401_without_a_token_and_nothing_before_it() -> None:
    async with place() as here, here.client() as client:
        reply = await client.call(PATH)
        assert problem(reply)["rule"] == "token-missing"
        assert reply.headers["www-authenticate"].startswith("Bearer realm=")
        assert "ratelimit" not in reply.headers


async def test_retired_and_deprecated() -> None:
    going = Deprecation("2027-01-01", "2027-07-01", "company@v2", "https://docs.example/guide")
    async with place([operation(deprecation=going)]) as here:
        reply = await here.call()
        assert reply.headers["deprecation"] == "@1798761600"
        assert reply.headers["sunset"] == "Thu, 01 Jul 2027 00:00:00 GMT"
        assert reply.headers["link"] == (
            '<https://docs.example/guide>; rel="deprecation", </api/company/v2/>; rel="successor-version"'
        )
        gone = service([operation()], status=Status.RETIRED, deprecation=going)
        here.world.holder.current = Snapshot.of([ServiceEntry(gone, here.world.connector)], here.world.apps)
        reply = await here.call("/api/company/v1/anything")
        assert reply.status == 410
        body = problem(reply)
        assert (body["successor"], body["sunset"]) == ("company@v2", "2027-07-01")
        assert reply.headers["link"] == '</api/company/v2/>; rel="successor-version"'


async def test_special_urls_arrive_as_they_were_matched() -> None:
    one = operation(path="/公司/{code}")
    async with place([one]) as here:
        cases = [
            (b"/api/company/v1/%E5%85%AC%E5%8F%B8/a%20b?x=%E2%9C%93&y=/", "/%E5%85%AC%E5%8F%B8/a%20b?x=%E2%9C%93&y=/", "a b"),
            (b"/api//company/./v1/%E5%85%AC%E5%8F%B8/../%E5%85%AC%E5%8F%B8/1", "/%E5%85%AC%E5%8F%B8/1", "1"),
            (b"/api/company/v1/%E5%85%AC%E5%8F%B8/%252e%252e", "/%E5%85%AC%E5%8F%B8/%252e%252e", "%2e%2e"),
            (b"/api/company/v1/%E5%85%AC%E5%8F%B8/%3Fa=1", "/%E5%85%AC%E5%8F%B8/%3Fa=1", "?a=1"),
        ]  # fmt: skip
        for raw, target, code in cases:
            assert (await here.call(raw)).status == 200
            request = here.world.connector.requests[-1]
            assert (request.target, request.path["code"]) == (target, code)
        for raw in (b"/api/company/v1/%E5%85%AC%E5%8F%B8/%00", b"/api/company/v1/x?a=%00", b"/api/../../x", b"/api/%zz",
                    b"/api/company/v1/%A3"):  # fmt: skip
            assert problem(await here.call(raw))["type"].endswith("/request-malformed/")


async def test_trace_and_interaction_ids() -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    async with place() as here:
        reply = await here.call(
            traceparent=trace, x_fapi_interaction_id="c770aef3-6784-41f7-8e0e-ff5f97bddb3a"
        )
        assert reply.headers["traceparent"] == trace
        assert reply.headers["x-fapi-interaction-id"] == "c770aef3-6784-41f7-8e0e-ff5f97bddb3a"
        assert here.world.connector.contexts[0].trace_parent == trace
        assert "traceparent" not in (await here.call()).headers
        assert here.world.connector.contexts[1].trace_parent.startswith("00-")


async def test_quota_runs_out_and_a_refused_call_costs_nothing() -> None:
    limits = {"light": {"units": 3, "window_seconds": 60}}
    async with place([operation(parameters=(parameter("code", "path", {"type": "integer"}),))]) as here:
        here.world.apps.plans.set("standard", limits)
        here.world.apps.changed()
        for _ in range(5):
            bad = await here.call("/api/company/v1/companies/x")
            assert (bad.status, bad.headers["ratelimit"]) == (400, '"light";r=3;t=0')
        assert [(await here.call()).status for _ in range(4)] == [200, 200, 200, 429]
        reply = await here.call()
        assert reply.headers["retry-after"] == "20"
        assert reply.headers["ratelimit"] == '"light";r=0;t=60'
        assert problem(reply)["cost"] == 1


async def test_evidence_before_the_answer_or_no_answer() -> None:
    sensitive = operation(level=Level.L3, basis=Basis.STATUTORY_DUTY, purposes=("audit",))
    async with place([sensitive]) as here:
        here.world.apps.set_rights(here.world.app_id, [("company@v1", "audit", "active", "L3")])
        reply = await here.call()
        assert (reply.status, here.log.evidence) == (200, ["getCompany"])
        assert (await here.last()).verdicts[-1] == ("record", "pass", "evidence")
        here.log.can_commit = False
        closed: list[bool] = []
        here.world.connector.body = _Chunks([b"{}"], closed)
        reply = await here.call()
        assert reply.status == 503
        assert problem(reply)["step"] == "record"
        assert b"{}" not in reply.body.replace(b'"facts":{}', b"")
        assert closed


async def test_answers_that_break_the_contract_are_refused_in_the_sandbox_only() -> None:
    for environment, status in (("sandbox", 502), ("live", 200)):
        async with place(environment=environment) as here:
            here.world.connector.body = b'{"code":1}'
            reply = await here.call()
            assert reply.status == status
            if status == 502:
                body = problem(reply)
                assert body["step"] == "validate"
                assert {error["pointer"] for error in body["errors"]} == {"", "/code"}
            else:
                assert reply.headers["request-id"].startswith("rl_")


async def test_a_defect_is_answered_without_its_text() -> None:
    async with place() as here:
        here.world.connector.headers = None  # type: ignore[assignment]  # no connector gives this
        reply = await here.call()
        assert reply.status == 500
        body = problem(reply)
        assert body["type"].endswith("/internal-error/")
        assert (await here.last()).status == 500


async def test_what_may_be_stale_is_looked_up_once_more() -> None:
    async with place() as here:
        world = here.world
        latecomer = "a_latecomer"
        token = world.tokens.give(latecomer)

        async def refresh() -> bool:
            world.holder.refreshed += 1
            world.apps.put(latecomer, "o_x", grants=[("company@v1", "", "active", "L3")])
            return True

        world.holder.refresh = refresh  # type: ignore[method-assign]
        async with here.client() as client:
            reply = await client.call(PATH, {"authorization": "Bearer " + token.decode()})
            assert reply.status == 200
            assert world.holder.refreshed == 1
            recorded = await here.last()
            assert [verdict[0] for verdict in recorded.verdicts].count("route") == 1
            reply = await client.call("/api/none/v1/x", {"authorization": "Bearer " + token.decode()})
            assert reply.status == 404
            assert world.holder.refreshed == 2


# -- bodies -----------------------------------------------------------------------------------------
ANY = Response("200", "", ())
JSON_IN = Body(True, (Media("application/json", {"type": "object"}),))
POST = {"method": "POST", "path": "/orders", "responses": (ANY,), "body": JSON_IN}
ORDERS = "/api/company/v1/orders"


async def test_json_is_read_whole_within_its_bound() -> None:
    async with place([operation(**POST)], body_limit_bytes=4096) as here:
        here.world.connector.body = b"{}"
        reply = await here.call(ORDERS, method="POST", body=b'{"a":1}', content_type="application/json")
        assert reply.status == 200
        request = here.world.connector.requests[-1]
        assert (request.body, request.json, request.content_length) == (b'{"a":1}', {"a": 1}, 7)
        assert (await here.last()).request_bytes == 7
        large = b'{"a":"' + b"x" * 5000 + b'"}'
        reply = await here.call(ORDERS, method="POST", body=large, content_type="application/json")
        assert (reply.status, problem(reply)["limit_bytes"]) == (413, 4096)
        chunked = (
            b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (large[:3000], large[3000:]))
            + b"0\r\n\r\n"
        )
        for sent, status in ((b'2\r\n{"\r\n4\r\na":1\r\n1\r\n}\r\n0\r\n\r\n', 200), (chunked, 413)):
            async with here.client() as client:
                headers = here.headers() | {
                    "content-type": "application/json",
                    "transfer-encoding": "chunked",
                }
                reply = await client.call(ORDERS, headers, method="POST", body=sent)
                assert reply.status == status
        assert here.world.connector.requests[-1].json == {"a": 1}


async def test_nothing_is_read_for_a_caller_who_may_not_call() -> None:
    async with place([operation(**POST)]) as here, here.client() as client:
        lines = (
            b"POST %b HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 900000\r\n\r\n"
        )
        await client.send(lines % ORDERS.encode())  # the body is never sent
        assert (await client.reply()).status == 401
        assert (await here.last()).request_bytes == 0


class _Chunks:
    """A stream that remembers whether it was closed."""

    def __init__(
        self, chunks: list[bytes], closed: list[bool], pause: float = 0.0, fault: Exception | None = None
    ) -> None:
        self._chunks = iter(chunks)
        self._closed = closed
        self._pause = pause
        self._fault = fault
        self.given = 0

    def __aiter__(self) -> "_Chunks":
        return self

    async def __anext__(self) -> bytes:
        if self._pause:
            await asyncio.sleep(self._pause)
        chunk = next(self._chunks, None)
        if chunk is None:
            if self._fault is not None:
                raise self._fault
            raise StopAsyncIteration
        self.given += 1
        return chunk

    async def aclose(self) -> None:
        self._closed.append(True)


class _Taking:
    """A connector that streams the request's body through its hands."""

    def __init__(self) -> None:
        self.size = 0
        self.largest = 0

    async def call(self, operation: Any, request: Any, context: Any) -> Result:
        assert not isinstance(request.body, bytes)
        async for chunk in request.body:
            self.size += len(chunk)
            self.largest = max(self.largest, len(chunk))
        return Result(200, [(b"content-type", b"text/plain")], b"%d" % self.size)

    async def health(self) -> bool:
        return True

    async def close(self) -> None:
        return None


def _with_connector(here: Place, connector: Any, operations: list[Operation]) -> None:
    here.world.holder.current = Snapshot.of([ServiceEntry(service(operations), connector)], here.world.apps)


async def test_other_media_and_large_json_marked_x_stream_pass_in_pieces() -> None:
    body = Body(
        True, (Media("application/octet-stream", None), Media("application/json", {"type": "object"}))
    )
    one = operation(method="POST", path="/orders", responses=(ANY,), body=body, stream=True)
    async with place(body_limit_bytes=65_536) as here:
        taking = _Taking()
        _with_connector(here, taking, [one])
        size = 24 * 1024 * 1024
        for number, content_type in enumerate(("application/octet-stream", "application/json"), 1):
            taking.size = 0
            reply = await here.call(ORDERS, method="POST", body=b" " * size, content_type=content_type)
            assert (reply.status, reply.body) == (200, b"%d" % size)
            assert (await here.last(number)).request_bytes == size
        assert taking.largest < 2 * 1024 * 1024
        async with here.client() as client:
            headers = here.headers() | {"content-type": "application/json", "transfer-encoding": "chunked"}
            part = b"10000\r\n" + b" " * 65_536 + b"\r\n"
            taking.size = 0
            reply = await client.call(ORDERS, headers, method="POST", body=part * 3 + b"0\r\n\r\n")
            assert reply.body == b"196608"


async def test_a_client_that_breaks_off_its_body() -> None:
    body = Body(True, (Media("application/octet-stream", None),))
    for operations in (
        [operation(**POST)],
        [operation(method="POST", path="/orders", responses=(ANY,), body=body)],
    ):
        async with place() as here:
            _with_connector(here, _Taking(), operations)
            media = operations[0].body.media[0].content_type if operations[0].body else ""
            async with here.client() as client:
                head = (
                    f"POST {ORDERS} HTTP/1.1\r\nhost: x\r\nauthorization: {here.world.bearer().decode()}\r\n"
                )
                await client.send(f"{head}content-type: {media}\r\ncontent-length: 1000\r\n\r\nabc".encode())
                await asyncio.sleep(0.05)
            recorded = await here.last()
            assert recorded.problem is not None
            assert recorded.problem.rule == "body-ended-early"


async def test_answers_stream_as_fast_as_the_client_takes_them() -> None:
    one = operation(path="/orders", responses=(ANY,))
    async with place([one]) as here:
        closed: list[bool] = []
        size, chunk = 1024, bytes(65_536)  # 64 MiB
        stream = _Chunks([chunk] * size, closed)
        here.world.connector.body = stream
        here.world.connector.headers = [(b"content-type", b"application/octet-stream")]
        tracemalloc.start()
        try:
            async with here.client() as client:
                await client.send(
                    f"GET {ORDERS} HTTP/1.1\r\nhost: x\r\nauthorization: {here.world.bearer().decode()}\r\n\r\n".encode()
                )
                assert (await client.head()).status == 200
                await asyncio.sleep(0.3)  # the client reads nothing
                assert stream.given < 200
                total = 0
                while length := int(await client.reader.readline(), 16):
                    await client.reader.readexactly(length + 2)
                    total += length
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert total == size * len(chunk)
        assert peak < 4 * 1024 * 1024  # both ends of the connection are in this process
        assert (await here.last()).response_bytes == total
        assert closed


async def test_a_client_that_goes_away_stops_the_stream() -> None:
    one = operation(path="/orders", responses=(ANY,))
    for pause in (0.0, 0.02):
        async with place([one]) as here:
            closed: list[bool] = []
            stream = _Chunks([bytes(65_536)] * 100_000, closed, pause)
            here.world.connector.body = stream
            async with here.client() as client:
                await client.send(
                    f"GET {ORDERS} HTTP/1.1\r\nhost: x\r\nauthorization: {here.world.bearer().decode()}\r\n\r\n".encode()
                )
                await client.reader.readexactly(10_000)
            recorded = await here.last()
            assert recorded.status == 200
            assert 0 < recorded.response_bytes < 100_000 * 65_536
            assert closed
            assert stream.given < 1_000


async def test_an_upstream_that_breaks_off_its_answer_breaks_the_connection() -> None:
    one = operation(path="/orders", responses=(ANY,))
    async with place([one]) as here:
        closed: list[bool] = []
        fault = Failure(problem_types.UPSTREAM_INVALID, service="company@v1")
        here.world.connector.body = _Chunks([b"part"], closed, fault=fault)
        with pytest.raises(ValueError, match="base 16"):  # the chunk that would end it never comes
            await here.call(ORDERS)
        recorded = await here.last()
        assert recorded.problem is fault
        assert recorded.response_bytes == 4
        assert closed


async def test_head_and_empty_answers_send_no_body() -> None:
    one = operation(path="/orders", responses=(ANY, Response("204", "", ())))
    async with place([one]) as here:
        closed: list[bool] = []
        here.world.connector.body = _Chunks([b"x"] * 10, closed)
        head = await here.call(ORDERS, method="HEAD")
        assert (head.status, head.body, closed) == (200, b"", [True])
        here.world.connector.body, here.world.connector.status = b"", 204
        async with here.client() as client:
            for _ in range(2):  # on one connection: nothing is left over
                await client.send(
                    f"GET {ORDERS} HTTP/1.1\r\nhost: x\r\nauthorization: {here.world.bearer().decode()}\r\n\r\n".encode()
                )
                reply = await client.reply(has_body=False)
                assert reply.status == 204
                assert "content-length" not in reply.headers


async def test_nobody_gets_a_500_out_of_it() -> None:
    """Two thousand odd requests: every answer is below 500, and every one is recorded once."""
    chance = random.Random(11)
    pick: Callable[[list[Any]], Any] = chance.choice
    size = {"type": "integer", "maximum": 9}
    operations = [
        operation(parameters=(parameter("code", "path"), parameter("n", schema=size), parameter("f", schema={"type": "object"}, style="deepObject"))),
        operation("order", **POST),
    ]  # fmt: skip
    segments = [
        "api",
        "company",
        "v1",
        "companies",
        "orders",
        "91",
        "%E5%85%AC",
        "..",
        ".",
        "",
        "%2e%2e",
        "%2f",
        "%00",
        "%",
        "a;b",
        "x" * 300,
        "~",
        "%F0%9F%98%80",
    ]
    values = ["1", "x", "", "%00", "%ff", "null", "[", "%E5%85%AC", "9" * 50, "true", "{}"]
    async with place(operations) as here:
        sent = 0
        for _ in range(100):
            async with here.client() as client:
                for _ in range(20):
                    path = (
                        "/api/company/v1/companies/91"
                        if chance.random() < 0.5
                        else "/" + "/".join(pick(segments) for _ in range(chance.randrange(7)))
                    )
                    names = ["n", "f[a]", "f", "f[", "n[]", "%00"]
                    query = "&".join(f"{pick(names)}={pick(values)}" for _ in range(chance.randrange(4)))
                    headers = {}
                    for name in ("accept", "content-type", "idempotency-key", "kaimen-scenario", "kaimen-purpose", "traceparent",
                                 "accept-language", "x-forwarded-for", "cookie", "range"):  # fmt: skip
                        if chance.random() < 0.2:
                            headers[name] = pick(
                                ["", "x", "*/*", "application/json", "zh;q=x", '"', "\x80ÿ", "a" * 300]
                            )
                    if chance.random() < 0.8:
                        headers["authorization"] = pick(
                            [here.world.bearer().decode()] * 4 + ["Bearer kl_x", "Basic x"]
                        )
                    method = pick(["GET", "GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE"])
                    body = pick([None, b"", b"{}", b"[", b"\xff"]) if method in {"POST", "PUT"} else None
                    reply = await client.call(
                        path + ("?" + query if query else ""), headers, method=method, body=body
                    )
                    sent += 1
                    assert reply.status < 500, (method, path, query, headers, reply.body)
        await here.last(sent)
        assert len(here.log.exchanges) == sent
