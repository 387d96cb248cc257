"""The city's people and companies, a bank with an app, and consent between them, on each database."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from api.catalogue import outside
from api.catalogue.models import Publication
from api.catalogue.offers import offer_of
from api.contract.build import service_of
from api.contract.model import JsonObject
from api.core import clock, ids
from api.core.caller import OPERATOR
from api.core.crypto import Vault, read_or_make_master_key
from api.core.store import Stores
from api.identity.apps.service import create_app
from api.identity.consents import service as consents
from api.identity.consents.subjects import Position, RegisteredOrganisation, Subject, SubjectIds
from api.identity.installation import Installation, configure
from api.identity.models import App, Grant, Organisation
from api.main.answers import outside_of
from api.settings import Settings
from sandbox.city.base import CityFile
from sandbox.city.subjects import CitySubjects

TAX: JsonObject = {"type": "kaimen-service", "service": "tax@v1", "purpose": "bank-credit"}
TAX_SCOPE = "tax:tax-paid:read"


@dataclass
class Register:
    """The city's register, on which tests write what the city does not have."""

    city: CitySubjects
    positions: dict[str, list[Position]] = field(default_factory=dict)  # subject id -> instead of the city's
    organisations: dict[str, RegisteredOrganisation] = field(default_factory=dict)
    is_available: bool = True

    async def organisation(self, code: str) -> RegisteredOrganisation | None:
        return self.organisations.get(code) or await self.city.organisation(code)

    async def positions_of(self, subject: Subject) -> list[Position]:
        if subject.id in self.positions:
            return self.positions[subject.id]
        return await self.city.positions_of(subject)


@dataclass
class World:
    """What a test works with."""

    app: App
    city: CitySubjects
    register: Register
    settings: Settings

    async def persona(self, slug: str) -> Subject:
        found = await self.city.persona(slug)
        assert found is not None, slug
        return found

    async def details(self, *details: JsonObject, scope: str = "", app: App | None = None) -> list[Any]:
        if not scope and all(one.get("service") == TAX["service"] for one in details):
            scope = TAX_SCOPE  # of its operations on consent, the one that these tests are about
        return await consents.read_details(app or self.app, list(details), scope)

    async def grant(
        self,
        subject: Subject,
        *details: JsonObject,
        accept: bool = True,
        app: App | None = None,
        **options: Any,
    ) -> Grant:
        """Offer, then give with every choice ticked (or none)."""
        app = app or self.app
        read = await self.details(*(details or (TAX,)), app=app)
        text = await consents.offer(app, subject, read, **options)
        accepted = [one.id for one in text.choices] if accept else []
        return await consents.give(
            app, subject, read, "zh", shown_hash=text.hash, accepted=accepted, **options
        )

    async def bank_app(self, *subscribe: str, **columns: Any) -> App:
        """Another app of a bank."""
        organisation = await Organisation.create(
            id=ids.random_id("o"), slug=ids.random_id("b", 5).replace("_", "-"), kind="company",
            name_zh="虚构银行", name_en="Imaginary Bank", created_at=clock.now(),
        )  # fmt: skip
        made = await create_app(
            OPERATOR,
            name="贷款助手",
            environment="sandbox",
            organisation_id=organisation.id,
            subscribe=subscribe,
        )
        if columns:
            await App.filter(id=made.app.id).update(**columns)
        return await App.get(id=made.app.id)


@pytest.fixture(scope="module")
async def world(seeded_home: Stores, stores: Stores, settings: Settings) -> AsyncIterator[World]:
    vault = Vault(read_or_make_master_key(settings.home_path / "master.key"))
    file = CityFile(settings.home_path)
    city = CitySubjects(file, SubjectIds(vault, "sandbox"))
    register = Register(city)
    outside.use(outside_of(settings))
    configure(Installation(settings=settings, subjects=city, register=register))
    made = World(None, city, register, settings)  # type: ignore[arg-type]  # the app comes next
    made.app = await made.bank_app(
        "tax@v1:bank-credit",
        contact="privacy@bank.example",
        retention="贷款结清后三年 · three years after the loan",
    )
    yield made
    file.close()
    configure(Installation())
    outside.use(outside.Outside())


async def publish(name: str, document: JsonObject) -> str:
    """Publish a normalised document as `name@v1` in the sandbox, replacing what was there; its key."""
    key = f"{name}@v1"
    service = service_of(document)
    await Publication.filter(id=f"{key}/sandbox").delete()
    await Publication.create(
        id=f"{key}/sandbox", version_id=key, service=name, version="v1", environment="sandbox",
        digest=service.digest, document=msgspec.json.encode(document).decode(),
        offer=msgspec.json.encode(offer_of(service)).decode(), state="published", published_by="tests",
        published_at=clock.now(),
    )  # fmt: skip
    return key
