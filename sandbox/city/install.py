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
from sandbox.city.desks import DESKS
from sandbox.city.identity_provider.install import ensure_providers
from sandbox.city.inventory import key_of, load_contract, meta_of, personas, read_services, report
from sandbox.city.native.exchange import DATABASES
from sandbox.city.native.filling import fill_tables
from sandbox.city.native.side import mapping_text
from sandbox.city.native.tables import tables_in
from sandbox.city.population import generate as population
from sandbox.city.population.generate import Progress, version_of

__all__ = ("DEPARTMENTS", "personas", "read_services", "report", "seed")

OWNERS = (*DEPARTMENTS, *DESKS)  # the desks last: what they are composed of is there then
_NEW_EDITION = "a new edition of the simulated city"


async def seed(
    home: Path,
    *,
    citizens: int = population.CITIZENS,
    companies: int = population.COMPANIES,
    seed: int = population.SEED,
    progress: Progress | None = None,
    is_brief: bool = False,
    database_url: str = "",
) -> dict[str, Any]:
    """Bring city and catalogue to these parameters; the report, with what was done. The stores are open.

    `progress` is told what, done and of. `is_brief` leaves the counts out of the report, which takes reading
    every contract. `database_url` is that of the stores: in PostgreSQL the departments' views stand beside them. Raises ValueError for sizes that make no city, Refusal for a contract that the catalogue
    refuses.
    """
    is_new = meta_of(home) != version_of(citizens, companies, seed)
    if is_new:
        population.generate(home / FILE, citizens, companies, seed, progress)
    present = await _published()
    published = []
    changed: list[Department] = []
    for number, department in enumerate(OWNERS, start=1):
        upstream = upstream_of(department)
        known = present.get(upstream, _NOTHING)
        if not _is_as_published(department, known.files) or known.mapping != _mapping_of(
            department, upstream
        ):
            published.append(await _publish(department, upstream))
            changed.append(department)
        if progress is not None:
            progress("services", number, len(OWNERS))
    spoken = [one for one in (DEPARTMENTS if is_new else changed) if one.protocol in {"sql", "files"}]
    if spoken:
        await fill_tables(home, tuple(spoken), tables_in(home / DATABASES, database_url))
    await follow_everybody()
    done = {"generated": is_new, "published": published, "identity_providers": await ensure_providers()}
    return done if is_brief else {**report(home), **done}


def upstream_of(department: Department) -> str:
    """The address at which the gateway finds the department's system: by its protocol, where it has a mapping."""
    if department.protocol == "compose":
        return f"compose:{department.slug}"
    if department.protocol == "inprocess" or not mapping_text(department):  # none yet, or none wanted
        return f"city:{department.slug}"
    return f"city+{department.protocol}:{department.slug}"


def _mapping_of(department: Department, upstream: str) -> str:
    return mapping_text(department) if upstream.startswith("city+") else ""


class _Known(Struct, frozen=True):
    """What is published of a department: the files of its contract, and its mapping."""

    files: dict[str, str] = {}
    mapping: str = ""


_NOTHING = _Known()


async def _published() -> dict[str, _Known]:
    """What is published in the sandbox, by upstream."""
    rows = {
        str(row["version_id"]): row
        for row in await Publication.filter(environment="sandbox", state="published").values(
            "version_id", "upstream", "mapping"
        )
        if row["upstream"]
    }
    versions = await VersionRecord.filter(id__in=list(rows)).values("id", "original")
    return {
        str(rows[str(one["id"])]["upstream"]): _Known(
            _read_original(one["original"]).files, str(rows[str(one["id"])]["mapping"])
        )
        for one in versions
    }


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
    mapping = _mapping_of(department, upstream)
    try:
        await publish(OPERATOR, key, "sandbox", upstream, mapping=mapping)
    except Refusal as refusal:
        if refusal.kind.slug != "breaking-change":
            raise
        await publish(OPERATOR, key, "sandbox", upstream, mapping=mapping, force_reason=_NEW_EDITION)
    return key
