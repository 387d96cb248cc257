"""`x-cache`: entity tags, 304, and public answers that a live process keeps for a moment."""

import asyncio
from typing import Any

import httpx
from msgspec import structs

from api.gateway.answer_cache import AnswerCache
from api.gateway.connector import Result
from api.gateway.rest import RestFace
from api.settings import Settings
from tests.gateway.made import JSON, Level, World, operation


def world_of(environment: str = "live", **changes: Any) -> World:
    made = structs.replace(Settings(), environment=environment, flood_per_second=1_000_000)
    return World([operation(**{"cache_seconds": 60, **changes})], settings=made)


async def ask(world: World, code: str = "9133", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=RestFace(world.gateway)), base_url="http://gateway"
    ) as client:
        return await client.get(
            f"/api/company/v1/companies/{code}", headers={"authorization": world.bearer().decode(), **named}
        )


async def test_a_tag_and_then_nothing_new() -> None:
    for environment in ("sandbox", "live"):
        world = world_of(environment)
        first = await ask(world)
        tag = first.headers["etag"]
        assert first.headers["cache-control"] == "private, max-age=60"
        for wanted in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            answer = await ask(world, if_none_match=wanted)
            assert (answer.status_code, answer.content) == (304, b"")
            assert answer.headers["etag"] == tag
            assert answer.headers["request-id"] != first.headers["request-id"]
            assert "content-type" not in answer.headers
        assert (await ask(world, if_none_match='"other"')).status_code == 200


async def test_without_x_cache_there_is_no_tag() -> None:
    answer = await ask(world_of(cache_seconds=0), if_none_match="*")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert "etag" not in answer.headers


async def test_the_departments_own_tag_stays() -> None:
    world = world_of()
    world.connector.headers = [JSON, (b"etag", b'W/"theirs"')]
    assert (await ask(world)).headers["etag"] == 'W/"theirs"'
    assert (await ask(world, if_none_match='"theirs"')).status_code == 304


async def test_public_answers_are_asked_for_once_on_live() -> None:
    world = world_of()
    answers = [await ask(world) for _ in range(3)]
    assert len(world.connector.requests) == 1
    assert [one.content for one in answers] == [answers[0].content] * 3
    assert "age" not in answers[0].headers
    assert answers[2].headers["age"] == "0"
    await ask(world, code="9134")
    await ask(world, accept_language="zh-CN")
    assert len(world.connector.requests) == 3, "another path and another language are other answers"


async def test_what_is_not_kept() -> None:
    for world in (
        world_of("sandbox"),
        world_of(level=Level.L2),
        world_of(cache_seconds=0),
    ):
        await ask(world)
        await ask(world)
        assert len(world.connector.requests) == 2
    for header in ((b"cache-control", b"no-store"), (b"set-cookie", b"a=b")):
        world = world_of()
        world.connector.headers = [JSON, header]
        await ask(world)
        await ask(world)
        assert len(world.connector.requests) == 2


async def test_errors_are_not_kept() -> None:
    world = world_of()
    world.connector.status = 404
    await ask(world)
    world.connector.status = 200
    assert (await ask(world)).status_code == 200


async def test_a_herd_is_one_question() -> None:
    world = world_of()
    gate = asyncio.Event()
    answer = world.connector.call

    async def slowly(*arguments: Any) -> Result:
        await gate.wait()
        return await answer(*arguments)

    world.connector.call = slowly  # type: ignore[method-assign]
    calls = [asyncio.create_task(ask(world)) for _ in range(20)]
    await asyncio.sleep(0.05)
    gate.set()
    answers = await asyncio.gather(*calls)
    assert {one.status_code for one in answers} == {200}
    assert len(world.connector.requests) == 1


async def test_each_caller_is_charged_and_counted() -> None:
    world = world_of()
    first, second = await ask(world), await ask(world)
    left = [int(one.headers["ratelimit"].split("r=")[1].split(";")[0]) for one in (first, second)]
    assert left[1] == left[0] - 1


def test_the_cache_is_bounded_by_bytes() -> None:
    cache = AnswerCache(1000)
    keys = [("d", "o", str(number), "zh", b"") for number in range(5)]
    for key in keys:
        cache.keep(key, Result(200, [], b"x" * 300), 60)
    assert [cache.find(key) is not None for key in keys] == [False, False, True, True, True]
    cache.keep(keys[0], Result(200, [], b"x" * 1001), 60)
    assert cache.find(keys[0]) is None, "larger than the whole"
    cache.keep(keys[1], Result(200, [], b"x"), 0)
    assert cache.find(keys[1]) is None, "its time is over at once"
