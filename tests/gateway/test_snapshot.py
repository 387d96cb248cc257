"""The snapshot: loaded whole, then by difference; on SQLite and on PostgreSQL."""

import asyncio
import json
from typing import Any

import pytest
from msgspec import structs

from api.catalogue.models import Plan, Publication, ServiceRecord, Subscription
from api.contract.build import service_of
from api.core import audit, clock, ids
from api.core.store import Stores
from api.gateway.connectors.registry import ConnectorRegistry
from api.gateway.snapshot_feed import SnapshotFeed
from api.identity.models import App, Organisation
from api.settings import Settings
from tests.gateway.made import PLANS, Answering


class Closing(Answering):
    """A connector that says when it is closed, and what it was made for."""

    def __init__(self, upstream: str) -> None:
        super().__init__()
        self.upstream = upstream
        self.is_closed = False

    async def close(self) -> None:
        self.is_closed = True


def document(title: str = "Companies", path: str = "/companies/{code}", **info: Any) -> str:
    return json.dumps({
        "openapi": "3.1.0",
        "info": {"title": title, "version": "1.0.0", "x-name": "company", "x-status": "stable", **info},
        "paths": {path: {"get": {
            "operationId": "getCompany", "x-level": "L1", "x-resource": "", "x-verb": "get",
            "parameters": [{"name": "code", "in": "path", "required": True, "schema": {"type": "string"}}],
            "responses": {"200": {"description": "ok"}},
        }}},
    })  # fmt: skip


async def make_organisation(slug: str, kind: str = "company") -> str:
    made = await Organisation.create(
        id=ids.random_id("o"), slug=slug, kind=kind, name_zh=slug, name_en=slug, created_at=clock.now()
    )
    return str(made.id)


async def make_app(organisation: str, environment: str = "sandbox", **more: Any) -> App:
    values = {"status": "active", "plan": "standard", "client_id": ids.random_id("kt")} | more
    return await App.create(
        id=ids.random_id("a"), organisation_id=organisation, name="app", environment=environment,
        created_by="operator:local", created_at=clock.now(), **values,
    )  # fmt: skip


async def subscribe(app: App, version_id: str = "company@v1", **more: Any) -> Subscription:
    values = {"purpose": "", "status": "active", "level": "L1"} | more
    return await Subscription.create(
        id=ids.random_id("s"), app_id=app.id, organisation_id=app.organisation_id, version_id=version_id,
        environment=app.environment, requested_by="operator:local", requested_at=clock.now(), **values,
    )  # fmt: skip


async def publish(version_id: str = "company@v1", environment: str = "sandbox", **more: Any) -> None:
    name, _, version = version_id.partition("@")
    values = {"state": "published", "document": document(), "upstream": "", "digest": "sha256:0"} | more
    await Publication.create(
        id=f"{version_id}/{environment}", version_id=version_id, service=name, version=version,
        environment=environment, published_by="operator:local", **values,
    )  # fmt: skip


async def changed(kind: str, key: str) -> None:
    async with audit.write("operator:local", "test:change", key) as entry:
        entry.changed(kind, key)


def feed_of(settings: Settings, **more: Any) -> tuple[SnapshotFeed, list[Closing]]:
    registry = ConnectorRegistry()
    made: list[Closing] = []

    def factory(upstream: str, service: Any) -> Closing:
        made.append(Closing(upstream))
        return made[-1]

    for scheme in ("", "city", "http"):
        registry.register(scheme, factory)
    return SnapshotFeed(settings, registry, read_service=service_of, **more), made


@pytest.fixture(scope="module")
async def control(stores: Stores) -> str:
    """Plans, a department with a published service, a company. The company's id."""
    for name, limits in PLANS.items():
        await Plan.create(name=name, title_zh=name, title_en=name, limits=limits)
    owner = await make_organisation("registry", "department")
    await ServiceRecord.create(
        name="company", organisation_id=owner, title_zh="x", title_en="x", created_at=clock.now()
    )
    await publish()
    await publish(environment="live", upstream="http://127.0.0.1:1")
    await publish("gone@v1", state="retired", document=document(**{"x-name": "gone", "x-status": "retired"}))
    await publish("waiting@v1", state="pending")
    await publish("strange@v1", upstream="ftp://x")
    return await make_organisation("acme")


