"""The live plane's own webhooks: a live app's endpoint, the department's word, the live process that brings it."""

import asyncio
import signal
import time
from pathlib import Path
from typing import Any

import httpx
from standardwebhooks import Webhook
from tortoise.transactions import in_transaction

from api.catalogue.models import Publication, Subscription
from api.core import clock, ids, outbox
from api.core.outbox import NewEvent
from api.core.store import open_stores
from api.identity.models import App
from api.main.stores import stores_of
from api.settings import Settings
from tests.events.receiver import Answer, Message, receiving
from tests.events.serving import TYPE, install
from tests.server import Installation

EVENTS, SUBJECTS = 120, 12
SERVICE = "parcel@v1"


async def make_live_app(installation: Installation) -> str:
    """The parcel service on the live plane, and an app that is subscribed to it there."""
    async with open_stores(stores_of(Settings(home=str(installation.home))), "live"):
        there = await Publication.get(id=f"{SERVICE}/sandbox")
        await Publication.create(
            id=f"{SERVICE}/live", version_id=SERVICE, service="parcel", version="v1", environment="live",
            digest=there.digest, document=there.document, state="published", published_by="operator:local",
            upstream="https://parcels.example", published_at=clock.now(),
        )  # fmt: skip
        app = await App.create(
            id=ids.random_id("a"), organisation_id=ids.random_id("o"), name="live", environment="live",
            client_id=ids.random_id("kl"), created_by="operator:local", created_at=clock.now(),
        )  # fmt: skip
        await Subscription.create(
            id=ids.random_id("s"), app_id=app.id, organisation_id=app.organisation_id, version_id=SERVICE,
            environment="live", level="L2", status="active", requested_by="operator:local",
            requested_at=clock.now(),
        )  # fmt: skip
        return str(app.id)


async def tell_live(installation: Installation, app_id: str) -> list[str]:
    """What the department's live system tells, as another process would."""
    events = [
        NewEvent(SERVICE, TYPE, f"parcel/{number % SUBJECTS}", {"number": number}, app_id)
        for number in range(EVENTS)
    ]
    async with (
        open_stores(stores_of(Settings(home=str(installation.home))), "live"),
        in_transaction("live") as connection,
    ):
        return await outbox.add_all(connection, "live", events)


async def test_the_live_process_brings_what_live_departments_tell(home: Path) -> None:
    """Told on the control plane, brought by the live process alone, none lost when it is killed in the middle."""
    installation = install(home, KAIMEN_WEBHOOK_TIMEOUT_MS="1000")

    def slow(message: Message) -> Answer:
        time.sleep(0.005)  # so that a kill finds some under way
        return 204, {}, b""

    with receiving(slow) as receiver, installation.serving("sandbox"):
        app_id = await make_live_app(installation)
        made: dict[str, Any] = installation.json("webhook", "create", app_id, receiver.url)
        installation.json("webhook", "verify", app_id, made["endpoint_id"])
        assert len(receiver.handshakes) == 1
        told = installation.json(
            "event", "tell", SERVICE, TYPE, "--subject", "parcel/told", "--data", '{"number": 7}', "--app", app_id,
            "--environment", "live",
        )  # fmt: skip
        sent = [told["event_id"], *await tell_live(installation, app_id)]
        await asyncio.sleep(1.0)
        assert receiver.messages == [], "the sandbox's process brings nothing of the live plane"
        with installation.serving("live") as live:
            await asyncio.to_thread(receiver.wait_for, EVENTS // 3, 60)
            live.stop(signal.SIGKILL)
        with installation.serving("live") as live:
            await asyncio.to_thread(
                receiver.wait_until, lambda: len(set(receiver.ids)) == len(sent), 90, "all events"
            )
            page = httpx.get(f"{live.url}/metrics", timeout=30).text
    assert sorted(set(receiver.ids)) == sorted(sent), "none is lost, none is invented"
    assert all(one.startswith("el_") for one in sent), "a live event's id says so"
    assert "kaimen_webhook_attempts_total" in page
    for message in receiver.messages[-3:]:
        Webhook(made["secret"]).verify(message.body, message.headers)
    order: dict[str, list[int]] = {}
    for message in receiver.messages:
        seen = order.setdefault(message.event["subject"], [])
        if (sequence := int(message.event["sequence"])) not in seen:
            seen.append(sequence)
    assert all(seen == sorted(seen) for seen in order.values()), "each subject kept its order"
