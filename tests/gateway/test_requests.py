"""The request log through the platform API: one call explained, lists, usage, promise and measurement."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx
import msgspec
import pytest
from litestar import Request
from litestar.di import Provide

from api.app import create_app
from api.catalogue.models import Publication
from api.core import clock, ids
from api.core.caller import ANONYMOUS, OPERATOR, Caller, CallerKind
from api.core.store import Stores
from api.gateway.field_users import field_users
from api.gateway.models import UsageBucket
from api.gateway.request_log import exercised, successful_calls
from api.gateway.routes import live_router, router
from api.gateway.usage import BUCKETS_MS
from api.identity.installation import Installation, configure
from api.identity.models import App
from api.settings import Settings
from tests.gateway.recorded import Recorded, recorded

ORGANISATION = "o_test"


def member(*roles: str, organisation: str = ORGANISATION) -> Caller:
    return Caller(
        kind=CallerKind.PERSON,
        has_mfa=True,
        id="p_test",
        organisations={organisation: frozenset(roles or ("viewer",))},
    )


def app_caller(*scopes: str, organisation: str = ORGANISATION) -> Caller:
    return Caller(
        kind=CallerKind.APP,
        id="a_reader",
        organisations={organisation: frozenset()},
        scopes=frozenset(scopes),
    )


class Platform:
    """The gateway's routes of the platform API, called by whom the test says."""

    def __init__(self, settings: Settings, routers=(router,)) -> None:
        self.caller = OPERATOR
        configure(Installation(settings=settings))

        async def provide(request: Request) -> Caller:
            return self.caller

        self.app = create_app(settings, handlers=routers, dependencies={"caller": Provide(provide)})

    async def get(self, path: str, caller: Caller | None = None, **headers: str) -> httpx.Response:
        self.caller = caller or member()
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.app), base_url="http://platform"
        ) as client:
            return await client.get(path, headers=headers)


@asynccontextmanager
async def platform(settings: Settings) -> AsyncIterator[tuple[Recorded, Platform]]:
    async with recorded(settings, record_interval_ms=1000) as plane:
        await App.create(
            id=plane.world.app_id, organisation_id=ORGANISATION, name="demo", environment="sandbox",
            client_id=ids.random_id("kt"), created_by="p_test", created_at=clock.now(),
        )  # fmt: skip
        yield plane, Platform(settings)


async def test_a_call_just_made_is_there_and_explained(settings: Settings, stores: Stores) -> None:
    async with platform(settings) as (plane, api):
        request_id = (await plane.get("/api/company/v1/companies/9133")).headers["request-id"]
        found = (await api.get(f"/platform/v1/requests/{request_id}")).json()
    assert (found["status"], found["operation"], found["environment"]) == (200, "getCompany", "sandbox")
    assert found["quota_left"] == 599
    assert [step["verdict"] for step in found["steps"]] == ["pass"] * 8
    assert found["explanation"] is None
    assert found["gateway_ms"] + found["upstream_ms"] == pytest.approx(found["duration_ms"])


async def test_a_refusal_is_explained_in_the_words_of_its_answer(settings: Settings, stores: Stores) -> None:
    async with platform(settings) as (plane, api):
        token = plane.world.tokens.give(plane.world.app_id, "company:other:read").decode()
        answer = await plane.get("/api/company/v1/companies/9133", authorization=f"Bearer {token}")
        problem = answer.json()
        english = (await api.get(f"/platform/v1/requests/{problem['request_id']}")).json()
        chinese = await api.get(
            f"/platform/v1/requests/{problem['request_id']}", **{"accept-language": "zh-CN"}
        )
    explained = english["explanation"]
    assert {name: explained[name] for name in ("type", "title", "detail", "step", "rule", "next")} == {
        name: problem[name] for name in ("type", "title", "detail", "step", "rule", "next")
    }
    assert english["next"] == problem["next"]
    assert explained["facts"]["scope"] == "company:profile:read"
    verdicts = {step["name"]: step["verdict"] for step in english["steps"]}
    assert verdicts["authenticate"] == "pass"
    assert verdicts["authorise"] == "refuse"
    assert verdicts["call"] == ""
    assert "令牌缺少所需权限" in chinese.text
    assert chinese.headers["content-language"] == "zh-CN"
    assert "授权" in [step["title"] for step in chinese.json()["steps"]]


