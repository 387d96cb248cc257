"""The sandbox's part of the platform API, through HTTP: personas for everybody, a reset for whoever may."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from litestar.di import Provide

from api.app import create_app
from api.core import clock, ids
from api.core.caller import ANONYMOUS, OPERATOR, Caller, CallerKind
from api.core.store import Stores
from api.identity.models import App, Organisation
from api.settings import Settings
from sandbox.city import routes
from sandbox.city.connector import CitySide
from tests.sandbox.conftest import Client

SANDBOX = "/platform/v1/sandbox"
RESET = f"{SANDBOX}/reset"
WRITE = frozenset({"platform:sandbox:write"})


class Doors:
    """The application, entered as whoever `caller` says."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.caller: Caller = ANONYMOUS

    async def reset(self, caller: Caller, app_id: str | None = None) -> httpx.Response:
        self.caller = caller
        return await self.client.post(RESET, json={} if app_id is None else {"app_id": app_id})


@pytest.fixture
async def doors(settings: Settings, side: CitySide) -> AsyncIterator[Doors]:
    holder: list[Doors] = []

    async def provide_caller() -> Caller:
        return holder[0].caller

    app = create_app(settings, handlers=[routes.router], dependencies={"caller": Provide(provide_caller)})
    app.app.state.city = side
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        holder.append(Doors(client))
        yield holder[0]


async def make_app(environment: str = "sandbox") -> App:
    owner = await Organisation.create(
        id=ids.random_id("o"), slug=ids.random_id("s", 6).replace("_", "-"), kind="company", name_zh="甲", name_en="A",
        created_at=clock.now(),
    )  # fmt: skip
    return await App.create(
        id=ids.random_id("a"), organisation_id=owner.id, name="demo", environment=environment,
        client_id=ids.random_id("kt"), created_by="operator:local", created_at=clock.now(),
    )  # fmt: skip


def member(app: App, *roles: str, **more: Any) -> Caller:
    return Caller(
        kind=CallerKind.PERSON,
        has_mfa=True,
        id="p_1",
        organisations={app.organisation_id: frozenset(roles)},
        **more,
    )


def token(app: App, scopes: frozenset[str] = WRITE, **more: Any) -> Caller:
    return Caller(
        kind=CallerKind.APP,
        id=app.id,
        organisations={app.organisation_id: frozenset()},
        scopes=scopes,
        **more,
    )


async def test_personas_are_for_everybody(doors: Doors, stores: Stores) -> None:
    answer = await doors.client.get("/platform/v1/sandbox/personas")
    assert answer.status_code == 200
    body = answer.json()
    assert body["version"]
    companies = [one for one in body["items"] if one["kind"] == "organisation"]
    assert len(companies) >= 6
    assert companies[0]["try_it"][0]["operation"] == "company@v1/getCompany"


async def test_every_trial_of_every_persona_works(doors: Doors, app: Client) -> None:
    """An answer, or the refusal that belongs to the story: of a company that is no more, or has no rating yet."""
    body = (await doors.client.get("/platform/v1/sandbox/personas")).json()
    refused = set()
    for persona in body["items"]:
        for trial in persona["try_it"]:
            service, _, operation = trial["operation"].partition("/")
            answer = await app(f"{service.partition('@')[0]}/{operation}", **trial["parameters"])
            if answer.status != 200:
                refused.add((persona["status"], answer.body["rule"]))
    assert refused == {
        ("active", "tax-rating-none"), ("revoked", "company-not-active"), ("deregistered", "company-not-active"),
    }  # fmt: skip


async def test_an_app_resets_itself(doors: Doors, side: CitySide) -> None:
    row = await make_app()
    client = Client(side, row.id)
    other = Client(side)
    await client("post/createOrder")
    await other("post/createOrder")
    answer = await doors.reset(token(row))
    assert (answer.status_code, answer.json()) == (
        200,
        {"app_id": row.id, "records": 1, "undo": "before-reset"},
    )
    assert (await client("post/listOrders")).body["items"] == []
    assert len((await other("post/listOrders")).body["items"]) == 1
    again = await doors.reset(token(row), row.id)
    assert (again.json()["records"], again.json()["undo"]) == (0, "")
    doors.caller = token(row)
    undone = await doors.client.post(f"{SANDBOX}/snapshots/before-reset/restore", json={})
    assert (undone.status_code, undone.json()["records"]) == (200, 1)
    assert len((await client("post/listOrders")).body["items"]) == 1


