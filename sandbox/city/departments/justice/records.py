"""Records of justice that other departments read: freezes of homes, by unit number."""

from sandbox.city.base import City
from sandbox.city.state import Record
from sandbox.city.world import Kind, World

DEPARTMENT = "justice"


def _read_freeze(city: City, unit: str) -> Record | None:
    row = city.one(
        "SELECT f.case_number, f.court, f.since, f.until FROM freeze f JOIN home h ON h.id = f.home WHERE h.unit = ?",
        unit,
    )
    if row is None:
        return None
    return {"unit_number": unit, "case_number": row[0], "court": row[1], "since": row[2], "until": row[3]}


FREEZE = Kind("freeze", DEPARTMENT, _read_freeze)  # key: the unit number of the home


def freeze_of(world: World, unit: str) -> Record | None:
    """The freeze that binds the home today, or None: it may have been lifted, or have run out."""
    freeze = world.get(FREEZE, unit)
    if freeze is None or "lifted_on" in freeze or freeze["until"] < world.today.isoformat():
        return None
    return freeze
