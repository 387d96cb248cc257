"""What there is in the city: its services, its personas, its file, counted and listed. It changes nothing."""

from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from api.contract.build import service_of
from api.contract.load import Loaded, load_path
from api.contract.model import Service
from api.contract.normalise import normalise
from api.core.problems import ProblemType
from sandbox.city.base import FILE, City, CityMissing
from sandbox.city.casting import cast
from sandbox.city.department import Department
from sandbox.city.departments import DEPARTMENTS
from sandbox.city.desks import DESKS

_READS = frozenset({"GET", "HEAD"})


def meta_of(home: Path) -> dict[str, str]:
    """What the city file says of itself; {} where there is none."""
    try:
        city = City(home / FILE)
    except CityMissing:
        return {}
    meta = city.meta
    city.close()
    return meta


@cache
def load_contract(department: Department) -> Loaded:
    """The contract of a department as its files say it, read once. Raises ValueError for one that is no document."""
    loaded = load_path(department.contract)
    if loaded.document is None:
        raise ValueError(f"{department.contract}: {loaded.findings}")
    return loaded


def key_of(loaded: Loaded) -> tuple[str, str]:
    """Name of the contract's service and key of its version: `tax` and `tax@v1`."""
    info = (loaded.document or {})["info"]
    name, major = str(info["x-name"]), str(info["version"]).partition(".")[0]
    return name, f"{name}@v{major}"


@cache
def read_services() -> dict[str, Service]:
    """The services of the city from their contracts, by department."""
    return {
        department.slug: service_of(normalise(load_contract(department).document or {}).document)
        for department in DEPARTMENTS
    }


@cache
def read_desks() -> dict[str, Service]:
    """The services of the one-thing desks from their contracts, by desk."""
    return {desk.slug: service_of(normalise(load_contract(desk).document or {}).document) for desk in DESKS}


def report(home: Path) -> dict[str, Any]:
    """Counts of what the city offers, and what its file holds (design §4)."""
    services = {**read_services(), **read_desks()}
    owners = (*DEPARTMENTS, *DESKS)
    by_level, by_protocol, upstreams, writes = Counter[str](), Counter[str](), Counter[str](), 0
    for department in owners:
        operations = services[department.slug].operations
        by_level.update(operation.level.value for operation in operations)
        by_protocol[department.protocol] += len(operations)
        upstreams[department.protocol] += 1
        writes += sum(operation.method not in _READS for operation in operations)
    meta = meta_of(home)
    return {
        "departments": len(owners),
        "operations": by_level.total(),
        "writes": writes,
        "upstreams": dict(sorted(upstreams.items())),
        "by_protocol": dict(sorted(by_protocol.items())),
        "by_level": dict(sorted(by_level.items())),
        "scenarios": sum(
            len(operation.scenarios) for service in services.values() for operation in service.operations
        ),
        "personas": len(cast()),
        "services": [service.key for service in services.values()],
        "citizens": int(meta.get("citizens", 0)),
        "companies": int(meta.get("companies", 0)),
        "seed": int(meta["seed"]) if "seed" in meta else None,
        "as_of": meta.get("as_of"),
    }


def personas(home: Path | None = None) -> list[dict[str, Any]]:
    """The named people and companies; the same in every city, so `home` does not matter."""
    made: list[dict[str, Any]] = msgspec.to_builtins(cast())
    return made


def problem_types() -> list[ProblemType]:
    """The problem types that the departments' contracts list, for the pages that their `type` URIs lead to."""
    return [kind for department in DEPARTMENTS for kind in department.problems.values()]
