"""A real installation with the parcel service, and events that its department would tell."""

from pathlib import Path
from typing import Any

from tortoise.transactions import in_transaction

from api.core import outbox
from api.core.outbox import NewEvent
from api.core.store import open_stores
from api.main.stores import stores_of
from api.settings import Settings
from tests.server import Installation

CONTRACT = Path(__file__).with_name("parcel.yaml")
TYPE = "parcel.delivered"


def install(home: Path, *, url: str = "", **extra: str) -> Installation:
    """A migrated home with `parcel@v1` published in the sandbox."""
    made = Installation(home, extra=extra | ({"KAIMEN_DATABASE_URL": url} if url else {}))
    made.command("migrate")
    made.command("contract", "import", str(CONTRACT))
    made.command("contract", "publish", "parcel@v1", "--environment", "sandbox")
    return made


def make_app(installation: Installation, *options: str) -> dict[str, Any]:
    """An app that is subscribed to the parcel service."""
    return installation.json("app", "create", "--name", "物流演示", "--subscribe", "parcel@v1", *options)


def make_endpoint(installation: Installation, app_id: str, url: str, *options: str) -> dict[str, Any]:
    """An endpoint that has passed the handshake."""
    made = installation.json("webhook", "create", app_id, url, *options)
    installation.json("webhook", "verify", app_id, made["endpoint_id"])
    return made


async def tell(
    installation: Installation, app_id: str, numbers: range, *, subjects: int = 10_000, type_: str = TYPE
) -> list[str]:
    """What the department tells of so many parcels, as another process would. Returns the events' ids."""
    settings = Settings(
        home=str(installation.home), database_url=installation.extra.get("KAIMEN_DATABASE_URL", "")
    )
    events = [
        NewEvent("parcel@v1", type_, f"parcel/{number % subjects}", {"number": number}, app_id)
        for number in numbers
    ]
    async with open_stores(stores_of(settings), "sandbox"), in_transaction("sandbox") as connection:
        return await outbox.add_all(connection, "sandbox", events)
