"""Install the city: write its file, register its departments, publish their contracts in the sandbox.

Safe to repeat: what is there already is left alone, and then it takes some milliseconds.
"""

from pathlib import Path
from typing import Any

import msgspec

from api.catalogue.models import Publication, VersionRecord
from api.catalogue.onboarding import import_contract
from api.catalogue.publishing import publish
from api.contract.load import Loaded, load_path
from api.core.caller import OPERATOR
from api.core.problem_types_platform import CONTRACT_REFUSED
from api.core.problems import Refusal
from api.identity.consents.register import follow_everybody
from api.identity.organisations.service import create_organisation, find_organisation
from sandbox.city.base import FILE
from sandbox.city.department import Department
from sandbox.city.departments import DEPARTMENTS
from sandbox.city.identity_provider.install import ensure_providers
from sandbox.city.inventory import meta_of, personas, read_services, report
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
) -> dict[str, Any]:
    """Bring city and catalogue to these parameters; the report, with what was done. The stores are open.

    `progress` is told what, done and of. Raises ValueError for sizes that make no city, Refusal for a contract
    that the catalogue refuses.
    """
    is_new = meta_of(home) != version_of(citizens, companies, seed)
    if is_new:
        population.generate(home / FILE, citizens, companies, seed, progress)
    published = []
    for number, department in enumerate(DEPARTMENTS, start=1):
        version_id, is_changed = await _publish(department)
        if is_changed:
            published.append(version_id)
        if progress is not None:
            progress("services", number, len(DEPARTMENTS))
    await follow_everybody()
    return {
        **report(home), "generated": is_new, "published": published, "identity_providers": await ensure_providers(),
    }  # fmt: skip


async def _publish(department: Department) -> tuple[str, bool]:
    """Offer a department's contract in the sandbox; its version id, and whether anything had to be done."""
    service = read_services()[department.slug]
    upstream = f"city:{department.slug}"
    loaded = load_path(department.contract)
    if await _is_published(service.key, loaded, upstream):
        return service.key, False
    organisation = await find_organisation(department.slug)
    if organisation is None:
        organisation = await create_organisation(
            OPERATOR, "department", department.slug, department.zh, department.en
        )
    imported = await import_contract(
        OPERATOR, organisation_id=organisation.id, loaded=loaded, name=service.name
    )
    if imported.version_id != service.key:
        raise Refusal(CONTRACT_REFUSED, count=len(imported.findings), service=service.key)
    try:
        await publish(OPERATOR, service.key, "sandbox", upstream)
    except Refusal as refusal:
        if refusal.kind.slug != "breaking-change":
            raise
        await publish(OPERATOR, service.key, "sandbox", upstream, force_reason=_NEW_EDITION)
    return service.key, True


async def _is_published(version_id: str, loaded: Loaded, upstream: str) -> bool:
    version = await VersionRecord.get_or_none(id=version_id)
    present = await Publication.get_or_none(id=f"{version_id}/sandbox")
    if version is None or present is None or present.state != "published" or present.upstream != upstream:
        return False
    return dict(msgspec.json.decode(version.original)["files"]) == dict(loaded.files)