async def test_field_errors_are_kept(settings: Settings, stores: Stores) -> None:
    async with platform(settings) as (plane, api):
        answer = await plane.get("/api/company/v1/taxpayers/110000200001011234?year=wrong")
        found = (await api.get(f"/platform/v1/requests/{answer.headers['request-id']}")).json()
    assert [error["pointer"] for error in found["explanation"]["errors"]] == [
        error["pointer"] for error in answer.json()["errors"]
    ]


async def test_who_may_read_a_call(settings: Settings, stores: Stores) -> None:
    async with platform(settings) as (plane, api):
        request_id = (await plane.get("/api/company/v1/companies/9133")).headers["request-id"]
        path = f"/platform/v1/requests/{request_id}"
        readers = {
            "operator": OPERATOR,
            "member": member("viewer"),
            "administrator": Caller(
                kind=CallerKind.PERSON, has_mfa=True, id="p_admin", is_administrator=True
            ),
            "app with the scope": app_caller("platform:requests:read"),
            "stranger": member(organisation="o_other"),
            "app without the scope": app_caller("platform:apps:read"),
            "app of another organisation": app_caller("platform:requests:read", organisation="o_other"),
            "nobody": ANONYMOUS,
        }
        seen = {name: (await api.get(path, caller)).status_code for name, caller in readers.items()}
    assert seen == {
        "operator": 200, "member": 200, "administrator": 200, "app with the scope": 200, "stranger": 404,
        "app without the scope": 404, "app of another organisation": 404, "nobody": 401,
    }  # fmt: skip


async def test_a_call_without_a_token_is_explained_to_whoever_has_its_id(
    settings: Settings, stores: Stores
) -> None:
    async with platform(settings) as (plane, api):
        answer = await plane.get("/api/company/v1/companies/9133", authorization="")
        assert answer.status_code == 401
        path = f"/platform/v1/requests/{answer.headers['request-id']}"
        found = await api.get(path, member(organisation="o_other"))
        assert found.json()["problem"] == "token-missing"
        assert (await api.get(path, ANONYMOUS)).status_code == 401


@pytest.mark.parametrize(
    "wrong", ["rs_unknown", "rs_" + "0" * 26, "x", "rs_" + "0" * 27, "rx_" + "0" * 26, "%00", "rs_' OR 1=1"]
)
async def test_ids_that_are_none(settings: Settings, stores: Stores, wrong: str) -> None:
    async with platform(settings) as (_, api):
        answer = await api.get(f"/platform/v1/requests/{wrong}")
        assert answer.status_code == 404, answer.text


async def test_lists_are_filtered_and_paged_newest_first(settings: Settings, stores: Stores) -> None:
    async with platform(settings) as (plane, api):
        made = []
        for number in range(7):
            path = (
                "/api/company/v1/companies/9133" if number % 2 else "/api/company/v1/taxpayers/1?year=wrong"
            )
            made.append((await plane.get(path)).headers["request-id"])
        base = f"/platform/v1/apps/{plane.world.app_id}/requests"
        first = await api.get(f"{base}?limit=5")
        second = await api.get(f"{base}?limit=5&cursor={first.json()['next']}")
        assert sorted(made) == sorted(one["id"] for one in [*first.json()["items"], *second.json()["items"]])
        listed = [one["id"] for one in [*first.json()["items"], *second.json()["items"]]]
        assert listed == sorted(listed, reverse=True)
        assert second.json()["next"] is None
        assert first.headers["link"].endswith('rel="next"')

        async def count(query: str) -> int:
            answer = await api.get(f"{base}?{query}")
            assert answer.status_code == 200, answer.text
            return len(answer.json()["items"])

        assert await count("status=4xx") == 4
        assert await count("status=400") == 4
        assert await count("status=2xx") == 3
        assert await count("operation=getCompany") == 3
        assert await count("operation=company@v1/getTaxpayer") == 4
        assert await count("operation=tax@v1/getTaxpayer") == 0
        assert await count("problem=parameter-invalid") == 4
        assert await count("problem=any") == 4
        now = datetime.now(UTC)
        assert await count(f"since={(now - timedelta(minutes=5)).isoformat()}") == 7
        assert await count(f"until={(now - timedelta(minutes=5)).isoformat().replace('+00:00', 'Z')}") == 0
        for wrong in ("status=9xx", "since=yesterday", "cursor=zzz", "limit=0", "since=2026-01-01"):
            assert (await api.get(f"{base}?{wrong}")).status_code == 400, wrong
        assert (await api.get(base, member(organisation="o_other"))).status_code == 404
        assert (await api.get("/platform/v1/apps/a_nobody/requests")).status_code == 404