async def test_loads_what_this_environment_serves(control: str, settings: Settings) -> None:
    app = await make_app(control)
    await subscribe(app)
    await subscribe(app, "tax@v1", purpose="bank-credit", status="pending", level="")
    await subscribe(app, "post@v1", status="cancelled")
    live = await make_app(control, "live")
    feed, made = feed_of(settings)
    await feed.load()
    snapshot = feed.current
    assert {entry.key: entry.state for entry in snapshot.entries()} == {
        "company@v1": "published",
        "gone@v1": "retired",
    }
    entry = snapshot.entry("company", "v1")
    assert entry is not None
    assert entry.owner_id == (await ServiceRecord.get(name="company")).organisation_id
    assert entry.trie.find("companies/91") is not None
    assert snapshot.entry("company", "v2") is snapshot.entry("nobody", "v1") is None
    number = snapshot.apps.find(app.id)
    row = snapshot.apps.row(number, app.id)
    assert (row.organisation_id, row.organisation_kind, row.status) == (control, "company", 0)
    assert set(row.rights) == {"company@v1", "tax@v1"}
    assert row.rights["tax@v1"].is_pending
    quota = row.plan.quotas[0]
    assert quota is not None
    assert (row.plan.name, quota.units) == ("standard", 600)
    assert snapshot.apps.find(live.id) == -1
    await feed.close()
    assert all(connector.is_closed for connector in made)
    other, _ = feed_of(structs.replace(settings, environment="live"))
    await other.load()
    assert [entry.upstream for entry in other.current.entries()] == ["http://127.0.0.1:1"]
    assert other.current.apps.find(live.id) >= 0
    await other.close()


async def test_follows_the_change_feed(control: str, settings: Settings) -> None:
    feed, made = feed_of(settings)
    await feed.load()
    assert not await feed.poll()
    apps = feed.current.apps
    version = apps.version

    app = await make_app(control)
    await changed("app", app.id)
    assert await feed.poll()
    assert apps.version > version
    number = apps.find(app.id)
    assert apps.row(number, app.id).rights == {}

    await subscribe(app)
    await changed("subscription", app.id)
    assert await feed.poll()
    assert set(apps.row(number, app.id).rights) == {"company@v1"}

    await App.filter(id=app.id).update(status="suspended", plan="open")
    await changed("app", app.id)
    await feed.poll()
    row = apps.row(number, app.id)
    assert (row.status, row.plan.name) == (1, "open")

    await App.filter(id=app.id).delete()
    await changed("app", app.id)
    await feed.poll()
    assert apps.row(number, app.id).status == 2

    await Plan.filter(name="standard").update(limits={"light": {"units": 7, "window_seconds": 60}})
    await changed("plan", "standard")
    assert await feed.poll()
    quota = apps.plans.plan(apps.plans.number_of("standard")).quotas[0]
    assert quota is not None
    assert quota.units == 7
    await Plan.filter(name="standard").update(limits=PLANS["standard"])

    before = feed.current
    await Publication.filter(id="company@v1/sandbox").update(
        document=document(path="/firms/{code}"), upstream="city:x"
    )
    await changed("publication", "company@v1/sandbox")
    assert await feed.poll()
    entry = feed.current.entry("company", "v1")
    assert entry is not None
    assert entry.trie.find("firms/1") is not None
    assert entry.connector.upstream == "city:x"  # type: ignore[attr-defined]
    old = before.entry("company", "v1")
    assert old is not None
    assert old.trie.find("companies/1") is not None  # a call that began with it ends with it
    assert not old.connector.is_closed  # type: ignore[attr-defined]

    await Publication.filter(id="company@v1/sandbox").update(state="retired")
    await changed("publication", "company@v1/sandbox")
    await changed("publication", "company@v1/live")
    await feed.poll()
    retired = feed.current.entry("company", "v1")
    assert retired is not None
    assert retired.state == "retired"
    await Publication.filter(id="company@v1/sandbox").update(
        state="published", document=document(), upstream=""
    )

    await changed("person", "p_x")
    assert not await feed.poll()
    await feed.close()
    assert all(connector.is_closed for connector in made)


async def test_many_changes_at_once(control: str, settings: Settings) -> None:
    feed, _ = feed_of(settings)
    await feed.load()
    apps = [await make_app(control) for _ in range(450)]
    async with audit.write("operator:local", "test:many", "apps") as entry:
        for app in apps:
            entry.changed("app", app.id)
    assert await feed.poll()
    assert all(feed.current.apps.find(app.id) >= 0 for app in apps)
    await feed.close()


async def test_refresh_is_asked_before_refusing_and_has_a_bound(control: str, settings: Settings) -> None:
    looked: list[bool] = []

    async def look_again() -> bool:
        looked.append(True)
        return False

    feed, _ = feed_of(settings, look_again=look_again)
    await feed.load()
    app = await make_app(control)
    await changed("app", app.id)
    assert await feed.refresh()
    assert feed.current.apps.find(app.id) >= 0
    results = [await feed.refresh() for _ in range(200)]
    assert not any(results)
    assert len(looked) < 120
    await feed.close()


async def test_two_at_once_do_not_load_the_same_twice(control: str, settings: Settings) -> None:
    feed, _ = feed_of(settings)
    await feed.load()
    app = await make_app(control)
    await changed("app", app.id)
    assert sorted(await asyncio.gather(feed.poll(), feed.poll())) == [False, True]
    await feed.close()
