"""What there is in the city: its services, its personas, its file, counted and listed. It changes nothing."""

from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from api.contract.build import service_of
from api.contract.load import load_path
from api.contract.model import Service
from api.contract.normalise import normalise
from api.core.problems import ProblemType
from sandbox.city.base import FILE, City, CityMissing
from sandbox.city.casting import cast
from sandbox.city.departments import DEPARTMENTS


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
def read_services() -> dict[str, Service]:
    """The services of the city from their contracts, by department."""
    services = {}
    for department in DEPARTMENTS:
        loaded = load_path(department.contract)
        if loaded.document is None:
            raise ValueError(f"{department.contract}: {loaded.findings}")
        services[department.slug] = service_of(normalise(loaded.document).document)
    return services


def report(home: Path) -> dict[str, Any]:
    """Counts of what the city offers, and what its file holds (design §4)."""
    operations = [one for service in read_services().values() for one in service.operations]
    by_level: dict[str, int] = {}
    for operation in operations:
        by_level[operation.level.value] = by_level.get(operation.level.value, 0) + 1
    meta = meta_of(home)
    return {
        "departments": len(DEPARTMENTS),
        "operations": len(operations),
        "by_protocol": {"inprocess": len(operations)},
        "by_level": dict(sorted(by_level.items())),
        "scenarios": sum(len(operation.scenarios) for operation in operations),
        "personas": len(cast()),
        "services": [service.key for service in read_services().values()],
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