@pytest.mark.parametrize("role", ["owner", "developer"])
async def test_members_who_keep_the_app_reset_it(doors: Doors, side: CitySide, role: str) -> None:
    row = await make_app()
    await Client(side, row.id)("post/createOrder")
    answer = await doors.reset(member(row, role), row.id)
    assert (answer.status_code, answer.json()["records"]) == (200, 1)
    assert (await doors.reset(OPERATOR, row.id)).status_code == 200


async def test_who_may_not(doors: Doors, side: CitySide) -> None:
    row, other = await make_app(), await make_app()
    await Client(side, row.id)("post/createOrder")
    for caller, status, rule in (
        (ANONYMOUS, 401, "not-signed-in"),
        (member(row, "viewer"), 403, "permission-denied"),
        (member(other, "owner"), 403, "permission-denied"),
        (member(other, "owner", is_administrator=True), 403, "permission-denied"),
        (token(other), 403, "permission-denied"),
        (token(row, frozenset()), 403, "permission-denied"),
        (token(row, frozenset({"platform:apps:write"})), 403, "permission-denied"),
    ):
        answer = await doors.reset(caller, row.id)
        assert (answer.status_code, answer.json()["rule"]) == (status, rule), caller
        assert answer.json()["next"]
    assert len((await Client(side, row.id)("post/listOrders")).body["items"]) == 1


async def test_what_is_no_sandbox_app(doors: Doors, stores: Stores) -> None:
    live = await make_app("live")
    answer = await doors.reset(member(live, "owner"), live.id)
    assert (answer.status_code, answer.json()["rule"]) == (409, "sandbox-only")
    assert (await doors.reset(OPERATOR, ids.random_id("a"))).status_code == 404
    assert (await doors.reset(OPERATOR, "")).status_code == 400
    assert (await doors.reset(OPERATOR)).status_code == 400
    assert (await doors.reset(OPERATOR, "no id at all\u0000")).status_code in {400, 404}
    doors.caller = OPERATOR
    odd = await doors.client.post(RESET, json={"app": "x"})
    assert odd.status_code == 400


async def test_a_clock_over_the_api(doors: Doors, side: CitySide) -> None:
    row = await make_app()
    doors.caller = token(row)
    http, client = doors.client, Client(side, row.id)
    fresh = (await http.get(f"{SANDBOX}/clock")).json()
    assert (fresh["mode"], fresh["now"]) == ("start", "2026-06-30T09:00:00+08:00")
    moved = await http.post(f"{SANDBOX}/clock", json={"now": "2027-06-30T09:00:00+08:00"})
    assert (moved.status_code, moved.json()["now"][:16]) == (200, "2027-06-30T09:00")
    order = await client("post/createOrder", clock="")
    assert order.body["created_at"][:16] == "2027-06-30T09:00"
    assert order.headers["kaimen-clock"][:16] == "2027-06-30T09:00"
    assert (await http.post(f"{SANDBOX}/clock", json={"advance": "P3D"})).json()["now"][:10] == "2027-07-03"
    assert (await client("post/getOrder", clock="", number=order.body["number"])).body[
        "status"
    ] == "delivered"
    await http.post(f"{SANDBOX}/clock", json={"now": "2099-01-01T00:00:00+08:00"})
    back = await http.delete(f"{SANDBOX}/clock")
    assert (back.status_code, back.json()["rule"]) == (409, "clock-backwards")
    await http.post(f"{SANDBOX}/reset", json={})
    assert (await http.get(f"{SANDBOX}/clock")).json()["mode"] == "start"
    assert (await http.delete(f"{SANDBOX}/clock")).status_code == 200


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [
        ({}, ""),
        ({"now": "2027-06-30T09:00:00+08:00", "advance": "P1D"}, ""),
        ({"now": "tomorrow"}, "/now"),
        ({"now": "2027-06-30T09:00:00"}, "/now"),
        ({"now": "2026-06-29T23:59:59+08:00"}, "/now"),
        ({"now": "2100-01-02T00:00:00+08:00"}, "/now"),
        ({"advance": "1D"}, "/advance"),
        ({"advance": "P999Y"}, "/advance"),
        ({"advance": "P99999DT999999H"}, "/advance"),
    ],
)
async def test_clocks_that_cannot_be(doors: Doors, wanted: dict[str, str], pointer: str) -> None:
    row = await make_app()
    doors.caller = token(row)
    answer = await doors.client.post(f"{SANDBOX}/clock", json=wanted)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert (await doors.client.get(f"{SANDBOX}/clock")).json()["mode"] == "start"