async def test_usage_in_lines(settings: Settings, stores: Stores) -> None:
    async with platform(settings) as (plane, api):
        for _ in range(4):
            await plane.get("/api/company/v1/companies/9133")
        await plane.get("/api/company/v1/taxpayers/1?year=wrong")
        for per in ("day", "hour"):
            answer = await api.get(f"/platform/v1/apps/{plane.world.app_id}/usage?per={per}")
            lines = {(one["operation"], one["status"]): one for one in answer.json()["items"]}
            assert lines["getCompany", 200]["calls"] == 4
            assert lines["getCompany", 200]["cost"] == 4
            assert 0 < lines["getCompany", 200]["p50_ms"] <= lines["getCompany", 200]["p95_ms"]
            assert lines["getTaxpayer", 400]["problem"] == "parameter-invalid"
        assert (await api.get(f"/platform/v1/apps/{plane.world.app_id}/usage?per=week")).status_code == 400


async def test_questions_of_other_parts(settings: Settings, stores: Stores) -> None:
    since = datetime.now(UTC) - timedelta(minutes=1)
    async with platform(settings) as (plane, _):
        for query in ("name=a", "name=b"):
            await plane.get(f"/api/company/v1/companies?{query}")
        await plane.get("/api/company/v1/taxpayers/1?year=wrong")
        app_id = plane.world.app_id
        assert (await exercised("company@v1"))["searchCompanies"] == "called"
        assert await successful_calls("sandbox", app_id, since) == 2
        users = [
            one
            for one in await field_users("company@v1", "searchCompanies", "query:name", days=1)
            if one.app_id == app_id
        ]
        assert [one.calls for one in users] == [2]
        assert app_id in {one.app_id for one in await field_users("company@v1", "searchCompanies", days=1)}
        assert await field_users("company@v1", "searchCompanies", "query:phone", days=1) == []


async def test_promise_and_measurement(settings: Settings, stores: Stores) -> None:
    document = {"info": {"x-service": {"availability": 0.99, "p95_ms": 20, "hours": "Mo-Fr 08:00-18:00"}}}
    await Publication.create(
        id="post@v1/sandbox", version_id="post@v1", service="post", version="v1", environment="sandbox",
        digest="", document=msgspec.json.encode(document).decode(), state="published", published_by="operator:local",
    )  # fmt: skip
    fast = [0] * (len(BUCKETS_MS) + 1)
    fast[BUCKETS_MS.index(10)] = 97
    hour = int(datetime.now(UTC).timestamp() // 3600)
    counted = (
        (200, "", 97), (502, "upstream-invalid", 1), (503, "circuit-open", 1), (404, "", 1),  # the department's
        (401, "token-missing", 50), (503, "department-closed", 50), (503, "evidence-unavailable", 50), (499, "", 5),
    )  # fmt: skip
    for number, (status, problem, calls) in enumerate(counted):
        await UsageBucket.create(
            id=900 + number, hour=hour, app_id="a_x", service="post@v1", operation="getTrack", status=status,
            problem=problem, calls=calls, cost=0, duration_us=0, upstream_us=0, request_bytes=0, response_bytes=0,
            histogram=msgspec.json.encode(fast).decode() if status == 200 else "",
        )  # fmt: skip
    api = Platform(settings)
    for path in (
        "/platform/v1/services/post/v1/slo",
        "/platform/v1/services/post@v1/slo?environment=sandbox",
    ):
        found = (await api.get(path, ANONYMOUS)).json()
        assert (found["calls"], found["failures"], found["window"]["days"]) == (100, 2, 30)
        assert found["availability"] == {"promised": 0.99, "measured": 0.98, "kept": False}
        assert found["p95_ms"]["promised"] == 20
        assert 7 < found["p95_ms"]["measured"] <= 10
        assert found["p95_ms"]["kept"] is True
        assert found["hours"] == "Mo-Fr 08:00-18:00"
    assert (await api.get("/platform/v1/services/post/v2/slo")).status_code == 404
    assert (await api.get("/platform/v1/services/post@v1/slo?environment=live")).status_code == 404


async def test_a_live_process_serves_the_explanation_alone(settings: Settings, stores: Stores) -> None:
    api = Platform(settings, [live_router])
    assert (await api.get("/platform/v1/requests/rs_" + "0" * 26)).status_code == 404
    assert (await api.get("/platform/v1/services/post/v1/slo")).json()["type"].endswith("/page-not-found/")
