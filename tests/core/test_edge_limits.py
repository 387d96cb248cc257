"""slowapi behind Litestar: what is counted, for whom, and what the answers say."""

from collections.abc import AsyncIterator

import pytest
from litestar import Request, get, post
from litestar.params import FromPath, JSONBody
from litestar.response import Stream
from litestar.testing import AsyncTestClient

from api.app import create_app
from api.core.edge_limits import EdgeLimits, share_of
from api.settings import Settings


@get("/plain")
async def plain() -> dict[str, int]:
    return {"answer": 1}


@get("/things/{thing:str}", opt={"slowapi": "3/minute"})
async def thing(thing: FromPath[str]) -> dict[str, str]:
    return {"thing": thing}


@post("/things/{thing:str}", opt={"slowapi": "2/minute"})
async def change_thing(thing: FromPath[str], data: JSONBody[dict[str, int]]) -> dict[str, str]:
    return {"thing": thing}


@post("/sign-in", opt={"slowapi": "3/minute", "slowapi_scope": "sign-in"})
async def sign_in_api(request: Request) -> None: ...


@post("/page/sign-in", opt={"slowapi": "3/minute", "slowapi_scope": "sign-in"})
async def sign_in_page(request: Request) -> None: ...


@get("/stream", opt={"slowapi": "5/minute"})
async def stream() -> Stream:
    async def chunks() -> AsyncIterator[bytes]:
        for number in range(5):
            yield f"{number};".encode()

    return Stream(chunks())


def client(**options) -> AsyncTestClient:
    app = create_app(
        Settings(),
        handlers=[plain, thing, change_thing, sign_in_api, sign_in_page, stream],
        plugins=[EdgeLimits(**options)],
    )
    return AsyncTestClient(app.app)


async def test_only_marked_handlers_are_limited() -> None:
    async with client() as http:
        for _ in range(20):
            answer = await http.get("/plain")
            assert answer.status_code == 200
            assert "x-ratelimit-limit" not in answer.headers


async def test_path_parameters_share_one_bucket_and_the_refusal_explains_itself() -> None:
    async with client() as http:
        for number in range(3):
            answer = await http.get(f"/things/{number}")
            assert answer.status_code == 200
            assert answer.headers["x-ratelimit-limit"] == "3"
            assert answer.headers["x-ratelimit-remaining"] == str(2 - number)
            assert answer.headers["x-ratelimit-reset"].isdigit()
            assert "retry-after" not in answer.headers
        refused = await http.get("/things/another")
        assert refused.status_code == 429
        assert refused.headers["content-type"] == "application/problem+json"
        # a real server would send no body at all: found by fuzzing one
        assert refused.headers["content-length"] == str(len(refused.content))
        assert 1 <= int(refused.headers["retry-after"]) <= 61
        assert refused.headers["x-ratelimit-remaining"] == "0"
        body = refused.json()
        assert body["type"].endswith("/problems/too-many-requests/")
        assert body["limit"] == "3 per 1 minute"
        assert body["next"]


async def test_methods_have_buckets_of_their_own_and_the_limit_comes_before_the_body() -> None:
    async with client() as http:
        for _ in range(3):
            await http.get("/things/1")
        assert (await http.post("/things/1", content=b"{broken")).status_code == 400
        assert (await http.post("/things/1", content=b"{broken")).status_code == 400
        assert (await http.post("/things/1", content=b"{broken")).status_code == 429


async def test_handlers_of_one_scope_count_together() -> None:
    async with client() as http:
        assert (await http.post("/sign-in")).status_code == 201
        assert (await http.post("/page/sign-in")).status_code == 201
        assert (await http.post("/sign-in")).status_code == 201
        assert (await http.post("/page/sign-in")).status_code == 429
        assert (await http.post("/sign-in")).status_code == 429


async def test_streams_pass_whole_with_the_headers_once() -> None:
    async with client() as http:
        answer = await http.get("/stream")
        assert answer.text == "0;1;2;3;4;"
        assert answer.headers.get_list("x-ratelimit-limit") == ["5"]


async def test_a_client_cannot_name_its_own_address() -> None:
    async with client() as http:
        for number in range(3):
            await http.get("/things/1", headers={"X-Forwarded-For": f"203.0.113.{number}"})
        answer = await http.get("/things/1", headers={"X-Forwarded-For": "203.0.113.99"})
        assert answer.status_code == 429


async def test_behind_a_trusted_proxy_each_client_has_its_own_bucket() -> None:
    app = create_app(Settings(), handlers=[thing], plugins=[EdgeLimits(trusted_proxies="127.0.0.0/8")])

    async def from_proxy(scope, receive, send) -> None:
        scope["client"] = ("127.0.0.1", 40000)
        await app.app(scope, receive, send)

    from httpx import ASGITransport, AsyncClient

    async with AsyncClient(transport=ASGITransport(from_proxy), base_url="http://test.local") as http:
        for _ in range(3):
            assert (
                await http.get("/things/1", headers={"X-Forwarded-For": "203.0.113.1"})
            ).status_code == 200
        assert (await http.get("/things/1", headers={"X-Forwarded-For": "203.0.113.1"})).status_code == 429
        spoofed = {"X-Forwarded-For": "198.51.100.7, 203.0.113.1"}
        assert (await http.get("/things/1", headers=spoofed)).status_code == 429
        assert (await http.get("/things/1", headers={"X-Forwarded-For": "203.0.113.2"})).status_code == 200


def test_a_mistyped_limit_stops_the_start() -> None:
    @get("/wrong", opt={"slowapi": "five a minute"})
    async def wrong() -> None: ...

    with pytest.raises(ValueError, match="couldn't parse"):
        create_app(Settings(), handlers=[wrong], plugins=[EdgeLimits()])


@pytest.mark.parametrize(
    ("limit", "processes", "share"),
    [
        ("5/minute", 1, "5 per 1 minute"),
        ("10/minute; 100/day", 4, "2 per 1 minute; 25 per 1 day"),
        ("3/hour", 8, "1 per 1 hour"),
    ],
)
def test_processes_that_count_apart_share_the_limit(limit: str, processes: int, share: str) -> None:
    assert share_of(limit, processes) == share