async def test_snapshots_over_the_api(doors: Doors, side: CitySide) -> None:
    row = await make_app()
    doors.caller = token(row)
    http, client = doors.client, Client(side, row.id)
    await client("post/createOrder")
    made = await http.post(f"{SANDBOX}/snapshots", json={"name": "one-order"})
    assert (made.status_code, made.json()["records"], made.json()["is_automatic"]) == (201, 1, False)
    again = await http.post(f"{SANDBOX}/snapshots", json={"name": "one-order"})
    assert (again.status_code, again.json()["rule"]) == (409, "snapshot-exists")
    for name in ("", "With Space", "-x", "x" * 41, "before_reset"):
        assert (await http.post(f"{SANDBOX}/snapshots", json={"name": name})).status_code == 400, name
    await http.post(f"{SANDBOX}/reset", json={})
    listed = (await http.get(f"{SANDBOX}/snapshots")).json()
    assert [one["name"] for one in listed["items"]] == ["one-order", "before-reset"]
    assert (await http.post(f"{SANDBOX}/snapshots/other/restore", json={})).status_code == 404
    assert (await http.post(f"{SANDBOX}/snapshots/one-order/restore", json={})).json()["records"] == 1
    assert (await http.delete(f"{SANDBOX}/snapshots/one-order")).status_code == 204
    assert (await http.delete(f"{SANDBOX}/snapshots/one-order")).status_code == 404


async def test_a_look_at_the_sandbox(doors: Doors, side: CitySide) -> None:
    row = await make_app()
    doors.caller = token(row)
    http, client = doors.client, Client(side, row.id)
    fresh = (await http.get(SANDBOX)).json()
    assert (fresh["records"], fresh["city"]["made_on"], fresh["city"]["is_current"]) == (0, "", True)
    await client("post/createOrder")
    seen = (await http.get(SANDBOX)).json()
    assert (seen["records"], seen["records_by_department"]) == (1, {"post": 1})
    assert seen["city"]["made_on"] == seen["city"]["version"] == side.file.open().version
    assert seen["city"]["as_of"] == "2026-06-30"


async def test_who_may_not_touch_a_sandbox(doors: Doors) -> None:
    row, other = await make_app(), await make_app()
    for caller, status in ((ANONYMOUS, 401), (member(row, "viewer"), 403), (token(other), 403)):
        doors.caller = caller
        answers = [
            await doors.client.get(SANDBOX, params={"app_id": row.id}),
            await doors.client.get(f"{SANDBOX}/clock", params={"app_id": row.id}),
            await doors.client.post(f"{SANDBOX}/clock", json={"app_id": row.id, "advance": "P1D"}),
            await doors.client.delete(f"{SANDBOX}/clock", params={"app_id": row.id}),
            await doors.client.get(f"{SANDBOX}/snapshots", params={"app_id": row.id}),
            await doors.client.post(f"{SANDBOX}/snapshots", json={"app_id": row.id, "name": "x"}),
            await doors.client.post(f"{SANDBOX}/snapshots/x/restore", json={"app_id": row.id}),
            await doors.client.delete(f"{SANDBOX}/snapshots/x", params={"app_id": row.id}),
        ]
        assert [one.status_code for one in answers] == [status] * len(answers)
