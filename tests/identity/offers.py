"""Published services for tests of apps: rows of the catalogue with an offer, without importing a contract."""

import msgspec

from api.catalogue.models import Publication, ServiceRecord, VersionRecord
from api.catalogue.offers import Offer, OfferedOperation
from api.contract.model import Grade, Level
from api.core import clock, ids
from api.identity.models import Organisation


async def department() -> str:
    """A department of its own; its id."""
    identifier = ids.random_id("o")
    await Organisation.create(
        id=identifier, slug=ids.random_id("d", 5).replace("_", "-"), kind="department", name_zh="示例局",
        name_en="Sample bureau", created_at=clock.now(),
    )  # fmt: skip
    return identifier


async def publish(
    key: str, level: Level = Level.L1, *environments: str, purposes: tuple[str, ...] = (), owner: str = ""
) -> None:
    """Publish `service@version` with one operation of this level, in these environments (default: both)."""
    service, _, version = key.partition("@")
    moment = clock.now()
    await ServiceRecord.get_or_create(
        name=service,
        defaults={
            "organisation_id": owner or await department(), "title_zh": service, "title_en": service,
            "created_at": moment,
        },
    )  # fmt: skip
    await VersionRecord.get_or_create(
        id=key,
        defaults={
            "service": service, "version": version, "release": "1.0.0", "status": "stable", "digest": "",
            "original": "{}", "overlay": "{}", "document": "{}", "findings": "[]", "losses": "[]",
            "verdicts": "{}", "imported_by": "tests", "imported_at": moment,
        },
    )  # fmt: skip
    operation = OfferedOperation(
        id="getThing", level=level, grade=Grade.GENERAL, purposes=purposes, scopes=(f"{service}:thing:read",)
    )
    for environment in environments or ("sandbox", "live"):
        await Publication.create(
            id=f"{key}/{environment}", version_id=key, service=service, version=version, environment=environment,
            digest="", document="{}", offer=msgspec.json.encode(Offer((operation,))).decode(), state="published",
            published_by="tests", published_at=moment,
        )  # fmt: skip
