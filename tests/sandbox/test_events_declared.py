"""What departments tell is what their contracts declare: every event of every scenario, and its data by its schema."""

import msgspec
import pytest

from api.contract.model import Service
from api.contract.validation import registry_of, validator_of
from api.core.store import plane
from sandbox.city import state_rows
from sandbox.city.connector import CitySide
from sandbox.city.inventory import read_services
from sandbox.city.rehearsal import rehearse

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="module")
TELLING = [one for one in read_services().values() if one.webhooks]


@pytest.mark.parametrize("service", TELLING, ids=lambda one: one.key)
async def test_events_are_declared(side: CitySide, service: Service) -> None:
    connector = side.connector(f"city:{service.department}", service)
    await rehearse(service, connector, side.states, clock="2026-06-30T09:00:00+08:00")
    rows = await state_rows.fetch(
        plane("sandbox"), "SELECT DISTINCT type, data FROM event WHERE source = ?", service.key
    )
    told = {str(row["type"]) for row in rows}
    assert set() < told <= set(service.webhooks), "it tells what it declares, and nothing else"
    wrong = []
    for row in rows:
        media = service.webhooks[row["type"]]["post"]["requestBody"]["content"]["application/json"]
        validator = validator_of(media["schema"], registry_of(service.schemas))
        data = msgspec.json.decode(row["data"])
        wrong += [f"{row['type']}: {error.message} {data}" for error in validator.iter_errors(data)]
    assert wrong == []
