"""A small country for the catalogue's tests: departments, companies, people, apps, told through outside.use."""

import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import msgspec
import pytest

from api.catalogue import outside
from api.catalogue.browsing import Card
from api.catalogue.models import Publication, ServiceRecord, VersionRecord
from api.catalogue.offers import Offer, OfferedOperation
from api.catalogue.outside import AppOwner, Contact, FieldUser, Organisation, Outside
from api.contract.model import Grade, Level
from api.core import clock, ids
from api.core.caller import ANONYMOUS, OPERATOR, Caller, CallerKind
from api.core.store import Stores
from api.settings import Settings


@dataclass
class World:
    """Who is there. Everything it answers can be changed by a test."""

    organisations: dict[str, Organisation] = field(default_factory=dict)
    roles: dict[str, dict[str, set[str]]] = field(default_factory=dict)  # person -> organisation -> roles
    administrators: set[str] = field(default_factory=set)
    apps: dict[str, AppOwner] = field(default_factory=dict)
    evidence: dict[str, str] = field(default_factory=dict)
    users: dict[tuple[str, str], list[FieldUser]] = field(default_factory=dict)
    unhealthy: dict[str, str] = field(default_factory=dict)
    default: str = ""

    def organisation(self, kind: str, slug: str = "") -> str:
        """A new organisation's id."""
        key = ids.random_id("o", 4)
        slug = slug or key.replace("_", "-")
        self.organisations[key] = Organisation(key, slug, kind, f"{slug} 单位", f"{slug} office")
        return key

    def person(self, administrator: bool = False, **roles: str) -> str:
        """A new person with a role each in organisations given as `organisation_id="role role"`."""
        key = ids.random_id("p", 4)
        self.roles[key] = {organisation: set(words.split()) for organisation, words in roles.items()}
        if administrator:
            self.administrators.add(key)
        return key

    def app(self, organisation: str, environment: str = "sandbox") -> str:
        key = ids.random_id("a", 4)
        self.apps[key] = AppOwner(organisation, environment, f"应用 {key}")
        return key

    def caller(self, who: str, *scopes: str) -> Caller:
        """The caller that a person or an app is now; `operator` and `anonymous` too."""
        if who == "operator":
            return OPERATOR
        if who == "anonymous":
            return ANONYMOUS
        if who in self.apps:
            owner = self.apps[who]
            return Caller(
                kind=CallerKind.APP, id=who, organisations={owner.organisation_id: frozenset()},
                environment=owner.environment, scopes=frozenset(scopes),
            )  # fmt: skip
        organisations = {key: frozenset(roles) for key, roles in self.roles[who].items()}
        return Caller(
            kind=CallerKind.PERSON, has_mfa=True, id=who, organisations=organisations, is_administrator=who in self.administrators
        )  # fmt: skip

    # --- what outside asks ---
    async def app_owner(self, app_id: str) -> AppOwner | None:
        return self.apps.get(app_id)

    async def find_organisation(self, id_or_slug: str) -> Organisation | None:
        slugs = {one.slug: one for one in self.organisations.values()}
        return self.organisations.get(id_or_slug) or slugs.get(id_or_slug)

    async def default_owner(self, caller: Caller) -> str:
        return self.default

    async def contacts(self, organisation_id: str, roles: frozenset[str]) -> list[Contact]:
        return [
            await self.contact_known(person) for person, held in self.roles.items()
            if held.get(organisation_id, set()) & roles
        ]  # fmt: skip

    async def contact_known(self, person: str) -> Contact:
        return Contact(person, f"{person}@example.test", f"测试 {person}", "zh" if hash(person) % 2 else "en")

    async def contact(self, person: str) -> Contact | None:
        return await self.contact_known(person) if person in self.roles else None

    async def find_administrators(self) -> list[Contact]:
        return [await self.contact_known(person) for person in self.administrators]

    async def memberships(self, person: str) -> frozenset[str]:
        return frozenset(self.roles.get(person, {}))

    async def exercised(self, version_id: str) -> Mapping[str, str]:
        return self.evidence

    async def field_users(
        self, version_id: str, operation_id: str, field_: str, days: int
    ) -> list[FieldUser]:
        return self.users.get((operation_id, field_), [])

    async def probe(self, upstream: str) -> str:
        return self.unhealthy.get(upstream, "")

    @property
    def answers(self) -> Outside:
        return Outside(
            app_owner=self.app_owner, organisation=self.find_organisation, default_owner=self.default_owner,
            contacts=self.contacts, administrators=self.find_administrators, contact=self.contact,
            memberships=self.memberships, exercised=self.exercised, field_users=self.field_users, probe=self.probe,
            settings=Settings(sandbox_url="http://sandbox.example.test", live_url="http://live.example.test"),
        )  # fmt: skip


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    outside.use(made.answers)
    yield made
    outside.use(Outside())


def unique(word: str) -> str:
    """A service name that no other test has; letters only, so that no word of it is a number."""
    letters = "".join(secrets.choice("bcdfghjkmnpqrtwxz") for _ in range(6))
    return f"{word}-{letters}"


def operation(name: str = "getThing", level: str = "L1", **changes: object) -> OfferedOperation:
    """An offered operation; everything not said is open."""
    facts = {"id": name, "level": Level(level), "grade": Grade.GENERAL, "share": "unconditional", "open": "open",
             "scopes": (f"thing:{name}:read",)}  # fmt: skip
    return OfferedOperation(**{**facts, **changes})


async def offer(
    owner: str,
    *operations: OfferedOperation,
    environments: tuple[str, ...] = ("sandbox", "live"),
    status: str = "stable",
) -> str:
    """A published version with these operations and no document; for tests of rights only. Returns its id."""
    name = ids.random_id("svc", 4).replace("_", "-")
    version_id = f"{name}@v1"
    moment = clock.now()
    await ServiceRecord.create(
        name=name, organisation_id=owner, title_zh="服务", title_en="Service", created_at=moment
    )
    await VersionRecord.create(
        id=version_id, service=name, version="v1", release="1.0.0", title="Service", status=status, digest="sha256:0",
        original="{}", overlay="{}", document="{}", findings="[]", losses="[]", verdicts="{}", imported_by="operator:local",
        imported_at=moment,
    )  # fmt: skip
    card = Card(
        name,
        "v1",
        "1.0.0",
        {"zh": "服务", "en": "Service"},
        {"zh": "", "en": ""},
        "",
        "L1",
        "open",
        "public",
        status,
        len(operations),
    )
    for environment in environments:
        await Publication.create(
            id=f"{version_id}/{environment}", version_id=version_id, service=name, version="v1", environment=environment,
            digest="sha256:0", document="{}", state="published", published_by="operator:local", published_at=moment,
            card=msgspec.json.encode(card).decode(), offer=msgspec.json.encode(Offer(operations)).decode(),
        )  # fmt: skip
    return version_id


@pytest.fixture
async def opened(stores: Stores) -> Stores:
    """The stores, for tests that say nothing about them."""
    return stores
