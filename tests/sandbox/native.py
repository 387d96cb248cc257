"""The city spoken to natively in a test: the listener of this process, and connectors to the departments behind it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from api.contract.mapping import read_mapping
from api.gateway.connector import Connector
from api.gateway.connectors.registry import ConnectorRegistry
from api.main import city_upstreams
from api.settings import Settings
from sandbox.city.connector import CitySide
from sandbox.city.department import Department
from sandbox.city.departments import DEPARTMENTS
from sandbox.city.inventory import read_services
from sandbox.city.native.side import NativeSide

MAPPINGS = Path(__file__).parent / "mappings"


@asynccontextmanager
async def spoken(
    side: CitySide, home: Path, slug: str, text: str, database_url: str = ""
) -> AsyncIterator[tuple[Connector, NativeSide]]:
    """The connector to a department that is spoken to by this mapping."""
    settings = Settings(home=str(home), database_url=database_url)
    registry = ConnectorRegistry()
    native = NativeSide(
        DEPARTMENTS, read_services, lambda name: side.connector(f"city:{name}", None), settings.docs_url,
        takes_seconds=0.01,
    )  # fmt: skip
    async with native.running():
        city_upstreams.register_city(registry, settings, side, native)
        protocol = read_mapping(text).protocol
        connector = registry.connector_for(f"city+{protocol}:{slug}", read_services()[slug], text)
        try:
            yield connector, native
        finally:
            await connector.close()


def departments_with_mapping() -> list[Department]:
    return [one for one in DEPARTMENTS if (one.folder / "mapping.yaml").is_file()]
