"""What registration, customs and the licence library tell their subscribers, and when it is due by the app's clock."""

from datetime import UTC, datetime, timedelta

import pytest

from api.core.store import placeholders, plane
from sandbox.city.inventory import read_services
from sandbox.city.population import personas
from tests.sandbox.conftest import NOON, Client

TEA = personas.code_of("manshan-tea")
CLOCK = datetime.fromisoformat(NOON)


async def told(app: Client, subject: str) -> list[tuple[str, int]]:
    """Type and moment, in microseconds, of what stands in the outbox for this subject of the app."""
    connection = plane("sandbox")
    mark, second = placeholders(connection, 2).split(", ")
    _, rows = await connection.execute_query(
        f"SELECT type, due_at FROM event WHERE subject = {mark} AND app_id = {second}",
        [subject, app.state_id],
    )
    return [(row["type"], int(row["due_at"])) for row in rows]


def hours_from_noon(due: int) -> float:
    return (datetime.fromtimestamp(due / 1_000_000, UTC) - CLOCK) / timedelta(hours=1)


async def test_a_transfer_is_told_when_it_is_registered(app: Client) -> None:
    number = (await app("realestate/applyTransfer")).body["number"]
    ((kind, due),) = await told(app, number)
    assert (kind, hours_from_noon(due)) == ("realestate.transfer.registered", 72)


async def test_a_release_is_told_for_small_declarations_and_after_inspections(app: Client) -> None:
    number = (await app("customs/declareExport")).body["number"]
    ((kind, due),) = await told(app, number)
    assert (kind, hours_from_noon(due)) == ("customs.declaration.released", 2)
    large = {"tariff_code": "8413709990", "value_yuan": 2_000_000}
    waiting = (await app("customs/declareExport", body=large)).body["number"]
    assert await told(app, waiting) == []
    await app("customs/bookInspection", number=waiting)
    ((_, due),) = await told(app, waiting)
    assert hours_from_noon(due) == 24


async def test_licences_issued_and_revoked_are_told(app: Client) -> None:
    permit = (await app("licence/issuePermit", scenario="issued")).body["number"]
    body = {"type": "food-permit", "number": permit}
    assert (await app("licence/revokeLicence", body=body)).status == 201
    assert sorted(kind for kind, _ in await told(app, permit)) == ["licence.issued", "licence.revoked"]


@pytest.mark.parametrize("slug", ["real-estate", "customs", "licence"])
def test_what_is_told_stands_in_the_contract(slug: str) -> None:
    hooks = read_services()[slug].document["webhooks"]
    assert hooks
    assert all(name.startswith(f"{read_services()[slug].name}.") for name in hooks)
