"""A World whose calls go on record: recorder, evidence writer and metrics of its own on the test's stores."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from msgspec import structs

from api.contract.model import Basis, Level
from api.core.crypto import Vault
from api.gateway.evidence import EvidenceWriter
from api.gateway.metrics import Metrics
from api.gateway.recorder import Recorder
from api.gateway.rest import RestFace
from api.settings import Settings
from tests.gateway.made import World, grant_of, operation, parameter

SECRET_NUMBER = "110000200001011234"  # made up, with a wrong check digit
OPERATIONS = (
    operation(),
    operation(
        "getTaxpayer", path="/taxpayers/{number}", level=Level.L3, basis=Basis.STATUTORY_DUTY, purposes=("audit",),
        parameters=(
            parameter("number", "path", {"type": "string", "x-classification": {"level": "L3", "kind": "id-number"}, "x-mask": "last4"}),
            parameter("year", schema={"type": "integer"}),
        ),
        responses=(),
    ),
    operation(
        "searchCompanies", path="/companies",
        parameters=(parameter("name"), parameter("phone", schema={"type": "string", "x-mask": "all"})), responses=(),
    ),
)  # fmt: skip


@asynccontextmanager
async def recorded(settings: Settings, **more: Any) -> AsyncIterator["Recorded"]:
    """Running for the block; what is buffered is written at its end."""
    settings = structs.replace(settings, flood_per_second=1_000_000, **more)
    metrics = Metrics()
    recorder = Recorder(settings, metrics)
    evidence = EvidenceWriter(settings, Vault(bytes(32)), metrics)
    async with recorder.running(), evidence.running():
        yield Recorded(settings, recorder, evidence, metrics)


class Recorded:
    def __init__(
        self, settings: Settings, recorder: Recorder, evidence: EvidenceWriter, metrics: Metrics
    ) -> None:
        self.world = World(
            OPERATIONS, settings=settings, recorder=recorder, evidence=evidence, metrics=metrics
        )
        self.world.connector.remembers = False
        self.world.apps.put(self.world.app_id, "o_test", kind="company", grants=[grant_of(purpose="audit")])
        self.recorder, self.evidence, self.metrics = recorder, evidence, metrics
        self.face = RestFace(self.world.gateway)

    def client(self) -> httpx.AsyncClient:
        """A client that talks to the REST face in this process, as the app of the world."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.face),
            base_url="http://gateway",
            headers={"authorization": self.world.bearer().decode()},
        )

    async def get(self, path: str, **headers: str) -> httpx.Response:
        async with self.client() as client:
            return await client.get(path, headers=headers)
