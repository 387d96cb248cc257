"""What deliveries need around them: an app, a service with webhooks, its publication and subscription, endpoints."""

import json
from typing import Any

from tortoise.transactions import in_transaction

from api.catalogue.models import Publication, Subscription
from api.core import clock, ids, outbox
from api.core.crypto import Vault
from api.core.outbox import NewEvent
from api.events.endpoints.keys import make_key
from api.events.endpoints.models import Endpoint
from api.events.signing import KeyPair
from api.identity.models import App

SERVICE = "parcel@v1"
DELIVERED, NOTICE, SECRET = "parcel.delivered", "parcel.notice", "parcel.secret"
VAULT = Vault(b"k" * 32)


def _webhook(title: str, **more: Any) -> dict[str, Any]:
    return {"post": {"summary": title, "x-i18n": {"en": {"title": f"{title} en"}}, "responses": {}, **more}}


DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "包裹", "version": "1.0.0", "x-level": "L2"},
    "paths": {},
    "webhooks": {
        DELIVERED: _webhook("已妥投"),
        NOTICE: _webhook("公告", **{"x-level": "L1", "x-basis": "public"}),
        SECRET: _webhook("机密", **{"x-level": "L3", "x-basis": "consent"}),
    },
}


async def make_service(service: str = SERVICE, environment: str = "sandbox") -> None:
    """Publish the parcel service, once."""
    name, _, version = service.partition("@")
    if await Publication.filter(id=f"{service}/{environment}").exists():
        return
    await Publication.create(
        id=f"{service}/{environment}", version_id=service, service=name, version=version, environment=environment,
        digest="sha256:0", document=json.dumps(DOCUMENT), state="published", published_by="operator:local",
        published_at=clock.now(),
    )  # fmt: skip


async def make_app(*, environment: str = "sandbox", level: str = "L2", service: str = SERVICE) -> App:
    """An app that is subscribed to the parcel service."""
    await make_service(service, environment)
    app = await App.create(
        id=ids.random_id("a"), organisation_id=ids.random_id("o"), name="demo", environment=environment,
        client_id=ids.random_id("kt"), created_by="operator:local", created_at=clock.now(),
    )  # fmt: skip
    await Subscription.create(
        id=ids.random_id("s"), app_id=app.id, organisation_id=app.organisation_id, version_id=service,
        environment=environment, level=level, status="active", requested_by="operator:local", requested_at=clock.now(),
    )  # fmt: skip
    return app


async def make_endpoint(
    app: App, url: str, *, state: str = "active", types: tuple[str, ...] = (), concurrency: int = 5
) -> tuple[Endpoint, KeyPair]:
    """An endpoint as if it had been verified."""
    endpoint = await Endpoint.create(
        id=ids.random_id("we"), app_id=app.id, environment=app.environment, url=url, types=list(types), state=state,
        concurrency=concurrency, created_by="operator:local", created_at=clock.now(),
    )  # fmt: skip
    _, pair = await make_key(endpoint.id, VAULT)
    return endpoint, pair


def event(app: App, number: int = 0, *, subject: str = "", type: str = DELIVERED, **more: Any) -> NewEvent:  # noqa: A002
    return NewEvent(
        SERVICE, type, subject or f"parcel/{number}", {"number": number, "姓名": "林·小雅"}, app.id, **more
    )


async def tell(*events: NewEvent, environment: str = "sandbox") -> list[str]:
    """Put events into the outbox, in one transaction. Returns their ids."""
    async with in_transaction(environment) as connection:
        return await outbox.add_all(connection, environment, list(events))
