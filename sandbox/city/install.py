"""Install the city: write its file, register its departments, publish their contracts in the sandbox.

Safe to repeat: what is there already is left alone, and then it takes some milliseconds.
"""

from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from api.catalogue.models import Publication, VersionRecord
from api.catalogue.onboarding import import_contract
from api.catalogue.publishing import publish
from api.core.caller import OPERATOR
from api.core.problem_types_platform import CONTRACT_REFUSED
from api.core.problems import Refusal
from api.identity.consents.register import follow_everybody
from api.identity.organisations.service import create_organisation, find_organisation
from sandbox.city.base import FILE
from sandbox.city.department import Department
from sandbox.city.departments import DEPARTMENTS
from sandbox.city.identity_provider.install import ensure_providers
from sandbox.city.inventory import key_of, load_contract, meta_of, personas, read_services, report
from sandbox.city.population import generate as population
from sandbox.city.population.generate import Progress, version_of

__all__ = ("DEPARTMENTS", "personas", "read_services", "report", "seed")

_NEW_EDITION = "a new edition of the simulated city"


async def seed(
    home: Path,
    *,
    citizens: int = population.CITIZENS,
    companies: int = population.COMPANIES,
    seed: int = population.SEED,
    progress: Progress | None = None,
    is_brief: bool = False,
) -> dict[str, Any]:
    """Bring city and catalogue to these parameters; the report, with what was done. The stores are open.

    `progress` is told what, done and of. `is_brief` leaves the counts out of the report, which takes reading
    every contract. Raises ValueError for sizes that make no city, Refusal for a contract that the catalogue
    refuses.
    """
    is_new = meta_of(home) != version_of(citizens, companies, seed)
    if is_new:
        population.generate(home / FILE, citizens, companies, seed, progress)
    present = await _published()
    published = []
    for number, department in enumerate(DEPARTMENTS, start=1):
        upstream = upstream_of(department)
        if not _is_as_published(department, present.get(upstream, {})):
            published.append(await _publish(department, upstream))
        if progress is not None:
            progress("services", number, len(DEPARTMENTS))
    await follow_everybody()
    done = {"generated": is_new, "published": published, "identity_providers": await ensure_providers()}
    return done if is_brief else {**report(home), **done}


def upstream_of(department: Department) -> str:
    """The address at which the gateway finds the department's system."""
    return f"city:{department.slug}"


async def _published() -> dict[str, dict[str, str]]:
    """The files of the contracts that are published in the sandbox, by upstream."""
    upstreams = {
        str(row["version_id"]): str(row["upstream"])
        for row in await Publication.filter(environment="sandbox", state="published").values(
            "version_id", "upstream"
        )
        if row["upstream"]
    }
    versions = await VersionRecord.filter(id__in=list(upstreams)).values("id", "original")
    return {upstreams[str(row["id"])]: _read_original(row["original"]).files for row in versions}


class _Original(Struct):
    files: dict[str, str] = {}


def _read_original(text: str) -> _Original:
    return msgspec.json.decode(text, type=_Original)


def _is_as_published(department: Department, files: dict[str, str]) -> bool:
    """Whether these are the files of the contract as they stand in its folder; nothing is parsed."""
    if department.contract.name not in files:
        return False
    for name, text in files.items():
        path = department.folder / name
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            return False
    return True


async def _publish(department: Department, upstream: str) -> str:
    """Offer a department's contract in the sandbox; its version id."""
    loaded = load_contract(department)
    organisation = await find_organisation(department.slug)
    if organisation is None:
        organisation = await create_organisation(
            OPERATOR, "department", department.slug, department.zh, department.en
        )
    name, key = key_of(loaded)
    imported = await import_contract(OPERATOR, organisation_id=organisation.id, loaded=loaded, name=name)
    if imported.version_id != key:
        raise Refusal(CONTRACT_REFUSED, count=len(imported.findings), service=key)
    try:
        await publish(OPERATOR, key, "sandbox", upstream)
    except Refusal as refusal:
        if refusal.kind.slug != "breaking-change":
            raise
        await publish(OPERATOR, key, "sandbox", upstream, force_reason=_NEW_EDITION)
    return key
